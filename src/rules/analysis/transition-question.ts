import { compileConditions } from '../compiled-conditions.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';
import { parseOperator } from '../operators.js';
import type { Goal } from './answer.js';
import type { Spot } from './finding-place.js';
import { holdsIn, type Inquiry, outcomeOf } from './inquiry.js';
import { leafText } from './leaf-text.js';
import { actionsOf } from './placed-action.js';
import type { KnownRule } from './rule-questions.js';
import { type Found, searchTypes, witnessFor } from './type-search.js';
import { type Transitions, transitionsOf } from './transitions.js';

const TRANSITION = 'task.transition';
const MEND_REOPENS =
  'To see tasks that were reopened, whatever they were before, compare "task.reopened" with true.';

/** Whether a rule asks for a change of status that the catalogue's order of statuses never brings. */
export function askOfTransitions(inquiry: Inquiry, known: KnownRule): void {
  const { rule, types, match } = known;
  const { tree } = rule.conditions;
  const placed = treesOf(rule).flatMap(({ path, tree: one }) =>
    leavesOn(one, [TRANSITION]).map((leaf) => ({ path, leaf })),
  );
  const together = leavesOn(tree, [TRANSITION, 'task.previousStatus']).length > 0;
  if (placed.length === 0 && !together) return;
  const orders = types.map(({ entry }) => entry && transitionsOf(inquiry.ruleSet.catalogue, entry));
  const all = orders.filter((one) => one !== null);
  // Of an event type that nobody knows, any status may follow any other.
  if (all.length === 0 || types.some(({ entry }) => entry === null)) return;
  const order = merged(all);
  let told = false;
  for (const { leaf, path } of placed)
    if (leaf.fact === TRANSITION && !leaf.other)
      told = askOfLeaf(inquiry, known, { leaf, path }, order) || told;
  if (!told && together && match) askTogether(inquiry, known, match, order);
}

/** True: there is a finding. */
function askOfLeaf(
  inquiry: Inquiry,
  known: KnownRule,
  { leaf, path }: { readonly leaf: LeafNode; readonly path: readonly PropertyKey[] },
  order: Transitions,
): boolean {
  const base = parseOperator(leaf.operator)?.base.name ?? '';
  const each = ['equal', 'notEqual', 'in', 'notIn'].includes(base);
  const values = each ? [leaf.value].flat() : [leaf.value];
  let found = false;
  for (const value of values) {
    const asked = each ? { ...leaf, operator: 'equal', value } : leaf;
    const holds = (transitions: Iterable<string>): boolean => anyOf(asked, transitions);
    const kind = holds(order.forward) ? null : holds(order.reopening) ? 'reopens' : 'forbidden';
    inquiry.count('TRANSITION_FORBIDDEN', kind === 'forbidden' ? 'yes' : 'no');
    inquiry.count('TRANSITION_REOPENS', kind === 'reopens' ? 'yes' : 'no');
    if (kind === null) continue;
    found = true;
    const spot: Spot = { kind: 'value', path, fact: TRANSITION, value };
    report(
      inquiry,
      known,
      spot,
      kind,
      `${leafText(asked, known.rule, inquiry.ruleSet)}: ${reasonOf(value, kind, order)}`,
    );
  }
  return found;
}

/** Conditions on the status before and the one now, of which each alone is sound. */
function askTogether(inquiry: Inquiry, known: KnownRule, match: Found, order: Transitions): void {
  const { rule, types } = known;
  const tree: Goal = { tree: rule.conditions.tree, want: 'yes' };
  const among = (...transitions: Iterable<string>[]): ConditionNode => ({
    kind: 'any',
    name: null,
    children: [
      leafOf('exists', false),
      leafOf(
        'in',
        transitions.flatMap((one) => [...one]),
      ),
    ],
  });
  const can = (node: ConditionNode) =>
    searchTypes(inquiry, types, [tree, { tree: node, want: 'yes' }], (model) =>
      holdsIn(rule.conditions, model),
    );
  const forward = can(among(order.forward));
  if (forward.told !== 'none') {
    inquiry.count('TRANSITION_FORBIDDEN', forward.told === 'found' ? 'no' : forward.told);
    return;
  }
  const reopening = can(among(order.forward, order.reopening));
  const kind = reopening.told === 'found' ? 'reopens' : reopening.told === 'none' ? 'forbidden' : null;
  inquiry.count(
    kind === 'reopens' ? 'TRANSITION_REOPENS' : 'TRANSITION_FORBIDDEN',
    kind === null ? 'undecided' : 'yes',
  );
  if (kind === null) return;
  const shows = match.model.facts.get(TRANSITION);
  const [from, to] = typeof shows === 'string' ? shows.split('>') : [];
  const shown = from !== undefined && to !== undefined && from !== '' ? `, as from ${from} to ${to}` : '';
  report(
    inquiry,
    known,
    { kind: 'key', path: ['conditions'] },
    kind,
    kind === 'forbidden'
      ? `its conditions hold only for changes of status that the catalogue's order never brings${shown}`
      : `its conditions hold only when a task is reopened${shown}`,
    reopening.told === 'found' ? reopening : match,
  );
}

