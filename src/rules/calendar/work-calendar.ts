import type { CalendarDocument } from './calendar-document.js';
import type { RuleDuration } from './work-duration.js';
import { DAY_MS, dayOf, type ZoneClock, zoneClock } from './zone-clock.js';

const MINUTE_MS = 60_000;
/** How far the end of quiet hours is looked for. */
const MOST_QUIET_MS = 400 * DAY_MS;

/** Part of a day, [from, to) in ms since its midnight by the clock on the wall. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Which calendar and time zone (IANA name) something is counted in. */
export interface ClockOf {
  readonly calendar: WorkCalendar | null;
  readonly timezone: string;
}

/** Working time cannot be counted: neither the rule nor DEFAULT_CALENDAR names a work calendar that there is. */
export class CalendarMissingError extends Error {
  constructor() {
    super(
      'no work calendar: working time is counted by one; name one that there is in the rule ("calendar"), or in DEFAULT_CALENDAR',
    );
    this.name = 'CalendarMissingError';
  }
}

/** Which days are worked, and when. */
export class WorkCalendar {
  /** In order. */
  readonly hours: readonly Span[];
  private readonly weekdays: ReadonlySet<number>;
  /** Days that are not as their day of the week says. */
  private readonly exceptions: ReadonlyMap<number, boolean>;

  /** @throws RangeError when it has no working time at all: whoever looked for some would never find any */
  constructor(readonly document: CalendarDocument) {
    const { name, workdays, hours, holidays, makeUpWorkdays, from, until } = document;
    this.hours = hours.map(spanOf);
    this.weekdays = new Set(workdays);
    if (!this.hours.some((span) => span.from < span.to) || !workdays.some((day) => day >= 1 && day <= 7))
      throw new RangeError(`calendar "${name}" has no working time`);
    const first = from === undefined ? -Infinity : dayOf(from);
    const last = until === undefined ? Infinity : dayOf(until);
    this.exceptions = new Map(
      [
        ...holidays.map((date) => [dayOf(date), false] as const),
        ...makeUpWorkdays.map((date) => [dayOf(date), true] as const),
      ].filter(([day]) => day >= first && day <= last),
    );
  }

  /** `date`: `2026-01-31`. */
  isWorkday(date: string): boolean {
    return this.works(dayOf(date));
  }

  /** `day`: days since 1970-01-01. */
  works(day: number): boolean {
    return this.exceptions.get(day) ?? this.weekdays.has(weekdayOf(day));
  }
}

/**
 * When a duration that begins at `from` (ms) is over, in ms. Working time passes while the clocks of the zone show
 * working hours of a workday, and in real time: an hour that summer time skips does not, one that it repeats passes
 * twice. What is over with the working hours is over at their end, not at the next opening; nothing at all takes till
 * the next opening, outside of working hours. Workdays end at the wall time at which they began, so many workdays
 * later; from a day off, they begin with the opening of the next workday.
 *
 * @throws CalendarMissingError when working time is counted without a calendar
 * @throws RangeError when there is no such time zone, or `from` is no time
 */
export function addDuration(from: number, duration: RuleDuration, { calendar, timezone }: ClockOf): number {
  if (duration.kind === 'time') return from + duration.ms;
  if (!calendar) throw new CalendarMissingError();
  const clock = zoneClock(timezone);
  const day = clock.dayOf(from);
  if (duration.kind === 'work-time') return walk(from, duration.minutes * MINUTE_MS, calendar, clock);
  if (duration.days === 0) return walk(from, 0, calendar, clock);
  const begin = calendar.works(day) ? from : walk(from, 0, calendar, clock);
  const wall = clock.wallOf(begin);
  return clock.instantOf(wall + daysTill(duration.days, Math.floor(wall / DAY_MS), calendar) * DAY_MS);
}

/**
 * Till when it is quiet at `now`, in ms: the next moment that is not, within 400 days. Null: it is not quiet. `from`
 * and `to` are minutes of the day; from 22:00 to 06:00 is the beginning and the end of each day. With a calendar, days
 * that are no workdays are quiet from midnight to midnight.
 *
 * @throws RangeError when there is no such time zone
 */
export function quietUntil(
  now: number,
  hours: { readonly from: number; readonly to: number },
  { calendar, timezone }: ClockOf,
): number | null {
  const from = hours.from * MINUTE_MS;
  const to = hours.to * MINUTE_MS;
  const loud =
    from < to
      ? [{ from, to }]
      : [
          { from: 0, to },
          { from, to: DAY_MS },
        ];
  const works = (day: number): boolean => calendar?.works(day) ?? true;
  const until = walk(now, 0, { hours: loud, works }, zoneClock(timezone), now + MOST_QUIET_MS);
  return until === now ? null : until;
}

/**
 * The facts of the clock: now.date (`2026-01-31`), now.time (`09:30`), now.weekday (1 Monday to 7 Sunday), and, with a
 * calendar, now.workday.
 *
 * @throws RangeError when there is no such time zone
 */
export function clockFacts(
  now: number,
  { calendar, timezone }: ClockOf,
): readonly (readonly [string, unknown])[] {
  const wall = zoneClock(timezone).wallOf(now);
  const day = Math.floor(wall / DAY_MS);
  const [date = '', time = ''] = new Date(wall).toISOString().split('T');
  return [
    ['now.date', date],
    ['now.time', time.slice(0, 5)],
    ['now.weekday', weekdayOf(day)],
    ...(calendar ? [['now.workday', calendar.works(day)] as const] : []),
  ];
}

/** What is open when: hours of days. */
interface OpenTime {
  readonly hours: readonly Span[];
  works(day: number): boolean;
}

/**
 * The first instant from `from` on by which so much open time has passed, by what the clocks show; `end` when there is
 * none before it.
 */
function walk(from: number, ms: number, open: OpenTime, clock: ZoneClock, end = Infinity): number {
  let left = ms;
  for (let at = from; at < end;) {
    const { until, offset } = clock.stretchAt(at);
    const wall = at + offset;
    const wallEnd = Math.min(until, end) + offset;
    for (let day = Math.floor(wall / DAY_MS); day * DAY_MS < wallEnd; day += 1) {
      if (!open.works(day)) continue;
      for (const span of open.hours) {
        const begins = Math.max(wall, day * DAY_MS + span.from);
        const length = Math.min(wallEnd, day * DAY_MS + span.to) - begins;
        if (length <= 0) continue;
        if (left <= length) return begins + left - offset;
        left -= length;
      }
    }
    at = until;
  }
  return end;
}

/** How many days after `day` the `count`th workday is. */
function daysTill(count: number, day: number, calendar: WorkCalendar): number {
  let ahead = 0;
  for (let left = count; left > 0;) {
    ahead += 1;
    if (calendar.works(day + ahead)) left -= 1;
  }
  return ahead;
}

/** 1 (Monday) to 7; the first of 1970 was a Thursday. */
function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** `09:00-12:00` */
function spanOf(hours: string): Span {
  const [from = NaN, to = NaN] = hours.split('-').map((time) => {
    const [hour = NaN, minute = NaN] = time.split(':').map(Number);
    return (hour * 60 + minute) * MINUTE_MS;
  });
  return { from, to };
}
