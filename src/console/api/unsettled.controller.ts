import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import type { Page } from './page.js';
import { type Unsettled, UNSETTLED_PAGE, UNSETTLED_QUERY, type UnsettledQuery } from './unsettled.schema.js';
import { UnsettledService } from './unsettled.service.js';

@Controller('/api/v1/unsettled')
@ApiTags('state')
export class UnsettledController {
  constructor(private readonly unsettled: UnsettledService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listUnsettled',
    summary: 'Find verdicts that a missing fact left open',
    description:
      'Those that a later event may settle (`open`, the first to expire first), and those that need a person now (`expired`, the latest first).',
  })
  @ApiOkResponse({ standardSchema: UNSETTLED_PAGE })
  async list(
    @By() actor: Actor,
    @Query({ schema: UNSETTLED_QUERY }) query: UnsettledQuery,
  ): Promise<Page<Unsettled>> {
    return await this.unsettled.list(actor, query);
  }
}
