import type { DataSource } from 'typeorm';
import type { DeliveryStore } from '../../action/delivery-store.js';
import { NOTICE_QUEUE } from '../../action/notice-store.js';
import type { Clock } from '../../config/clock.js';
import { type Log, messageOf } from '../../config/log.js';
import { isDataError } from '../../database/database.errors.js';
import type { Partitions } from '../../database/partitions.js';
import type { EventStore } from '../../events/event-store.js';
import { waitForLanes } from '../../queue/lanes.js';
import { type ClaimedRow, LeasedRows } from '../../queue/leased-rows.js';
import { LeasedWork } from '../../queue/leased-work.js';
import type { Wakeup } from '../../queue/wakeup.js';
import type { EvaluationStore } from '../evaluation-store.js';
import type { GateStore } from '../gate-store.js';
import { REPLAY } from '../replay.js';
import type { RuleSet } from '../rule-set.js';
import type { RuleSetStore } from '../rule-set-store.js';
import { RuleSetError } from '../rules.errors.js';
import { lanesOf } from './lanes-of.js';
import { RecallStore } from './recall-store.js';
import { type RecallOrder, RecallUnits } from './recall-unit.js';
import { RecordedEvents } from './recorded-events.js';
import { REPLAY_QUEUE, ReplayStore, type ReplayUnit, type StoredReplay } from './replay-store.js';
import { ReplayUnits, type Written } from './replay-unit.js';

/** Seconds an instance may be silent before another goes on with what it was at. */
const LEASE_SECONDS = 8;
const SWEEP_MS = 5000;
const POLL_MS = 1000;
/** Orders that are gone through at once. */
const CONCURRENCY = 2;
/** Events of one entity in one transaction. */
const AT_ONCE = 100;
/** After so many tries an event is left, and the others go on. */
const MOST_TRIES = 3;
const AGAIN_MS = 5000;
/** What is being sent has an end soon. */
const SENDING_MS = 1000;

/** The occasions of recalls begin with it; behind it stands the id. */
export const RECALL = 'recall:';

/** What is done with the events of an order, by its kind. */
interface Work {
  /** Events in one transaction; null: all of an entity. */
  readonly most: number | null;
  /** Null: it has to wait for something. */
  readonly unit: (row: ClaimedRow, unit: ReplayUnit) => Promise<'done' | 'lost' | 'waits'>;
}

/**
 * Goes through what people have ordered to be replayed or recalled, entity by entity. Each has a transaction of its own,
 * in its lane, in which the events are marked as done: an instance that is killed has done an entity or not, and another
 * goes on. An order that a person cancels stops before the next entity.
 */
