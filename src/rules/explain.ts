import type { Label } from '../events/catalogue.js';
import { type Facts, FactView } from './compiled-conditions.js';
import { type DecisionInputs, factsFor, factsOfRule, judgeFacts, type Verdict } from './decide.js';
import {
  type ExplainedLeaf,
  type ExplainedNode,
  explainTree,
  failingIn,
  failingLeaves,
  fieldAt,
  labelOf,
  preferredAt,
  type ValueLabel,
} from './explained-tree.js';
import { answerOf } from './lookup-facts.js';
import { isNearMiss, missingOf } from './near-miss.js';
import { type FactChange, findRepair, type Repair } from './repair.js';
import { inOrder, type Rule, type RuleSet } from './rule-set.js';

/** The event that is asked about. */
export interface ExplainedSubject {
  readonly eventType: string;
  /** Of the event alone, without those of look-ups. */
  readonly facts: Facts;
}

/** What came of a look-up that a rule reads. */
export type ExplainedLookup = { readonly name: string } & (
  | { readonly state: 'not asked' }
  /** `request`: what was asked. `fetchedAt`: ms since 1970. */
  | { readonly state: 'answered'; readonly request: string; readonly fetchedAt: number }
  | {
      readonly state: 'failed';
      /** Empty: nothing could be asked. */
      readonly request: string;
      readonly fetchedAt: number;
      readonly code: string;
      readonly detail: string;
    }
);

/** A change in the words of the catalogue. `from` or `to` absent from JSON: the fact is, or must be, missing. */
export type ExplainedChange = FactChange & {
  readonly personal: boolean;
  readonly labels: { readonly field: Label | null; readonly from: ValueLabel; readonly to: ValueLabel };
};

export type ExplainedRepair =
  | { readonly kind: 'changes'; readonly changes: readonly ExplainedChange[] }
  | Extract<Repair, { kind: 'undecided' }>;

/** Why a rule fired or did not, for one event. Plain JSON; these names are kept. */
export interface RuleExplanation {
  readonly rule: string;
  readonly description: string | null;
  /** Where the rule stands in the rules folder. */
  readonly file: string;
  readonly line: number;
  readonly trigger: readonly string[];
  readonly verdict: Verdict | { readonly rule: string; readonly verdict: 'not listening' };
  /** Whether the index let the rule through to its conditions. */
  readonly candidate: boolean;
  readonly tree: ExplainedNode;
  /** Every leaf that has a part in the outcome not being yes, from left to right; those of the tree. */
  readonly failing: readonly ExplainedLeaf[];
  /** Facts that are missing where failing leaves read, by the names that messages use. */
  readonly missing: readonly string[];
  /** The look-ups that its conditions and the templates of its actions read, by name. */
  readonly lookups: readonly ExplainedLookup[];
  /**
   * Not matched because of exactly one leaf condition: the verdict is "not matched", and all failing leaves are one
   * condition, so that the rule would have matched had that alone come out the other way. The same condition twice,
   * by way of a named one, counts once.
   */
  readonly nearMiss: boolean;
  /** The smallest change that would have fired the rule; null: it fired, does not listen, is off, or was not asked. */
  readonly repair: ExplainedRepair | null;
}

/** All rules for one event, the interesting ones first. */
export interface EventExplanation {
  /** Hash of the rule set. */
  readonly ruleSet: string;
  readonly eventType: string;
  /** Of all rules; near misses are not counted as "not matched" once more. Null when one rule was asked for. */
  readonly counts: Readonly<Record<Standing | 'not listening', number>> | null;
  /**
   * Matched, near misses, error, unknown, skipped, and other not matched ones with the fewest failing leaves first;
   * within these in the order of the rule set. Of the near misses and the other ones together `limit` at most.
   */
  readonly explanations: readonly RuleExplanation[];
}

export type Standing = (typeof STANDINGS)[number];
const STANDINGS = ['matched', 'near miss', 'error', 'unknown', 'skipped', 'not matched'] as const;

