import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { ACT_BODY, type ActBody } from './deliveries.schema.js';
import { type Page, PAGE_QUERY, type PageQuery } from './page.js';
import {
  NEW_REPLAY_BODY,
  type NewReplayBody,
  type Replay,
  REPLAY_DETAIL,
  REPLAY_PAGE,
  REPLAY_PREVIEW,
  REPLAY_PREVIEW_BODY,
  type ReplayDetail,
  type ReplayPreviewAnswer,
  type ReplayPreviewBody,
} from './replays.schema.js';
import { ReplaysService } from './replays.service.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1/replays')
@ApiTags('replays')
export class ReplaysController {
  constructor(private readonly replays: ReplaysService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listReplays',
    summary: 'List replays',
    description: 'The newest first, with how far each has come.',
  })
  @ApiOkResponse({ standardSchema: REPLAY_PAGE })
  async list(@Query({ schema: PAGE_QUERY }) query: PageQuery): Promise<Page<Replay>> {
    return await this.replays.list('replay', query);
  }

  @Post('preview')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'previewReplay',
    summary: 'See what a replay would do',
    description:
      'Evaluates the events with the live rules by what was recorded of them, and through the gates of now; writes nothing. With up to 10000 events it takes a while.',
  })
  @ApiOkResponse({ standardSchema: REPLAY_PREVIEW })
  async preview(
    @Query({ schema: NO_QUERY }) _query: object,
    @Body({ schema: REPLAY_PREVIEW_BODY }) body: ReplayPreviewBody,
  ): Promise<ReplayPreviewAnswer> {
    return await this.replays.preview(body);
  }

  @Post()
  @Access('operator')
  @ApiOperation({
    operationId: 'createReplay',
    summary: 'Evaluate stored events again',
    description:
      'The selection is fixed now; workers go through it with the rules that are live now. What was sent already is not sent again; states stay as they are, and no escalation begins.',
  })
  @ApiCreatedResponse({ standardSchema: REPLAY_DETAIL })
  async create(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: NEW_REPLAY_BODY }) body: NewReplayBody,
  ): Promise<ReplayDetail> {
    return await this.replays.create(actor, body);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOperation({ operationId: 'getReplay', summary: 'Show a replay, and how far it has come' })
  @ApiOkResponse({ standardSchema: REPLAY_DETAIL })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<ReplayDetail> {
    return await this.replays.get(actor, 'replay', id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'cancelReplay',
    summary: 'Stop a replay',
    description: 'What is done stays done. Ordered anew it goes on: nothing is sent twice.',
  })
  @ApiOkResponse({ standardSchema: REPLAY_DETAIL })
  async cancel(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: ACT_BODY.nullish() }) body: ActBody | null | undefined,
  ): Promise<ReplayDetail> {
    return await this.replays.cancel(actor, 'replay', id, body ?? {});
  }
}
