import { findModel } from '../analysis/find-model.js';
import type { ListenedType, ListenedTypes } from '../analysis/listened-types.js';
import type { LeafNode } from '../condition-tree.js';
import type { Rule } from '../rule-set.js';
import type { AskedPart } from './case-result.js';

/** More than the question about a single condition ever takes. */
const STEPS = 20_000;

/**
 * The events with which conditions of a rule are asked; null: nobody knows. An escalation is cancelled, and its steps
 * are about, whatever comes of the same root entity.
 */
export function typesAsked(
  rule: Rule,
  part: AskedPart,
  types: ListenedTypes,
): readonly ListenedType[] | null {
  const own = types.of(rule);
  return part.part === 'cancelOn' || (part.part === 'when' && part.step !== null) ? types.around(own) : own;
}

/** Whether a condition can come out so with some event; true also when that cannot be told. */
export function canComeOut(
  leaf: LeafNode,
  want: 'yes' | 'no',
  types: readonly ListenedType[] | null,
): boolean {
  if (types === null) return true;
  return types.some(
    ({ space, given }) =>
      findModel([...given, { tree: leaf, want }], space, { steps: STEPS }).answer !== 'no',
  );
}
