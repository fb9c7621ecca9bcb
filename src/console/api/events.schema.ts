import { z } from 'zod';
import { DELIVERY } from './deliveries.schema.js';
import { RECORDED_SUPPRESSION } from './explanations.schema.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { COUNT, ID, LABEL, MASKED, MOMENT, TERM, TIME, VALUE } from './schema-parts.js';

export const EVENT_STATES = ['undecided', 'waiting', 'decided', 'quarantined'] as const;
export const EVENT_VERDICTS = ['matched', 'not matched', 'unknown', 'error'] as const;

/** Which events are meant. */
export const EVENT_FILTER = z.strictObject({
  type: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: 'An event type, or a pattern of them.', examples: ['corehr.process.*'] }),
  biz_type: TERM.optional().meta({ description: 'The value of the field `biz_type`.' }),
  status: TERM.optional().meta({
    description: 'The value of the status, or its label in Chinese or English.',
    examples: ['已完成'],
  }),
  entity: TERM.optional().meta({ description: 'The id of a process, node, approver … of the event.' }),
  text: TERM.optional().meta({
    description: 'Whole words or values anywhere in the event; several: all of them.',
  }),
  source: TERM.optional().meta({ description: 'The way it came in.', examples: ['feishu-webhook'] }),
  origin: TERM.optional().meta({
    description: 'Whose event it is.',
    examples: ['feishu:cli_9f5343c580712544'],
  }),
  state: z.enum(EVENT_STATES).optional(),
  verdict: z
    .enum(EVENT_VERDICTS)
    .optional()
    .meta({ description: 'Of the live evaluation: a rule matched, none did, one was unknown or failed.' }),
  since: MOMENT.optional().meta({ description: 'Received at this time or later.' }),
  until: MOMENT.optional().meta({ description: 'Received before this time.' }),
});
export type EventFilterQuery = z.infer<typeof EVENT_FILTER>;

export const EXPORT_QUERY = EVENT_FILTER.extend({
  recorded: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({
      description:
        'With what is recorded of the decisions (their time, the answers of look-ups), for a back-test elsewhere, in the order of the decisions. Events that were never decided are left out.',
    }),
});
export type ExportQuery = z.infer<typeof EXPORT_QUERY>;

export const EVENT_QUERY = PAGE_QUERY.extend(EVENT_FILTER.shape);
export type EventQuery = z.infer<typeof EVENT_QUERY>;

export const FACT = z
  .object({
    name: z.string(),
    value: VALUE,
    label: LABEL.nullable(),
    valueLabel: LABEL.nullable(),
    personal: z.boolean(),
  })
  .meta({ id: 'Fact', description: 'What rules may read of the event, by its name there.' });
export type Fact = z.infer<typeof FACT>;

const EVENT_FIELDS = {
  id: ID.meta({ description: 'Our id.' }),
  eventId: z.string().meta({ description: "The sender's id." }),
  origin: z.string(),
  eventType: z.string(),
  source: z.string(),
  receivedAt: TIME,
  createTime: TIME.nullable().meta({ description: 'When it happened, by the sender.' }),
  rootEntity: z.string().nullable(),
  state: z.enum(EVENT_STATES),
  reason: z.string().nullable(),
  duplicates: COUNT.meta({ description: 'How often it was received again.' }),
  erased: z.boolean(),
  matched: COUNT.nullable().meta({ description: 'How many rules matched; null: not evaluated.' }),
  unknown: COUNT.nullable(),
  errors: COUNT.nullable(),
  deliveries: COUNT,
  about: z.array(FACT).meta({
    description:
      'Its status and `biz_type`, as far as it has them. Empty also for what is erased or very long.',
  }),
};

export const EVENT = z
  .object(EVENT_FIELDS)
  .meta({ id: 'Event', description: 'Something that happened outside.' });
export type Event = z.infer<typeof EVENT>;

export const EVENT_PAGE = pageSchema(EVENT, 'EventPage');

export const RECORDED_VERDICT = z
  .object({
    occasion: z.string(),
    rule: z.string(),
    verdict: z.enum(['matched', 'not matched', 'unknown', 'error', 'skipped']),
    missing: z.array(z.string()).optional(),
    error: z.string().optional(),
    cause: z.string().optional(),
  })
  .meta({ id: 'RecordedVerdict' });

export const EVENT_DETAIL = z
  .object({
    ...EVENT_FIELDS,
    facts: z.array(FACT),
    body: VALUE.meta({ description: 'The body as JSON; null: it is masked, erased or no JSON.' }),
    raw: z.string().nullable().meta({
      description: 'The bytes as received (Base64), with the token blanked; null: masked or erased.',
      contentEncoding: 'base64',
    }),
    verdicts: z.array(RECORDED_VERDICT),
    suppressions: z.array(RECORDED_SUPPRESSION),
    deliveries: z.array(DELIVERY),
    masked: MASKED,
  })
  .meta({ id: 'EventDetail' });
export type EventDetail = z.infer<typeof EVENT_DETAIL>;

export const IMPORT_QUERY = z.strictObject({
  source: TERM.optional().meta({ description: 'The declared source whose bodies the lines are.' }),
  app: TERM.optional().meta({ description: 'The Feishu app whose events are taken.' }),
  onlyStore: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({ description: 'Nothing is decided of the events.' }),
});
export type ImportQuery = z.infer<typeof IMPORT_QUERY>;

export const IMPORTED = z
  .object({
    lines: z.array(
      z.object({
        line: z.number().int().min(1),
        outcome: z.enum(['stored', 'duplicate', 'rejected']),
        reason: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Imported', description: 'What became of each line that is not blank.' });
export type Imported = z.infer<typeof IMPORTED>;
