import type { TracedLeaf } from './compiled-conditions.js';
import { nameOf } from './condition-tree.js';

/**
 * Not matched because of exactly one leaf condition: the verdict is "not matched", and all failing leaves are one condition.
 * The same condition twice, by way of a named one, counts once.
 */
export function isNearMiss(
  { verdict }: { readonly verdict: string },
  failing: ReadonlyMap<TracedLeaf, boolean>,
): boolean {
  if (verdict !== 'not matched') return false;
  const conditions = new Set(
    [...failing].map(([{ fact, path, operator, value, other }, mustHold]) =>
      failing.size === 1 ? '' : JSON.stringify([fact, path, operator, value, other, mustHold]),
    ),
  );
  return conditions.size === 1;
}

/** Facts that are missing where failing leaves read, by the names that messages use. */
export function missingOf(failing: ReadonlyMap<TracedLeaf, boolean>): readonly string[] {
  const missing = new Set<string>();
  for (const leaf of failing.keys()) {
    if (leaf.outcome !== 'unknown') continue;
    if (leaf.actual === undefined) missing.add(nameOf(leaf));
    if (leaf.other && leaf.expected === undefined) missing.add(nameOf(leaf.other));
  }
  return [...missing];
}
