import type { FieldDefinition } from '../../events/catalogue.js';
import type { TimeFormat } from '../operators.js';

/** What may stand at a place: in a fact, or within one. */
export interface Domain {
  readonly type: FieldDefinition['type'] | 'any';
  /** All that may stand there, but for null and nothing; null: more than can be listed. */
  readonly values: readonly unknown[] | null;
  /** How it writes times; null: it is none. */
  readonly format: TimeFormat | null;
  /** What the catalogue says; null: nothing. */
  readonly field: FieldDefinition | null;
  /** Bounds of a number; null: there is none. */
  readonly least: number | null;
  readonly most: number | null;
  /** Nothing may stand there, also where what it is a part of is there. */
  readonly missing: boolean;
  /** Whether it may be null without a condition that names null. */
  readonly nullable: boolean;
}

/** What a field says of its values. */
export function domainOfField(field: FieldDefinition, missing: boolean): Domain {
  const values = field.enum?.map(({ value }) => value) ?? (field.type === 'boolean' ? [true, false] : null);
  const format = field.format ?? null;
  return { type: field.type, values, format, field, least: null, most: null, missing, nullable: false };
}

/** What a member of a fact may be, or an element of a list. */
export function domainWithin(parent: Domain, key: string): Domain {
  const { field } = parent;
  const within =
    field?.items ?? (field?.fields && Object.hasOwn(field.fields, key) ? field.fields[key] : null);
  if (within) return domainOfField(within, within.optional === true || field?.type === 'array');
  return { ...ANYTHING, missing: true };
}

const ANYTHING: Domain = {
  type: 'any',
  values: null,
  format: null,
  field: null,
  least: null,
  most: null,
  missing: true,
  nullable: true,
};
