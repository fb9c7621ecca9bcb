import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../../config/clock.js';
import { type Log, messageOf } from '../../config/log.js';
import { type AdminPasswordFile, FIRST_ADMIN } from './admin-password-file.js';
import { oneTimePassword } from './one-time-password.js';
import type { PasswordHasher } from './password-hasher.js';
import { lockUsers } from './user-rows.js';

/**
 * Where there is no user yet, makes the first one: with the password of the settings, or with a one-time password that
 * stands in a file. There is no password that everybody knows, and no page that lets the first visitor set one.
 */
export async function ensureFirstAdmin(parts: {
  readonly dataSource: DataSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly hasher: PasswordHasher;
  readonly passwordFile: AdminPasswordFile;
  /** `ADMIN_PASSWORD`. */
  readonly password: string | undefined;
}): Promise<void> {
  const { dataSource, clock, log, hasher, passwordFile, password } = parts;
  if (!(await isEmpty(dataSource))) {
    await passwordFile.removeIfUsed();
    return;
  }
  const oneTime = password === undefined ? oneTimePassword() : null;
  const hash = await hasher.hash(password ?? oneTime ?? '');
  try {
    const made = await dataSource.transaction(async (tx) => {
      // Of instances that start together one makes the user and has the file.
      await lockUsers(tx);
      if (!(await isEmpty(tx))) return false;
      await tx.query(
        `insert into users (id, name, password, role, must_change_password, created_at)
         values ($1, $2, $3, 'admin', $4, $5)`,
        [uuidv7(), FIRST_ADMIN, hash, oneTime !== null, new Date(clock.now())],
      );
      if (oneTime !== null) await passwordFile.write(oneTime);
      return true;
    });
    if (made && oneTime !== null)
      log.info(
        { event: 'access.first-admin', path: passwordFile.path },
        `the first user is ${FIRST_ADMIN}; the one-time password stands in the file, which goes when it was changed`,
      );
  } catch (error) {
    await passwordFile.removeIfUsed();
    // Events are taken all the same; the next start tries again.
    log.error(
      { event: 'access.no-admin', code: 'FIRST_ADMIN_NOT_MADE', path: passwordFile.path },
      `nobody can sign in: ${messageOf(error)}. Set ADMIN_PASSWORD, or let DATA_DIR be writable, and start again`,
    );
  }
}

async function isEmpty(runner: Pick<DataSource, 'query'> | { query: DataSource['query'] }): Promise<boolean> {
  return (await runner.query<unknown[]>('select 1 from users limit 1')).length === 0;
}
