import { createHmac } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import type { UserRole } from '../../config/config.js';
import { newSecret, secretHash } from './secret.js';

const IDLE_MS = 12 * 3_600_000;
const LONGEST_MS = 7 * 24 * 3_600_000;
/** How exactly it is known when something was last used: each request would be a write otherwise. */
export const USE_WRITTEN_MS = 60_000;

export interface StartedSession {
  /** For the cookie. */
  readonly secret: string;
  readonly csrf: string;
  readonly expiresAt: Date;
}

export interface FoundSession {
  readonly hash: Buffer;
  readonly csrf: string;
  readonly expiresAt: Date;
  readonly userId: string;
  readonly name: string;
  readonly role: UserRole;
  readonly mustChangePassword: boolean;
}

/** Begins a session; the one that the browser had until now ends. */
export async function startSession(
  tx: EntityManager,
  { userId, now, before }: { readonly userId: string; readonly now: number; readonly before: string | null },
): Promise<StartedSession> {
  if (before !== null) await endSession(tx, secretHash(before));
  const { text, hash } = newSecret();
  const expiresAt = new Date(now + LONGEST_MS);
  await tx.query(
    `insert into sessions (hash, user_id, created_at, last_used_at, expires_at) values ($1, $2, $3, $3, $4)`,
    [hash, userId, new Date(now), expiresAt],
  );
  return { secret: text, csrf: csrfOf(text), expiresAt };
}

export async function endSession(tx: EntityManager, hash: Buffer | null): Promise<void> {
  if (hash !== null) await tx.query('delete from sessions where hash = $1', [hash]);
}

/** All of a user, but perhaps one. */
export async function endSessions(
  tx: EntityManager,
  userId: string,
  but: Buffer | null = null,
): Promise<void> {
  await tx.query('delete from sessions where user_id = $1 and ($2::bytea is null or hash <> $2)', [
    userId,
    but,
  ]);
}

/** The session of a cookie, with what its user may at this moment; null: there is none, or it has ended. */
export async function findSession(
  dataSource: DataSource,
  secret: string,
  now: number,
): Promise<FoundSession | null> {
  const hash = secretHash(secret);
  if (hash === null) return null;
  const rows = await dataSource.query<(Omit<FoundSession, 'hash' | 'csrf'> & { lastUsedAt: Date })[]>(
    `select sessions.user_id as "userId", sessions.expires_at as "expiresAt", sessions.last_used_at as "lastUsedAt",
            users.name, users.role, users.must_change_password as "mustChangePassword"
       from sessions join users on users.id = sessions.user_id
      where sessions.hash = $1 and sessions.expires_at > $2 and sessions.last_used_at > $3 and not users.disabled`,
    [hash, new Date(now), new Date(now - IDLE_MS)],
  );
  const [row] = rows;
  if (!row) return null;
  const { lastUsedAt, ...found } = row;
  if (lastUsedAt.getTime() <= now - USE_WRITTEN_MS)
    await dataSource.query('update sessions set last_used_at = $2 where hash = $1 and last_used_at < $2', [
      hash,
      new Date(now),
    ]);
  return { ...found, hash, csrf: csrfOf(secret) };
}

export async function removeEndedSessions(dataSource: DataSource, now: number): Promise<void> {
  await dataSource.query('delete from sessions where expires_at <= $1 or last_used_at <= $2', [
    new Date(now),
    new Date(now - IDLE_MS),
  ]);
}

/**
 * What a page of ours sends along and a foreign one cannot know. It follows from the session's secret, which no
 * script can read; the other way round nothing follows.
 */
function csrfOf(secret: string): string {
  return createHmac('sha256', secret).update('csrf').digest('base64url');
}
