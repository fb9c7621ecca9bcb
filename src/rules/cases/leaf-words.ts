import type { Catalogue, FieldDefinition } from '../../events/catalogue.js';
import { type FactPlace, type LeafNode, nameOf } from '../condition-tree.js';
import { fieldAt, labelOf } from '../explained-tree.js';
import { DECORATORS, parseOperator } from '../operators.js';
import type { RuleSet } from '../rule-set.js';
import type { Rule } from '../rule-set.js';
import { mayBeLast } from '../state/levels.js';

const LONGEST_VALUE = 80;

/** The event types of the catalogue whose events a rule judges; of a schedule, those that may be an entity's last. */
export function eventTypesOf(
  { schedule, trigger }: Pick<Rule, 'schedule' | 'trigger'>,
  catalogue: Catalogue,
): readonly string[] {
  const entries = schedule
    ? catalogue.entries.filter((entry) => mayBeLast(entry, schedule.over))
    : trigger.flatMap((pattern) => catalogue.matching(pattern));
  return [...new Set(entries.map(({ eventType }) => eventType))];
}

/** What the catalogue says of a place for the first of some event types that have it. */
export function fieldFor(
  ruleSet: Pick<RuleSet, 'fieldOf'>,
  eventTypes: readonly string[],
  place: Pick<FactPlace, 'fact' | 'path'>,
): FieldDefinition | null {
  for (const eventType of eventTypes) {
    const { definition } = fieldAt(ruleSet, eventType, place);
    if (definition) return definition;
  }
  return null;
}

/** `status is 3 (已完成 done)`: a condition as a message says it, with the catalogue's labels. */
export function leafWords(leaf: LeafNode, field: FieldDefinition | null): string {
  const value = leaf.other ? nameOf(leaf.other) : valueWords(leaf.value, field);
  return `${nameOf(leaf)} ${operatorWords(leaf.operator)} ${value}`;
}

/** `is not`; `some element: is`. */
export function operatorWords(operator: string): string {
  const parsed = parseOperator(operator);
  if (!parsed) return operator;
  const decorators = parsed.decorators.map(
    (name) => DECORATORS.find((one) => one.name === name)?.label.en ?? name,
  );
  return [...decorators, parsed.base.label.en].join(': ');
}

/** `3 (已完成 done)`, `"renewal_record"`, `[1 (待办 to do), 9]`; long ones shortened. */
export function valueWords(value: unknown, field: FieldDefinition | null): string {
  if (Array.isArray(value)) {
    const parts = value.slice(0, 5).map((one: unknown) => valueWords(one, field));
    return `[${[...parts, ...(value.length > 5 ? [`… ${value.length} in all`] : [])].join(', ')}]`;
  }
  const json = JSON.stringify(value) as string | undefined;
  const text =
    json === undefined ? '' : json.length > LONGEST_VALUE ? `${json.slice(0, LONGEST_VALUE)}…` : json;
  const label = labelOf(field, value);
  if (!label || !('zh' in label)) return text;
  return `${text} (${label.zh === label.en ? label.zh : `${label.zh} ${label.en}`})`;
}
