// Both keys: the compiled predicates and the real json-rules-engine.
import { describe, expect, it } from '@jest/globals';
import { compileConditions, missingIn } from '../../src/rules/compiled-conditions.js';
import type { ConditionDocument } from '../../src/rules/condition-document.js';
import { buildTree } from '../../src/rules/condition-tree.js';
import { Confirmation } from '../../src/rules/confirmation.js';
import { ConditionError } from '../../src/rules/operators.js';

const leaf = (fact: string, operator: string, value: unknown, path?: string): ConditionDocument => ({
  fact,
  operator,
  value,
  ...(path === undefined ? {} : { path }),
});
const facts = new Map<string, unknown>([
  ['status', 3],
  ['biz_type', 'renewal_record'],
  ['nothing', null],
  ['form', { amount: 5, items: [{ name: 'x' }], 'a b': 1 }],
  ['tags', ['a', 'b']],
  ['__proto__', 'data'],
  ['limit', 3],
]);
const NOW = { now: Date.UTC(2026, 10, 24, 10) };
const dateTime = (): 'date-time' => 'date-time';
const compiled = (document: ConditionDocument): ReturnType<typeof compileConditions> =>
  compileConditions(buildTree(document, new Map(), dateTime));
/** What the first key says; where that is yes, the second must say so too. */
const judge = async (document: ConditionDocument, given = facts): Promise<string> => {
  const outcome = compiled(document).evaluate(given, NOW);
  if (outcome === 'yes')
    expect(await new Confirmation(document, new Map(), dateTime).holds(given, NOW)).toBe(true);
  return outcome;
};

