import type { DataSource, EntityManager } from 'typeorm';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import { isDataError } from '../database/database.errors.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import type { EventState, EventStore, StoredEvent } from './event-store.js';
import { envelopeTerms, OPEN, standingTerms, termsOf } from './event-terms.js';
import type { LiveCatalogue } from './live-catalogue.js';
import { leastIdOf, receivedAtOf } from './received-at.js';

/** Whoever holds it in a transaction is the one who indexes, or sees to it that nobody does. */
export const INDEX_LOCK = 4157005;

const QUEUE = 'search';
/** Also what makes batches of events that come one by one. */
const POLL_MS = 500;
const BATCH = 500;
const LOOKED_AT = 5000;
/** What is read at once: a body may be a megabyte. */
const READ_EVENTS = 100;
const READ_BYTES = 8 * 1024 * 1024;
/** A commit takes less than this: what is older and not there does not come any more. */
const SETTLED_MS = 15_000;
const AGAIN_EVERY_MS = 1000;
/** What is decided within this is written once, with its verdict. */
const DECIDED_WITHIN_MS = 2000;
/** What is older lets newer events go before: after an upgrade there may be millions. */
const RECENT_MS = 60_000;
/** Clocks of instances may differ; so far back is looked once more, in steps, one each so often. */
const SWEEP_BACK_MS = 3_600_000;
const SWEEP_STEP_MS = 300_000;
const SWEEP_EVERY_MS = 5000;
const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

interface Unindexed {
  readonly id: string;
  readonly state: EventState;
  readonly bytes: number;
  /** Null: not evaluated. */
  readonly matched: number | null;
  readonly unknown: number | null;
  readonly errors: number | null;
}

interface Looked {
  readonly found: readonly Unindexed[];
  /** Everything up to here was looked at; null: all there is. */
  readonly end: string | null;
}

interface Row {
  readonly id: string;
  readonly terms: readonly string[];
  readonly isOpen: boolean;
}

/**
 * Writes what events are found by, behind the ack path and the decisions, in one instance at a time. Commits end in
 * another order than their ids: the watermark stays behind, and what is between it and the newest is looked through
 * again. An event that cannot be read has the terms of its envelope and stops nothing.
 */
