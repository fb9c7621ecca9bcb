// Real: the check, the compiler and the runner. Nothing is faked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Catalogue, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { readCases } from '../../../src/rules/cases/case-files.js';
import type { AskedPart, CaseObserver } from '../../../src/rules/cases/case-result.js';
import { CaseRunner } from '../../../src/rules/cases/case-runner.js';
import {
  askedParts,
  conditionsOf,
  Coverage,
  type CoverageReport,
  type RuleCoverage,
} from '../../../src/rules/cases/coverage.js';
import { watchedBy } from '../../../src/rules/cases/mutation.js';
import { compileConditions, type Facts } from '../../../src/rules/compiled-conditions.js';
import type { ConditionNode, LeafNode } from '../../../src/rules/condition-tree.js';
import { compileRuleSet, type RuleFiles } from '../../../src/rules/rule-compiler.js';
import type { Rule, RuleSet } from '../../../src/rules/rule-set.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { GATED_RULES } from '../../support/gated-rules.js';
import { CASE_TIMES, withRecordedCases } from '../../support/recorded-cases.js';
import { healthyRuleFiles } from '../../support/rule-generator.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());
const builtIn = loadBuiltInCatalogue();
const TYPE = 'corehr.process.approver.updated_v2';

async function compiled(files: RuleFiles, catalogue: Catalogue = builtIn): Promise<RuleSet> {
  const { ruleSet, findings } = await compileRuleSet(files, catalogue);
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

async function observe(files: RuleFiles, ruleSet: RuleSet, observer: CaseObserver): Promise<void> {
  const runner = new CaseRunner(ruleSet, { ...CASE_TIMES, observer });
  for (const one of readCases(files).cases) await runner.run(one);
}

async function coverageOf(rules: Readonly<Record<string, unknown>>): Promise<CoverageReport> {
  const files = new Map(
    Object.entries(rules).map(([file, document]) => [file, JSON.stringify(document, null, 2)]),
  );
  const ruleSet = await compiled(files);
  const coverage = new Coverage(ruleSet);
  await observe(files, ruleSet, coverage);
  return coverage.report(watchedBy(readCases(files).cases), files);
}

/** What a case shows, taken down in another way: each leaf is asked on its own, by conditions of its own. */
class Instrumentation implements CaseObserver {
  readonly points = new Set<string>();

  asked(rule: Rule, part: AskedPart, facts: Facts, { now }: { readonly now: number }): void {
    const conditions = conditionsOf(rule, part);
    leavesOf(conditions!.tree).forEach((leaf, at) => {
      const outcome = (tree: ConditionNode): string => {
        try {
          return compileConditions(tree).evaluate(facts, { now });
        } catch {
          return 'error';
        }
      };
      if (outcome(leaf) === 'yes') this.points.add(JSON.stringify([rule.name, part, at, true]));
      if (outcome({ kind: 'not', name: null, child: leaf }) === 'yes')
        this.points.add(JSON.stringify([rule.name, part, at, false]));
    });
  }

  sent({ name }: Rule, action: string, step: string | null): void {
    this.points.add(JSON.stringify([name, action, step]));
  }

  of({ rule }: RuleCoverage): readonly string[] {
    return [...this.points].filter((point) => point.startsWith(`[${JSON.stringify(rule)},`));
  }
}

function leavesOf(node: ConditionNode): readonly LeafNode[] {
  if (node.kind === 'leaf') return [node];
  return node.kind === 'not' ? leavesOf(node.child) : node.children.flatMap(leavesOf);
}

async function agrees(rules: RuleFiles, catalogue: Catalogue): Promise<number> {
  const files = await withRecordedCases(rules, catalogue);
  const ruleSet = await compiled(files, catalogue);
  const coverage = new Coverage(ruleSet);
  const instrumentation = new Instrumentation();
  await observe(files, ruleSet, {
    asked: (...given) => {
      coverage.asked(...given);
      instrumentation.asked(...given);
    },
    sent: (...given) => {
      coverage.sent(...given);
      instrumentation.sent(...given);
    },
  });
  const report = coverage.report(null, files);
  for (const one of report.rules) {
    const { conditions, actions, steps, unseen } = one;
    const seen = [conditions, actions, steps].reduce((sum, count) => sum + count.seen, 0);
    const points = [conditions, actions, steps].reduce((sum, count) => sum + count.of, 0);
    expect([one.rule, seen]).toEqual([one.rule, instrumentation.of(one).length]);
    expect(unseen).toHaveLength(points - seen);
    const rule = ruleSet.ruleOf(one.rule)!;
    const leaves = askedParts(rule).flatMap((part) => leavesOf(conditionsOf(rule, part)!.tree));
    expect(conditions.of).toBeLessThanOrEqual(leaves.length * 2);
  }
  return report.points;
}

describe('coverage', () => {
  it('equals an independent instrumentation, with all gates and escalations', async () => {
    expect(await agrees(new Map(Object.entries(GATED_RULES)), builtIn)).toBeGreaterThan(40);
  });

  it('equals an independent instrumentation, with generated rules', async () => {
    const catalogue = expenseCatalogue();
    let points = 0;
    await fc.assert(
      fc.asyncProperty(healthyRuleFiles(catalogue), async (rules) => {
        points += await agrees(rules, catalogue);
      }),
      { seed, numRuns: 30 },
    );
    process.stderr.write(`coverage: ${points} points of generated rules, all as instrumented\n`);
  }, 120_000);

  it('says what was never seen, in words and with its line', async () => {
    const rule = {
      name: 'done',
      trigger: TYPE,
      conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }, { condition: 'form' }] },
      actions: [
        { type: 'http', name: 'tell', url: 'https://books.example/' },
        {
          type: 'http',
          name: 'tell-more',
          when: { all: [{ fact: 'biz_type', operator: 'startsWith', value: 'job' }] },
          url: 'https://books.example/',
        },
      ],
      escalate: {
        per: 'task',
        steps: [{ after: '24h', actions: [{ type: 'http', name: 'late', url: 'https://books.example/' }] }],
        cancelOn: { all: [{ fact: 'status', operator: 'equal', value: 4 }] },
      },
    };
    const report = await coverageOf({
      'done.rule.json': rule,
      'common.conditions.json': { form: { all: [{ fact: 'type', operator: 'equal', value: 1 }] } },
      'done.cases.json': { cases: [{ name: 'one', steps: [{ event: { status: 3 } }], expect: [] }] },
    });
    expect(report).toMatchObject({ percent: 36.3, seen: 4, points: 11, unwatched: [] });
    const [{ conditions, actions, steps, unseen }] = report.rules as [RuleCoverage];
    expect({ conditions, actions, steps }).toEqual({
      conditions: { seen: 3, of: 8 },
      actions: { seen: 1, of: 2 },
      steps: { seen: 0, of: 1 },
    });
    expect(
      unseen.map(({ kind, part, action, words, file, line }) => [
        kind,
        part,
        action,
        words,
        `${file}:${line}`,
      ]),
    ).toEqual([
      ['false', 'conditions', null, 'status is 3 (已完成 done)', 'done.rule.json:6'],
      ['false', 'conditions', null, 'type is 1 (审批单 approval form)', 'common.conditions.json:4'],
      ['true', 'cancelOn', null, 'status is 4 (取消 cancelled)', 'done.rule.json:53'],
      ['false', 'cancelOn', null, 'status is 4 (取消 cancelled)', 'done.rule.json:53'],
      ['true', 'when', 'tell-more', 'biz_type begins with "job"', 'done.rule.json:27'],
      ['sent', 'action', 'tell-more', 'tell-more', 'done.rule.json:22'],
      ['sent', 'action', 'late', 'late', 'done.rule.json:43'],
    ]);
  });

  it('counts a condition once that can come out one way only', async () => {
    const rule = {
      name: 'always',
      trigger: TYPE,
      conditions: {
        all: [
          { fact: 'status', operator: 'in', value: [1, 2, 3, 4, 18] },
          { fact: 'type', operator: 'equal', value: 1 },
        ],
      },
      actions: [{ type: 'http', name: 'tell', url: 'https://books.example/' }],
    };
    const { percent, rules } = await coverageOf({
      'always.rule.json': rule,
      'always.cases.json': {
        cases: [
          {
            name: 'one',
            steps: [{ event: {} }, { event: { type: 5 } }],
            verdicts: { always: 'not matched' },
          },
        ],
      },
    });
    expect(rules[0]).toMatchObject({ percent: 100, conditions: { seen: 3, of: 3 }, unseen: [] });
    expect(percent).toBe(100);
  });

  it('leaves out disabled rules, and names those that no case is about', async () => {
    const rule = (name: string, more: object = {}): object => ({
      name,
      trigger: TYPE,
      conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
      actions: [{ type: 'http', name: 'tell', url: 'https://books.example/' }],
      ...more,
    });
    const cases = [
      {
        name: 'one',
        steps: [{ event: {} }, { event: { status: 3 } }],
        rules: ['one', 'off'],
        verdicts: { one: 'matched' },
      },
    ];
    const report = await coverageOf({
      'one.rule.json': rule('one'),
      'two.rule.json': rule('two'),
      'off.rule.json': rule('off', { enabled: false }),
      'one.cases.json': { cases },
    });
    expect(report).toMatchObject({ percent: 100, points: 3, unwatched: ['two'] });
    expect(report.rules.map(({ rule: name }) => name)).toEqual(['one']);
  });
});
