import { randomBytes } from 'node:crypto';
import { Controller, Get, Headers, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import { ConsoleFiles } from './console-files.js';

/**
 * Nothing but the console's own files is loaded or asked, and nothing in a page is run: styles that its libraries add
 * carry the nonce of the page.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const SECURITY = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const A_YEAR_S = 365 * 24 * 3600;

/** The web console: its files, and the one page for every address in it. Open: what it shows it asks the API for. */
@Controller()
@ApiExcludeController()
export class ConsoleController {
  private readonly files = new ConsoleFiles();

  @Get('/')
  @Access('open')
  async root(@Res() reply: FastifyReply): Promise<void> {
    await reply.headers(SECURITY).redirect('console/', 302);
  }

  @Get('/console')
  @Access('open')
  async withoutSlash(@Res() reply: FastifyReply): Promise<void> {
    await reply.headers(SECURITY).redirect('console/', 302);
  }

  @Get('/console/*')
  @Access('open')
  async find(
    @Param('*') path: string | readonly string[],
    @Headers() headers: Record<string, string | undefined>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const name = typeof path === 'string' ? path : path.join('/');
    const file = await this.files.find(name);
    if (!file) {
      if (name.startsWith('assets/'))
        throw new Refusal(404, 'NOT_FOUND', 'There is nothing at this address.');
      await this.sendPage(request, reply);
      return;
    }
    reply.headers({
      ...SECURITY,
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': file.immutable ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
      etag: file.etag,
      vary: 'accept-encoding',
    });
    if (headers['if-none-match'] === file.etag) return await reply.code(304).send();
    const packed = /\bgzip\b/.test(headers['accept-encoding'] ?? '') ? file.packed : null;
    if (packed) reply.header('content-encoding', 'gzip');
    return await reply.header('content-type', file.type).send(packed ?? file.bytes);
  }

  private async sendPage({ url }: FastifyRequest, reply: FastifyReply): Promise<void> {
    const page = await this.files.page();
    if (page === null)
      throw new Refusal(503, 'CONSOLE_NOT_BUILT', 'The console is not built: run npm run build.');
    const nonce = randomBytes(16).toString('base64');
    await reply
      .headers({ ...SECURITY, 'content-security-policy': policy(nonce), 'cache-control': 'no-store' })
      .header('content-type', 'text/html; charset=utf-8')
      .send(page.replaceAll('__NONCE__', nonce).replaceAll('__BASE__', baseOf(url)));
  }
}

/** The way from an address to the console's root, so that a proxy may put it below any path: `../` of `/console/events/1`. */
function baseOf(url: string): string {
  const [path = ''] = url.split('?');
  const depth = path.split('/').length - '/console/'.split('/').length;
  return depth > 0 ? '../'.repeat(depth) : './';
}
