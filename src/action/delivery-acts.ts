import type { EntityManager } from 'typeorm';
import type { RetryDocument } from './action-document.js';
import { DELIVERY_TRANSITIONS, type DeliveryState, RECALLED } from './delivery-states.js';
import {
  actionKeyOf,
  type DeliveryStore,
  EARLIER,
  type NewDelivery,
  releaseOrdered,
} from './delivery-store.js';
import { giveUpAt } from './retry-schedule.js';

export const DELIVERY_ACTS = ['redrive', 'release', 'discard', 'cancel'] as const;
/** What a person may do with a delivery. */
export type DeliveryAct = (typeof DELIVERY_ACTS)[number];

/** From which states each act is possible, and those it leads to. */
export const ACT_STATES = {
  redrive: DELIVERY_TRANSITIONS.redrive,
  release: DELIVERY_TRANSITIONS.release,
  discard: DELIVERY_TRANSITIONS.discard,
  cancel: DELIVERY_TRANSITIONS.cancel,
} as const satisfies Record<DeliveryAct, unknown>;

/** The code of a delivery that a person took out. */
const ENDS = { discard: { code: 'DISCARDED' }, cancel: { code: 'CANCELLED' } } as const;
/** Of one in whose place an edited one went. */
const REPLACED = { code: 'REPLACED' } as const;

/** What became of one delivery: the state it is in then, or, when nothing was done, the state that forbids it. */
export interface Acted {
  readonly done: boolean;
  readonly state: DeliveryState;
}

/** Why nothing was done with a delivery. */
export type NotActed = 'DELIVERY_STATE' | 'DELIVERY_NOT_RENDERED';

/** One in a state that the act is for was not done because it has nothing to send. */
export function whyNot(act: DeliveryAct, { state }: Acted): NotActed {
  const { from }: { readonly from: readonly DeliveryState[] } = ACT_STATES[act];
  return from.includes(state) ? 'DELIVERY_NOT_RENDERED' : 'DELIVERY_STATE';
}

interface LockedRow {
  readonly id: string;
  readonly state: DeliveryState;
  /** Null: there is none. */
  readonly retry: RetryDocument | null;
  readonly hasRequest: boolean;
}

/**
 * Does what a person asks with some deliveries, within `tx`. Those that are not there are not in the answer. A delivery
 * without a request cannot be sent, so it is not redriven or released either; one with an order waits for the earlier
 * ones. Wake the queue after the commit. `now` in ms.
 */
export async function actOnMany(
  tx: EntityManager,
  ids: readonly string[],
  act: DeliveryAct,
  reason: string | null,
  now: number,
): Promise<ReadonlyMap<string, Acted>> {
  // Of two who act at once, and of an act and a claim, the second sees what the first has made of it.
  const states = await lock(tx, ids);
  const rows = await withRequests(tx, states);
  const { from }: { readonly from: readonly DeliveryState[] } = ACT_STATES[act];
  const sends = act === 'redrive' || act === 'release';
  const able = rows.filter(({ state, hasRequest }) => from.includes(state) && (hasRequest || !sends));
  const ends =
    act === 'redrive' || act === 'release'
      ? await send(tx, able, now)
      : await end(tx, able, ENDS[act], reason, now);
  return new Map(
    rows.map(({ id, state }): [string, Acted] => {
      const after = ends.get(id);
      return [id, after === undefined ? { done: false, state } : { done: true, state: after }];
    }),
  );
}

/** The same with one delivery; null: there is no such. */
export async function act(
  tx: EntityManager,
  id: string,
  act: DeliveryAct,
  reason: string | null,
  now: number,
): Promise<Acted | null> {
  return (await actOnMany(tx, [id], act, reason, now)).get(id) ?? null;
}

/** A dead delivery, and the one that takes its place: of the next generation. */
export interface Replacement {
  readonly id: string;
  readonly by: NewDelivery;
  readonly eventId: string;
  readonly occasion: string;
}

/**
 * Puts edited deliveries in the place of dead ones, within `tx`: these are cancelled and name what replaces them.
 * Answers the new id by the old one; of those that are not dead any more nothing is done. Wake the queue after the
 * commit. `now` in ms.
 */
