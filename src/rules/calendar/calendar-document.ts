/** A work calendar as a file holds it, checked. Plain JSON. Dates are `2026-01-31`. */
export interface CalendarDocument {
  /** By which rules name it: a-z 0-9 . _ - */
  readonly name: string;
  readonly description?: string;
  /** Days of the week that are worked, 1 (Monday) to 7. */
  readonly workdays: readonly number[];
  /** Working hours of a workday, in order: `09:00-12:00`, `13:00-18:00`; `24:00` is the end of the day. */
  readonly hours: readonly string[];
  /** Days off besides. */
  readonly holidays: readonly string[];
  /** Days worked though they would be off: make-up workdays (调休). */
  readonly makeUpWorkdays: readonly string[];
  /** First and last day for which the two lists are known. Before and after, only the days of the week are. */
  readonly from?: string;
  readonly until?: string;
}
