import { describe, expect, it } from '@jest/globals';
import { loadShippedCalendars } from '../../src/rules/calendar/shipped-calendars.js';
import { WorkCalendar } from '../../src/rules/calendar/work-calendar.js';
import { nextTurn, openEntities, type Timetable, turnEvent } from '../../src/rules/schedule-turn.js';
import {
  type EntityState,
  NO_STATE,
  type Observation,
  type RootState,
} from '../../src/rules/state/root-state.js';
import { NO_TALLY } from '../../src/rules/state/tally.js';

const DAY = 86_400_000;

function timetable(cron: string, timezone: string, calendar?: string): Timetable {
  const document = calendar === undefined ? null : loadShippedCalendars()[calendar];
  return {
    schedule: { cron, calendar: calendar ?? null, timezone, over: 'task', plan: '' },
    timezone,
    calendar: document ? new WorkCalendar(document) : null,
    plan: '',
  };
}

/** The turns after a moment, as the clocks of the zone show them. */
function turns(table: Timetable, after: string, count: number): string[] {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: table.timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  const found: string[] = [];
  for (
    let at = nextTurn(table, Date.parse(after));
    at !== null && found.length < count;
    at = nextTurn(table, at)
  )
    found.push(format.format(at));
  return found;
}

describe('the turns of a schedule', () => {
  it('leave out the holiday of October and take the Saturday that makes up for it', () => {
    expect(turns(timetable('0 9 * * *', 'Asia/Shanghai', 'cn'), '2026-09-29T00:00:00Z', 7)).toEqual([
      '2026-09-29 09:00',
      '2026-09-30 09:00',
      '2026-10-08 09:00',
      '2026-10-09 09:00',
      '2026-10-10 09:00',
      '2026-10-12 09:00',
      '2026-10-13 09:00',
    ]);
  });

  it('begin with the first workday after a moment within a day off, also those at midnight', () => {
    expect(turns(timetable('0 0 * * *', 'Asia/Shanghai', 'cn'), '2026-10-03T04:00:00Z', 2)).toEqual([
      '2026-10-08 00:00',
      '2026-10-09 00:00',
    ]);
    expect(turns(timetable('*/30 * * * *', 'Asia/Shanghai', 'cn'), '2026-09-30T15:29:59Z', 3)).toEqual([
      '2026-09-30 23:30',
      '2026-10-08 00:00',
      '2026-10-08 00:30',
    ]);
  });

  it('come after the moment, never at it', () => {
    const table = timetable('0 9 * * *', 'Asia/Shanghai');
    const nine = Date.parse('2026-11-03T09:00:00+08:00');
    expect(nextTurn(table, nine - 1)).toBe(nine);
    expect(nextTurn(table, nine)).toBe(nine + DAY);
  });

  it('of a named time come once on every day, whatever the clocks do', () => {
    const zones = [
      'America/New_York',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'Africa/Cairo',
      'Asia/Shanghai',
    ];
    for (const zone of zones)
      for (const cron of ['30 2 * * *', '45 1 * * *', '0 0 * * *', '15 0 * * *', '30 1,13 * * *']) {
        const perDay = cron.includes(',') ? 2 : 1;
        const found = turns(timetable(cron, zone), '2025-12-31T12:00:00Z', 400 * perDay);
        const days = new Map<string, number>();
        for (const one of found) days.set(one.slice(0, 10), (days.get(one.slice(0, 10)) ?? 0) + 1);
        const dates = [...days.keys()];
        const span = (Date.parse(dates.at(-1) ?? '') - Date.parse(dates[0] ?? '')) / DAY;
        // The first and the last may be parts of days.
        const whole = new Set([...days.values()].slice(1, -1));
        expect([zone, cron, span, whole]).toEqual([zone, cron, days.size - 1, new Set([perDay])]);
      }
  });

  it('are none when no day that the calendar works has one', () => {
    const everyMonday = new WorkCalendar({
      name: 'mondays',
      workdays: [1],
      hours: ['09:00-18:00'],
      holidays: [],
      makeUpWorkdays: [],
    });
    const table = { ...timetable('0 9 * * 2', 'Asia/Shanghai'), calendar: everyMonday };
    expect(nextTurn(table, Date.parse('2026-11-03T00:00:00Z'))).toBeNull();
  });

  it('have the same key for the same time', () => {
    const due = Date.parse('2026-11-03T01:00:00Z');
    const { origin, eventId, raw } = turnEvent('nag', due, 'task');
    expect([origin, eventId]).toEqual(['aftersign:schedule', 'nag@2026-11-03T01:00:00.000Z']);
    expect(JSON.parse(raw.toString())).toEqual({
      rule: 'nag',
      due: '2026-11-03T01:00:00.000Z',
      over: 'task',
    });
  });
});

const seen = (time: number, status: number, phase: Observation[4]): Observation => [
  time,
  status,
  `e${time}`,
  status,
  phase,
];

function entity(...observations: Observation[]): EntityState {
  const last = observations.at(-1);
  return { seen: observations, latest: `id-${last?.[0] ?? ''}`, latestType: 'some.type', node: null };
}

describe('the open entities of a root entity', () => {
  const state: RootState = {
    process: null,
    nodes: { n1: entity(seen(5, 1, 'open')), n2: entity(seen(3, 3, 'done')) },
    tasks: {
      t1: { ...entity(seen(1, 1, 'open')), node: 'n1' },
      t2: entity(seen(1, 1, 'open'), seen(2, 3, 'done')),
      constructor: entity(seen(9, 3, 'done'), seen(10, 1, 'open')),
      odd: entity(seen(1, 99, 'unknown')),
    },
    tally: { ...NO_TALLY, last: { id: 'id-11', eventType: 'other.type', at: [11, 1, 'e11'] } },
  };

  it('are the tasks that somebody is waited for, by their ids', () => {
    expect(openEntities('process:p:1', state, 'task')).toEqual([
      {
        place: { process: 'p:1', node: null, task: 'constructor', tells: 'task', status: 1, phase: 'open' },
        latest: { id: 'id-10', eventType: 'some.type' },
      },
      {
        place: { process: 'p:1', node: 'n1', task: 't1', tells: 'task', status: 1, phase: 'open' },
        latest: { id: 'id-1', eventType: 'some.type' },
      },
    ]);
  });

  it('are the nodes, which name no task', () => {
    expect(openEntities('process:1', state, 'node').map(({ place }) => place)).toEqual([
      { process: '1', node: 'n1', task: null, tells: 'node', status: 1, phase: 'open' },
    ]);
  });

  it('are itself, read from the last event of its own, or of anything in it', () => {
    expect(openEntities('process:1', state, 'process')).toMatchObject([
      {
        place: { process: '1', node: null, task: null, tells: 'process', status: null, phase: 'unknown' },
        latest: { id: 'id-11', eventType: 'other.type' },
      },
    ]);
    const told = openEntities('process:1', { ...state, process: entity(seen(4, 1, 'open')) }, 'process');
    expect(told.map(({ place, latest }) => [place.status, latest?.id])).toEqual([[1, 'id-4']]);
    expect(openEntities('process:1', NO_STATE, 'process')[0]?.latest).toBeNull();
  });
});
