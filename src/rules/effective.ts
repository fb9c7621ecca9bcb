import { readInstant } from './operators.js';

/** When a rule applies, as it stands in the file: date-times with their zone, or dates. */
export interface EffectiveDocument {
  readonly from?: string;
  readonly until?: string;
}

/** Why a rule does not apply at a time. */
export type OutOfEffect = 'not-yet-effective' | 'no-longer-effective';

const DATE = /^\d{4}-\d\d-\d\d$/;

/**
 * Whether a rule applies. From a date-time on and until a date-time, which is no part of it; of dates, both days are
 * part of it, as they are counted in `timezone`.
 */
export function outOfEffect(
  { from, until }: EffectiveDocument,
  { now, timezone }: { readonly now: number; readonly timezone: string },
): OutOfEffect | null {
  const isBefore = (bound: string): boolean =>
    DATE.test(bound)
      ? dateAt(now, timezone) < bound
      : now < (readInstant(bound, 'date-time') ?? Number.POSITIVE_INFINITY);
  if (from !== undefined && isBefore(from)) return 'not-yet-effective';
  if (until === undefined) return null;
  const over = DATE.test(until) ? dateAt(now, timezone) > until : !isBefore(until);
  return over ? 'no-longer-effective' : null;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-01-31`: the day that it is in a time zone. */
function dateAt(now: number, timezone: string): string {
  let format = formats.get(timezone);
  if (!format) {
    // Swedish dates are ISO dates.
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' });
    formats.set(timezone, format);
  }
  return format.format(now);
}
