import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkRules } from '../../src/cli/rules-check.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { ruleSetHash } from '../../src/rules/check/rule-set-hash.js';
import { type Captured, captured } from '../support/captured-output.js';
import { temporaryFolder } from '../support/folder.js';

const GOOD = {
  name: 'good',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
};
const WARNED = { ...GOOD, conditions: { all: [{ fact: 'status', operator: 'equal', value: 99 }] } };
const WRONG = { ...GOOD, enabled: 'no' };
const NEVER = {
  ...GOOD,
  conditions: { all: [2, 3].map((value) => ({ fact: 'status', operator: 'equal', value })) },
};
const PLAIN = { json: false, sarif: false, strict: false };

function folderOf(...rules: readonly object[]): string {
  const folder = temporaryFolder('check');
  mkdirSync(join(folder, 'topic'));
  rules.forEach((rule, index) => {
    writeFileSync(join(folder, 'topic', `${index}.rule.json`), JSON.stringify(rule, null, 2));
  });
  return folder;
}

async function run(
  folder: string | undefined,
  options: Partial<typeof PLAIN & { analysis: boolean }> = {},
): Promise<Captured> {
  return await captured(() => checkRules(folder, { ...PLAIN, ...options }));
}

afterEach(() => {
  delete process.env['RULES_DIR'];
});

describe('rules check', () => {
  it('exits 0 on sound files and names the rule set', async () => {
    const folder = folderOf(GOOD);
    const hash = ruleSetHash(
      new Map([['topic/0.rule.json', JSON.stringify(GOOD, null, 2)]]),
      loadBuiltInCatalogue(),
    );
    expect(await run(folder)).toEqual({
      code: 0,
      out: `0 errors, 0 warnings in 1 rule of 1 file; rule set ${hash.slice(0, 12)}\n`,
      err: '',
    });
    expect(JSON.parse((await run(folder, { json: true })).out)).toEqual({
      ok: true,
      ruleSet: hash,
      rules: 1,
      findings: [],
      analysis: {
        questions: {
          CONDITIONS_NEVER: { yes: 0, no: 1, undecided: 0 },
          CONDITIONS_ALWAYS: { yes: 0, no: 1, undecided: 0 },
        },
      },
    });
  });

  it('exits 1 on errors and shows each with its line', async () => {
    const { code, out } = await run(folderOf(WRONG, GOOD, GOOD));
    expect(code).toBe(1);
    expect(out).toContain(
      'topic/0.rule.json:20:14 error RULE_VALUE_INVALID: "enabled" must be true or false\n    20 │   "enabled": "no"\n       │              ^^^^\n',
    );
    expect(out).toMatch(/topic\/1.rule.json:2:11 error RULE_NAME_TWICE/);
    expect(out).toMatch(/\n3 errors, 0 warnings in 3 rules of 3 files; no rule set\n$/);
  });

  it('exits 1 on warnings only when it is strict', async () => {
    const folder = folderOf(WARNED);
    expect(await run(folder)).toMatchObject({
      code: 0,
      // The value is none of the enum, so that the rule never matches.
      out: expect.stringContaining('0 errors, 2 warnings in'),
    });
    const strict = await run(folder, { strict: true, json: true });
    expect(strict.code).toBe(1);
    expect(JSON.parse(strict.out)).toMatchObject({
      ok: false,
      ruleSet: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('prints one JSON document and nothing else', async () => {
    const { out, err } = await run(folderOf(WRONG), { json: true });
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      ok: false,
      ruleSet: null,
      rules: 1,
      findings: [
        {
          code: 'RULE_VALUE_INVALID',
          severity: 'error',
          file: 'topic/0.rule.json',
          line: 20,
          column: 14,
          length: 4,
          rule: 'good',
          message: '"enabled" must be true or false',
          mend: 'Write true or false, without quotes.',
        },
      ],
    });
  });

  it('says what sound rules come to: with the event that shows it, and the rule in words', async () => {
    const folder = folderOf(NEVER);
    const { code, out } = await run(folder);
    expect(code).toBe(0);
    expect(out).toContain(
      'topic/0.rule.json:4:3 warning CONDITIONS_NEVER: "good" never matches: status is 2 (拒绝 rejected) and status is 3 (已完成 done) exclude each other\n     4 │   "conditions": {\n',
    );
    expect(out).toMatch(/\n {4}as with: corehr\.process\.approver\.updated_v2 \{"process_id":/);
    expect(out).toContain('\n    规则 good：当');
    expect(out).toContain('\n    Rule good: when ');
    expect(out).toMatch(/\n0 errors, 1 warning in 1 rule of 1 file; rule set [0-9a-f]{12}\n$/);
    const { findings, analysis } = JSON.parse((await run(folder, { json: true })).out) as {
      findings: { code: string; witness: object }[];
      analysis: object;
    };
    expect(findings).toMatchObject([{ code: 'CONDITIONS_NEVER', witness: { event: { schema: '2.0' } } }]);
    expect(analysis).toMatchObject({ questions: { CONDITIONS_NEVER: { yes: 1, no: 0, undecided: 0 } } });
    expect((await run(folder, { strict: true })).code).toBe(1);
  });

  it('leaves the analysis out when it is told to, and of files with errors', async () => {
    const without = await run(folderOf(NEVER), { analysis: false, strict: true, json: true });
    expect(without.code).toBe(0);
    expect(JSON.parse(without.out)).not.toHaveProperty('analysis');
    const broken = await run(folderOf(NEVER, WRONG), { json: true });
    expect(JSON.parse(broken.out)).not.toHaveProperty('analysis');
    expect(broken.out).not.toContain('CONDITIONS_NEVER');
  });

  it('prints a SARIF log', async () => {
    const { code, out } = await run(folderOf(WRONG), { sarif: true });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ version: '2.1.0', runs: [{ results: [{ level: 'error' }] }] });
  });

  it('counts what cannot be read as an error', async () => {
    const folder = folderOf(GOOD);
    writeFileSync(join(folder, 'gbk.rule.json'), Buffer.from([0x22, 0xc9, 0xf3, 0xc5, 0xfa, 0x22]));
    const { code, out } = await run(folder, { json: true });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ruleSet: null, findings: [{ code: 'FILE_UNREADABLE' }] });
  });

  it('exits 2 when there is no such folder, and takes RULES_DIR when none is named', async () => {
    expect(await run('/nowhere/at/all')).toMatchObject({ code: 2, out: '' });
    process.env['RULES_DIR'] = folderOf(GOOD);
    expect((await run(undefined)).code).toBe(0);
  });
});
