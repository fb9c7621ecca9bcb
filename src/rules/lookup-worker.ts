import type { DataSource } from 'typeorm';
import { type Notice, NOTICE_QUEUE, raiseNotices } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import { NO_TRACING, type Tracing } from '../config/tracing.js';
import { EVENT_QUEUE, type EventStore, type StoredEvent } from '../events/event-store.js';
import { GroupCommit } from '../queue/group-commit.js';
import type { ClaimedRow, LeasedRows } from '../queue/leased-rows.js';
import type { Wakeup } from '../queue/wakeup.js';
import { LeasedWork } from '../queue/leased-work.js';
import type { Subject } from './decide.js';
import type { LookupCache } from './lookup-cache.js';
import type { LookupAnswer, LookupAnswers } from './lookup-document.js';
import { type Fetched, type LookupFetcher, mayLag } from './lookup-fetcher.js';
import { lookupFailing } from './lookup-notice.js';
import { type PlannedLookup, planLookups } from './lookup-plan.js';
import { LOOKUP_QUEUE, type LookupStore, type WaitRow } from './lookup-store.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import { subjectOf } from './subject.js';

/** Seconds an instance may be silent before its look-ups are taken by another. */
export const LOOKUP_LEASE_SECONDS = 8;
const SWEEP_MS = 5000;
const POLL_MS = 500;
const CONCURRENCY = 32;
/** One service that hangs leaves room for the others. */
const CONCURRENCY_OF_SERVICE = 8;
const LEAST_DELAY_MS = 1000;
const MOST_DELAY_MS = 60_000;
/** Somebody is told that events wait, no more often than this. */
const TELL_MS = 60_000;
const LONG_MS = 5 * 60_000;

/** Where a row stands after a round: every answer is there, or one has to be asked for (again) at a time. */
type Ended = ClaimedRow & {
  readonly answers: LookupAnswers;
  readonly service: string;
  /** Look-ups that failed in this round. */
  readonly failures: readonly Notice[];
  /** Null: nothing more is to be asked. */
  readonly again: { readonly at: number; readonly code: string; readonly detail: string } | null;
};

/**
 * Asks what events need before they can be decided: outside every transaction, each service within its own limit.
 * What cannot be had in time is a failure that is recorded, and the facts of it are unknown.
 */
