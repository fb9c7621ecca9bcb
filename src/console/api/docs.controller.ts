import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import { DocsFiles } from './docs-files.js';

/** Nothing but this page's own files is loaded or asked. Swagger UI sets styles on its elements. */
const SECURITY = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-resource-policy': 'same-origin',
  // Looked at again each time, and not sent again while it is the same.
  'cache-control': 'no-cache',
};

/** The description of the API as a page. */
@Controller('/api/docs')
@ApiExcludeController()
export class DocsController {
  private readonly files = new DocsFiles();

  @Get()
  @Access('open')
  async page(
    @Headers() headers: Record<string, string | undefined>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.send('', headers, reply);
  }

  @Get(':asset')
  @Access('open')
  async asset(
    @Param('asset') asset: string,
    @Headers() headers: Record<string, string | undefined>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.send(asset, headers, reply);
  }

  private async send(
    name: string,
    headers: Record<string, string | undefined>,
    reply: FastifyReply,
  ): Promise<void> {
    const file = await this.files.find(name);
    if (!file) throw new Refusal(404, 'NOT_FOUND', 'There is nothing at this address.');
    const packed = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
    reply.headers({ ...SECURITY, etag: file.etag, vary: 'accept-encoding' });
    if (headers['if-none-match'] === file.etag) return await reply.code(304).send();
    if (packed) reply.header('content-encoding', 'gzip');
    return await reply.header('content-type', file.type).send(packed ? file.packed : file.bytes);
  }
}
