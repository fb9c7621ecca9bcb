import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const label = z.strictObject({ zh: z.string(), en: z.string() });

const EVENT_TYPE = z.strictObject({
  eventType: z.string(),
  label,
  /** Which field holds the id of each entity kind. */
  entities: z.record(z.string(), z.string()),
  /** The entity kind whose events are decided in order. */
  rootEntity: z.string(),
  /** The field that holds the status, and its values in the order they normally follow each other. */
  status: z.strictObject({ field: z.string(), order: z.array(z.union([z.string(), z.number()])) }).optional(),
  /** The fields of a typical event. */
  sample: z.record(z.string(), z.json()).optional(),
  fields: z.record(
    z.string(),
    z.strictObject({
      type: z.enum(['string', 'integer']),
      label,
      /** `newer`: in the platform's newer documents only. */
      enum: z
        .array(
          z.strictObject({ value: z.union([z.string(), z.number()]), label, newer: z.boolean().optional() }),
        )
        .optional(),
      /** The field may be missing from a genuine event. */
      optional: z.boolean().optional(),
    }),
  ),
});

/** What is known of one event type: its fields, their types, the labels of their values, and whose ids they are. */
export type CatalogueEntry = z.infer<typeof EVENT_TYPE>;

/** The known event types. A type that is not here is received, stored and evaluated all the same. */
export class Catalogue {
  private readonly entries: ReadonlyMap<string, CatalogueEntry>;
  /** Content hash; a part of the rule set's version. */
  readonly version: string;

  constructor(entries: readonly CatalogueEntry[]) {
    this.entries = new Map(entries.map((entry) => [entry.eventType, entry]));
    const sorted = [...entries].sort((a, b) => (a.eventType < b.eventType ? -1 : 1));
    this.version = createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
  }

  find(eventType: string): CatalogueEntry | null {
    return this.entries.get(eventType) ?? null;
  }

  /** The label of an enum value, or null when the catalogue has none. */
  labelOf(eventType: string, field: string, value: unknown, language: 'zh' | 'en'): string | null {
    const known = this.find(eventType)?.fields;
    if (!known || !Object.hasOwn(known, field)) return null;
    return known[field]?.enum?.find((one) => one.value === value)?.label[language] ?? null;
  }

  /** The place of the event's status in its type's status order, from 1; 0 when it has none. */
  statusRankOf(eventType: string, fields: ReadonlyMap<string, unknown>): number {
    const status = this.find(eventType)?.status;
    return status ? status.order.indexOf(fields.get(status.field) as string | number) + 1 : 0;
  }

  /** `process:<id>` of the entity whose events are decided in order; null when the type or its id is not known. */
  rootEntityOf(eventType: string, fields: ReadonlyMap<string, unknown>): string | null {
    const entry = this.find(eventType);
    if (!entry) return null;
    const value = fields.get(entry.entities[entry.rootEntity] ?? '');
    const id = typeof value === 'number' ? String(value) : value;
    return typeof id === 'string' && id !== '' && id.length <= 200 ? `${entry.rootEntity}:${id}` : null;
  }
}

/** The catalogue that ships with the product. */
export function loadBuiltInCatalogue(): Catalogue {
  const folder = join(import.meta.dirname, 'catalogue');
  const files = readdirSync(folder).filter((name) => name.endsWith('.event.json'));
  return new Catalogue(
    files.map((name) => EVENT_TYPE.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))),
  );
}
