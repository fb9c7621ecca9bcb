import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../support/folder.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';
import { compileRuleSet, type CompiledFiles } from '../../src/rules/rule-set.js';

const catalogue = loadBuiltInCatalogue();
const GOOD = {
  name: 'good',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
};
const compile = (...texts: (string | object)[]): CompiledFiles =>
  compileRuleSet(
    new Map(
      texts.map((one, index) => [
        `${index}.rule.json`,
        typeof one === 'string' ? one : JSON.stringify(one, null, 2),
      ]),
    ),
    catalogue,
  );
const findings = (...texts: (string | object)[]): string[] =>
  compile(...texts).findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);

describe('rule files', () => {
  it('make a rule set, highest priority first, whose hash is its content', () => {
    const { ruleSet } = compile({ ...GOOD, name: 'low' }, { ...GOOD, name: 'high', priority: 5 });
    expect(ruleSet?.rules.map(({ name }) => name)).toEqual(['high', 'low']);
    expect(compile(GOOD).ruleSet?.hash).toBe(compile(GOOD).ruleSet?.hash);
    expect(compile(GOOD).ruleSet?.hash).not.toBe(compile({ ...GOOD, description: 'x' }).ruleSet?.hash);
  });

  it('hold one rule or a list, with any line ending', () => {
    expect(compile([GOOD, { ...GOOD, name: 'other' }]).ruleSet?.rules).toHaveLength(2);
    expect(findings(`[\r\n${JSON.stringify(GOOD)},\r\n${JSON.stringify(GOOD)}]`)).toEqual([
      `0.rule.json:3:9 RULE_NAME_TWICE`,
    ]);
  });

  it("may have json-rules-engine's own shape", () => {
    const { ruleSet } = compile({
      name: 'own-shape',
      conditions: GOOD.conditions,
      event: { type: 'http', params: { url: 'https://a.example/{{ event.anything }}' } },
    });
    expect(ruleSet?.rules[0]?.actions[0]).toMatchObject({ name: 'http', kind: 'http' });
    expect(ruleSet?.rules[0]?.listensTo('any.event_v1')).toBe(true);
  });

  it('listen to a type, a list or a pattern', () => {
    const rule = (trigger: unknown): boolean[] => {
      const set = compile({ ...GOOD, trigger }).ruleSet;
      return [
        'corehr.process.updated_v2',
        'corehr.process.approver.updated_v2',
        'corehrXprocess.updated_v2',
      ].map((type) => set?.rules[0]?.listensTo(type) ?? false);
    };
    expect(rule('corehr.process.updated_v2')).toEqual([true, false, false]);
    expect(rule(['corehr.process.updated_v2', 'x'])).toEqual([true, false, false]);
    expect(rule('corehr.process.*')).toEqual([true, true, false]);
    expect(rule('*')).toEqual([true, true, true]);
  });

  it('report every mistake at its place, each with the mend', () => {
    const result = compile(
      `{
  "name": "Bad Name",
  "trigger": "corehr.process.approver.updated_v2",
  "enabledd": true,
  "conditions": {
    "all": [
      { "fact": "status", "operator": "equals", "value": 3 },
      { "fact": "status", "operator": "in", "value": "3" },
      { "any": [] },
      { "fact": "x", "operator": "equal", "value": 1, "path": "$..[?(1)]" }
    ]
  },
  "throttle": { "max": 1 },
  "actions": [
    { "type": "http", "name": "a", "url": "https://{{ event.host }}/", "boddy": 1 },
    { "type": "http", "name": "b", "url": "https://a.example/{{ event.nonsense }}" },
    { "type": "pager", "name": "c" },
    { "type": "email", "name": "d", "to": "not an address", "subject": "{{ event.x | nope }}", "text": "t" }
  ]
}`,
    );
    expect(result.ruleSet).toBeNull();
    expect(result.findings.map(({ line, column, code }) => `${line}:${column} ${code}`).sort()).toEqual(
      [
        '2:11 RULE_VALUE_INVALID',
        '4:3 RULE_KEY_UNKNOWN',
        '7:39 RULE_VALUE_INVALID',
        '8:54 RULE_VALUE_INVALID',
        '9:16 RULE_VALUE_INVALID',
        '10:63 RULE_VALUE_INVALID',
        '13:3 RULE_KEY_NOT_AVAILABLE',
        '15:72 ACTION_KEY_UNKNOWN',
        '17:15 ACTION_VALUE_INVALID',
        '18:43 ADDRESS_INVALID',
        '18:72 TEMPLATE_INVALID',
      ].sort(),
    );
    for (const { message, mend } of result.findings) expect(message.length * mend.length).toBeGreaterThan(0);
  });

  it.each<[string, string | object, string]>([
    ['no JSON', '{ "name": ', 'JSON_INVALID'],
    ['an empty file', '', 'JSON_INVALID'],
    ['a comment', `// x\n${JSON.stringify(GOOD)}`, 'JSON_INVALID'],
    ['a trailing comma', '{"name":"x",}', 'JSON_INVALID'],
    [
      'a key twice',
      JSON.stringify(GOOD).replace('"name":"good"', '"name":"good","name":"other"'),
      'JSON_KEY_TWICE',
    ],
    ['deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, 'JSON_INVALID'],
    ['no rule', '{"hello":"world"}', 'RULE_KEY_MISSING'],
    ['a list with something else', '[1]', 'FILE_KIND_UNKNOWN'],
    ['an empty all', { ...GOOD, conditions: { all: [] } }, 'RULE_VALUE_INVALID'],
    [
      'any beside all',
      { ...GOOD, conditions: { all: GOOD.conditions.all, any: GOOD.conditions.all } },
      'RULE_VALUE_INVALID',
    ],
    ['a named condition', { ...GOOD, conditions: { condition: 'x' } }, 'RULE_KEY_NOT_AVAILABLE'],
    ['a schedule', { ...GOOD, trigger: { schedule: '0 9 * * *' } }, 'RULE_VALUE_INVALID'],
    ['no actions', { ...GOOD, actions: [] }, 'RULE_VALUE_INVALID'],
    [
      'a field the type has not got',
      { ...GOOD, actions: [{ ...GOOD.actions[0], body: '{{ event.proces_id }}' }] },
      'TEMPLATE_VALUE_MISSING',
    ],
    [
      'a field that may be missing',
      { ...GOOD, actions: [{ ...GOOD.actions[0], body: '{{ event.node_id_str }}' }] },
      'TEMPLATE_VALUE_MISSING',
    ],
    [
      'a description the rule has not got',
      { ...GOOD, actions: [{ ...GOOD.actions[0], body: '{{ rule.description }}' }] },
      'TEMPLATE_VALUE_MISSING',
    ],
    [
      'two actions of one name',
      { ...GOOD, actions: [GOOD.actions[0], GOOD.actions[0]] },
      'ACTION_NAME_TWICE',
    ],
    ['event beside actions', { ...GOOD, event: { type: 'http' } }, 'RULE_EVENT_BESIDE_ACTIONS'],
  ])('refuse %s', (_, text, code) => {
    const result = compile(text);
    expect(result.ruleSet).toBeNull();
    expect(result.findings.map((finding) => finding.code)).toContain(code);
  });

  it('are refused by name when they are of a kind that this version has not got', () => {
    const { findings: found } = compileRuleSet(new Map([['a/lookups.json', '{}']]), catalogue);
    expect(found).toEqual([
      expect.objectContaining({ file: 'a/lookups.json', code: 'FILE_KIND_NOT_AVAILABLE' }),
    ]);
  });
});

describe('the rules folder', () => {
  it('is read as a whole; what is no regular UTF-8 file is named and never opened', async () => {
    const folder = temporaryFolder('rules');
    mkdirSync(join(folder, 'topic', '.hidden'), { recursive: true });
    mkdirSync(join(folder, 'x.json'));
    writeFileSync(join(folder, 'topic', 'bom.rule.json'), `\ufeff${JSON.stringify(GOOD)}`);
    writeFileSync(join(folder, 'topic', '.hidden', 'y.rule.json'), 'never read');
    writeFileSync(join(folder, 'notes.txt'), 'left alone');
    writeFileSync(join(folder, 'utf16.rule.json'), Buffer.from(JSON.stringify(GOOD), 'utf16le'));
    writeFileSync(join(folder, 'gbk.rule.json'), Buffer.from([0x22, 0xc9, 0xf3, 0xc5, 0xfa, 0x22]));
    symlinkSync('/etc/passwd', join(folder, 'link.rule.json'));
    symlinkSync('/nowhere', join(folder, 'dangling.rule.json'));
    execFileSync('mkfifo', [join(folder, 'pipe.rule.json')]);
    const { files, findings: found } = await readRuleFolder(folder);
    expect([...files.keys()]).toEqual(['topic/bom.rule.json']);
    expect(compileRuleSet(files, catalogue).ruleSet?.rules).toHaveLength(1);
    expect(found.map(({ file, code }) => `${file} ${code}`).sort()).toEqual([
      'dangling.rule.json FILE_NOT_REGULAR',
      'gbk.rule.json FILE_UNREADABLE',
      'link.rule.json FILE_NOT_REGULAR',
      'pipe.rule.json FILE_NOT_REGULAR',
      'utf16.rule.json FILE_UNREADABLE',
    ]);
    expect(found.map(({ message }) => message).join()).not.toContain('root:');
  });

  it('that is not there is an error, not an empty rule set', async () => {
    expect((await readRuleFolder('/nowhere/at/all')).findings).toEqual([
      expect.objectContaining({ code: 'RULES_UNREADABLE' }),
    ]);
  });

  it('that ships with the product is sound', async () => {
    const { files, findings: found } = await readRuleFolder('rules');
    const compiled = compileRuleSet(files, catalogue);
    expect([...found, ...compiled.findings]).toEqual([]);
    expect(compiled.ruleSet?.rules.length).toBeGreaterThanOrEqual(2);
  });
});
