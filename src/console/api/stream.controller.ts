import { type BeforeApplicationShutdown, Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, type Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import { By } from '../access/by.js';
import { ChangeFeed, type Listener, type Wants } from './change-feed.js';
import { readsPersonal } from './personal.js';
import { StreamCallers } from './stream-callers.js';
import { STREAM_QUERY, type StreamQuery } from './stream.schema.js';

const EVENT_STREAM = 'text/event-stream';
const MOST_LISTENERS = 100;
/** Bytes that wait for a listener who reads too slowly. */
const MOST_WAITING = 1024 * 1024;

@Controller('/api/v1/stream')
@ApiTags('stream')
export class StreamController implements BeforeApplicationShutdown {
  private stopping = false;
  /** Those who listen, and those who are about to. */
  private taken = 0;

  constructor(
    private readonly feed: ChangeFeed,
    private readonly callers: StreamCallers,
  ) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'streamChanges',
    summary: 'Hear what happens while it happens',
    description: [
      'Server-sent events. Each message has an `id`, an `event` and `data` in JSON, without bodies of events:',
      '`ready` (it begins), `events` (StreamedEvent), `verdicts` (StreamedVerdicts), `deliveries` (StreamedDelivery),',
      '`silences` (StreamedSilence), `gap` (StreamGap: so many were left out, because there were more than 100 of a topic in a second), and `reset`:',
      'what happened since the `Last-Event-ID` cannot be told any more, ask the lists. A comment every 15 s shows that',
      'the connection is alive. It ends when the session or the token does.',
    ].join(' '),
  })
  @ApiProduces(EVENT_STREAM)
  @ApiOkResponse({
    description: 'Messages, until one of the two hangs up.',
    content: { [EVENT_STREAM]: { schema: { type: 'string' } } },
  })
  async stream(
    @By() actor: Actor,
    @Query({ schema: STREAM_QUERY }) query: StreamQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.stopping || this.taken >= MOST_LISTENERS)
      throw new Refusal(503, 'STREAM_FULL', `${MOST_LISTENERS} listen already: come again later.`, {
        headers: { 'retry-after': '10' },
      });
    const wants: Wants = { ...query, personal: readsPersonal(actor) };
    const last = request.headers['last-event-id'];
    const listener = this.listenerOn(reply, request, actor, wants);
    this.taken += 1;
    reply.raw.once('close', () => {
      this.taken -= 1;
      this.feed.leave(listener);
    });
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': EVENT_STREAM,
      'cache-control': 'no-store',
      // Proxies that gather answers would hold the messages back.
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') reply.raw.end();
    else {
      reply.raw.flushHeaders();
      await this.join(reply, listener, typeof last === 'string' && last !== '' ? last : undefined);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.feed.stop();
  }

  /** The answer has begun: whatever goes wrong now can only end it. */
  private async join(reply: FastifyReply, listener: Listener, last: string | undefined): Promise<void> {
    try {
      await this.feed.join(listener, last);
    } catch {
      reply.raw.destroy();
    }
    // The other side may have gone meanwhile, or we.
    if (reply.raw.destroyed || this.stopping) {
      this.feed.leave(listener);
      reply.raw.end();
    }
  }

  private listenerOn(reply: FastifyReply, request: FastifyRequest, actor: Actor, wants: Wants): Listener {
    const { raw } = reply;
    return {
      wants,
      write: (frames) => {
        if (raw.writableLength > MOST_WAITING) raw.destroy();
        else if (!raw.destroyed && !raw.writableEnded) raw.write(frames);
      },
      mayStay: () => this.callers.mayStay(request, actor),
      end: () => {
        raw.end();
        // Who does not read does not hang up either.
        raw.socket?.destroySoon();
      },
    };
  }
}
