import { Backtest } from '../rules/backtest/backtest.js';
import type { BacktestReport } from '../rules/backtest/backtest-report.js';
import type { RecordedEvent, RecordedEvents } from '../rules/backtest/recorded-event.js';
import type { RuleSet } from '../rules/rule-set.js';
import type { Progress } from './progress.js';

/** Times in ms since 1970. */
export interface BacktestWindow {
  /** Null: from the first event on. */
  readonly from: number | null;
  /** Null: to the last event. */
  readonly until: number | null;
  readonly warmUpFrom: number;
}

export interface BacktestRun {
  readonly before: RuleSet;
  readonly after: RuleSet;
  readonly timezone: string;
  readonly calendar: string | null;
  readonly examples: number;
  readonly window: BacktestWindow;
  /** How many events there probably are, after so many; null: nobody knows. */
  readonly expected: (done: number) => number | null;
  readonly progress: Progress;
}

/** Reads events to the end through both rule sets. Null: there are none, and no window is given. */
export async function runBacktest(source: RecordedEvents, run: BacktestRun): Promise<BacktestReport | null> {
  const { window, progress, expected } = run;
  const slices = source.read()[Symbol.asyncIterator]();
  let slice = await slices.next();
  const first = slice.done === true ? undefined : slice.value[0];
  const from = window.from ?? (first && timeOf(first));
  if (from === undefined || (window.until === null && !first)) return null;
  const options = new RunOptions(run, from);
  const backtest = new Backtest(options);
  let done = 0;
  for (; slice.done !== true; slice = await slices.next()) {
    options.reach(slice.value);
    await backtest.take(slice.value);
    done += slice.value.length;
    progress.step(done, expected(done));
  }
  options.close();
  return await backtest.finish();
}

/** What a back-test is told; without an end of its own, the window ends with the last event, which is known at last. */
class RunOptions {
  readonly before: RuleSet;
  readonly after: RuleSet;
  readonly timezone: string;
  readonly calendar: string | null;
  readonly examples: number;
  readonly warmUpFrom: number;
  private last: number;
  private closed = false;

  constructor(
    { before, after, timezone, calendar, examples, window }: BacktestRun,
    readonly from: number,
  ) {
    this.before = before;
    this.after = after;
    this.timezone = timezone;
    this.calendar = calendar;
    this.examples = examples;
    this.warmUpFrom = window.from === null ? from : window.warmUpFrom;
    this.fixedUntil = window.until;
    this.last = from;
  }

  private readonly fixedUntil: number | null;

  get until(): number {
    return this.fixedUntil ?? (this.closed ? this.last : Number.POSITIVE_INFINITY);
  }

  reach(events: readonly RecordedEvent[]): void {
    const last = events.at(-1);
    if (last) this.last = Math.max(this.last, timeOf(last));
  }

  close(): void {
    this.closed = true;
  }
}

function timeOf({ decidedAt, event }: RecordedEvent): number {
  return decidedAt ?? event.receivedAt.getTime();
}
