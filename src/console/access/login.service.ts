import type { DataSource, EntityManager } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { AdminPasswordFile } from './admin-password-file.js';
import type { AuditLog } from './audit-log.js';
import type { Caller } from './by.js';
import { knownDevice, newDevice } from './known-device.js';
import type { Login, Session } from './login.schema.js';
import type { Charge, LoginThrottle } from './login-throttle.js';
import type { PasswordHasher } from './password-hasher.js';
import { normalPassword, type PasswordChange } from './password.schema.js';
import { endSession, endSessions, startSession } from './sessions.js';
import { userNameOf } from './user-name.js';
import { USER_COLUMNS, type UserRow } from './user-rows.js';

/** Of a name that somebody typed, so much is kept. */
const NAME_KEPT = 64;

/** The browser that somebody signs in with. */
export interface LoginPlace {
  readonly address: string;
  /** The cookies it sent. */
  readonly session: string | null;
  readonly device: string | undefined;
}

export interface SignedIn {
  readonly session: Session;
  /** For the cookie. */
  readonly secret: string;
  /** For the cookie; null: it has a good one. */
  readonly device: string | null;
}

interface LoginParts {
  readonly dataSource: DataSource;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly hasher: PasswordHasher;
  readonly throttle: LoginThrottle;
  readonly passwordFile: AdminPasswordFile;
}

/** Signing in with a name and a password, and out. */
export class LoginService {
  constructor(private readonly parts: LoginParts) {}

  /** @throws Refusal 401 LOGIN_FAILED, 429 LOGIN_BLOCKED, 503 LOGIN_BUSY */
  async login({ name: typed, password }: Login, place: LoginPlace): Promise<SignedIn> {
    const { throttle } = this.parts;
    const name = userNameOf(typed);
    const user = name === null ? null : await this.find(name);
    const stored = user?.password ?? null;
    const device =
      user && stored !== null ? knownDevice(place.device, { name: user.name, password: stored }) : null;
    const charges = await throttle.begin({ name: name ?? '?', address: place.address, device });
    const fits = await this.fits(password, stored, charges);
    const signedIn =
      fits && user && stored !== null ? await this.begin({ ...user, password: stored }, place) : null;
    if (signedIn === null) {
      await this.recordFailure(typed, place.address);
      throw new Refusal(401, 'LOGIN_FAILED', 'The name or the password is wrong.', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    await throttle.giveBack(charges);
    return device === null ? signedIn : { ...signedIn, device: null };
  }

  /** A token is no sign-in: with one, nothing ends. */
  async logout({ actor, session }: Caller): Promise<void> {
    if (session === null) return;
    await this.parts.dataSource.transaction(async (tx) => {
      await endSession(tx, session.hash);
      await this.parts.audit.record(tx, actor, { action: 'logout', subject: `user:${actor.name}` });
    });
  }

  /**
   * All other sessions of the user end.
   *
   * @throws Refusal 403 PASSWORD_WRONG, 409 USER_OF_PROVIDER, 400 REQUEST_INVALID, 429 LOGIN_BLOCKED
   */
  async changePassword({ actor, session }: Caller, { current, next }: PasswordChange): Promise<void> {
    const { dataSource, hasher, throttle, audit } = this.parts;
    const [user] = await dataSource.query<UserRow[]>(`select ${USER_COLUMNS} from users where id = $1`, [
      actor.userId,
    ]);
    if (!user || user.password === null)
      throw new Refusal(
        409,
        'USER_OF_PROVIDER',
        'You sign in at the OpenID provider: the password is changed there.',
      );
    const { id, name, password: stored } = user;
    const charges = await throttle.beginPassword(id);
    if (!(await this.fits(current, stored, charges)))
      throw new Refusal(403, 'PASSWORD_WRONG', 'The current password is another.');
    await throttle.giveBack(charges);
    if (normalPassword(next) === normalPassword(current))
      throw new Refusal(400, 'REQUEST_INVALID', 'The new password is the current one.', {
        errors: [{ path: 'next', message: 'is the current one' }],
      });
    const hash = await hasher.hash(next);
    await dataSource.transaction(async (tx) => {
      const changed = await affected(
        tx,
        'update users set password = $3, must_change_password = false where id = $1 and password = $2',
        [id, stored, hash],
      );
      if (!changed) throw new Refusal(403, 'PASSWORD_WRONG', 'The current password was changed meanwhile.');
      await endSessions(tx, id, session?.hash ?? null);
      await audit.record(tx, actor, { action: 'password.change', subject: `user:${name}` });
    });
    await this.parts.passwordFile.removeIfUsed();
  }

  /** Whoever was not heard because many are signing in has not guessed. */
  private async fits(password: string, stored: string | null, charges: readonly Charge[]): Promise<boolean> {
    try {
      return await this.parts.hasher.fits(password, stored);
    } catch (error) {
      await this.parts.throttle.giveBack(charges);
      throw error;
    }
  }

  private async find(name: string): Promise<UserRow | null> {
    const rows = await this.parts.dataSource.query<UserRow[]>(
      `select ${USER_COLUMNS} from users where name = $1`,
      [name],
    );
    return rows[0] ?? null;
  }

  /** Null: the user is disabled, or has another password by now. */
  private async begin(
    user: UserRow & { readonly password: string },
    { address, session: before }: LoginPlace,
  ): Promise<SignedIn | null> {
    const { dataSource, clock, audit } = this.parts;
    const now = clock.now();
    return await dataSource.transaction(async (tx) => {
      const isGood = await affected(
        tx,
        'update users set last_login_at = $3 where id = $1 and password = $2 and not disabled',
        [user.id, user.password, new Date(now)],
      );
      if (!isGood) return null;
      const { id: userId, name, role, mustChangePassword } = user;
      const started = await startSession(tx, { userId, now, before });
      const actor: Actor = { name, role, means: 'session', userId, address };
      await audit.record(tx, actor, {
        action: 'login.ok',
        subject: `user:${name}`,
        detail: { way: 'password' },
      });
      return {
        session: {
          name,
          role,
          means: 'session',
          csrf: started.csrf,
          mustChangePassword,
          expiresAt: started.expiresAt.toISOString(),
        },
        secret: started.secret,
        device: newDevice(user),
      };
    });
  }

  private async recordFailure(typed: string, address: string): Promise<void> {
    // PostgreSQL has no place for U+0000 in a text.
    const name = typed.replaceAll('\0', '').slice(0, NAME_KEPT).toWellFormed();
    await this.parts.audit.recordStranger(
      this.parts.dataSource.manager,
      { name, address },
      { action: 'login.failed', subject: `user:${name}`, detail: { way: 'password' } },
    );
  }
}

/** Whether the statement changed a row. */
async function affected(tx: EntityManager, sql: string, parameters: unknown[]): Promise<boolean> {
  const rows = await tx.query<unknown>(
    `with changed as (${sql} returning 1) select 1 from changed`,
    parameters,
  );
  return Array.isArray(rows) && rows.length > 0;
}
