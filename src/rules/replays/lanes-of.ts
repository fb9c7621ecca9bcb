import type { EntityManager } from 'typeorm';
import { laneOf } from '../../queue/lanes.js';

/** The lanes of some events, and of what deliveries call the entity that they are about. */
export async function lanesOf(
  tx: EntityManager,
  eventIds: readonly string[],
  entity: string | null = null,
): Promise<readonly number[]> {
  const rows = await tx.query<{ lane: number }[]>(
    'select distinct lane from event_keys where id = any($1::uuid[])',
    [eventIds],
  );
  const own = entity === null || entity.startsWith('event:') ? [] : [laneOf(entity)];
  return [...new Set([...rows.map(({ lane }) => lane), ...own])];
}
