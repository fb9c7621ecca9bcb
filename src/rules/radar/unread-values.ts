import { testLeaf } from '../compiled-conditions.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';
import { requiredBy } from '../rule-index.js';
import type { Rule } from '../rule-set.js';

/**
 * Whether a rule can match an event on which a fact has a value, whatever its other facts are. Sound: "no" is said only when
 * the conditions are surely not met. Pure.
 */
export function mayMatch(
  { conditions: { tree } }: Pick<Rule, 'conditions'>,
  facts: ReadonlyMap<string, unknown>,
): boolean {
  return fold(tree, facts) !== 'no';
}

type Fold = 'yes' | 'no' | 'maybe';

function fold(node: ConditionNode, facts: ReadonlyMap<string, unknown>): Fold {
  if (node.kind === 'leaf') {
    if (node.path !== null || node.other || !facts.has(node.fact)) return 'maybe';
    // Times are relative to now, which is not to be told here.
    const outcome = testLeaf(node, facts.get(node.fact), undefined, null, { now: 0 });
    return (outcome === 'yes' || outcome === 'no') && isTimeless(node) ? outcome : 'maybe';
  }
  if (node.kind === 'not') {
    const child = fold(node.child, facts);
    return child === 'maybe' ? 'maybe' : child === 'yes' ? 'no' : 'yes';
  }
  const children = node.children.map((child) => fold(child, facts));
  const [decisive, otherwise] = node.kind === 'all' ? (['no', 'yes'] as const) : (['yes', 'no'] as const);
  if (children.includes(decisive)) return decisive;
  return children.includes('maybe') ? 'maybe' : otherwise;
}

function isTimeless({ operator }: LeafNode): boolean {
  return !/(?:before|after|olderThan|newerThan)$/.test(operator);
}

/** The texts that rules want a fact to be. */
export function wantedTexts(rules: readonly Rule[], fact: string): readonly string[] {
  const wanted = new Set<string>();
  const visit = (node: ConditionNode): void => {
    if (node.kind === 'not') visit(node.child);
    else if (node.kind !== 'leaf') node.children.forEach(visit);
    else if (node.fact === fact && node.path === null)
      for (const value of requiredBy(node, true) ?? []) if (typeof value === 'string') wanted.add(value);
  };
  for (const { conditions } of rules) visit(conditions.tree);
  return [...wanted];
}

/** All leaves of conditions, with what they read. */
export function leavesOf(node: ConditionNode): readonly LeafNode[] {
  if (node.kind === 'leaf') return [node];
  return node.kind === 'not' ? leavesOf(node.child) : node.children.flatMap(leavesOf);
}
