import type { EntityManager } from 'typeorm';
import { PERSONAL, termOf } from './event-terms.js';

/**
 * Ids of the events of a root entity that can be read still, in no order; null: there are more than `most`. What was
 * received this moment may be missing: it is not indexed yet.
 */
export async function idsOfEntity(
  tx: EntityManager,
  rootEntity: string,
  most: number,
): Promise<readonly string[] | null> {
  const term = termOf('entity', rootEntity);
  const rows = await tx.query<{ id: string }[]>(
    `select e.id from event_search s join events e on e.id = s.id
      where s.terms && $1::text[] and e.root_entity = $2 and e.erased_at is null limit $3`,
    [[term, PERSONAL + term], rootEntity, most + 1],
  );
  return rows.length > most ? null : rows.map(({ id }) => id);
}
