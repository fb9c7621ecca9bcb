import type { ExplainedLeaf } from '../explained-tree.js';

/** Of a value; an event may hold a megabyte of text in one place. */
const LONGEST = 1000;

/** A leaf whose long values are cut: what they begin with, and an ellipsis. */
export function shortLeaf(leaf: ExplainedLeaf): ExplainedLeaf {
  return { ...leaf, actual: shortValue(leaf.actual), expected: shortValue(leaf.expected) };
}

/** A long text as its beginning; anything else that is long as the beginning of its JSON. */
export function shortValue(value: unknown): unknown {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined);
  return text === undefined || text.length <= LONGEST ? value : `${text.slice(0, LONGEST).toWellFormed()}…`;
}