export class EventIndexer {
  private readonly loop: WorkerLoop;
  /** Up to here new events have been looked at once. */
  private seen = FIRST;
  private lookedAgainAt = -Infinity;
  private openFrom = FIRST;
  private sweptTo = 0;
  private sweptAt = -Infinity;
  private waits = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly events: EventStore,
    private readonly catalogue: LiveCatalogue,
    private readonly options: { readonly wakeup: Wakeup; readonly clock: Clock; readonly log: Log },
  ) {
    this.loop = new WorkerLoop({
      queue: QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.round(DECIDED_WITHIN_MS, false),
      failed: (error) => {
        options.log.error({ event: 'search.not-indexed' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Indexes until nothing is left, also what is not decided yet. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.round(-Infinity, true)) > 0);
  }

  /** For how many ms the oldest event that is not indexed waits, as far as this instance knows; 0: none does. */
  get lag(): number {
    return this.waits;
  }

  /** Answers how many events were indexed, and 0 when another instance does it. */
  private async round(patience: number, again: boolean): Promise<number> {
    return await this.dataSource.transaction(async (tx) => {
      const [{ taken, through }] = await tx.query<[{ taken: boolean; through: string }]>(
        'select pg_try_advisory_xact_lock($1) as taken, through from event_search_progress',
        [INDEX_LOCK],
      );
      if (!taken) {
        this.waits = 0;
        return 0;
      }
      const now = this.options.clock.now();
      const patient = leastIdOf(now - patience);
      const recent = later(through, leastIdOf(now - RECENT_MS));
      this.seen = later(this.seen, recent);
      const fresh = await this.next(tx, this.seen, LAST, patient);
      const old: Looked =
        recent === through ? { found: [], end: null } : await this.next(tx, through, recent, patient);
      const left =
        again || performance.now() - this.lookedAgainAt >= AGAIN_EVERY_MS
          ? await this.leftBetween(tx, recent, this.seen, patient)
          : null;
      if (left !== null && left.length < BATCH) this.lookedAgainAt = performance.now();
      const swept = await this.sweep(tx, through, now);
      const found = [...fresh.found, ...old.found, ...(left ?? []), ...swept];
      await this.write(tx, [...new Map(found.map((one) => [one.id, one])).values()]);
      const closed = await this.close(tx);
      const settled = leastIdOf(now - SETTLED_MS);
      if (old.end !== null) await moveThrough(tx, through, old.end);
      else if (left === null || left.length === BATCH) await moveThrough(tx, through, recent);
      else await moveThrough(tx, through, fresh.end !== null && fresh.end < settled ? fresh.end : settled);
      this.seen = fresh.end ?? later(this.seen, fresh.found.at(-1)?.id ?? FIRST);
      const end = old.end ?? fresh.end;
      this.waits = end === null ? 0 : Math.max(0, now - receivedAtOf(end));
      return found.length + closed + Number(end !== null);
    });
  }

  /** Looks at the next events beyond `after`, whether they are indexed or not. */
  private async next(tx: EntityManager, after: string, until: string, patient: string): Promise<Looked> {
    const rows = await tx.query<(Unindexed & { readonly place: number; readonly isNew: boolean })[]>(
      `with looked as materialized (
         select id, row_number() over (order by id)::int as place from (
           select id from events where id > $1 and id <= $2 order by id limit ${LOOKED_AT}) as ids)
       select looked.id, looked.place, found.id is not null as "isNew", found.state, found.bytes, found.matched,
              found.unknown, found.errors
         from looked left join lateral (${STANDING} where e.id = looked.id and ${WANTED}) as found on true
        where found.id is not null or looked.place = ${LOOKED_AT} order by looked.id limit ${BATCH}`,
      [after, until, patient],
    );
    const last = rows.at(-1);
    return {
      found: rows.filter(({ isNew }) => isNew),
      end: last && (rows.length === BATCH || last.place === LOOKED_AT) ? last.id : null,
    };
  }

  /** What of a time is not indexed: commits that came late, and what was left until it was decided. */
  private async leftBetween(
    tx: EntityManager,
    after: string,
    until: string,
    patient: string,
  ): Promise<Unindexed[]> {
    return await tx.query<Unindexed[]>(
      `with looked as materialized (
         select id from events e where id > $1 and id <= $2
            and not exists (select from event_search s where s.id = e.id and s.id > $1 and s.id <= $2))
       select found.* from looked join lateral (${STANDING} where e.id = looked.id and ${WANTED}) as found on true
        order by found.id limit ${BATCH}`,
      [after, until, patient],
    );
  }

  /** Looks once more at a part of the last hour behind the watermark. */
  private async sweep(tx: EntityManager, through: string, now: number): Promise<Unindexed[]> {
    if (now - this.sweptAt < SWEEP_EVERY_MS) return [];
    this.sweptAt = now;
    if (this.sweptTo < now - SWEEP_BACK_MS || this.sweptTo > now) this.sweptTo = now - SWEEP_BACK_MS;
    const from = leastIdOf(this.sweptTo);
    this.sweptTo += SWEEP_STEP_MS;
    const to = leastIdOf(this.sweptTo);
    return from >= through ? [] : await this.leftBetween(tx, from, to < through ? to : through, through);
  }

  private async write(tx: EntityManager, found: readonly Unindexed[]): Promise<void> {
    for (const some of inPortions(found)) {
      const events = new Map(
        (
          await this.events.findMany(
            some.map(({ id }) => id),
            tx,
          )
        ).map((event) => [event.id, event]),
      );
      const rows = some.flatMap((one): Row[] => {
        const event = events.get(one.id);
        const standing = standingTerms(one.state, evaluationOf(one));
        return event
          ? [{ id: one.id, terms: [...this.termsOf(event), ...standing], isOpen: standing[0] === OPEN }]
          : [];
      });
      await tx.query('savepoint terms');
      try {
        await insert(tx, rows);
      } catch (error) {
        if (!isDataError(error)) throw error;
        // No event is known to do so. If one does, those beside it are found by their envelopes only.
        this.options.log.error({ event: 'search.terms-refused' }, messageOf(error));
        await tx.query('rollback to savepoint terms');
        await insert(
          tx,
          [...events.values()].map((event) => ({
            id: event.id,
            terms: [...envelopeTerms(event), OPEN],
            isOpen: true,
          })),
        );
      }
      await tx.query('release savepoint terms');
    }
  }

  private termsOf(event: StoredEvent): string[] {
    try {
      return termsOf(event, this.catalogue.current.find(event.eventType));
    } catch (error) {
      this.options.log.error({ event: 'search.event-unreadable', id: event.id }, messageOf(error));
      return envelopeTerms(event);
    }
  }

  /** Gives events that were indexed before their decision the terms of how they ended. Answers how many. */
  private async close(tx: EntityManager): Promise<number> {
    const ended = await tx.query<Unindexed[]>(
      `with looked as materialized (
         select id from event_search_open where id > $1 order by id limit ${LOOKED_AT})
       select looked.id, k.state, 0 as bytes, v.matched, v.unknown, v.errors
         from looked join event_keys k on k.id = looked.id
         left join evaluations v on v.event_id = looked.id and v.occasion = 'live'
        where k.state in ('decided', 'quarantined') order by looked.id limit ${BATCH}`,
      [this.openFrom],
    );
    const [next] =
      ended.length === BATCH
        ? ended.slice(-1)
        : await tx.query<{ id: string }[]>(
            `select id from event_search_open where id > $1 order by id offset ${LOOKED_AT - 1} limit 1`,
            [this.openFrom],
          );
    this.openFrom = next?.id ?? FIRST;
    if (ended.length === 0) return 0;
    const ids = ended.map(({ id }) => id);
    await tx.query(
      `update event_search s set terms = array_remove(s.terms, $3) || string_to_array(u.terms, ',')
         from unnest($1::uuid[], $2::text[]) as u (id, terms) where s.id = u.id and s.id = any($1::uuid[])`,
      [ids, ended.map((one) => standingTerms(one.state, evaluationOf(one)).join(',')), OPEN],
    );
    await tx.query('delete from event_search_open where id = any($1::uuid[])', [ids]);
    return ended.length;
  }
}

const STANDING = `select e.id, k.state, octet_length(e.raw) + coalesce(octet_length(e.content), 0) as bytes,
         v.matched, v.unknown, v.errors
    from events e join event_keys k on k.id = e.id
    left join evaluations v on v.event_id = e.id and v.occasion = 'live'`;
/** Not indexed; and decided, or not so soon. */
const WANTED = `not exists (select from event_search s where s.id = e.id)
     and (k.state in ('decided', 'quarantined') or e.id < $3)`;

async function insert(tx: EntityManager, rows: readonly Row[]): Promise<void> {
  await tx.query(
    `insert into event_search (id, terms)
     select u.id, array(select json_array_elements_text(u.terms)) from unnest($1::uuid[], $2::json[]) as u (id, terms)
     on conflict (id) do nothing`,
    [rows.map(({ id }) => id), rows.map(({ terms }) => JSON.stringify(terms))],
  );
  await tx.query('insert into event_search_open (id) select unnest($1::uuid[]) on conflict (id) do nothing', [
    rows.filter(({ isOpen }) => isOpen).map(({ id }) => id),
  ]);
}

async function moveThrough(tx: EntityManager, through: string, to: string): Promise<void> {
  if (to > through) await tx.query('update event_search_progress set through = $1', [to]);
}

function inPortions(found: readonly Unindexed[]): Unindexed[][] {
  const portions: Unindexed[][] = [];
  let [portion, bytes]: [Unindexed[], number] = [[], 0];
  for (const one of found) {
    if (portion.length === READ_EVENTS || (portion.length > 0 && bytes + one.bytes > READ_BYTES)) {
      portions.push(portion);
      [portion, bytes] = [[], 0];
    }
    portion.push(one);
    bytes += one.bytes;
  }
  return portion.length > 0 ? [...portions, portion] : portions;
}

function evaluationOf({ matched, unknown, errors }: Unindexed) {
  return matched === null || unknown === null || errors === null ? null : { matched, unknown, errors };
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
