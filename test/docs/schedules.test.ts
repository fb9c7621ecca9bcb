// The rules of docs/schedules.md are rules.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';

describe('docs/schedules.md', () => {
  it('shows rules of which nothing is to be said', async () => {
    const text = readFileSync('docs/schedules.md', 'utf8');
    const files = new Map(
      [...text.matchAll(/```json\n([^]*?)```/g)].map(([, rule = ''], index) => [`${index}.rule.json`, rule]),
    );
    expect(files.size).toBe(2);
    const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
    expect(findings).toEqual([]);
    expect(ruleSet?.rules).toHaveLength(2);
  });
});
