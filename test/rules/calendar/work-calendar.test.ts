import { describe, expect, it } from '@jest/globals';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import {
  addDuration,
  CalendarMissingError,
  clockFacts,
  quietUntil,
  WorkCalendar,
} from '../../../src/rules/calendar/work-calendar.js';
import { parseRuleDuration } from '../../../src/rules/calendar/work-duration.js';

const shipped = loadShippedCalendars();
const CN = new WorkCalendar(shipped['cn']!);
const WEEKDAYS = new WorkCalendar(shipped['weekdays']!);

/** When a duration is over in Shanghai, both times as its clocks show them. */
function over(from: string, duration: string, calendar: WorkCalendar | null = CN): string {
  const given = parseRuleDuration(duration)!;
  const until = addDuration(Date.parse(`${from}+08:00`), given, { calendar, timezone: 'Asia/Shanghai' });
  return new Date(until + 8 * 3_600_000).toISOString().replace(/(?::00)?\.000Z$/, '');
}

describe('working time', () => {
  it('passes within the hours of workdays', () => {
    expect(over('2026-11-02T09:00', '2 work hours')).toBe('2026-11-02T11:00');
    expect(over('2026-11-02T11:30', '1 work hour')).toBe('2026-11-02T13:30');
    expect(over('2026-11-02T17:30:15', '90 work minutes')).toBe('2026-11-03T10:00:15');
    expect(over('2026-11-02T09:00', '24 work hours')).toBe('2026-11-04T18:00');
    expect(over('2026-11-02T09:00', '24h')).toBe('2026-11-03T09:00');
  });

  it('begins with the next opening when it begins outside of them', () => {
    expect(over('2026-11-02T03:00', '30 work minutes')).toBe('2026-11-02T09:30');
    expect(over('2026-11-02T12:15', '30 work minutes')).toBe('2026-11-02T13:30');
    expect(over('2026-11-06T20:00', '30 work minutes')).toBe('2026-11-09T09:30');
  });

  it('is over at the end of the hours when it ends with them', () => {
    expect(over('2026-11-02T17:00', '60 work minutes')).toBe('2026-11-02T18:00');
    expect(over('2026-11-02T17:00', '61 work minutes')).toBe('2026-11-03T09:01');
    expect(over('2026-11-02T11:00', '60 work minutes')).toBe('2026-11-02T12:00');
  });

  it('of nothing is the moment itself, or the next opening', () => {
    expect(over('2026-11-02T10:00', '0 work minutes')).toBe('2026-11-02T10:00');
    expect(over('2026-11-02T18:00', '0 work minutes')).toBe('2026-11-03T09:00');
    expect(over('2026-11-02T20:00', '0 workdays')).toBe('2026-11-03T09:00');
    expect(over('2026-11-02T20:00', '0d')).toBe('2026-11-02T20:00');
  });

  it('stands still over the Spring Festival and passes on a Saturday that is made up', () => {
    // 2026-02-14 is a Saturday at work; from the 15th to the 23rd nobody is.
    expect(over('2026-02-13T17:00', '9 work hours')).toBe('2026-02-14T18:00');
    expect(over('2026-02-14T17:00', '2 work hours')).toBe('2026-02-24T10:00');
    expect(over('2026-02-13T17:00', '2 workdays')).toBe('2026-02-24T17:00');
    expect(over('2026-02-13T17:00', '9 work hours', WEEKDAYS)).toBe('2026-02-16T17:00');
  });

  it('in workdays is over at the same time of a later workday', () => {
    expect(over('2026-11-02T10:00', '1 workday')).toBe('2026-11-03T10:00');
    expect(over('2026-11-02T23:59:59', '1 workday')).toBe('2026-11-03T23:59:59');
    expect(over('2026-11-06T06:00', '2 workdays')).toBe('2026-11-10T06:00');
    expect(over('2026-11-02T10:00', '5 workdays')).toBe('2026-11-09T10:00');
  });

  it('in workdays begins with the opening of the next one when it begins on a day off', () => {
    expect(over('2026-11-07T15:00', '1 workday')).toBe('2026-11-10T09:00');
    expect(over('2026-10-01T00:00', '1 workday')).toBe('2026-10-09T09:00');
  });

  it('knows the days of the week alone where the calendar has ended, or not begun', () => {
    const short = new WorkCalendar({
      ...shipped['cn']!,
      holidays: ['2025-12-31', '2026-01-01', '2026-12-31', '2027-01-01'],
      makeUpWorkdays: ['2025-12-28', '2026-01-04', '2027-01-03'],
      from: '2026-01-01',
      until: '2026-12-31',
    });
    const worked = (dates: readonly string[]): boolean[] => dates.map((date) => short.isWorkday(date));
    expect(worked(['2025-12-28', '2025-12-31', '2026-01-01', '2026-01-04'])).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(worked(['2026-12-31', '2027-01-01', '2027-01-02', '2027-01-03'])).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(CN.isWorkday('2027-01-01')).toBe(true);
  });

  it('is counted over many years', () => {
    expect(over('2026-11-02T09:00', '99999 workdays', WEEKDAYS)).toBe('2410-02-19T09:00');
    expect(over('2026-11-02T09:00', '99999 work hours', WEEKDAYS)).toBe('2069-06-03T18:00');
  });

  it('needs a calendar', () => {
    expect(() => over('2026-11-02T09:00', '1 work hour', null)).toThrow(CalendarMissingError);
    expect(() => over('2026-11-02T09:00', '1 workday', null)).toThrow(/^no work calendar: /);
    expect(over('2026-11-02T09:00', '1h', null)).toBe('2026-11-02T10:00');
  });

  it('cannot be counted by a calendar that has none', () => {
    const never = { ...shipped['weekdays']!, workdays: [] };
    expect(() => new WorkCalendar(never)).toThrow(new RangeError('calendar "weekdays" has no working time'));
    expect(() => new WorkCalendar({ ...never, workdays: [1], hours: [] })).toThrow(RangeError);
  });

  it('is refused in a zone that there is not', () => {
    const of = { calendar: CN, timezone: 'Asia/Peking' };
    expect(() => addDuration(0, { kind: 'workdays', days: 1 }, of)).toThrow(RangeError);
  });

  it('ends for any time that there is, and is refused for what is none', () => {
    const last = 8_640_000_000_000_000;
    for (const timezone of ['Asia/Shanghai', 'America/New_York']) {
      for (const from of [-last, last, last + 86_400_000])
        for (const text of ['8 work hours', '1 workday'])
          expect(addDuration(from, parseRuleDuration(text)!, { calendar: CN, timezone })).toBeGreaterThan(
            from,
          );
    }
    for (const from of [NaN, Infinity])
      for (const text of ['8 work hours', '0 work minutes', '1 workday'])
        expect(() =>
          addDuration(from, parseRuleDuration(text)!, { calendar: CN, timezone: 'Asia/Shanghai' }),
        ).toThrow(RangeError);
  });
});

