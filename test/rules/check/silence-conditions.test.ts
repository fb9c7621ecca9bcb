import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { checkSilenceConditions } from '../../../src/rules/check/silence-conditions.js';

const catalogue = loadBuiltInCatalogue();
const check = (conditions: unknown) =>
  checkSilenceConditions(
    typeof conditions === 'string' ? conditions : JSON.stringify(conditions),
    catalogue,
    'silence.json',
  );
const leaf = (fact: string, operator: string, value: unknown) => ({ fact, operator, value });
const found = (conditions: unknown): string[] =>
  check(conditions).findings.map(({ severity, code }) => `${severity} ${code}`);

describe('the conditions of a silence', () => {
  it('are taken as a rule writes them, over facts of any event type', () => {
    const conditions = {
      all: [
        leaf('status', 'equal', 3),
        { not: { any: [leaf('status', 'in', ['APPROVED']), leaf('biz_type', 'startsWith', 'leave')] } },
        leaf('lookup.process.title', 'containsText', 'x'),
        { ...leaf('start_user', 'equal', 'ou_1'), path: '$.open_id' },
      ],
    };
    expect(check(conditions)).toEqual({ conditions, findings: expect.any(Array) });
    expect(found(conditions).filter((one) => one.startsWith('error'))).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{"all": [', 'error JSON_INVALID'],
    ['nothing', '', 'error JSON_INVALID'],
    ['an empty list', { all: [] }, 'error RULE_VALUE_INVALID'],
    ['a list', [leaf('status', 'equal', 3)], 'error RULE_VALUE_INVALID'],
    ['a leaf alone', leaf('status', 'equal', 3), 'error CONDITIONS_ROOT_INVALID'],
    ['an unknown operator', { all: [leaf('status', 'eqal', 3)] }, 'error RULE_VALUE_INVALID'],
    ['a pattern that is none', { all: [leaf('biz_type', 'matches', '(')] }, 'error PATTERN_INVALID'],
    ['an unknown key', { all: [{ ...leaf('status', 'equal', 3), vlaue: 1 }] }, 'error RULE_KEY_UNKNOWN'],
    ['a fact of the state that there is not', { all: [leaf('task.sate', 'equal', 3)] }, 'error FACT_UNKNOWN'],
    ['the clock', { all: [leaf('now.weekday', 'equal', 3)] }, 'error FACT_UNKNOWN'],
    [
      'the clock on the right',
      { all: [leaf('task.firstSeen', 'equal', { fact: 'now.date' })] },
      'error FACT_UNKNOWN',
    ],
    ['a named condition', { condition: 'late' }, 'error CONDITION_UNKNOWN'],
    ['a named one deep within', { all: [{ not: { condition: 'late' } }] }, 'error CONDITION_UNKNOWN'],
    [
      'an id that loses digits',
      '{"all": [{"fact": "process_id", "operator": "equal", "value": 7072306364927985196}]}',
      'error JSON_NUMBER_UNSAFE',
    ],
    [
      'too many leaves',
      { any: Array.from({ length: 51 }, (_, at) => leaf('status', 'equal', at)) },
      'error CONDITIONS_TOO_LARGE',
    ],
    ['too much text', { any: [leaf('biz_type', 'equal', 'x'.repeat(20_000))] }, 'error CONDITIONS_TOO_LARGE'],
  ])('are refused when they are %s', (_, conditions, expected) => {
    expect(check(conditions).conditions).toBeNull();
    expect(found(conditions)).toContain(expected);
  });

  it('read what is known of tasks, nodes and processes, whatever their statuses are', () => {
    for (const [fact, value] of [
      ['task.previousStatus', 1],
      ['task.previousStatus', 'PENDING'],
      ['task.transition', '1>3'],
      ['node.pending', 0],
      ['process.status', 9],
      ['event.late', true],
    ] as const)
      expect([fact, found({ all: [leaf(fact, 'equal', value)] })]).toEqual([fact, []]);
    expect(found({ all: [leaf('node.pending', 'equal', 'many')] })).toEqual(['warning VALUE_TYPE']);
  });

  it('hold fifty leaves', () => {
    const conditions = { any: Array.from({ length: 50 }, (_, at) => leaf('status', 'equal', at)) };
    expect(check(conditions).conditions).toEqual(conditions);
  });

  it('are taken with a warning when no known event type fits: another may come', () => {
    const { conditions, findings } = check({ all: [leaf('proces_id', 'equal', '1')] });
    expect(conditions).not.toBeNull();
    expect(findings).toMatchObject([
      { code: 'FACT_IN_NO_TYPE', severity: 'warning', mend: 'Did you mean "process_id"?' },
    ]);
    expect(found({ all: [leaf('process_id', 'equal', 1)] })).toEqual(['warning VALUE_TYPE']);
    expect(found({ all: [leaf('process_id', 'equal', '1')] })).toEqual([]);
  });

  it('have their findings at the place in the text', () => {
    const [finding] = check('{\n  "all": [{"fact": "status", "operator": "eqal", "value": 3}]\n}').findings;
    expect(finding).toMatchObject({ file: 'silence.json', line: 2, column: 42 });
  });

  it('are taken apart without an end to it, whatever is written', () => {
    const deep = `${'{"not":'.repeat(99)}{"all":[]}${'}'.repeat(99)}`;
    expect(check(deep).conditions).toBeNull();
    expect(check('{"not":'.repeat(50_000)).conditions).toBeNull();
    for (const odd of ['null', '3', '"all"', '{"all": {"all": null}}', '{"__proto__": []}', '{"all": [[]]}'])
      expect(check(odd).conditions).toBeNull();
  });
});
