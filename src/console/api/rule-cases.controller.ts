import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../../config/access.js';
import { NO_QUERY } from './request-pipe.js';
import { RuleCasesService } from './rule-cases.service.js';
import { RULE_CASES, type RuleCases } from './rule-pages.schema.js';

@Controller('/api/v1')
@ApiTags('rules')
export class RuleCasesController {
  constructor(private readonly cases: RuleCasesService) {}

  @Get('rules/:name/cases')
  @Access('viewer')
  @ApiOperation({
    operationId: 'runCasesOfRule',
    summary: 'Run the rule tests of a rule',
    description:
      'Those that are about a live rule, on a virtual clock, with what they do not see of it. The same files are run once.',
  })
  @ApiOkResponse({ standardSchema: RULE_CASES })
  async tell(@Query({ schema: NO_QUERY }) _query: object, @Param('name') name: string): Promise<RuleCases> {
    return await this.cases.tell(name);
  }
}
