import type { DataSource, EntityManager } from 'typeorm';
import type { ClaimedRow } from '../queue/leased-rows.js';
import type { LookupAnswers } from './lookup-document.js';

/** The queue of events that wait for an answer from outside. */
export const LOOKUP_QUEUE = 'lookups';

/** The place of an event among those of its root entity. */
export interface OrderKey {
  /** Milliseconds since 1970. */
  readonly orderTime: number;
  readonly statusRank: number;
  /** The sender's id. */
  readonly eventId: string;
}

/** An event that cannot be decided yet. */
export interface NewWait {
  /** Of the stored event. */
  readonly id: string;
  /** `pending`: a look-up has to be made for it. `behind`: an earlier event of its root entity waits. */
  readonly state: 'pending' | 'behind';
  /** Which service is asked next; empty when `behind`. */
  readonly service: string;
  /** The root entity; null: the event stands for itself, and nothing waits behind it. */
  readonly entity: string | null;
  readonly order: OrderKey;
  /** What is known already. */
  readonly answers: LookupAnswers;
  /** The facts of the state, by which the look-ups are planned; absent: the rule set reads none. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** An event that waits, as the worker of look-ups sees it. */
export interface WaitRow {
  readonly id: string;
  readonly service: string;
  readonly answers: LookupAnswers;
  readonly facts: Readonly<Record<string, unknown>> | null;
  readonly createdAt: Date;
}

/** What is known of the look-ups of some events before they are decided. */
export interface Waits {
  /** By event: the answers that have come. */
  readonly answers: ReadonlyMap<string, LookupAnswers>;
  /** By root entity: the first of its events that still waits, for an answer or behind another. */
  readonly first: ReadonlyMap<string, OrderKey & { readonly id: string }>;
}

/** How many events behind another are let go at a time: about as many as one transaction decides. */
const RELEASED_AT_ONCE = 200;

const RELEASE = `
  next as (select behind.id from freed cross join lateral (
             select id from lookups l where l.entity = freed.entity and l.state = 'behind'
              order by order_time, status_rank, event_id limit ${RELEASED_AT_ONCE}) as behind),
  released as (update lookups set state = 'answered', updated_at = now() where id in (select id from next) returning id)
  update event_keys set state = 'undecided' where state = 'waiting' and id in (select id from released) returning id`;

/**
 * Events between ack and decision that need an answer from outside, and the events behind them. The decision of an
 * event takes its row along, in the same transaction.
 */
export class LookupStore {
  constructor(private readonly dataSource: DataSource) {}

  /** What is known of these events, and whom their root entities wait for. The lanes must be locked. */
  async about(tx: EntityManager, ids: readonly string[], entities: readonly string[]): Promise<Waits> {
    const rows = await tx.query<
      (OrderKey & {
        readonly id: string;
        readonly entity: string | null;
        readonly answers: LookupAnswers | null;
      })[]
    >(
      `select id, entity, answers, order_time::float8 as "orderTime", status_rank as "statusRank", event_id as "eventId"
         from lookups where id = any($1::uuid[])
       union all
       select first.* from unnest($2::text[]) as e (entity) cross join lateral (
         select id, entity, null::json, order_time::float8, status_rank, event_id
           from lookups l where l.entity = e.entity and state <> 'answered'
          order by order_time, status_rank, event_id limit 1) as first`,
      [ids, entities],
    );
    const answers = new Map<string, LookupAnswers>();
    const first = new Map<string, OrderKey & { readonly id: string }>();
    for (const { id, entity, answers: known, ...order } of rows) {
      if (known !== null) answers.set(id, known);
      else if (entity !== null) first.set(entity, { id, ...order });
    }
    return { answers, first };
  }

  /** Lets events wait: part of the transaction that took them up. Wake the queue after the commit. */
  async wait(tx: EntityManager, waits: readonly NewWait[], now: number): Promise<void> {
    if (waits.length === 0) return;
    await tx.query(
      `insert into lookups (id, state, service, entity, order_time, status_rank, event_id, answers, facts, created_at, due_at,
                            updated_at)
       select id, state, service, entity, order_time, status_rank, event_id, answers::json, facts::json, $9, $9, $9
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::smallint[], $7::text[], $8::text[],
                     $10::text[]) as u (id, state, service, entity, order_time, status_rank, event_id, answers, facts)
       on conflict (id) do update set state = excluded.state, service = excluded.service, answers = excluded.answers,
              facts = excluded.facts, due_at = excluded.due_at, updated_at = excluded.updated_at`,
      [
        waits.map(({ id }) => id),
        waits.map(({ state }) => state),
        waits.map(({ service }) => service),
        waits.map(({ entity }) => entity),
        waits.map(({ order }) => order.orderTime),
        waits.map(({ order }) => order.statusRank),
        waits.map(({ order }) => order.eventId),
        waits.map(({ answers }) => JSON.stringify(answers)),
        new Date(now),
        waits.map(({ state, facts }) => (state === 'pending' && facts ? JSON.stringify(facts) : null)),
      ],
    );
    await tx.query(`update event_keys set state = 'waiting' where id = any($1::uuid[])`, [
      waits.map(({ id }) => id),
    ]);
  }

