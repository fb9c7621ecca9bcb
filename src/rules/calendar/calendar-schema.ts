import { z } from 'zod';
import type { CalendarDocument } from './calendar-document.js';

/** More than a century of public holidays. */
const MOST_DATES = 5000;
const NO_DATE = 'must be a date like "2026-01-31"';

const date = z.string(NO_DATE).refine(isDate, NO_DATE);
const hours = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/);
const dates = z.array(date).max(MOST_DATES, `must not have more than ${MOST_DATES} dates`);

/** One `*.calendar.json`, with its defaults. What its parts say of each other is checked where mistakes are reported. */
export const CALENDAR_DOCUMENT = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}$/,
      'must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit',
    ),
  description: z.string().max(1000, 'must not be longer than 1000 characters').exactOptional(),
  workdays: z.array(z.int().min(1).max(7)).default([1, 2, 3, 4, 5]),
  hours: z.array(hours).default(['09:00-18:00']),
  holidays: dates.default([]),
  makeUpWorkdays: dates.default([]),
  from: date.exactOptional(),
  until: date.exactOptional(),
}) satisfies z.ZodType<CalendarDocument>;

/** Whether a text is a day that there is, as `2026-01-31`. */
function isDate(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  // Date.parse takes February 30 for March 2.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