describe('where summer time begins and ends', () => {
  const night = new WorkCalendar({
    ...shipped['weekdays']!,
    workdays: [1, 2, 3, 4, 5, 6, 7],
    hours: ['00:00-06:00', '22:00-24:00'],
  });
  const berlin = { calendar: night, timezone: 'Europe/Berlin' };
  const end = (from: string, duration: string): string =>
    new Date(addDuration(Date.parse(from), parseRuleDuration(duration)!, berlin)).toISOString();

  it('the night that lacks an hour is an hour shorter', () => {
    // At 2:00 on 2026-03-29 it is 3:00, and 01:00 UTC.
    expect(end('2026-03-29T00:00+01:00', '5 work hours')).toBe('2026-03-29T04:00:00.000Z');
    expect(end('2026-03-29T00:00+01:00', '6 work hours')).toBe('2026-03-29T21:00:00.000Z');
  });

  it('the night that has an hour twice is an hour longer', () => {
    // At 3:00 on 2026-10-25 it is 2:00 again, and 01:00 UTC.
    expect(end('2026-10-25T00:00+02:00', '7 work hours')).toBe('2026-10-25T05:00:00.000Z');
  });

  it('a workday ends an hour later where its time is skipped, and the first time where it comes twice', () => {
    expect(end('2026-03-28T02:30+01:00', '1 workday')).toBe('2026-03-29T01:30:00.000Z');
    expect(end('2026-10-24T02:30+02:00', '1 workday')).toBe('2026-10-25T00:30:00.000Z');
    expect(end('2026-03-28T12:00+01:00', '1 workday')).toBe('2026-03-29T10:00:00.000Z');
  });
});

