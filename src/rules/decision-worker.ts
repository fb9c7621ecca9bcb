import { v7 as uuidv7 } from 'uuid';
import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { NOTICE_QUEUE } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { Tracing } from '../config/tracing.js';
import { isDataError } from '../database/database.errors.js';
import type { Partitions } from '../database/partitions.js';
import { EVENT_QUEUE, type EventStore, type StoredEvent } from '../events/event-store.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { withSuppressions } from './admission.js';
import type { decide, Decision, DecisionInputs, Subject } from './decide.js';
import { DecisionBatch, LIVE, type RecalledEvent, SETTLE } from './decision-batch.js';
import { measureDecision, rulesOf } from './decision-measures.js';
import type { EvaluationStore } from './evaluation-store.js';
import { EventTaker, type Taken } from './event-taker.js';
import { type GateStore, tellsSomebody } from './gate-store.js';
import type { LadderBook } from './ladder-book.js';
import type { LookupCache } from './lookup-cache.js';
import type { LookupAnswers } from './lookup-document.js';
import { type LookupFetcher, mayLag } from './lookup-fetcher.js';
import { planLookups } from './lookup-plan.js';
import {
  isBefore,
  LOOKUP_QUEUE,
  type LookupStore,
  type NewWait,
  type OrderKey,
  type Waits,
} from './lookup-store.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import type { ReconciledEvents } from './radar/reconciled-events.js';
import { readEvents, type ReadSubject } from './read-events.js';
import { readStanding } from './standing-rows.js';
import type { StateStore } from './state-store.js';
import { subjectOf } from './subject.js';
import { TIMER_QUEUE, type TimerStore } from './timer-store.js';
import type { UnsettledStore } from './unsettled-store.js';

const POLL_MS = 1000;
type Decided =
  | { readonly event: StoredEvent; readonly decision: Decision; readonly inputs: DecisionInputs }
  | { readonly event: StoredEvent; readonly failure: string }
  | { readonly event: StoredEvent; readonly wait: NewWait };

interface DecidedBatch {
  readonly decided: readonly Decided[];
  /** Whether somebody has to be told of something in it. */
  readonly tells: boolean;
}

/**
 * Decides stored events, lane by lane and in order. One transaction writes the evaluations, the deliveries and that
 * the events are decided. An event that needs an answer from outside is put aside until it is there, and with it the
 * later events of its root entity; others are not held up. An event that makes the transaction fail is found by
 * halving the batch; one that took the process down three times is quarantined.
 */
