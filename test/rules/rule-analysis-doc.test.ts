// The examples of docs/rule-analysis.md: each has the finding that it stands under.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { analyse } from '../../src/rules/analysis/analyse.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';

const text = readFileSync('docs/rule-analysis.md', 'utf8');
const examples = [...text.matchAll(/^### `(\w+)` .*?\n\n(Warning|Info)\..*?```json\n(.*?)^```$/gms)].map(
  ([, code = '', severity = '', json = '']) => [code, severity.toLowerCase(), json] as const,
);

describe('docs/rule-analysis.md', () => {
  it.each(examples)('%s: the example has the finding', async (code, severity, json) => {
    const files = new Map([['example.rule.json', json]]);
    const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
    expect(findings.filter((one) => one.severity === 'error')).toEqual([]);
    if (!ruleSet) throw new Error('no rule set');
    const found = analyse(ruleSet, files).findings.filter((one) => one.code === code);
    expect(found.map((one) => [one.code, one.severity])).toEqual([[code, severity]]);
    // What is certain is shown.
    expect(found[0]?.witness === undefined).toBe(code === 'ANALYSIS_UNDECIDED');
  });

  it('names every code of the analysis that docs/errors.md has', () => {
    const codes = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(
      ([, code = '']) => code,
    );
    const own = codes.filter((code) =>
      /^(?:CONDITIONS_(?:NEVER|ALWAYS|SAME)|RULE_(?:SAME|SUBSUMED)|ACTION_TWICE|ENUM_UNHANDLED|LADDER_ENDLESS|TEMPLATE_NEVER_THERE|TRANSITION_\w+|ANALYSIS_\w+)$/.test(
        code,
      ),
    );
    expect(own.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
    expect(examples.length).toBeGreaterThanOrEqual(12);
  });
});