export class LookupWorker {
  private readonly work: LeasedWork;
  /** Events whose look-ups end at about the same time share a transaction. */
  private readonly records: GroupCommit<Ended, undefined>;
  /** By service, how many are being asked; also those that were and are not now. */
  private readonly busy = new Map<string, number>();
  private told = 0;
  private readonly failures = new Map<string, { count: number; since: number }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: LeasedRows,
    private readonly stores: {
      readonly lookups: LookupStore;
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
    },
    private readonly ways: { readonly cache: LookupCache; readonly fetcher: LookupFetcher },
    private readonly options: {
      readonly timezone: string;
      /** Name of the work calendar of rules that name none. */
      readonly calendar?: string | undefined;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
      readonly metrics: Metrics;
      readonly tracing?: Tracing;
    },
  ) {
    this.records = new GroupCommit((ended) => this.record(ended), {
      batch: CONCURRENCY,
      concurrency: 1,
      backlog: CONCURRENCY,
      patience: LOOKUP_LEASE_SECONDS * 1000,
    });
    this.work = new LeasedWork(rows, {
      queue: LOOKUP_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      sweepMs: SWEEP_MS,
      concurrency: CONCURRENCY,
      claimAtOnce: CONCURRENCY_OF_SERVICE,
      now: () => options.clock.now(),
      claim: (limit, now) => this.rows.take(limit, now, this.closed()),
      begin: (claimed) => this.begin(claimed),
      sweep: () => this.sweep(),
      failed: (what, error) => {
        options.log.error({ event: `lookup.${what}-failed` }, messageOf(error));
      },
    });
  }

  start(): void {
    this.work.start();
  }

  /** Stops claiming and lets what is being asked end for up to `graceMs`. The leases of the rest run out soon after. */
  async stop(graceMs: number): Promise<void> {
    await this.work.stop(graceMs);
  }

  /** Asks until nothing is due. For tests and the command line. */
  async drain(): Promise<void> {
    await this.work.drain();
  }

  /** Takes back what instances that have died were asking, lets go who waits for nobody, and tells who waits long. */
  async sweep(): Promise<void> {
    await this.dataSource.transaction((tx) => this.rows.reclaim(tx));
    if ((await this.stores.lookups.sweep()) > 0) this.options.wakeup.wake(EVENT_QUEUE);
    const { count, since, reason } = await this.stores.lookups.waiting();
    const now = this.options.clock.now();
    if (since && now - since.getTime() > LONG_MS && now - this.told >= TELL_MS) {
      this.told = now;
      this.options.log.warn(
        { event: 'lookup.waiting', events: count, since },
        `${count} events wait for look-ups, the first since ${since.toISOString()}: ${reason ?? 'nobody has answered'}`,
      );
    }
  }

  private async begin(claimed: readonly ClaimedRow[]): Promise<void> {
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return;
    const ids = claimed.map(({ id }) => id);
    const waits = new Map((await this.stores.lookups.findMany(ids)).map((one) => [one.id, one]));
    const events = new Map(
      (await this.stores.events.findMany(ids, this.dataSource.manager)).map((event) => [event.id, event]),
    );
    for (const row of claimed) {
      const wait = waits.get(row.id);
      const event = events.get(row.id);
      if (!wait || !event) continue;
      this.count(wait.service, 1);
      const answer = this.answer(row, wait, event, ruleSet)
        .catch((error: unknown) => {
          // The lease runs out, and it is asked again.
          this.options.log.error({ event: 'lookup.not-recorded', id: row.id }, messageOf(error));
        })
        .finally(() => {
          this.count(wait.service, -1);
        });
      this.work.add(row, answer);
    }
  }

  private count(service: string, by: number): void {
    this.busy.set(service, (this.busy.get(service) ?? 0) + by);
  }

  /** Services that are asked by as many as may, or that want to be left alone: their rows stay where they are. */
  private closed(): string[] {
    return [...this.busy]
      .filter(([service, count]) => count >= CONCURRENCY_OF_SERVICE || this.ways.fetcher.pauseOf(service) > 0)
      .map(([service]) => service);
  }

  /** Asks for one event whatever can be asked for now, one look-up after the other where one needs another. */
  private async answer(row: ClaimedRow, wait: WaitRow, event: StoredEvent, ruleSet: RuleSet): Promise<void> {
    const subject = subjectOf(event);
    let answers = wait.answers;
    const failures: Notice[] = [];
    for (;;) {
      const { fetch, answers: known } = planLookups(ruleSet, subject, {
        now: this.options.clock.now(),
        timezone: this.options.timezone,
        ...(this.options.calendar === undefined ? {} : { calendar: this.options.calendar }),
        lookups: answers,
        ...(wait.facts ? { state: wait.facts } : {}),
      });
      answers = known;
      const [next] = fetch;
      if (!next) {
        await this.records.add({ ...row, answers, service: wait.service, failures, again: null });
        return;
      }
      const service = this.ways.fetcher.serviceOf(next, subject.appId);
      const got = await this.ask(next, subject, wait, event);
      if ('again' in got) {
        await this.records.add({ ...row, answers, service, failures, again: got.again });
        return;
      }
      answers = { ...answers, [next.name]: got.answer };
      if ('failed' in got.answer) {
        this.tell(next.name, got.answer.failed, event);
        failures.push(lookupFailing(next.name, got.answer.failed.code, ruleSet));
      }
    }
  }

  private async ask(
    planned: PlannedLookup,
    subject: Subject,
    wait: WaitRow,
    event: StoredEvent,
  ): Promise<{ readonly answer: LookupAnswer } | { readonly again: NonNullable<Ended['again']> }> {
    const { clock, metrics } = this.options;
    const { cache, fetcher } = this.ways;
    const key = fetcher.keyOf(planned, subject.appId);
    const received = event.receivedAt.getTime();
    const known = cache.find(key, planned.document, event, clock.now());
    if (known) {
      metrics.lookups.inc({ kind: planned.document.type, outcome: 'cached' });
      const value = fetcher.valueOf(planned, known.value);
      if (!mayLag(planned, value, known.fetchedAt, received))
        return { answer: { request: planned.key, value, fetchedAt: known.fetchedAt } };
    }
    const { fetched, fetchedAt } = await this.fetch(planned, subject, event);
    const now = clock.now();
    const waited = now - wait.createdAt.getTime();
    metrics.lookups.inc({ kind: planned.document.type, outcome: fetched.kind });
    const backOff = Math.min(Math.max(waited / 2, LEAST_DELAY_MS), MOST_DELAY_MS);
    if (fetched.kind === 'answer') {
      const answer = { request: planned.key, value: fetcher.valueOf(planned, fetched.value), fetchedAt };
      cache.put(key, { value: fetched.value, fetchedAt });
      if (mayLag(planned, answer.value, fetchedAt, received)) {
        const detail = `the process detail does not hold the task yet`;
        return { again: { at: now + backOff, code: 'LOOKUP_TASK_NOT_FOUND', detail } };
      }
      return { answer };
    }
    const { code, detail } = fetched;
    if (fetched.kind === 'failed')
      return { answer: { request: planned.key, failed: { code, detail }, fetchedAt } };
    const at = now + (fetched.afterMs ?? backOff);
    const within = Math.min(planned.document.within, fetched.withinMs ?? Infinity);
    const ends = wait.createdAt.getTime() + within;
    if (now >= ends) {
      const late = {
        code: 'LOOKUP_TIME_UP',
        detail: `no answer within ${within / 1000} s: ${code}: ${detail}`,
      };
      return { answer: { request: planned.key, failed: late, fetchedAt } };
    }
    return { again: { at: Math.min(at, ends), code, detail } };
  }

  private async fetch(
    planned: PlannedLookup,
    subject: Subject,
    { id, receivedAt }: StoredEvent,
  ): Promise<{ readonly fetched: Fetched; readonly fetchedAt: number }> {
    const { clock, metrics, tracing = NO_TRACING } = this.options;
    const { name, document } = planned;
    const since = clock.now();
    const started = performance.now();
    const span = tracing.beginLookup({ id, name, kind: document.type, since });
    const got = await span.run(() => this.ways.fetcher.fetch(planned, subject.appId, receivedAt.getTime()));
    const ms = performance.now() - started;
    metrics.lookupSeconds.observe({ kind: document.type }, ms / 1000);
    const { kind: outcome } = got.fetched;
    const code = 'code' in got.fetched ? got.fetched.code : null;
    span.end({ until: since + ms, outcome, code, status: null });
    return got;
  }

  private async record(ended: readonly Ended[]): Promise<undefined[]> {
    const now = this.options.clock.now();
    await this.dataSource.transaction(async (tx) => {
      const settled = await this.rows.settle(
        tx,
        ended.map(({ id, attempt, again }) => ({
          id,
          attempt,
          state: again ? 'pending' : 'answered',
          dueAt: new Date(again?.at ?? now),
          code: again?.code ?? null,
          reason: again ? again.detail.replaceAll('\u0000', '') : null,
        })),
      );
      await this.stores.lookups.record(
        tx,
        // Not those that another instance has taken meanwhile.
        ended.filter(({ id }) => settled.has(id)).map(({ again, ...one }) => ({ ...one, done: !again })),
      );
      await raiseNotices(
        tx,
        ended.flatMap(({ failures }) => failures),
        now,
      );
    });
    if (ended.some(({ failures }) => failures.length > 0)) this.options.wakeup.wake(NOTICE_QUEUE);
    if (ended.some(({ again }) => !again)) this.options.wakeup.wake(EVENT_QUEUE);
    return ended.map(() => undefined);
  }

  /** A look-up that failed is told once a minute for each name: a service that is down fails for every event. */
  private tell(
    lookup: string,
    { code, detail }: { readonly code: string; readonly detail: string },
    event: StoredEvent,
  ): void {
    const now = this.options.clock.now();
    const last = this.failures.get(lookup);
    if (last && now - last.since < TELL_MS) {
      last.count += 1;
      return;
    }
    this.failures.set(lookup, { count: 0, since: now });
    this.options.log.error(
      { event: 'lookup.failed', lookup, code, id: event.id, eventId: event.eventId, more: last?.count ?? 0 },
      `look-up "${lookup}": ${detail}`,
    );
  }
}
