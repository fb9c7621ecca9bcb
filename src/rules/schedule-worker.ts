import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { NOTICE_QUEUE } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { Partitions } from '../database/partitions.js';
import type { EventStore } from '../events/event-store.js';
import type { IncomingEvent } from '../events/event.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { skipped } from './decide.js';
import { LIVE } from './decision-batch.js';
import { DIGEST_QUEUE } from './digest-store.js';
import type { EvaluationStore } from './evaluation-store.js';
import type { GateStore } from './gate-store.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import type { DueSchedule, ScheduleStore } from './schedule-store.js';
import { nextTurn, timetableOf, turnEvent } from './schedule-turn.js';
import type { StateStore } from './state-store.js';
import { evaluateTurn } from './turn-evaluation.js';
import type { TurnFindings } from './turn-findings.js';

export const SCHEDULE_QUEUE = 'schedules';
const POLL_MS = 1000;
/** A turn that failed is tried again after so long, twice as long each time; the others go on meanwhile. */
const LEAST_REST_MS = 5000;
const MOST_REST_MS = 300_000;
const PATIENCE_MS = 300_000;
const REASON = 'a turn of a schedule: evaluated over the open entities';

/** What a turn came to. */
interface Done {
  readonly rule: string;
  readonly due: Date;
  /** Milliseconds since 1970; null: never again. */
  readonly next: number | null;
  /** Stored event, and what was found; null: nothing was evaluated. */
  readonly turn: { readonly id: string; readonly findings: TurnFindings } | null;
}

/**
 * Gives rules with a schedule their turns, one at a time. The turn's event is stored first and once; one transaction
 * then holds the schedule, goes through all open entities, and writes what comes of it and when it is due next. A turn
 * that breaks off leaves nothing but its event, and is done again. After an outage there is one turn, not one for each
 * that was missed.
 */
