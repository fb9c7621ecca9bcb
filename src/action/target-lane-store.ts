import type { EntityManager } from 'typeorm';
import type { TargetLane } from './target-lane.js';

/** A lane with what its row remembers besides the breaker. */
export interface StoredLane {
  readonly name: string;
  readonly lane: TargetLane;
  /** Since when somebody has been told that it fails, ms since 1970; null: nobody has. */
  readonly failingSince: number | null;
}

interface Row extends Omit<TargetLane, 'downSince' | 'probeAt'> {
  readonly name: string;
  readonly downSince: Date | null;
  readonly probeAt: Date | null;
  readonly failingSince: Date | null;
}

/**
 * Locks the lanes that attempts may have changed: of `failed` all, of the others those that remember a failure. On the
 * happy path there are none, and nothing is locked or written.
 */
export async function lockChangingLanes(
  tx: EntityManager,
  names: readonly string[],
  failed: readonly string[],
): Promise<readonly StoredLane[]> {
  // Sorted, so that two instances wait for each other in one order.
  const rows = await tx.query<Row[]>(
    `select lane as name, breaker, failures, down_since as "downSince", openings, probe_at as "probeAt", ramp,
            failing_since as "failingSince", last_code as "lastCode"
       from target_lanes
      where lane = any($1::text[]) and (lane = any($2::text[]) or breaker <> 'closed' or failures > 0 or ramp is not null)
      order by lane for update`,
    [names, failed],
  );
  return rows.map(({ name, downSince, probeAt, failingSince, ...lane }) => ({
    name,
    lane: { ...lane, downSince: downSince?.getTime() ?? null, probeAt: probeAt?.getTime() ?? null },
    failingSince: failingSince?.getTime() ?? null,
  }));
}

export async function saveLanes(tx: EntityManager, lanes: readonly StoredLane[], now: number): Promise<void> {
  if (lanes.length === 0) return;
  const time = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
  await tx.query(
    `update target_lanes l set breaker = u.breaker, failures = u.failures, down_since = u.down_since, openings = u.openings,
            probe_at = u.probe_at, ramp = u.ramp, failing_since = u.failing_since, last_code = u.last_code, updated_at = $10
       from unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::int[], $6::timestamptz[], $7::int[],
                   $8::timestamptz[], $9::text[])
            as u (lane, breaker, failures, down_since, openings, probe_at, ramp, failing_since, last_code)
      where l.lane = u.lane`,
    [
      lanes.map(({ name }) => name),
      lanes.map(({ lane }) => lane.breaker),
      lanes.map(({ lane }) => lane.failures),
      lanes.map(({ lane }) => time(lane.downSince)),
      lanes.map(({ lane }) => lane.openings),
      lanes.map(({ lane }) => time(lane.probeAt)),
      lanes.map(({ lane }) => lane.ramp),
      lanes.map(({ failingSince }) => time(failingSince)),
      lanes.map(({ lane }) => lane.lastCode),
      new Date(now),
    ],
  );
}

/**
 * Of lanes that fail again so soon that it is not told once more: the next failure tries to tell it, so that a target
 * which stays down is told of in the end.
 */
export async function leaveUntold(tx: EntityManager, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await tx.query('update target_lanes set failing_since = null where lane = any($1::text[])', [names]);
}
