import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { OVERVIEW, type Overview } from './overview.schema.js';
import { OverviewService } from './overview.service.js';
import { NO_QUERY } from './request-pipe.js';

@ApiTags('overview')
@Controller('/api/v1/overview')
export class OverviewController {
  constructor(private readonly overview: OverviewService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'getOverview',
    summary: 'Show how things stand, at a glance',
    description:
      'The last hour by minute, what stands in each state, what needs a person and what goes out next. Counted once in some seconds, whoever asks.',
  })
  @ApiOkResponse({ standardSchema: OVERVIEW })
  async show(@Query({ schema: NO_QUERY }) _query: object, @By() actor: Actor): Promise<Overview> {
    return await this.overview.show(actor);
  }
}
