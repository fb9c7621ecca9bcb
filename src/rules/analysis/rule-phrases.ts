import type { Finding } from '../finding.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { documentOf, sentencesOf } from '../sentence/said-set.js';

/** The rule in words, for its findings; each is written once. */
export function rulePhrases(
  words: Pick<RuleSet, 'catalogue' | 'fieldOf'>,
): (rule: Rule) => NonNullable<Finding['sentence']> {
  const known = new Map<Rule, NonNullable<Finding['sentence']>>();
  return (rule) => {
    let phrase = known.get(rule);
    if (!phrase) known.set(rule, (phrase = sentencesOf(documentOf(rule), words)));
    return phrase;
  };
}