  /** These events have been decided or put aside: who waits behind them is decided next. Answers how many that are. */
  async settle(tx: EntityManager, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const [released] = await tx.query<[unknown[], number]>(
      `with gone as (delete from lookups where id = any($1::uuid[]) returning entity),
            freed as (select distinct entity from gone where entity is not null),
       ${RELEASE}`,
      [ids],
    );
    return released.length;
  }

  /** What an event waits for, as a sentence; null: it does not wait. */
  async reasonOf(id: string): Promise<string | null> {
    const [row] = await this.dataSource.query<
      { state: string; service: string; createdAt: Date; code: string | null; reason: string | null }[]
    >(`select state, service, created_at as "createdAt", code, reason from lookups where id = $1`, [id]);
    if (!row) return null;
    if (row.state === 'behind') return 'an earlier event of its process waits for a look-up';
    const last = row.code === null ? '' : `, so far ${row.code}: ${row.reason ?? ''}`;
    return `it waits for ${row.service} since ${row.createdAt.toISOString()}${last}`;
  }

  async findMany(ids: readonly string[]): Promise<WaitRow[]> {
    return await this.dataSource.query<WaitRow[]>(
      `select id, service, answers, facts, created_at as "createdAt" from lookups where id = any($1::uuid[])`,
      [ids],
    );
  }

  /** Writes down what has been answered so far; `done`: nothing more is to be asked, the event can be decided. */
  async record(
    tx: EntityManager,
    rows: readonly (ClaimedRow & {
      readonly answers: LookupAnswers;
      readonly service: string;
      readonly done: boolean;
    })[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await tx.query(
      `update lookups l set answers = u.answers::json, service = u.service
         from unnest($1::uuid[], $2::text[], $3::text[]) as u (id, answers, service) where l.id = u.id`,
      [
        rows.map(({ id }) => id),
        rows.map(({ answers }) => JSON.stringify(answers)),
        rows.map(({ service }) => service),
      ],
    );
    await tx.query(
      `update event_keys set state = 'undecided' where state = 'waiting' and id = any($1::uuid[])`,
      [rows.filter(({ done }) => done).map(({ id }) => id)],
    );
  }

  /**
   * The net: rows whose event has been settled without them (it crashed a process, or was put aside by hand), and
   * events that wait behind nobody. Answers how many events were let go.
   */
  async sweep(): Promise<number> {
    const [released] = await this.dataSource.query<[unknown[], number]>(
      `with gone as (
         delete from lookups where id in (
           select l.id from lookups l join event_keys k on k.id = l.id where k.state in ('decided', 'quarantined'))
         returning entity),
       alone as (
         select entity from lookups where entity is not null group by entity having bool_and(state = 'behind')),
       freed as (
         select distinct entity from (select entity from gone where entity is not null union select entity from alone) as e),
       ${RELEASE}`,
    );
    return released.length;
  }

  /** How many events wait, since when the one that has waited longest, and what was said last; for metrics and the log. */
  async waiting(): Promise<{
    readonly count: number;
    readonly since: Date | null;
    readonly reason: string | null;
  }> {
    const [row] = await this.dataSource.query<[{ count: number; since: Date | null; reason: string | null }]>(
      `select count(*)::int as count, min(created_at) as since,
              (select code || ': ' || reason from lookups where code is not null and state = 'pending'
                order by created_at limit 1) as reason
         from lookups where state <> 'answered'`,
    );
    return row;
  }
}

/** Whether one event comes before another of the same root entity. */
export function isBefore(a: OrderKey, b: OrderKey): boolean {
  if (a.orderTime !== b.orderTime) return a.orderTime < b.orderTime;
  if (a.statusRank !== b.statusRank) return a.statusRank < b.statusRank;
  return a.eventId < b.eventId;
}
