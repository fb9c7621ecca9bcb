import type { DataSource, EntityManager } from 'typeorm';
import { noticesOfDead } from './delivery-notices.js';
import { EARLIER, releaseOrdered } from './delivery-store.js';
import { raiseNotices } from './notice-store.js';

/** So many in one transaction. */
export const GIVEN_UP_AT_ONCE = 1000;

/** A delivery that was given up because its target was not tried any more. */
export interface GivenUp {
  readonly id: string;
  readonly rule: string;
  readonly kind: string;
  readonly target: string;
  readonly code: string;
  readonly orderKey: string | null;
}

/**
 * Gives up what has waited to the end of its schedule for a target whose breaker is open. Answers those, at most 1000:
 * whoever gets as many calls again. `now` in ms.
 */
export async function giveUp(dataSource: DataSource, now: number): Promise<readonly GivenUp[]> {
  return await dataSource.transaction(async (tx) => {
    const [rows] = await tx.query<[GivenUp[], number]>(
      `update action_keys k set state = 'dead', code = 'RETRIES_USED_UP', updated_at = now(),
              reason = format('after %s attempts: the target has not been reached since %s, and its time is used up (%s)',
                              k.attempt - k.attempts_before,
                              to_char(coalesce(l.down_since, l.updated_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                              coalesce(l.last_code, 'no code'))
         from target_lanes l, deliveries d
        where l.lane = k.target_lane and d.id = k.id and k.id = any(array(
                select late.id from target_lanes o cross join lateral (
                  select id from action_keys
                   where state = 'pending' and target_lane = o.lane and due_at <= $1 and give_up_at <= $1
                   order by due_at limit ${GIVEN_UP_AT_ONCE} for update skip locked) as late
                 where o.breaker = 'open' limit ${GIVEN_UP_AT_ONCE}))
       returning k.id, k.rule, d.kind, k.target, k.code, k.order_key as "orderKey"`,
      [new Date(now)],
    );
    await afterEnd(tx, rows, now);
    return rows;
  });
}

async function afterEnd(tx: EntityManager, rows: readonly GivenUp[], now: number): Promise<void> {
  await raiseNotices(tx, await noticesOfDead(tx, rows), now);
  await releaseOrdered(
    tx,
    rows.flatMap(({ orderKey }) => orderKey ?? []),
    now,
  );
}

/**
 * Lets go what waits for an earlier one of its order that is done: two transactions at once may each have taken the
 * other for open. Answers how many, at most 1000. `now` in ms.
 */
export async function releaseOverlooked(dataSource: DataSource, now: number): Promise<number> {
  return await dataSource.transaction(async (tx) => {
    const keys = await tx.query<{ key: string }[]>(
      `select distinct order_key as key from action_keys k
        where state = 'deferred' and deferred_for = 'order' and not ${EARLIER} limit ${GIVEN_UP_AT_ONCE}`,
    );
    return await releaseOrdered(
      tx,
      keys.map(({ key }) => key),
      now,
    );
  });
}
