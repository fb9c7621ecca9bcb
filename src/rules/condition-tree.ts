import { type ConditionDocument, literalIn, referenceIn } from './condition-document.js';
import { lookupPlaceOf } from './lookup-name.js';
import type { TimeFormat } from './operators.js';
import { parsePath } from './plain-path.js';

/** Where a leaf reads: a fact, and a plain path into it. Of a look-up, the fact is its whole answer. */
export interface FactPlace {
  readonly fact: string;
  readonly path: readonly string[] | null;
  /** How it writes times. */
  readonly timeFormat: TimeFormat;
}

export interface GroupNode {
  readonly kind: 'all' | 'any';
  readonly children: readonly ConditionNode[];
  /** Of a named condition, or the condition's own. */
  readonly name: string | null;
}

export interface NotNode {
  readonly kind: 'not';
  readonly child: ConditionNode;
  readonly name: string | null;
}

export interface LeafNode extends FactPlace {
  readonly kind: 'leaf';
  readonly name: string | null;
  /** As written, with its decorators. */
  readonly operator: string;
  /** The literal; undefined when `other` is given. */
  readonly value: unknown;
  readonly other: FactPlace | null;
}

/** Conditions with the named ones put in their places. */
export type ConditionNode = GroupNode | NotNode | LeafNode;

export type TimeFormatOf = (fact: string, path: readonly string[] | null) => TimeFormat;

/**
 * The tree of a checked document. A named condition stands in it once for each use; that it does not contain itself
 * and does not grow without bound is the loader's to check.
 */
export function buildTree(
  document: ConditionDocument,
  named: ReadonlyMap<string, ConditionDocument>,
  timeFormatOf: TimeFormatOf,
): ConditionNode {
  const build = (one: ConditionDocument, name: string | null): ConditionNode => {
    if ('condition' in one) {
      const meant = named.get(one.condition);
      if (!meant) throw new Error(`there is no named condition "${one.condition}"`);
      return build(meant, one.condition);
    }
    const known = one.name ?? name;
    if ('all' in one)
      return { kind: 'all', children: one.all.map((child) => build(child, null)), name: known };
    if ('any' in one)
      return { kind: 'any', children: one.any.map((child) => build(child, null)), name: known };
    if ('not' in one) return { kind: 'not', child: build(one.not, null), name: known };
    const other = referenceIn(one.value);
    return {
      kind: 'leaf',
      name: known,
      ...placeOf(one.fact, one.path),
      operator: one.operator,
      value: other ? undefined : literalIn(one.value),
      other: other ? placeOf(other.fact, other.path) : null,
    };
  };
  const placeOf = (fact: string, text: string | undefined): FactPlace => {
    const path = text === undefined ? null : parsePath(text);
    const timeFormat = timeFormatOf(fact, path);
    const lookup = lookupPlaceOf(fact);
    if (!lookup) return { fact, path, timeFormat };
    // However it is written: `lookup.user.email` is the same place as `lookup.user` with the path `email`.
    const members = [...lookup.members, ...(path ?? [])];
    return { fact: lookup.fact, path: members.length > 0 ? members : null, timeFormat };
  };
  return build(document, null);
}

/** `status`, `start_user $.open_id` with its path, or `lookup.user.email`: how messages name a place. */
export function nameOf({ fact, path }: Pick<FactPlace, 'fact' | 'path'>): string {
  if (path && lookupPlaceOf(fact)) return [fact, ...path].join('.');
  return path ? `${fact} $.${path.join('.')}` : fact;
}
