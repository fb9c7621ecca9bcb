import { describe, expect, it } from '@jest/globals';
import { conditionText } from '../../src/cli/condition-text.js';
import { conditionOf, parseMatch } from '../../src/cli/silence-match.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';

const { entries } = loadBuiltInCatalogue();
const meant = (text: string): string => {
  const match = parseMatch(text);
  return match === null ? 'nothing' : conditionText(conditionOf(match, entries));
};

describe('--match', () => {
  it.each([
    // As the catalogue has the fact.
    ['process_id=7072306364927985196', 'process_id equal "7072306364927985196"'],
    ['process_id=123', 'process_id equal "123"'],
    ['biz_type!=leave', 'biz_type notEqual "leave"'],
    ['create_time=1700000000000', 'create_time equal 1700000000000'],
    // A number here, a text there: what is among the known values.
    ['status=3', 'status equal 3'],
    ['status!=3', 'status notEqual 3'],
    ['status=APPROVED', 'status equal "APPROVED"'],
    ['status=77', 'status in [77,"77"]'],
    ['status="3"', 'status equal "3"'],
    // Facts of the state.
    ['node.pending=0', 'node.pending equal 0'],
    ['task.previousStatus=1', 'task.previousStatus equal 1'],
    ['task.previousStatus=PENDING', 'task.previousStatus equal "PENDING"'],
    ['task.transition=1>3', 'task.transition equal "1>3"'],
    ['event.late=true', 'event.late equal true'],
    // Nothing is known of it.
    ['lookup.process.status=9', 'lookup.process.status in [9,"9"]'],
    ['own_field=true', 'own_field in [true,"true"]'],
    ['own_field=12345678901234567', 'own_field equal "12345678901234567"'],
    ['own_field=a = b', 'own_field equal "a = b"'],
    ['own_field=""', 'own_field equal ""'],
    [' 部门 = 人事 ', '部门 equal "人事"'],
    ['__proto__=1', '__proto__ in [1,"1"]'],
  ])('%s means %s', (text, expected) => {
    expect(meant(text)).toBe(expected);
  });

  it.each(['', 'status', '=3', 'status=', 'status= ', 'status!', 'a b=3'])('%j means nothing', (text) => {
    expect(meant(text)).toBe('nothing');
  });
});

describe('conditions on one line', () => {
  const leaf = (fact: string, operator: string, value: unknown) => ({ fact, operator, value });
  it.each([
    [{ all: [leaf('a', 'equal', 1)] }, 'a equal 1'],
    [
      { any: [leaf('a', 'equal', 1), { all: [leaf('b', 'in', ['x']), { not: leaf('c', 'exists', true) }] }] },
      '(a equal 1 or (b in ["x"] and not c exists true))',
    ],
    [{ all: [{ ...leaf('a', 'equal', { fact: 'b' }), path: '$.x' }] }, 'a $.x equal b'],
    [{ all: [{ condition: 'late' }] }, 'late'],
    [{ all: [{ odd: 1 }, 3, null] }, '( and  and )'],
  ])('%j', (condition, text) => {
    expect(conditionText(condition)).toBe(text);
  });
});
