import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import type { Page } from '../api/page.js';
import { ID } from '../api/schema-parts.js';
import { By, ByCaller, type Caller } from './by.js';
import {
  MADE_TOKEN,
  type MadeToken,
  NEW_TOKEN,
  type NewToken,
  type Token,
  TOKEN_PAGE,
  TOKENS_QUERY,
  type TokensQuery,
} from './tokens.schema.js';
import { TokensService } from './tokens.service.js';

@ApiTags('tokens')
@Controller('/api/v1/tokens')
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({ operationId: 'listTokens', summary: "One's own tokens; for admins those of any user" })
  @ApiOkResponse({ standardSchema: TOKEN_PAGE })
  async list(@By() actor: Actor, @Query({ schema: TOKENS_QUERY }) query: TokensQuery): Promise<Page<Token>> {
    return await this.tokens.list(actor, query);
  }

  @Post()
  @Access('viewer')
  @ApiOperation({ operationId: 'createToken', summary: 'Make a token of one’s own; it is shown this once' })
  @ApiCreatedResponse({ standardSchema: MADE_TOKEN })
  async create(
    @ByCaller() { actor, tokenExpiresAt }: Caller,
    @Body({ schema: NEW_TOKEN }) token: NewToken,
  ): Promise<MadeToken> {
    return await this.tokens.create(actor, token, { until: tokenExpiresAt });
  }

  @Delete(':id')
  @Access('viewer')
  @HttpCode(204)
  @ApiOperation({ operationId: 'revokeToken', summary: "Revoke a token of one's own; for admins any" })
  @ApiNoContentResponse()
  async revoke(@By() actor: Actor, @Param('id', { schema: ID }) id: string): Promise<void> {
    await this.tokens.revoke(actor, id);
  }
}