export interface ExplainOptions {
  /** Only the rule of this name; no explanation when there is none. */
  readonly rule?: string;
  /** How many of those that did not match are explained: 50. */
  readonly limit?: number;
}

const LIMIT = 50;
const REPAIRS = 10;
/** Others get their turn after so long. */
const SLICE_MS = 5;

/** Explains one rule, also one that does not listen to the event. Pure, as `decide`. */
export async function explainRule(
  ruleSet: RuleSet,
  rule: Rule,
  subject: ExplainedSubject,
  inputs: DecisionInputs,
): Promise<RuleExplanation> {
  const { eventType } = subject;
  const facts = factsFor(ruleSet, subject.facts, inputs);
  const verdict = rule.listensTo(eventType)
    ? await judgeFacts(ruleSet, rule, facts, inputs)
    : ({ rule: rule.name, verdict: 'not listening' } as const);
  return explain(ruleSet, rule, { eventType, facts }, inputs, verdict, candidatesOf(ruleSet, facts), true);
}

/** Explains the rules that listen to the event. Pure, as `decide`; done in slices, however many rules there are. */
export async function explainEvent(
  ruleSet: RuleSet,
  given: ExplainedSubject,
  inputs: DecisionInputs,
  { rule: wanted, limit = LIMIT }: ExplainOptions = {},
): Promise<EventExplanation> {
  const about = { ruleSet: ruleSet.hash, eventType: given.eventType };
  if (wanted !== undefined) {
    const rule = ruleSet.rules.find(({ name }) => name === wanted);
    const explanations = rule ? [await explainRule(ruleSet, rule, given, inputs)] : [];
    return { ...about, counts: null, explanations };
  }
  const subject = { ...given, facts: factsFor(ruleSet, given.facts, inputs) };
  const pause = pauses();
  const judged = await judgeAll(ruleSet, subject, inputs, pause);
  const counts = { 'not listening': ruleSet.rules.length - judged.length, ...countOf(judged) };
  let room = limit;
  const shown = judged
    .sort(mostTellingFirst)
    .filter(({ verdict }) => verdict.verdict !== 'not matched' || (room -= 1) >= 0);
  const candidates = candidatesOf(ruleSet, subject.facts);
  const explanations: RuleExplanation[] = [];
  let repairs = REPAIRS;
  for (const { rule, verdict } of shown) {
    await pause();
    const withRepair = mayBeRepaired(verdict) && (repairs -= 1) >= 0;
    explanations.push(explain(ruleSet, rule, subject, inputs, verdict, candidates, withRepair));
  }
  return { ...about, counts, explanations };
}

interface Judged {
  readonly rule: Rule;
  readonly verdict: Verdict;
  readonly standing: Standing;
  readonly failing: number;
}

async function judgeAll(
  ruleSet: RuleSet,
  { eventType, facts }: ExplainedSubject,
  inputs: DecisionInputs,
  pause: () => Promise<void>,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  const view = new FactView(ruleSet.places.places, facts);
  for (const rule of ruleSet.rules) {
    if (!rule.listensTo(eventType)) continue;
    await pause();
    // Most rules say no, which is cheaper to learn with the facts that the others have read already.
    const verdict: Verdict =
      rule.enabled && rule.effective === null && !rule.readsClock && saysNo(rule, view, inputs)
        ? { rule: rule.name, verdict: 'not matched' }
        : await judgeFacts(ruleSet, rule, facts, inputs);
    if (verdict.verdict !== 'not matched') {
      judged.push({ rule, verdict, standing: verdict.verdict, failing: 0 });
      continue;
    }
    const failing = failingIn(rule.conditions.trace(factsOfRule(ruleSet, rule, facts, inputs), inputs));
    const standing = isNearMiss(verdict, failing) ? 'near miss' : 'not matched';
    judged.push({ rule, verdict, standing, failing: failing.size });
  }
  return judged;
}

