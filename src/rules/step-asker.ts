import type { DataSource } from 'typeorm';
import { type Notice, NOTICE_QUEUE, raiseNotices } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { EventStore } from '../events/event-store.js';
import type { ClaimedRow, LeasedRows } from '../queue/leased-rows.js';
import { LeasedWork } from '../queue/leased-work.js';
import type { Wakeup } from '../queue/wakeup.js';
import type { DecisionInputs } from './decide.js';
import type { HolderEvent } from './due-step.js';
import { holdersOf, tasksHeld } from './holder-events.js';
import type { LookupAnswers } from './lookup-document.js';
import type { LookupFetcher } from './lookup-fetcher.js';
import { lookupFailing } from './lookup-notice.js';
import { planNamedLookups } from './lookup-plan.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import { stateOf, type StateStore } from './state-store.js';
import { stateFacts } from './state/state-facts.js';
import { confirmationOf, isPending } from './step-confirmation.js';
import {
  type DueLadder,
  QUESTION_QUEUE,
  type StepAnswers,
  TIMER_QUEUE,
  type TimerStore,
} from './timer-store.js';

/** Seconds an instance may be silent before its questions are asked by another. */
export const QUESTION_LEASE_SECONDS = 8;
const SWEEP_MS = 5000;
const POLL_MS = 500;
const CONCURRENCY = 16;
const RETRY_MS = 15_000;
/** A step is not held up longer than this by who does not answer: somebody waits for it. */
export const ASK_WITHIN_MS = 10 * 60_000;

/** Where the questions of a ladder stand after a round. */
interface Ended extends ClaimedRow {
  readonly answers: StepAnswers;
  /** Of look-ups that failed. */
  readonly notices: readonly Notice[];
  /** Null: nothing more is to be asked. */
  readonly again: { readonly at: number; readonly code: string; readonly detail: string } | null;
}

/**
 * Asks what a due step needs to know before it is sent, outside every transaction: whether the platform still waits for
 * the task, and the look-ups that its templates read. The answers go into the row, and the step is decided with them.
 */
