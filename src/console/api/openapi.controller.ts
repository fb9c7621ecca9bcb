import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../../config/access.js';
import { OpenApi } from './openapi.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1')
@ApiTags('description')
export class OpenApiController {
  constructor(private readonly openApi: OpenApi) {}

  @Get('openapi.json')
  @Access('open')
  @ApiOperation({
    operationId: 'getOpenApi',
    summary: 'This description',
    description: 'OpenAPI 3.1. To be read at /api/docs.',
  })
  @ApiOkResponse({
    description: 'The document.',
    content: { 'application/json': { schema: { type: 'object' } } },
  })
  async document(@Query({ schema: NO_QUERY }) _query: object, @Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', 'application/json; charset=utf-8').send(this.openApi.text());
  }
}
