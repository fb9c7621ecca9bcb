// What rule files say of shadow mode, over several files and over some of them.
import { describe, expect, it } from '@jest/globals';
import { checkFiles, type CheckedFiles } from '../../../src/rules/check/check-files.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';

const catalogue = expenseCatalogue();
const rule = (name: string, more: object = {}): object => ({
  name,
  trigger: 'expense.submitted_v1',
  conditions: { all: [{ fact: 'level', operator: 'equal', value: 2 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://books.example/' }],
  ...more,
});
const check = (
  files: Readonly<Record<string, unknown>>,
  elsewhere?: (rule: string) => boolean,
): CheckedFiles =>
  checkFiles(
    new Map(Object.entries(files).map(([file, value]) => [file, JSON.stringify(value)])),
    catalogue,
    undefined,
    undefined,
    elsewhere,
  );
const codes = ({ findings }: CheckedFiles): string[] => findings.map(({ file, code }) => `${file} ${code}`);
const SHADOW = rule('new', { mode: 'shadow', shadowOf: 'old' });

describe('rules in shadow mode', () => {
  it.each([
    ['in the file before', 'a.rule.json'],
    ['in the file behind', 'c.rule.json'],
  ])('have their twin %s', (_, file) => {
    const checked = check({ 'b.rule.json': SHADOW, [file]: rule('old') });
    expect(codes(checked)).toEqual([]);
    expect(checked.rules.find(({ name }) => name === 'new')).toMatchObject({
      mode: 'shadow',
      shadowOf: 'old',
    });
  });

  it('are named at the twin that there is not, and not handed on; the other rules of the file are', () => {
    const checked = check({ 'a.rule.json': rule('odd'), 'b.rule.json': [SHADOW, rule('sound')] });
    expect(checked.findings).toMatchObject([
      { code: 'SHADOW_OF_UNKNOWN', rule: 'new', mend: 'Did you mean "odd"?' },
    ]);
    expect(checked.rules.map(({ name }) => name)).toEqual(['odd', 'sound']);
  });

  it('are not told of a twin that is there and broken: the mistake is that of the twin', () => {
    const checked = check({ 'b.rule.json': [SHADOW, rule('old', { trigger: 3 })] });
    expect(codes(checked)).not.toContain('b.rule.json SHADOW_OF_UNKNOWN');
  });

  it('may have their twin in a file that is not looked at', () => {
    expect(codes(check({ 'b.rule.json': SHADOW }, (name) => name === 'old'))).toEqual([]);
    expect(codes(check({ 'b.rule.json': SHADOW }, (name) => name === 'other'))).toEqual([
      'b.rule.json SHADOW_OF_UNKNOWN',
    ]);
    // What is there is judged all the same.
    const both = { 'b.rule.json': [SHADOW, rule('old', { mode: 'shadow' })] };
    expect(codes(check(both, () => true))).toEqual(['b.rule.json SHADOW_OF_SHADOW']);
  });

  it('are the same as rules that say nothing, when they say "live": a promotion is one word', () => {
    const said = check({ 'a.rule.json': rule('one', { mode: 'live' }) });
    expect(said.rules).toEqual(check({ 'a.rule.json': rule('one') }).rules);
    expect(codes(said)).toEqual([]);
  });
});
