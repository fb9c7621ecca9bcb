import type { DataSource } from 'typeorm';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import { NO_TRACING, type Tracing } from '../config/tracing.js';
import { GroupCommit } from '../queue/group-commit.js';
import type { Claimed, ClaimedRow, LeasedRows } from '../queue/leased-rows.js';
import { LeasedWork } from '../queue/leased-work.js';
import type { Wakeup } from '../queue/wakeup.js';
import { resultOf } from './attempt-meaning.js';
import type { Ended } from './delivery-end.js';
import { beginAttempt, measureAttempt, reportAttempt, reportTurned } from './delivery-measures.js';
import { settle } from './delivery-settlement.js';
import { type AttemptRow, DELIVERY_QUEUE, type DeliveryStore, insertAttempts } from './delivery-store.js';
import { giveUp, GIVEN_UP_AT_ONCE, releaseOverlooked } from './delivery-upkeep.js';
import { type ClaimedDelivery, LaneClaims } from './lane-claims.js';
import { NOTICE_QUEUE } from './notice-store.js';
import { isPlain, settleDelivered } from './quiet-settlement.js';
import { sendDelivery } from './send-delivery.js';
import type { Senders } from './sender.js';

/** Seconds an instance may be silent before its deliveries are taken by another. */
export const LEASE_SECONDS = 8;
const SWEEP_MS = 2000;
/** Of the sweeps, every second looks for what its order has left behind, and every thirtieth for what is too late. */
const SWEEPS_TO_ORDER = 2;
const SWEEPS_TO_GIVE_UP = 30;
const POLL_MS = 500;
/**
 * What one instance has under way at once. So many that a claim and its commit are shared by many, and that nine targets
 * which hang with all their 50 leave room for others; an answer is cut at 64 kB, so these are 32 MB at most.
 */
export const PLACES = 512;

/**
 * Sends deliveries: claims what is due lane by lane, writes how each attempt ended. A lease that is kept alive says
 * that the work goes on; the attempt number is the fence, so an instance that was paused cannot overwrite what a later
 * attempt has recorded.
 */
