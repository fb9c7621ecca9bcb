import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ConditionDocument } from '../../src/rules/condition-document.js';
import { CompiledSilence, type SilenceMatcher, type SilenceSubject } from '../../src/rules/silence.js';

const START = Date.UTC(2026, 10, 2, 9);
const END = START + 7_200_000;

const silence = (matcher: SilenceMatcher): CompiledSilence =>
  new CompiledSilence({ id: 's', matcher, startsAt: START, endsAt: END, author: 'lena', reason: 'upgrade' });
const subject = (
  changes: Partial<SilenceSubject> = {},
  facts: Record<string, unknown> = {},
): SilenceSubject => ({
  rule: 'payroll-done',
  owner: 'people-ops',
  action: 'tell',
  facts: new Map(Object.entries({ event_type: 'e', status: 3, ...facts })),
  ...changes,
});
const is = (fact: string, value: unknown): ConditionDocument => ({
  all: [{ fact, operator: 'equal', value }],
});

describe('a silence', () => {
  it('is in force from its beginning until just before its end', () => {
    const one = silence({ rule: 'payroll-done' });
    expect([START - 1, START, END - 1, END].map((now) => one.silences(subject(), now))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each<[string, SilenceMatcher, boolean]>([
    ['its rule', { rule: 'payroll-done' }, true],
    ['another rule', { rule: 'payroll' }, false],
    ['a pattern of its rule', { rule: 'payroll-*' }, true],
    ['a pattern of all rules', { rule: '*' }, true],
    ['a pattern of others', { rule: '*-open' }, false],
    ['its action', { action: 'tell' }, true],
    ['another action', { action: 'tel' }, false],
    ['no pattern of actions', { action: '*' }, false],
    ['its owner', { owner: 'people-ops' }, true],
    ['another owner', { owner: 'people' }, false],
    ['conditions that hold', { conditions: is('status', 3) }, true],
    ['conditions that do not', { conditions: is('status', 2) }, false],
    ['all of several parts', { rule: 'payroll-*', action: 'tell', conditions: is('status', 3) }, true],
    ['one part of several that does not fit', { rule: 'payroll-*', action: 'mail' }, false],
    ['conditions beside another rule', { rule: 'x', conditions: is('status', 3) }, false],
    ['nothing', {}, false],
  ])('silences what fits %s: %#', (_, matcher, expected) => {
    expect(silence(matcher).silences(subject(), START)).toBe(expected);
  });

  it('of an owner fits no rule without one', () => {
    expect(silence({ owner: 'people-ops' }).silences(subject({ owner: null }), START)).toBe(false);
  });

  it('does not silence when it cannot be known whether its conditions hold', () => {
    const missing = silence({ conditions: is('lookup.process.status', 3) });
    expect(missing.silences(subject(), START)).toBe(false);
    const negated = silence({ conditions: { not: is('nowhere', 3) } });
    expect(negated.silences(subject(), START)).toBe(false);
    const either = silence({ conditions: { any: [is('nowhere', 3), is('status', 3)] } });
    expect(either.silences(subject(), START)).toBe(true);
  });

  it('does not silence, and does not fail, when its conditions cannot be evaluated', () => {
    for (const conditions of [
      { all: [{ fact: 'status', operator: 'before', value: 'no time at all' }] },
      { all: [{ fact: 'status', operator: 'no-such-operator', value: 3 }] },
      { all: [{ fact: 'status', operator: 'matches', value: '(' }] },
    ])
      expect(silence({ conditions }).silences(subject(), START)).toBe(false);
  });

  it('reads look-ups as rules do', () => {
    const one = silence({ conditions: is('lookup.process.task.status', 'DONE') });
    expect(one.silences(subject({}, { 'lookup.process': { task: { status: 'DONE' } } }), START)).toBe(true);
  });

  it('reads times as the type of the event writes them', () => {
    const formats: Record<string, 'epoch-seconds' | 'date-time'> = { seconds: 'epoch-seconds' };
    const one = new CompiledSilence(
      {
        id: 's',
        matcher: { conditions: { all: [{ fact: 'at', operator: 'before', value: '2026-01-01T00:00:00Z' }] } },
        startsAt: START,
        endsAt: END,
        author: 'lena',
        reason: 'upgrade',
      },
      (eventType) => formats[eventType] ?? 'date-time',
    );
    const on = (event_type: string, at: unknown): boolean =>
      one.silences(subject({}, { event_type, at }), START);
    expect(on('seconds', 1_700_000_000)).toBe(true);
    expect(on('seconds', 1_800_000_000)).toBe(false);
    expect(on('texts', '2025-12-31T00:00:00Z')).toBe(true);
    expect(on('texts', 1_700_000_000)).toBe(false);
    // Senders choose event types: however many there are, it goes on.
    for (let type = 0; type < 1000; type += 1) expect(on(`t${type}`, '2025-12-31T00:00:00Z')).toBe(true);
  });

  it('fits exactly when each part that is given fits (seed 61)', () => {
    const name = fc.constantFrom('a', 'ab', 'b');
    const part = fc.option(name, { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({ rule: part, action: part, owner: part }),
        fc.record({ rule: name, action: name, owner: fc.option(name) }),
        fc.integer({ min: -1, max: 2 }),
        (given, about, hours) => {
          const now = START + hours * 3_600_000;
          const parts = Object.entries(given).flatMap(([key, value]) =>
            value === undefined ? [] : [[key, value] as const],
          );
          const fits = parts.every(([key, value]) => about[key as keyof typeof about] === value);
          expect(silence(Object.fromEntries(parts)).silences(subject(about), now)).toBe(
            parts.length > 0 && fits && now >= START && now < END,
          );
        },
      ),
      { seed: 61, numRuns: 500 },
    );
  });
});
