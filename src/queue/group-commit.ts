import { isDataError } from '../database/database.errors.js';

/** More is waiting to be committed than the instance takes in: the sender should come again later. */
export class BacklogFullError extends Error {
  readonly code = 'BACKLOG_FULL';
  constructor(waiting: number) {
    super(`${waiting} rows wait to be committed already`);
    this.name = 'BacklogFullError';
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
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
  private running = 0;
  private idle: (() => void)[] = [];

  /** `commit` writes all items in one transaction and answers one result each, in order. */
  constructor(
    private readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: {
      readonly batch: number;
      readonly concurrency: number;
      readonly backlog: number;
    },
  ) {}

  /** @throws BacklogFullError; whatever the commit of this item threw. */
  add(item: Item): Promise<Result> {
    if (this.isFull) return Promise.reject(new BacklogFullError(this.waiting.length));
    return new Promise<Result>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
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
        one.resolve(results[index] as Result);
      });
    } catch (error) {
      if (batch.length > 1 && isDataError(error)) {
        const middle = batch.length >> 1;
        await this.write(batch.slice(0, middle));
        await this.write(batch.slice(middle));
      } else {
        for (const one of batch) one.reject(error);
      }
    }
  }
}
