import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';
import type { NewDelivery } from '../action/delivery-store.js';
import { actionKeyOf } from '../action/delivery-store.js';
import type { GatheredEnd } from '../action/gathered-delivery.js';
import type { ShadowDelivery } from './admission.js';
import type { DigestItem } from './digest-store.js';
import type { RuleSet } from './rule-set.js';
import { ruleOfGate } from './shadow.js';

/** `gathering`: the message of a digest that is not due yet; `cancelled`: one that came to nothing. */
export type ShadowState = 'pending' | 'held' | 'dead' | 'gathering' | 'cancelled';

interface ShadowRow {
  readonly id: string;
  readonly key: string;
  readonly shadowOf: string | null;
  readonly twinKey: string | null;
  readonly eventId: string;
  readonly occasion: string;
  readonly delivery: Pick<
    NewDelivery,
    'rule' | 'action' | 'kind' | 'target' | 'entity' | 'cause' | 'generation'
  >;
  readonly dueAt: Date;
  readonly state: ShadowState;
  readonly code: string | null;
  readonly reason: string | null;
  readonly request: NewDelivery['request'];
}

/**
 * Keeps what rules in shadow mode would send, within the transaction of their decision. What is kept already stays as it
 * is. `now` in ms.
 */
export async function recordShadows(
  tx: EntityManager,
  shadows: readonly ShadowDelivery[],
  now: number,
): Promise<void> {
  await insert(
    tx,
    shadows.map(({ delivery, shadowOf, eventId, occasion, dueAt }, seq) => ({
      ...keysOf(delivery, shadowOf),
      id: uuidv7({ msecs: now, seq }),
      eventId,
      occasion,
      delivery,
      dueAt: new Date(dueAt ?? now),
      state: delivery.state,
      code: delivery.code,
      reason: delivery.reason,
      request: delivery.request,
    })),
    now,
  );
}

/** The messages of digests that were opened for their first items. An id is that of the digest, UUIDv7 of now. */
export async function openShadowDigests(
  tx: EntityManager,
  digests: readonly { readonly id: string; readonly first: DigestItem }[],
  now: number,
): Promise<void> {
  await insert(
    tx,
    digests.map(({ id, first }) => {
      const { action, kind, cause, shadowOf = null, eventId, occasion, dueAt } = first;
      const { name: rule } = ruleOfGate(first.rule);
      const about = { rule, action, entity: `digest:${first.key}`, cause, generation: 0 };
      return {
        ...keysOf(about, shadowOf),
        id,
        eventId,
        occasion,
        // Where it leads is known when it is rendered.
        delivery: { ...about, kind, target: `${kind}:` },
        dueAt: new Date(dueAt),
        state: 'gathering' as const,
        code: null,
        reason: null,
        request: null,
      };
    }),
    now,
  );
}

/** Of the given ones, those that gather still: what the others held may have been erased. */
export async function shadowsGathering(
  tx: EntityManager,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.query<{ id: string }[]>(
    `select id from shadow_deliveries where id = any($1::uuid[]) and state = 'gathering'`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Notes which rules of a set that becomes the live one are in shadow mode, within that transaction. */
export async function noteShadowRules(
  tx: EntityManager,
  { hash, rules }: Pick<RuleSet, 'hash' | 'rules'>,
): Promise<void> {
  const shadows = rules.filter(({ mode, enabled }) => mode === 'shadow' && enabled);
  if (shadows.length === 0) return;
  await tx.query(
    `insert into shadow_rules (rule, rule_set, shadow_of)
     select rule, $2, shadow_of from unnest($1::text[], $3::text[]) as u (rule, shadow_of) on conflict do nothing`,
    [shadows.map(({ name }) => name), hash, shadows.map(({ shadowOf }) => shadowOf)],
  );
}

/** It gathers for longer; `dueAt` in ms. */
export async function putOffShadow(tx: EntityManager, id: string, dueAt: number): Promise<void> {
  await tx.query(`update shadow_deliveries set due_at = $2 where id = $1 and state = 'gathering'`, [
    id,
    new Date(dueAt),
  ]);
}

/** Ends the gathering of one message; `now` in ms. */
export async function endShadowDigest(
  tx: EntityManager,
  id: string,
  end: GatheredEnd,
  now: number,
): Promise<void> {
  const sent = end.state === 'pending' ? end : null;
  const [code, reason] = end.state === 'pending' ? [null, null] : [end.code, storable(end.reason)];
  await tx.query(
    `update shadow_deliveries set state = $2, due_at = $3, code = $4, reason = $5, target = coalesce($6, target),
            request = $7::json where id = $1 and state = 'gathering'`,
    [id, end.state, new Date(now), code, reason, sent?.target ?? null, JSON.stringify(sent?.request ?? null)],
  );
}

function keysOf(
  about: Parameters<typeof actionKeyOf>[0],
  shadowOf: string | null,
): Pick<ShadowRow, 'key' | 'shadowOf' | 'twinKey'> {
  return {
    key: actionKeyOf(about),
    shadowOf,
    twinKey: shadowOf === null ? null : actionKeyOf({ ...about, rule: shadowOf }),
  };
}

async function insert(tx: EntityManager, unsorted: readonly ShadowRow[], now: number): Promise<void> {
  if (unsorted.length === 0) return;
  // Sorted, so that two transactions with the same keys wait for each other in one order.
  const rows = [...unsorted].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  await tx.query(
    `with fresh as (
       insert into shadow_keys (key, id, rule, twin_key)
       select key, id, rule, twin_key
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) with ordinality as u (key, id, rule, twin_key, place)
        order by place
       on conflict (key) do nothing returning id)
     insert into shadow_deliveries (id, action_key, shadow_of, twin_key, event_id, occasion, rule, action, kind, target,
                                    entity, cause, generation, decided_at, due_at, state, code, reason, request)
     select u.id, u.key, u.shadow_of, u.twin_key, u.event_id, u.occasion, u.rule, u.action, u.kind, u.target, u.entity,
            u.cause, u.generation, $18, u.due_at, u.state, u.code, u.reason, u.request::json
       from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[],
                   $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::timestamptz[], $15::text[],
                   $16::text[], $17::text[], $19::text[])
            as u (key, id, rule, twin_key, shadow_of, event_id, occasion, action, kind, target, entity, cause, generation,
                  due_at, state, code, reason, request)
       join fresh on fresh.id = u.id`,
    [
      rows.map(({ key }) => key),
      rows.map(({ id }) => id),
      rows.map(({ delivery }) => delivery.rule),
      rows.map(({ twinKey }) => twinKey),
      rows.map(({ shadowOf }) => shadowOf),
      rows.map(({ eventId }) => eventId),
      rows.map(({ occasion }) => occasion),
      rows.map(({ delivery }) => delivery.action),
      rows.map(({ delivery }) => delivery.kind),
      rows.map(({ delivery }) => delivery.target),
      rows.map(({ delivery }) => delivery.entity),
      rows.map(({ delivery }) => delivery.cause),
      rows.map(({ delivery }) => delivery.generation),
      rows.map(({ dueAt }) => dueAt),
      rows.map(({ state }) => state),
      rows.map(({ code }) => code),
      rows.map(({ reason }) => (reason === null ? null : storable(reason))),
      new Date(now),
      rows.map(({ request }) => JSON.stringify(request)),
    ],
  );
}

/** PostgreSQL's text takes every character but NUL. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '');
}
