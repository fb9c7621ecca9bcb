import type { DataSource } from 'typeorm';
import type { IdRange } from './id-range.js';

/** Which events, as conditions over `s`, of `$1` on. */
export interface Stretch {
  readonly conditions: readonly string[];
  readonly parameters: readonly unknown[];
  readonly range: IdRange;
  /** How many events are looked through. */
  readonly size: number;
}

/**
 * The ids of events that fit, the oldest first, of one stretch of all events; `end`: after which the next stretch
 * begins, null when this was the last. No index but that of the ids: whoever takes out events goes through them all.
 */
export async function oldestFirst(
  dataSource: DataSource,
  { conditions, parameters, range, size }: Stretch,
): Promise<{ readonly found: string[]; readonly end: string | null }> {
  const [low, high] = [parameters.length + 1, parameters.length + 2];
  const from = conditions.length === 0 ? 'select id from events' : 'select id, terms from event_search';
  const fit = conditions.length === 0 ? 'true' : conditions.map((one) => `(${one})`).join(' and ');
  const [row] = await dataSource.query<[{ found: string[] | null; looked: number; end: string | null }]>(
    `with s as materialized (${from} where id > $${low}::uuid and id < $${high}::uuid order by id limit ${size})
     select (select array_agg(s.id order by s.id) from s where ${fit}) as found,
            (select count(*)::int from s) as looked,
            (select id from s order by id desc limit 1) as "end"`,
    [...parameters, range.low, range.high],
  );
  return { found: row.found ?? [], end: row.looked < size ? null : row.end };
}
