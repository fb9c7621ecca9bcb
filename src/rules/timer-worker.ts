import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { NOTICE_QUEUE } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { Partitions } from '../database/partitions.js';
import type { EventStore } from '../events/event-store.js';
import { isDataError } from '../database/database.errors.js';
import { lockLanes, waitForLanes } from '../queue/lanes.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { withSuppressions } from './admission.js';
import type { BatchEvaluation } from './decision-batch.js';
import { decideDue, type DueDecision, type HolderEvent } from './due-step.js';
import type { EvaluationStore } from './evaluation-store.js';
import type { Firing } from './firing.js';
import { type GateStore, tellsSomebody } from './gate-store.js';
import { holdersOf, tasksHeld } from './holder-events.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import { stateOf, type StateStore } from './state-store.js';
import { type DueLadder, QUESTION_QUEUE, stepOccasion, TIMER_QUEUE, type TimerStore } from './timer-store.js';

const POLL_MS = 500;
const LANES_AT_ONCE = 64;
const BATCH = 200;

/**
 * Sends the steps of ladders that are due. One transaction, in the lanes of their root entities, writes what is sent,
 * the evaluation, and what becomes of the ladder; no event of such an entity is decided meanwhile, and none that was
 * committed before is still undecided.
 */
export class TimerWorker {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly partitions: Partitions;
      readonly states: StateStore;
      readonly timers: TimerStore;
      readonly gates: GateStore;
    },
    private readonly options: {
      readonly timezone: string;
      /** Name of the work calendar of rules that name none. */
      readonly calendar?: string | undefined;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
      readonly metrics: Metrics;
    },
  ) {
    this.loop = new WorkerLoop({
      queue: TIMER_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.attempt(),
      failed: (error) => {
        options.log.error({ event: 'timer.not-decided' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Decides until nothing is due that can be decided. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.attempt()) > 0);
  }

  /**
   * One transaction over what is due, or over the given ladders only. Answers how many were settled. A ladder whose
   * outcome the database refuses is found by halving, and ends.
   */
  private async attempt(only: readonly DueLadder[] | null = null): Promise<number> {
    const now = this.options.clock.now();
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return 0;
    await this.stores.partitions.ensure(now);
    let taken: readonly DueLadder[] = [];
    try {
      const batch = await this.dataSource.transaction(async (tx) => {
        const lanes = await this.lock(tx, only, now);
        if (lanes.length === 0) return NOTHING;
        // Another set may have been activated since this one was read: whoever did so expects it to decide.
        if (!(await this.stores.ruleSets.isLive(ruleSet, tx))) return null;
        const ids = only?.map(({ id }) => id) ?? null;
        taken = await this.stores.timers.due(tx, lanes, now, BATCH, ids);
        return await this.decideAll(tx, taken, ruleSet, now);
      });
      if (batch === null) return await this.attempt(only);
      const { settled, tells } = batch;
      if (tells) this.options.wakeup.wake(NOTICE_QUEUE);
      if (settled.length > 0) this.tell(settled, now);
      return settled.length;
    } catch (error) {
      const [first] = taken;
      if (!isDataError(error) || !first) throw error;
      if (taken.length === 1) {
        await this.stores.timers.fail(this.dataSource.manager, first.id, messageOf(error), now);
        this.options.log.error(
          { event: 'timer.failed', timer: first.id, rule: first.rule },
          messageOf(error),
        );
        return 1;
      }
      const middle = taken.length >> 1;
      await this.attempt(taken.slice(0, middle));
      await this.attempt(taken.slice(middle));
      return taken.length;
    }
  }

  /** Locks the lanes of the given ladders, or those of lanes with something due that nobody works on. */
  private async lock(tx: EntityManager, only: readonly DueLadder[] | null, now: number): Promise<number[]> {
    if (!only) return await lockLanes(tx, 'timers', this.stores.timers.dueBy(now), LANES_AT_ONCE);
    const lanes = [...new Set(only.map(({ lane }) => lane))];
    await waitForLanes(tx, lanes);
    return lanes;
  }

  private async decideAll(
    tx: EntityManager,
    ladders: readonly DueLadder[],
    ruleSet: RuleSet,
    now: number,
  ): Promise<SettledBatch> {
    if (ladders.length === 0) return NOTHING;
    const { timezone, calendar } = this.options;
    const defaults = { now, timezone, ...(calendar === undefined ? {} : { calendar }) };
    const holders = await holdersOf(tx, this.stores.events, ladders, ruleSet.catalogue);
    const states = await this.stores.states.load(tx, tasksHeld(ladders, holders));
    const settled: Settled[] = [];
    const firings: Firing[] = [];
    const evaluations: BatchEvaluation[] = [];
    for (const ladder of ladders) {
      const due = {
        ladder,
        state: stateOf(states, ladder.entity),
        holders: holders.get(ladder.id) ?? [],
      };
      const decision = await this.decideOne(ruleSet, due, defaults);
      settled.push({ ladder, decision });
      const { match, evaluation } = decision;
      if (!evaluation) continue;
      const { eventId } = ladder;
      const occasion = stepOccasion(ladder.rule, evaluation.step);
      evaluations.push({
        eventId,
        occasion,
        verdicts: [evaluation.verdict],
        inputs: { ...evaluation.inputs, about: evaluation.about },
      });
      if (match) firings.push({ ...match, eventId, occasion });
    }
    await this.stores.timers.settle(
      tx,
      settled.map(({ decision }) => decision.outcome),
      now,
    );
    const { calendars } = ruleSet;
    const context = { now, timezone, calendar: calendar ?? null, calendars };
    const { admission, again } = await this.stores.gates.pass(tx, firings, context);
    await this.stores.evaluations.record(tx, withSuppressions(ruleSet, evaluations, admission, again), now);
    return { settled, tells: tellsSomebody(admission) };
  }

  /** What one ladder does to the program keeps no other from its steps. */
  private async decideOne(
    ruleSet: RuleSet,
    due: {
      readonly ladder: DueLadder;
      readonly state: ReturnType<typeof stateOf>;
      readonly holders: readonly HolderEvent[];
    },
    defaults: { readonly now: number; readonly timezone: string; readonly calendar?: string },
  ): Promise<DueDecision> {
    try {
      return await decideDue(ruleSet, due, defaults);
    } catch (error) {
      const { ladder } = due;
      this.options.log.error(
        { event: 'timer.failed', timer: ladder.id, rule: ladder.rule },
        messageOf(error),
      );
      const { id, sent, step, dueAt, plan } = ladder;
      const outcome = {
        id,
        state: 'cancelled',
        sent,
        step,
        dueAt,
        plan,
        answers: null,
        code: 'FAILED',
      } as const;
      return { outcome, match: null, evaluation: null };
    }
  }

  private tell(settled: readonly Settled[], now: number): void {
    const { metrics, log, wakeup } = this.options;
    this.stores.deliveries.wake();
    if (settled.some(({ decision }) => decision.outcome.state === 'asking')) wakeup.wake(QUESTION_QUEUE);
    for (const { ladder, decision } of settled) {
      const { outcome, match } = decision;
      if (match) {
        metrics.timerSteps.inc({ outcome: match.rule.mode === 'live' ? 'sent' : 'shadow' });
        metrics.timerLateness.observe(Math.max(0, now - ladder.dueAt) / 1000);
      } else if (outcome.state === 'cancelled') metrics.timerSteps.inc({ outcome: 'cancelled' });
      const fields = {
        timer: ladder.id,
        rule: ladder.rule,
        step: ladder.step,
        entity: ladder.entity,
        subject: ladder.subject,
      };
      if (match) log.info({ event: 'timer.step', ...fields }, 'step of an escalation');
      else if (outcome.code !== null)
        log.info({ event: 'timer.cancelled', ...fields, code: outcome.code }, 'escalation cancelled');
    }
  }
}

interface Settled {
  readonly ladder: DueLadder;
  readonly decision: DueDecision;
}

interface SettledBatch {
  readonly settled: readonly Settled[];
  /** Whether somebody has to be told of something in it. */
  readonly tells: boolean;
}

const NOTHING: SettledBatch = { settled: [], tells: false };
