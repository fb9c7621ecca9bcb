import { Refusal } from '../../config/problem.js';
import type { Rule, RuleSet } from '../../rules/rule-set.js';

const NAMES_SHOWN = 50;

/**
 * A rule of the live set.
 *
 * @throws Refusal 404 RULE_SET_UNKNOWN, RULE_UNKNOWN
 */
export function liveRule(
  live: RuleSet | null,
  name: string,
): { readonly live: RuleSet; readonly rule: Rule } {
  if (!live) throw noneLive();
  const rule = live.ruleOf(name);
  if (rule) return { live, rule };
  const names = live.rules.slice(0, NAMES_SHOWN).map((one) => one.name);
  const more = live.rules.length > names.length ? ' …' : '';
  throw new Refusal(
    404,
    'RULE_UNKNOWN',
    `there is no rule "${name.slice(0, 200)}"; there are ${names.join(', ') || 'none'}${more}`,
  );
}

export function noneLive(): Refusal {
  return new Refusal(404, 'RULE_SET_UNKNOWN', 'No rule set is live.');
}
