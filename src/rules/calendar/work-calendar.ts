import type { CalendarDocument } from './calendar-document.js';
import type { RuleDuration } from './work-duration.js';

/** Which days are worked, and when. */
export class WorkCalendar {
  constructor(readonly document: CalendarDocument) {}

  /** `date`: `2026-01-31`. */
  isWorkday(_date: string): boolean {
    throw new Error('to be written');
  }
}

/** When a duration that begins at `from` (ms) is over, in ms. A calendar is needed for working time. */
export function addDuration(
  _from: number,
  _duration: RuleDuration,
  _of: { readonly calendar: WorkCalendar | null; readonly timezone: string },
): number {
  throw new Error('to be written');
}

/** Till when it is quiet at `now`, in ms: the next moment that is not. Null: it is not quiet. */
export function quietUntil(
  _now: number,
  _hours: { readonly from: number; readonly to: number },
  _of: { readonly calendar: WorkCalendar | null; readonly timezone: string },
): number | null {
  throw new Error('to be written');
}

/** The facts of the clock: now.date, now.time, now.weekday, and, with a calendar, now.workday. */
export function clockFacts(
  _now: number,
  _of: { readonly calendar: WorkCalendar | null; readonly timezone: string },
): readonly (readonly [string, unknown])[] {
  throw new Error('to be written');
}
