import type { Catalogue } from '../../src/events/catalogue.js';
import type { Model } from '../../src/rules/analysis/answer.js';
import { ListenedTypes } from '../../src/rules/analysis/listened-types.js';
import { findModel } from '../../src/rules/analysis/find-model.js';
import { witnessOf } from '../../src/rules/analysis/witness-event.js';
import type { CaseDocument, StepDocument } from '../../src/rules/cases/case-document.js';
import type { CaseResult, FoundCase } from '../../src/rules/cases/case-result.js';
import { CaseRunner } from '../../src/rules/cases/case-runner.js';
import { compileRuleSet, type RuleFiles } from '../../src/rules/rule-compiler.js';
import type { Rule, RuleSet } from '../../src/rules/rule-set.js';

export const CASE_TIMES = { timezone: 'Asia/Shanghai', calendar: 'cn' } as const;

/** A file of rule tests for each rule, with events that do and do not match it and what comes of them: all pass. */
export async function withRecordedCases(files: RuleFiles, catalogue: Catalogue): Promise<RuleFiles> {
  const { ruleSet, findings } = await compileRuleSet(files, catalogue);
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  const runner = new CaseRunner(ruleSet, CASE_TIMES);
  const all = new Map(files);
  for (const rule of ruleSet.rules) {
    const cases: CaseDocument[] = [];
    for (const [name, steps] of Object.entries(stepsFor(rule, ruleSet))) {
      const given = { name, steps, rules: [rule.name], expect: [] };
      const result = await runner.run(foundAs(given, rule.name));
      if (result.failures.some(({ kind }) => kind === 'broken')) continue;
      cases.push(recorded(given, result, rule.name));
    }
    if (cases.length > 0) all.set(`cases/${rule.name}.cases.json`, JSON.stringify({ cases }, null, 2));
  }
  return all;
}

function foundAs(one: CaseDocument, rule: string): FoundCase {
  return { file: 'x.cases.json', line: 1, case: one, watched: [rule], timezone: null, calendar: null };
}

/** What came of a case, as what is expected of it. Odd ones say less: their mutants shall have a chance. */
function recorded(given: CaseDocument, { deliveries, judged }: CaseResult, rule: string): CaseDocument {
  const verdict = judged.flatMap(({ rules }) => rules).findLast((one) => one.rule === rule)?.verdict.verdict;
  const expect = deliveries.map(({ action, step, at, state, code, request }) => ({
    rule,
    action,
    ...(step === null ? {} : { step }),
    ...(given.name.endsWith('precisely') ? { at: new Date(at).toISOString(), with: request } : {}),
    state,
    ...(code === null ? {} : { code }),
  }));
  return { ...given, expect, ...(verdict === undefined ? {} : { verdicts: { [rule]: verdict } }) };
}

function stepsFor(rule: Rule, ruleSet: RuleSet): Readonly<Record<string, readonly StepDocument[]>> {
  const later = { advance: '26h' };
  const events = new ListenedTypes(ruleSet).of(rule).flatMap(({ eventType, space, given }) => {
    if (eventType === null) return [];
    const sample = { event: {}, type: eventType };
    const { tree } = rule.conditions;
    const others = (['yes', 'no'] as const).map((want) =>
      findModel([...given, { tree, want }], space, { steps: 20_000 }),
    );
    const found = others.flatMap((one) =>
      one.answer === 'yes' ? eventOf(one.model, ruleSet, eventType) : [],
    );
    return [sample, ...found];
  });
  return {
    ...Object.fromEntries(events.map((event, at) => [`event ${at} precisely`, [event, later]])),
    'all of them': [...events, later, later],
    ...(events[0] ? { 'one twice precisely': [events[0], { advance: '1m' }, events[0], later] } : {}),
  };
}

/** None when no sender could write it: an empty event id, say. */
function eventOf(model: Model, ruleSet: RuleSet, eventType: string): readonly StepDocument[] {
  try {
    return [{ event: witnessOf(model, ruleSet, eventType).event }];
  } catch {
    return [];
  }
}
