import type { CheckedRule } from './check/check-files.js';

/** What became of a rule between two rule sets. */
export type RuleChange = 'same' | 'added' | 'removed' | 'changed';

interface Documented {
  readonly document: CheckedRule;
}

/** `undefined`: the set has no such rule. */
export function ruleChange(after: Documented | undefined, before: Documented | undefined): RuleChange {
  if (!after) return 'removed';
  if (!before) return 'added';
  return meaningOf(after.document) === meaningOf(before.document) ? 'same' : 'changed';
}

/** Where a rule stands says nothing of what it does. */
function meaningOf(document: CheckedRule): string {
  return JSON.stringify({ ...document, file: '', line: 0 });
}
