import { SetMetadata } from '@nestjs/common';
import { USER_ROLES, type UserRole } from './config.js';

/** Who asks for something, and how that is known. */
export interface Actor {
  /** The user's name, with a token `<user>/<token>`; of a command on this machine `<system user>@<host>`. */
  readonly name: string;
  readonly role: UserRole;
  readonly means: 'session' | 'token' | 'command';
  /** Null: a command on this machine. */
  readonly userId: string | null;
  /** Where the request came from; null: this machine. */
  readonly address: string | null;
}

export function mayAct(actor: Actor, least: UserRole): boolean {
  return USER_ROLES.indexOf(actor.role) >= USER_ROLES.indexOf(least);
}

export const ACCESS = 'aftersign:access';

/** Who may use a route. `open`: anybody, without a login; that is for health, webhooks and signing in only. */
export type RouteAccess = UserRole | 'open';

/** Every route says who may use it; one that does not is refused to everybody. */
export const Access = (least: RouteAccess) => SetMetadata(ACCESS, least);
