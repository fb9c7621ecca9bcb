import type { ConditionNode, LeafNode } from '../condition-tree.js';
import type { RuleAction } from '../rule-action.js';
import type { Rule } from '../rule-set.js';
import { actionsOf, type PlacedAction } from './placed-action.js';
import type { Goal } from './answer.js';
import type { Spot } from './finding-place.js';
import { holdsIn, type Inquiry, outcomeOf } from './inquiry.js';
import { leavesText } from './leaf-text.js';
import type { ListenedType } from './listened-types.js';
import { type Found, type Search, searchTypes, witnessFor } from './type-search.js';

/** What is known of a rule once it has been asked about by itself. */
export interface KnownRule {
  readonly rule: Rule;
  /** Its place among the enabled rules, by file and line. */
  readonly number: number;
  readonly types: readonly ListenedType[];
  /** An event that it matches; null: none is known. */
  readonly match: Found | null;
  /** One that it does not match. */
  readonly miss: Found | null;
}

const CONDITIONS: Spot = { kind: 'key', path: ['conditions'] };

/** Whether a rule can match at all, and whether it can do anything else; the same of what its actions ask. */
export function askOfRule(inquiry: Inquiry, rule: Rule, number: number): KnownRule {
  const types = inquiry.types.of(rule);
  const { tree } = rule.conditions;
  const can = searchTypes(inquiry, types, [{ tree, want: 'yes' }], (model) =>
    holdsIn(rule.conditions, model),
  );
  inquiry.count('CONDITIONS_NEVER', can.told === 'found' ? 'no' : can.told === 'none' ? 'yes' : can.told);
  const known = { rule, number, types };
  if (can.told === 'none') reportNever(inquiry, known, can.core);
  else if (can.told === 'undecided')
    reportUndecided(inquiry, rule, CONDITIONS, `whether "${rule.name}" can match`, can.reason);
  if (can.told !== 'found') return { ...known, match: null, miss: null };
  const miss = askAlways(inquiry, known, can);
  for (const action of actionsOf(rule))
    if (action.action.when) askWhen(inquiry, known, action, action.action.when);
  return { ...known, match: can, miss };
}

type Asked = Pick<KnownRule, 'rule' | 'types'>;

function askAlways(inquiry: Inquiry, { rule, types }: Asked, match: Found): Found | null {
  const goal: Goal = { tree: rule.conditions.tree, want: 'not yes' };
  const usual = missedSample(rule, types);
  const cannot: Search = usual
    ? { told: 'found', ...usual }
    : searchTypes(inquiry, types, [goal], (model) => !holdsIn(rule.conditions, model));
  inquiry.count('CONDITIONS_ALWAYS', toldOf(cannot));
  if (cannot.told === 'found') return cannot;
  if (cannot.told === 'none') {
    const witness = witnessFor(inquiry, rule, match);
    const meant = saysEveryEvent(rule.conditions.tree);
    inquiry.report({
      code: 'CONDITIONS_ALWAYS',
      severity: meant ? 'info' : 'warning',
      rule,
      spot: CONDITIONS,
      ...(witness ? { witness } : {}),
      message: `"${rule.name}" matches every event that it listens to`,
      mend: meant
        ? 'Nothing is to be done when every event is meant.'
        : 'Write the condition that is meant. When every event is meant, say so: {"fact": "event_type", "operator": "exists", "value": true} and no other condition.',
    });
  } else if (cannot.told === 'undecided')
    reportUndecided(inquiry, rule, CONDITIONS, `whether "${rule.name}" always matches`, cannot.reason);
  return null;
}

/** That there is an event type, and nothing else: the way to write that every event is meant. */
function saysEveryEvent(tree: ConditionNode): boolean {
  if (tree.kind === 'leaf')
    return tree.fact === 'event_type' && tree.operator === 'exists' && tree.value === true;
  return tree.kind !== 'not' && tree.children.length === 1 && tree.children.every(saysEveryEvent);
}

/** The sample of an event type, when a rule does not match it: then nothing else need be looked for. */
function missedSample(rule: Rule, types: readonly ListenedType[]): Found | null {
  for (const type of types) {
    const { sample: facts, now } = type.space;
    if (type.entry && outcomeOf(rule.conditions, facts, now) === 'no')
      return { type, model: { facts, later: facts, now } };
  }
  return null;
}

/** Of a question whose "no" is the finding. */
export function toldOf({ told }: Search): 'yes' | 'no' | 'undecided' | 'cut' {
  return told === 'none' ? 'yes' : told === 'found' ? 'no' : told;
}

function reportNever(inquiry: Inquiry, asked: Asked, core: readonly LeafNode[]): void {
  const { rule } = asked;
  const near = nearest(inquiry, asked, core);
  const witness = near && witnessFor(inquiry, rule, near);
  inquiry.report({
    code: 'CONDITIONS_NEVER',
    severity: 'warning',
    rule,
    spot: CONDITIONS,
    ...(witness ? { witness } : {}),
    message: `"${rule.name}" never matches${because(core, rule, inquiry)}`,
    mend: 'Change one of these conditions, or remove the rule.',
  });
}

