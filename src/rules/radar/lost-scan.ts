import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { utcDay } from '../../config/utc-day.js';
import { factsOf } from '../../events/event-facts.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { EventStore } from '../../events/event-store.js';
import { receivedAtOf } from '../../events/received-at.js';
import type { EntityState, RootState } from '../state/root-state.js';
import { type Sign, signsOf } from './lost-signs.js';

const HOUR_MS = 3_600_000;
/** Events of one entity come together; what is seen within this is not looked at yet. */
export const GRACE_MS = 15 * 60_000;
/** The platform delivers what failed again for 7.1 hours (feishu-events 1.7): until then nothing is surely lost. */
export const DELIVERED_WITHIN_MS = 8 * HOUR_MS;
/** After so long without an event, an open process is asked about. */
export const QUIET_MS = 72 * HOUR_MS;
const AT_ONCE = 300;
/** So many tasks of one root entity are looked at. */
const MOST_TASKS = 5000;
/** The state's own numbers of nodes whose tasks are waited for (`node_type`): approvals alone. */
const APPROVAL_NODE = 1;

/** A root entity of which an event may have been lost. */
export interface Suspect {
  readonly entity: string;
  /** Empty: it is open, and nothing has been heard of it for long. */
  readonly signs: readonly Sign[];
  /** Stored id of its last event, and when that happened, ms. */
  readonly lastEvent: string;
  readonly lastAt: number;
  readonly lastType: string;
  /** When something was decided about it last, ms. */
  readonly updatedAt: number;
}

/** Fingerprint of what is known of a suspect: with another one there is something new to ask. */
export function aboutOf({ lastEvent, signs }: Pick<Suspect, 'lastEvent' | 'signs'>): string {
  return createHash('sha256')
    .update(JSON.stringify([lastEvent, signs]))
    .digest('hex');
}

/** What was asked about an entity last. */
export interface AskedBefore {
  readonly entity: string;
  readonly askedAt: Date;
  readonly times: number;
  /** As `aboutOf` has it. */
  readonly about: string;
  readonly outcome: 'healed' | 'agrees' | 'not-listed' | 'failed';
  readonly detail: string;
}

interface Row {
  readonly entity: string;
  readonly state: string;
  readonly tasks: string | null;
  readonly day: string;
  readonly updated: number;
}

/** Looks through what is known of root entities for what cannot be unless events were lost. */
export class LostScan {
  constructor(
    private readonly dataSource: DataSource,
    private readonly events: EventStore,
  ) {}

  /**
   * Those that were touched since a day, and not within the grace time; some more by their ids. Nothing while events wait
   * for their decision longer than that. Times in ms.
   */
  async suspects(
    catalogue: Catalogue,
    {
      since,
      now,
      graceMs,
      also,
    }: {
      readonly since: number;
      readonly now: number;
      readonly graceMs: number;
      readonly also: readonly string[];
    },
  ): Promise<readonly Suspect[] | 'behind'> {
    if (await this.isBehind(now - graceMs)) return 'behind';
    const found = new Map<string, Suspect>();
    const until = new Date(now - graceMs);
    const take = async (rows: readonly Row[]): Promise<void> => {
      for (const row of rows) {
        const suspect = await this.suspectIn(row, catalogue);
        if (suspect && suspect.signs.length > 0) found.set(row.entity, suspect);
      }
    };
    let [day, entity] = [utcDay(since), ''];
    for (;;) {
      const rows = await this.dataSource.query<Row[]>(
        `${ROWS} where (touched_on, entity) > ($1::date, $2) and updated_at <= $3 order by touched_on, entity limit ${AT_ONCE}`,
        [day, entity, until],
      );
      await take(rows);
      const last = rows.at(-1);
      if (!last || rows.length < AT_ONCE) break;
      [day, entity] = [last.day, last.entity];
    }
    const left = also.filter((one) => !found.has(one));
    for (let at = 0; at < left.length; at += AT_ONCE)
      await take(
        await this.dataSource.query<Row[]>(`${ROWS} where entity = any($1::text[]) and updated_at <= $2`, [
          left.slice(at, at + AT_ONCE),
          until,
        ]),
      );
    return [...found.values()];
  }