export class DecisionWorker {
  private readonly loop: WorkerLoop;
  private readonly taker: EventTaker;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly partitions: Partitions;
      readonly lookups: LookupStore;
      readonly states: StateStore;
      readonly timers: TimerStore;
      readonly unsettled: UnsettledStore;
      readonly gates: GateStore;
      readonly reconciled: ReconciledEvents;
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
      /** Replaced only by tests that need a decision to fail or to end the process. */
      readonly decide?: typeof decide;
    },
  ) {
    this.taker = new EventTaker(dataSource, options);
    this.loop = new WorkerLoop({
      queue: EVENT_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.attempt(null),
      failed: (error) => {
        options.log.error({ event: 'event.not-decided' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Decides until nothing is left to decide. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.attempt(null)) > 0);
  }

  /** One transaction of decisions, over what waits or over the given events only. Answers how many were settled. */
  private async attempt(only: readonly string[] | null): Promise<number> {
    let taken: readonly Taken[] = [];
    const marker = uuidv7();
    try {
      const started = performance.now();
      const since = this.options.clock.now();
      // Deliveries go into the day of their decision, which may be long after that of the event.
      await this.stores.partitions.ensure(this.options.clock.now());
      const ruleSet = await this.stores.ruleSets.current();
      if (!ruleSet) return 0;
      const batch = await this.dataSource.transaction(async (tx) => {
        taken = await this.taker.take(tx, only, marker);
        // Another set may have been activated since this one was read: whoever did so expects it to decide.
        if (taken.length > 0 && !(await this.stores.ruleSets.isLive(ruleSet, tx))) return null;
        return await this.decideAll(tx, taken, ruleSet, marker);
      });
      if (batch === null) {
        this.taker.forgetLater(marker);
        return await this.attempt(only);
      }
      const { decided, tells } = batch;
      if (decided.length > 0) {
        const ms = performance.now() - started;
        this.options.metrics.decisionSeconds.observe(ms / 1000);
        this.options.metrics.decisionEvents.observe(decided.length);
        this.stores.deliveries.wake();
        if (tells) this.options.wakeup.wake(NOTICE_QUEUE);
        if (decided.some((one) => 'wait' in one)) this.options.wakeup.wake(LOOKUP_QUEUE);
        if (decided.some((one) => armsDueLadder(one, since))) this.options.wakeup.wake(TIMER_QUEUE);
        const about = { ruleSet: ruleSet.hash, occasion: LIVE, since, until: since + ms };
        for (const one of decided) {
          if (!('wait' in one))
            measureDecision(one.event, 'decision' in one ? one.decision : null, about, this.options);
          this.report(one);
        }
      }
      return taken.length;
    } catch (error) {
      this.taker.forgetLater(marker);
      if (!isDataError(error) || taken.length === 0) throw error;
      const ids = taken.map(({ id }) => id);
      const [first] = ids;
      if (ids.length === 1 && first !== undefined) {
        await this.taker.forgetMarkers();
        await this.quarantine(this.dataSource.manager, first, messageOf(error));
        await this.stores.lookups.settle(this.dataSource.manager, [first]);
        this.options.metrics.decided.inc({ outcome: 'quarantined' });
        return 1;
      }
      const middle = ids.length >> 1;
      await this.attempt(ids.slice(0, middle));
      await this.attempt(ids.slice(middle));
      return ids.length;
    }
  }

  private async decideAll(
    tx: EntityManager,
    taken: readonly Taken[],
    ruleSet: RuleSet,
    marker: string,
  ): Promise<DecidedBatch> {
    if (taken.length === 0) return { decided: [], tells: false };
    const { calendar } = this.options;
    const inputs: DecisionInputs = {
      now: this.options.clock.now(),
      timezone: this.options.timezone,
      ...(calendar === undefined ? {} : { calendar }),
    };
    const ids = taken.map(({ id }) => id);
    const events = new Map((await this.stores.events.findMany(ids, tx)).map((event) => [event.id, event]));
    const read = readEvents([...events.values()], ruleSet);
    const waits = await this.stores.lookups.about(tx, ids, [...read.ladders.keys()]);
    const { states, book, unsettled } = await readStanding(tx, this.stores.states, read, inputs.now);
    const batch = new DecisionBatch(
      ruleSet,
      inputs,
      {
        states,
        book,
        unsettled,
        recall: (older) => this.recall(tx, older),
      },
      this.options.decide,
    );
    const first = new Map<string, OrderKey>(waits.first);
    const decided: Decided[] = [];
    for (const order of taken) {
      const event = events.get(order.id);
      if (!event) continue;
      const about = read.subjects.get(event.id) ?? '';
      const one =
        typeof about === 'string'
          ? { event, failure: about }
          : await this.decideOne(tx, event, about, order, ruleSet, batch, { answers: waits.answers, first });
      if ('wait' in one && one.wait.state === 'pending' && event.rootEntity !== null)
        first.set(event.rootEntity, order);
      decided.push(one);
    }
    const tells = await this.write(tx, decided, { batch, ruleSet, book, waits }, inputs);
    await tx.query('delete from decisions_begun where id = $1', [marker]);
    return { decided, tells };
  }

  /** Older events whose verdicts were left open, with what was read for them. */
  private async recall(
    tx: EntityManager,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, RecalledEvent>> {
    const events = await this.stores.events.findMany(ids, tx);
    const evaluations = await this.stores.evaluations.findMany(tx, ids, [LIVE, SETTLE]);
    return new Map(
      events
        .filter(({ erasedAt }) => erasedAt === null)
        .map((event) => {
          const own = evaluations.filter(({ eventId }) => eventId === event.id);
          return [
            event.id,
            {
              subject: subjectOf(event),
              lookups: own.find(({ occasion }) => occasion === LIVE)?.inputs.lookups,
              cause: own.find(({ occasion }) => occasion === LIVE)?.inputs.cause,
              settled: own.some(({ occasion }) => occasion === SETTLE),
            },
          ];
        }),
    );
  }

  private async decideOne(
    tx: EntityManager,
    event: StoredEvent,
    about: ReadSubject,
    order: OrderKey,
    ruleSet: RuleSet,
    batch: DecisionBatch,
    waits: { readonly answers: Waits['answers']; readonly first: ReadonlyMap<string, OrderKey> },
  ): Promise<Decided> {
    try {
      const known = waits.answers.get(event.id) ?? {};
      const entity = event.rootEntity;
      const { orderTime, statusRank, eventId } = order;
      const wait = { id: event.id, entity, order: { orderTime, statusRank, eventId } };
      const before = entity === null ? undefined : waits.first.get(entity);
      if (before && isBefore(before, order))
        return { event, wait: { ...wait, state: 'behind', service: '', answers: known } };
      const observed = batch.observe(event, about.subject, about.place, order);
      const { subject, inputs } = observed;
      const { answers, service } = this.answersFor(event, subject, ruleSet, inputs, known);
      if (service !== null) {
        const facts = inputs.state ? { facts: inputs.state } : {};
        return { event, wait: { ...wait, state: 'pending', service, answers, ...facts } };
      }
      const cause =
        observed.observed &&
        (await this.stores.reconciled.causeOf(
          tx,
          event,
          about.place,
          observed.observed.before,
          order.orderTime,
        ));
      const all = {
        ...inputs,
        ...(Object.keys(answers).length === 0 ? {} : { lookups: answers }),
        ...(cause === null ? {} : { cause }),
      };
      return { event, decision: await batch.decide(event, order, observed, all), inputs: all };
    } catch (error) {
      return { event, failure: messageOf(error) };
    }
  }

  /** What this process knows already of what the event needs; `service`: who has to be asked first, null: nobody. */
  private answersFor(
    event: StoredEvent,
    subject: Subject,
    ruleSet: RuleSet,
    inputs: DecisionInputs,
    known: LookupAnswers,
  ): { readonly answers: LookupAnswers; readonly service: string | null } {
    const { cache, fetcher } = this.ways;
    let answers = known;
    if (ruleSet.lookups.size === 0) return { answers, service: null };
    for (;;) {
      const { fetch, answers: usable } = planLookups(ruleSet, subject, { ...inputs, lookups: answers });
      answers = usable;
      if (fetch.length === 0) return { answers, service: null };
      for (const planned of fetch) {
        const key = fetcher.keyOf(planned, subject.appId);
        const said = cache.find(key, planned.document, event, inputs.now);
        const value = said && fetcher.valueOf(planned, said.value);
        if (!said || mayLag(planned, value, said.fetchedAt, event.receivedAt.getTime()))
          return { answers, service: fetcher.serviceOf(planned, subject.appId) };
        answers = { ...answers, [planned.name]: { request: planned.key, value, fetchedAt: said.fetchedAt } };
      }
    }
  }

  /** Answers whether somebody has to be told of something in it. */
  private async write(
    tx: EntityManager,
    decided: readonly Decided[],
    {
      batch,
      ruleSet,
      book,
      waits,
    }: {
      readonly batch: DecisionBatch;
      readonly ruleSet: RuleSet;
      readonly book: LadderBook;
      readonly waits: Waits;
    },
    { now, timezone, calendar }: DecisionInputs,
  ): Promise<boolean> {
    const good = decided.filter((one) => 'decision' in one);
    for (const one of decided) if ('failure' in one) await this.quarantine(tx, one.event.id, one.failure);
    await this.stores.lookups.wait(
      tx,
      decided.flatMap((one) => ('wait' in one ? one.wait : [])),
      now,
    );
    await this.stores.states.save(tx, batch.changed, now, batch.changedTasks);
    await this.stores.timers.write(tx, book, now);
    await this.stores.unsettled.add(tx, batch.added, now);
    await this.stores.unsettled.remove(tx, batch.removed);
    const { calendars } = ruleSet;
    const context = { now, timezone, calendar: calendar ?? null, calendars };
    const { admission, again } = await this.stores.gates.pass(tx, batch.firings, context);
    await this.stores.evaluations.record(
      tx,
      withSuppressions(ruleSet, batch.evaluations, admission, again),
      now,
    );
    await tx.query(`update event_keys set state = 'decided' where id = any($1::uuid[])`, [
      good.map(({ event }) => event.id),
    ]);
    await this.stores.lookups.settle(
      tx,
      decided.flatMap((one) => ('wait' in one || !waits.answers.has(one.event.id) ? [] : one.event.id)),
    );
    return tellsSomebody(admission);
  }

  private async quarantine(tx: EntityManager, id: string, reason: string): Promise<void> {
    await tx.query(`update event_keys set state = 'quarantined', reason = $2 where id = $1`, [
      id,
      `FAILED: ${reason}`,
    ]);
    this.options.log.error({ event: 'event.quarantined', id }, reason);
  }

  private report(one: Decided): void {
    if (!('decision' in one)) return;
    const { event, decision } = one;
    // Somebody has to know, above all when the two keys disagree: such a rule sends nothing until it is mended.
    const failed = decision.verdicts.filter((one) => one.verdict === 'error');
    if (failed.length > 0) {
      this.options.log.error(
        { event: 'rule.failed', id: event.id, eventId: event.eventId, rules: failed.map(({ rule }) => rule) },
        failed.map(({ rule, error }) => `${rule}: ${error}`).join('\n'),
      );
    }
    this.options.log.info(
      {
        event: 'event.evaluated',
        id: event.id,
        eventId: event.eventId,
        eventType: event.eventType,
        rules: decision.listening,
        matched: rulesOf(decision.verdicts, 'matched'),
        unknown: rulesOf(decision.verdicts, 'unknown'),
        failed: rulesOf(decision.verdicts, 'error'),
        deliveries: decision.deliveries.length,
      },
      'event evaluated',
    );
  }
}

/** Whether an event that came late has armed a ladder whose first step is due by now (ms). */
function armsDueLadder(one: Decided, now: number): boolean {
  return (
    'decision' in one &&
    one.decision.ladders.some((change) => change.kind === 'arm' && change.next.dueAt <= now)
  );
}
