import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ENVELOPE_FACTS, ENVELOPE_FIELDS } from './event-facts.js';

export { ENVELOPE_FIELDS };

export interface Label {
  readonly zh: string;
  readonly en: string;
}

export interface EnumValue {
  readonly value: string | number;
  readonly label: Label;
  /** In the platform's newer documents only. */
  readonly newer?: boolean;
}

/** What is known of one field of an event. */
export interface FieldDefinition {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array';
  readonly label: Label;
  /** The field is a time, and this is how it is written. */
  readonly format?: 'epoch-milliseconds' | 'epoch-seconds' | 'date-time';
  /** The known values. Others may come and are kept. */
  readonly enum?: readonly EnumValue[];
  /** The field may be missing from a genuine event. */
  readonly optional?: boolean;
  /** In the platform's newer documents only. */
  readonly newer?: boolean;
  readonly deprecated?: boolean;
  /** Masked for viewers and in logs. */
  readonly personal?: boolean;
  /** The name of the fact when the field's own name is an envelope fact's: always `event.<field>`. */
  readonly fact?: string;
  /** The members of an object. */
  readonly fields?: Readonly<Record<string, FieldDefinition>>;
  /** The elements of an array. */
  readonly items?: FieldDefinition;
}

/** What is known of one event type: its fields, their types, the labels of their values, and whose ids they are. */
export interface CatalogueEntry {
  readonly eventType: string;
  readonly label: Label;
  /** Which field holds the id of each entity kind. */
  readonly entities: Readonly<Record<string, string>>;
  /** The entity kind whose events are decided in order; absent: each event stands for itself. */
  readonly rootEntity?: string;
  readonly status?: {
    readonly field: string;
    /** The values in the order in which they normally follow each other. */
    readonly order: readonly (string | number)[];
    /** The values after which nobody is waited for. */
    readonly terminal?: readonly (string | number)[];
    /** What the terminal values mean; one that is in none of the lists has ended in some other way. */
    readonly outcomes?: {
      readonly done?: readonly (string | number)[];
      readonly rejected?: readonly (string | number)[];
      readonly cancelled?: readonly (string | number)[];
    };
  };
  /** The fields of a typical event. */
  readonly sample?: Readonly<Record<string, unknown>>;
  readonly fields: Readonly<Record<string, FieldDefinition>>;
  /** Genuine events have fields that are not listed: facts of other names are not mistakes. */
  readonly more?: boolean;
}

const label = z.strictObject({ zh: z.string().min(1), en: z.string().min(1) });
const scalar = z.union([z.string(), z.number()]);

const field: z.ZodType<FieldDefinition> = z.lazy(() => fieldObject);
const fieldObject = z
  .strictObject({
    type: z.enum(['string', 'integer', 'number', 'boolean', 'object', 'array']),
    label,
    format: z.enum(['epoch-milliseconds', 'epoch-seconds', 'date-time']).exactOptional(),
    enum: z
      .array(z.strictObject({ value: scalar, label, newer: z.boolean().exactOptional() }))
      .min(1)
      .exactOptional(),
    optional: z.boolean().exactOptional(),
    newer: z.boolean().exactOptional(),
    deprecated: z.boolean().exactOptional(),
    personal: z.boolean().exactOptional(),
    fact: z.string().exactOptional(),
    fields: z.record(z.string().min(1), field).exactOptional(),
    items: field.exactOptional(),
  })
  .superRefine((definition, context) => {
    const report = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const { type, format } = definition;
    definition.enum?.forEach(({ value }, index) => {
      if (!isOfType(value, type)) report(['enum', index, 'value'], `must be of the field's type, ${type}`);
      if (definition.enum?.findIndex((other) => other.value === value) !== index)
        report(['enum', index, 'value'], `is ${JSON.stringify(value)}, which stands there twice`);
    });
    if (format && !(type === 'string' || (format !== 'date-time' && ['integer', 'number'].includes(type))))
      report(['format'], `no ${type} is written as ${format}`);
    if (definition.fields && type !== 'object') report(['fields'], 'only an object has fields');
    if (definition.items && type !== 'array') report(['items'], 'only an array has items');
    for (const [where, below] of [
      ...Object.entries(definition.fields ?? {}).map(([name, one]) => [['fields', name], one] as const),
      ...(definition.items ? [[['items'], definition.items] as const] : []),
    ]) {
      if (below.fact !== undefined)
        report([...where, 'fact'], 'only a field of the event itself is a fact; remove "fact"');
    }
  });

