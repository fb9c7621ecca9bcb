import type { CatalogueEntry, EnumValue } from '../../events/catalogue.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';
import type { Goal } from './answer.js';
import { holdsIn, type Inquiry } from './inquiry.js';
import type { ListenedType } from './listened-types.js';
import { requiredIn, type RequiredValues } from './required-values.js';
import type { KnownRule } from './rule-questions.js';
import { searchTypes, witnessFor } from './type-search.js';

interface Candidate extends KnownRule {
  readonly required: RequiredValues;
}

/** A text field by which the rules of an event type tell events apart, and the values that they name. */
interface Split {
  readonly type: ListenedType & { readonly entry: CatalogueEntry };
  readonly fact: string;
  /** With the rules that may match them, the first of those that name it in front. */
  readonly values: ReadonlyMap<string, { readonly first: Candidate; readonly rules: readonly Candidate[] }>;
  readonly statusFact: string;
  readonly statuses: readonly EnumValue[];
}

/** Which statuses no rule handles, of the business types (or what else rules tell apart) that some rule does. */
export function askOfGaps(inquiry: Inquiry, known: readonly KnownRule[]): void {
  const rules = known.flatMap((one): Candidate[] =>
    one.match && !one.rule.schedule ? [{ ...one, required: requiredIn(one.rule.conditions.tree) }] : [],
  );
  const types = new Map(rules.flatMap((one) => one.types.map((type) => [type.key, type] as const)));
  for (const type of types.values()) {
    const split = splitOf(type, rules);
    for (const [value, { first, rules: able }] of split?.values ?? [])
      if (split) askOfValue(inquiry, split, value, first, able);
  }
}

function splitOf(type: ListenedType, rules: readonly Candidate[]): Split | null {
  const { entry } = type;
  const status = entry?.status;
  const statuses = (status && entry.fields[status.field]?.enum) ?? [];
  if (!entry || !status || statuses.length === 0) return null;
  const listening = rules.filter(({ types }) => types.some(({ key }) => key === type.key));
  const fact = mostRequired(entry, listening);
  if (fact === null) return null;
  const values = new Map<string, { first: Candidate; rules: Candidate[] }>();
  const any = listening.filter(({ required }) => !required.has(fact));
  for (const one of listening)
    for (const value of one.required.get(fact) ?? []) {
      if (typeof value !== 'string') continue;
      const found = values.get(value);
      if (found) found.rules.push(one);
      else values.set(value, { first: one, rules: [one] });
    }
  for (const found of values.values()) found.rules.push(...any);
  const statusFact = entry.fields[status.field]?.fact ?? status.field;
  return { type: { ...type, entry }, fact, values, statusFact, statuses };
}

/** The text field that most rules compare by equality; of several, the first of the catalogue. Null: none. */
function mostRequired({ fields, entities }: CatalogueEntry, rules: readonly Candidate[]): string | null {
  const ids = new Set(Object.values(entities).flat());
  let best: string | null = null;
  let most = 0;
  for (const [name, { type, enum: known, format, fact = name }] of Object.entries(fields)) {
    if (type !== 'string' || known || format !== undefined || ids.has(name)) continue;
    const count = rules.filter(({ required }) => required.has(fact)).length;
    if (count > most) [best, most] = [fact, count];
  }
  return best;
}

function askOfValue(
  inquiry: Inquiry,
  { type, fact, statusFact, statuses }: Split,
  value: string,
  first: Candidate,
  rules: readonly Candidate[],
): void {
  const open: EnumValue[] = [];
  for (const status of statuses) {
    const handled = isHandled(inquiry, type, [leafOf(fact, value), leafOf(statusFact, status.value)], rules);
    if (handled === 'cut') {
      inquiry.count('ENUM_UNHANDLED', 'cut');
      return;
    }
    if (handled === 'no') open.push(status);
  }
  inquiry.count('ENUM_UNHANDLED', open.length > 0 ? 'yes' : 'no');
  const [shown] = open;
  if (!shown) return;
  const event: ConditionNode = {
    kind: 'all',
    name: null,
    children: [leafOf(fact, value), leafOf(statusFact, shown.value)],
  };
  const found = searchTypes(
    inquiry,
    [type],
    [{ tree: event, want: 'yes' }],
    (model) => !rules.some(({ rule }) => holdsIn(rule.conditions, model)),
  );
  const witness = found.told === 'found' ? witnessFor(inquiry, first.rule, found) : null;
  inquiry.report({
    code: 'ENUM_UNHANDLED',
    severity: 'info',
    rule: first.rule,
    spot: { kind: 'value', path: ['conditions'], fact, value },
    ...(witness ? { witness } : {}),
    message: `no rule matches ${type.entry.eventType} with ${fact} ${JSON.stringify(value)} and ${statusFact} ${open
      .map(({ value: one, label }) => `${one} (${label.zh}, ${label.en})`)
      .join(', ')}`,
    mend: 'Nothing is to be done when that is meant; else add a rule.',
  });
}

function isHandled(
  inquiry: Inquiry,
  type: ListenedType,
  leaves: readonly LeafNode[],
  rules: readonly Candidate[],
): 'yes' | 'no' | 'cut' {
  const facts: Goal = { tree: { kind: 'all', children: leaves, name: null }, want: 'yes' };
  const fits = (rule: Candidate): boolean =>
    leaves.every(({ fact, value }) => rule.required.get(fact)?.has(value) ?? true);
  const able = rules.filter(fits);
  // What a rule is known to match is often the very event that is asked for.
  if (
    able.some(
      ({ match }) => match && leaves.every(({ fact, value }) => match.model.facts.get(fact) === value),
    )
  )
    return 'yes';
  for (const { rule } of able) {
    const found = searchTypes(
      inquiry,
      [type],
      [{ tree: rule.conditions.tree, want: 'yes' }, facts],
      (model) => holdsIn(rule.conditions, model),
    );
    if (found.told === 'cut') return 'cut';
    // What could not be told may be handled.
    if (found.told !== 'none') return 'yes';
  }
  return 'no';
}

function leafOf(fact: string, value: string | number): LeafNode {
  return {
    kind: 'leaf',
    name: null,
    fact,
    path: null,
    timeFormat: 'date-time',
    operator: 'equal',
    value,
    other: null,
  };
}
