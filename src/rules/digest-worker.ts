import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { endGathered, type GatheredEnd } from '../action/gathered-delivery.js';
import { notRendered, raiseNotices } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import { isDataError } from '../database/database.errors.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { digestEnd, DIGEST_FAILED, gathersUntil } from './digest-end.js';
import { DIGEST_QUEUE, type DigestStore, type OpenDigest } from './digest-store.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import { ruleOfGate } from './shadow.js';
import { endShadowDigest } from './shadow-store.js';

const POLL_MS = 1000;

/** What became of a digest that was due. */
type Closed = OpenDigest & {
  readonly items: number;
  /** Null: it gathers on until the end of quiet hours. */
  readonly end: GatheredEnd | null;
};

/**
 * Closes digests that are due: what they have gathered is rendered by the rule as it is now, and sent. A rule that is
 * gone or switched off has its digests cancelled. In quiet hours a digest goes on gathering, so that their end brings
 * one message. One transaction for each, so that one that cannot be closed holds up no other.
 */
export class DigestWorker {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly digests: DigestStore;
      readonly deliveries: DeliveryStore;
      readonly ruleSets: RuleSetStore;
    },
    private readonly options: {
      readonly timezone: string;
      /** Name of the default work calendar; null: none. */
      readonly calendar: string | null;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    this.loop = new WorkerLoop({
      queue: DIGEST_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.round(),
      failed: (error) => {
        options.log.error({ event: 'digest.not-closed' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Closes digests until none is due. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.round()) > 0);
  }

  /** Answers how many were due. */
  private async round(): Promise<number> {
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return 0;
    const now = this.options.clock.now();
    const closed = await this.dataSource.transaction(async (tx) => {
      const due = await this.stores.digests.takeDue(tx, now);
      if (!due) return null;
      // Another set may have been activated since this one was read: whoever did so expects it to decide.
      if (!(await this.stores.ruleSets.isLive(ruleSet, tx))) return 'again';
      return await this.close(tx, due, ruleSet, now);
    });
    if (closed === null) return 0;
    if (closed !== 'again') this.report(closed);
    return 1;
  }

  private async close(tx: EntityManager, due: OpenDigest, ruleSet: RuleSet, now: number): Promise<Closed> {
    const rule = ruleSet.ruleOf(ruleOfGate(due.rule).name);
    const quiet = gathersUntil(rule, ruleSet, now, this.options);
    if (quiet !== null) {
      await this.stores.digests.putOff(tx, due, quiet);
      return { ...due, items: 0, end: null };
    }
    const gathered = await this.stores.digests.itemsOf(tx, due.id);
    const end = digestEnd(rule, due, ruleSet, gathered, { now, timezone: this.options.timezone });
    await tx.query('savepoint digest');
    try {
      await this.write(tx, due, end, now);
    } catch (error) {
      if (!isDataError(error)) throw error;
      // What a message holds that the database does not take must not come up for ever.
      await tx.query('rollback to savepoint digest');
      const dead = { state: 'dead', code: DIGEST_FAILED, reason: messageOf(error) } as const;
      await this.write(tx, due, dead, now);
      return { ...due, items: gathered.total, end: dead };
    }
    return { ...due, items: gathered.total, end };
  }

  private async write(
    tx: EntityManager,
    { id, rule }: OpenDigest,
    end: GatheredEnd,
    now: number,
  ): Promise<void> {
    if (ruleOfGate(rule).mode === 'shadow') await endShadowDigest(tx, id, end, now);
    else {
      const ended = await endGathered(tx, id, end, now);
      if (ended && end.state === 'dead') await raiseNotices(tx, [notRendered(rule, 1, end.code)], now);
    }
    // Of a message that could not be made somebody may want to see what it was to tell.
    await this.stores.digests.close(tx, [id], end.state === 'dead');
  }

  private report({ id, rule: gateName, action, key, items, end }: Closed): void {
    const { name: rule, mode } = ruleOfGate(gateName);
    const fields = { event: 'digest.closed', id, rule, action, key, items, state: end?.state ?? 'open' };
    const { log } = this.options;
    if (end === null) {
      log.debug(
        { ...fields, event: 'digest.put-off' },
        `a digest of "${rule}" waits for the end of quiet hours`,
      );
      return;
    }
    if (mode === 'shadow') log.debug(fields, `a digest of "${rule}", in shadow mode, is recorded`);
    else if (end.state === 'pending') {
      this.stores.deliveries.wake();
      log.info(fields, `a digest of "${rule}" is sent with ${items} items`);
    } else log.warn({ ...fields, code: end.code }, `a digest of "${rule}" is not sent: ${end.reason}`);
  }
}
