import { isDataError } from '../database/database.errors.js';

const WATCH_MS = 100;

/** More is waiting to be committed than the instance takes in: the sender should come again later. */
export class BacklogFullError extends Error {
  readonly code = 'BACKLOG_FULL';
  constructor(waiting: number) {
    super(`${waiting} rows wait to be committed already`);
    this.name = 'BacklogFullError';
  }
}

/** The commit did not come in time for the sender. It may still come: the sender's repetition is then a duplicate. */
export class CommitLateError extends Error {
  readonly code = 'COMMIT_LATE';
  constructor(ms: number) {
    super(`the commit took longer than ${ms} ms`);
    this.name = 'CommitLateError';
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly since: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets concurrent callers share one statement and one commit. A caller's promise settles after the commit that
 * holds its row. When the database refuses a batch for what is in it, the batch is halved until only the bad row's
 * caller gets the error; when the database cannot be reached, all callers of the batch get it at once.
 */
export class GroupCommit<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  /** All that have no answer yet, oldest first. */
  private readonly open = new Set<Waiting<Item, Result>>();
  private watch: NodeJS.Timeout | null = null;
  private running = 0;
  private idle: (() => void)[] = [];

  /** `commit` writes all items in one transaction and answers one result each, in order. */
  constructor(
    private readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: {
      readonly batch: number;
      readonly concurrency: number;
      readonly backlog: number;
      /** Milliseconds after which a caller is told that it is too late. */
      readonly patience: number;
    },
  ) {}

  /** @throws BacklogFullError; CommitLateError; whatever the commit of this item threw. */
  add(item: Item): Promise<Result> {
    if (this.isFull) return Promise.reject(new BacklogFullError(this.waiting.length));
    return new Promise<Result>((resolve, reject) => {
      const one = { item, since: performance.now(), resolve, reject };
      this.waiting.push(one);
      this.open.add(one);
      // One timer for all: one for each would cost more than the rest of this.
      this.watch ??= setInterval(() => {
        this.rejectLate();
      }, WATCH_MS);
      // Requests that the socket layer hands over in the same turn of the event loop share the commit.
      if (this.running < this.limits.concurrency)
        setImmediate(() => {
          this.start();
        });
    });
  }

  get backlog(): number {
    return this.waiting.length;
  }

  get isFull(): boolean {
    return this.waiting.length >= this.limits.backlog;
  }

  /** Resolves when nothing is waiting or running. */
  async drain(): Promise<void> {
    if (this.running === 0 && this.waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.idle.push(resolve);
    });
  }

  private rejectLate(): void {
    const limit = performance.now() - this.limits.patience;
    for (const one of this.open) {
      if (one.since > limit) break;
      this.open.delete(one);
      one.reject(new CommitLateError(this.limits.patience));
    }
    if (this.open.size > 0 || this.watch === null) return;
    clearInterval(this.watch);
    this.watch = null;
  }

  private start(): void {
    while (this.running < this.limits.concurrency && this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.limits.batch);
      this.running += 1;
      void this.write(batch).finally(() => {
        this.running -= 1;
        this.start();
        if (this.running === 0 && this.waiting.length === 0)
          for (const resolve of this.idle.splice(0)) resolve();
      });
    }
  }

  private async write(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.commit(batch.map(({ item }) => item));
      batch.forEach((one, index) => {
        this.open.delete(one);
        one.resolve(results[index] as Result);
      });
    } catch (error) {
      if (batch.length > 1 && isDataError(error)) {
        const middle = batch.length >> 1;
        await this.write(batch.slice(0, middle));
        await this.write(batch.slice(middle));
      } else {
        for (const one of batch) {
          this.open.delete(one);
          one.reject(error);
        }
      }
    }
  }
}
