import type { DataSource, EntityManager } from 'typeorm';
import { utcDay } from '../config/utc-day.js';
import { binaryArray } from '../database/array-parameters.js';
import { prepared } from '../database/prepared.js';
import { hasEnded, phaseOf } from './state/phases.js';
import { type EntityState, NO_STATE, type RootState } from './state/root-state.js';

/** The state of a root entity as it was read. */
export interface StoredState {
  readonly entity: string;
  readonly state: RootState;
  /** Since when the root entity is in a terminal status; null: it is open, or not known to have ended. */
  readonly endedAt: Date | null;
  readonly updatedAt: Date;
}

/** Root entities, and of each the ids of the tasks that are wanted. */
export type WantedStates = ReadonlyMap<string, ReadonlySet<string>>;

/** So many tasks of one root entity are read at most where all are wanted: the open ones first. */
const MOST_TASKS = 5000;

interface Row {
  readonly entity: string;
  readonly state: Omit<RootState, 'tasks'>;
  readonly tasks: RootState['tasks'] | null;
}

/** What is known of root entities. Written by the transaction that decides their events, in their lanes. */
export class StateStore {
  constructor(private readonly dataSource: DataSource) {}

  /** By entity, each with the tasks that are wanted; those of which nothing is known are missing. The lanes must be locked. */
  async load(tx: EntityManager, wanted: WantedStates): Promise<Map<string, RootState>> {
    if (wanted.size === 0) return new Map();
    const pairs = [...wanted].flatMap(([entity, tasks]) => [...tasks].map((task) => [entity, task] as const));
    // One statement: most of what a small one takes is the way there and back.
    const rows = await tx.query<{ entity: string; task: string | null; state: string }[]>(
      `select entity, null as task, state::text as state from entity_states where entity = any($1::text[])
       union all
       select t.entity, t.task, t.state::text from unnest($2::text[], $3::text[]) as w (entity, task)
         join entity_tasks t on t.entity = w.entity and t.task = w.task`,
      [[...wanted.keys()], pairs.map(([entity]) => entity), pairs.map(([, task]) => task)],
    );
    const tasks = new Map<string, [string, EntityState][]>();
    for (const { entity, task, state } of rows) {
      if (task === null) continue;
      const list = tasks.get(entity);
      const one: [string, EntityState] = [task, JSON.parse(state) as EntityState];
      if (list) list.push(one);
      else tasks.set(entity, [one]);
    }
    const states = new Map<string, RootState>();
    for (const { entity, task, state } of rows) {
      if (task !== null) continue;
      const root = JSON.parse(state) as Omit<RootState, 'tasks'>;
      states.set(entity, { ...root, tasks: Object.fromEntries(tasks.get(entity) ?? []) });
    }
    return states;
  }

  /** Writes what has changed: of each root entity the tasks that are named, or all that it has. `now` in ms. */
  async save(
    tx: EntityManager,
    changed: ReadonlyMap<string, RootState>,
    now: number,
    tasksOf?: WantedStates,
  ): Promise<void> {
    if (changed.size === 0) return;
    const roots = [...changed];
    const tasks = roots.flatMap(([entity, state]) =>
      (tasksOf ? [...(tasksOf.get(entity) ?? [])] : Object.keys(state.tasks)).flatMap((task) => {
        const one = Object.hasOwn(state.tasks, task) ? state.tasks[task] : undefined;
        return one ? { entity, task, one } : [];
      }),
    );
    await prepared(
      tx,
      'save-states',
      `with tasks as (
         insert into entity_tasks (entity, task, state, open)
         select entity, task, state::json, open
           from unnest($5::text[], $6::text[], $7::text[], $8::boolean[]) as u (entity, task, state, open)
         on conflict (entity, task) do update set state = excluded.state, open = excluded.open)
       insert into entity_states (entity, state, ended_at, updated_at, touched_on)
       select entity, state::json, case when ended then $4::timestamptz end, $4, $9::date
         from unnest($1::text[], $2::text[], $3::boolean[]) as u (entity, state, ended)
       on conflict (entity) do update set state = excluded.state, updated_at = excluded.updated_at,
              touched_on = excluded.touched_on,
              ended_at = case when excluded.ended_at is not null then coalesce(entity_states.ended_at, excluded.ended_at) end`,
      [
        texts(roots.map(([entity]) => entity)),
        texts(roots.map(([, { process, nodes, tally }]) => JSON.stringify({ process, nodes, tally }))),
        roots.map(([, state]) => hasEnded(state)),
        new Date(now),
        texts(tasks.map(({ entity }) => entity)),
        texts(tasks.map(({ task }) => task)),
        texts(tasks.map(({ one }) => JSON.stringify(one))),
        tasks.map(({ one }) => phaseOf(one) === 'open'),
        utcDay(now),
      ],
    );
  }

  /** One root entity with all its tasks, or with the first some thousand of them. */
  async find(entity: string): Promise<StoredState | null> {
    const [row] = await this.dataSource.query<(Row & Pick<StoredState, 'endedAt' | 'updatedAt'>)[]>(
      `select entity, state, ended_at as "endedAt", updated_at as "updatedAt",
              (select json_object_agg(task, state) from (
                 select task, state from entity_tasks t where t.entity = s.entity
                  order by open desc, task limit ${MOST_TASKS}) as kept) as tasks
         from entity_states s where entity = $1`,
      [entity],
    );
    if (!row) return null;
    const { endedAt, updatedAt } = row;
    return { entity, state: { ...row.state, tasks: row.tasks ?? {} }, endedAt, updatedAt };
  }

  /** Root entities that have not ended with their open tasks, after one in their order, which is nobody's. */
  async openAfter(
    tx: EntityManager,
    after: string,
    limit: number,
  ): Promise<{ readonly entity: string; readonly state: RootState }[]> {
    const rows = await tx.query<Row[]>(
      `select entity, state,
              (select json_object_agg(task, t.state) from entity_tasks t where t.entity = s.entity and open) as tasks
         from entity_states s where ended_at is null and entity > $1 order by entity limit $2`,
      [after, limit],
    );
    return rows.map(({ entity, state, tasks }) => ({ entity, state: { ...state, tasks: tasks ?? {} } }));
  }

  /**
   * Forgets root entities that ended before a time, and whatever has not been touched since the day of another; with them
   * what was kept so that rules fire once. Answers how many; at most `limit`, whoever wants more calls again. Times in ms.
   */
  async forget(endedBefore: number, untouchedSince: number, limit: number): Promise<number> {
    return await this.dataSource.transaction(async (tx) => {
      const [gone] = await tx.query<[{ entity: string }[], number]>(
        `delete from entity_states where entity in (
           select entity from entity_states s
            where (ended_at < $1 or touched_on < $2::date)
              and not exists (select 1 from timers t where t.entity = s.entity and t.state in ('armed', 'asking', 'fetching'))
            order by entity limit $3 for update skip locked)
         returning entity`,
        [new Date(endedBefore), utcDay(untouchedSince), limit],
      );
      const entities = gone.map(({ entity }) => entity);
      for (const table of ['entity_tasks', 'once_keys', 'unsettled', 'timers'])
        await tx.query(`delete from ${table} where entity = any($1::text[])`, [entities]);
      return entities.length;
    });
  }
}

/** The driver would quote every quotation mark of the JSON. */
const texts = (values: readonly string[]): Buffer => binaryArray('text', values);

export function stateOf(states: ReadonlyMap<string, RootState>, entity: string): RootState {
  return states.get(entity) ?? NO_STATE;
}
