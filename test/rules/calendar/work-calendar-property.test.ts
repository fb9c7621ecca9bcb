// Against a walk from minute to minute that asks nobody but Intl.DateTimeFormat. Real time zones, nothing is mocked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import {
  addDuration,
  clockFacts,
  quietUntil,
  WorkCalendar,
} from '../../../src/rules/calendar/work-calendar.js';
import type { RuleDuration } from '../../../src/rules/calendar/work-duration.js';
import { type Hours, WallMinutes, weekdayOf } from '../../support/wall-minutes.js';
import { isWorkedInChina } from './china-by-the-notices.js';

const DAY = 86_400_000;
const SEED = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** The same calendar twice: as the product has it, and as the walk does. */
interface Known {
  readonly calendar: WorkCalendar;
  readonly works: (date: string) => boolean;
  readonly hours: Hours;
}

/** A time of which the walk knows every minute; instants to begin at lie within `starts`. */
interface Time {
  readonly timezone: string;
  readonly minutes: WallMinutes;
  readonly starts: readonly [from: number, to: number];
}

function remembered(works: (date: string) => boolean): (date: string) => boolean {
  const known = new Map<string, boolean>();
  return (date) => {
    const one = known.get(date) ?? works(date);
    known.set(date, one);
    return one;
  };
}

const textOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function knownOf(workdays: readonly number[], hours: Hours): Known {
  const document = {
    name: 'generated',
    workdays,
    hours: hours.map(([from, to]) => `${textOf(from)}-${textOf(to)}`),
    holidays: [],
    makeUpWorkdays: [],
  };
  return {
    calendar: new WorkCalendar(document),
    works: remembered((date) => workdays.includes(weekdayOf(date))),
    hours,
  };
}

const shipped = loadShippedCalendars();
const CN: Known = {
  calendar: new WorkCalendar(shipped['cn']!),
  works: remembered(isWorkedInChina),
  hours: [
    [540, 720],
    [780, 1080],
  ],
};
const WEEKDAYS: Known = {
  calendar: new WorkCalendar(shipped['weekdays']!),
  works: remembered((date) => weekdayOf(date) <= 5),
  hours: [[540, 1080]],
};
const NIGHTS: Hours = [
  [0, 360],
  [1320, 1440],
];
/** Hours that begin and end within the hours that summer time skips and repeats. */
const anyHours = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 0, max: 1440 }), fc.integer({ min: 0, max: 240 })), {
    minLength: 2,
    maxLength: 8,
  })
  .map((times) => {
    const sorted = times.toSorted((a, b) => a - b);
    return sorted.flatMap((to, at): Hours => (at % 2 === 1 ? [[sorted[at - 1]!, to]] : []));
  })
  // Or the walk would leave the days that it knows.
  .filter((hours) => hours.reduce((sum, [from, to]) => sum + to - from, 0) >= 60);
const anyCalendar = fc.oneof(
  fc.constant(WEEKDAYS),
  fc.constant(knownOf([1, 2, 3, 4, 5], NIGHTS)),
  fc.constant(knownOf([1, 2, 3, 4, 5, 6, 7], NIGHTS)),
  fc
    .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 4 }), anyHours)
    .map(([days, hours]) => knownOf(days, hours)),
);
const duration = (most: { readonly minutes: number; readonly days: number }): fc.Arbitrary<RuleDuration> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('work-time' as const),
      minutes: fc.integer({ min: 0, max: most.minutes }),
    }),
    fc.record({ kind: fc.constant('workdays' as const), days: fc.integer({ min: 0, max: most.days }) }),
  );

/** Every instant to the millisecond; the ends of minutes, hours and summer times more often than by chance. */
const instantOf = ({ starts: [from, to] }: Time): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: from, max: to }),
    fc.integer({ min: from / 900_000, max: to / 900_000 }).map((quarter) => quarter * 900_000),
    fc
      .tuple(
        fc.integer({ min: from / 900_000, max: to / 900_000 }),
        fc.integer({ min: -60_001, max: 60_001 }),
      )
      .map(([quarter, by]) => Math.min(Math.max(quarter * 900_000 + by, from), to)),
  );

function walked(from: number, given: RuleDuration, { works, hours }: Known, { minutes }: Time): number {
  const open = { works, hours };
  if (given.kind === 'time') return from + given.ms;
  if (given.kind === 'work-time') return minutes.after(from, given.minutes * 60_000, open);
  if (given.days === 0) return minutes.after(from, 0, open);
  const begin = works(minutes.dateAt(from)) ? from : minutes.after(from, 0, open);
  const today = minutes.dates.indexOf(minutes.dateAt(begin));
  const workdays = minutes.dates.slice(today + 1).filter(works);
  const timeOfDay = minutes.minuteAt(begin) * 60_000 + (begin % 60_000);
  return minutes.instantOf(workdays[given.days - 1]!, timeOfDay);
}

