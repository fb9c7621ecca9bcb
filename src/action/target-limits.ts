import type { EntityManager } from 'typeorm';
import type { RateBudget } from '../config/config.js';

/** Of a target lane that nobody has set limits for. */
export const DEFAULT_CONCURRENCY = 50;
/** The same for the lane of all mail: servers take few connections of one sender. */
export const DEFAULT_MAIL_CONCURRENCY = 5;
export const MAIL_LANE = 'email';
/** The name that stands for all lanes that have no limits of their own. */
export const ANY_LANE = '*';

/** What one target lane is spared: over all instances. */
export interface TargetLimit {
  /** `http:payroll.example.com`, `email`, `feishu`, or `*`. */
  readonly lane: string;
  /** How many deliveries may be under way at once; null: as `*` says. */
  readonly concurrency: number | null;
  /** How many may begin in a time; null: as `*` says. */
  readonly rate: RateBudget | null;
}

/** Puts the limits of a rule set in place of those before, within the transaction that makes it the live one. */
export async function replaceTargetLimits(tx: EntityManager, limits: readonly TargetLimit[]): Promise<void> {
  await tx.query('delete from target_limits');
  if (limits.length === 0) return;
  await tx.query(
    `insert into target_limits (lane, concurrency, rate_max, rate_per_ms)
     select * from unnest($1::text[], $2::int[], $3::int[], $4::bigint[])`,
    [
      limits.map(({ lane }) => lane),
      limits.map(({ concurrency }) => concurrency),
      limits.map(({ rate }) => rate?.max ?? null),
      limits.map(({ rate }) => rate?.perMs ?? null),
    ],
  );
}
