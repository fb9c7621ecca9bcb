import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { ACT_BODY, type ActBody } from './deliveries.schema.js';
import { type Page, PAGE_QUERY, type PageQuery } from './page.js';
import {
  NEW_RECALL_BODY,
  type NewRecallBody,
  RECALL_PREVIEW,
  RECALL_PREVIEW_BODY,
  RECALL_SELECTION_QUERY,
  RECALLED_DELIVERY_PAGE,
  RECALLED_QUERY,
  type RecalledDelivery,
  type RecalledQuery,
  type RecallPreviewAnswer,
  type RecallPreviewBody,
  type RecallSelectionQuery,
} from './recalls.schema.js';
import { RecallsService } from './recalls.service.js';
import { type Replay, REPLAY_DETAIL, REPLAY_PAGE, type ReplayDetail } from './replays.schema.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1/recalls')
@ApiTags('recalls')
export class RecallsController {
  constructor(private readonly recalls: RecallsService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listRecalls',
    summary: 'List recalls',
    description: 'The newest first, with how far each has come.',
  })
  @ApiOkResponse({ standardSchema: REPLAY_PAGE })
  async list(@Query({ schema: PAGE_QUERY }) query: PageQuery): Promise<Page<Replay>> {
    return await this.recalls.list(query);
  }

  @Get('selection/:rule')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listRecallSelection',
    summary: 'List what a recall would be about',
    description: 'The deliveries of a rule, by when they were made and by which rule set; the newest first.',
  })
  @ApiOkResponse({ standardSchema: RECALLED_DELIVERY_PAGE })
  async selection(
    @By() actor: Actor,
    @Param('rule') rule: string,
    @Query({ schema: RECALL_SELECTION_QUERY }) query: RecallSelectionQuery,
  ): Promise<Page<RecalledDelivery>> {
    return await this.recalls.selection(actor, rule, query);
  }

  @Post('preview')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'previewRecall',
    summary: 'See what a recall would do',
    description: 'What would be cancelled, kept, undone and sent. Writes nothing.',
  })
  @ApiOkResponse({ standardSchema: RECALL_PREVIEW })
  async preview(
    @Query({ schema: NO_QUERY }) _query: object,
    @Body({ schema: RECALL_PREVIEW_BODY }) body: RecallPreviewBody,
  ): Promise<RecallPreviewAnswer> {
    return await this.recalls.preview(body);
  }

  @Post()
  @Access('operator')
  @ApiOperation({
    operationId: 'createRecall',
    summary: 'Take back what a rule sent',
    description:
      'What is not sent yet is cancelled; of what was, the declared `undo` is sent; then what the live rule of that name asks for, by what was recorded. What it asks for alike is kept.',
  })
  @ApiCreatedResponse({ standardSchema: REPLAY_DETAIL })
  async create(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: NEW_RECALL_BODY }) body: NewRecallBody,
  ): Promise<ReplayDetail> {
    return await this.recalls.create(actor, body);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOperation({ operationId: 'getRecall', summary: 'Show a recall, and how far it has come' })
  @ApiOkResponse({ standardSchema: REPLAY_DETAIL })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<ReplayDetail> {
    return await this.recalls.find(actor, id);
  }

  @Get(':id/deliveries')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listRecalledDeliveries',
    summary: 'List the deliveries of a recall, and what became of each',
  })
  @ApiOkResponse({ standardSchema: RECALLED_DELIVERY_PAGE })
  async deliveries(
    @By() actor: Actor,
    @Param('id') id: string,
    @Query({ schema: RECALLED_QUERY }) query: RecalledQuery,
  ): Promise<Page<RecalledDelivery>> {
    return await this.recalls.deliveries(actor, id, query);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'cancelRecall',
    summary: 'Stop a recall',
    description: 'What is done stays done. Ordered anew it goes on: nothing is done twice.',
  })
  @ApiOkResponse({ standardSchema: REPLAY_DETAIL })
  async cancel(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: ACT_BODY.nullish() }) body: ActBody | null | undefined,
  ): Promise<ReplayDetail> {
    return await this.recalls.cancel(actor, id, body ?? {});
  }
}
