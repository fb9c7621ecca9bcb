import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../../config/access.js';
import { Config } from '../../config/config.module.js';
import { Refusal } from '../../config/problem.js';
import { addressOf } from './address.js';
import { Cookies } from './cookies.js';
import { FLOW_SECONDS, type OidcLoginService } from './oidc-login.service.js';
import type { OidcProvider } from './oidc-provider.js';

/** The sign-in at the OpenID provider; null where the settings name none. */
export class OidcDoor {
  constructor(
    readonly service: OidcLoginService | null,
    readonly provider: OidcProvider | null,
  ) {}
}

/** A page that goes on by itself: with a redirect from elsewhere the browser would leave the strict cookie behind. */
const SIGNED_IN = (path: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Aftersign</title>
<meta http-equiv="refresh" content="0;url=${path}"></head>
<body><p>已登录 · Signed in. <a href="${path}">继续 · Go on</a></p></body></html>
`;

@ApiTags('login')
@Controller('/api/v1/login/oidc')
export class OidcController {
  private readonly cookies: Cookies;
  private readonly page: string;

  constructor(
    private readonly door: OidcDoor,
    { settings }: Config,
  ) {
    this.cookies = new Cookies(settings.PUBLIC_URL);
    // The path of a URL holds no quotes and no brackets: those are written as %22, %3C and %3E.
    this.page = SIGNED_IN(settings.PUBLIC_URL === undefined ? '/' : new URL(settings.PUBLIC_URL).pathname);
  }

  @Get()
  @Access('open')
  @ApiOperation({ operationId: 'beginOidcLogin', summary: 'Sign in at the OpenID provider' })
  @ApiResponse({ status: 302, description: 'To the provider.' })
  async begin(@Res() reply: FastifyReply): Promise<void> {
    const { url, flow } = await this.service().begin();
    this.cookies.setFlow(reply, flow, FLOW_SECONDS);
    await reply.redirect(url, 302);
  }

  @Get('callback')
  @Access('open')
  @ApiOperation({
    operationId: 'finishOidcLogin',
    summary: 'Where the OpenID provider sends the browser back to',
  })
  @ApiOkResponse({ description: 'A page that goes on to the console.', content: { 'text/html': {} } })
  async finish(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const service = this.service();
    const flow = this.cookies.flow(request);
    if (flow !== null) this.cookies.clearFlow(reply);
    const secret = await service.finish({
      query: request.url.split('?')[1] ?? '',
      address: addressOf(request),
      flow,
      session: this.cookies.session(request),
    });
    this.cookies.setSession(reply, secret);
    await reply.type('text/html; charset=utf-8').send(this.page);
  }

  private service(): OidcLoginService {
    if (this.door.service === null)
      throw new Refusal(404, 'OIDC_NOT_CONFIGURED', 'No OpenID provider is set: OIDC_ISSUER names one.');
    return this.door.service;
  }
}
