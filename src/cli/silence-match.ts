import { Catalogue, type CatalogueEntry, type FieldDefinition } from '../events/catalogue.js';
import type { LeafDocument } from '../rules/condition-document.js';
import { lookupPlaceOf } from '../rules/lookup-name.js';
import { fieldOfFact } from '../rules/state/fact-fields.js';

/** `fact=value` or `fact!=value`, as `--match` has it. */
export interface Match {
  readonly fact: string;
  readonly differs: boolean;
  /** As it was typed. */
  readonly value: string;
}

/** Null: it is none. */
export function parseMatch(text: string): Match | null {
  const [, fact, not, value] = /^\s*([^\s=!]+)\s*(!?)=\s*(.*)$/su.exec(text) ?? [];
  if (fact === undefined || value === undefined || value.trim() === '') return null;
  return { fact, differs: not === '!', value: value.trim() };
}

/**
 * The condition that is meant: what was typed is a number, a text, or true or false, as the fact is by the catalogue;
 * of several, what is among its known values. Where nothing is known, each of them is meant.
 */
export function conditionOf(
  { fact, differs, value }: Match,
  entries: readonly CatalogueEntry[],
): LeafDocument {
  const fields = fieldsOf(fact, new Catalogue(entries));
  const readings = readingsOf(value);
  const fitting = readings.filter((one) => fields.some((field) => typeOf(field) === typeof one));
  const usual = fitting.filter((one) => fields.some((field) => isUsual(one, field)));
  const [first = value, ...others] = [usual, fitting, readings].find(({ length }) => length > 0) ?? [];
  return others.length === 0
    ? { fact, operator: differs ? 'notEqual' : 'equal', value: first }
    : { fact, operator: differs ? 'notIn' : 'in', value: [first, ...others] };
}

/** What a text may stand for. In quotes it is a text. Numbers of more digits would lose some. */
function readingsOf(typed: string): (string | number | boolean)[] {
  const [, quoted] = /^"(.*)"$/s.exec(typed) ?? [];
  if (quoted !== undefined) return [quoted];
  if (/^-?\d{1,15}(?:\.\d{1,6})?$/.test(typed)) return [Number(typed), typed];
  return typed === 'true' || typed === 'false' ? [typed === 'true', typed] : [typed];
}

/** What a fact is in each event type that has it; empty: not known. */
function fieldsOf(fact: string, catalogue: Catalogue): readonly FieldDefinition[] {
  if (lookupPlaceOf(fact)) return [];
  return catalogue.entries.flatMap(({ eventType }) => fieldOfFact(catalogue, eventType, fact) ?? []);
}

/** Whether a value is one that the field is known to have, as far as its values are known. */
function isUsual(value: unknown, field: FieldDefinition): boolean {
  return typeOf(field) === typeof value && (field.enum?.some((one) => one.value === value) ?? true);
}

function typeOf({ type }: FieldDefinition): string {
  return type === 'integer' ? 'number' : type;
}
