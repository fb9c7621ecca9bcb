import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../../config/access.js';
import { Config } from '../../config/config.module.js';
import { isOfAdminPort } from '../http-server.js';
import { Readiness } from './readiness.js';
import { Scrape } from './scrape.js';

/** Whether the process lives, whether it takes events, and its metrics in Prometheus' text format. */
@Controller()
@Access('open')
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly scrape: Scrape,
    private readonly config: Config,
  ) {}

  @Get('/health/live')
  live(): { live: true } {
    return { live: true };
  }

  /** With a port of its own for such things, senders' port says no more than load balancers need. */
  @Get('/health/ready')
  async ready(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const health = await this.readiness.check();
    const { ready } = health;
    const tellsAll = this.config.settings.ADMIN_PORT === undefined || isOfAdminPort(request);
    await reply.code(ready ? 200 : 503).send(tellsAll ? health : { ready });
  }

  @Get('/metrics')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { type, text } = await this.scrape.text();
    await reply.header('content-type', type).send(text);
  }
}
