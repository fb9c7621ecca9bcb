import type { TemplateScope } from '../action/render-template.js';
import { ownAt } from '../events/own-member.js';
import type { DecisionInputs, Subject } from './decide.js';
import { fieldWithin } from './known-field.js';
import type { LookupAnswers } from './lookup-document.js';
import { absenceOf, answeredValue } from './lookup-facts.js';
import type { Rule, RuleSet } from './rule-set.js';

/** What the templates of a look-up read: the event, and the answers of other look-ups. */
export function lookupScope(
  { catalogue, lookups }: RuleSet,
  { eventType, facts }: Pick<Subject, 'eventType' | 'facts'>,
  answers: LookupAnswers | undefined,
  timezone: string,
): TemplateScope {
  return {
    timezone,
    read: ([root, name = '', ...rest]) =>
      ownAt(root === 'lookup' ? answeredValue(answers, name) : facts.get(name), rest),
    labelOf: (field, value, language) => catalogue.labelOf(eventType, field, value, language),
    labelOfAnswer: ([name = '', ...rest], value, language) => {
      const { definition } = fieldWithin(lookups.get(name)?.shape.field ?? null, rest);
      return definition?.enum?.find((one) => one.value === value)?.label[language] ?? null;
    },
    absenceOf: (path) => (path[0] === 'lookup' ? absenceOf(answers, path) : null),
  };
}

/** What the templates of a rule's actions read. */
export function actionScope(
  rule: Rule,
  ruleSet: RuleSet,
  subject: Subject,
  { now, timezone, lookups }: DecisionInputs,
): TemplateScope {
  const { name, description, owner, labels } = rule;
  const about = { name, description: description ?? undefined, owner: owner ?? undefined, labels };
  const scope = lookupScope(ruleSet, subject, lookups, timezone);
  return {
    ...scope,
    read: (path) => {
      const [root, ...rest] = path;
      if (root === 'now') return new Date(now).toISOString();
      return root === 'rule' ? ownAt(about, rest) : scope.read(path);
    },
  };
}
