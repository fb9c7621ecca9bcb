import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, SetMetadata, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { ACCESS, mayAct, type RouteAccess } from '../../config/access.js';
import { Clock } from '../../config/clock.js';
import { Config } from '../../config/config.module.js';
import { Refusal } from '../../config/problem.js';
import { addressOf } from './address.js';
import type { Caller } from './by.js';
import { Callers, loginRequired } from './callers.js';
import { Cookies } from './cookies.js';
import { refuseForeignOrigin } from './same-origin.js';

type Handler = ReturnType<ExecutionContext['getHandler']>;

interface RouteRights {
  readonly access: RouteAccess | undefined;
  readonly withOneTimePassword: boolean;
}

const WITH_ONE_TIME_PASSWORD = 'aftersign:with-one-time-password';
/** Methods by which nothing changes. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A route that is open also to whoever has yet to change a one-time password. */
export const WithOneTimePassword = () => SetMetadata(WITH_ONE_TIME_PASSWORD, true);

/** Stands before every route, whatever the role of the process. A route that does not say who may use it is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly routes = new WeakMap<Type, WeakMap<Handler, RouteRights>>();
  private readonly callers: Callers;
  private readonly cookies: Cookies;
  private readonly publicUrl: string | undefined;

  constructor(
    private readonly reflector: Reflector,
    dataSource: DataSource,
    clock: Clock,
    { settings }: Config,
  ) {
    this.callers = new Callers(dataSource, clock);
    this.cookies = new Cookies(settings.PUBLIC_URL);
    this.publicUrl = settings.PUBLIC_URL;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rights = this.rightsOf(context);
    return rights.access === 'open' || this.admit(context, rights);
  }

  private async admit(context: ExecutionContext, rights: RouteRights): Promise<true> {
    const { access, withOneTimePassword } = rights;
    if (access === undefined || access === 'open')
      throw new Refusal(403, 'ROUTE_CLOSED', 'This route does not say who may use it: it is closed to all.');
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = await this.callerOf(request);
    if (caller.session?.mustChangePassword === true && !withOneTimePassword)
      throw new Refusal(
        403,
        'PASSWORD_CHANGE_REQUIRED',
        'Change the one-time password first: POST /password.',
      );
    if (!mayAct(caller.actor, access))
      throw new Refusal(403, 'ROLE_MISSING', `This needs the role ${access}; yours is ${caller.actor.role}.`);
    request.caller = caller;
    request.actor = caller.actor;
    return true;
  }

  /** A token that is sent along decides alone: a browser would send its cookie with it. */
  private async callerOf(request: FastifyRequest): Promise<Caller> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return await this.callers.byToken(authorization, addressOf(request));
    const secret = this.cookies.session(request);
    if (secret === null) throw loginRequired();
    refuseForeignOrigin(request, this.publicUrl);
    const caller = await this.callers.bySession(secret, addressOf(request));
    if (!SAFE.has(request.method) && !isSame(request.headers['x-csrf-token'], caller.session?.csrf))
      throw new Refusal(403, 'CSRF', 'The header x-csrf-token is missing or not that of the session.');
    return caller;
  }

  /** Looked up once: metadata of a route never change, and webhooks pass here too. */
  private rightsOf(context: ExecutionContext): RouteRights {
    const [route, handler] = [context.getClass(), context.getHandler()];
    let handlers = this.routes.get(route);
    if (!handlers) this.routes.set(route, (handlers = new WeakMap()));
    let rights = handlers.get(handler);
    if (!rights) {
      rights = {
        access: this.reflector.getAllAndOverride<RouteAccess | undefined>(ACCESS, [handler, route]),
        withOneTimePassword:
          this.reflector.getAllAndOverride<true | undefined>(WITH_ONE_TIME_PASSWORD, [handler, route]) ===
          true,
      };
      handlers.set(handler, rights);
    }
    return rights;
  }
}

function isSame(given: string | string[] | undefined, wanted: string | undefined): boolean {
  if (typeof given !== 'string' || wanted === undefined) return false;
  return timingSafeEqual(digest(given), digest(wanted));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
