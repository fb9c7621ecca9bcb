import type { DataSource } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import type { Clock } from '../config/clock.js';
import type { Log } from '../config/log.js';
import type { Metrics } from '../config/metrics.js';
import type { Partitions } from '../database/partitions.js';
import type { EventStore } from '../events/event-store.js';
import { LeasedRows } from '../queue/leased-rows.js';
import type { Wakeup } from '../queue/wakeup.js';
import { DigestWorker } from './digest-worker.js';
import type { LookupFetcher } from './lookup-fetcher.js';
import { NoticeWorker } from './notice-worker.js';
import type { RuleStores } from './rule-stores.js';
import { ScheduleWorker } from './schedule-worker.js';
import { QUESTION_LEASE_SECONDS, StepAsker } from './step-asker.js';
import { TimerWorker } from './timer-worker.js';
import { UpkeepWorker } from './upkeep-worker.js';

/** Everything that happens because it is time, and not because an event has come in. */
export class TimeWorkers {
  readonly timers: TimerWorker;
  readonly questions: StepAsker;
  readonly schedules: ScheduleWorker;
  readonly digests: DigestWorker;
  readonly upkeep: UpkeepWorker;
  readonly notices: NoticeWorker;

  constructor(
    dataSource: DataSource,
    stores: Pick<RuleStores, keyof RuleStores> & {
      readonly events: EventStore;
      readonly deliveries: DeliveryStore;
      readonly partitions: Partitions;
    },
    fetcher: LookupFetcher,
    options: {
      readonly instance: string;
      readonly timezone: string;
      readonly calendar?: string | undefined;
      /** Where people look; absent: not known. */
      readonly publicUrl?: string | undefined;
      /** How long the state of a finished process is kept, in ms. */
      readonly retention: number;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
      readonly metrics: Metrics;
    },
  ) {
    this.timers = new TimerWorker(dataSource, stores, options);
    this.questions = new StepAsker(
      dataSource,
      new LeasedRows(
        dataSource,
        { table: 'timers', ready: 'asking', taken: 'fetching' },
        options.instance,
        QUESTION_LEASE_SECONDS,
      ),
      stores,
      fetcher,
      options,
    );
    this.schedules = new ScheduleWorker(dataSource, stores, {
      ...options,
      calendar: options.calendar ?? null,
    });
    this.digests = new DigestWorker(dataSource, stores, { ...options, calendar: options.calendar ?? null });
    this.upkeep = new UpkeepWorker(dataSource, stores, options);
    this.notices = new NoticeWorker(dataSource, stores, { ...options, publicUrl: options.publicUrl ?? null });
  }

  start(): void {
    for (const worker of this.all) worker.start();
  }

  /** Lets what is under way end, questions for up to `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.stop(graceMs)));
  }

  /** Does all that is due, until nothing is. For tests and the command line. */
  async drain(): Promise<void> {
    await this.timers.drain();
    await this.questions.drain();
    await this.timers.drain();
    await this.schedules.drain();
    await this.digests.drain();
    await this.upkeep.drain();
    await this.notices.drain();
  }

  private get all(): readonly { start(): void; stop(graceMs: number): Promise<void> }[] {
    return [this.timers, this.questions, this.schedules, this.digests, this.upkeep, this.notices];
  }
}