function because(core: readonly LeafNode[], rule: Rule, { ruleSet }: Inquiry): string {
  const [only, ...others] = core;
  if (!only) return '';
  const text = leavesText(core, rule, ruleSet);
  if (others.length > 0) return `: ${text} exclude each other`;
  return `: ${text} ${isWanted(rule.conditions.tree, only, true) ? 'never holds' : 'always holds'}`;
}

/** Whether conditions need a leaf to hold rather than not to; also of a leaf that is none of theirs. */
function isWanted(node: ConditionNode, leaf: LeafNode, wanted: boolean): boolean {
  if (node === leaf) return wanted;
  if (node.kind === 'leaf') return true;
  if (node.kind === 'not') return isWanted(node.child, leaf, !wanted);
  return node.children.every((child) => isWanted(child, leaf, wanted));
}

/** An event that misses by one of the conditions that exclude each other; else any event. */
function nearest(inquiry: Inquiry, { rule, types }: Asked, core: readonly LeafNode[]): Found | null {
  const misses = (found: Search): found is Search & { told: 'found' } => found.told === 'found';
  const refuses = (facts: Found['model']): boolean => !holdsIn(rule.conditions, facts);
  // The last one that was written is most likely the one too many.
  for (const leaf of [...core].reverse().slice(0, 4)) {
    const tree = without(rule.conditions.tree, leaf, true);
    const found = searchTypes(inquiry, types, [{ tree, want: 'yes' }], refuses);
    if (misses(found)) return found;
  }
  const any = searchTypes(inquiry, types, [], refuses);
  return misses(any) ? any : null;
}

/** The same conditions with a leaf that always comes out as it has to. */
function without(node: ConditionNode, leaf: LeafNode, wanted: boolean): ConditionNode {
  if (node === leaf) return { kind: wanted ? 'all' : 'any', children: [], name: null };
  if (node.kind === 'leaf') return node;
  if (node.kind === 'not') return { ...node, child: without(node.child, leaf, !wanted) };
  return { ...node, children: node.children.map((child) => without(child, leaf, wanted)) };
}

/** What an action of the rule asks, when the rule matches; of a step, what it asks when the step is due. */
function askWhen(
  inquiry: Inquiry,
  { rule, types }: Asked,
  { path, step, action }: PlacedAction,
  { conditions }: NonNullable<RuleAction['when']>,
): void {
  const { tree } = conditions;
  const spot: Spot = { kind: 'key', path: [...path, 'when'] };
  // When a step is due, the state has gone on.
  const own: readonly Goal[] = step === null ? [{ tree: rule.conditions.tree, want: 'yes' }] : [];
  const what = `the action "${action.name}" of "${rule.name}"`;
  const matches = (model: Found['model']): boolean => step !== null || holdsIn(rule.conditions, model);
  const can = searchTypes(
    inquiry,
    types,
    [...own, { tree, want: 'yes' }],
    (model) => matches(model) && holdsIn(conditions, model),
  );
  inquiry.count('CONDITIONS_NEVER', toldOf(can));
  if (can.told === 'none') {
    const any = searchTypes(inquiry, types, own, matches);
    const witness = any.told === 'found' ? witnessFor(inquiry, rule, any) : null;
    inquiry.report({
      code: 'CONDITIONS_NEVER',
      severity: 'warning',
      rule,
      spot,
      ...(witness ? { witness } : {}),
      message: `${what} is never sent${because(can.core, rule, inquiry)}`,
      mend: 'Change its "when", or remove the action.',
    });
  } else if (can.told === 'undecided')
    reportUndecided(inquiry, rule, spot, `whether ${what} can be sent`, can.reason);
  if (can.told !== 'found' || step !== null) return;
  const always = searchTypes(
    inquiry,
    types,
    [...own, { tree, want: 'not yes' }],
    ({ facts, now }) => matches({ facts, now, later: facts }) && outcomeOf(conditions, facts, now) !== 'yes',
  );
  inquiry.count('CONDITIONS_ALWAYS', toldOf(always));
  if (always.told !== 'none') return;
  const witness = witnessFor(inquiry, rule, can);
  inquiry.report({
    code: 'CONDITIONS_ALWAYS',
    severity: 'warning',
    rule,
    spot,
    ...(witness ? { witness } : {}),
    message: `"when" of ${what} holds whenever the rule matches: it leaves nothing out`,
    mend: 'Remove it, or write the condition that is meant.',
  });
}

/** That something could not be told, where it matters. */
export function reportUndecided(
  inquiry: Inquiry,
  rule: Rule,
  spot: Spot,
  what: string,
  reason: 'budget' | 'inexact',
): void {
  inquiry.report({
    code: 'ANALYSIS_UNDECIDED',
    severity: 'info',
    rule,
    spot,
    message: `${what} could not be told: ${
      reason === 'budget'
        ? 'it would take too long'
        : 'the values that its operators distinguish are not all known, as with "matches"'
    }`,
    mend: 'Nothing is to be done; a case in a *.cases.json can show it.',
  });
}
