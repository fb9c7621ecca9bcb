import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../../config/access.js';
import { NO_QUERY } from './request-pipe.js';
import { RULE_VERSIONS, type RuleVersions } from './rule-pages.schema.js';
import { RuleVersionsService } from './rule-versions.service.js';

@Controller('/api/v1')
@ApiTags('rules')
export class RuleVersionsController {
  constructor(private readonly versions: RuleVersionsService) {}

  @Get('rules/:name/versions')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listVersionsOfRule',
    summary: 'Show how a rule came to be what it is',
    description:
      'Of the last 200 rule sets that were made live, each that changed the rule, also one that is gone: the latest first, as a sentence and with what differs from the one before.',
  })
  @ApiOkResponse({ standardSchema: RULE_VERSIONS })
  async list(
    @Query({ schema: NO_QUERY }) _query: object,
    @Param('name') name: string,
  ): Promise<RuleVersions> {
    return await this.versions.list(name);
  }
}
