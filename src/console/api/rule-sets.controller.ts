import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { ACT_BODY, type ActBody } from './deliveries.schema.js';
import type { Page } from './page.js';
import { NO_QUERY } from './request-pipe.js';
import {
  type Activated,
  ACTIVATED,
  type Findings,
  FINDINGS,
  RULE,
  RULE_SET,
  RULE_SET_ACTIVATION_PAGE,
  RULE_SET_QUERY,
  type RuleAnswer,
  type Rules,
  RULES,
  type RuleSetActivation,
  type RuleSetAnswer,
  type RuleSetQuery,
  SAID_RULES,
  type SaidRules,
} from './rule-sets.schema.js';
import { RuleSetsService } from './rule-sets.service.js';

const OPTIONAL_BODY = ACT_BODY.nullish();

@Controller('/api/v1')
@ApiTags('rules')
export class RuleSetsController {
  constructor(private readonly ruleSets: RuleSetsService) {}

  @Get('rule-sets')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listRuleSets',
    summary: 'List the rule sets that were live',
    description: 'Each time that one was made live, the latest first.',
  })
  @ApiOkResponse({ standardSchema: RULE_SET_ACTIVATION_PAGE })
  async list(
    @By() actor: Actor,
    @Query({ schema: RULE_SET_QUERY }) query: RuleSetQuery,
  ): Promise<Page<RuleSetActivation>> {
    return await this.ruleSets.list(actor, query);
  }

  @Get('rule-sets/:hash')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getRuleSet',
    summary: 'Show a rule set',
    description: '`hash`: `live`, or at least the first 6 digits.',
  })
  @ApiOkResponse({ standardSchema: RULE_SET })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('hash') hash: string,
  ): Promise<RuleSetAnswer> {
    return await this.ruleSets.find(actor, hash);
  }

  @Get('rule-sets/:hash/rules')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listRulesOfRuleSet',
    summary: 'Say what a rule set does, rule by rule',
    description:
      '`hash`: `live`, or at least the first 6 digits. Each rule with its document and as a sentence.',
  })
  @ApiOkResponse({ standardSchema: SAID_RULES })
  async said(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('hash') hash: string,
  ): Promise<SaidRules> {
    return await this.ruleSets.said(actor, hash);
  }

  @Post('rule-sets/:hash/activate')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'activateRuleSet',
    summary: 'Make a stored rule set live',
    description: 'All instances decide by it from their next event on.',
  })
  @ApiOkResponse({ standardSchema: ACTIVATED })
  async activate(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('hash') hash: string,
    @Body({ schema: OPTIONAL_BODY }) body: ActBody | null | undefined,
  ): Promise<Activated> {
    return await this.ruleSets.activate(actor, hash, body ?? {});
  }

  @Get('rules')
  @Access('viewer')
  @ApiOperation({ operationId: 'listRules', summary: 'List the rules that are live' })
  @ApiOkResponse({ standardSchema: RULES })
  async rules(@Query({ schema: NO_QUERY }) _query: object, @By() actor: Actor): Promise<Rules> {
    return await this.ruleSets.rules(actor);
  }

  @Get('rules/:name')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getRule',
    summary: 'Show a rule that is live',
    description: 'As it is written, and line by line in the words of the catalogue.',
  })
  @ApiOkResponse({ standardSchema: RULE })
  async rule(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('name') name: string,
  ): Promise<RuleAnswer> {
    return await this.ruleSets.rule(actor, name);
  }

  @Get('findings')
  @Access('viewer')
  @ApiOperation({
    operationId: 'listFindings',
    summary: 'List what is wrong with the rule files',
    description: 'As the process that answers saw them last.',
  })
  @ApiOkResponse({ standardSchema: FINDINGS })
  async findings(@Query({ schema: NO_QUERY }) _query: object, @By() actor: Actor): Promise<Findings> {
    return await this.ruleSets.findings(actor);
  }
}
