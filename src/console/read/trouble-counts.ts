import type { DataSource } from 'typeorm';
import { leastIdOf } from '../../events/received-at.js';

/** What somebody has to see of the last 24 hours, and what was given up in them. Counts end at `MOST_COUNTED`. */
export interface TroubleCounts {
  /** Evaluations with a verdict "error". */
  readonly errors: number;
  /** Notices that nobody is named for. */
  readonly untold: number;
  /** Deliveries made in that time that are cancelled. */
  readonly cancelled: number;
}

/** Where counting ends: more is no less trouble. */
export const MOST_COUNTED = 100_000;
const DAY_MS = 86_400_000;

/** By ranges of ids, each within an index of few rows. `now` in ms. */
export async function countTrouble(dataSource: DataSource, now: number): Promise<TroubleCounts> {
  const count = (from: string): string =>
    `(select count(*)::int from (select 1 from ${from} limit ${MOST_COUNTED}) as c)`;
  const [row] = await dataSource.query<[TroubleCounts]>(
    `select ${count('evaluations where event_id >= $1 and errors > 0')} as errors,
            ${count(`notices where id >= $1 and state = 'nobody'`)} as untold,
            ${count(`action_keys where id >= $1 and state = 'cancelled'`)} as cancelled`,
    [leastIdOf(now - DAY_MS)],
  );
  return row;
}
