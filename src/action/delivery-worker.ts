import type { DataSource } from 'typeorm';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import { NO_TRACING, type Tracing } from '../config/tracing.js';
import { GroupCommit } from '../queue/group-commit.js';
import type { ClaimedRow, LeasedRows } from '../queue/leased-rows.js';
import type { Wakeup } from '../queue/wakeup.js';
import { LeasedWork } from '../queue/leased-work.js';
import { type Ended, recordOf, stateAfter } from './delivery-end.js';
import { beginAttempt, measureAttempt } from './delivery-measures.js';
import { type AttemptRow, DELIVERY_QUEUE, type DeliveryRow, type DeliveryStore } from './delivery-store.js';
import { makeReady } from './ready-request.js';
import type { AttemptResult, Senders } from './sender.js';
import { recordTargets } from './target-record.js';

/** Seconds an instance may be silent before its deliveries are taken by another. */
export const LEASE_SECONDS = 8;
const SWEEP_MS = 2000;
const POLL_MS = 500;
const CONCURRENCY = 50;

/**
 * Sends deliveries: claims what is due, sends up to 50 at once, writes how each attempt ended. A lease that is kept
 * alive says that the work goes on; the attempt number is the fence, so an instance that was paused cannot overwrite
 * what a later attempt has recorded.
 */
export class DeliveryWorker {
  private readonly work: LeasedWork;
  /** Attempts that end while others are being written share the next transaction. */
  private readonly records: GroupCommit<Ended, undefined>;
  private readonly tracing: Tracing;

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
    this.records = new GroupCommit((ended) => this.record(ended), {
      batch: CONCURRENCY,
      concurrency: 1,
      backlog: CONCURRENCY,
      patience: LEASE_SECONDS * 1000,
    });
    this.work = new LeasedWork(rows, {
      queue: DELIVERY_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      sweepMs: SWEEP_MS,
      concurrency: CONCURRENCY,
      claimAtOnce: CONCURRENCY,
      now: () => options.clock.now(),
      begin: (claimed) => this.begin(claimed),
      sweep: () => this.sweep(),
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
      await this.store.recordAttempts(
        tx,
        rows.map((row): AttemptRow => ({
          deliveryId: row.id,
          attempt: row.attempt,
          startedAt: new Date(this.options.clock.now()),
          durationMs: null,
          outcome: 'lost',
          code: 'INSTANCE_LOST',
          detail: 'The instance that was sending ended; whether the target got the request is not known.',
          status: null,
          answer: '',
          instance: null,
          ambiguous: true,
        })),
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

  private async begin(claimed: readonly ClaimedRow[]): Promise<void> {
    const deliveries = new Map(
      (await this.store.findMany(claimed.map(({ id }) => id))).map((one) => [one.id, one]),
    );
    for (const row of claimed) {
      const delivery = deliveries.get(row.id);
      if (delivery === undefined) {
        this.options.log.error(
          { event: 'action.row-missing', delivery: row.id },
          'a claimed delivery has no row',
        );
        continue;
      }
      this.work.add(row, this.attempt(row, delivery));
    }
  }

  private async attempt(row: ClaimedRow, delivery: DeliveryRow): Promise<void> {
    const startedAt = this.options.clock.now();
    const started = performance.now();
    const span = beginAttempt(this.tracing, row, delivery, startedAt);
    const result = await span
      .run(() => this.send(delivery))
      .catch((error: unknown): AttemptResult => ({
        outcome: 'retry',
        code: 'SENDER_FAILED',
        detail: messageOf(error),
        status: null,
        answer: '',
        retryAfterMs: null,
      }));
    const durationMs = Math.round(performance.now() - started);
    await this.records.add({ row, delivery, result, startedAt, durationMs, span }).catch((error: unknown) => {
      // The lease runs out and the attempt is made again: at least once, with the same key.
      this.options.log.error({ event: 'action.not-recorded', delivery: row.id }, messageOf(error));
    });
  }

  private async send(delivery: DeliveryRow): Promise<AttemptResult> {
    const refuse = (code: string, detail: string): AttemptResult => ({
      outcome: 'permanent',
      code,
      detail,
      status: null,
      answer: '',
      retryAfterMs: null,
    });
    if (delivery.request === null) return refuse('REQUEST_MISSING', 'the delivery was never rendered');
    const ready = makeReady(delivery.request, this.options.secrets);
    if ('missing' in ready) {
      return refuse(
        'SECRET_MISSING',
        `the secret ${ready.missing} is not set: set SECRET_${ready.missing}, then redrive`,
      );
    }
    const { actionKey } = delivery;
    switch (ready.kind) {
      case 'http':
        return await this.senders.http.send(ready.request, actionKey, ready.used);
      case 'feishu-bot':
        return await this.senders.feishuBot.send(ready.request, actionKey, ready.used);
      case 'feishu-message':
        return await this.senders.feishuMessage.send(ready.request, actionKey, ready.used);
      case 'email':
        if (this.senders.email === null)
          return refuse('SMTP_NOT_CONFIGURED', 'no mail server is set: set SMTP_URL, then redrive');
        return await this.senders.email.send(ready.request, actionKey, ready.used);
    }
  }

  private async record(ended: readonly Ended[]): Promise<undefined[]> {
    const now = this.options.clock.now();
    const next = ended.map((one) => stateAfter(one, now));
    const written = await this.dataSource.transaction(async (tx) => {
      const settled = await this.rows.settle(tx, next);
      await this.store.recordAttempts(
        tx,
        ended.filter(({ row }) => settled.has(row.id)).flatMap((one) => recordOf(one, this.options.instance)),
      );
      await this.store.giveBack(
        tx,
        ended
          .filter(({ row, result }) => result.outcome === 'deferred' && settled.has(row.id))
          .map(({ row }) => row.id),
      );
      await recordTargets(
        tx,
        ended.filter(({ row }) => settled.has(row.id)),
      );
      return settled;
    });
    return ended.map((one, index) => {
      this.report(one, next[index]?.state ?? '', written.has(one.row.id));
      return undefined;
    });
  }

  private report(ended: Ended, state: string, recorded: boolean): void {
    const { row, delivery, result, durationMs } = ended;
    const { log, metrics } = this.options;
    if (result.outcome === 'deferred') {
      log.debug(
        { event: 'action.deferred', delivery: row.id, code: result.code, ms: result.retryAfterMs },
        result.detail,
      );
      return;
    }
    measureAttempt(ended, state, recorded, metrics);
    const fields = {
      event: 'action.attempted',
      delivery: row.id,
      rule: delivery.rule,
      action: delivery.action,
      kind: delivery.kind,
      attempt: row.attempt,
      outcome: result.outcome,
      state,
      recorded,
      code: result.code,
      status: result.status,
      ms: durationMs,
    };
    if (state === 'dead') log.warn(fields, `delivery dead: ${result.detail}`);
    else
      log.info(
        fields,
        result.outcome === 'delivered' ? 'delivered' : `will be tried again: ${result.detail}`,
      );
  }
}