function saysNo(rule: Rule, view: FactView, inputs: DecisionInputs): boolean {
  try {
    return rule.conditions.evaluateView(view, inputs) === 'no';
  } catch {
    // What it is, `judge` will tell.
    return false;
  }
}

function mostTellingFirst(a: Judged, b: Judged): number {
  return (
    STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) ||
    a.failing - b.failing ||
    inOrder(a.rule, b.rule)
  );
}

function countOf(judged: readonly Judged[]): Record<Standing, number> {
  const counts = { matched: 0, 'near miss': 0, error: 0, unknown: 0, skipped: 0, 'not matched': 0 };
  for (const { standing } of judged) counts[standing] += 1;
  return counts;
}

function candidatesOf(ruleSet: RuleSet, facts: Facts): ReadonlySet<Rule | undefined> {
  const numbers = ruleSet.index.candidates(new FactView(ruleSet.places.places, facts));
  return new Set(numbers.map((number) => ruleSet.rules[number]));
}

function explain(
  ruleSet: RuleSet,
  rule: Rule,
  { eventType, facts: shared }: ExplainedSubject,
  inputs: DecisionInputs,
  verdict: RuleExplanation['verdict'],
  candidates: ReadonlySet<Rule | undefined>,
  withRepair: boolean,
): RuleExplanation {
  const facts = factsOfRule(ruleSet, rule, shared, inputs);
  const traced = rule.conditions.trace(facts, inputs);
  const failing = failingIn(traced);
  const tree = explainTree(traced, failing, ruleSet, eventType);
  const repair =
    withRepair && mayBeRepaired(verdict)
      ? findRepair(rule.conditions, facts, inputs, {
          prefer: (place) => preferredAt(ruleSet, eventType, place),
        })
      : null;
  return {
    rule: rule.name,
    description: rule.description,
    file: rule.file,
    line: rule.line,
    trigger: rule.trigger,
    verdict,
    candidate: candidates.has(rule),
    tree,
    failing: failingLeaves(tree),
    missing: missingOf(failing),
    lookups: lookupsOf(rule, inputs),
    nearMiss: isNearMiss(verdict, failing),
    repair: repair && inWords(repair, ruleSet, eventType),
  };
}

function mayBeRepaired({ verdict }: RuleExplanation['verdict']): boolean {
  return verdict === 'not matched' || verdict === 'unknown' || verdict === 'error';
}

function lookupsOf({ lookups }: Rule, inputs: DecisionInputs): readonly ExplainedLookup[] {
  if (!lookups) return [];
  return [...new Set([...lookups.conditions, ...lookups.templates])].sort().map((name) => {
    const answer = answerOf(inputs.lookups, name);
    if (!answer) return { name, state: 'not asked' };
    const { request, fetchedAt } = answer;
    return 'failed' in answer
      ? { name, state: 'failed', request, fetchedAt, ...answer.failed }
      : { name, state: 'answered', request, fetchedAt };
  });
}

function inWords(repair: Repair, ruleSet: RuleSet, eventType: string): ExplainedRepair | null {
  if (repair.kind === 'undecided') return repair;
  // The conditions hold already: it was the second key that refused.
  if (repair.changes.length === 0) return null;
  const changes = repair.changes.map((change) => {
    const { definition, personal } = fieldAt(ruleSet, eventType, change);
    const labels = {
      field: definition?.label ?? null,
      from: labelOf(definition, change.from),
      to: labelOf(definition, change.to),
    };
    return { ...change, personal, labels };
  });
  return { kind: 'changes', changes };
}

/** Lets others have their turn when the last one is long enough ago. */
function pauses(): () => Promise<void> {
  let sliceBegan = performance.now();
  return async () => {
    if (performance.now() - sliceBegan <= SLICE_MS) return;
    await new Promise(setImmediate);
    sliceBegan = performance.now();
  };
}
