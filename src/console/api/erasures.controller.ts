import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import {
  ERASURE_ANSWER,
  ERASURE_DAYS,
  ERASURE_REQUEST,
  type ErasureBody,
  type ErasureDays,
  type ErasureResult,
} from './erasures.schema.js';
import { ErasuresService } from './erasures.service.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1/erasures')
@ApiTags('erasures')
export class ErasuresController {
  constructor(private readonly erasures: ErasuresService) {}

  @Get('days')
  @Access('admin')
  @ApiOperation({ operationId: 'getErasureDays', summary: 'Tell of which days events are stored' })
  @ApiOkResponse({ standardSchema: ERASURE_DAYS })
  async days(@Query({ schema: NO_QUERY }) _query: object, @By() actor: Actor): Promise<ErasureDays> {
    return await this.erasures.days(actor);
  }

  @Post()
  @HttpCode(200)
  @Access('admin')
  @ApiOperation({
    operationId: 'erase',
    summary: "Erase a person's data of one day",
    description:
      'What holds one of the values is emptied: events, look-up answers, requests, answers. Keys, times and verdicts stay. It cannot be undone; `dryRun` only counts.',
  })
  @ApiOkResponse({ standardSchema: ERASURE_ANSWER })
  async erase(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: ERASURE_REQUEST }) body: ErasureBody,
  ): Promise<ErasureResult> {
    return await this.erasures.erase(actor, body);
  }
}
