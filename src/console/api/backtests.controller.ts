import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import {
  BACKTEST,
  BACKTEST_DETAIL,
  BACKTEST_PAGE,
  BACKTEST_QUERY,
  type BacktestDetail,
  type BacktestQuery,
  type BacktestRow,
  NEW_BACKTEST,
  type NewBacktest,
} from './backtests.schema.js';
import { BacktestsService } from './backtests.service.js';
import type { Page } from './page.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1/backtests')
@ApiTags('rules')
export class BacktestsController {
  constructor(private readonly backtests: BacktestsService) {}

  @Post()
  @HttpCode(202)
  @Access('operator')
  @ApiOperation({
    operationId: 'startBacktest',
    summary: 'Back-test a rule change',
    description:
      'Stored events go through both rule sets on a virtual clock, with the recorded answers of look-ups; what differs is what the change would have added, removed or changed. Nothing is stored of it but the report, nothing is sent. It runs in the background, one at a time in a process, for up to 15 minutes.',
  })
  @ApiAcceptedResponse({ standardSchema: BACKTEST })
  async start(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: NEW_BACKTEST }) body: NewBacktest,
  ): Promise<BacktestRow> {
    return await this.backtests.start(actor, body);
  }

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listBacktests',
    summary: 'List back-tests',
    description: 'The newest first; the last 200 are kept.',
  })
  @ApiOkResponse({ standardSchema: BACKTEST_PAGE })
  async list(
    @By() actor: Actor,
    @Query({ schema: BACKTEST_QUERY }) query: BacktestQuery,
  ): Promise<Page<BacktestRow>> {
    return await this.backtests.list(actor, query);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getBacktest',
    summary: 'Show a back-test',
    description: 'How far it is, and its report when it is done.',
  })
  @ApiOkResponse({ standardSchema: BACKTEST_DETAIL })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<BacktestDetail> {
    return await this.backtests.find(actor, id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({ operationId: 'cancelBacktest', summary: 'End a back-test before its time' })
  @ApiOkResponse({ standardSchema: BACKTEST })
  async cancel(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<BacktestRow> {
    return await this.backtests.cancel(actor, id);
  }
}
