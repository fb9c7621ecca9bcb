import { describe, expect, it } from '@jest/globals';
import type { Depths } from '../../../src/console/health/depths.js';
import type { CalendarEnd } from '../../../src/rules/calendar/calendar-use.js';
import { type HealthFacts, reasonsOf, warningsOf } from '../../../src/console/health/health-reasons.js';

const DEPTHS: Depths = {
  undecided: 0,
  undecidedAge: 0,
  waiting: 0,
  waitingAge: 0,
  quarantined: 0,
  deliveries: { pending: 0, delivering: 0, held: 0, deferred: 0, dead: 0 },
  due: 0,
  dueAge: 0,
  timers: { armed: 0, overdue: 0 },
  overdueAge: 0,
  unsettled: { open: 0, expired: 0 },
  targets: { closed: 3, open: 0, 'half-open': 0 },
  radar: {
    'unread-value': 0,
    'unknown-value': 0,
    'silent-rule': 0,
    'failing-condition': 0,
    'lost-events': 0,
  },
  indexLag: 0,
  ruleSet: { hash: 'a', activatedAt: new Date(0) },
  passwordIsInitial: false,
};
const WELL: HealthFacts = {
  stopping: false,
  database: { ok: true, ms: 2 },
  backlogFull: false,
  connections: [],
  connectionsUsable: true,
  depths: DEPTHS,
  ruleSet: { hash: 'a', errors: 0 },
  calendars: { ends: [], missing: null },
};
const connection = (state: 'connected' | 'failed') => ({
  app: 'default',
  state,
  since: '2026-11-02T09:00:00Z',
});

const end = (name: string, daysLeft: number): CalendarEnd => ({
  name,
  until: '2026-12-31',
  daysLeft,
  near: daysLeft <= 60,
});

const codes = (facts: HealthFacts): [string[], string[]] => [
  reasonsOf(facts).map(({ code }) => code),
  warningsOf(facts).map(({ code }) => code),
];

describe('health', () => {
  it('has nothing to say when all is well', () => {
    expect(codes(WELL)).toEqual([[], []]);
    expect(codes({ ...WELL, connections: [connection('connected')] })).toEqual([[], []]);
  });

  it.each<[string, Partial<HealthFacts>, string[], string[]]>([
    ['stops', { stopping: true }, ['SERVICE_STOPPING'], []],
    ['has no database', { database: { ok: false, ms: 1500 }, depths: null }, ['DATABASE_DOWN'], []],
    ['takes no more events', { backlogFull: true }, ['BACKLOG_FULL'], []],
    [
      'has an app without a way in',
      { connections: [connection('failed'), connection('connected')], connectionsUsable: false },
      ['CONNECTION_DOWN'],
      [],
    ],
    ['has an app with the webhook alone', { connections: [connection('failed')] }, [], ['CONNECTION_DOWN']],
    ['has a slow database', { database: { ok: true, ms: 501 } }, [], ['DATABASE_SLOW']],
    ['cannot read the depths', { depths: null }, [], ['DATABASE_SLOW']],
    ['has no live rules', { ruleSet: { hash: null, errors: 0 } }, [], ['RULES_NONE']],
    [
      'has no live rules, seen from another role',
      { ruleSet: undefined, depths: { ...DEPTHS, ruleSet: null } },
      [],
      ['RULES_NONE'],
    ],
    ['has broken files', { ruleSet: { hash: 'a', errors: 3 } }, [], ['RULES_BROKEN']],
    [
      'counts by a calendar that ends',
      { calendars: { ends: [end('a', 61), end('b', 60), end('c', 0), end('d', -1)], missing: null } },
      [],
      ['CALENDAR_ENDING', 'CALENDAR_ENDING', 'CALENDAR_ENDED'],
    ],
    ['lacks its calendar', { calendars: { ends: [], missing: 'x' } }, [], ['DEFAULT_CALENDAR_UNKNOWN']],
    ['decides late', { depths: { ...DEPTHS, undecidedAge: 60_001 } }, [], ['DECISIONS_LATE']],
    [
      'holds deliveries',
      { depths: { ...DEPTHS, deliveries: { ...DEPTHS.deliveries, held: 2 } } },
      [],
      ['DELIVERIES_HELD'],
    ],
    [
      'does not reach a target',
      { depths: { ...DEPTHS, targets: { closed: 3, open: 0, 'half-open': 1 } } },
      [],
      ['TARGET_DOWN'],
    ],
    ['delivers late', { depths: { ...DEPTHS, dueAge: 60_001 } }, [], ['DELIVERIES_LATE']],
    ['escalates late', { depths: { ...DEPTHS, overdueAge: 60_001 } }, [], ['TIMERS_LATE']],
    ['indexes late', { depths: { ...DEPTHS, indexLag: 60_001 } }, [], ['INDEX_LATE']],
    ['has the first password', { depths: { ...DEPTHS, passwordIsInitial: true } }, [], ['PASSWORD_INITIAL']],
  ])('names why when it %s', (_, changes, reasons, warnings) => {
    expect(codes({ ...WELL, ...changes })).toEqual([reasons, warnings]);
  });

  it('waits a minute before it calls anything late', () => {
    expect(
      codes({
        ...WELL,
        depths: { ...DEPTHS, undecidedAge: 60_000, dueAge: 60_000, overdueAge: 60_000, indexLag: 60_000 },
      }),
    ).toEqual([[], []]);
  });

  it('says how many errors, and for how long', () => {
    const [broken, late] = warningsOf({
      ...WELL,
      ruleSet: { hash: 'a', errors: 1 },
      depths: { ...DEPTHS, dueAge: 3 * 3_600_000 },
    });
    expect(broken?.detail).toContain('have 1 error;');
    expect(late?.detail).toContain('due for 3 h');
  });
});
