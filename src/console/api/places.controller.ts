import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { CATALOGUE, type CatalogueAnswer } from './catalogue.schema.js';
import { CatalogueService } from './catalogue.service.js';
import { DRILL_ANSWER, DRILL_BODY, type DrillAnswer, type DrillBody } from './drills.schema.js';
import { DrillsService } from './drills.service.js';
import { NO_QUERY } from './request-pipe.js';
import { SOURCES, type Sources } from './sources.schema.js';
import { SourcesService } from './sources.service.js';
import { TARGETS, type Targets } from './targets.schema.js';
import { TargetsService } from './targets.service.js';

/** Where events come from, what they are, and where deliveries go. */
@Controller('/api/v1')
export class PlacesController {
  constructor(
    private readonly targets: TargetsService,
    private readonly drills: DrillsService,
    private readonly sources: SourcesService,
    private readonly catalogue: CatalogueService,
  ) {}

  @Get('targets')
  @Access('viewer')
  @ApiTags('deliveries')
  @ApiOperation({
    operationId: 'listTargets',
    summary: 'List the places that deliveries go to',
    description: 'Up to 1000; those where something stands still come first.',
  })
  @ApiOkResponse({ standardSchema: TARGETS })
  async listTargets(@Query({ schema: NO_QUERY }) _query: object, @By() actor: Actor): Promise<Targets> {
    return await this.targets.list(actor);
  }

  @Post('targets/test')
  @HttpCode(200)
  @Access('operator')
  @ApiTags('deliveries')
  @ApiOperation({
    operationId: 'testTargets',
    summary: 'Try the places that deliveries go to',
    description:
      'Name, connection, TLS, login, and a marked real send of what the live rule set makes of a sample event. One request at a time.',
  })
  @ApiOkResponse({ standardSchema: DRILL_ANSWER })
  async testTargets(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: DRILL_BODY }) body: DrillBody,
  ): Promise<DrillAnswer> {
    return await this.drills.test(actor, body);
  }

  @Get('sources')
  @Access('viewer')
  @ApiTags('events')
  @ApiOperation({
    operationId: 'listSources',
    summary: 'List where events come from',
    description: 'The Feishu apps and other systems of the settings, and how each does. Never a secret.',
  })
  @ApiOkResponse({ standardSchema: SOURCES })
  async listSources(@Query({ schema: NO_QUERY }) _query: object, @By() actor: Actor): Promise<Sources> {
    return await this.sources.list(actor);
  }

  @Get('catalogue')
  @Access('viewer')
  @ApiTags('events')
  @ApiOperation({
    operationId: 'getCatalogue',
    summary: 'Show the known event types',
    description: 'Their fields, the labels of their values, and whose ids they are.',
  })
  @ApiOkResponse({ standardSchema: CATALOGUE })
  async getCatalogue(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
  ): Promise<CatalogueAnswer> {
    return await this.catalogue.list(actor);
  }
}
