import { setTimeout as delay } from 'node:timers/promises';
import type { ErasureResult } from '../console/api/erasures.schema.js';
import type { Admin } from './admin.js';
import { progressOn } from './progress.js';
import { amount } from './words.js';

/** What was erased, on all days together. */
export type ErasedCounts = Omit<ErasureResult, 'day'>;

const NOTHING: ErasedCounts = {
  events: 0,
  evaluations: 0,
  deliveries: 0,
  attempts: 0,
  lookups: 0,
  cancelled: 0,
  underWay: 0,
};
const ROUNDS = 10;
const BETWEEN_ROUNDS_MS = 2000;

/**
 * Goes through the days, and again through those on which something was being decided or sent. Answers the sums, and
 * the days on which that was so to the end. `pause`: before another round.
 */
export async function eraseDays(
  erasures: Pick<Admin['erasures'], 'erase'>,
  values: readonly string[],
  days: readonly string[],
  dryRun: boolean,
  pause: () => Promise<void> = () => delay(BETWEEN_ROUNDS_MS),
): Promise<{ readonly counts: ErasedCounts; readonly unfinished: readonly string[] }> {
  const progress = progressOn(process.stderr, {
    doing: dryRun ? 'looking through' : 'erasing',
    done: 'looked through',
    what: 'days',
  });
  let counts = NOTHING;
  let left = days;
  try {
    for (let round = 1; ; round += 1) {
      const busy: string[] = [];
      let underWay = 0;
      for (const [at, day] of left.entries()) {
        const answer = await erasures.erase({ values: [...values], day, dryRun });
        counts = sum(counts, answer);
        underWay += answer.underWay;
        if (answer.underWay > 0) busy.push(day);
        progress.step(at + 1, left.length);
      }
      counts = { ...counts, underWay };
      left = busy;
      if (left.length === 0 || dryRun || round === ROUNDS) return { counts, unfinished: left };
      progress.say(
        `Events are being decided or deliveries sent on ${amount(left.length, 'day')}: another look in a moment.`,
      );
      await pause();
    }
  } finally {
    progress.end();
  }
}

function sum(a: ErasedCounts, b: ErasedCounts): ErasedCounts {
  return {
    events: a.events + b.events,
    evaluations: a.evaluations + b.evaluations,
    deliveries: a.deliveries + b.deliveries,
    attempts: a.attempts + b.attempts,
    lookups: a.lookups + b.lookups,
    cancelled: a.cancelled + b.cancelled,
    underWay: a.underWay + b.underWay,
  };
}
