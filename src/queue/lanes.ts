import { crc32 } from 'node:zlib';
import type { EntityManager } from 'typeorm';

export const LANES = 256;
const LANE_LOCKS = 4157002;

/** The lane of a root entity, 0 to 255: everything of one entity is decided in one lane, in order. */
export function laneOf(entity: string): number {
  return crc32(entity) % LANES;
}

/**
 * Locks, for the rest of the transaction, up to `most` lanes that have rows with `waiting` true and that no other
 * instance works on. An advisory lock dies with its connection, so a killed instance holds no lane.
 */
export async function lockLanes(
  tx: EntityManager,
  table: string,
  waiting: string,
  most: number,
): Promise<number[]> {
  const lanes = await tx.query<{ lane: number }[]>(
    `with recursive busy as (
       (select lane from ${table} where ${waiting} order by lane limit 1)
       union all
       select (select t.lane from ${table} t where ${waiting} and t.lane > busy.lane order by t.lane limit 1)
         from busy where busy.lane is not null)
     select lane from (select lane from busy where lane is not null order by random() limit $1) as chosen
      where pg_try_advisory_xact_lock($2, lane)`,
    [most, LANE_LOCKS],
  );
  return lanes.map(({ lane }) => lane);
}

/** Locks the given lanes for the rest of the transaction, waiting for whoever works on them. */
export async function waitForLanes(tx: EntityManager, lanes: readonly number[]): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock($1, lane) from unnest($2::int[]) as l (lane)`, [
    LANE_LOCKS,
    [...lanes].sort((a, b) => a - b),
  ]);
}
