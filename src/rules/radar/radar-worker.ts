import type { DataSource } from 'typeorm';
import { NOTICE_QUEUE, raiseNotices } from '../../action/notice-store.js';
import type { Clock } from '../../config/clock.js';
import { type Log, messageOf } from '../../config/log.js';
import type { Wakeup } from '../../queue/wakeup.js';
import { WorkerLoop } from '../../queue/worker-loop.js';
import type { RuleSetStore } from '../rule-set-store.js';
import type { FindingStore } from './finding-store.js';
import type { LostScan, Suspect } from './lost-scan.js';
import type { Radar } from './radar.js';
import { radarNotices } from './radar-notice.js';
import type { Reconciler } from './reconciler.js';

export const RADAR_QUEUE = 'radar';
const POLL_MS = 10_000;
const EVERY_MS = 3_600_000;
/** After a start there is other work first. */
const FIRST_AFTER_MS = 5 * 60_000;
/** The platform gives 100 details a minute, and the look-ups of events come first. */
const ASKED_PER_ROUND = 20;
const ROUND_MS = 60_000;
/** Of open processes that are quiet, in an hour. */
const MOST_QUIET = 60;
const TOLD_AT_ONCE = 500;
const FORGOTTEN_AFTER_MS = 90 * 86_400_000;
/** Whoever holds it computes; the others see what comes of it. */
const RADAR_LOCK = 4157010;

/**
 * Looks once an hour, in one instance at a time; asks the platform about what may have been lost, a few a minute; and has the
 * owners told of what was found, each finding once.
 */
export class RadarWorker {
  private readonly loop: WorkerLoop;
  private waiting: Suspect[] = [];
  private askedAt = -Infinity;
  private readonly startedAt: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly radar: Radar,
    private readonly stores: {
      readonly ruleSets: RuleSetStore;
      readonly findings: FindingStore;
      readonly scan: LostScan;
    },
    /** Null: the platform cannot be asked, or is not to be. */
    private readonly reconciler: Reconciler | null,
    private readonly options: { readonly wakeup: Wakeup; readonly clock: Clock; readonly log: Log },
  ) {
    this.startedAt = options.clock.now();
    this.loop = new WorkerLoop({
      queue: RADAR_QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: async () => {
        if (options.clock.now() - this.startedAt >= FIRST_AFTER_MS) await this.round();
        // The next look is at the next poll, however much was found.
        return 0;
      },
      failed: (error) => {
        options.log.error({ event: 'radar.failed' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Looks, if an hour has passed, and asks all that there is to ask. For tests and the command line. */
  async drain(): Promise<void> {
    await this.round();
    while (this.waiting.length > 0) {
      this.askedAt = -Infinity;
      const before = this.waiting.length;
      await this.ask();
      if (this.waiting.length === before) return;
    }
  }

  private async round(): Promise<void> {
    await this.look();
    await this.ask();
  }

  private async look(): Promise<void> {
    const { clock, log } = this.options;
    const due = async (): Promise<boolean> => {
      const { computedAt } = await this.stores.findings.progress();
      return computedAt === null || clock.now() - computedAt.getTime() >= EVERY_MS;
    };
    if (!(await due())) return;
    const runner = this.dataSource.createQueryRunner();
    try {
      const [{ taken }] = (await runner.query('select pg_try_advisory_lock($1) as taken', [RADAR_LOCK])) as [
        { taken: boolean },
      ];
      if (!taken) return;
      try {
        if (!(await due())) return;
        const computed = await this.radar.compute();
        if (!computed) return;
        this.waiting = await this.toAsk(computed.suspects);
        await this.tell();
        await this.stores.findings.forget(clock.now() - FORGOTTEN_AFTER_MS);
        log.info(
          { event: 'radar.computed', looked: computed.looked, findings: computed.findings.length },
          `the radar has looked at ${computed.looked} events: ${computed.findings.length} findings`,
        );
      } finally {
        await runner.query('select pg_advisory_unlock($1)', [RADAR_LOCK]);
      }
    } finally {
      await runner.release();
    }
  }

  private async toAsk(suspects: readonly Suspect[]): Promise<Suspect[]> {
    const { reconciler } = this;
    if (!reconciler) return [];
    const quiet = await this.stores.scan.quiet(this.options.clock.now(), MOST_QUIET);
    const known = new Set(suspects.map(({ entity }) => entity));
    return [...suspects, ...quiet.filter(({ entity }) => !known.has(entity))].filter((one) =>
      reconciler.canAsk(one),
    );
  }

  /** Asks about some, once a minute. */
  private async ask(): Promise<void> {
    const { reconciler, waiting } = this;
    const now = this.options.clock.now();
    if (!reconciler || waiting.length === 0 || now - this.askedAt < ROUND_MS) return;
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return;
    this.askedAt = now;
    for (const suspect of waiting.slice(0, ASKED_PER_ROUND)) {
      const { pauseMs } = await reconciler.run(suspect, ruleSet.catalogue, { dryRun: false });
      // The platform takes no more now.
      if (pauseMs !== null) return;
      this.waiting = this.waiting.filter((one) => one !== suspect);
    }
  }

  /** Each finding is told once; what could not be noted now is, after the next look. */
  private async tell(): Promise<void> {
    const now = this.options.clock.now();
    const told = await this.dataSource.transaction(async (tx) => {
      const groups = radarNotices(await this.stores.findings.untold(tx, TOLD_AT_ONCE));
      const noted = await raiseNotices(
        tx,
        groups.map(({ notice }) => notice),
        now,
      );
      const ids = groups.flatMap((group, index) => (noted[index] === true ? group.ids : []));
      await this.stores.findings.told(tx, ids, now);
      return ids.length;
    });
    if (told > 0) this.options.wakeup.wake(NOTICE_QUEUE);
  }
}
