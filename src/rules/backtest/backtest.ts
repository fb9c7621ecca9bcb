import type { RuleSet } from '../rule-set.js';
import type { BacktestReport } from './backtest-report.js';
import type { RecordedEvent } from './recorded-event.js';

export interface BacktestOptions {
  /** What is compared against, mostly the live one. */
  readonly before: RuleSet;
  readonly after: RuleSet;
  /** IANA name, and name of the work calendar: of rules that name none. */
  readonly timezone: string;
  readonly calendar: string | null;
  /** What is decided from here on counts (ms since 1970); what comes before is taken in only. */
  readonly from: number;
  /** The clock runs on to here, so that timers have their time; ms since 1970. */
  readonly until: number;
  /** Where the warm-up begins, ms since 1970. */
  readonly warmUpFrom: number;
  /** So many examples of each rule and change; absent: 3. */
  readonly examples?: number;
}

/**
 * Two rule sets over the same stored events, on a virtual clock and without any effect. Events are taken in the order of
 * their decisions.
 */
export class Backtest {
  constructor(private readonly options: BacktestOptions) {}

  /** Takes events in; those of one time of decision must come together. */
  take(_events: readonly RecordedEvent[]): Promise<void> {
    return Promise.reject(new Error(`not before ${this.options.until}`));
  }

  /** Lets time pass until the end of the window, and says what differs. */
  finish(): Promise<BacktestReport> {
    return Promise.reject(new Error(`not before ${this.options.until}`));
  }
}

/** How far before the window events have to be taken in for two rule sets, in ms: the longest ladder or window in use. */
export function warmUpOf(_ruleSets: readonly RuleSet[]): number {
  return 0;
}
