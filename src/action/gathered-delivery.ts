import type { EntityManager } from 'typeorm';
import type { ActionKind, RenderedRequest } from './action.js';
import { actionKeyOf } from './delivery-store.js';
import { giveUpAt } from './retry-schedule.js';

/** A delivery that gathers what it tells of before it is rendered: the message of a digest. */
export interface GatheredDelivery {
  /** UUIDv7 of now. */
  readonly id: string;
  /** The stored event of the first item, and the occasion. */
  readonly eventId: string;
  readonly occasion: string;
  readonly rule: string;
  readonly action: string;
  readonly kind: ActionKind;
  readonly entity: string;
  readonly cause: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
}

/** What becomes of a gathered delivery when its time has come. */
export type GatheredEnd =
  | { readonly state: 'pending'; readonly target: string; readonly request: RenderedRequest }
  | { readonly state: 'dead' | 'cancelled'; readonly code: string; readonly reason: string };

/** Where it leads is known when it is rendered. */
const targetOf = (kind: ActionKind): string => `${kind}:`;

/** Takes deliveries over that are deferred and have nothing to send yet, within the transaction of the first item. */
export async function openGathered(
  tx: EntityManager,
  deliveries: readonly GatheredDelivery[],
  now: number,
): Promise<void> {
  if (deliveries.length === 0) return;
  const keys = deliveries.map((one) => actionKeyOf({ ...one, generation: 0 }));
  const ids = deliveries.map(({ id }) => id);
  const rules = deliveries.map(({ rule }) => rule);
  const actions = deliveries.map(({ action }) => action);
  const targets = deliveries.map(({ kind }) => targetOf(kind));
  await tx.query(
    `insert into action_keys (key, id, state, deferred_for, due_at, updated_at, rule, action, target, give_up_at)
     select key, id, 'deferred', 'digest', due_at, $7, rule, action, target, due_at + interval '72 hours'
       from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
            as u (key, id, due_at, rule, action, target)`,
    [keys, ids, deliveries.map(({ dueAt }) => new Date(dueAt)), rules, actions, targets, new Date(now)],
  );
  await tx.query(
    `insert into deliveries (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, created_at, request)
     select id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, 0, $11, 'null'
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                   $9::text[], $10::text[])
            as u (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause)`,
    [
      ids,
      keys,
      deliveries.map(({ eventId }) => eventId),
      deliveries.map(({ occasion }) => occasion),
      rules,
      actions,
      deliveries.map(({ kind }) => kind),
      targets,
      deliveries.map(({ entity }) => entity),
      deliveries.map(({ cause }) => cause),
      new Date(now),
    ],
  );
}

/** Of the given deliveries, those that gather still: a person may have cancelled the others, or erased what they held. */
export async function stillGathering(
  tx: EntityManager,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.query<{ id: string }[]>(
    `select id from action_keys where id = any($1::uuid[]) and state = 'deferred' and deferred_for = 'digest'`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** It gathers for longer. */
export async function putOffGathered(tx: EntityManager, id: string, dueAt: number): Promise<void> {
  await tx.query(
    `update action_keys set due_at = $2, updated_at = now() where id = $1 and state = 'deferred' and deferred_for = 'digest'`,
    [id, new Date(dueAt)],
  );
}

/**
 * Ends the gathering of one delivery. Answers false when a person was faster: then nothing is done. Wake the queue
 * after the commit. `now` in ms.
 */
export async function endGathered(
  tx: EntityManager,
  id: string,
  end: GatheredEnd,
  now: number,
): Promise<boolean> {
  const [code, reason] = end.state === 'pending' ? [null, null] : [end.code, storable(end.reason)];
  const [ended] = await tx.query<[unknown[], number]>(
    `update action_keys set state = $2, deferred_for = null, due_at = $3, code = $4, reason = $5,
            target = coalesce($6, target), give_up_at = coalesce($7, give_up_at), updated_at = now()
      where id = $1 and state = 'deferred' and deferred_for = 'digest' returning id`,
    [
      id,
      end.state,
      new Date(now),
      code,
      reason,
      end.state === 'pending' ? end.target : null,
      end.state === 'pending' ? new Date(giveUpAt(end.request.retry, now)) : null,
    ],
  );
  if (ended.length === 0) return false;
  if (end.state === 'pending') {
    await tx.query('update deliveries set target = $2, request = $3::json where id = $1', [
      id,
      end.target,
      JSON.stringify(end.request),
    ]);
    await tx.query(
      'insert into target_lanes (lane, updated_at) values (target_lane_of($1), $2) on conflict do nothing',
      [end.target, new Date(now)],
    );
  }
  return true;
}

/** PostgreSQL's text takes every character but NUL. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '');
}