  /** Open ones of which nothing was heard for long, those first that nobody has asked about; each the rarer the longer it lasts. */
  async quiet(now: number, limit: number): Promise<readonly Suspect[]> {
    const rows = await this.dataSource.query<Row[]>(
      `${ROWS} left join radar_asked a on a.entity = s.entity
        where s.ended_at is null and s.touched_on <= $1::date and s.updated_at <= $2 and s.entity like 'process:%'
          and (a.entity is null or a.asked_at <= $3::timestamptz - interval '3 days' * power(2, least(a.times - 1, 4)))
        order by a.asked_at nulls first, s.touched_on limit $4`,
      [utcDay(now - QUIET_MS), new Date(now - QUIET_MS), new Date(now), limit],
    );
    return rows.flatMap((row) => suspectOf(row, readState(row), []) ?? []);
  }

  /** One entity, whatever is seen of it. Null: nothing is known of it. */
  async find(entity: string, catalogue: Catalogue): Promise<Suspect | null> {
    const [row] = await this.dataSource.query<Row[]>(`${ROWS} where entity = $1`, [entity]);
    return row ? await this.suspectIn(row, catalogue) : null;
  }

  /** The state of one, with its tasks. */
  async stateOf(entity: string): Promise<RootState | null> {
    const [row] = await this.dataSource.query<Row[]>(`${ROWS} where entity = $1`, [entity]);
    return row ? readState(row) : null;
  }

  async asked(entities: readonly string[]): Promise<ReadonlyMap<string, AskedBefore>> {
    const rows = await this.dataSource.query<AskedBefore[]>(
      `select entity, asked_at as "askedAt", times, about, outcome, detail
         from radar_asked where entity = any($1::text[])`,
      [entities],
    );
    return new Map(rows.map((row) => [row.entity, row]));
  }

  private async suspectIn(row: Row, catalogue: Catalogue): Promise<Suspect | null> {
    const state = readState(row);
    const signs: Sign[] = [];
    for (const sign of signsOf(state, catalogue)) {
      const node = sign.of.slice('node:'.length);
      if (sign.sign !== 'no-tasks' || (await this.isApproval(state.nodes[node]))) signs.push(sign);
    }
    return suspectOf(row, state, signs);
  }

  /** Nodes of other kinds are passed without anybody's task. */
  private async isApproval(node: EntityState | undefined): Promise<boolean> {
    const event = node && (await this.events.find(node.latest));
    if (!event || event.erasedAt !== null) return false;
    try {
      return factsOf(event).get('node_type') === APPROVAL_NODE;
    } catch {
      return false;
    }
  }

  private async isBehind(before: number): Promise<boolean> {
    const [row] = await this.dataSource.query<{ id: string }[]>(
      `select id from event_keys where state = 'undecided' order by id limit 1`,
    );
    return row !== undefined && receivedAtOf(row.id) < before;
  }
}

const ROWS = `select s.entity, s.state::text as state, (extract(epoch from s.updated_at) * 1000)::float8 as updated, to_char(s.touched_on, 'YYYY-MM-DD') as day,
       (select json_object_agg(task, k.state)::text from (
          select task, t.state from entity_tasks t where t.entity = s.entity
           order by open desc, task limit ${MOST_TASKS}) as k) as tasks
  from entity_states s`;

function readState({ state, tasks }: Row): RootState {
  const root = JSON.parse(state) as Omit<RootState, 'tasks'>;
  return { ...root, tasks: tasks === null ? {} : (JSON.parse(tasks) as RootState['tasks']) };
}

function suspectOf(
  { entity, updated: updatedAt }: Row,
  { tally: { last } }: RootState,
  signs: readonly Sign[],
): Suspect | null {
  return (
    last && { entity, signs, lastEvent: last.id, lastAt: last.at[0], lastType: last.eventType, updatedAt }
  );
}
