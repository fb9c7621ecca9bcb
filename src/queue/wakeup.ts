import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type pg from 'pg';

const CHANNEL = 'aftersign_wakeup';
/** Wake-ups within this time share one notice. */
const ANNOUNCE_MS = 10;

/**
 * Tells the stages that rows may be waiting, within this process at once and to other instances by NOTIFY. Only a
 * hint: whoever misses one finds the rows with the next poll. That is why it is no part of the transaction that
 * writes the rows: NOTIFY would make all commits of the database wait for each other. A stage reads its counter
 * before it claims, so that a wake-up that arrives during the claim is not lost.
 */
export class Wakeup {
  private readonly id = randomUUID();
  private readonly announcing = new Set<string>();
  private readonly counters = new Map<string, number>();
  private readonly sleepers = new Map<string, Set<() => void>>();
  private listener: { release: (destroy: boolean) => void } | null = null;
  private closed = false;
  private retry: NodeJS.Timeout | null = null;

  constructor(private readonly dataSource: DataSource) {}

  counter(queue: string): number {
    return this.counters.get(queue) ?? 0;
  }

  /** Wakes this process now and the others a moment later. Call it after the commit. */
  wake(queue: string): void {
    this.wakeHere(queue);
    if (this.announcing.has(queue) || this.closed) return;
    this.announcing.add(queue);
    setTimeout(() => {
      this.announcing.delete(queue);
      if (this.closed) return;
      this.dataSource
        .query('select pg_notify($1, $2)', [CHANNEL, `${this.id} ${queue}`])
        .catch(() => undefined);
    }, ANNOUNCE_MS).unref();
  }

  /** Resolves when the counter of `queue` is beyond `seen`, or after `ms`. */
  async sleep(queue: string, seen: number, ms: number): Promise<void> {
    if (this.counter(queue) !== seen || this.closed) return;
    await new Promise<void>((resolve) => {
      const sleepers = this.sleepers.get(queue) ?? new Set();
      this.sleepers.set(queue, sleepers);
      const done = (): void => {
        clearTimeout(timer);
        sleepers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      sleepers.add(done);
    });
  }

  /** Listens on a connection of its own; a lost one is replaced. */
  async listen(): Promise<void> {
    if (this.closed) return;
    const again = (): void => {
      this.listener?.release(true);
      this.listener = null;
      if (this.closed || this.retry) return;
      this.retry = setTimeout(() => {
        this.retry = null;
        void this.listen();
      }, 1000);
    };
    try {
      const pool = (this.dataSource.driver as unknown as { master: pg.Pool }).master;
      const client = await pool.connect();
      this.listener = client;
      client.on('notification', ({ payload }) => {
        const [from, queue] = payload?.split(' ') ?? [];
        if (queue !== undefined && from !== this.id) this.wakeHere(queue);
      });
      client.on('error', again);
      client.on('end', again);
      await client.query(`listen ${CHANNEL}`);
    } catch {
      again();
    }
  }

  close(): void {
    this.closed = true;
    if (this.retry) clearTimeout(this.retry);
    this.listener?.release(true);
    this.listener = null;
    for (const queue of this.sleepers.keys()) this.wakeHere(queue);
  }

  /** Wakes this process alone. */
  wakeHere(queue: string): void {
    this.counters.set(queue, this.counter(queue) + 1);
    for (const sleeper of this.sleepers.get(queue) ?? []) sleeper();
  }
}
