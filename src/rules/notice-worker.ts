import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { NOTICE_OCCASION, NOTICE_QUEUE } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import { isDataError } from '../database/database.errors.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { noticeDeliveries } from './notice-delivery.js';
import { endNotice, type OpenNotice, takeNotice } from './notice-rows.js';
import { noticeText } from './notice-text.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';

const POLL_MS = 5000;

/** A notice, and how many deliveries tell of it; an error: it cannot be written. */
type Told = OpenNotice & { readonly deliveries: number; readonly error: string | null };

/**
 * Tells the owners of rules what has happened: hands a delivery for each of their ways to be told to the action room,
 * where it is sent like any other. One transaction for each notice, so that one that cannot be told holds up no other.
 * Of deliveries that tell of notices nobody is told, whatever becomes of them: there are no loops.
 */
export class NoticeWorker {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: { readonly deliveries: DeliveryStore; readonly ruleSets: RuleSetStore },
    private readonly options: {
      /** Where people look; null: not known. */
      readonly publicUrl: string | null;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    this.loop = new WorkerLoop({
      queue: NOTICE_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.round(),
      failed: (error) => {
        options.log.error({ event: 'notice.not-told' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Tells all that is to be told. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.round()) > 0);
  }

  /** Answers how many notices were there: one, or none. */
  private async round(): Promise<number> {
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return 0;
    const told = await this.dataSource.transaction(async (tx) => {
      const notice = await takeNotice(tx);
      if (!notice) return null;
      // Another set may have been activated since this one was read: its owners are meant.
      if (!(await this.stores.ruleSets.isLive(ruleSet, tx))) return 'again';
      return await this.tell(tx, notice, ruleSet);
    });
    if (told === null) return 0;
    if (told !== 'again') this.report(told);
    return 1;
  }

  private async tell(tx: EntityManager, notice: OpenNotice, ruleSet: RuleSet): Promise<Told> {
    const text = noticeText(notice, notice.createdAt, this.options.publicUrl);
    const deliveries = noticeDeliveries(ruleSet, notice, text);
    await tx.query('savepoint notice');
    try {
      await this.stores.deliveries.accept(
        tx,
        deliveries.map((delivery) => ({ delivery, eventId: notice.id, occasion: NOTICE_OCCASION })),
        this.options.clock.now(),
      );
    } catch (error) {
      if (!isDataError(error)) throw error;
      // What the database does not take must not come up for ever.
      await tx.query('rollback to savepoint notice');
      await endNotice(tx, notice.id, 'nobody');
      return { ...notice, deliveries: 0, error: messageOf(error) };
    }
    await endNotice(tx, notice.id, deliveries.length > 0 ? 'told' : 'nobody');
    return { ...notice, deliveries: deliveries.length, error: null };
  }

  private report({ id, kind, subject, rules, detail, deliveries, error }: Told): void {
    const { log } = this.options;
    const fields = { event: 'notice.told', id, kind, subject, rules, deliveries };
    if (deliveries > 0) {
      this.stores.deliveries.wake();
      log.info(fields, `owners are told: ${kind} ${subject}`);
    } else if (error === null) {
      log.warn(
        { ...fields, event: 'notice.nobody', detail },
        `${kind} ${subject}: owners.json names nobody to be told of it`,
      );
    } else
      log.error({ ...fields, event: 'notice.not-told' }, `${kind} ${subject} could not be told: ${error}`);
  }
}
