import type { FieldDefinition } from '../../events/catalogue.js';
import { lookupPlaceOf } from '../lookup-name.js';
import { STATE_FACTS } from '../state/fact-fields.js';
import { isStateFact } from '../state/fact-names.js';
import type { FactForm } from './condition-form.js';
import type { Mend } from './file-report.js';
import type { Place } from './json-text.js';
import { checkLookupFact } from './lookup-reads.js';
import { didYouMean, nearestName } from './nearest-name.js';
import { isEnvelopeFact, type RuleEvents } from './rule-events.js';
import { checkStateFact } from './state-reads.js';

/** Where findings about facts and values go. */
export interface Reporter {
  error(at: Place, code: string, message: string, mend: Mend): void;
  warning(at: Place, code: string, message: string, mend: Mend): void;
  info(at: Place, code: string, message: string, mend: Mend): void;
}

/** Checks that the events have a fact. The answer is what it may be; empty when nothing is known of it. */
export function checkFact(form: FactForm, events: RuleEvents, report: Reporter): readonly FieldDefinition[] {
  const { fact, at, path, pathAt } = form;
  const lookup = lookupPlaceOf(fact);
  if (lookup) return checkLookupFact(lookup, form, events, report);
  if (isStateFact(fact)) return checkStateFact(form, events, report);
  if (events.open && !isEnvelopeFact(fact)) return [];
  const fields = events.fieldsOf(fact);
  if (!isEnvelopeFact(fact) && events.entries.length > 0) reportMissing(form, fields, events, report);
  if (fields.length > 0 && fields.every(({ deprecated }) => deprecated)) {
    report.info(
      at,
      'FIELD_DEPRECATED',
      `the platform says that "${fact}" is deprecated`,
      'Use the field that replaces it, before it is no longer sent.',
    );
  }
  if (form.pathBroken) return [];
  if (!path || !pathAt || fields.length === 0) return fields;
  return followPath(fact, fields, path, pathAt, report);
}

function reportMissing(
  { fact, at }: FactForm,
  fields: readonly FieldDefinition[],
  events: RuleEvents,
  report: Reporter,
): void {
  if (fields.length === 0) {
    const types = events.entries.map(({ eventType }) => eventType);
    const mend = (): string => {
      const names = events.factNames();
      const bare = fact.startsWith('event.') ? fact.slice('event.'.length) : '';
      if (names.includes(bare)) return `Did you mean "${bare}"?`;
      const member = STATE_FACTS.find((one) => one.endsWith(`.${fact}`) && events.fieldsOf(one).length > 0);
      if (member !== undefined && nearestName(fact, names) === null) return `Did you mean "${member}"?`;
      return didYouMean(fact, names);
    };
    if (events.more)
      report.warning(
        at,
        'FACT_IN_NO_TYPE',
        `${listOf(types)}: a fact "${fact}" is not known of any of them`,
        mend,
      );
    else {
      const who = types.length > 1 ? `none of ${listOf(types)} has a` : `${listOf(types)} has no`;
      report.error(at, 'FACT_UNKNOWN', `${who} fact "${fact}"`, mend);
    }
    return;
  }
  const without = events.without(fact);
  if (without.length > 0 && !events.more) {
    report.warning(
      at,
      'FACT_NOT_IN_ALL_TYPES',
      `${listOf(without)} has no fact "${fact}": there the condition is never known`,
      'Write a rule for each event type, or use a fact that all of them have.',
    );
  }
}

export function listOf(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}

/** What stands at the end of a path, for each thing the fact may be. */
export function followPath(
  fact: string,
  fields: readonly FieldDefinition[],
  path: readonly string[],
  pathAt: Place,
  report: Reporter,
): readonly FieldDefinition[] {
  const walks = fields.map((field) => walk(field, path));
  if (walks.some((one) => one.ok)) return walks.flatMap((one) => (one.ok ? one.fields : []));
  const [first] = walks;
  if (first && !first.ok) {
    const { field, step } = first;
    if (field.type === 'object' || field.type === 'array') {
      const names = Object.keys(field.fields ?? {});
      const key = path[step] ?? '';
      report.error(
        pathAt,
        'PATH_UNKNOWN',
        field.type === 'array' ? `"${key}" is no place in a list` : `"${fact}" has nothing at "${key}"`,
        field.type === 'array'
          ? 'Write the number of an element, like $[0], or use "someFact:".'
          : nearestName(key, names) === null && names.length === 0
            ? 'Remove the path.'
            : didYouMean(key, names),
      );
    } else {
      report.error(
        pathAt,
        'PATH_UNFIT',
        `"${[fact, ...path.slice(0, step)].join('.')}" is ${nameOfType(field)}: there is nothing in it that a path leads to`,
        'Remove the path.',
      );
    }
  }
  return [];
}

type Walk =
  | { readonly ok: true; readonly fields: readonly FieldDefinition[] }
  | { readonly ok: false; readonly field: FieldDefinition; readonly step: number };

/** Where keys lead from a field; `fields` is empty when the catalogue does not say. */
export function walk(start: FieldDefinition, keys: readonly string[]): Walk {
  let field = start;
  for (const [step, key] of keys.entries()) {
    if (field.type === 'object') {
      if (!field.fields) return { ok: true, fields: [] };
      const next = Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
      if (!next) return { ok: false, field, step };
      field = next;
    } else if (field.type === 'array') {
      if (key === 'length') {
        const last = step === keys.length - 1;
        return last ? { ok: true, fields: [LENGTH] } : { ok: false, field: LENGTH, step: step + 1 };
      }
      if (!/^\d+$/.test(key)) return { ok: false, field, step };
      if (!field.items) return { ok: true, fields: [] };
      field = field.items;
    } else return { ok: false, field, step };
  }
  return { ok: true, fields: [field] };
}

const LENGTH: FieldDefinition = { type: 'integer', label: { zh: '长度', en: 'length' } };

/** "a text", "a whole number" …, for messages. */
export function nameOfType({ type, format }: FieldDefinition): string {
  if (format !== undefined)
    return type === 'string' ? 'a time written as text' : 'a time written as a number';
  switch (type) {
    case 'string':
      return 'a text';
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'object':
      return 'an object';
    case 'array':
      return 'a list';
  }
}
