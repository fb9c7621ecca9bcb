import { Controller, NotFoundException, Options, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../config/access.js';
import { Clock } from '../config/clock.js';
import { Log, messageOf } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { sendProblem } from '../config/problem.js';
import { Tracing } from '../config/tracing.js';
import type { IncomingEvent } from '../events/event.js';
import { EventStore } from '../events/event-store.js';
import { headerText, type Refusal } from './verified.js';
import { type WebhookDoor, WebhookDoors } from './webhook-doors.js';

/** From a request to a stored event, at the path of each Feishu app and each other system. 200 only after the commit. */
@Controller()
@Access('open')
export class WebhookController {
  constructor(
    private readonly doors: WebhookDoors,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly tracing: Tracing,
  ) {}

  @Post('/webhook/event')
  async fromFeishu(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.receive(this.doors.feishu('default'), request, reply);
  }

  @Post('/webhook/feishu/:name')
  async fromFeishuApp(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.receive(this.doors.feishu(name), request, reply);
  }

  @Post('/webhook/:name')
  async fromSource(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.receive(this.doors.source(name), request, reply);
  }

  /** Whether events are wanted here, which some senders of CloudEvents ask first (CloudEvents, HTTP web hooks 4). */
  @Options('/webhook/:name')
  async areWelcome(@Param('name') name: string, @Res() reply: FastifyReply): Promise<void> {
    if (!this.doors.takesCloudEvents(name)) throw new NotFoundException();
    reply.header('allow', 'POST').header('webhook-allowed-origin', '*').header('webhook-allowed-rate', '*');
    await reply.code(204).send();
  }

  private async receive(door: WebhookDoor, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const started = performance.now();
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const verified = door.verify(request.headers, raw, this.clock.now());
    if (verified.kind === 'challenge') {
      this.count(door, 'challenge');
      await reply.code(200).send({ challenge: verified.challenge });
    } else if (verified.kind === 'refused') {
      await this.refuse(door, verified, raw.length, request, reply);
    } else {
      await this.store(door, verified.event, started, request, reply);
    }
  }

  private async refuse(
    door: WebhookDoor,
    refusal: Refusal,
    bytes: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { status, code, detail } = refusal;
    this.count(door, 'refused');
    this.log.warn({ event: 'event.refused', path: door.path, code, status, bytes, ip: request.ip }, detail);
    await sendProblem(reply, refusal);
  }

  private async store(
    door: WebhookDoor,
    event: IncomingEvent,
    started: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { origin, eventId, eventType } = event;
    try {
      const { outcome, id } = await this.events.store(event);
      const seconds = (performance.now() - started) / 1000;
      this.count(door, outcome);
      this.metrics.ackSeconds.observe(seconds);
      if (id !== null && this.tracing.isOn) this.trace(id, event, seconds, door, request);
      this.log.info(
        {
          event: 'event.received',
          outcome,
          id,
          origin,
          eventId,
          eventType,
          ms: Math.round(seconds * 1000),
        },
        'event received',
      );
      await reply.code(200).send({ msg: 'success' });
    } catch (error) {
      this.count(door, 'failed');
      this.log.error({ event: 'event.not-stored', origin, eventId, eventType }, messageOf(error));
      reply.header('retry-after', '15');
      await sendProblem(reply, {
        status: 503,
        code: 'EVENT_NOT_STORED',
        detail: 'The event could not be stored: send it again later.',
      });
    }
  }

  private trace(
    id: string,
    { eventType, source }: IncomingEvent,
    seconds: number,
    { path }: WebhookDoor,
    { headers }: FastifyRequest,
  ): void {
    const until = this.clock.now();
    this.tracing.received({
      id,
      eventType,
      source,
      path,
      traceparent: headerText(headers, 'traceparent'),
      since: until - seconds * 1000,
      until,
    });
  }

  private count({ kind }: WebhookDoor, outcome: string): void {
    this.metrics.received.inc({ source: kind, outcome });
  }
}
