import { z } from 'zod';
import { ACTION_KINDS } from '../../action/action.js';
import type { DeliveryAct } from '../../action/delivery-acts.js';
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
    ambiguous: z.boolean().meta({
      description: 'No answer came after the request was sent: whether the target did the work is not known.',
    }),
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

const REASON = z.string().trim().min(1).max(500).optional().meta({ description: 'Why, for the audit log.' });

export const ACT_BODY = z
  .strictObject({ reason: REASON })
  .meta({ id: 'Reason', description: 'Why something is done. It may be left out.' });
export type ActBody = z.infer<typeof ACT_BODY>;

const EDITED = z.boolean().optional().meta({
  description:
    "True: a new delivery takes its place, rendered by today's action of the live rule set from the facts that were recorded.",
});

export const DISCARD_BODY = z
  .strictObject({ reason: z.string().trim().min(1).max(500) })
  .meta({ id: 'DiscardReason', description: 'Why it is given up: it is kept with the delivery.' });

export const REDRIVE_BODY = z
  .strictObject({ reason: REASON, edited: EDITED })
  .meta({ id: 'Redrive', description: 'How a delivery is sent again. It may be left out.' });
/** What may be said of each act on one delivery. */
export const ONE_ACT_BODIES = {
  redrive: REDRIVE_BODY,
  release: ACT_BODY,
  discard: DISCARD_BODY,
  cancel: ACT_BODY,
} as const satisfies Record<DeliveryAct, z.ZodType>;
/** What is said of an act on one delivery. `edited` goes with a redrive only. */
export type OneActBody = ActBody & { readonly edited?: boolean | undefined };

export const ACT_FILTER = z
  .strictObject({
    state: z.enum(DELIVERY_STATES).optional().meta({
      description: 'Only those in this state, of the states that the act is for. Not enough by itself.',
    }),
    rule: TERM.optional(),
    action: TERM.optional(),
    kind: z.enum(ACTION_KINDS).optional(),
    target: TERM.optional().meta({ description: 'As `GET /api/v1/targets` names them.' }),
    code: TERM.optional().meta({
      description: 'Why it stands as it does, like `HTTP_503` or `BRAKE_BUDGET`.',
    }),
    entity: TERM.optional(),
    since: MOMENT.optional().meta({ description: 'Made at this time or later.' }),
    until: MOMENT.optional().meta({ description: 'Made before this time.' }),
  })
  .refine(
    (filter) => Object.entries(filter).some(([name, value]) => name !== 'state' && value !== undefined),
    'must name something',
  )
  .meta({
    id: 'ActFilter',
    description: 'Which deliveries are meant, of those in a state that the act is for. Not empty.',
  });

/** So many deliveries are acted on by one request at most. */
export const MOST_ACTED = 10_000;

const MANY_FIELDS = {
  filter: ACT_FILTER,
  reason: REASON,
  dryRun: z
    .boolean()
    .default(false)
    .meta({ description: 'True: nothing is done, and `matched` tells how many would be looked at.' }),
  limit: z
    .number()
    .int()
    .min(1)
    .max(MOST_ACTED)
    .default(1000)
    .meta({ description: 'How many at most by this request, the oldest first.' }),
  cursor: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'The `next` of the request before; absent: from the oldest on.' }),
};

export const ACT_MANY_BODY = z.strictObject(MANY_FIELDS).meta({ id: 'ActOnMany' });
export const DISCARD_MANY_BODY = z
  .strictObject({ ...MANY_FIELDS, reason: DISCARD_BODY.shape.reason })
  .meta({ id: 'DiscardMany' });
export const REDRIVE_MANY_BODY = z
  .strictObject({ ...MANY_FIELDS, edited: EDITED })
  .meta({ id: 'RedriveMany' });
/** What may be asked of each act on many deliveries. */
export const MANY_ACT_BODIES = {
  redrive: REDRIVE_MANY_BODY,
  release: ACT_MANY_BODY,
  discard: DISCARD_MANY_BODY,
  cancel: ACT_MANY_BODY,
} as const satisfies Record<DeliveryAct, z.ZodType>;
/** What is asked of an act on many deliveries. `edited` goes with a redrive only. */
export type ManyActBody = z.infer<typeof ACT_MANY_BODY> & { readonly edited?: boolean | undefined };

export const ACTED_MANY = z
  .object({
    matched: COUNT.meta({
      description: 'How many the filter found in a state that the act is for, from the cursor on.',
    }),
    done: COUNT,
    skipped: z
      .array(z.object({ code: z.string(), count: COUNT }))
      .meta({ description: 'Those that were looked at and left, by the code of why.' }),
    next: z
      .string()
      .nullable()
      .meta({ description: 'Cursor of what was not looked at yet; null: that was all.' }),
  })
  .meta({ id: 'ActedMany', description: 'What became of many deliveries.' });
export type ActedMany = z.infer<typeof ACTED_MANY>;
