import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { ClaimedRow } from '../../queue/leased-rows.js';
import type { OutcomeCounts } from './outcome-counts.js';

/** The queue of replays and recalls that wait for a worker. */
export const REPLAY_QUEUE = 'replays';
/** So many events by one order at most: it is gone through in minutes, and can be looked at by a person. */
export const MOST_REPLAYED = 10_000;

export const REPLAY_KINDS = ['replay', 'recall'] as const;
export type ReplayKind = (typeof REPLAY_KINDS)[number];
export const REPLAY_STATES = ['pending', 'running', 'done', 'cancelled', 'failed'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

/** What a person has ordered. */
export interface NewReplay {
  readonly kind: ReplayKind;
  readonly createdBy: string;
  readonly purpose: string | null;
  /** Hash of the rule set that evaluates. */
  readonly ruleSet: string;
  /** The one rule that is evaluated, or recalled; null: all. */
  readonly onlyRule: string | null;
  /** For people, without anything personal. */
  readonly filter: Readonly<Record<string, unknown>>;
}

/** An event of the selection. */
export interface ChosenEvent {
  readonly eventId: string;
  readonly entity: string;
  /** Of a recall: whether what the rule asks for is sent. */
  readonly sends: boolean;
}

export type StoredReplay = NewReplay & {
  readonly id: string;
  readonly state: ReplayState;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly code: string | null;
  readonly reason: string | null;
};

/** Events of one entity, which are done in one transaction. */
export interface ReplayUnit {
  readonly entity: string;
  readonly rows: readonly UnitRow[];
  /** How often they were begun before. */
  readonly tries: number;
}

export interface UnitRow {
  readonly place: number;
  readonly eventId: string;
  readonly sends: boolean;
}

/** What became of one event. */
export interface DoneEvent {
  readonly place: number;
  readonly state: 'done' | 'skipped' | 'failed';
  readonly code: string | null;
  readonly reason: string | null;
  readonly counts: OutcomeCounts | null;
}

const COLUMNS = `id, kind, state, created_at as "createdAt", created_by as "createdBy", purpose, rule_set as "ruleSet",
  only_rule as "onlyRule", filter, started_at as "startedAt", ended_at as "endedAt", code, reason`;

/** Orders to replay or recall, their selections, and how far they have come. */
export class ReplayStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Writes an order with its selection, in the order of what happened. Wake the queue after the commit. */
  async create(
    tx: EntityManager,
    order: NewReplay,
    events: readonly ChosenEvent[],
    now: number,
  ): Promise<string> {
    const id = uuidv7({ msecs: now });
    await tx.query(
      `insert into replays (id, kind, created_at, created_by, purpose, rule_set, only_rule, filter, state, due_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $3, $3)`,
      [
        id,
        order.kind,
        new Date(now),
        order.createdBy,
        order.purpose,
        order.ruleSet,
        order.onlyRule,
        JSON.stringify(order.filter),
      ],
    );
    await tx.query(
      `insert into replay_events (replay_id, place, event_id, entity, sends)
       select $1, row_number() over (order by k.order_time, k.status_rank, k.event_id collate "C", u.nr), u.id, u.entity, u.sends
         from unnest($2::uuid[], $3::text[], $4::boolean[]) with ordinality as u (id, entity, sends, nr)
         join event_keys k on k.id = u.id`,
      [
        id,
        events.map(({ eventId }) => eventId),
        events.map(({ entity }) => entity),
        events.map(({ sends }) => sends),
      ],
    );
    return id;
  }

  /** Some events with their entities, in the order of what happened. Those that are not there are left out. */
  async entitiesOf(eventIds: readonly string[]): Promise<ChosenEvent[]> {
    return await this.dataSource.query<ChosenEvent[]>(
      `select e.id as "eventId", coalesce(e.root_entity, 'event:' || e.origin || '/' || e.event_id) as entity, true as sends
         from events e join event_keys k on k.id = e.id where e.id = any($1::uuid[]) and k.id = any($1::uuid[])
        order by k.order_time, k.status_rank, k.event_id collate "C"`,
      [eventIds],
    );
  }

  async find(id: string): Promise<StoredReplay | null> {
    const [row] = await this.dataSource.query<StoredReplay[]>(
      `select ${COLUMNS} from replays where id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** Takes one order when it is due and nobody has it: the same as a claim of `LeasedRows`. `now` in ms. */
  async claimOne(id: string, instance: string, leaseSeconds: number, now: number): Promise<ClaimedRow[]> {
    const [rows] = await this.dataSource.query<[ClaimedRow[], number]>(
      `update replays set state = 'running', attempt = attempt + 1, leased_by = $2, updated_at = now(),
              lease_until = clock_timestamp() + make_interval(secs => $3)
        where id = $1 and state = 'pending' and due_at <= $4 returning id, attempt`,
      [id, instance, leaseSeconds, new Date(now)],
    );
    return rows;
  }

  async begin(id: string, now: number): Promise<void> {
    await this.dataSource.query(
      'update replays set started_at = coalesce(started_at, $2), code = null, reason = null where id = $1',
      [id, new Date(now)],
    );
  }

  /**
   * The entity whose turn it is, and up to `most` of its events; null: all are done but for those of `without`. It counts
   * how often they were begun: a process that ends over them begins them again, and not for ever.
   */
  async nextUnit(id: string, without: readonly string[], most: number | null): Promise<ReplayUnit | null> {
    const [first] = await this.dataSource.query<{ entity: string; tries: number }[]>(
      `select entity, tries from replay_events where replay_id = $1 and state = 'waiting' and entity <> all($2::text[])
        order by place limit 1`,
      [id, without],
    );
    if (!first) return null;
    const { entity, tries } = first;
    // What ended a try before is found by going one by one.
    const limit = most === null ? null : tries > 0 ? 1 : most;
    const [rows] = await this.dataSource.query<[UnitRow[], number]>(
      `update replay_events set tries = tries + 1
        where replay_id = $1 and place in (select place from replay_events
                where replay_id = $1 and state = 'waiting' and entity = $2 order by place limit $3)
        returning place, event_id as "eventId", sends`,
      [id, entity, limit],
    );
    return { entity, tries, rows: rows.sort((a, b) => a.place - b.place) };
  }

  /** Takes back that a unit was begun: it waits for something, and nothing is wrong with it. */
  async notBegun(id: string, { rows }: ReplayUnit): Promise<void> {
    await this.dataSource.query(
      `update replay_events set tries = greatest(tries - 1, 0) where replay_id = $1 and place = any($2::int[]) and state = 'waiting'`,
      [id, rows.map(({ place }) => place)],
    );
  }

  /** Whether the order is still this worker's, as the transaction sees it; nobody cancels it before its end. */
  async holds(tx: EntityManager, { id, attempt }: ClaimedRow): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `select 1 from replays where id = $1 and attempt = $2 and state = 'running' for share`,
      [id, attempt],
    );
    return rows.length > 0;
  }

  /** Writes what became of events. Those that are done already stay as they are. */
  async done(tx: EntityManager, id: string, events: readonly DoneEvent[]): Promise<void> {
    await tx.query(
      `update replay_events r set state = u.state, code = u.code, reason = u.reason, counts = u.counts::json
         from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[]) as u (place, state, code, reason, counts)
        where r.replay_id = $1 and r.place = u.place and r.state = 'waiting'`,
      [
        id,
        events.map(({ place }) => place),
        events.map(({ state }) => state),
        events.map(({ code }) => code),
        events.map(({ reason }) => reason?.replaceAll('\u0000', '').slice(0, 500) ?? null),
        events.map(({ counts }) => counts && JSON.stringify(counts)),
      ],
    );
  }

  /** Ends an order, or lets it go until `dueAt` (ms), when its fence still holds. Answers whether it does. */
  async settle(
    { id, attempt }: ClaimedRow,
    end: {
      readonly state: 'pending' | 'done' | 'failed';
      readonly dueAt: number;
      readonly code?: string;
      readonly reason?: string;
    },
    now: number,
  ): Promise<boolean> {
    const [rows] = await this.dataSource.query<[unknown[], number]>(
      `update replays set state = $3::text, due_at = $4, code = $5, reason = $6, lease_until = null, leased_by = null,
              ended_at = case when $3 = 'pending' then null else $7::timestamptz end, updated_at = now()
        where id = $1 and attempt = $2 and state = 'running' returning id`,
      [
        id,
        attempt,
        end.state,
        new Date(end.dueAt),
        end.code ?? null,
        end.reason?.replaceAll('\u0000', '').slice(0, 500) ?? null,
        new Date(now),
      ],
    );
    return rows.length > 0;
  }

  /** Stops an order; what is done stays done. Answers whether it was still to be stopped. `now` in ms. */
  async cancel(tx: EntityManager, id: string, now: number): Promise<boolean> {
    const [rows] = await tx.query<[unknown[], number]>(
      `update replays set state = 'cancelled', ended_at = $2, lease_until = null, leased_by = null, updated_at = now()
        where id = $1 and state in ('pending', 'running') returning id`,
      [id, new Date(now)],
    );
    return rows.length > 0;
  }
}