function report(
  inquiry: Inquiry,
  { rule, match }: KnownRule,
  spot: Spot,
  kind: 'forbidden' | 'reopens',
  why: string,
  shows: Found | null = match,
): void {
  const witness = shows && witnessFor(inquiry, rule, shows);
  inquiry.report({
    code: kind === 'forbidden' ? 'TRANSITION_FORBIDDEN' : 'TRANSITION_REOPENS',
    severity: kind === 'forbidden' ? 'warning' : 'info',
    rule,
    spot,
    ...(witness ? { witness } : {}),
    message: `"${rule.name}": ${why}`,
    mend: kind === 'forbidden' ? 'Write a change that the status order of the catalogue has.' : MEND_REOPENS,
  });
}

function reasonOf(value: unknown, kind: 'forbidden' | 'reopens', { statuses }: Transitions): string {
  if (kind === 'reopens') return 'that happens only when a task is reopened';
  const parts = typeof value === 'string' ? value.split('>') : [];
  if (parts.length !== 2) return 'a transition is written like "1>3"';
  const unknown = parts.find((one, at) => !statuses.includes(one) && !(at === 0 && one === ''));
  if (unknown !== undefined) return `there is no status ${JSON.stringify(unknown)}`;
  if (parts[0] === '') return `a task begins with ${statuses[0] ?? ''}`;
  return `the order of statuses never brings it`;
}

function anyOf(leaf: LeafNode, transitions: Iterable<string>): boolean {
  const conditions = compileConditions(leaf);
  for (const one of transitions)
    if (outcomeOf(conditions, new Map([[TRANSITION, one]]), 0) === 'yes') return true;
  return false;
}

function merged(orders: readonly Transitions[]): Transitions {
  const forward = new Set(orders.flatMap((one) => [...one.forward]));
  return {
    forward,
    reopening: new Set(orders.flatMap((one) => [...one.reopening]).filter((one) => !forward.has(one))),
    statuses: [...new Set(orders.flatMap(({ statuses }) => statuses))],
  };
}

/** All conditions of a rule, and where in it they stand. */
function treesOf(
  rule: KnownRule['rule'],
): readonly { readonly path: readonly PropertyKey[]; readonly tree: ConditionNode }[] {
  const cancelOn = rule.escalation?.cancelOn;
  return [
    { path: ['conditions'], tree: rule.conditions.tree },
    ...(cancelOn ? [{ path: ['escalate', 'cancelOn'], tree: cancelOn.tree }] : []),
    ...actionsOf(rule).flatMap(({ path, action: { when } }) =>
      when ? [{ path: [...path, 'when'], tree: when.conditions.tree }] : [],
    ),
  ];
}

function leavesOn(node: ConditionNode, facts: readonly string[]): readonly LeafNode[] {
  if (node.kind === 'not') return leavesOn(node.child, facts);
  if (node.kind !== 'leaf') return node.children.flatMap((child) => leavesOn(child, facts));
  return facts.includes(node.fact) || (node.other && facts.includes(node.other.fact)) ? [node] : [];
}

function leafOf(operator: string, value: unknown): LeafNode {
  return {
    kind: 'leaf',
    name: null,
    fact: TRANSITION,
    path: null,
    timeFormat: 'date-time',
    operator,
    value,
    other: null,
  };
}
