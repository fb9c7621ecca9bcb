import type { FieldDefinition, Label } from '../../events/catalogue.js';
import { type ActionDocument, undoOf } from '../../action/action-document.js';
import type { RuleDocument } from '../../rules/rule-document.js';
import { type ConditionDocument, type LeafDocument, referenceIn } from '../../rules/condition-document.js';
import type { LookupDocument } from '../../rules/lookup-document.js';
import { parseOperator } from '../../rules/operators.js';
import { whenOf } from '../../rules/rule-action.js';
import type { Rule, RuleSet } from '../../rules/rule-set.js';
import type { RuleTable } from './rule-sets.schema.js';

type ConditionLine = RuleTable['conditions'][number];
type Part = ConditionLine['parts'][number];

/** A rule as people read it: line by line, with the catalogue's words beside its names and values. */
export function ruleTable(rule: Rule, ruleSet: RuleSet): RuleTable {
  return {
    trigger: rule.trigger.map((text) => ({ text, label: ruleSet.catalogue.find(text)?.label ?? null })),
    conditions: linesOf(rule.document.conditions, rule, ruleSet, 0),
    lookups: Object.entries(lookupDocumentsOf([rule], ruleSet)).map(([name, lookup]) => ({
      name,
      text: `${lookup.type} ${lookup.type === 'http' ? lookup.url : lookup.id}`,
    })),
    actions: rule.document.actions.map(actionLine),
    timing: timingOf(rule.document),
    steps: (rule.document.escalate?.steps ?? []).map(({ name, after, actions }) => ({
      name: name ?? after,
      after,
      actions: actions.map(actionLine),
    })),
  };
}

function actionLine(action: ActionDocument): RuleTable['actions'][number] {
  return { name: action.name, kind: action.type, text: `${summaryOf(action)}${askingOf(action)}` };
}

/** When it is asked for and in which order it goes out, as far as it says so. */
function askingOf(action: ActionDocument): string {
  const when = whenOf(action);
  const { order = 'none' } = action;
  const undo = undoOf(action);
  const undone = undo ? `, undone by ${undo.name}: ${summaryOf(undo)}` : '';
  return `${when ? `, when ${conditionText(when)}` : ''}${order === 'none' ? '' : `, in order for each ${order}`}${undone}`;
}

function conditionText(condition: ConditionDocument): string {
  if ('condition' in condition) return condition.condition;
  if ('all' in condition) return `(${condition.all.map(conditionText).join(' and ')})`;
  if ('any' in condition) return `(${condition.any.map(conditionText).join(' or ')})`;
  if ('not' in condition) return `not ${conditionText(condition.not)}`;
  const { fact, path, operator, value } = condition;
  return [fact, ...(path === undefined ? [] : [path]), operator, JSON.stringify(value)].join(' ');
}

const EACH = { task: 'task', node: 'node', process: 'process', event: 'event' } as const;

/** What is written in the rule about time and how often it fires; what is left to its default is left out. */
function timingOf(document: RuleDocument): RuleTable['timing'] {
  const { schedule, oncePer, settle, throttle, budget, digest, quietHours, escalate, calendar, timezone } =
    document;
  const line = (zh: string, en: string, text: string | false | undefined): RuleTable['timing'] =>
    text === undefined || text === false ? [] : [{ label: { zh, en }, text }];
  const zoned = (parts: { readonly calendar?: string; readonly timezone?: string }): string =>
    [parts.calendar, parts.timezone].filter((one) => one !== undefined).join(', ');
  const keyed = (key: string | undefined): string => (key === undefined ? '' : ` by ${key}`);
  return [
    ...line(
      '计划',
      'schedule',
      schedule && `${schedule.schedule} over ${schedule.over} ${zoned(schedule)}`.trim(),
    ),
    ...line('仅一次', 'once per', oncePer && EACH[oncePer]),
    ...line('限频', 'throttle', throttle && `${throttle.max} per ${throttle.per}${keyed(throttle.key)}`),
    ...line('预算', 'budget', budget && `${budget.max} per ${budget.per}`),
    ...line('汇总', 'digest', digest && `${digest.window ?? 'at once'}${keyed(digest.key)}`),
    ...line(
      '免打扰',
      'quiet hours',
      quietHours && `outside ${quietHours.outside} ${zoned(quietHours)}: ${quietHours.then}`,
    ),
    ...line('补判', 'settle', settle),
    ...line(
      '升级',
      'escalate',
      escalate && `per ${escalate.per} ${zoned(escalate)}${escalate.confirm ? ', confirmed' : ''}`.trim(),
    ),
    ...line(
      '日历',
      'calendar',
      zoned({ ...(calendar ? { calendar } : {}), ...(timezone ? { timezone } : {}) }) || undefined,
    ),
  ];
}

