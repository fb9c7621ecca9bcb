import type { DataSource } from 'typeorm';
import type { DeliveryStore } from '../action/delivery-store.js';
import { type Notice, NOTICE_QUEUE, raiseNotices } from '../action/notice-store.js';
import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import type { BrakeStore } from './brake-store.js';
import { forgetNotices } from './notice-rows.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';
import { concerns } from './silence.js';
import type { SilenceStore, StoredSilence } from './silence-store.js';
import type { StateStore } from './state-store.js';

const POLL_MS = 1000;
const AT_ONCE = 1000;
const HOUR_MS = 3_600_000;
/** What has not been touched for so long is forgotten though nobody has said that it ended. */
const UNTOUCHED_MS = 400 * 24 * HOUR_MS;
/** Throttles and timers that have ended are kept so long. */
const ENDED_MS = 30 * 24 * HOUR_MS;
/** And what somebody has been told. */
const TOLD_MS = 90 * 24 * HOUR_MS;

/**
 * What time itself does: deliveries that quiet hours held back are let go, silences give notice before their end, and
 * what nobody needs any more is forgotten.
 */
export class UpkeepWorker {
  private readonly loop: WorkerLoop;
  private forgottenAt = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly deliveries: DeliveryStore;
      readonly silences: SilenceStore;
      readonly brakes: Pick<BrakeStore, 'forget'>;
      readonly states: StateStore;
      readonly ruleSets: RuleSetStore;
    },
    private readonly options: {
      /** How long the state of a finished process is kept, in ms. */
      readonly retention: number;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    this.loop = new WorkerLoop({
      queue: 'upkeep',
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.round(),
      failed: (error) => {
        options.log.error({ event: 'upkeep.failed' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Does all that is to be done now. For tests and the command line. */
  async drain(): Promise<void> {
    while ((await this.round()) > 0);
  }

  private async round(): Promise<number> {
    const now = this.options.clock.now();
    const released = await this.stores.deliveries.releaseDeferred(now, AT_ONCE);
    if (released > 0) this.stores.deliveries.wake();
    await this.giveNotices(now);
    let forgotten = 0;
    if (now - this.forgottenAt >= HOUR_MS) {
      forgotten = await this.forget(now);
      if (forgotten < AT_ONCE) this.forgottenAt = now;
    }
    return released < AT_ONCE && forgotten < AT_ONCE ? 0 : released + forgotten;
  }

  private async giveNotices(now: number): Promise<void> {
    const ending = await this.dataSource.transaction(async (tx) => {
      const silences = await this.stores.silences.takeNotices(tx, now);
      if (silences.length === 0) return silences;
      const ruleSet = await this.stores.ruleSets.current();
      await raiseNotices(
        tx,
        silences.map((silence) => noticeOf(silence, ruleSet)),
        now,
      );
      return silences;
    });
    if (ending.length > 0) this.options.wakeup.wake(NOTICE_QUEUE);
    for (const { id, author, reason, endsAt } of ending)
      this.options.log.warn(
        { event: 'silence.ending', silence: id, author, until: new Date(endsAt).toISOString() },
        `a silence ends soon, and what it held back is sent again then: ${reason}`,
      );
  }

  private async forget(now: number): Promise<number> {
    const { retention, log } = this.options;
    const states = await this.stores.states.forget(now - retention, now - UNTOUCHED_MS, AT_ONCE);
    const before = new Date(now - ENDED_MS);
    await this.stores.brakes.forget(now);
    await this.dataSource.query(
      `delete from throttles where ctid in (select ctid from throttles where updated_at < $1 limit ${AT_ONCE} for update skip locked)`,
      [before],
    );
    await this.dataSource.query(
      `delete from timers where id in (select id from timers where state = 'cancelled' and updated_at < $1
                                        limit ${AT_ONCE} for update skip locked)`,
      [before],
    );
    await forgetNotices(this.dataSource.manager, now - TOLD_MS, AT_ONCE);
    if (states > 0)
      log.info({ event: 'state.forgotten', entities: states }, 'state of finished processes forgotten');
    return states;
  }
}

/** For the owners of the rules that a silence is about; what its conditions say is about people, and stays there. */
function noticeOf({ id, matcher, author, reason, endsAt }: StoredSilence, ruleSet: RuleSet | null): Notice {
  const rules = (ruleSet?.rules ?? []).filter((rule) => concerns(matcher, rule)).map(({ name }) => name);
  return {
    kind: 'silence-ending',
    subject: id,
    rules,
    detail: { author, reason, until: new Date(endsAt).toISOString() },
  };
}
