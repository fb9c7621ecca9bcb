import type { EntityManager } from 'typeorm';
import { binaryArray, plainArray } from '../database/array-parameters.js';
import { prepared } from '../database/prepared.js';
import { type Ended, recordOf, stateAfter } from './delivery-end.js';
import { noticesOfDead, noticesOfLanes, type TurnedLane } from './delivery-notices.js';
import { END_STATES } from './delivery-states.js';
import { recordLeft } from './mail-left.js';
import { NOTICE_RULE, raiseNotices } from './notice-store.js';
import { type AttemptRow, insertAttempts, releaseOrdered } from './delivery-store.js';
import { isFailing, laneAfter } from './target-lane.js';
import { leaveUntold, lockChangingLanes, saveLanes, type StoredLane } from './target-lane-store.js';
import { recordTargets } from './target-record.js';

/** What has become of attempts, once their transaction is committed. */
export interface Settlement {
  /** By delivery; only those whose fence still held. */
  readonly states: ReadonlyMap<string, string>;
  /** Deliveries that waited for these and may go now. */
  readonly released: number;
  /** Lanes whose target begins to fail, or is reached again. */
  readonly turned: readonly TurnedLane[];
  /** Somebody has to be told: wake the notices. */
  readonly noticed: boolean;
}

/** Writes how attempts ended, and all that follows from it, within one transaction. `now` in ms. */
export async function settle(
  tx: EntityManager,
  ended: readonly Ended[],
  instance: string,
  now: number,
): Promise<Settlement> {
  const next = ended.map((one) => stateAfter(one, now));
  const rows = await prepared<{ id: string }>(tx, 'settle-keys', SETTLE, [
    plainArray(next.map(({ id }) => id)),
    plainArray(next.map(({ attempt }) => attempt)),
    next.map(({ state }) => state),
    next.map(({ dueAt }) => dueAt),
    next.map(({ code }) => code),
    binaryArray(
      'text',
      next.map(({ reason }) => reason),
    ),
    plainArray(next.map(({ move }) => (move === 'not-sent' ? 1 : 0))),
    instance,
  ]);
  const changed = new Set(rows.map(({ id }) => id));
  const settled = ended.filter(({ row }) => changed.has(row.id));
  const states = new Map(next.flatMap(({ id, state }) => (changed.has(id) ? [[id, state] as const] : [])));
  const attempts: AttemptRow[] = settled.flatMap((one) => recordOf(one, instance));
  await insertAttempts(tx, attempts);
  await recordTargets(tx, settled);
  await recordLeft(tx, settled);
  const turned = await settleLanes(tx, settled, now);
  const dead = settled.filter(({ row }) => states.get(row.id) === 'dead');
  const notices = [
    ...(await noticesOfLanes(tx, turned, now)),
    ...(await noticesOfDead(
      tx,
      dead.map(({ row, delivery: { rule, target } }) => ({
        rule,
        target,
        code: next.find(({ id }) => id === row.id)?.code ?? null,
      })),
    )),
  ];
  const raised = await raiseNotices(tx, notices, now);
  const untold = turned.filter(({ to }, index) => to === 'failing' && raised[index] === false);
  await leaveUntold(
    tx,
    untold.map(({ name }) => name),
  );
  const ends: readonly string[] = END_STATES;
  const orders = settled.flatMap(({ row, delivery }) =>
    delivery.orderKey !== null && ends.includes(states.get(row.id) ?? '') ? [delivery.orderKey] : [],
  );
  const released = await releaseOrdered(tx, orders, now);
  const news = turned.filter((lane) => !untold.includes(lane) || lane.opened);
  return { states, released, turned: news, noticed: raised.includes(true) };
}

const SETTLE = `
  update action_keys t set state = s.state, due_at = s.due_at, code = s.code, reason = s.reason, attempt = t.attempt - s.back,
         lease_until = null, leased_by = null, updated_at = now()
    from unnest($1::uuid[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int[])
         as s (id, attempt, state, due_at, code, reason, back)
   where t.id = s.id and t.attempt = s.attempt and t.state = 'delivering' and t.leased_by = $8
  returning t.id`;

/** Follows what the attempts say of their targets. Answers the lanes that somebody is told of. */
async function settleLanes(
  tx: EntityManager,
  settled: readonly Ended[],
  now: number,
): Promise<readonly TurnedLane[]> {
  const saying = settled.filter(({ result }) => result.outcome !== 'deferred');
  if (saying.length === 0) return [];
  const names = [...new Set(saying.map(({ delivery }) => delivery.lane))];
  const failed = new Set(
    saying.flatMap(({ delivery, result }) => (result.target === 'down' ? [delivery.lane] : [])),
  );
  const lanes = await lockChangingLanes(tx, names, [...failed]);
  const changes = lanes.map((stored) => laneChange(stored, saying, now));
  await saveLanes(
    tx,
    changes.map(({ after }) => after),
    now,
  );
  return changes.flatMap(({ turned }) => turned ?? []);
}

function laneChange(
  stored: StoredLane,
  all: readonly Ended[],
  now: number,
): { readonly after: StoredLane; readonly turned: TurnedLane | null } {
  const own = all
    .filter(({ delivery }) => delivery.lane === stored.name)
    .sort((a, b) => a.startedAt + a.durationMs - (b.startedAt + b.durationMs));
  const lane = laneAfter(
    stored.lane,
    own.map(({ result, startedAt }) => ({ ...result, target: result.target ?? null, startedAt })),
    now,
  );
  const { name, failingSince } = stored;
  // Of a target that only messages to owners go to nobody is told: that would be one more message to it.
  const concernsRules = own.some(
    ({ delivery, result }) => delivery.rule !== NOTICE_RULE && result.target === 'down',
  );
  if (failingSince === null && isFailing(lane) && concernsRules)
    return {
      after: { name, lane, failingSince: now },
      turned: {
        name,
        to: 'failing',
        since: lane.downSince ?? now,
        code: lane.lastCode,
        failures: lane.failures,
        opened: stored.lane.breaker === 'closed',
      },
    };
  if (failingSince !== null && lane.breaker === 'closed')
    return {
      after: { name, lane, failingSince: null },
      turned: {
        name,
        to: 'recovered',
        since: stored.lane.downSince ?? failingSince,
        code: lane.lastCode,
        failures: stored.lane.failures,
        opened: false,
      },
    };
  return { after: { name, lane, failingSince }, turned: null };
}
