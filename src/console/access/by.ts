import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../../config/access.js';

/** Who asks, as the guard found out. */
export interface Caller {
  readonly actor: Actor;
  /** With a token: null. */
  readonly session: CallerSession | null;
  /** The end of the token with which one came; null: there is none. */
  readonly tokenExpiresAt: Date | null;
}

export interface CallerSession {
  /** What the row is found by. */
  readonly hash: Buffer;
  readonly csrf: string;
  readonly expiresAt: Date;
  /** Signed in with a one-time password: nothing else is open until it was changed. */
  readonly mustChangePassword: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Not on open routes: nobody is asked there. */
    caller?: Caller;
    /** That of the caller. */
    actor?: Actor;
  }
}

/** The parameter of a controller that is told who asks. */
export const By = createParamDecorator(
  (_: unknown, context: ExecutionContext): Actor => callerOf(context).actor,
);

/** As `By`, with the session. */
export const ByCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller =>
  callerOf(context),
);

function callerOf(context: ExecutionContext): Caller {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === undefined) throw new Error('An open route asks who the caller is.');
  return caller;
}