export class StepAsker {
  private readonly work: LeasedWork;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: LeasedRows,
    private readonly stores: {
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
      readonly states: StateStore;
      readonly timers: TimerStore;
    },
    private readonly fetcher: LookupFetcher,
    private readonly options: {
      readonly timezone: string;
      readonly calendar?: string | undefined;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
      readonly metrics: Metrics;
    },
  ) {
    this.work = new LeasedWork(rows, {
      queue: QUESTION_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      sweepMs: SWEEP_MS,
      concurrency: CONCURRENCY,
      claimAtOnce: CONCURRENCY,
      now: () => options.clock.now(),
      claim: (limit, now) => this.rows.take(limit, now),
      begin: (claimed) => this.begin(claimed),
      sweep: () => this.sweep(),
      failed: (what, error) => {
        options.log.error({ event: `timer.question-${what}-failed` }, messageOf(error));
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

  /** Takes back what instances that have died were asking. */
  async sweep(): Promise<void> {
    const lost = await this.dataSource.transaction((tx) => this.rows.reclaim(tx));
    if (lost.length > 0) this.options.wakeup.wake(QUESTION_QUEUE);
  }

  private async begin(claimed: readonly ClaimedRow[]): Promise<void> {
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return;
    const tx = this.dataSource.manager;
    const ladders = await this.stores.timers.asked(
      tx,
      claimed.map(({ id }) => id),
    );
    const holders = await holdersOf(tx, this.stores.events, ladders, ruleSet.catalogue);
    const states = await this.stores.states.load(tx, tasksHeld(ladders, holders));
    const byId = new Map(ladders.map((ladder) => [ladder.id, ladder]));
    for (const row of claimed) {
      const ladder = byId.get(row.id);
      if (!ladder) continue;
      const holder = holders.get(row.id)?.find(({ id }) => id === ladder.answers?.about) ?? null;
      const facts = (now: number): Readonly<Record<string, unknown>> =>
        holder ? stateFacts(stateOf(states, ladder.entity), holder.place, null, now, false) : {};
      const answer = this.answer(row, ladder, holder, ruleSet, facts)
        .then((ended) => this.record(ended))
        .catch((error: unknown) => {
          // The lease runs out, and it is asked again.
          this.options.log.error({ event: 'timer.not-asked', timer: row.id }, messageOf(error));
        });
      this.work.add(row, answer);
    }
  }

  private async answer(
    row: ClaimedRow,
    ladder: DueLadder,
    holder: HolderEvent | null,
    ruleSet: RuleSet,
    factsAt: (now: number) => Readonly<Record<string, unknown>>,
  ): Promise<Ended> {
    const now = this.options.clock.now();
    const asking = ladder.answers?.askedSince ?? now;
    const rule = ruleSet.ruleOf(ladder.rule);
    let answers: StepAnswers = { ...ladder.answers, askedSince: asking };
    const notices: Notice[] = [];
    const done = (): Ended => ({ ...row, answers, notices, again: null });
    // Whoever decides the step sees that the rule, or whom it is about, is gone.
    if (!rule?.escalation || !holder) return done();
    const mayWait = now - asking < ASK_WITHIN_MS;
    if (rule.escalation.confirm && !answers.confirm) {
      const asked = await this.confirm(ladder, holder, mayWait);
      if ('again' in asked) return { ...row, answers, notices, again: asked.again };
      answers = { ...answers, confirm: asked };
      if (asked.pending === false) return done();
    }
    let lookups: LookupAnswers = answers.lookups ?? {};
    for (;;) {
      const { timezone, calendar } = this.options;
      const inputs: DecisionInputs = {
        now,
        timezone,
        ...(calendar === undefined ? {} : { calendar }),
        lookups,
        state: factsAt(now),
      };
      const plan = planNamedLookups(ruleSet, rule.lookups?.steps ?? new Set(), holder.subject, inputs);
      lookups = plan.answers;
      const [next] = plan.fetch;
      answers = { ...answers, lookups };
      if (!next) return done();
      const { fetched, fetchedAt } = await this.fetcher.fetch(next, holder.subject.appId, now);
      this.options.metrics.lookups.inc({ kind: next.document.type, outcome: fetched.kind });
      if (fetched.kind === 'later' && mayWait)
        return { ...row, answers, notices, again: this.later(fetched) };
      if (fetched.kind !== 'answer') notices.push(lookupFailing(next.name, fetched.code, ruleSet));
      lookups = {
        ...lookups,
        [next.name]:
          fetched.kind === 'answer'
            ? { request: next.key, value: this.fetcher.valueOf(next, fetched.value), fetchedAt }
            : { request: next.key, failed: { code: fetched.code, detail: fetched.detail }, fetchedAt },
      };
    }
  }

  private async confirm(
    { per, id, rule }: DueLadder,
    holder: HolderEvent,
    mayWait: boolean,
  ): Promise<NonNullable<StepAnswers['confirm']> | { readonly again: NonNullable<Ended['again']> }> {
    const planned = confirmationOf(holder);
    const at = this.options.clock.now();
    if (!planned) return { pending: null, at, detail: 'the event names no process' };
    const { fetched } = await this.fetcher.fetch(planned, holder.subject.appId, at);
    this.options.metrics.lookups.inc({ kind: 'feishu-process', outcome: fetched.kind });
    if (fetched.kind === 'answer')
      return { pending: isPending(this.fetcher.valueOf(planned, fetched.value), per, holder), at };
    if (fetched.kind === 'later' && mayWait) return { again: this.later(fetched) };
    const { code, detail } = fetched;
    this.options.log.warn(
      { event: 'timer.not-confirmed', timer: id, rule, code },
      `the platform could not be asked whether somebody is still waited for, and the step is sent: ${detail}`,
    );
    return { pending: null, at, detail: `${code}: ${detail}` };
  }

  private later(fetched: {
    readonly code: string;
    readonly detail: string;
    readonly afterMs: number | null;
  }): NonNullable<Ended['again']> {
    const { code, detail, afterMs } = fetched;
    const wait = Math.min(Math.max(afterMs ?? RETRY_MS, 1000), ASK_WITHIN_MS);
    return { at: this.options.clock.now() + wait, code, detail };
  }

  private async record({ again, answers, notices, ...row }: Ended): Promise<void> {
    const now = this.options.clock.now();
    await this.dataSource.transaction(async (tx) => {
      const settled = await this.rows.settle(tx, [
        {
          ...row,
          state: again ? 'asking' : 'armed',
          dueAt: new Date(again?.at ?? now),
          code: null,
          reason: again ? `${again.code}: ${again.detail}`.replaceAll('\u0000', '') : null,
        },
      ]);
      if (settled.has(row.id)) await this.stores.timers.recordAnswers(tx, [{ id: row.id, answers }]);
      await raiseNotices(tx, notices, now);
    });
    if (notices.length > 0) this.options.wakeup.wake(NOTICE_QUEUE);
    if (!again) this.options.wakeup.wake(TIMER_QUEUE);
  }
}
