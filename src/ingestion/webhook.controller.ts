import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Clock } from '../config/clock.js';
import { Log, messageOf } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { sendProblem } from '../config/problem.js';
import { EventStore } from '../events/event-store.js';
import { FeishuWebhook } from './feishu-webhook.js';

/** `POST /webhook/event`: from a Feishu push to a stored event. 200 only after the commit. */
@Controller()
export class WebhookController {
  constructor(
    private readonly feishu: FeishuWebhook,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  @Post('/webhook/event')
  async receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const started = performance.now();
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const verified = this.feishu.verify(request.headers, raw, this.clock.now());
    if (verified.kind === 'challenge') {
      this.metrics.received.inc({ outcome: 'challenge' });
      await reply.code(200).send({ challenge: verified.challenge });
      return;
    }
    if (verified.kind === 'refused') {
      this.metrics.received.inc({ outcome: 'refused' });
      this.log.warn(
        {
          event: 'event.refused',
          code: verified.code,
          status: verified.status,
          bytes: raw.length,
          ip: request.ip,
        },
        verified.detail,
      );
      await sendProblem(reply, verified);
      return;
    }
    const { event } = verified;
    try {
      const { outcome, id } = await this.events.store(event);
      const seconds = (performance.now() - started) / 1000;
      this.metrics.received.inc({ outcome });
      this.metrics.ackSeconds.observe(seconds);
      this.log.info(
        {
          event: 'event.received',
          outcome,
          id,
          origin: event.origin,
          eventId: event.eventId,
          eventType: event.eventType,
          ms: Math.round(seconds * 1000),
        },
        'event received',
      );
      await reply.code(200).send({ msg: 'success' });
    } catch (error) {
      this.metrics.received.inc({ outcome: 'failed' });
      this.log.error(
        {
          event: 'event.not-stored',
          origin: event.origin,
          eventId: event.eventId,
          eventType: event.eventType,
        },
        messageOf(error),
      );
      reply.header('retry-after', '15');
      await sendProblem(reply, {
        status: 503,
        code: 'EVENT_NOT_STORED',
        detail: 'The event could not be stored: send it again later.',
      });
    }
  }
}
