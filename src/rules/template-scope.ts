import type { TemplateScope } from '../action/render-template.js';
import type { FieldDefinition } from '../events/catalogue.js';
import { own, ownAt } from '../events/own-member.js';
import type { DecisionInputs, Subject } from './decide.js';
import { fieldWithin } from './known-field.js';
import type { LookupAnswers } from './lookup-document.js';
import { absenceOf, answeredValue } from './lookup-facts.js';
import type { Rule, RuleSet } from './rule-set.js';

/** What the templates of a look-up read: the event, and the answers of other look-ups. */
export function lookupScope(
  ruleSet: RuleSet,
  { eventType, facts }: Pick<Subject, 'eventType' | 'facts'>,
  answers: LookupAnswers | undefined,
  timezone: string,
): TemplateScope {
  return {
    timezone,
    read: ([root, name = '', ...rest]) =>
      ownAt(root === 'lookup' ? answeredValue(answers, name) : facts.get(name), rest),
    labelOf: (field, value, language) => labelIn(ruleSet.fieldOf(eventType, field), value, language),
    labelOfAnswer: ([name = '', ...rest], value, language) => {
      const { definition } = fieldWithin(ruleSet.lookups.get(name)?.shape.field ?? null, rest);
      return labelIn(definition, value, language);
    },
    absenceOf: (path) => (path[0] === 'lookup' ? absenceOf(answers, path) : null),
  };
}

/** What all templates of a rule read, wherever it fires: the time of it, and what the rule says of itself. */
export function ruleScope(
  { name, description, owner, labels }: Rule,
  now: number,
): (path: readonly string[]) => unknown {
  const about = { name, description: description ?? undefined, owner: owner ?? undefined, labels };
  return ([root, ...rest]) => {
    if (root === 'now') return new Date(now).toISOString();
    return root === 'rule' ? ownAt(about, rest) : undefined;
  };
}

function labelIn(field: FieldDefinition | null, value: unknown, language: 'zh' | 'en'): string | null {
  return field?.enum?.find((one) => one.value === value)?.label[language] ?? null;
}

/** What the templates of a rule's actions read. */
export function actionScope(
  rule: Rule,
  ruleSet: RuleSet,
  subject: Subject,
  { now, timezone, lookups, state }: DecisionInputs,
): TemplateScope {
  const scope = lookupScope(ruleSet, subject, lookups, rule.timezone ?? timezone);
  const common = ruleScope(rule, now);
  return {
    ...scope,
    read: (path) => {
      const [root = ''] = path;
      switch (root) {
        case 'now':
        case 'rule':
          return common(path);
        case 'task':
        case 'node':
        case 'process':
          return state && own(state, path.join('.'));
        default:
          return scope.read(path);
      }
    },
  };
}
