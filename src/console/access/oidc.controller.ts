import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../../config/access.js';
import { Config } from '../../config/config.module.js';
import { Log, messageOf } from '../../config/log.js';
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

const BACK = 'A browser whose sign-in failed: to the console, with the code as `problem`.';

/** As browsers ask for what they show; programs are answered with the problem itself. */
function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') === true;
}

@ApiTags('login')
@Controller('/api/v1/login/oidc')
export class OidcController {
  private readonly cookies: Cookies;
  /** The path of the console. */
  private readonly console: string;

  constructor(
    private readonly door: OidcDoor,
    { settings }: Config,
    private readonly log: Log,
  ) {
    this.cookies = new Cookies(settings.PUBLIC_URL);
    // The path of a URL holds no quotes and no brackets: those are written as %22, %3C and %3E.
    const path = settings.PUBLIC_URL === undefined ? '/' : new URL(settings.PUBLIC_URL).pathname;
    this.console = `${path.replace(/\/+$/, '')}/console/`;
  }

  @Get()
  @Access('open')
  @ApiOperation({ operationId: 'beginOidcLogin', summary: 'Sign in at the OpenID provider' })
  @ApiResponse({ status: 302, description: 'To the provider.' })
  @ApiResponse({ status: 303, description: BACK })
  async begin(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.orBack(request, reply, async () => {
      const { url, flow } = await this.service().begin();
      this.cookies.setFlow(reply, flow, FLOW_SECONDS);
      await reply.redirect(url, 302);
    });
  }

  @Get('callback')
  @Access('open')
  @ApiOperation({
    operationId: 'finishOidcLogin',
    summary: 'Where the OpenID provider sends the browser back to',
  })
  @ApiOkResponse({ description: 'A page that goes on to the console.', content: { 'text/html': {} } })
  @ApiResponse({ status: 303, description: BACK })
  async finish(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.orBack(request, reply, async () => {
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
      await reply.type('text/html; charset=utf-8').send(SIGNED_IN(this.console));
    });
  }

  /** A person is sent to where one signs in, which says what is wrong by our code: nothing that the provider says. */
  private async orBack(
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (reply.sent || !wantsPage(request)) throw error;
      const code = error instanceof Refusal ? error.code : 'INTERNAL';
      const fields = { event: 'login.oidc-failed', code, ip: request.raw.socket.remoteAddress };
      if (error instanceof Refusal) this.log.warn(fields, error.detail);
      else this.log.error(fields, messageOf(error));
      await reply.redirect(`${this.console}?problem=${code}`, 303);
    }
  }

  private service(): OidcLoginService {
    if (this.door.service === null)
      throw new Refusal(404, 'OIDC_NOT_CONFIGURED', 'No OpenID provider is set: OIDC_ISSUER names one.');
    return this.door.service;
  }
}
