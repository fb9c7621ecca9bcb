import type { EntityManager } from 'typeorm';
import type { Ended } from './delivery-end.js';

/** Writes down when targets were reached and when not, within the transaction that settled the attempts. */
export async function recordTargets(tx: EntityManager, ended: readonly Ended[]): Promise<void> {
  const made = ended.filter(({ result }) => result.outcome !== 'deferred');
  if (made.length === 0) return;
  const failed = made.map(({ result }) => result.outcome !== 'delivered');
  // Sorted, so that two instances wait for each other in one order.
  await tx.query(
    `insert into targets as t (target, rule, kind, last_delivered_at, last_failed_at, last_code)
     select target, rule, min(kind), max(at) filter (where not failed), max(at) filter (where failed),
            (array_agg(code order by at desc) filter (where failed))[1]
       from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::text[])
            as u (target, rule, kind, at, failed, code)
      group by target, rule order by target, rule
     on conflict (target, rule) do update set
       last_delivered_at = greatest(t.last_delivered_at, excluded.last_delivered_at),
       last_failed_at = greatest(t.last_failed_at, excluded.last_failed_at),
       last_code = case when excluded.last_failed_at >= coalesce(t.last_failed_at, '-infinity')
                        then excluded.last_code else t.last_code end`,
    [
      made.map(({ delivery }) => delivery.target),
      made.map(({ delivery }) => delivery.rule),
      made.map(({ delivery }) => delivery.kind),
      made.map(({ startedAt, durationMs }) => new Date(startedAt + durationMs)),
      failed,
      made.map(({ result }, index) => (failed[index] === true ? result.code : null)),
    ],
  );
}
