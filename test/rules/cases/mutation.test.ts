// Real: the check, the compiler, the runner, files on disk and the built command. Nothing is faked.
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Catalogue, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import { readCases } from '../../../src/rules/cases/case-files.js';
import { CaseRunner } from '../../../src/rules/cases/case-runner.js';
import { type Mutant, mutantsOf } from '../../../src/rules/cases/mutants.js';
import { type JudgedMutant, type MutationReport, runMutants } from '../../../src/rules/cases/mutation.js';
import { RuleSource } from '../../../src/rules/cases/rule-source.js';
import { edited } from '../../../src/rules/cases/source-edit.js';
import { compileRuleSet, type RuleFiles } from '../../../src/rules/rule-compiler.js';
import { readRuleFolder } from '../../../src/rules/rule-files.js';
import type { RuleSet } from '../../../src/rules/rule-set.js';
import { Commands } from '../../support/commands.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { GATED_RULES } from '../../support/gated-rules.js';
import { MutantsOnDisk } from '../../support/mutants-on-disk.js';
import { CASE_TIMES, withRecordedCases } from '../../support/recorded-cases.js';
import { healthyRuleFiles } from '../../support/rule-generator.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());
const builtIn = loadBuiltInCatalogue();
const shipped = loadShippedCalendars();
const commands = new Commands();

afterAll(() => {
  commands.close();
});

