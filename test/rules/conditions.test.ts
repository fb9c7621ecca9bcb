// The real json-rules-engine.
import { describe, expect, it } from '@jest/globals';
import { type ConditionDocument, Conditions } from '../../src/rules/conditions.js';

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
const judge = async (document: ConditionDocument): Promise<string> =>
  (await new Conditions(document).evaluate(facts)).outcome;

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

  it('name the facts that were missing', async () => {
    const { missing } = await new Conditions({
      all: [leaf('absent', 'equal', 1), leaf('form', 'equal', 1, '$.typo')],
    }).evaluate(facts);
    expect(missing).toEqual(['absent', 'form $.typo']);
  });

  it('carry nothing over from one event to the next', async () => {
    const conditions = new Conditions(leaf('status', 'equal', 3));
    expect((await conditions.evaluate(new Map([['status', 3]]))).outcome).toBe('yes');
    expect((await conditions.evaluate(new Map())).outcome).toBe('unknown');
    expect((await conditions.evaluate(new Map([['status', 1]]))).outcome).toBe('no');
  });

  it('may be asked about several events at the same time', async () => {
    const conditions = new Conditions(leaf('status', 'equal', 3));
    const results = await Promise.all(
      [3, 1, 3, 2, 3].map((status) => conditions.evaluate(new Map([['status', status]]))),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(['yes', 'no', 'yes', 'no', 'yes']);
  });

  it('never run a path as code', async () => {
    const holder = globalThis as { canary?: boolean };
    const attack = `$..[?(@.constructor[( @.getPrototypeOf(@).constructor('globalThis.canary=true')() )])]`;
    await expect(new Conditions(leaf('form', 'equal', 1, attack)).evaluate(facts)).rejects.toThrow(
      'no plain path',
    );
    expect(holder.canary).toBeUndefined();
  });
});