describe('quiet hours', () => {
  const loud = { from: 9 * 60, to: 19 * 60 };
  const till = (now: string, hours: typeof loud, calendar: WorkCalendar | null): string | null => {
    const until = quietUntil(Date.parse(`${now}+08:00`), hours, { calendar, timezone: 'Asia/Shanghai' });
    return until === null ? null : new Date(until + 8 * 3_600_000).toISOString().slice(0, 16);
  };

  it('are all but those between the two times', () => {
    expect(till('2026-11-02T09:00', loud, null)).toBeNull();
    expect(till('2026-11-02T18:59:59.999', loud, null)).toBeNull();
    expect(till('2026-11-02T19:00', loud, null)).toBe('2026-11-03T09:00');
    expect(till('2026-11-02T08:59:59.999', loud, null)).toBe('2026-11-02T09:00');
    expect(till('2026-11-06T22:00', loud, null)).toBe('2026-11-07T09:00');
  });

  it('are whole days that are not worked, with a calendar', () => {
    expect(till('2026-11-06T22:00', loud, CN)).toBe('2026-11-09T09:00');
    expect(till('2026-10-01T10:00', loud, CN)).toBe('2026-10-08T09:00');
    // A Saturday that is made up.
    expect(till('2026-10-10T10:00', loud, CN)).toBeNull();
    // The hours of the calendar do not matter here.
    expect(till('2026-11-02T12:30', loud, CN)).toBeNull();
  });

  it('lie in the middle of the day when the times go over midnight', () => {
    const nights = { from: 22 * 60, to: 6 * 60 };
    expect(till('2026-11-02T05:59', nights, null)).toBeNull();
    expect(till('2026-11-02T06:00', nights, null)).toBe('2026-11-02T22:00');
    expect(till('2026-11-02T23:00', nights, null)).toBeNull();
    // Friday night ends with Friday.
    expect(till('2026-11-07T00:00', nights, CN)).toBe('2026-11-09T00:00');
  });

  it('end after 400 days when nothing else ends them', () => {
    const dates = Array.from({ length: 500 }, (_, day) =>
      new Date(Date.UTC(2026, 10, 1 + day)).toISOString().slice(0, 10),
    );
    const never = new WorkCalendar({ ...shipped['weekdays']!, holidays: dates });
    expect(till('2026-11-02T12:00', loud, never)).toBe('2027-12-07T12:00');
  });
});

describe('the facts of the clock', () => {
  it('are those of the zone', () => {
    const now = Date.parse('2026-10-09T23:30:00Z');
    expect(Object.fromEntries(clockFacts(now, { calendar: CN, timezone: 'Asia/Shanghai' }))).toEqual({
      'now.date': '2026-10-10',
      'now.time': '07:30',
      'now.weekday': 6,
      'now.workday': true,
    });
    expect(Object.fromEntries(clockFacts(now, { calendar: null, timezone: 'America/New_York' }))).toEqual({
      'now.date': '2026-10-09',
      'now.time': '19:30',
      'now.weekday': 5,
    });
  });
});
