import type { Notice } from '../action/notice-store.js';
import type { RuleSet } from './rule-set.js';

/**
 * What the owners of the rules that read a look-up are told when it got no answer. What the service said stays out: it may
 * hold what an event brought.
 */
export function lookupFailing(lookup: string, code: string, { rules }: Pick<RuleSet, 'rules'>): Notice {
  const readers = rules.filter(
    ({ mode, lookups }) =>
      mode === 'live' &&
      lookups !== null &&
      [lookups.conditions, lookups.templates, lookups.steps].some((names) => names.has(lookup)),
  );
  return {
    kind: 'lookup-failing',
    subject: lookup,
    rules: readers.map(({ name }) => name),
    detail: { code },
  };
}
