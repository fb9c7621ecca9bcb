import type { EntityManager } from 'typeorm';
import { preparedLookup } from '../database/prepared.js';
import type { Ladder } from './ladder.js';
import { LadderBook } from './ladder-book.js';
import { type ReadEvents, tasksWanted } from './read-events.js';
import type { StateStore } from './state-store.js';
import type { EntityState, RootState } from './state/root-state.js';
import { LADDER_COLUMNS, STANDING } from './timer-store.js';
import { type Unsettled, UNSETTLED_COLUMNS } from './unsettled-store.js';

/** What stands of some root entities before their events are decided. */
export interface StandingRows {
  readonly states: Map<string, RootState>;
  readonly book: LadderBook;
  /** The earliest event first. */
  readonly unsettled: readonly Unsettled[];
}

const SQL = `
  select 'root' as kind, entity, null as task, state::text as content from entity_states where entity = any($1::text[])
  union all
  select 'task', t.entity, t.task, t.state::text
    from unnest($2::text[], $3::text[]) as w (entity, task) join entity_tasks t on t.entity = w.entity and t.task = w.task
  union all
  select 'ladder', entity, null, row_to_json(l)::text
    from (select ${LADDER_COLUMNS} from timers
           where entity = any($1::text[]) and state in ${STANDING} and (subject = any($4::text[]) or entity = any($5::text[]))) as l
  union all
  select 'open', entity, null, row_to_json(u)::text
    from (select ${UNSETTLED_COLUMNS} from unsettled
           where entity = any($1::text[]) and until > $6 and (scopes && $7::text[] or entity = any($8::text[]))) as u`;

/**
 * Reads the states, the ladders and the open verdicts that some events may change, in one statement: most of what a
 * small one takes is its planning and the way there and back. The lanes must be locked. `now` in ms.
 */
export async function readStanding(
  tx: EntityManager,
  store: StateStore,
  read: ReadEvents,
  now: number,
): Promise<StandingRows> {
  const { tasks, ladders, scopes } = read;
  if (tasks.size === 0) return { states: new Map(), book: new LadderBook([]), unsettled: [] };
  const pairs = [...tasks].flatMap(([entity, own]) => [...own].map((task) => [entity, task] as const));
  const rows = await preparedLookup<{
    kind: string;
    entity: string;
    task: string | null;
    content: string;
  }>(tx, 'standing-rows', SQL, [
    [...tasks.keys()],
    pairs.map(([entity]) => entity),
    pairs.map(([, task]) => task),
    ...partsOf(ladders),
    new Date(now),
    ...partsOf(scopes),
  ]);
  const roots: [string, Omit<RootState, 'tasks'>][] = [];
  const states = new Map<string, [string, EntityState][]>();
  const standing: Ladder[] = [];
  const unsettled: Unsettled[] = [];
  for (const { kind, entity, task, content } of rows) {
    const row: unknown = JSON.parse(content);
    if (kind === 'root') roots.push([entity, row as Omit<RootState, 'tasks'>]);
    else if (kind === 'ladder') standing.push(row as Ladder);
    else if (kind === 'open') unsettled.push(row as Unsettled);
    else if (task !== null) {
      const list = states.get(entity);
      if (list) list.push([task, row as EntityState]);
      else states.set(entity, [[task, row as EntityState]]);
    }
  }
  const found = new Map(
    roots.map(([entity, root]): [string, RootState] => [
      entity,
      { ...root, tasks: Object.fromEntries(states.get(entity) ?? []) },
    ]),
  );
  const book = new LadderBook(standing.sort((a, b) => (a.id < b.id ? -1 : 1)));
  unsettled.sort((a, b) => (a.eventId < b.eventId || (a.eventId === b.eventId && a.rule < b.rule) ? -1 : 1));
  // Seldom: an event of a node or process is about tasks that it does not name.
  const more = tasksWanted(read, book, unsettled);
  if (more.size > 0) for (const [entity, state] of await store.load(tx, more)) found.set(entity, state);
  return { states: found, book, unsettled };
}

/** The names that are wanted of any entity, and the entities of which all are. */
function partsOf(wanted: ReadonlyMap<string, ReadonlySet<string> | 'all'>): readonly [string[], string[]] {
  const names = new Set<string>();
  const whole: string[] = [];
  for (const [entity, some] of wanted) {
    if (some === 'all') whole.push(entity);
    else for (const name of some) names.add(name);
  }
  return [[...names], whole];
}
