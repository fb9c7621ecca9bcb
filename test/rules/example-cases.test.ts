// The cases beside the rules that come with the product: they are there to be copied from. No database.
import { describe, expect, it } from '@jest/globals';
import { runCases, type TestRun } from '../../src/cli/rules-test-run.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';

const LEAST = 90;

async function run(): Promise<TestRun> {
  const { files, findings } = await readRuleFolder('rules');
  const options = { coverage: true, mutate: true, timezone: 'Asia/Shanghai', calendar: null };
  const done = await runCases(files, findings, loadBuiltInCatalogue(), options);
  if (!('results' in done)) throw new Error(JSON.stringify(done));
  return done;
}

describe('the cases of the example rules', () => {
  it('are there for each rule, and all pass', async () => {
    const { ruleSet, cases, results } = await run();
    const watched = new Set(cases.flatMap((one) => one.watched ?? []));
    expect(ruleSet.rules.map(({ name }) => name).filter((name) => !watched.has(name))).toEqual([]);
    expect(results.filter(({ ok }) => !ok).map(({ file, name, failures }) => [file, name, failures])).toEqual(
      [],
    );
    expect(results.length).toBeGreaterThan(30);
  });

  it('see every condition both ways, and notice nearly every change of a rule', async () => {
    const { coverage, mutation, ruleSet } = await run();
    const below = (rules: readonly { readonly rule: string; readonly percent: number }[]): unknown[] =>
      rules.filter(({ percent }) => percent < LEAST).map(({ rule, percent }) => [rule, percent]);
    expect(below(coverage?.rules ?? [])).toEqual([]);
    expect(below(mutation?.rules ?? [])).toEqual([]);
    expect([coverage?.rules.length, mutation?.rules.length]).toEqual([
      ruleSet.rules.length,
      ruleSet.rules.length,
    ]);
    expect(coverage?.percent).toBe(100);
    expect(mutation?.percent).toBeGreaterThan(97);
  });

  it('do not depend on the time zone and the calendar of where they run', async () => {
    const { files, findings } = await readRuleFolder('rules');
    const options = { coverage: false, mutate: false, timezone: 'America/New_York', calendar: 'weekdays' };
    const done = await runCases(files, findings, loadBuiltInCatalogue(), options);
    if (!('results' in done)) throw new Error(JSON.stringify(done));
    expect(done.results.filter(({ ok }) => !ok).map(({ file, name }) => [file, name])).toEqual([]);
  });
});
