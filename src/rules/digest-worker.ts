import type { DataSource, EntityManager } from 'typeorm';
import type { Action } from '../action/action.js';
import type { DeliveryStore } from '../action/delivery-store.js';
import { endGathered, type GatheredEnd } from '../action/gathered-delivery.js';
import { notRendered, raiseNotices } from '../action/notice-store.js';
import { RenderError } from '../action/render-template.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import { isDataError } from '../database/database.errors.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { quietUntil } from './calendar/work-calendar.js';
import { digestScope, type Gathered } from './digest-scope.js';
import { DIGEST_QUEUE, type DigestStore, type OpenDigest } from './digest-store.js';
import type { Rule, RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';

const POLL_MS = 1000;
/** The code of a message that could not be made, and not for want of a value. */
const FAILED = 'DIGEST_FAILED';

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
    const rule = ruleSet.ruleOf(due.rule);
    const quiet = rule?.enabled ? this.quietUntil(rule, ruleSet, now) : null;
    if (quiet !== null) {
      await this.stores.digests.putOff(tx, due.id, quiet);
      return { ...due, items: 0, end: null };
    }
    const gathered = await this.stores.digests.itemsOf(tx, due.id);
    const end = this.end(rule, due, ruleSet, gathered, now);
    await tx.query('savepoint digest');
    try {
      await this.write(tx, due, end, now);
    } catch (error) {
      if (!isDataError(error)) throw error;
      // What a message holds that the database does not take must not come up for ever.
      await tx.query('rollback to savepoint digest');
      const dead = { state: 'dead', code: FAILED, reason: messageOf(error) } as const;
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
    const ended = await endGathered(tx, id, end, now);
    if (ended && end.state === 'dead') await raiseNotices(tx, [notRendered(rule, 1, end.code)], now);
    // Of a message that could not be made somebody may want to see what it was to tell.
    await this.stores.digests.close(tx, [id], end.state === 'dead');
  }

  /** What a digest has gathered is not lost to quiet hours, also where a rule drops what matches in them. */
  private quietUntil(rule: Rule, { calendars }: RuleSet, now: number): number | null {
    const { quietHours } = rule;
    if (!quietHours || quietHours.then === 'send') return null;
    const name = quietHours.calendar ?? rule.calendar ?? this.options.calendar;
    return quietUntil(now, quietHours, {
      calendar: name === null ? null : (calendars.get(name) ?? null),
      timezone: quietHours.timezone ?? rule.timezone ?? this.options.timezone,
    });
  }

  private end(
    rule: Rule | undefined,
    due: OpenDigest,
    ruleSet: RuleSet,
    gathered: Gathered,
    now: number,
  ): GatheredEnd {
    const gone = (reason: string): GatheredEnd => ({ state: 'cancelled', code: 'RULE_GONE', reason });
    if (!rule) return gone(`the rule "${due.rule}" is gone`);
    if (!rule.enabled) return gone(`the rule "${due.rule}" is switched off`);
    if (!rule.digest) return gone(`the rule "${due.rule}" has no digest any more`);
    const action = rule.actions.find(({ name }) => name === due.action);
    if (!action) return gone(`the rule "${due.rule}" has no action "${due.action}" any more`);
    if (gathered.total === 0)
      return { state: 'cancelled', code: 'DIGEST_EMPTY', reason: 'nothing is left of what it gathered' };
    return this.render(rule, action, ruleSet, gathered, now);
  }

  private render(rule: Rule, action: Action, ruleSet: RuleSet, gathered: Gathered, now: number): GatheredEnd {
    try {
      const { timezone } = this.options;
      return { state: 'pending', ...action.render(digestScope(rule, ruleSet, gathered, { now, timezone })) };
    } catch (error) {
      // Whatever it is, it would come up again at once, and hold up all others.
      return {
        state: 'dead',
        code: error instanceof RenderError ? error.code : FAILED,
        reason: messageOf(error),
      };
    }
  }

  private report({ id, rule, action, key, items, end }: Closed): void {
    const fields = { event: 'digest.closed', id, rule, action, key, items, state: end?.state ?? 'open' };
    const { log } = this.options;
    if (end === null) {
      log.debug(
        { ...fields, event: 'digest.put-off' },
        `a digest of "${rule}" waits for the end of quiet hours`,
      );
      return;
    }
    if (end.state === 'pending') {
      this.stores.deliveries.wake();
      log.info(fields, `a digest of "${rule}" is sent with ${items} items`);
    } else log.warn({ ...fields, code: end.code }, `a digest of "${rule}" is not sent: ${end.reason}`);
  }
}
