import type { Claimed, ClaimedRow, LeasedRows } from './leased-rows.js';
import type { Wakeup } from './wakeup.js';
import { WorkerLoop } from './worker-loop.js';

const HEARTBEAT_MS = 2500;

/**
 * A stage whose work leaves the transaction: claims due rows, works on several of them at once, keeps their leases
 * meanwhile, and now and then takes back what instances that have died were working on.
 */
export class LeasedWork<Row extends ClaimedRow = ClaimedRow> {
  private readonly loop: WorkerLoop;
  private readonly underway = new Map<string, { readonly row: ClaimedRow; readonly done: Promise<void> }>();
  /** There was more than the last claim could take. */
  private more = false;
  private againMs: number | null = null;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly rows: LeasedRows,
    private readonly options: {
      readonly queue: string;
      readonly wakeup: Wakeup;
      readonly pollMs: number;
      readonly sweepMs: number;
      /** How many rows are worked on at once, and how many are claimed at a time. */
      readonly concurrency: number;
      readonly claimAtOnce: number;
      /** Clock time in ms: rows that are due then. */
      readonly now: () => number;
      /** Takes up to `limit` rows. */
      readonly claim: (limit: number, now: number) => Promise<Claimed<Row>>;
      /** Begins the work on rows that have just been claimed, by `add`. A row that is not added is free again when its lease ends. */
      readonly begin: (claimed: readonly Row[]) => Promise<void> | void;
      readonly sweep: () => Promise<void>;
      /** A claim, or a heartbeat or sweep, failed; the next comes all the same. */
      readonly failed: (what: 'claim' | 'upkeep', error: unknown) => void;
    },
  ) {
    const { queue, wakeup, pollMs, failed } = options;
    this.loop = new WorkerLoop({
      queue,
      wakeup,
      pollMs: () => Math.min(pollMs, this.againMs ?? pollMs),
      work: () => this.round(),
      failed: (error) => {
        failed('claim', error);
      },
    });
  }

  start(): void {
    this.loop.start();
    this.every(HEARTBEAT_MS, () => this.rows.extend([...this.underway.values()].map(({ row }) => row)));
    this.every(this.options.sweepMs, this.options.sweep);
  }

  /** Stops claiming and lets what is under way end for up to `graceMs`. The leases of the rest run out soon after. */
  async stop(graceMs: number): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    await this.loop.stop();
    await Promise.race([this.settled(), new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
  }

  /** Works until nothing is due. For tests and the command line. */
  async drain(): Promise<void> {
    for (;;) {
      const found = await this.round();
      await this.settled();
      if (found === 0) return;
    }
  }

  /** `work` says itself what went wrong: it does not reject. */
  add(row: ClaimedRow, work: Promise<void>): void {
    const done = work.finally(() => {
      this.underway.delete(row.id);
      this.roomMade();
    });
    this.underway.set(row.id, { row, done });
  }

  /** Something has ended, or will not take up its place for longer: what did not fit may fit now. */
  roomMade(): void {
    if (this.more) this.options.wakeup.wakeHere(this.options.queue);
  }

  private async round(): Promise<number> {
    const { concurrency, claimAtOnce, now, claim, begin } = this.options;
    const limit = Math.min(claimAtOnce, concurrency - this.underway.size);
    // Woken again by the end of some work.
    if (limit <= 0) return 0;
    const { rows, more, againMs = null } = await claim(limit, now());
    this.more = more;
    this.againMs = againMs;
    if (rows.length > 0) await begin(rows);
    return rows.length;
  }

  private async settled(): Promise<void> {
    await Promise.all([...this.underway.values()].map(({ done }) => done));
  }

  private every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => {
          this.options.failed('upkeep', error);
        })
        .finally(() => {
          busy = false;
        });
    }, ms);
    this.timers.push(timer);
  }
}
