import type { EntityManager } from 'typeorm';
import type { UserRole } from '../../config/config.js';
import { Refusal } from '../../config/problem.js';
import type { User } from './users.schema.js';

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly password: string | null;
  readonly role: UserRole;
  readonly disabled: boolean;
  readonly mustChangePassword: boolean;
  readonly identity: string | null;
  readonly createdAt: Date;
  readonly lastLoginAt: Date | null;
}

export const USER_COLUMNS = `users.id, users.name, users.password, users.role, users.disabled,
  users.must_change_password as "mustChangePassword", users.identity, users.created_at as "createdAt",
  users.last_login_at as "lastLoginAt"`;

/** Who makes, changes or removes users: one at a time, so that the last admin cannot go twice. Ends with `tx`. */
export const USERS_LOCK = 4157004;

export async function lockUsers(tx: EntityManager): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [USERS_LOCK]);
}

/** @throws Refusal 404 USER_UNKNOWN */
export async function getUser(tx: EntityManager, name: string): Promise<UserRow> {
  const [row] = await tx.query<UserRow[]>(`select ${USER_COLUMNS} from users where name = $1`, [name]);
  if (!row) throw new Refusal(404, 'USER_UNKNOWN', `There is no user ${name}.`);
  return row;
}

/** As it is shown: without the password. */
export function userOf(row: UserRow): User {
  const { id, name, role, disabled, mustChangePassword, identity } = row;
  return {
    id,
    name,
    role,
    disabled,
    mustChangePassword,
    identity,
    createdAt: row.createdAt.toISOString(),
    lastLoginAt: row.lastLoginAt?.toISOString() ?? null,
  };
}