describe('conditions', () => {
  it.each<[ConditionDocument, string]>([
    [leaf('status', 'equal', 3), 'yes'],
    [leaf('status', 'equal', '3'), 'no'],
    [leaf('biz_type', 'in', ['renewal_record']), 'yes'],
    [leaf('form', 'equal', 5, '$.amount'), 'yes'],
    [leaf('form', 'equal', 'x', "$.items[0]['name']"), 'yes'],
    [leaf('form', 'equal', 1, '["a b"]'), 'yes'],
    [leaf('status', 'equal', { fact: 'limit' }), 'yes'],
    [leaf('tags', 'someFact:equal', 'b'), 'yes'],
    [leaf('nothing', 'equal', null), 'yes'],
    [leaf('__proto__', 'equal', 'data'), 'yes'],
    [{ not: leaf('status', 'equal', 3) }, 'no'],
    [{ any: [leaf('status', 'equal', 1), { all: [leaf('status', 'equal', 3)] }] }, 'yes'],
  ])('%j is %s', async (document, expected) => {
    expect(await judge(document)).toBe(expected);
  });

  it.each<[string, ConditionDocument, string]>([
    ['a missing fact', leaf('absent', 'equal', 1), 'unknown'],
    ['notEqual on a missing fact', leaf('absent', 'notEqual', 1), 'unknown'],
    ['not of unknown', { not: leaf('absent', 'equal', 1) }, 'unknown'],
    ['a missing path', leaf('form', 'notEqual', 1, '$.typo'), 'unknown'],
    ['an inherited name', leaf('form', 'notEqual', 1, '$.constructor'), 'unknown'],
    ['a missing fact as the value', leaf('status', 'notEqual', { fact: 'absent' }), 'unknown'],
    ['unknown and yes', { all: [leaf('absent', 'equal', 1), leaf('status', 'equal', 3)] }, 'unknown'],
    ['unknown and no', { all: [leaf('absent', 'equal', 1), leaf('status', 'equal', 4)] }, 'no'],
    ['unknown or yes', { any: [leaf('absent', 'equal', 1), leaf('status', 'equal', 3)] }, 'yes'],
    ['unknown or no', { any: [leaf('absent', 'equal', 1), leaf('status', 'equal', 4)] }, 'unknown'],
  ])('%s', async (_, document, expected) => {
    expect(await judge(document)).toBe(expected);
  });

  it('name the facts that were missing, and only those that mattered', () => {
    const trace = compiled({
      all: [
        leaf('absent', 'equal', 1),
        leaf('form', 'equal', 1, '$.typo'),
        { any: [leaf('status', 'equal', 3), leaf('elsewhere', 'equal', 1)] },
      ],
    }).trace(facts, NOW);
    expect(missingIn(trace)).toEqual(['absent', 'form $.typo']);
  });

  it('carry nothing over from one event to the next, also at the same time', async () => {
    const document = { all: [leaf('status', 'equal', 3)] };
    const conditions = compiled(document);
    const confirmation = new Confirmation(document, new Map(), dateTime);
    const given = [3, 1, 3, undefined, 3].map(
      (status) => new Map(status === undefined ? [] : [['status', status]]),
    );
    expect(given.map((one) => conditions.evaluate(one, NOW))).toEqual(['yes', 'no', 'yes', 'unknown', 'yes']);
    expect(await Promise.all(given.map((one) => confirmation.holds(one, NOW)))).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('never run a path as code', async () => {
    const holder = globalThis as { canary?: boolean };
    const attack = `$..[?(@.constructor[( @.getPrototypeOf(@).constructor('globalThis.canary=true')() )])]`;
    const confirmation = new Confirmation(leaf('form', 'equal', 1, attack), new Map(), dateTime);
    await expect(confirmation.holds(facts, NOW)).rejects.toThrow('no plain path');
    expect(holder.canary).toBeUndefined();
  });

  it.each<[ConditionDocument, string]>([
    [leaf('status', 'exists', true), 'yes'],
    [leaf('absent', 'exists', false), 'yes'],
    [leaf('absent', 'not:exists', true), 'yes'],
    [leaf('nothing', 'exists', true), 'yes'],
    [leaf('status', 'exists', true, '$.deeper'), 'no'],
    [leaf('biz_type', 'startsWith', 'renewal'), 'yes'],
    [leaf('biz_type', 'endsWith', 'record'), 'yes'],
    [leaf('biz_type', 'containsText', 'l_r'), 'yes'],
    [leaf('status', 'startsWith', '3'), 'no'],
    [leaf('biz_type', 'matches', '^[a-z]+_record$'), 'yes'],
    [leaf('tags', 'someFact:matches', '^b$'), 'yes'],
    [leaf('made', 'before', '2026-11-24T10:00:00Z'), 'yes'],
    [leaf('made', 'after', '2026-11-24T10:00:00+08:00'), 'yes'],
    [leaf('made', 'olderThan', '30m'), 'yes'],
    [leaf('made', 'olderThan', '2h'), 'no'],
    [leaf('made', 'newerThan', 'PT2H'), 'yes'],
    [leaf('biz_type', 'olderThan', '1s'), 'no'],
    [leaf('tags', 'lessThan', 5), 'no'],
  ])('%j is %s', async (document, expected) => {
    expect(await judge(document, new Map([...facts, ['made', '2026-11-24T17:00:00+08:00']]))).toBe(expected);
  });

  it('read times as the catalogue says they are written', async () => {
    const document = leaf('made', 'olderThan', '30m');
    for (const [format, value] of [
      ['epoch-milliseconds', NOW.now - 3_600_000],
      ['epoch-milliseconds', String(NOW.now - 3_600_000)],
      ['epoch-seconds', String(NOW.now / 1000 - 3600)],
    ] as const) {
      const given = new Map([['made', value]]);
      expect(compileConditions(buildTree(document, new Map(), () => format)).evaluate(given, NOW)).toBe(
        'yes',
      );
      expect(await new Confirmation(document, new Map(), () => format).holds(given, NOW)).toBe(true);
    }
  });

  it.each<[string, ConditionDocument, unknown]>([
    ['a list is wanted', leaf('list', 'in', { fact: 'biz_type' }), [1]],
    [
      'lists multiply',
      leaf(
        'list',
        'someFact:someValue:equal',
        Array.from({ length: 2000 }, (_, n) => n),
      ),
      Array.from({ length: 2000 }, () => 'x'),
    ],
    ['texts are enormous', leaf('list', 'matches', '(a+)+b'), 'a'.repeat(200_000)],
  ])('end in an error of their own when %s', (_, document, list) => {
    expect(() => compiled(document).evaluate(new Map([...facts, ['list', list]]), NOW)).toThrow(
      ConditionError,
    );
  });

  it('are no, whatever a part that fails would have said, when the others say no', () => {
    const failing = leaf('status', 'in', { fact: 'biz_type' });
    expect(compiled({ all: [failing, leaf('status', 'equal', 1)] }).evaluate(facts, NOW)).toBe('no');
    expect(() => compiled({ any: [leaf('status', 'equal', 3), failing] }).evaluate(facts, NOW)).toThrow(
      ConditionError,
    );
  });
});
