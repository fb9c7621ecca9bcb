import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../../config/access.js';
import { Config } from '../../config/config.module.js';
import { WithOneTimePassword } from './access.guard.js';
import { addressOf } from './address.js';
import { ByCaller, type Caller } from './by.js';
import { Cookies } from './cookies.js';
import { LOGIN, type Login, LOGIN_WAYS, type LoginWays, SESSION, type Session } from './login.schema.js';
import { LoginService } from './login.service.js';
import { PASSWORD_CHANGE, type PasswordChange } from './password.schema.js';
import { refuseForeignOrigin } from './same-origin.js';

@ApiTags('login')
@Controller('/api/v1')
export class LoginController {
  private readonly cookies: Cookies;

  constructor(
    private readonly login: LoginService,
    private readonly config: Config,
  ) {
    this.cookies = new Cookies(config.settings.PUBLIC_URL);
  }

  @Get('login/ways')
  @Access('open')
  @ApiOperation({ operationId: 'loginWays', summary: 'How one can sign in here' })
  @ApiOkResponse({ standardSchema: LOGIN_WAYS })
  ways(): LoginWays {
    const { OIDC_ISSUER: issuer } = this.config.settings;
    return { password: true, oidc: issuer === undefined ? null : { issuer } };
  }

  @Post('login')
  @Access('open')
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Sign in; the answer sets the session cookie' })
  @ApiOkResponse({ standardSchema: SESSION })
  async signIn(
    @Body({ schema: LOGIN }) login: Login,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    refuseForeignOrigin(request, this.config.settings.PUBLIC_URL);
    const { session, secret, device } = await this.login.login(login, {
      address: addressOf(request),
      session: this.cookies.session(request),
      device: this.cookies.device(request),
    });
    this.cookies.setSession(reply, secret);
    if (device !== null) this.cookies.setDevice(reply, device);
    return session;
  }

  @Post('logout')
  @Access('viewer')
  @WithOneTimePassword()
  @HttpCode(204)
  @ApiOperation({ operationId: 'logout', summary: 'End the session' })
  @ApiNoContentResponse()
  async signOut(@ByCaller() caller: Caller, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.login.logout(caller);
    this.cookies.clearSession(reply);
  }

  @Get('session')
  @Access('viewer')
  @WithOneTimePassword()
  @ApiOperation({ operationId: 'session', summary: 'Who one is here, and the token against CSRF' })
  @ApiOkResponse({ standardSchema: SESSION })
  session(@ByCaller() { actor, session, tokenExpiresAt }: Caller): Session {
    return {
      name: actor.name,
      role: actor.role,
      means: session === null ? 'token' : 'session',
      csrf: session?.csrf ?? null,
      mustChangePassword: session?.mustChangePassword ?? false,
      expiresAt: (session?.expiresAt ?? tokenExpiresAt)?.toISOString() ?? null,
    };
  }

  @Post('password')
  @Access('viewer')
  @WithOneTimePassword()
  @HttpCode(204)
  @ApiOperation({
    operationId: 'changePassword',
    summary: "Change one's own password; all other sessions end",
  })
  @ApiNoContentResponse()
  async changePassword(
    @ByCaller() caller: Caller,
    @Body({ schema: PASSWORD_CHANGE }) change: PasswordChange,
  ): Promise<void> {
    await this.login.changePassword(caller, change);
  }
}
