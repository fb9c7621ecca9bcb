import { decide, type DecisionInputs, factsFor, factsOfRule, type Verdict } from '../decide.js';
import { type ExplainedLeaf, explainTree, failingIn, failingLeaves } from '../explained-tree.js';
import type { Match } from '../firing.js';
import type { LadderChange } from '../ladder.js';
import { planLookups } from '../lookup-plan.js';
import { isNearMiss, missingOf } from '../near-miss.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { ReadEvent } from './tried-event.js';

/** What rules say of a stored event, and what would come of it before the gates. */
export interface JudgedEvent {
  /** Of each rule that listens, in the order of the rule set. */
  readonly rules: readonly JudgedRule[];
  readonly matches: readonly Match[];
  readonly timers: readonly Extract<LadderChange, { kind: 'arm' }>[];
}

export interface JudgedRule {
  readonly rule: string;
  readonly verdict: Verdict;
  /** As `explain` has it. */
  readonly nearMiss: boolean;
  /** The leaves that keep it from matching, in the words of the catalogue. Of no other verdict than "not matched". */
  readonly failing: () => readonly ExplainedLeaf[];
  readonly missing: readonly string[];
}

/**
 * Judges a stored event by what was recorded of it. Null: a look-up is needed whose answer was never recorded. Pure, as
 * `decide`.
 */
export async function judgeEvent(
  ruleSet: RuleSet,
  { subject, inputs: recorded, situation }: ReadEvent,
): Promise<JudgedEvent | null> {
  const { fetch, answers } = planLookups(ruleSet, subject, recorded);
  if (fetch.length > 0) return null;
  const { now, timezone, calendar, state } = recorded;
  const inputs: DecisionInputs = {
    now,
    timezone,
    ...(calendar === undefined ? {} : { calendar }),
    ...(state ? { state } : {}),
    ...(Object.keys(answers).length === 0 ? {} : { lookups: answers }),
  };
  const { verdicts, matches, ladders } = await decide(ruleSet, subject, inputs, situation);
  const told = new Map(verdicts.map((one) => [one.rule, one]));
  const { eventType } = subject;
  const facts = factsFor(ruleSet, subject.facts, inputs);
  return {
    rules: ruleSet.rules
      .filter((rule) => rule.listensTo(eventType))
      .map((rule) => {
        const verdict = told.get(rule.name) ?? ({ rule: rule.name, verdict: 'not matched' } as const);
        return judged(ruleSet, rule, { eventType, facts, inputs }, verdict);
      }),
    matches,
    timers: ladders.filter((change) => change.kind === 'arm'),
  };
}

function judged(
  ruleSet: RuleSet,
  rule: Rule,
  {
    eventType,
    facts: shared,
    inputs,
  }: {
    readonly eventType: string;
    readonly facts: ReadonlyMap<string, unknown>;
    readonly inputs: DecisionInputs;
  },
  verdict: Verdict,
): JudgedRule {
  const missing = verdict.verdict === 'unknown' ? verdict.missing : [];
  if (verdict.verdict !== 'not matched')
    return { rule: rule.name, verdict, nearMiss: false, failing: () => [], missing };
  const traced = rule.conditions.trace(factsOfRule(ruleSet, rule, shared, inputs), inputs);
  const failing = failingIn(traced);
  return {
    rule: rule.name,
    verdict,
    nearMiss: isNearMiss(verdict, failing),
    failing: () => failingLeaves(explainTree(traced, failing, ruleSet, eventType)),
    missing: missingOf(failing),
  };
}
