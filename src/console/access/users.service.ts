import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import { type Page, pageOf, type PageQuery, readCursor } from '../api/page.js';
import type { AdminPasswordFile } from './admin-password-file.js';
import type { AuditLog } from './audit-log.js';
import { oneTimePassword } from './one-time-password.js';
import type { PasswordHasher } from './password-hasher.js';
import { endSessions } from './sessions.js';
import { getUser, lockUsers, USER_COLUMNS, userOf, type UserRow } from './user-rows.js';
import type { ChangedUser, NewUser, User, UserChange } from './users.schema.js';

/** People who may come in, and as what. */
export class UsersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly hasher: PasswordHasher,
    private readonly passwordFile: AdminPasswordFile,
  ) {}

  async list(_actor: Actor, { limit, cursor }: PageQuery): Promise<Page<User>> {
    const rows = await this.dataSource.query<UserRow[]>(
      `select ${USER_COLUMNS} from users where ($1::uuid is null or id < $1) order by id desc limit $2`,
      [readCursor(cursor), limit + 1],
    );
    return pageOf(rows.map(userOf), limit);
  }

  /** @throws Refusal 409 USER_EXISTS */
  async create(actor: Actor, { name, role, password }: NewUser): Promise<ChangedUser> {
    const oneTime = password === undefined ? oneTimePassword() : null;
    const hash = await this.hasher.hash(password ?? oneTime ?? '');
    const user = await this.dataSource.transaction(async (tx) => {
      const made = await tx.query<unknown[]>(
        `insert into users (id, name, password, role, must_change_password, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing returning id`,
        [uuidv7(), name, hash, role, oneTime !== null, new Date(this.clock.now())],
      );
      if (made.length === 0) throw new Refusal(409, 'USER_EXISTS', `There is a user ${name} already.`);
      await this.audit.record(tx, actor, {
        action: 'user.create',
        subject: `user:${name}`,
        detail: { role, oneTimePassword: oneTime !== null },
      });
      return await getUser(tx, name);
    });
    return { ...userOf(user), ...(oneTime === null ? {} : { oneTimePassword: oneTime }) };
  }

  /** @throws Refusal 404 USER_UNKNOWN, 409 LAST_ADMIN, USER_OF_PROVIDER, OWN_PASSWORD */
  async change(actor: Actor, name: string, change: UserChange): Promise<ChangedUser> {
    const { role, disabled } = change;
    const oneTime = change.password === null ? oneTimePassword() : null;
    const password = change.password ?? oneTime;
    // Before the lock: others need not wait for it.
    const hash = password === null ? null : await this.hasher.hash(password);
    const user = await this.dataSource.transaction(async (tx) => {
      await lockUsers(tx);
      const before = await getUser(tx, name);
      if (before.identity !== null && (role !== undefined || hash !== null))
        throw new Refusal(
          409,
          'USER_OF_PROVIDER',
          `${name} signs in at the OpenID provider, which has the password and, by OIDC_ROLES, the role.`,
        );
      if (hash !== null && actor.userId === before.id)
        throw new Refusal(
          409,
          'OWN_PASSWORD',
          'One changes one’s own password by POST /password, with the current one.',
        );
      const after = { role: role ?? before.role, disabled: disabled ?? before.disabled };
      if (after.role !== 'admin' || after.disabled) await refuseLastAdmin(tx, before);
      await tx.query(
        `update users set role = $2, disabled = $3, password = coalesce($4, password),
                must_change_password = case when $4::text is null then must_change_password else $5 end
          where id = $1`,
        [before.id, after.role, after.disabled, hash, oneTime !== null],
      );
      if (after.disabled || hash !== null) await endSessions(tx, before.id);
      await this.audit.record(tx, actor, {
        action: 'user.change',
        subject: `user:${name}`,
        detail: {
          ...(role === undefined ? {} : { role, before: before.role }),
          ...(disabled === undefined ? {} : { disabled }),
          ...(hash === null ? {} : { password: oneTime === null ? 'set' : 'one-time' }),
        },
      });
      return await getUser(tx, name);
    });
    await this.passwordFile.removeIfUsed();
    return { ...userOf(user), ...(oneTime === null ? {} : { oneTimePassword: oneTime }) };
  }

  /** The user's tokens and sessions end too. @throws Refusal 404 USER_UNKNOWN, 409 LAST_ADMIN */
  async remove(actor: Actor, name: string): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      await lockUsers(tx);
      const user = await getUser(tx, name);
      await refuseLastAdmin(tx, user);
      await tx.query('delete from users where id = $1', [user.id]);
      await this.audit.record(tx, actor, {
        action: 'user.remove',
        subject: `user:${name}`,
        detail: { role: user.role },
      });
    });
    await this.passwordFile.removeIfUsed();
  }
}

async function refuseLastAdmin(tx: EntityManager, user: UserRow): Promise<void> {
  if (user.role !== 'admin' || user.disabled) return;
  const others = await tx.query<unknown[]>(
    `select 1 from users where role = 'admin' and not disabled and id <> $1 limit 1`,
    [user.id],
  );
  if (others.length === 0)
    throw new Refusal(
      409,
      'LAST_ADMIN',
      `${user.name} is the last admin who can sign in: make another one first.`,
    );
}