/** One event type as a file holds it. */
export const CATALOGUE_ENTRY = z
  .strictObject({
    eventType: z
      .string()
      .regex(/^[\w.:-]{1,128}$/, 'must be an event type: 1 to 128 characters of A-Z a-z 0-9 _ . : -'),
    label,
    entities: z.record(z.string().min(1), z.string()),
    rootEntity: z.string().exactOptional(),
    status: z
      .strictObject({
        field: z.string(),
        order: z.array(scalar).min(1),
        terminal: z.array(scalar).exactOptional(),
      })
      .exactOptional(),
    sample: z.record(z.string(), z.json()).exactOptional(),
    fields: z.record(z.string().min(1).max(200), field),
    more: z.boolean().exactOptional(),
  })
  .superRefine((entry, context) => {
    const report = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const oneOf = (names: Readonly<Record<string, unknown>>): string =>
      Object.keys(names).join(', ') || 'none';
    if (entry.rootEntity !== undefined && !Object.hasOwn(entry.entities, entry.rootEntity))
      report(['rootEntity'], `must name an entity of this event type (${oneOf(entry.entities)})`);
    for (const [kind, name] of Object.entries(entry.entities)) {
      if (!Object.hasOwn(entry.fields, name))
        report(['entities', kind], `must name a field of this event type (${oneOf(entry.fields)})`);
    }
    for (const [name, definition] of Object.entries(entry.fields)) {
      const expected = isEnvelopeFact(name) ? `event.${name}` : undefined;
      if (expected !== undefined && definition.fact !== expected)
        report(
          ['fields', name],
          `has the name of an envelope fact and needs "fact": "${expected}" to be told apart from it`,
        );
      if (expected === undefined && definition.fact !== undefined)
        report(['fields', name, 'fact'], 'is the field\'s own name; remove "fact"');
      if (envelopeNamesake(name) !== null)
        report(['fields', name], `could not be read: "${name}" means the field "${name.slice(6)}"`);
    }
    if (entry.status) checkStatus(entry.status, entry.fields, report);
  });

function checkStatus(
  status: NonNullable<CatalogueEntry['status']>,
  fields: CatalogueEntry['fields'],
  report: (path: (string | number)[], message: string) => void,
): void {
  const definition = Object.hasOwn(fields, status.field) ? fields[status.field] : undefined;
  if (!definition) {
    report(
      ['status', 'field'],
      `must name a field of this event type (${Object.keys(fields).join(', ') || 'none'})`,
    );
    return;
  }
  status.order.forEach((value, index) => {
    if (!isOfType(value, definition.type))
      report(['status', 'order', index], `must be of the field's type, ${definition.type}`);
    else if (definition.enum && !definition.enum.some((one) => one.value === value))
      report(
        ['status', 'order', index],
        `is ${JSON.stringify(value)}, which is no value of "${status.field}"`,
      );
    if (status.order.indexOf(value) !== index)
      report(['status', 'order', index], `is ${JSON.stringify(value)}, which stands there twice`);
  });
  status.terminal?.forEach((value, index) => {
    if (!status.order.includes(value))
      report(['status', 'terminal', index], `is ${JSON.stringify(value)}, which is missing from "order"`);
  });
}

function isOfType(value: string | number, type: FieldDefinition['type']): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'integer') return Number.isSafeInteger(value);
  return type === 'number' && typeof value === 'number';
}

