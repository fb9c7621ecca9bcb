import type { DataSource } from 'typeorm';
import { leastIdOf } from '../../events/received-at.js';
import type { IdRange } from './id-range.js';

const DAY = 86_400_000;
/** How many of the newest rows are looked through before an index is asked: at first, and when that seems worth it. */
export interface Windows {
  readonly few: number;
  readonly more: number;
}

const WINDOWS: Windows = { few: 1000, more: 20_000 };
const DAYS_AT_ONCE = 32;

/** What conditions may read. Nothing wide. */
const COLUMNS = {
  event_search: 'id, terms',
  deliveries: 'id, rule, action, kind, target, occasion',
  evaluations: 'event_id, occasion, decided_at, matched, unknown, errors',
} as const;

/** Which rows of a table that is partitioned by day of its id. All of it is SQL of our own over `s`. */
export interface Search {
  readonly table: keyof typeof COLUMNS;
  /** The column that is the UUIDv7. */
  readonly id: 'id' | 'event_id';
  /** What an index other than that of the ids answers; empty: all rows. */
  readonly indexed: readonly string[];
  /** What has to be looked up for each row. */
  readonly rest: readonly string[];
  /** Of `$1` on. */
  readonly parameters: readonly unknown[];
  readonly range: IdRange;
  readonly limit: number;
  /** Replaced only by tests, which have few rows. */
  readonly windows?: Windows | undefined;
}

/**
 * The ids of the newest rows that fit, the newest first.
 *
 * The planner cannot know whether what is asked for is frequent among the newest rows, and when it guesses wrong it
 * reads millions. So it is told: first the newest rows one by one, which is enough for whatever is frequent; then an
 * index, a day at a time until there are enough. OFFSET 0 and MATERIALIZED keep it from guessing again.
 */
export async function newestFirst(dataSource: DataSource, search: Search): Promise<string[]> {
  if (search.range.low >= search.range.high) return [];
  if (search.indexed.length === 0 && search.rest.length === 0)
    return (await newest(dataSource, search)).found;
  const { few, more } = search.windows ?? WINDOWS;
  const first = await newest(dataSource, search, few);
  if (first.found.length >= search.limit || first.end === null) return first.found;
  let found = first.found;
  let range = { ...search.range, high: first.end };
  // As frequent as among those, so many more are needed.
  const needed = Math.ceil((few * 1.5 * (search.limit - found.length)) / Math.max(found.length, 0.01));
  if (needed <= more) {
    const limit = search.limit - found.length;
    const second = await newest(dataSource, { ...search, range, limit }, Math.max(needed, few));
    found = [...found, ...second.found];
    if (found.length >= search.limit || second.end === null) return found;
    range = { ...range, high: second.end };
  }
  return [...found, ...(await byDay(dataSource, { ...search, range, limit: search.limit - found.length }))];
}

/** Looks through the newest rows one by one. `end`: the id before which there are more rows; null: there are none. */
async function newest(
  dataSource: DataSource,
  { table, id, indexed, rest, parameters, range, limit }: Search,
  size = limit,
): Promise<{ readonly found: string[]; readonly end: string | null }> {
  const [low, high] = [parameters.length + 1, parameters.length + 2];
  const [row] = await dataSource.query<[{ found: string[] | null; looked: number; end: string | null }]>(
    `with s as materialized (
       select ${COLUMNS[table]} from ${table} where ${id} >= $${low}::uuid and ${id} < $${high}::uuid order by ${id} desc fetch first ${size} rows with ties),
     hit as materialized (
       select s.${id} as id from s where ${where([...indexed, ...rest])} limit ${limit})
     select (select array_agg(id) from hit) as found, (select count(*)::int from s) as looked,
            (select ${id} from s order by ${id} limit 1) as "end"`,
    [...parameters, range.low, range.high],
  );
  return { found: row.found ?? [], end: row.looked < size ? null : row.end };
}

/**
 * Asks the index, from the newest day on, until there are enough. Each day's partition by its own name: of a range of
 * ids that it does not know the planner thinks that it is narrow, and reads all of it.
 */
async function byDay(dataSource: DataSource, search: Search): Promise<string[]> {
  const { id, indexed, rest, parameters, range, limit } = search;
  const [low, high] = [parameters.length + 1, parameters.length + 2];
  const found: string[] = [];
  const partitions = await partitionsOf(dataSource, search);
  for (let at = 0; at < partitions.length && found.length < limit; at += DAYS_AT_ONCE) {
    const days = partitions.slice(at, at + DAYS_AT_ONCE).map(({ name, isWithin }) => {
      const within = isWithin ? '' : `where id >= $${low}::uuid and id < $${high}::uuid`;
      return `(select id from (
          select s.${id} as id from ${name} s where ${where([...indexed, ...rest])} offset 0) as fitting
         ${within} order by id desc limit ${limit})`;
    });
    const rows = await dataSource.query<{ id: string }[]>(
      `with range as (select $${low}::uuid, $${high}::uuid)
       select id from (${days.join(' union all ')}) as day limit ${limit - found.length}`,
      [...parameters, range.low, range.high],
    );
    found.push(...rows.map((row) => row.id));
  }
  return found;
}

/** The partitions that hold rows of the range, the newest first. */
async function partitionsOf(
  dataSource: DataSource,
  { table, range }: Search,
): Promise<{ readonly name: string; readonly isWithin: boolean }[]> {
  const rows = await dataSource.query<{ name: string }[]>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = $1::regclass order by c.relname desc`,
    [table],
  );
  return rows.flatMap(({ name }) => {
    const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
    const begin = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
    const [from, to] = [leastIdOf(begin), leastIdOf(begin + DAY)];
    if (Number.isNaN(begin) || to <= range.low || from >= range.high) return [];
    return [{ name, isWithin: from >= range.low && to <= range.high }];
  });
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'true' : conditions.map((one) => `(${one})`).join(' and ');
}
