import fc from 'fast-check';
import type { Catalogue } from '../../src/events/catalogue.js';
import { hasLevel } from '../../src/rules/state/levels.js';
import { type Level, LEVELS } from '../../src/rules/state/root-state.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = Readonly<Record<string, Json>>;

/** The levels that every event type of a trigger names; of patterns, that one of them names. */
export function levelsOf(trigger: string | readonly string[], catalogue: Catalogue): Level[] {
  const patterns = typeof trigger === 'string' ? [trigger] : trigger;
  const entries = patterns.flatMap((pattern) => catalogue.matching(pattern));
  const some = patterns.some((pattern) => pattern.includes('*'));
  return LEVELS.filter((level) =>
    some ? entries.some((entry) => hasLevel(entry, level)) : entries.every((entry) => hasLevel(entry, level)),
  );
}

const wall = fc.constantFrom('1s', '30m', '24h', '2d', 'PT36H', 'P1DT2H');
const calendars = fc.constantFrom('cn', 'weekdays');
const timezones = fc.constantFrom('Asia/Shanghai', 'America/New_York', 'UTC');
const placed = { calendar: calendars, timezone: timezones };

/** Steps in their order, each with actions. */
function steps(actions: fc.Arbitrary<readonly JsonObject[]>): fc.Arbitrary<Json[]> {
  const afters = fc.constantFrom(
    ['1h', '24h', '2d', 'P5D'],
    ['30 work minutes', '8 work hours', '24 work hours'],
    ['8workhours', '1 workday', '2 workdays'],
    ['1 workday', '48h', '3 workdays'],
  );
  return fc
    .record({
      afters,
      count: fc.integer({ min: 1, max: 4 }),
      named: fc.boolean(),
      actions: fc.array(actions, { minLength: 4, maxLength: 4 }),
    })
    .map(({ afters: all, count, named, actions: each }) =>
      all.slice(0, count).map((after, index) => ({
        after,
        actions: each[index] ?? [],
        ...(named ? { name: `step-${index}` } : {}),
      })),
    );
}

/** `escalate` of a rule whose events name these levels. */
export function escalation(
  levels: readonly Level[],
  asked: boolean,
  conditions: fc.Arbitrary<JsonObject>,
  actions: fc.Arbitrary<readonly JsonObject[]>,
): fc.Arbitrary<JsonObject> {
  return fc.record(
    {
      per: fc.constantFrom(...levels),
      steps: steps(actions),
      calendar: calendars,
      timezone: timezones,
      cancelOn: conditions,
      confirm: asked ? fc.boolean() : fc.constant(false),
    },
    { requiredKeys: ['per', 'steps', 'calendar'] },
  );
}

/** The other keys that say when and how often a rule sends; its owner is named. */
export function timing(levels: readonly Level[], scheduled: boolean, fact: string): fc.Arbitrary<JsonObject> {
  const key = fc.constantFrom('owner', 'event_type', fact);
  const hours = fc.constantFrom('09:00-19:00', '22:00-06:00', '00:00-24:00');
  const levelOrEvent = fc.constantFrom<string[]>('event', ...levels);
  return fc.record(
    {
      ...placed,
      oncePer: levelOrEvent,
      ...(scheduled ? {} : { settle: wall }),
      throttle: fc.record(
        { max: fc.integer({ min: 1, max: 1000 }), per: wall, key },
        { requiredKeys: ['max', 'per'] },
      ),
      quietHours: fc.record(
        { outside: hours, then: fc.constantFrom('defer', 'drop'), ...placed },
        { requiredKeys: ['outside'] },
      ),
    },
    { requiredKeys: [] },
  );
}

/** So many deliveries within a time. */
export const budget: fc.Arbitrary<JsonObject> = fc.record({
  max: fc.integer({ min: 1, max: 1_000_000 }),
  per: wall,
});

/** When an action is asked for, and in which order it goes out; of a rule whose events name these levels. */
export function asking(
  levels: readonly Level[],
  conditions: fc.Arbitrary<JsonObject>,
): fc.Arbitrary<JsonObject> {
  const orders = levels.filter((level) => level !== 'node');
  return fc.record(
    { when: conditions, order: fc.constantFrom<string[]>('none', ...orders) },
    { requiredKeys: [] },
  );
}

/** A digest, and how its actions read what it gathers. */
export function digest(scheduled: boolean): fc.Arbitrary<JsonObject> {
  return fc.record(
    {
      window: wall,
      key: fc.constantFrom('owner', 'event_type'),
      item: fc.constantFrom('{{ event.event_type }} {{ rule.name }}', 'one'),
    },
    { requiredKeys: scheduled ? [] : ['window'] },
  );
}

/** A schedule over a level. */
export function schedule(over: Level): fc.Arbitrary<JsonObject> {
  return fc.record(
    {
      schedule: fc.constantFrom('0 9 * * *', '*/15 8-18 * * 1-5', '0 0 29 2 *', '30 7 1,15 * MON'),
      over: fc.constant(over),
      ...placed,
    },
    { requiredKeys: ['schedule', 'over'] },
  );
}
