import type { DataSource } from 'typeorm';
import { USER_ROLES, type UserRole } from '../../config/config.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { Caller } from './by.js';
import { secretHash } from './secret.js';
import { findSession, USE_WRITTEN_MS } from './sessions.js';
import { TOKEN_PREFIX } from './tokens.service.js';

interface FoundToken {
  readonly id: string;
  readonly name: string;
  readonly role: UserRole;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly userId: string;
  readonly user: string;
  readonly userRole: UserRole;
  readonly disabled: boolean;
}

const CHALLENGE = { headers: { 'www-authenticate': 'Bearer' } };
const BEARER = /^Bearer +([A-Za-z0-9_-]+) *$/i;

/** Finds out who asks, anew for each request: a change of rights holds at once. */
export class Callers {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** @throws Refusal 401 LOGIN_REQUIRED, TOKEN_EXPIRED */
  async byToken(authorization: string, address: string): Promise<Caller> {
    const [, text = ''] = BEARER.exec(authorization) ?? [];
    const hash = text.startsWith(TOKEN_PREFIX) ? secretHash(text.slice(TOKEN_PREFIX.length)) : null;
    const [token] = hash === null ? [] : await this.findToken(hash);
    if (!token || token.disabled) throw loginRequired();
    const now = this.clock.now();
    if (token.revokedAt !== null || (token.expiresAt !== null && token.expiresAt.getTime() <= now))
      throw new Refusal(401, 'TOKEN_EXPIRED', 'The token has expired or was revoked.', CHALLENGE);
    if (token.lastUsedAt === null || token.lastUsedAt.getTime() <= now - USE_WRITTEN_MS)
      await this.dataSource.query(
        'update tokens set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $2)',
        [token.id, new Date(now)],
      );
    return {
      actor: {
        name: `${token.user}/${token.name}`,
        role: lesser(token.role, token.userRole),
        means: 'token',
        userId: token.userId,
        address,
      },
      session: null,
      tokenExpiresAt: token.expiresAt,
    };
  }

  /** @throws Refusal 401 SESSION_EXPIRED */
  async bySession(secret: string, address: string): Promise<Caller> {
    const found = await findSession(this.dataSource, secret, this.clock.now());
    if (found === null)
      throw new Refusal(401, 'SESSION_EXPIRED', 'The session has ended: sign in again.', CHALLENGE);
    const { name, role, userId, ...session } = found;
    return { actor: { name, role, means: 'session', userId, address }, session, tokenExpiresAt: null };
  }

  private async findToken(hash: Buffer): Promise<FoundToken[]> {
    return await this.dataSource.query<FoundToken[]>(
      `select tokens.id, tokens.name, tokens.role, tokens.expires_at as "expiresAt",
              tokens.last_used_at as "lastUsedAt", tokens.revoked_at as "revokedAt",
              users.id as "userId", users.name as user, users.role as "userRole", users.disabled
         from tokens join users on users.id = tokens.user_id
        where tokens.hash = $1`,
      [hash],
    );
  }
}

export function loginRequired(): Refusal {
  return new Refusal(
    401,
    'LOGIN_REQUIRED',
    'This needs a login: a session, or a token as Bearer.',
    CHALLENGE,
  );
}

function lesser(a: UserRole, b: UserRole): UserRole {
  return USER_ROLES.indexOf(a) < USER_ROLES.indexOf(b) ? a : b;
}
