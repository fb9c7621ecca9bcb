import type { EntityManager } from 'typeorm';
import type { PersonValues } from './person-values.js';

/** Of what digests have gathered, or keep because it could not be rendered, the keys stay. */
export async function eraseDigestItems(tx: EntityManager, events: readonly string[]): Promise<void> {
  await tx.query(`update digest_items set item = 'null' where event_id = any($1::uuid[])`, [events]);
}

/**
 * A rule may gather or throttle by a field that names a person. A digest that is open then takes nothing more and is
 * sent when it is due; a throttle begins anew.
 */
export async function eraseKeys(tx: EntityManager, values: PersonValues, erased: string): Promise<void> {
  const holding = `exists (select 1 from unnest($1::text[]) as form where strpos(key, form) > 0)`;
  const digests = await tx.query<{ id: string; key: string }[]>(
    `select id, key from digests where ${holding} order by id for update`,
    [values.forms],
  );
  const ids = digests.filter(({ key }) => values.isIn(key)).map(({ id }) => id);
  await tx.query(`update digests set key = $2 || ' ' || id where id = any($1::uuid[])`, [ids, erased]);
  // A digest has the id of its delivery.
  for (const table of ['deliveries', 'shadow_deliveries'])
    await tx.query(`update ${table} set entity = 'digest:' || $2 where id = any($1::uuid[])`, [ids, erased]);
  const throttles = await tx.query<{ rule: string; key: string }[]>(
    `select rule, key from throttles where ${holding}`,
    [values.forms],
  );
  const held = throttles.filter(({ key }) => values.isIn(key));
  await tx.query(
    'delete from throttles where (rule, key) in (select * from unnest($1::text[], $2::text[]))',
    [held.map(({ rule }) => rule), held.map(({ key }) => key)],
  );
}
