import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { type Actor, mayAct } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import type { UserRole } from '../../config/config.js';
import { Refusal } from '../../config/problem.js';
import { isUuid, type Page, pageOf, readCursor } from '../api/page.js';
import type { AuditLog } from './audit-log.js';
import { newSecret } from './secret.js';
import type { MadeToken, NewToken, Token, TokensQuery } from './tokens.schema.js';
import { getUser } from './user-rows.js';

export const TOKEN_PREFIX = 'ast_';
const DAY_MS = 24 * 3_600_000;

interface TokenRow {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly role: UserRole;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

const COLUMNS = `tokens.id, users.name as user, tokens.name, tokens.role, tokens.created_at as "createdAt",
  tokens.expires_at as "expiresAt", tokens.last_used_at as "lastUsedAt", tokens.revoked_at as "revokedAt"`;

/** Tokens with which programs come in on behalf of a user. */
export class TokensService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  /** One's own, or those of `user`; a command that names nobody sees all. @throws Refusal 403 ROLE_MISSING */
  async list(actor: Actor, { user, limit, cursor }: TokensQuery): Promise<Page<Token>> {
    if (user !== undefined && !mayAct(actor, 'admin') && user !== userNameIn(actor))
      throw new Refusal(403, 'ROLE_MISSING', 'Tokens of others are for admins to see.');
    const rows = await this.dataSource.query<TokenRow[]>(
      `select ${COLUMNS} from tokens join users on users.id = tokens.user_id
        where ($1::text is null or users.name = $1) and ($2::uuid is null or tokens.user_id = $2)
          and ($3::uuid is null or tokens.id < $3)
        order by tokens.id desc limit $4`,
      [user ?? null, user === undefined ? actor.userId : null, readCursor(cursor), limit + 1],
    );
    return pageOf(rows.map(tokenOf), limit);
  }

  /**
   * A token of the one who asks; only a command makes one for another, whom `user` names. One that is made with a
   * token is never more than that token: neither in its role nor in its time, `until`.
   *
   * @throws Refusal 403 ROLE_MISSING, 404 USER_UNKNOWN, 400 USER_MISSING
   */
  async create(
    actor: Actor,
    { name, role, expiresInDays }: NewToken,
    { user, until }: { readonly user?: string | undefined; readonly until?: Date | null } = {},
  ): Promise<MadeToken> {
    const owner = actor.means === 'command' ? user : userNameIn(actor);
    if (owner === undefined) throw new Refusal(400, 'USER_MISSING', 'Say whose token it is to be.');
    const secret = newSecret();
    const now = this.clock.now();
    const token = await this.dataSource.transaction(async (tx) => {
      const { id: userId, role: most } = await getUser(tx, owner);
      const limit = actor.means === 'command' ? most : actor.role;
      const wanted = role ?? limit;
      if (!mayAct({ ...actor, role: limit }, wanted))
        throw new Refusal(
          403,
          'ROLE_MISSING',
          `The token cannot have the role ${wanted}: ${limit} is all there is.`,
        );
      const id = uuidv7();
      await tx.query(
        `insert into tokens (id, user_id, name, hash, role, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, least($7::timestamptz, $8::timestamptz))`,
        [
          id,
          userId,
          name,
          secret.hash,
          wanted,
          new Date(now),
          new Date(now + expiresInDays * DAY_MS),
          until ?? null,
        ],
      );
      await this.audit.record(tx, actor, {
        action: 'token.create',
        subject: `token:${id}`,
        detail: { user: owner, name, role: wanted, expiresInDays },
      });
      const rows = await tx.query<TokenRow[]>(
        `select ${COLUMNS} from tokens join users on users.id = tokens.user_id where tokens.id = $1`,
        [id],
      );
      return rows.map(tokenOf)[0];
    });
    if (!token) throw new Error('The token that was just made is gone.');
    return { ...token, token: TOKEN_PREFIX + secret.text };
  }

  /** From now on it opens nothing. @throws Refusal 404 TOKEN_UNKNOWN, also for those of others */
  async revoke(actor: Actor, id: string): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      const rows = isUuid(id)
        ? await tx.query<TokenRow[]>(
            `select ${COLUMNS} from tokens join users on users.id = tokens.user_id
              where tokens.id = $1 and ($2::uuid is null or tokens.user_id = $2) for update of tokens`,
            [id, mayAct(actor, 'admin') ? null : actor.userId],
          )
        : [];
      const [token] = rows;
      if (!token) throw new Refusal(404, 'TOKEN_UNKNOWN', `There is no token ${id}.`);
      if (token.revokedAt !== null) return;
      await tx.query('update tokens set revoked_at = $2 where id = $1', [id, new Date(this.clock.now())]);
      await this.audit.record(tx, actor, {
        action: 'token.revoke',
        subject: `token:${id}`,
        detail: { user: token.user, name: token.name },
      });
    });
  }
}

function tokenOf({ createdAt, expiresAt, lastUsedAt, revokedAt, ...shown }: TokenRow): Token {
  return {
    ...shown,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}

/** The user behind a session or a token; user names hold no slash. */
function userNameIn({ name }: Actor): string {
  return name.split('/')[0] ?? name;
}
