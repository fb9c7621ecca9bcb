import type { EntityManager } from 'typeorm';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import { isDataError } from '../database/database.errors.js';
import { type Admission, askedOf, type AdmittedSuppression } from './admission.js';
import type { Suppression } from './evaluation-store.js';
import type { Firing } from './firing.js';

/** Who is told what became of rules in shadow mode. */
export interface ShadowWatch {
  /** Within the transaction, which may still come to nothing. */
  recorded(count: number): void;
  /** So many of these rules could not be recorded; nothing else has suffered. */
  lost(count: number, rules: readonly string[], error: unknown): void;
}

export const NOBODY_WATCHES: ShadowWatch = { recorded: () => undefined, lost: () => undefined };

/** Tells the log and the metrics. */
export function shadowWatch(log: Log, metrics: Metrics): ShadowWatch {
  return {
    recorded: (count) => {
      if (count > 0) metrics.shadowDeliveries.inc({ outcome: 'recorded' }, count);
    },
    lost: (count, rules, error) => {
      metrics.shadowDeliveries.inc({ outcome: 'lost' }, count);
      log.error(
        { event: 'shadow.not-recorded', rules, deliveries: count },
        `what rules in shadow mode would have sent could not be recorded: ${messageOf(error)}`,
      );
    },
  };
}

const countOf = ({ suppressions }: Admission): number =>
  suppressions.filter(({ suppression }) => suppression.cause === 'shadow').length;

/** A live decision waits for no other's rules in shadow mode longer than this. */
const LOCK_WAIT_MS = 1000;
/** What the ledger says beside the cause `shadow` when nothing could be recorded. */
export const NOT_RECORDED = 'not recorded';

/**
 * Takes firings of rules in shadow mode through their gates, behind a savepoint: whatever fails there is taken back, and
 * the transaction goes on without it. What the database refuses is found by halving, and the others are recorded.
 *
 * @throws when the transaction itself is lost
 */
export async function behindSavepoint(
  tx: EntityManager,
  firings: readonly Firing[],
  admit: (firings: readonly Firing[]) => Promise<Admission>,
  watch: ShadowWatch,
): Promise<Admission> {
  await tx.query(`savepoint shadow; set local lock_timeout = ${LOCK_WAIT_MS}`);
  try {
    const admission = await admit(firings);
    await tx.query('set local lock_timeout to default; release savepoint shadow');
    watch.recorded(admission.shadows.length);
    return admission;
  } catch (error) {
    await tx.query('rollback to savepoint shadow; release savepoint shadow');
    if (!isDataError(error) || firings.length < 2) {
      const lost = notRecorded(firings);
      watch.lost(countOf(lost), [...new Set(firings.map(({ rule }) => rule.name))], error);
      return lost;
    }
  }
  const middle = firings.length >> 1;
  const first = await behindSavepoint(tx, firings.slice(0, middle), admit, watch);
  return together(first, await behindSavepoint(tx, firings.slice(middle), admit, watch));
}

/** What came of firings that went through the gates in two parts. */
export function together(one: Admission, other: Admission): Admission {
  return {
    asked: [...one.asked, ...other.asked],
    deliveries: [...one.deliveries, ...other.deliveries],
    shadows: [...one.shadows, ...other.shadows],
    items: [...one.items, ...other.items],
    suppressions: [...one.suppressions, ...other.suppressions],
    once: [...one.once, ...other.once],
    hits: [...one.hits, ...other.hits],
    counts: [...one.counts, ...other.counts],
    holds: [...one.holds, ...other.holds],
  };
}

/** What the ledger is told when nothing could be recorded: that nothing was sent. */
function notRecorded(firings: readonly Firing[]): Admission {
  const suppressions = firings.flatMap(({ rule, step, eventId, occasion, deliveries, items, withheld }) => {
    const of = (action: string, why: Pick<Suppression, 'cause' | 'by'>): AdmittedSuppression => ({
      eventId,
      occasion,
      suppression: { rule: rule.name, action, ...(step === null ? {} : { step }), ...why },
    });
    return [
      ...withheld.map(({ action, by }) => of(action, { cause: 'when', ...(by === null ? {} : { by }) })),
      ...[...deliveries, ...items].map(({ action }) => of(action, { cause: 'shadow', by: NOT_RECORDED })),
    ];
  });
  return {
    asked: firings.flatMap(askedOf),
    deliveries: [],
    shadows: [],
    items: [],
    suppressions,
    once: [],
    hits: [],
    counts: [],
    holds: [],
  };
}
