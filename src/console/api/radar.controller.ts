import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import {
  DISMISS_BODY,
  type DismissBody,
  RADAR,
  RADAR_FINDING,
  RADAR_QUERY,
  type RadarAnswerBody,
  type RadarFindingAnswer,
  type RadarQuery,
  RECONCILE_BODY,
  type ReconcileBody,
  RECONCILED,
  type ReconciledAnswer,
  REFRESH_BODY,
  type RefreshBody,
} from './radar.schema.js';
import { RadarService } from './radar.service.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1/radar')
@ApiTags('radar')
export class RadarController {
  constructor(private readonly radar: RadarService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'findRadar',
    summary: 'What the radar has found',
    description:
      'Values that no rule reads, values that the catalogue does not know, rules that stopped or never fire, and processes of which events were lost.',
  })
  @ApiOkResponse({ standardSchema: RADAR })
  async list(@Query({ schema: RADAR_QUERY }) query: RadarQuery): Promise<RadarAnswerBody> {
    return await this.radar.list(query);
  }

  @Post('refresh')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'refreshRadar',
    summary: 'Look now',
    description: 'It looks by itself once an hour.',
  })
  @ApiOkResponse({ standardSchema: RADAR })
  async refresh(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: REFRESH_BODY.nullish() }) body: RefreshBody | null | undefined,
  ): Promise<RadarAnswerBody> {
    return await this.radar.refresh(actor, body ?? {});
  }

  @Post('reconcile')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'reconcile',
    summary: 'Ask the platform about lost events, and make up for them',
    description:
      'Each status that the platform knows and no event has told becomes an event with the source `reconcile`, which rules see like any other. When the lost one comes all the same, nothing is sent twice.',
  })
  @ApiOkResponse({ standardSchema: RECONCILED })
  async reconcile(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: RECONCILE_BODY.nullish() }) body: ReconcileBody | null | undefined,
  ): Promise<ReconciledAnswer> {
    return await this.radar.reconcile(actor, body ?? {});
  }

  @Post(':id/dismiss')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'dismissFinding',
    summary: 'Dismiss a finding',
    description: 'It stays silent for as long as it holds. When it was gone and comes back, it is told anew.',
  })
  @ApiOkResponse({ standardSchema: RADAR_FINDING })
  async dismiss(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: DISMISS_BODY }) body: DismissBody,
  ): Promise<RadarFindingAnswer> {
    return await this.radar.dismiss(actor, id, body);
  }
}
