import type { DecisionInputs } from './decide.js';
import { answerOf } from './lookup-facts.js';
import type { Rule } from './rule-set.js';

/** `shadow`: evaluated on live events with gates of its own; what it would send is recorded, and never sent. */
export const RULE_MODES = ['live', 'shadow'] as const;
export type RuleMode = (typeof RULE_MODES)[number];

/** The code of what could not be made, and not for want of a value. */
export const SHADOW_FAILED = 'SHADOW_FAILED';

/** No rule's name has a colon. */
const PREFIX = 'shadow:';

/**
 * The name by which the gates know a rule: what it has used up, and what its digests gather. One in shadow mode has a
 * name of its own there, so that it uses up nothing of live rules and begins anew when it becomes one.
 */
export function gateNameOf({ name, mode }: Pick<Rule, 'name' | 'mode'>): string {
  return mode === 'shadow' ? `${PREFIX}${name}` : name;
}

/** The rule that the gates know by a name. */
export function ruleOfGate(gateName: string): { readonly name: string; readonly mode: RuleMode } {
  return gateName.startsWith(PREFIX)
    ? { name: gateName.slice(PREFIX.length), mode: 'shadow' }
    : { name: gateName, mode: 'live' };
}

/** What of several things is of rules in shadow mode, and what is not; each in its order. */
export function apart<One extends { readonly rule: Pick<Rule, 'mode'> }>(
  all: readonly One[],
): { readonly live: readonly One[]; readonly shadow: readonly One[] } {
  // Most rule sets have none.
  if (all.every(({ rule }) => rule.mode === 'live')) return { live: all, shadow: [] };
  return {
    live: all.filter(({ rule }) => rule.mode === 'live'),
    shadow: all.filter(({ rule }) => rule.mode === 'shadow'),
  };
}

/**
 * The look-ups that the actions of a matched rule in shadow mode read and that nobody has asked for this event, as
 * facts: events wait for the answers that live rules need, and for no others.
 */
export function unaskedLookups(
  { mode, lookups }: Pick<Rule, 'mode' | 'lookups'>,
  { lookups: answers }: Pick<DecisionInputs, 'lookups'>,
): readonly string[] {
  if (mode === 'live' || !lookups) return [];
  return [...lookups.templates].filter((name) => !answerOf(answers, name)).map((name) => `lookup.${name}`);
}
