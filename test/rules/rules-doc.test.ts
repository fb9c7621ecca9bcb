// The examples of docs/rules.md, beside the look-ups that ship with the product.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { RULE_KEYS } from '../../src/rules/check/rule-check.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { ruleSchema } from '../../src/rules/rule-schema.js';

const text = readFileSync('docs/rules.md', 'utf8');
const examples = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) => json);
const catalogue = loadBuiltInCatalogue();

describe('docs/rules.md', () => {
  it('has examples that are taken without a word, by the loader and by editors', async () => {
    expect(examples.length).toBeGreaterThanOrEqual(2);
    const files = new Map(examples.map((json, index) => [`${index}.rule.json`, json]));
    files.set('lookups.json', readFileSync('rules/lookups.json', 'utf8'));
    const { findings, ruleSet } = await compileRuleSet(files, catalogue);
    expect(findings).toEqual([]);
    expect(ruleSet?.rules).toHaveLength(examples.length);
    const validate = new Ajv({ strict: false }).compile(ruleSchema(catalogue));
    for (const json of examples) expect([validate(JSON.parse(json)), validate.errors]).toEqual([true, null]);
  });

  it('names every key that README does not explain', () => {
    const readme = readFileSync('README.md', 'utf8');
    for (const key of RULE_KEYS.filter(
      (one) => one !== '$schema' && one !== 'name' && one !== 'description',
    )) {
      expect(`${readme} ${text}`).toMatch(new RegExp(`[\`"]${key}["\`]`));
    }
  });
});