export async function replaceDead(
  tx: EntityManager,
  replacements: readonly Replacement[],
  store: DeliveryStore,
  now: number,
): Promise<ReadonlyMap<string, string>> {
  const states = await lock(
    tx,
    replacements.map(({ id }) => id),
  );
  const able = replacements.filter(({ id }) => states.get(id) === 'dead');
  if (able.length === 0) return new Map();
  const fresh = await store.accept(
    tx,
    able.map(({ by, eventId, occasion }) => ({ delivery: by, eventId, occasion })),
    now,
  );
  const made = await tx.query<{ key: string; id: string }[]>(
    'select key, id from action_keys where key = any($1::text[])',
    [[...fresh]],
  );
  const idOf = new Map(made.map(({ key, id }) => [key, id]));
  const pairs = able.flatMap(({ id, by }) => {
    const next = idOf.get(actionKeyOf(by));
    return next === undefined ? [] : [[id, next] as const];
  });
  await tx.query(
    `update action_keys k set state = 'cancelled', code = $3, reason = 'replaced by ' || u.next, updated_at = now()
       from unnest($1::uuid[], $2::text[]) as u (id, next) where k.id = u.id`,
    [pairs.map(([id]) => id), pairs.map(([, next]) => next), REPLACED.code],
  );
  return new Map(pairs);
}

/**
 * Takes deliveries out that are not sent yet, or dead, because what their rule sent is recalled, within `tx`; what waited
 * for them in their order goes. Those in another state stay as they are. Wake the queue after the commit. `now` in ms.
 */
export async function recallWaiting(
  tx: EntityManager,
  ids: readonly string[],
  reason: string,
  now: number,
): Promise<void> {
  const { from }: { readonly from: readonly DeliveryState[] } = DELIVERY_TRANSITIONS.recall;
  const able = [...(await lock(tx, ids))].filter(([, state]) => from.includes(state));
  await end(
    tx,
    able.map(([id]) => ({ id })),
    RECALLED,
    reason,
    now,
  );
}

async function lock(tx: EntityManager, ids: readonly string[]): Promise<ReadonlyMap<string, DeliveryState>> {
  // In one order, so that two who act on the same ones wait for each other in it.
  const rows = await tx.query<{ id: string; state: DeliveryState }[]>(
    'select id, state from action_keys where id = any($1::uuid[]) order by id for update',
    [ids],
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}

async function withRequests(
  tx: EntityManager,
  states: ReadonlyMap<string, DeliveryState>,
): Promise<LockedRow[]> {
  const rows = await tx.query<Pick<LockedRow, 'id' | 'retry' | 'hasRequest'>[]>(
    `select id, json_typeof(request) <> 'null' as "hasRequest", request -> 'retry' as retry
       from deliveries where id = any($1::uuid[])`,
    [[...states.keys()]],
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  return [...states].map(([id, state]) => {
    const { hasRequest = false, retry = null } = known.get(id) ?? {};
    return { id, state, hasRequest, retry };
  });
}

/** Lets them go at once. Attempts go on being counted, because their number is the fence; the schedule begins anew. */
async function send(
  tx: EntityManager,
  rows: readonly LockedRow[],
  now: number,
): Promise<ReadonlyMap<string, DeliveryState>> {
  if (rows.length === 0) return new Map();
  const [ended] = await tx.query<[{ id: string; state: DeliveryState }[], number]>(
    `update action_keys k
        set state = case when ${EARLIER} then 'deferred' else 'pending' end,
            deferred_for = case when ${EARLIER} then 'order' end,
            due_at = $3, attempts_before = attempt, redriven_at = $3, give_up_at = u.give_up_at,
            code = null, reason = null, updated_at = now()
       from unnest($1::uuid[], $2::timestamptz[]) as u (id, give_up_at) where k.id = u.id
     returning k.id, k.state`,
    [rows.map(({ id }) => id), rows.map(({ retry }) => new Date(giveUpAt(retry, now))), new Date(now)],
  );
  return new Map(ended.map(({ id, state }) => [id, state]));
}

/** Takes them out. What waited for them in their order goes at once. */
async function end(
  tx: EntityManager,
  rows: readonly Pick<LockedRow, 'id'>[],
  { code }: { readonly code: string },
  reason: string | null,
  now: number,
): Promise<ReadonlyMap<string, DeliveryState>> {
  if (rows.length === 0) return new Map();
  const [ended] = await tx.query<[{ orderKey: string | null }[], number]>(
    `update action_keys set state = 'cancelled', deferred_for = null, code = $2, reason = $3, updated_at = now()
      where id = any($1::uuid[]) returning order_key as "orderKey"`,
    [rows.map(({ id }) => id), code, reason?.replaceAll('\u0000', '') ?? null],
  );
  const keys = ended.flatMap(({ orderKey }) => orderKey ?? []);
  if (keys.length > 0) await releaseOrdered(tx, keys, now);
  return new Map(rows.map(({ id }) => [id, 'cancelled']));
}