export class DeliveryWorker {
  private readonly work: LeasedWork<ClaimedDelivery>;
  private readonly claims: LaneClaims;
  /** Attempts that end while others are being written share the next transaction. */
  private readonly records: GroupCommit<Ended, undefined>;
  private readonly tracing: Tracing;
  /** By lane, how many are being sent; and those that are sent and not recorded yet. */
  private readonly sending = new Map<string, number>();
  private readonly ended = new Set<string>();
  private sweeps = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: LeasedRows,
    private readonly store: DeliveryStore,
    private readonly senders: Senders,
    private readonly options: {
      readonly instance: string;
      readonly secrets: ReadonlyMap<string, string>;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
      readonly metrics: Metrics;
      readonly tracing?: Tracing;
    },
  ) {
    this.tracing = options.tracing ?? NO_TRACING;
    this.claims = new LaneClaims(dataSource, options.instance, rows.leaseSeconds);
    this.records = new GroupCommit((ended) => this.record(ended), {
      batch: PLACES,
      concurrency: 1,
      backlog: PLACES,
      patience: LEASE_SECONDS * 1000,
    });
    this.work = new LeasedWork<ClaimedDelivery>(rows, {
      queue: DELIVERY_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      sweepMs: SWEEP_MS,
      concurrency: PLACES,
      claimAtOnce: PLACES,
      now: () => options.clock.now(),
      claim: (free, now) => this.claim(free, now),
      begin: (claimed) => {
        for (const delivery of claimed) this.work.add(delivery, this.attempt(delivery));
      },
      sweep: () => this.tend(),
      failed: (what, error) => {
        options.log.error({ event: `action.${what}-failed` }, messageOf(error));
      },
    });
  }

  start(): void {
    this.work.start();
  }

  /** Stops claiming and lets what is being sent end for up to `graceMs`. The leases of the rest run out soon after. */
  async stop(graceMs: number): Promise<void> {
    await this.work.stop(graceMs);
    await this.records.drain();
  }

  /** Claims, sends and records until nothing is due. For tests and the command line. */
  async drain(): Promise<void> {
    await this.work.drain();
  }

  /** Takes back what instances that have died were sending, and records the attempts that nobody saw the end of. */
  async sweep(): Promise<void> {
    const lost = await this.dataSource.transaction(async (tx) => {
      const rows = await this.rows.reclaim(tx);
      await insertAttempts(
        tx,
        rows.map((row) => this.lostAttempt(row)),
      );
      return rows;
    });
    if (lost.length > 0) {
      this.options.log.warn(
        { event: 'action.reclaimed', deliveries: lost.length },
        'deliveries of a lost instance taken back',
      );
      this.store.wake();
      await this.reportLost(lost);
    }
  }

  /** Gives up what is too late for a target that is not tried any more. */
  async giveUp(): Promise<void> {
    const { log, metrics, clock, wakeup } = this.options;
    for (;;) {
      const given = await giveUp(this.dataSource, clock.now());
      for (const { kind } of given) metrics.ended.inc({ kind, state: 'dead' });
      if (given.length === 0) return;
      log.warn(
        { event: 'action.given-up', deliveries: given.length },
        'deliveries dead: their time is used up',
      );
      wakeup.wake(NOTICE_QUEUE);
      this.store.wake();
      if (given.length < GIVEN_UP_AT_ONCE) return;
    }
  }

  private async tend(): Promise<void> {
    await this.sweep();
    this.sweeps += 1;
    if (this.sweeps % SWEEPS_TO_ORDER === 0) {
      if ((await releaseOverlooked(this.dataSource, this.options.clock.now())) > 0) this.store.wake();
    }
    if (this.sweeps % SWEEPS_TO_GIVE_UP === 0) await this.giveUp();
  }

  private lostAttempt({ id, attempt }: ClaimedRow): AttemptRow {
    return {
      deliveryId: id,
      attempt,
      startedAt: new Date(this.options.clock.now()),
      durationMs: null,
      outcome: 'lost',
      code: 'INSTANCE_LOST',
      detail: 'The instance that was sending ended; whether the target got the request is not known.',
      status: null,
      answer: '',
      instance: null,
      ambiguous: true,
    };
  }

  private async reportLost(lost: readonly ClaimedRow[]): Promise<void> {
    const attempts = new Map(lost.map((row) => [row.id, row]));
    for (const delivery of await this.store.findMany([...attempts.keys()])) {
      const row = attempts.get(delivery.id);
      if (!row) continue;
      this.options.metrics.attempts.inc({ kind: delivery.kind, outcome: 'lost' });
      // When it began is not known any more.
      const until = this.options.clock.now();
      const span = beginAttempt(this.tracing, row, delivery, until);
      span.end({ until, outcome: 'lost', code: 'INSTANCE_LOST', status: null });
    }
  }

  private async claim(free: number, now: number): Promise<Claimed<ClaimedDelivery>> {
    const { sending, ended } = this;
    const { deliveries, more, againMs } = await this.claims.claim({ free, sending, ended: [...ended] }, now);
    return { rows: deliveries, more, againMs };
  }

  private async attempt(delivery: ClaimedDelivery): Promise<void> {
    const { id, attempt, lane } = delivery;
    const row = { id, attempt };
    const startedAt = this.options.clock.now();
    const started = performance.now();
    const span = beginAttempt(this.tracing, row, delivery, startedAt);
    this.sending.set(lane, (this.sending.get(lane) ?? 0) + 1);
    const result = await span
      .run(() => sendDelivery(delivery, this.senders, this.options.secrets))
      .catch((error: unknown) => resultOf('SENDER_FAILED', messageOf(error), { sent: true }));
    const durationMs = Math.round(performance.now() - started);
    this.sent(delivery);
    await this.records.add({ row, delivery, result, startedAt, durationMs, span }).catch((error: unknown) => {
      // The lease runs out and the attempt is made again: at least once, with the same key.
      this.options.log.error({ event: 'action.not-recorded', delivery: row.id }, messageOf(error));
    });
    this.ended.delete(id);
  }

  /** Its place at the target is free, though what came of it is not recorded yet. */
  private sent({ id, lane }: ClaimedDelivery): void {
    const left = (this.sending.get(lane) ?? 1) - 1;
    if (left > 0) this.sending.set(lane, left);
    else this.sending.delete(lane);
    this.ended.add(id);
    this.work.roomMade();
  }

  private async record(given: readonly Ended[]): Promise<undefined[]> {
    const { clock, instance, wakeup } = this.options;
    const now = clock.now();
    // In one order, as leases are prolonged: neither waits for the other in a ring.
    const ended = [...given].sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
    const plain = isPlain(ended) ? await settleDelivered(this.dataSource, ended, instance, now) : null;
    if (plain !== null) {
      for (const one of ended) this.report(one, plain.has(one.row.id) ? 'delivered' : null);
      return given.map(() => undefined);
    }
    const { states, released, turned, noticed } = await this.dataSource.transaction((tx) =>
      settle(tx, ended, instance, now),
    );
    if (noticed) wakeup.wake(NOTICE_QUEUE);
    if (released > 0) this.store.wake();
    for (const lane of turned) reportTurned(lane, this.options.log);
    for (const one of ended) this.report(one, states.get(one.row.id) ?? null);
    return given.map(() => undefined);
  }

  /** `state`: null when another instance has taken the delivery meanwhile. */
  private report(ended: Ended, state: string | null): void {
    const { log, metrics } = this.options;
    if (ended.result.outcome !== 'deferred') measureAttempt(ended, state, metrics);
    reportAttempt(ended, state, log);
  }
}
