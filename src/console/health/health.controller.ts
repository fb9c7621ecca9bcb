import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Metrics } from '../../config/metrics.js';
import { Readiness } from './readiness.js';

/** Whether the process lives, whether it takes events, and its metrics in Prometheus' text format. */
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('/health/live')
  live(): { live: true } {
    return { live: true };
  }

  @Get('/health/ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const health = await this.readiness.check();
    await reply.code(health.ready ? 200 : 503).send(health);
  }

  @Get('/metrics')
  async scrape(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.metrics;
    await reply.header('content-type', registry.contentType).send(await registry.metrics());
  }
}
