import type { Wakeup } from './wakeup.js';

/**
 * Runs one stage for as long as the process lives: work while there is some, else sleep until a wake-up or the next
 * poll. An error of the work is reported and the stage goes on, more slowly while errors last.
 */
export class WorkerLoop {
  private stopped = true;
  private running: Promise<void> | null = null;

  /** `work` does one round and answers how many rows it found; 0 means there is nothing to do now. */
  constructor(
    private readonly options: {
      readonly queue: string;
      readonly wakeup: Wakeup;
      readonly pollMs: number | (() => number);
      readonly work: () => Promise<number>;
      readonly failed: (error: unknown) => void;
    },
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.running = this.run();
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.options.wakeup.wake(this.options.queue);
    await this.running;
  }

  private async run(): Promise<void> {
    const { queue, wakeup, pollMs, work, failed } = this.options;
    let errors = 0;
    while (!this.stopped) {
      const seen = wakeup.counter(queue);
      let found = 0;
      try {
        found = await work();
        errors = 0;
      } catch (error) {
        errors += 1;
        failed(error);
      }
      if (found === 0 && !this.isStopped())
        await wakeup.sleep(
          queue,
          errors > 0 ? wakeup.counter(queue) : seen,
          Math.min((typeof pollMs === 'number' ? pollMs : pollMs()) * 2 ** Math.min(errors, 3), 10_000),
        );
    }
  }

  // A method, so that the compiler does not take the field for unchanged across the await.
  private isStopped(): boolean {
    return this.stopped;
  }
}
