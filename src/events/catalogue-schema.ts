import { z } from 'zod';
import type { CatalogueEntry, FieldDefinition } from './catalogue.js';
import { ENVELOPE_FACTS } from './event-facts.js';

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
    entities: z.record(z.string().min(1), z.union([z.string(), z.array(z.string()).min(1)])),
    rootEntity: z.string().exactOptional(),
    topic: z.string().exactOptional(),
    status: z
      .strictObject({
        field: z.string(),
        entity: z.string().exactOptional(),
        order: z.array(scalar).min(1),
        begins: z.array(scalar).min(1).exactOptional(),
        terminal: z.array(scalar).exactOptional(),
        outcomes: z
          .strictObject({
            done: z.array(scalar).exactOptional(),
            rejected: z.array(scalar).exactOptional(),
            cancelled: z.array(scalar).exactOptional(),
          })
          .exactOptional(),
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
    if (entry.topic !== undefined && !Object.hasOwn(entry.fields, entry.topic))
      report(['topic'], `must name a field of this event type (${oneOf(entry.fields)})`);
    else if (entry.topic !== undefined && entry.fields[entry.topic]?.personal === true)
      report(['topic'], `is "${entry.topic}", which is personal`);
    for (const [kind, names] of Object.entries(entry.entities)) {
      const list = typeof names === 'string' ? [names] : names;
      list.forEach((name, index) => {
        const at = typeof names === 'string' ? ['entities', kind] : ['entities', kind, index];
        if (!Object.hasOwn(entry.fields, name))
          report(at, `must name a field of this event type (${oneOf(entry.fields)})`);
        if (list.indexOf(name) !== index) report(at, `is "${name}", which stands there twice`);
      });
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
    if (entry.status?.entity !== undefined && !Object.hasOwn(entry.entities, entry.status.entity))
      report(['status', 'entity'], `must name an entity of this event type (${oneOf(entry.entities)})`);
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
  for (const list of ['begins', 'terminal'] as const) {
    status[list]?.forEach((value, index) => {
      if (!status.order.includes(value))
        report(['status', list, index], `is ${JSON.stringify(value)}, which is missing from "order"`);
    });
  }
  checkOutcomes(status, report);
}

const OUTCOMES = ['done', 'rejected', 'cancelled'] as const;

function checkOutcomes(
  { terminal = [], outcomes = {} }: NonNullable<CatalogueEntry['status']>,
  report: (path: (string | number)[], message: string) => void,
): void {
  const seen = new Set<string | number>();
  for (const outcome of OUTCOMES) {
    outcomes[outcome]?.forEach((value, index) => {
      const at = ['status', 'outcomes', outcome, index];
      if (!terminal.includes(value))
        report(at, `is ${JSON.stringify(value)}, which is missing from "terminal"`);
      else if (seen.has(value)) report(at, `is ${JSON.stringify(value)}, which stands in "outcomes" twice`);
      seen.add(value);
    });
  }
}

function isOfType(value: string | number, type: FieldDefinition['type']): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'integer') return Number.isSafeInteger(value);
  return type === 'number' && typeof value === 'number';
}

export function isEnvelopeFact(name: string): boolean {
  return (ENVELOPE_FACTS as readonly string[]).includes(name);
}

/** `app_id` of `event.app_id`; null for any other name. */
export function envelopeNamesake(fact: string): string | null {
  const name = fact.startsWith('event.') ? fact.slice('event.'.length) : '';
  return isEnvelopeFact(name) ? name : null;
}