export class ReplayWorker {
  private readonly work: LeasedWork;
  private readonly rows: LeasedRows;
  private readonly orders: ReplayStore;
  private readonly recalls: RecallStore;
  private readonly replayUnits: ReplayUnits;
  private readonly recallUnits: RecallUnits;
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly partitions: Partitions;
      readonly gates: GateStore;
    },
    private readonly options: {
      readonly instance: string;
      /** Only this order; absent: all. */
      readonly only?: string;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    const { instance, only, wakeup, clock, log } = options;
    this.orders = new ReplayStore(dataSource);
    this.recalls = new RecallStore(dataSource);
    const recorded = new RecordedEvents(stores);
    this.replayUnits = new ReplayUnits(recorded, stores);
    this.recallUnits = new RecallUnits(recorded, this.recalls, stores);
    this.rows = new LeasedRows(
      dataSource,
      { table: 'replays', ready: 'pending', taken: 'running' },
      instance,
      LEASE_SECONDS,
    );
    this.work = new LeasedWork(this.rows, {
      queue: REPLAY_QUEUE,
      wakeup,
      pollMs: POLL_MS,
      sweepMs: SWEEP_MS,
      concurrency: CONCURRENCY,
      claimAtOnce: 1,
      now: () => clock.now(),
      claim: async (limit, now) => {
        if (only === undefined) return await this.rows.take(limit, now);
        const rows = await this.orders.claimOne(only, instance, LEASE_SECONDS, now);
        return { rows, more: false };
      },
      begin: (claimed) => {
        for (const row of claimed) this.work.add(row, this.goThrough(row));
      },
      sweep: () => this.sweep(),
      failed: (what, error) => {
        log.error({ event: `replay.${what}-failed` }, messageOf(error));
      },
    });
  }

  start(): void {
    this.stopping = false;
    this.work.start();
  }

  /** Ends the entities that are under way; another instance goes on, or this one when it starts again. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    await this.work.stop(graceMs);
  }

  /** Goes through all that is due. For tests and the command line. */
  async drain(): Promise<void> {
    await this.work.drain();
  }

  /** Takes back what instances that have died were at. */
  async sweep(): Promise<void> {
    const lost = await this.dataSource.transaction((tx) => this.rows.reclaim(tx));
    if (lost.length > 0) this.options.wakeup.wake(REPLAY_QUEUE);
  }

  private async goThrough(row: ClaimedRow): Promise<void> {
    const { clock, log } = this.options;
    try {
      await this.orders.begin(row.id, clock.now());
      const order = await this.orders.find(row.id);
      if (!order) return;
      const end = await this.unitsOf(row, order);
      if (end === 'lost') return;
      const now = clock.now();
      const state = end === 'done' ? 'done' : 'pending';
      const dueAt = end === 'waits' ? now + SENDING_MS : now;
      if ((await this.orders.settle(row, { state, dueAt }, now)) && state === 'done')
        log.info({ event: `${order.kind}.done`, id: row.id }, `a ${order.kind} is done`);
    } catch (error) {
      await this.failed(row, error);
    }
  }

  private async unitsOf(
    row: ClaimedRow,
    order: StoredReplay,
  ): Promise<'done' | 'lost' | 'waits' | 'stopped'> {
    const { most, unit } = await this.workOf(order);
    const waiting: string[] = [];
    for (;;) {
      if (this.stopping) return 'stopped';
      const next = await this.orders.nextUnit(row.id, waiting, most);
      if (!next) return waiting.length > 0 ? 'waits' : 'done';
      if (next.tries >= MOST_TRIES) {
        await this.giveUp(row.id, next, 'REPLAY_GIVEN_UP', `it was begun ${next.tries} times and never done`);
        continue;
      }
      try {
        const end = await unit(row, next);
        if (end === 'lost') return 'lost';
        if (end === 'done') continue;
        waiting.push(next.entity);
        await this.orders.notBegun(row.id, next);
      } catch (error) {
        // What the database refuses it will refuse again: of several events, one by one.
        if (!isDataError(error)) throw error;
        if (next.rows.length === 1 || most === null)
          await this.giveUp(row.id, next, 'REPLAY_REFUSED', messageOf(error));
      }
    }
  }

  /** @throws RuleSetError when the rule set of the order cannot be read any more */
  private async workOf(order: StoredReplay): Promise<Work> {
    const ruleSet = await this.stores.ruleSets.find(order.ruleSet);
    const { onlyRule: only } = order;
    const own = only === null ? ruleSet : aloneIn(ruleSet, only);
    if (order.kind === 'replay')
      return { most: AT_ONCE, unit: (row, unit) => this.replay(row, unit, own ?? ruleSet, only) };
    const recall = { occasion: `${RECALL}${order.id}`, rule: only ?? '', ruleSet, mended: own };
    return { most: null, unit: (row, unit) => this.recall(row, unit, recall) };
  }

  private async replay(
    row: ClaimedRow,
    unit: ReplayUnit,
    ruleSet: RuleSet,
    only: string | null,
  ): Promise<'done' | 'lost'> {
    const ids = unit.rows.map(({ eventId }) => eventId);
    const now = this.options.clock.now();
    await this.stores.partitions.ensure(now);
    const written = await this.dataSource.transaction(async (tx) => {
      await waitForLanes(tx, await lanesOf(tx, ids, unit.entity));
      if (!(await this.orders.holds(tx, row))) return null;
      const evaluated = await this.replayUnits.evaluate(tx, ruleSet, ids, only, `${REPLAY}${row.id}`);
      const done = await this.replayUnits.write(tx, ruleSet, evaluated, now);
      await this.orders.done(tx, row.id, placed(unit, done));
      return done;
    });
    return this.told(written);
  }

  private async recall(
    row: ClaimedRow,
    unit: ReplayUnit,
    order: RecallOrder,
  ): Promise<'done' | 'lost' | 'waits'> {
    const ids = unit.rows.map(({ eventId }) => eventId);
    const now = this.options.clock.now();
    await this.stores.partitions.ensure(now);
    const written = await this.dataSource.transaction(async (tx) => {
      await waitForLanes(tx, await lanesOf(tx, ids, unit.entity));
      if (!(await this.orders.holds(tx, row))) return null;
      const chosen = await this.recalls.chosenOf(tx, row.id, unit.entity);
      const planned = await this.recallUnits.plan(tx, order, unit.entity, unit.rows, chosen, true);
      if (!planned) return 'waits';
      const done = await this.recallUnits.write(tx, row.id, order, planned, now);
      await this.orders.done(tx, row.id, placed(unit, done));
      return done;
    });
    return written === 'waits' ? written : this.told(written);
  }

  private told(written: Written | null): 'done' | 'lost' {
    if (!written) return 'lost';
    this.stores.deliveries.wake();
    if (written.tells) this.options.wakeup.wake(NOTICE_QUEUE);
    return 'done';
  }

  private async giveUp(
    id: string,
    { rows, entity }: ReplayUnit,
    code: string,
    reason: string,
  ): Promise<void> {
    this.options.log.error({ event: 'replay.given-up', id, entity, code }, reason);
    await this.orders.done(
      this.dataSource.manager,
      id,
      rows.map(({ place }) => ({ place, state: 'failed', code, reason, counts: null })),
    );
  }

  private async failed(row: ClaimedRow, error: unknown): Promise<void> {
    const { clock, log } = this.options;
    log.error({ event: 'replay.failed', id: row.id }, messageOf(error));
    const now = clock.now();
    const end =
      error instanceof RuleSetError
        ? { state: 'failed' as const, dueAt: now, code: error.code, reason: error.message }
        : {
            state: 'pending' as const,
            dueAt: now + AGAIN_MS,
            code: 'REPLAY_INTERRUPTED',
            reason: messageOf(error),
          };
    await this.orders.settle(row, end, now).catch(() => undefined);
  }
}

/** The same set with one rule alone; null: it has no such rule. */
export function aloneIn(ruleSet: RuleSet, name: string): RuleSet | null {
  const rule = ruleSet.ruleOf(name);
  return rule ? ruleSet.withRules([rule]) : null;
}

function placed({ rows }: ReplayUnit, { done }: Written) {
  const byEvent = new Map(done.map((one) => [one.eventId, one]));
  return rows.flatMap(({ place, eventId }) => {
    const one = byEvent.get(eventId);
    return one ? [{ ...one, place }] : [];
  });
}
