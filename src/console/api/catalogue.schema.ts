import { z } from 'zod';
import type { CatalogueEntry, FieldDefinition } from '../../events/catalogue.js';
import { LABEL, VALUE } from './schema-parts.js';

const SCALAR = z.union([z.string(), z.number()]);

const FIELD: z.ZodType<FieldDefinition> = z
  .lazy(() =>
    z.object({
      type: z.enum(['string', 'integer', 'number', 'boolean', 'object', 'array']),
      label: LABEL,
      format: z.enum(['epoch-milliseconds', 'epoch-seconds', 'date-time']).exactOptional(),
      enum: z
        .array(z.object({ value: SCALAR, label: LABEL, newer: z.boolean().exactOptional() }))
        .exactOptional(),
      optional: z.boolean().exactOptional(),
      newer: z.boolean().exactOptional(),
      deprecated: z.boolean().exactOptional(),
      personal: z.boolean().exactOptional(),
      fact: z.string().exactOptional(),
      fields: z.record(z.string(), FIELD).exactOptional(),
      items: FIELD.exactOptional(),
    }),
  )
  .meta({ id: 'CatalogueField' });

export const CATALOGUE_ENTRY_ANSWER: z.ZodType<CatalogueEntry> = z
  .object({
    eventType: z.string(),
    label: LABEL,
    entities: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    rootEntity: z.string().exactOptional(),
    topic: z.string().exactOptional(),
    status: z
      .object({
        field: z.string(),
        entity: z.string().exactOptional(),
        order: z.array(SCALAR),
        begins: z.array(SCALAR).exactOptional(),
        terminal: z.array(SCALAR).exactOptional(),
        outcomes: z
          .object({
            done: z.array(SCALAR).exactOptional(),
            rejected: z.array(SCALAR).exactOptional(),
            cancelled: z.array(SCALAR).exactOptional(),
          })
          .exactOptional(),
      })
      .exactOptional(),
    sample: z.record(z.string(), VALUE).exactOptional(),
    fields: z.record(z.string(), FIELD),
    more: z.boolean().exactOptional(),
  })
  .meta({ id: 'CatalogueEntry', description: 'What is known of one event type.' });

export const CATALOGUE = z
  .object({ version: z.string(), items: z.array(CATALOGUE_ENTRY_ANSWER) })
  .meta({ id: 'Catalogue' });
export interface CatalogueAnswer {
  readonly version: string;
  readonly items: readonly CatalogueEntry[];
}