/** Both years, in which the walk needs a second and more to look at every minute: once. */
const shanghai: Time = {
  timezone: 'Asia/Shanghai',
  minutes: new WallMinutes(
    'Asia/Shanghai',
    Date.parse('2025-01-01T00:00+08:00'),
    Date.parse('2027-01-01T00:00+08:00'),
  ),
  starts: [Date.parse('2025-01-01T00:00+08:00'), Date.parse('2026-11-25T00:00+08:00')],
};

/** The days around a change of the clocks. */
const around = (timezone: string, change: string): Time => {
  const day = Date.parse(`${change}T00:00Z`);
  return {
    timezone,
    minutes: new WallMinutes(timezone, day - 5 * DAY, day + 40 * DAY),
    starts: [day - 4 * DAY, day + 2 * DAY],
  };
};
/** Clocks go forward and back at 2:00 or 3:00; by half an hour; at midnight, and back into the day before. */
const CHANGES = [
  ['America/New_York', '2026-03-08', '2026-11-01'],
  ['Europe/Berlin', '2026-03-29', '2026-10-25'],
  ['Australia/Lord_Howe', '2026-10-04', '2026-04-05'],
  ['America/Havana', '2026-03-08', '2026-11-01'],
  ['Africa/Cairo', '2026-04-24', '2026-10-29'],
] as const;

describe(`working time, by a walk from minute to minute (seed ${SEED})`, () => {
  it('of China: every day of 2025 and 2026 is worked, or not, as the notices say', () => {
    const days = shanghai.minutes.dates;
    expect(days).toHaveLength(730);
    expect(days.filter((date) => CN.calendar.isWorkday(date))).toEqual(days.filter(isWorkedInChina));
  });

  it('of China: is over when the walk is', () => {
    fc.assert(
      fc.property(instantOf(shanghai), duration({ minutes: 8000, days: 15 }), (from, given) => {
        const of = { calendar: CN.calendar, timezone: shanghai.timezone };
        expect(addDuration(from, given, of)).toBe(walked(from, given, CN, shanghai));
      }),
      { numRuns: 1000, seed: SEED },
    );
  });

  for (const [timezone, ...changes] of CHANGES) {
    it(`is over when the walk is, where the clocks of ${timezone} are changed`, () => {
      for (const change of changes) {
        const time = around(timezone, change);
        fc.assert(
          fc.property(
            anyCalendar,
            instantOf(time),
            duration({ minutes: 600, days: 3 }),
            (known, from, given) => {
              const of = { calendar: known.calendar, timezone };
              expect(addDuration(from, given, of)).toBe(walked(from, given, known, time));
            },
          ),
          { numRuns: 250, seed: SEED },
        );
      }
    });
  }

  for (const [timezone, ...changes] of [['Asia/Shanghai', '2026-10-01'] as const, ...CHANGES]) {
    it(`finds the end of quiet hours in ${timezone}`, () => {
      for (const change of changes) {
        const time = around(timezone, change);
        fc.assert(
          fc.property(
            fc.option(anyCalendar),
            // As a rule may write them: two different times, of which the later may be 24:00.
            fc
              .tuple(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 1440 }))
              .filter(([from, to]) => from !== to),
            instantOf(time),
            (known, [from, to], now) => {
              const hours: Hours =
                from < to
                  ? [[from, to]]
                  : [
                      [0, to],
                      [from, 1440],
                    ];
              const works = known?.works ?? ((): boolean => true);
              const loud = time.minutes.after(now, 0, { works, hours });
              const until = quietUntil(now, { from, to }, { calendar: known?.calendar ?? null, timezone });
              expect(until).toBe(loud === now ? null : loud);
            },
          ),
          { numRuns: 250, seed: SEED },
        );
      }
    });
  }

  it('knows what the clocks of any zone show, in any year', () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const instants = fc.date({
      min: new Date('1950-01-01'),
      max: new Date('2150-01-01'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(zones, instants, (timezone, instant) => {
        const now = instant.getTime();
        const shown = new Intl.DateTimeFormat('sv-SE', {
          timeZone: timezone,
          dateStyle: 'short',
          timeStyle: 'short',
        }).format(now);
        const [date = '', time] = shown.split(' ');
        expect(Object.fromEntries(clockFacts(now, { calendar: WEEKDAYS.calendar, timezone }))).toEqual({
          'now.date': date,
          'now.time': time,
          'now.weekday': weekdayOf(date),
          'now.workday': weekdayOf(date) <= 5,
        });
      }),
      { numRuns: 150, seed: SEED },
    );
  });
});
