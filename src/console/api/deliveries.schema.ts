import { z } from 'zod';
import { ACTION_KINDS } from '../../action/action.js';
import { DELIVERY_STATES } from '../../action/delivery-store.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { COUNT, ID, MASKED, MOMENT, TERM, TIME, VALUE } from './schema-parts.js';

export const DELIVERY_QUERY = PAGE_QUERY.extend({
  state: z.enum(DELIVERY_STATES).optional(),
  rule: TERM.optional(),
  action: TERM.optional(),
  kind: z.enum(ACTION_KINDS).optional(),
  target: TERM.optional().meta({ description: 'As `GET /api/v1/targets` names them.' }),
  entity: TERM.optional().meta({ description: 'What it is about, like `process:7063…`.' }),
  event: z.string().max(500).optional().meta({ description: 'Our id of the event.' }),
  occasion: TERM.optional(),
  since: MOMENT.optional().meta({ description: 'Made at this time or later.' }),
  until: MOMENT.optional().meta({ description: 'Made before this time.' }),
  text: TERM.optional().meta({ description: 'A delivery id, an action key, an entity, a target or a rule.' }),
});
export type DeliveryQuery = z.infer<typeof DELIVERY_QUERY>;

const DELIVERY_FIELDS = {
  id: ID,
  actionKey: z
    .string()
    .meta({ description: 'The same decision always makes the same: sent as Idempotency-Key.' }),
  eventId: ID.meta({ description: 'Our id of the event.' }),
  occasion: z.string(),
  rule: z.string(),
  action: z.string(),
  kind: z.string(),
  target: z.string(),
  entity: z.string(),
  generation: COUNT,
  state: z.enum(DELIVERY_STATES),
  attempt: COUNT.meta({ description: 'Attempts so far.' }),
  dueAt: TIME,
  createdAt: TIME,
  updatedAt: TIME,
  code: z.string().nullable().meta({ description: 'Why it stands as it does: a stable code.' }),
  reason: z.string().nullable(),
};

export const DELIVERY = z.object(DELIVERY_FIELDS).meta({
  id: 'Delivery',
  description: 'One effect of one rule on the world outside, and how far it has come.',
});
export type Delivery = z.infer<typeof DELIVERY>;

export const DELIVERY_PAGE = pageSchema(DELIVERY, 'DeliveryPage');

export const ATTEMPT = z
  .object({
    attempt: z.number().int().min(1),
    startedAt: TIME,
    durationMs: COUNT.nullable(),
    outcome: z.enum(['delivered', 'retry', 'permanent', 'lost']),
    code: z.string().nullable(),
    detail: z.string(),
    status: z.number().int().nullable().meta({ description: 'HTTP status or SMTP reply code.' }),
    answer: z.string().meta({ description: 'The start of what the target answered.' }),
  })
  .meta({ id: 'Attempt' });
export type Attempt = z.infer<typeof ATTEMPT>;

export const DELIVERY_DETAIL = z
  .object({
    ...DELIVERY_FIELDS,
    request: z.record(z.string(), VALUE).nullable().meta({
      description:
        'What is sent. Secrets stand as `{{ secrets.NAME }}`. Null: it could not be rendered, was erased, or is masked.',
    }),
    redrivenAt: TIME.nullable(),
    attempts: z.array(ATTEMPT),
    masked: MASKED,
  })
  .meta({ id: 'DeliveryDetail' });
export type DeliveryDetail = z.infer<typeof DELIVERY_DETAIL>;

export const ACT_BODY = z
  .strictObject({
    reason: z.string().trim().min(1).max(500).optional().meta({ description: 'Why, for the audit log.' }),
  })
  .meta({ id: 'Reason', description: 'Why something is done. It may be left out.' });
export type ActBody = z.infer<typeof ACT_BODY>;
