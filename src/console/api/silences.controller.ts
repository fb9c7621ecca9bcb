import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { ACT_BODY, type ActBody } from './deliveries.schema.js';
import type { Page } from './page.js';
import { NO_QUERY } from './request-pipe.js';
import {
  ADDED_SILENCE,
  type AddedSilence,
  NEW_SILENCE,
  type NewSilence,
  type Silence,
  SILENCE,
  SILENCE_PAGE,
  SILENCE_QUERY,
  type SilenceQuery,
} from './silences.schema.js';
import { SilencesService } from './silences.service.js';

@Controller('/api/v1/silences')
@ApiTags('silences')
export class SilencesController {
  constructor(private readonly silences: SilencesService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listSilences',
    summary: 'Find silences',
    description: 'The newest first: those in force, those to come, and those that have ended.',
  })
  @ApiOkResponse({ standardSchema: SILENCE_PAGE })
  async list(
    @By() actor: Actor,
    @Query({ schema: SILENCE_QUERY }) query: SilenceQuery,
  ): Promise<Page<Silence>> {
    return await this.silences.list(actor, query);
  }

  @Post()
  @Access('operator')
  @ApiOperation({
    operationId: 'addSilence',
    summary: 'Silence deliveries for a time',
    description:
      'What fits is not sent while it is in force, and not later either; the ledger names the silence. What is on its way already is sent.',
  })
  @ApiCreatedResponse({ standardSchema: ADDED_SILENCE })
  async add(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: NEW_SILENCE }) silence: NewSilence,
  ): Promise<AddedSilence> {
    return await this.silences.add(actor, silence);
  }

  @Post(':id/end')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({ operationId: 'endSilence', summary: 'End a silence before its time' })
  @ApiOkResponse({ standardSchema: SILENCE })
  async end(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: ACT_BODY.nullish() }) body: ActBody | null | undefined,
  ): Promise<Silence> {
    return await this.silences.end(actor, id, body ?? {});
  }
}
