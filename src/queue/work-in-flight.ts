import type { ClaimedRow, LeasedRows } from './leased-rows.js';

const HEARTBEAT_MS = 2500;

/**
 * The claimed rows that this instance works on outside of any transaction. While it is kept up, their leases are
 * prolonged, and now and then the table is swept.
 */
export class WorkInFlight {
  private readonly underway = new Map<string, { readonly row: ClaimedRow; readonly done: Promise<void> }>();
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly rows: LeasedRows,
    private readonly options: {
      readonly sweepMs: number;
      /** Takes back what instances that have died were working on. */
      readonly sweep: () => Promise<void>;
      /** A heartbeat or a sweep failed; the next comes all the same. */
      readonly failed: (error: unknown) => void;
      /** The work on a row has ended, and its place is free. */
      readonly ended: () => void;
    },
  ) {}

  get size(): number {
    return this.underway.size;
  }

  /** `work` says itself what went wrong: it does not reject. */
  add(row: ClaimedRow, work: Promise<void>): void {
    const done = work.finally(() => {
      this.underway.delete(row.id);
      this.options.ended();
    });
    this.underway.set(row.id, { row, done });
  }

  keepUp(): void {
    this.every(HEARTBEAT_MS, () => this.rows.extend([...this.underway.values()].map(({ row }) => row)));
    this.every(this.options.sweepMs, this.options.sweep);
  }

  /** Ends the heartbeat and the sweeps. What is under way may end as long as its leases last. */
  letGo(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
  }

  /** Resolves when all that is under way now has ended, or after `graceMs`. */
  async settled(graceMs = Infinity): Promise<void> {
    const all = Promise.all([...this.underway.values()].map(({ done }) => done));
    if (graceMs === Infinity) await all;
    else await Promise.race([all, new Promise((resolve) => setTimeout(resolve, graceMs).unref())]);
  }

  private every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch(this.options.failed)
        .finally(() => {
          busy = false;
        });
    }, ms);
    this.timers.push(timer);
  }
}
