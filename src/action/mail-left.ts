import type { EntityManager } from 'typeorm';
import type { Ended } from './delivery-end.js';

/** Notes who has not got a mail that others have: from then on it goes to them alone, also when it is redriven. */
export async function recordLeft(tx: EntityManager, ended: readonly Ended[]): Promise<void> {
  const some = ended.flatMap(({ row: { id }, delivery: { request }, result: { left } }) =>
    left === undefined || request?.kind !== 'email'
      ? []
      : [{ id, request: { ...request, content: { ...request.content, left } } }],
  );
  if (some.length === 0) return;
  await tx.query(
    `update deliveries d set request = s.request
       from unnest($1::uuid[], $2::json[]) as s (id, request)
      where d.id = s.id and d.request::text <> 'null'`, // not what was erased meanwhile
    [some.map(({ id }) => id), some.map(({ request }) => JSON.stringify(request))],
  );
}
