import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import type { Page } from './page.js';
import { NO_QUERY } from './request-pipe.js';
import {
  COMPARED_DELIVERY_PAGE,
  type ComparedDelivery,
  SHADOW_DELIVERY,
  SHADOW_LIST_QUERY,
  SHADOW_QUERY,
  SHADOW_RULE,
  SHADOW_RULES,
  type ShadowDelivery,
  type ShadowListQuery,
  type ShadowQuery,
  type ShadowRule,
  type ShadowRules,
} from './shadow.schema.js';
import { ShadowService } from './shadow.service.js';

@Controller('/api/v1')
@ApiTags('rules')
export class ShadowController {
  constructor(private readonly shadow: ShadowService) {}

  @Get('shadow')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listShadowRules',
    summary: 'Compare the rules in shadow mode with their live twins',
    description: 'The first 200 of the live rule set, with their counts.',
  })
  @ApiOkResponse({ standardSchema: SHADOW_RULES })
  async list(@Query({ schema: SHADOW_QUERY }) query: ShadowQuery): Promise<ShadowRules> {
    return await this.shadow.list(query);
  }

  @Get('shadow/:rule')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getShadowRule',
    summary: 'Compare a rule in shadow mode with its live twin',
    description:
      'Also one that has become a live rule, or is gone. What the live rule has sent counts as far as the rule in shadow mode was evaluated beside it.',
  })
  @ApiOkResponse({ standardSchema: SHADOW_RULE })
  async find(
    @Param('rule') rule: string,
    @Query({ schema: SHADOW_QUERY }) query: ShadowQuery,
  ): Promise<ShadowRule> {
    return await this.shadow.find(rule, query);
  }

  @Get('shadow/:rule/deliveries')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listShadowDeliveries',
    summary: 'List what a rule in shadow mode would send, beside what its twin sends',
    description: 'The newest first.',
  })
  @ApiOkResponse({ standardSchema: COMPARED_DELIVERY_PAGE })
  async deliveries(
    @By() actor: Actor,
    @Param('rule') rule: string,
    @Query({ schema: SHADOW_LIST_QUERY }) query: ShadowListQuery,
  ): Promise<Page<ComparedDelivery>> {
    return await this.shadow.deliveries(actor, rule, query);
  }

  @Get('shadow-deliveries/:id')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getShadowDelivery',
    summary: 'Show what a rule in shadow mode would have sent',
    description: 'With the delivery of its live twin, and where both differ.',
  })
  @ApiOkResponse({ standardSchema: SHADOW_DELIVERY })
  async delivery(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<ShadowDelivery> {
    return await this.shadow.delivery(actor, id);
  }
}
