import { randomBytes } from 'node:crypto';
import type { OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../config/clock.js';
import type { Metrics } from '../config/metrics.js';
import { binaryArray, plainArray } from '../database/array-parameters.js';
import type { Partitions } from '../database/partitions.js';
import { GroupCommit } from '../queue/group-commit.js';
import { laneOf } from '../queue/lanes.js';
import type { Wakeup } from '../queue/wakeup.js';
import type { IncomingEvent, Transport } from './event.js';

/** The queue of events that wait for their decision. */
export const EVENT_QUEUE = 'events';

/** What became of a received event. `stored` and `duplicate` are both committed. */
export interface Received {
  readonly outcome: 'stored' | 'duplicate';
  /** The stored event's id (UUIDv7); null for a duplicate. */
  readonly id: string | null;
}

/** `waiting`: for a look-up, its own or that of an earlier event of its root entity. */
export type EventState = 'undecided' | 'waiting' | 'decided' | 'quarantined';

/** An event as stored. */
export interface StoredEvent {
  readonly id: string;
  readonly receivedAt: Date;
  readonly origin: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly source: string;
  readonly createTime: Date | null;
  readonly rootEntity: string | null;
  readonly raw: Buffer;
  readonly content: Buffer | null;
  readonly transport: Transport | null;
  /** When a person's data was removed: raw is empty then, content and transport are null. */
  readonly erasedAt: Date | null;
}

interface Row {
  readonly id: string;
  readonly receivedAt: number;
  readonly lane: number;
  readonly event: IncomingEvent;
}

/** How far an event has come when it is stored. */
interface Standing {
  readonly state: Extract<EventState, 'undecided' | 'decided'>;
  readonly reason: string | null;
}

const NEW: Standing = { state: 'undecided', reason: null };

/** Two: while one is committed, the next is gathered. More of them would be smaller and cost more. */
const CONCURRENT_COMMITS = 2;
/**
 * A statement stuck behind a lock makes room for others well before their senders give up after 3 s. The server's
 * limit, and the limit for a server that does not answer at all.
 */
const COMMIT_WITHIN_MS = 2000;
const ANSWER_WITHIN_MS = 2500;
/** Feishu waits 3 s. An answer that comes later is a failure to it, whatever it says. */
const SENDER_WAITS_MS = 2600;

/** The store of events: the door through which sources hand them over, and the way to read them. */
export class EventStore implements OnApplicationShutdown {
  private readonly commits: GroupCommit<IncomingEvent, Received>;
  private readonly pool: pg.Pool;

  constructor(
    private readonly dataSource: DataSource,
    private readonly partitions: Partitions,
    private readonly wakeup: Wakeup,
    private readonly clock: Clock,
    private readonly metrics?: Metrics,
  ) {
    this.commits = new GroupCommit((events) => this.commit(events), {
      batch: 200,
      concurrency: CONCURRENT_COMMITS,
      backlog: 5000,
      patience: SENDER_WAITS_MS,
    });
    this.pool = commitPool(dataSource);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.commits.drain();
    await this.pool.end();
  }

  /**
   * Stores an event once per key. Resolves after the commit.
   *
   * @throws BacklogFullError, CommitLateError, or what the database said; then nothing of the event is stored.
   */
  store(event: IncomingEvent): Promise<Received> {
    return this.commits.add(event);
  }

  /**
   * Stores events in one commit, of which nothing is decided: they are there to be looked at, and for replays. `reason`
   * says so to whoever asks what became of them. Resolves after the commit.
   *
   * @throws whatever the database said; then none of them is stored.
   */
  async storeAside(events: readonly IncomingEvent[], reason: string): Promise<readonly Received[]> {
    return await this.commit(events, { state: 'decided', reason });
  }

  /** Events that wait for their commit. */
  get backlog(): number {
    return this.commits.backlog;
  }

  /** No more events are taken until some are committed. */
  get isFull(): boolean {
    return this.commits.isFull;
  }

  async find(id: string): Promise<StoredEvent | null> {
    return (await this.findMany([id]))[0] ?? null;
  }

  /** The event with this key, and how far it has come; null when there is none. */
  async findByKey(
    origin: string,
    eventId: string,
  ): Promise<{ readonly id: string; readonly state: EventState; readonly reason: string | null } | null> {
    const [row] = await this.dataSource.query<{ id: string; state: EventState; reason: string | null }[]>(
      'select id, state, reason from event_keys where origin = $1 and event_id = $2',
      [origin, eventId],
    );
    return row ?? null;
  }

  /** The events received last, the latest first. */
  async latest(limit: number): Promise<StoredEvent[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      'select id from events order by id desc limit $1',
      [limit],
    );
    const events = await this.findMany(
      rows.map(({ id }) => id),
      this.dataSource.manager,
    );
    return events.sort((a, b) => compare(b.id, a.id));
  }

  async findMany(
    ids: readonly string[],
    tx: EntityManager = this.dataSource.manager,
  ): Promise<StoredEvent[]> {
    return await tx.query<StoredEvent[]>(
      `select id, received_at as "receivedAt", origin, event_id as "eventId", event_type as "eventType", source,
              create_time as "createTime", root_entity as "rootEntity", raw, content, transport,
              erased_at as "erasedAt"
         from events where id = any($1::uuid[])`,
      [ids],
    );
  }

  /** Of some events those whose content is no longer than `most` bytes. */
  async findSmall(ids: readonly string[], most: number): Promise<StoredEvent[]> {
    const small = await this.dataSource.query<{ id: string }[]>(
      'select id from events where id = any($1::uuid[]) and octet_length(coalesce(content, raw)) <= $2',
      [ids, most],
    );
    return await this.findMany(small.map(({ id }) => id));
  }

  private async commit(events: readonly IncomingEvent[], standing: Standing = NEW): Promise<Received[]> {
    const receivedAt = this.clock.now();
    await this.partitions.ensure(receivedAt);
    // Sorted by key, so that two batches with the same keys wait for each other in one order and never in a circle.
    const random = randomBytes(16 * events.length);
    const rows = events
      .map((event, index): Row => ({
        id: uuidv7({ msecs: receivedAt, random: random.subarray(16 * index, 16 * index + 16) }),
        receivedAt,
        lane: laneOf(event.rootEntity ?? event.eventId),
        event,
      }))
      .sort((a, b) => compare(a.event.origin, b.event.origin) || compare(a.event.eventId, b.event.eventId));
    const stored = new Set((await this.insert(rows, standing)).map(({ id }) => id));
    const duplicates = rows.filter((row) => !stored.has(row.id));
    if (stored.size > 0 && standing.state === 'undecided') this.wakeup.wake(EVENT_QUEUE);
    if (duplicates.length > 0) void this.count(duplicates);
    const byEvent = new Map(rows.map((row) => [row.event, row.id]));
    return events.map((event): Received => {
      const id = byEvent.get(event) ?? '';
      return stored.has(id) ? { outcome: 'stored', id } : { outcome: 'duplicate', id: null };
    });
  }

  private async insert(rows: readonly Row[], { state, reason }: Standing): Promise<{ id: string }[]> {
    const texts = (pick: (event: IncomingEvent) => string | null): Buffer =>
      binaryArray(
        'text',
        rows.map(({ event }) => pick(event)),
      );
    const bytes = (pick: (event: IncomingEvent) => Buffer | null): Buffer =>
      binaryArray(
        'bytea',
        rows.map(({ event }) => pick(event)),
      );
    const started = performance.now();
    const { rows: stored } = await this.pool.query<{ id: string }>({
      // Named: parsed and planned once for each connection, which otherwise takes longer than the statement itself.
      name: 'store-events',
      text: `
        with input as (
          select * from unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                               $8::text[], $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::text[])
            as i (id, lane, status_rank, origin, event_id, order_time, create_time, event_type, source, root_entity, raw, content, transport)),
        keys as (
          insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state, reason)
          select origin, event_id, id, lane, order_time, status_rank, $15::text, $16::text from input
          on conflict (origin, event_id) do nothing returning id)
        insert into events (id, received_at, origin, event_id, event_type, source, create_time, root_entity, raw, content, transport)
        select id, $14, origin, event_id, event_type, source, to_timestamp(create_time / 1000.0), root_entity, raw, content, transport::json
          from input where id in (select id from keys)
        returning id`,
      values: [
        plainArray(rows.map((row) => row.id)),
        plainArray(rows.map((row) => row.lane)),
        plainArray(rows.map((row) => row.event.statusRank)),
        texts((event) => event.origin),
        texts((event) => event.eventId),
        plainArray(rows.map((row) => row.event.createTime ?? row.receivedAt)),
        plainArray(rows.map((row) => row.event.createTime)),
        texts((event) => event.eventType),
        texts((event) => event.source),
        texts((event) => event.rootEntity),
        bytes((event) => event.raw),
        bytes((event) => event.content),
        texts((event) => event.transport && JSON.stringify(event.transport)),
        new Date(rows[0]?.receivedAt ?? this.clock.now()),
        state,
        reason,
      ],
    });
    this.metrics?.commitSeconds.observe((performance.now() - started) / 1000);
    this.metrics?.commitEvents.observe(rows.length);
    return stored;
  }

  /** Counting is no promise to the sender: it happens after the answer, and a failure costs only the count. */
  private async count(duplicates: readonly Row[]): Promise<void> {
    await this.dataSource
      .query(
        `update event_keys k set duplicates = duplicates + d.times
           from (select origin, event_id, count(*)::int as times from unnest($1::text[], $2::text[]) as u (origin, event_id)
                  group by origin, event_id order by origin, event_id) as d
          where k.origin = d.origin and k.event_id = d.event_id`,
        [duplicates.map((row) => row.event.origin), duplicates.map((row) => row.event.eventId)],
      )
      .catch(() => undefined);
  }
}

/**
 * Connections for commits alone: with a limit of their own, set once and not with each statement, and never taken by
 * workers.
 */
function commitPool(dataSource: DataSource): pg.Pool {
  const { options } = (dataSource.driver as unknown as { master: pg.Pool }).master;
  const pool = new pg.Pool({
    ...options,
    // The pool hides it from copies.
    password: options.password,
    max: CONCURRENT_COMMITS,
    statement_timeout: COMMIT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
    allowExitOnIdle: true,
  });
  // An idle connection that broke: the next commit opens another.
  pool.on('error', () => undefined);
  return pool;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
