import type { DataSource } from 'typeorm';
import { binaryArray, plainArray } from '../database/array-parameters.js';
import { preparedAlone } from '../database/prepared.js';
import { type Ended, recordOf } from './delivery-end.js';

/** Whether nothing follows from these attempts but their own record: all delivered, and none of an order. */
export function isPlain(ended: readonly Ended[]): boolean {
  return ended.every(({ result, delivery }) => result.outcome === 'delivered' && delivery.orderKey === null);
}

/**
 * The happy path in one statement, which is a transaction of its own: deliveries that were all taken, by targets that
 * nothing is remembered of. Answers the deliveries whose fence still held; null: a lane remembers a failure, nothing was
 * done, and the whole settlement is due. `now` in ms.
 */
export async function settleDelivered(
  dataSource: DataSource,
  ended: readonly Ended[],
  instance: string,
  now: number,
): Promise<ReadonlySet<string> | null> {
  const attempts = ended.flatMap((one) => recordOf(one, instance));
  const targets = reachedTargets(ended);
  const [row] = await preparedAlone<{ quiet: boolean; ids: string[] }>(
    dataSource,
    'settle-delivered',
    SETTLE,
    [
      [...new Set(ended.map(({ delivery }) => delivery.lane))],
      plainArray(attempts.map((one) => one.deliveryId)),
      plainArray(attempts.map((one) => one.attempt)),
      plainArray(attempts.map((one) => one.startedAt.getTime())),
      plainArray(attempts.map((one) => one.durationMs)),
      binaryArray(
        'text',
        attempts.map((one) => one.detail),
      ),
      plainArray(attempts.map((one) => one.status)),
      binaryArray(
        'text',
        attempts.map((one) => one.answer),
      ),
      instance,
      new Date(now),
      targets.map(({ target }) => target),
      targets.map(({ rule }) => rule),
      targets.map(({ kind }) => kind),
      plainArray(targets.map(({ at }) => at)),
    ],
  );
  return row?.quiet === true ? new Set(row.ids) : null;
}

/** When each rule last reached each target. */
function reachedTargets(
  ended: readonly Ended[],
): readonly { readonly target: string; readonly rule: string; readonly kind: string; readonly at: number }[] {
  const last = new Map<string, { target: string; rule: string; kind: string; at: number }>();
  for (const { delivery, startedAt, durationMs } of ended) {
    const { target, rule, kind } = delivery;
    const key = `${rule} ${target}`;
    const at = Math.max(startedAt + durationMs, last.get(key)?.at ?? 0);
    last.set(key, { target, rule, kind, at });
  }
  return [...last.values()];
}

const SETTLE = `
  with lanes as materialized (
    select not exists (select from target_lanes where lane = any($1::text[])
                          and (breaker <> 'closed' or failures > 0 or ramp is not null)) as quiet),
  ended as materialized (
    select * from unnest($2::uuid[], $3::int[], $4::float8[], $5::int[], $6::text[], $7::int[], $8::text[])
                  as u (id, attempt, started_at, duration_ms, detail, status, answer)
     where (select quiet from lanes)),
  changed as (
    update action_keys t set state = 'delivered', due_at = $10, code = null, reason = null, lease_until = null,
           leased_by = null, updated_at = now()
      from ended s
     where t.id = s.id and t.attempt = s.attempt and t.state = 'delivering' and t.leased_by = $9
    returning t.id),
  kept as (
    insert into attempts (delivery_id, attempt, started_at, duration_ms, outcome, code, detail, status, answer, instance,
                          ambiguous)
    select id, attempt, to_timestamp(started_at / 1000), duration_ms, 'delivered', null, detail, status, answer, $9, false
      from ended join changed using (id)
    on conflict (delivery_id, attempt) do nothing),
  reached as (
    insert into targets as t (target, rule, kind, last_delivered_at)
    select target, rule, kind, to_timestamp(at / 1000)
      from unnest($11::text[], $12::text[], $13::text[], $14::float8[]) as u (target, rule, kind, at)
     where exists (select from changed)
     order by target, rule
    on conflict (target, rule) do update set
      last_delivered_at = greatest(t.last_delivered_at, excluded.last_delivered_at))
  select quiet, array(select id from changed) as ids from lanes`;
