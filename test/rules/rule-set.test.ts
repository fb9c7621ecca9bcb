import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';
import { type CompiledFiles, compileRuleSet } from '../../src/rules/rule-compiler.js';

const catalogue = loadBuiltInCatalogue();
const GOOD = {
  name: 'good',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
};
const compile = (...texts: (string | object)[]): Promise<CompiledFiles> =>
  compileRuleSet(
    new Map(
      texts.map((one, index) => [
        `${index}.rule.json`,
        typeof one === 'string' ? one : JSON.stringify(one, null, 2),
      ]),
    ),
    catalogue,
  );
const findings = async (...texts: (string | object)[]): Promise<string[]> =>
  (await compile(...texts)).findings.map(
    ({ file, line, column, code }) => `${file}:${line}:${column} ${code}`,
  );

describe('rule files', () => {
  it('make a rule set, highest priority first, whose hash is its content', async () => {
    const { ruleSet } = await compile({ ...GOOD, name: 'low' }, { ...GOOD, name: 'high', priority: 5 });
    expect(ruleSet?.rules.map(({ name }) => name)).toEqual(['high', 'low']);
    expect((await compile(GOOD)).ruleSet?.hash).toBe((await compile(GOOD)).ruleSet?.hash);
    expect((await compile(GOOD)).ruleSet?.hash).not.toBe(
      (await compile({ ...GOOD, description: 'x' })).ruleSet?.hash,
    );
  });

  it('hold one rule or a list, with any line ending', async () => {
    expect((await compile([GOOD, { ...GOOD, name: 'other' }])).ruleSet?.rules).toHaveLength(2);
    expect(await findings(`[\r\n${JSON.stringify(GOOD)},\r\n${JSON.stringify(GOOD)}]`)).toEqual([
      `0.rule.json:3:9 RULE_NAME_TWICE`,
    ]);
  });

  it("may have json-rules-engine's own shape", async () => {
    const { ruleSet } = await compile({
      name: 'own-shape',
      conditions: GOOD.conditions,
      event: { type: 'http', params: { url: 'https://a.example/{{ event.anything }}' } },
    });
    expect(ruleSet?.rules[0]?.actions[0]).toMatchObject({ name: 'http', kind: 'http' });
    expect(ruleSet?.rules[0]?.listensTo('any.event_v1')).toBe(true);
  });

  it('listen to a type, a list or a pattern', async () => {
    const rule = async (trigger: unknown): Promise<boolean[]> => {
      const set = (await compile({ ...GOOD, trigger })).ruleSet;
      return [
        'corehr.process.updated_v2',
        'corehr.process.approver.updated_v2',
        'corehrXprocess.updated_v2',
      ].map((type) => set?.rules[0]?.listensTo(type) ?? false);
    };
    expect(await rule('corehr.process.updated_v2')).toEqual([true, false, false]);
    expect(await rule(['corehr.process.updated_v2', 'x'])).toEqual([true, false, false]);
    expect(await rule('corehr.process.*')).toEqual([true, true, false]);
    expect(await rule('*')).toEqual([true, true, true]);
  });

  it('are no rule set as long as one of them has an error', async () => {
    const { ruleSet, findings: found } = await compile(GOOD, { ...GOOD, name: 'bad', trigger: 3 });
    expect(ruleSet).toBeNull();
    expect(found).toEqual([expect.objectContaining({ file: '1.rule.json', severity: 'error' })]);
  });

  it('that ship with the product are sound', async () => {
    const { files, findings: found } = await readRuleFolder('rules');
    const compiled = await compileRuleSet(files, catalogue);
    expect([...found, ...compiled.findings]).toEqual([]);
    expect(compiled.ruleSet?.rules.length).toBeGreaterThanOrEqual(2);
  });
});
