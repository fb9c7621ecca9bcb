import { eventTypesOf, fieldFor, leafWords } from '../cases/leaf-words.js';
import type { LeafNode } from '../condition-tree.js';
import type { Rule, RuleSet } from '../rule-set.js';

const MOST = 4;

/** A condition of a rule as a message names it: `status is 2 (拒绝 rejected)`. */
export function leafText(
  leaf: LeafNode,
  rule: Rule,
  ruleSet: Pick<RuleSet, 'catalogue' | 'fieldOf'>,
): string {
  return leafWords(leaf, fieldFor(ruleSet, eventTypesOf(rule, ruleSet.catalogue), leaf));
}

/** Several of them, each once, with `and` between. */
export function leavesText(
  leaves: readonly LeafNode[],
  rule: Rule,
  ruleSet: Pick<RuleSet, 'catalogue' | 'fieldOf'>,
): string {
  const texts = [...new Set(leaves.map((leaf) => leafText(leaf, rule, ruleSet)))];
  const shown = texts.slice(0, MOST).join(' and ');
  return texts.length > MOST ? `${shown} and ${texts.length - MOST} more` : shown;
}