function isEnvelopeFact(name: string): boolean {
  return (ENVELOPE_FACTS as readonly string[]).includes(name);
}

/** `app_id` of `event.app_id`; null for any other name. */
function envelopeNamesake(fact: string): string | null {
  const name = fact.startsWith('event.') ? fact.slice('event.'.length) : '';
  return isEnvelopeFact(name) ? name : null;
}

/** The known event types. A type that is not here is received, stored and evaluated all the same. */
export class Catalogue {
  /** Sorted by event type. */
  readonly entries: readonly CatalogueEntry[];
  /** Content hash; a part of the rule set's version. */
  readonly version: string;
  private readonly byType: ReadonlyMap<string, CatalogueEntry>;

  /** Of two entries of one type the later holds. */
  constructor(entries: readonly CatalogueEntry[]) {
    this.byType = new Map(entries.map((entry) => [entry.eventType, entry]));
    this.entries = [...this.byType.values()].sort((a, b) => (a.eventType < b.eventType ? -1 : 1));
    this.version = createHash('sha256').update(JSON.stringify(this.entries)).digest('hex');
  }

  /** This catalogue and more event types; one of the same type is replaced. */
  with(entries: readonly CatalogueEntry[]): Catalogue {
    return new Catalogue([...this.entries, ...entries]);
  }

  find(eventType: string): CatalogueEntry | null {
    return this.byType.get(eventType) ?? null;
  }

  /** The event types that a trigger means: one, or those of a pattern like `corehr.process.*`. */
  matching(pattern: string): readonly CatalogueEntry[] {
    return this.entries.filter(({ eventType }) => matchesPattern(pattern, eventType));
  }

  /** The field that a fact reads, by the fact's name; also the envelope's facts, which every event type has. */
  fieldOf(eventType: string, fact: string): FieldDefinition | null {
    if (isEnvelopeFact(fact)) return ENVELOPE_FIELDS[fact] ?? null;
    const fields = this.find(eventType)?.fields;
    const name = envelopeNamesake(fact) ?? fact;
    return fields && Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
  }

  /** The label of an enum value, or null when the catalogue has none. `field` is the fact's name. */
  labelOf(eventType: string, field: string, value: unknown, language: 'zh' | 'en'): string | null {
    const values = this.fieldOf(eventType, field)?.enum;
    return values?.find((one) => one.value === value)?.label[language] ?? null;
  }

  /** The place of the event's status in its type's status order, from 1; 0 when it has none. */
  statusRankOf(eventType: string, fields: ReadonlyMap<string, unknown>): number {
    const status = this.find(eventType)?.status;
    return status ? status.order.indexOf(fields.get(status.field) as string | number) + 1 : 0;
  }

  /** `process:<id>` of the entity whose events are decided in order; null when the type or its id is not known. */
  rootEntityOf(eventType: string, fields: ReadonlyMap<string, unknown>): string | null {
    const entry = this.find(eventType);
    if (entry?.rootEntity === undefined) return null;
    const value = fields.get(entry.entities[entry.rootEntity] ?? '');
    const id = typeof value === 'number' ? String(value) : value;
    return typeof id === 'string' && id !== '' && id.length <= 200 ? `${entry.rootEntity}:${id}` : null;
  }
}

/**
 * Whether an event type is the one, or one of the pattern's: a `*` stands for any text, also none. Takes time in
 * proportion to the lengths, however many `*` there are: senders choose event types.
 */
export function matchesPattern(pattern: string, eventType: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === eventType;
  if (!eventType.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = eventType.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return eventType.length - last.length >= at && eventType.endsWith(last);
}

/** The catalogue that ships with the product. */
export function loadBuiltInCatalogue(): Catalogue {
  const folder = join(import.meta.dirname, 'catalogue');
  const files = readdirSync(folder).filter((name) => name.endsWith('.event.json'));
  return new Catalogue(
    files.map((name) => CATALOGUE_ENTRY.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))),
  );
}