export class ScheduleWorker {
  private readonly loop: WorkerLoop;
  /** Rules whose turn failed, and until when they rest. */
  private readonly resting = new Map<string, { readonly until: number; readonly ms: number }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly schedules: ScheduleStore;
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly gates: Pick<GateStore, 'pass'>;
      readonly states: Pick<StateStore, 'openAfter'>;
      readonly partitions: Partitions;
    },
    private readonly options: {
      readonly timezone: string;
      /** Name of the default work calendar; null: none. */
      readonly calendar: string | null;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
      readonly metrics: Metrics;
    },
  ) {
    this.loop = new WorkerLoop({
      queue: SCHEDULE_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.round(),
      failed: (error) => {
        options.log.error({ event: 'schedule.not-looked-at' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Gives turns until none is due. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.round()) > 0);
  }

  /** Answers how many schedules were due. */
  private async round(): Promise<number> {
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return 0;
    const now = this.options.clock.now();
    await this.stores.partitions.ensure(now);
    const taken: DueSchedule[] = [];
    try {
      const done = await this.dataSource.transaction(async (tx) => {
        const due = await this.stores.schedules.takeDue(tx, now, this.restingAt(now));
        if (!due) return null;
        taken.push(due);
        // Another set may have been activated since this one was read: whoever did so expects it to decide.
        if (!(await this.stores.ruleSets.isLive(ruleSet, tx))) return null;
        if (await this.isBehind(tx, due, now)) return 'behind';
        return await this.take(tx, due, ruleSet, now);
      });
      if (done === 'behind') return 0;
      if (done) this.report(done);
    } catch (error) {
      const [due] = taken;
      if (!due) throw error;
      this.rest(due, now, messageOf(error));
    }
    return taken.length;
  }

  /** A turn sees what every event has done that was stored before its time; for so long it waits for their decision. */
  private async isBehind(tx: EntityManager, { dueAt }: DueSchedule, now: number): Promise<boolean> {
    const due = dueAt.getTime();
    return now - due < PATIENCE_MS && (await this.stores.schedules.hasUndecided(tx, due));
  }

  private restingAt(now: number): string[] {
    return [...this.resting].flatMap(([rule, { until }]) => (until > now ? rule : []));
  }

  private rest({ rule, dueAt }: DueSchedule, now: number, message: string): void {
    const ms = Math.min((this.resting.get(rule)?.ms ?? LEAST_REST_MS / 2) * 2, MOST_REST_MS);
    this.resting.set(rule, { until: now + ms, ms });
    this.options.log.error(
      { event: 'schedule.failed', rule, due: dueAt, again: new Date(now + ms) },
      `the turn of "${rule}" is tried again: ${message}`,
    );
  }

  private async take(
    tx: EntityManager,
    { rule: name, plan, dueAt }: DueSchedule,
    ruleSet: RuleSet,
    now: number,
  ): Promise<Done> {
    const { timezone, calendar } = this.options;
    const { schedules, evaluations } = this.stores;
    const inputs = { now, timezone, ...(calendar === null ? {} : { calendar }) };
    const rule = ruleSet.ruleOf(name);
    const timetable = rule ? timetableOf(rule, ruleSet, timezone) : null;
    // By a clock that is behind another instance's, the same turn would come once more.
    const next = timetable && nextTurn(timetable, Math.max(now, dueAt.getTime()));
    const following = timetable && next !== null ? { plan: timetable.plan, dueAt: next } : null;
    const passed = { rule: name, due: dueAt, next, turn: null };
    // The times may be others than those that it was dated by: in another default time zone, for one.
    if (!rule || !timetable || timetable.plan !== plan || skipped(rule, inputs)) {
      await schedules.redate(tx, name, following);
      return passed;
    }
    const { over } = timetable.schedule;
    const event = turnEvent(name, dueAt.getTime(), over);
    const id = await this.store(event);
    const isDone = (await evaluations.findMany(tx, [id], [LIVE])).length > 0;
    await schedules.redate(tx, name, following, { at: now, event: id });
    if (isDone) return passed;
    const key = `${event.origin}/${event.eventId}`;
    const findings = await evaluateTurn(tx, this.stores, { rule, over, ruleSet, eventId: id, key, inputs });
    const { verdicts, counts, askedByRule: asked } = findings;
    const evaluation = { eventId: id, occasion: LIVE, ruleSet: ruleSet.hash, verdicts, asked };
    await evaluations.record(tx, [{ ...evaluation, inputs: { ...inputs, turn: counts } }], now);
    return { ...passed, turn: { id, findings } };
  }

  /** Committed before anything else is written: whatever comes of the turn belongs to a stored event. Answers its id. */
  private async store(event: IncomingEvent): Promise<string> {
    const [received] = await this.stores.events.storeAside([event], REASON);
    // A turn that was begun before has its event already.
    const id = received?.id ?? (await this.stores.events.findByKey(event.origin, event.eventId))?.id;
    if (id === undefined) throw new Error(`the event ${event.eventId} is there and cannot be found`);
    return id;
  }

  private report({ rule, due, next, turn }: Done): void {
    const { log, metrics, wakeup } = this.options;
    this.resting.delete(rule);
    const fields = { rule, due, next: next === null ? null : new Date(next) };
    if (!turn) {
      log.debug({ event: 'schedule.passed', ...fields }, `nothing was evaluated for a turn of "${rule}"`);
      return;
    }
    const { id, findings } = turn;
    const { counts, verdict, deliveries, held, items, firstError } = findings;
    if (deliveries > 0) this.stores.deliveries.wake();
    if (held > 0) wakeup.wake(NOTICE_QUEUE);
    if (items > 0) wakeup.wake(DIGEST_QUEUE);
    metrics.verdicts.inc({ verdict });
    log.info(
      { event: 'schedule.turn', ...fields, id, ...counts, deliveries, items },
      `a turn of "${rule}": ${counts.matched} of ${counts.entities} matched`,
    );
    if (firstError !== null)
      log.error(
        { event: 'rule.failed', id, rules: [rule] },
        `${rule}: ${counts.failed} times, the first: ${firstError}`,
      );
  }
}
