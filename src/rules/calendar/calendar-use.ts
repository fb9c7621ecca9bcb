import type { RuleSet } from '../rule-set.js';
import type { WorkCalendar } from './work-calendar.js';
import { dayOf, zoneClock } from './zone-clock.js';

/** So long before the days of a calendar end, people are told: the next ones are published in time to add them. */
const ENDING_DAYS = 60;

/** Until when the days of a work calendar are known. */
export interface CalendarEnd {
  readonly name: string;
  /** The last day, `2026-12-31`. */
  readonly until: string;
  /** Days from today to that one; negative: it is over. */
  readonly daysLeft: number;
  /** Whether people are to be told. */
  readonly near: boolean;
}

/**
 * The work calendars by which the rules of a set count, disabled ones apart, and that of rules that name none; by name.
 */
export function calendarsInUse(
  { rules, calendars }: Pick<RuleSet, 'rules' | 'calendars'>,
  defaultCalendar: string | null,
): readonly WorkCalendar[] {
  const names = new Set([defaultCalendar]);
  for (const { enabled, calendar, quietHours, schedule, escalation } of rules) {
    if (!enabled) continue;
    for (const part of [quietHours, schedule, escalation]) names.add(part?.calendar ?? null);
    names.add(calendar);
  }
  return [...calendars.values()]
    .filter(({ document }) => names.has(document.name))
    .sort((a, b) => (a.document.name < b.document.name ? -1 : 1));
}

/** The ends of those calendars that have one, as it is today in a time zone (IANA name). `now`: ms. */
export function calendarEnds(
  calendars: readonly WorkCalendar[],
  now: number,
  timezone: string,
): readonly CalendarEnd[] {
  return calendars.flatMap(({ document: { name, until } }) => {
    if (until === undefined) return [];
    const daysLeft = dayOf(until) - zoneClock(timezone).dayOf(now);
    return { name, until, daysLeft, near: daysLeft <= ENDING_DAYS };
  });
}