/** The look-ups that rules read, by name, and what those need; in the order of the file. */
export function lookupDocumentsOf(
  rules: readonly Rule[],
  { lookups }: RuleSet,
): Record<string, LookupDocument> {
  const read = new Set(
    rules.flatMap(({ lookups: own }) => [
      ...(own?.conditions ?? []),
      ...(own?.templates ?? []),
      ...(own?.steps ?? []),
    ]),
  );
  // What one look-up needs of another is read too; a set grows while it is walked through.
  for (const name of read) for (const needed of lookups.get(name)?.needs ?? []) read.add(needed);
  return Object.fromEntries(
    [...lookups.values()].filter(({ name }) => read.has(name)).map(({ name, document }) => [name, document]),
  );
}

function linesOf(condition: ConditionDocument, rule: Rule, ruleSet: RuleSet, depth: number): ConditionLine[] {
  const below = (one: ConditionDocument): ConditionLine[] => linesOf(one, rule, ruleSet, depth + 1);
  if ('condition' in condition) {
    const meant = ruleSet.conditions.get(condition.condition);
    return [{ depth, kind: 'named', name: condition.condition, parts: [] }, ...(meant ? below(meant) : [])];
  }
  const name = 'name' in condition ? (condition.name ?? null) : null;
  const line = (kind: ConditionLine['kind'], parts: Part[] = []): ConditionLine => ({
    depth,
    kind,
    name,
    parts,
  });
  if ('all' in condition) return [line('all'), ...condition.all.flatMap(below)];
  if ('any' in condition) return [line('any'), ...condition.any.flatMap(below)];
  if ('not' in condition) return [line('not'), ...below(condition.not)];
  return [line('leaf', partsOf(condition, rule, ruleSet))];
}

function partsOf(leaf: LeafDocument, rule: Rule, ruleSet: RuleSet): Part[] {
  const types = rule.trigger.flatMap((pattern) => ruleSet.catalogue.matching(pattern));
  const field = types
    .map(({ eventType }) => ruleSet.fieldOf(eventType, leaf.fact))
    .find((one) => one !== null);
  return [
    { text: leaf.path ? `${leaf.fact} ${leaf.path}` : leaf.fact, label: field?.label ?? null },
    { text: leaf.operator, label: parseOperator(leaf.operator)?.base.label ?? null },
    ...valuesOf(leaf.value, field),
  ];
}

function valuesOf(value: unknown, field: FieldDefinition | undefined): Part[] {
  const other = referenceIn(value);
  if (other) return [{ text: other.path ? `${other.fact} ${other.path}` : other.fact, label: FACT }];
  if (Array.isArray(value)) return value.flatMap((one) => valuesOf(one, field));
  const label = field?.enum?.find((one) => one.value === value)?.label ?? null;
  return [{ text: JSON.stringify(value), label }];
}

/** Beside the name of another fact, where a value could stand. */
const FACT: Label = { zh: '事实', en: 'fact' };

function summaryOf(action: ActionDocument): string {
  switch (action.type) {
    case 'http':
      return `${action.method} ${action.url}`;
    case 'email':
      return `to ${action.to.join(', ')}: ${action.subject}`;
    case 'feishu-bot':
      return `${action.url}: ${action.text ?? 'a card'}`;
    case 'feishu-message': {
      const receivers = Object.entries(action.to).map(([kind, id]) => `${kind} ${id}`);
      return `to ${receivers.join(', ')}: ${action.text ?? 'a card'}`;
    }
  }
}