async function compiled(files: RuleFiles, catalogue: Catalogue): Promise<RuleSet> {
  const { ruleSet, findings } = await compileRuleSet(files, catalogue);
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

async function mutantsIn(files: RuleFiles, catalogue: Catalogue): Promise<readonly Mutant[]> {
  const ruleSet = await compiled(files, catalogue);
  return mutantsOf(ruleSet, new RuleSource(files), new Set(ruleSet.rules.map(({ name }) => name)));
}

async function mutationOf(files: RuleFiles, catalogue: Catalogue): Promise<MutationReport> {
  const ruleSet = await compiled(files, catalogue);
  const runner = new CaseRunner(ruleSet, CASE_TIMES);
  const { cases } = readCases(files);
  for (const one of cases) expect(await runner.run(one)).toMatchObject({ name: one.case.name, failures: [] });
  return await runMutants(ruleSet, files, cases, { ...CASE_TIMES, shipped });
}

/** The fate of each mutant when it really stands in a folder; `survived` for those that are equivalent too. */
async function fatesOnDisk(
  files: RuleFiles,
  catalogue: Catalogue,
  mutants: readonly JudgedMutant[],
): Promise<readonly string[]> {
  const disk = new MutantsOnDisk(files, catalogue, CASE_TIMES);
  const all = await disk.run();
  const fates: string[] = [];
  for (const mutant of mutants) {
    const passed = await disk.with(mutant, () => disk.run());
    if (passed === 'not runnable') fates.push(passed);
    else fates.push(passed.size === (all as ReadonlySet<string>).size ? 'survived' : 'killed');
  }
  return fates;
}

function fatesOf(mutants: readonly JudgedMutant[]): readonly string[] {
  return mutants.map(({ fate }) => (fate === 'equivalent' ? 'survived' : fate));
}

/** Named, so that a difference says which mutant it is about. */
function named(mutants: readonly JudgedMutant[], fates: readonly string[]): readonly string[] {
  return mutants.map(({ file, line, words }, at) => `${file}:${line} ${words}: ${fates[at] ?? ''}`);
}

describe('the fate of a mutant is that of the mutated files', () => {
  it('with the example rules', async () => {
    const { files } = await readRuleFolder('rules');
    const { mutants, killed } = await mutationOf(files, builtIn);
    expect(named(mutants, fatesOf(mutants))).toEqual(
      named(mutants, await fatesOnDisk(files, builtIn, mutants)),
    );
    expect(killed).toBeGreaterThan(80);
  }, 120_000);

  it('with named conditions, all gates, both shapes of rules and any layout', async () => {
    const files = await withRecordedCases(new Map(Object.entries(GATED_RULES)), builtIn);
    const { mutants, ...counts } = await mutationOf(files, builtIn);
    expect(named(mutants, fatesOf(mutants))).toEqual(
      named(mutants, await fatesOnDisk(files, builtIn, mutants)),
    );
    expect([...new Set(mutants.map(({ kind }) => kind))].sort()).toEqual([
      'action-dropped',
      'budget-dropped',
      'cancel-on-dropped',
      'condition-dropped',
      'digest-dropped',
      'element-dropped',
      'group',
      'not-dropped',
      'once-per-dropped',
      'operator',
      'quiet-hours-dropped',
      'step-dropped',
      'step-shifted',
      'throttle-dropped',
      'value',
      'when-dropped',
    ]);
    for (const count of [counts.killed, counts.survived, counts.equivalent, counts.notRunnable])
      expect(count).toBeGreaterThan(0);
  }, 120_000);

  it('with generated rules', async () => {
    const catalogue = expenseCatalogue();
    let [sets, judged] = [0, 0];
    for (const rules of fc.sample(healthyRuleFiles(catalogue), { seed, numRuns: 50 })) {
      if (judged >= 100) break;
      // Small ones, so that there are many.
      if ((await mutantsIn(rules, catalogue)).length > 50) continue;
      const files = await withRecordedCases(rules, catalogue);
      const { mutants } = await mutationOf(files, catalogue);
      expect([seed, sets, named(mutants, fatesOf(mutants))]).toEqual([
        seed,
        sets,
        named(mutants, await fatesOnDisk(files, catalogue, mutants)),
      ]);
      sets += 1;
      judged += mutants.length;
    }
    process.stderr.write(`mutation: ${judged} mutants of ${sets} generated sets, all as on disk\n`);
    expect(judged).toBeGreaterThanOrEqual(100);
  }, 120_000);

  it('by the command itself', async () => {
    const files = await withRecordedCases(new Map(Object.entries(GATED_RULES)), builtIn);
    const { mutants } = await mutationOf(files, builtIn);
    const disk = new MutantsOnDisk(files, builtIn, CASE_TIMES);
    const some = (['killed', 'survived', 'equivalent', 'not runnable'] as const).flatMap((fate) =>
      mutants.filter((mutant) => mutant.fate === fate).slice(0, 4),
    );
    expect(some.length).toBeGreaterThanOrEqual(10);
    for (const mutant of some) {
      const { code, stdout } = await disk.with(mutant, () =>
        commands.run(['rules', 'test', disk.folder, '--json'], { DEFAULT_CALENDAR: 'cn' }),
      );
      const { ruleSet, cases } = JSON.parse(stdout) as { ruleSet: string | null; cases: { failed: number } };
      const fate = ruleSet === null ? 'not runnable' : cases.failed > 0 ? 'killed' : 'survived';
      expect([mutant.words, fate, code]).toEqual([
        mutant.words,
        mutant.fate === 'equivalent' ? 'survived' : mutant.fate,
        fate === 'survived' ? 0 : 1,
      ]);
    }
  });
});

describe('mutants', () => {
  async function wordsOf(rules: Readonly<Record<string, string>>): Promise<readonly string[]> {
    return (await mutantsIn(new Map(Object.entries(rules)), builtIn)).map(
      ({ rules: about, line, words }) => `${about.join()}:${line} ${words}`,
    );
  }

  it('are small changes, said with the labels of the catalogue', async () => {
    const { files } = await readRuleFolder('rules');
    const text = files.get('corehr/renewal-done.rule.json') ?? '';
    expect(await wordsOf({ 'renewal-done.rule.json': text })).toEqual([
      'renewal-done:7 "all" of 3 conditions becomes "any"',
      'renewal-done:8 the condition biz_type is "renewal_record" is left out',
      'renewal-done:8 biz_type is "renewal_record" becomes is not',
      'renewal-done:8 biz_type "renewal_record" becomes "renewal_record~"',
      'renewal-done:9 the condition status is 3 (已完成 done) is left out',
      'renewal-done:9 status is 3 (已完成 done) becomes is not',
      'renewal-done:9 status 3 (已完成 done) becomes 2 (拒绝 rejected)',
      'renewal-done:9 status 3 (已完成 done) becomes 4 (取消 cancelled)',
      'renewal-done:10 the condition node_definition_id is one of ["approval_7c7d9c4d25b"] is left out',
      'renewal-done:10 node_definition_id is one of ["approval_7c7d9c4d25b"] becomes is none of',
      'renewal-done:10 node_definition_id "approval_7c7d9c4d25b" becomes "approval_7c7d9c4d25b~"',
      'renewal-done:14 action "tell-payroll" is left out',
      'renewal-done:29 action "mail-hr" is left out',
    ]);
  });

  it('of a named condition are those of every rule that uses it, once', async () => {
    const { 'common.conditions.json': common = '', 'named.rule.json': rules = '' } = GATED_RULES;
    const words = await wordsOf({ 'common.conditions.json': common, 'named.rule.json': rules });
    expect(words.filter((one) => one.includes('status 1 (')).sort()).toEqual([
      'named-one,named-two:19 status 1 (待办 to do) becomes 2 (拒绝 rejected)',
    ]);
    expect(words.filter((one) => one.startsWith('named-one:') && one.includes('biz_type')).sort()).toEqual([
      'named-one:4 the condition biz_type is "renewal_record" is left out',
      'named-one:6 biz_type is "renewal_record" becomes is not',
      'named-one:7 biz_type "renewal_record" becomes "renewal_record~"',
    ]);
  });

  it('shift steps to the double and the half, and keep their names', async () => {
    const shifted = (await wordsOf(GATED_RULES)).filter((one) => one.includes('"after"'));
    expect(shifted.map((one) => one.replace(/^[^ ]+ /, ''))).toEqual([
      '"after" "2h" becomes "4h"',
      '"after" "2h" becomes "1h"',
      '"after" "24h" becomes "2d"',
      '"after" "24h" becomes "12h"',
      '"after" "PT3H" becomes "6h"',
      '"after" "PT3H" becomes "90m"',
    ]);
    const files = new Map(Object.entries(GATED_RULES));
    const mutant = (await mutantsIn(files, builtIn)).find(
      ({ kind, rules }) => kind === 'step-shifted' && rules.includes('gates'),
    );
    const text = edited(files.get('gates.rule.json') ?? '', mutant!.edit);
    expect(JSON.parse(text)).toMatchObject({ escalate: { steps: [{ after: '4h', name: '2h' }, {}] } });
  });

  it('change the text of a file nowhere else', async () => {
    const files = new Map(Object.entries(GATED_RULES));
    for (const { edit } of await mutantsIn(files, builtIn)) {
      const plain = (files.get(edit.file) ?? '').replace('\ufeff', '');
      const text = edited(plain, edit);
      expect(text.slice(0, edit.offset)).toBe(plain.slice(0, edit.offset));
      expect(text.slice(edit.offset + edit.text.length)).toBe(plain.slice(edit.offset + edit.length));
      expect(JSON.parse(text)).not.toEqual(JSON.parse(plain));
    }
  });
});

describe('the mutation score', () => {
  const RULE = {
    name: 'done',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
    actions: [{ type: 'http', name: 'tell', url: 'https://books.example/' }],
  };
  const scoreOf = async (conditions: object, cases: readonly object[]): Promise<MutationReport> =>
    await mutationOf(
      new Map([
        ['done.rule.json', JSON.stringify({ ...RULE, conditions }, null, 2)],
        ['done.cases.json', JSON.stringify({ cases })],
      ]),
      builtIn,
    );

  it('names what the tests do not notice, and who noticed the rest', async () => {
    const sent = [{ rule: 'done', action: 'tell' }];
    const { percent, mutants, rules } = await scoreOf(RULE.conditions, [
      { name: 'all', steps: [{ event: { status: 3 } }, { event: { status: 1 } }], expect: sent },
    ]);
    expect(mutants.map(({ words, fate, killedBy }) => [words, fate, killedBy?.name])).toEqual([
      ['status is 3 (已完成 done) becomes is not', 'survived', undefined],
      ['status 3 (已完成 done) becomes 2 (拒绝 rejected)', 'killed', 'all'],
      ['status 3 (已完成 done) becomes 4 (取消 cancelled)', 'killed', 'all'],
    ]);
    expect(percent).toBe(66.6);
    expect(rules).toEqual([
      {
        rule: 'done',
        file: 'done.rule.json',
        line: 1,
        percent: 66.6,
        killed: 2,
        survived: 1,
        equivalent: 0,
        notRunnable: 0,
      },
    ]);
  });

  it('names a step with which a case would notice, and one does', async () => {
    const conditions = {
      all: [
        { fact: 'biz_type', operator: 'equal', value: 'renewal_record' },
        { fact: 'status', operator: 'in', value: [2, 3] },
      ],
    };
    const weak = [{ name: 'none', steps: [{ event: { status: 1 } }], expect: [] }];
    const survivors = (await scoreOf(conditions, weak)).mutants.filter(({ fate }) => fate === 'survived');
    expect(survivors.map(({ words, noticeableBy }) => [words, noticeableBy])).toEqual([
      [
        'the condition biz_type is "renewal_record" is left out',
        { event: { status: 2, biz_type: expect.any(String) } },
      ],
      ['biz_type is "renewal_record" becomes is not', { event: { status: 2 } }],
      ['biz_type "renewal_record" becomes "renewal_record~"', { event: { status: 2 } }],
      ['status 2 (拒绝 rejected) is left out of its list', { event: { status: 2 } }],
      ['status 3 (已完成 done) is left out of its list', { event: { status: 3 } }],
      ['status 3 (已完成 done) becomes 4 (取消 cancelled)', { event: { status: 3 } }],
    ]);
    const sent = [{ rule: 'done', action: 'tell' }];
    const more = survivors.map(({ noticeableBy }, at) => ({
      name: `case ${at}`,
      steps: [noticeableBy],
      expect: noticeableBy!.event['biz_type'] === undefined ? sent : [],
    }));
    expect(await scoreOf(conditions, [...weak, ...more])).toMatchObject({ percent: 100, survived: 0 });
  });

  it('does not count what is proved to mean the same', async () => {
    const twice = {
      all: [
        { fact: 'status', operator: 'equal', value: 3 },
        { fact: 'status', operator: 'greaterThan', value: 2 },
      ],
    };
    const { mutants } = await scoreOf(twice, [
      { name: 'none', steps: [{ event: { status: 1 } }], expect: [] },
    ]);
    const same = mutants.filter(({ fate }) => fate === 'equivalent').map(({ words }) => words);
    expect(same).toEqual([
      'the condition status is more than 2 (拒绝 rejected) is left out',
      'status is more than 2 (拒绝 rejected) becomes is at least',
      'status 2 (拒绝 rejected) becomes 1 (待办 to do)',
    ]);
  });
});
