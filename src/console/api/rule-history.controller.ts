import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { RuleHistoryService } from './rule-history.service.js';
import { HISTORY_QUERY, type HistoryQuery, RULE_HISTORY, type RuleHistory } from './rule-pages.schema.js';

@Controller('/api/v1')
@ApiTags('rules')
export class RuleHistoryController {
  constructor(private readonly history: RuleHistoryService) {}

  @Get('rules/:name/history')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getHistoryOfRule',
    summary: 'Show how a rule stands to the last events',
    description:
      'The live rule judges the last events that it listens to by what was recorded of them: how often it matched, what kept it from matching when nothing else did, and its deliveries by day. Kept for some seconds.',
  })
  @ApiOkResponse({ standardSchema: RULE_HISTORY })
  async tell(
    @By() actor: Actor,
    @Param('name') name: string,
    @Query({ schema: HISTORY_QUERY }) query: HistoryQuery,
  ): Promise<RuleHistory> {
    return await this.history.tell(actor, name, query);
  }
}
