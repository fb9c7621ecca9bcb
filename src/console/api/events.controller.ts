import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { NDJSON } from '../http-server.js';
import {
  EVENT_DETAIL,
  EVENT_PAGE,
  EVENT_QUERY,
  type Event,
  type EventDetail,
  type EventQuery,
  EXPORT_QUERY,
  type ExportQuery,
  IMPORT_QUERY,
  IMPORTED,
  type Imported,
  type ImportQuery,
} from './events.schema.js';
import { EventsService } from './events.service.js';
import {
  EVENT_CASE,
  EVENT_CASE_QUERY,
  type EventCaseAnswer,
  type EventCaseQuery,
} from './event-cases.schema.js';
import { REPLAY_ANSWER, REPLAY_BODY, type ReplayAnswer, type ReplayBody } from './event-replays.schema.js';
import {
  EXPLAINED_EVALUATIONS,
  type ExplainedEvaluations,
  EXPLANATIONS_QUERY,
  type ExplanationsQuery,
} from './explanations.schema.js';
import type { Page } from './page.js';
import { BODY_OF_LINES, NO_QUERY } from './request-pipe.js';

const AS_FILE = {
  'content-type': NDJSON,
  'content-disposition': 'attachment; filename="events.ndjson"',
};

@Controller('/api/v1/events')
@ApiTags('events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({ operationId: 'listEvents', summary: 'Find events', description: 'The newest first.' })
  @ApiOkResponse({ standardSchema: EVENT_PAGE })
  async list(@By() actor: Actor, @Query({ schema: EVENT_QUERY }) query: EventQuery): Promise<Page<Event>> {
    return await this.events.list(actor, query);
  }

  @Get('export')
  @Access('operator')
  @ApiOperation({
    operationId: 'exportEvents',
    summary: 'Take events out',
    description:
      'A stream, the oldest event first: each line is an event as `importEvents` takes it, a Feishu event its decrypted envelope. Erased events are left out. With `recorded` each line holds what is recorded of its decision too, as `aftersign backtest` reads it. It ends with the last event, or with the connection.',
  })
  @ApiProduces(NDJSON)
  @ApiOkResponse({
    description: 'One JSON text a line.',
    content: { [NDJSON]: { schema: { type: 'string' } } },
  })
  async export(
    @By() actor: Actor,
    @Query({ schema: EXPORT_QUERY }) filter: ExportQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (request.method === 'HEAD') return await reply.headers(AS_FILE).send();
    const lines = this.events.export(actor, filter);
    // What is wrong with the filter is told as an answer, not in the middle of a stream.
    const first = await lines.next();
    const stream = Readable.from(first.done === true ? [] : startingWith(first.value, lines), {
      objectMode: false,
    });
    return await reply.headers(AS_FILE).send(stream);
  }

  @Post('import')
  @HttpCode(200)
  @Access('admin')
  @ApiOperation({
    operationId: 'importEvents',
    summary: 'Bring events in',
    description:
      'Each line is the body of an event as it was sent: a Feishu envelope, a CloudEvent, or with `source` a body of that source. Up to 1 MiB. Events that are there already are not stored again.',
  })
  @ApiConsumes(NDJSON)
  @ApiOkResponse({ standardSchema: IMPORTED })
  async import(
    @By() actor: Actor,
    @Query({ schema: IMPORT_QUERY }) query: ImportQuery,
    @Body({ schema: BODY_OF_LINES }) lines: Buffer,
  ): Promise<Imported> {
    return await this.events.import(actor, query, lines);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getEvent',
    summary: 'Show an event',
    description:
      "By our id or the sender's: its facts in the words of the catalogue, its body, its verdicts and deliveries (the latest 500).",
  })
  @ApiOkResponse({ standardSchema: EVENT_DETAIL })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<EventDetail> {
    return await this.events.find(actor, id);
  }

  @Get(':id/evaluations')
  @Access('viewer')
  @ApiOperation({
    operationId: 'explainEvent',
    summary: 'Explain why each rule fired or did not',
    description:
      'Computed again from the stored event, the rule set that decided and what the evaluation recorded. One explanation at a time is computed for a user.',
  })
  @ApiOkResponse({ standardSchema: EXPLAINED_EVALUATIONS })
  async evaluations(
    @By() actor: Actor,
    @Param('id') id: string,
    @Query({ schema: EXPLANATIONS_QUERY }) query: ExplanationsQuery,
  ): Promise<ExplainedEvaluations> {
    return await this.events.evaluations(actor, id, query);
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'replayEvent',
    summary: 'Evaluate an event again',
    description:
      'With the live rules, by what was recorded of it, and through the gates of now. What was sent already is not sent again; the state of its process stays as it is, and no escalation begins.',
  })
  @ApiOkResponse({ standardSchema: REPLAY_ANSWER })
  async replay(
    @By() actor: Actor,
    @Param('id') id: string,
    @Query({ schema: NO_QUERY }) _query: object,
    @Body({ schema: REPLAY_BODY }) body: ReplayBody,
  ): Promise<ReplayAnswer> {
    return await this.events.replay(actor, id, body);
  }

  @Get(':id/case')
  @Access('operator')
  @ApiOperation({
    operationId: 'makeCase',
    summary: 'Make a rule test of what happened',
    description:
      'The events of its process until then, the recorded answers of look-ups, and what the rules said and sent, as a `*.cases.json` holds it. Personal values are replaced. It is run on the rule set that decided and on the live one. Two are made at once.',
  })
  @ApiOkResponse({ standardSchema: EVENT_CASE })
  async case(
    @Param('id') id: string,
    @Query({ schema: EVENT_CASE_QUERY }) query: EventCaseQuery,
  ): Promise<EventCaseAnswer> {
    return await this.events.case(id, query);
  }
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
