import { z } from 'zod';
import { DELIVERY_STATES } from '../../action/delivery-states.js';
import { ACT_BODY, DELIVERY } from './deliveries.schema.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { EXPECTED_RULE_SET, PREVIEWED } from './replays.schema.js';
import { COUNT, ID, MOMENT, TERM } from './schema-parts.js';

const RULE_SETS = z
  .array(z.string().regex(/^(?:live|[0-9a-f]{6,64})$/, 'must be "live", or 6 to 64 hex digits'))
  .min(1)
  .max(50)
  .optional()
  .meta({
    description: 'Only what these rule sets decided: "live", or the first digits of hashes; absent: all.',
  });

const CHOICE = {
  rule: TERM.meta({ description: 'The rule whose deliveries are taken back.' }),
  ruleSets: RULE_SETS,
  since: MOMENT.meta({ description: 'Deliveries made at this time or later.' }),
  until: MOMENT.optional().meta({ description: 'Deliveries made before this time; absent: now.' }),
  replay: z.boolean().default(true).meta({
    description:
      'True: events of the time for which the rule sent nothing are evaluated again too, and the mended rule sends what it asks for.',
  }),
};

export const RECALL_PREVIEW_BODY = z
  .strictObject(CHOICE)
  .meta({ id: 'RecallChoice', description: 'Which deliveries of a rule are taken back.' });
export type RecallPreviewBody = z.infer<typeof RECALL_PREVIEW_BODY>;

export const NEW_RECALL_BODY = z
  .strictObject({ ...CHOICE, ruleSet: EXPECTED_RULE_SET, reason: ACT_BODY.shape.reason })
  .meta({ id: 'NewRecall', description: 'An order to take back what a rule sent.' });
export type NewRecallBody = z.infer<typeof NEW_RECALL_BODY>;

export const RECALL_OUTCOMES = ['cancelled', 'kept', 'undone', 'person', 'gone'] as const;
const OUTCOME = z.enum(RECALL_OUTCOMES).meta({
  description:
    '`cancelled`: it was not sent yet; `kept`: the mended rule asks for the same; `undone`: its undo is sent; `person`: it has had its effect, and nothing takes that back; `gone`: it has no effect any more.',
});

export const RECALL_PREVIEW = z
  .object({
    ...PREVIEWED,
    rule: z.string(),
    mended: z.boolean().meta({ description: 'Whether the live rule set has a live rule of that name.' }),
    events: COUNT.meta({ description: 'Events that would be evaluated again.' }),
    deliveries: z.array(
      z.object({
        action: z.string(),
        target: z.string(),
        state: z.enum(DELIVERY_STATES),
        outcome: OUTCOME,
        code: z.string().nullable(),
        count: COUNT,
      }),
    ),
  })
  .meta({ id: 'RecallPreview', description: 'What a recall would do. Nothing was written.' });
export type RecallPreviewAnswer = z.infer<typeof RECALL_PREVIEW>;

export const RECALLED_DELIVERY = z
  .object({
    ...DELIVERY.shape,
    decidedBy: z.string().nullable().meta({ description: 'Hash of the rule set that decided.' }),
    outcome: OUTCOME.nullable().meta({ description: 'Null: nothing was done with it yet.' }),
    outcomeCode: z.string().nullable(),
    undoId: ID.nullable().meta({ description: 'The delivery that takes it back.' }),
    nextId: ID.nullable().meta({ description: 'The delivery that goes in its place.' }),
  })
  .meta({ id: 'RecalledDelivery' });
export type RecalledDelivery = z.infer<typeof RECALLED_DELIVERY>;
export const RECALLED_DELIVERY_PAGE = pageSchema(RECALLED_DELIVERY, 'RecalledDeliveryPage');

export const RECALLED_QUERY = PAGE_QUERY.extend({ outcome: z.enum(RECALL_OUTCOMES).optional() });
export type RecalledQuery = z.infer<typeof RECALLED_QUERY>;

export const RECALL_SELECTION_QUERY = PAGE_QUERY.extend({
  ruleSet: z
    .string()
    .regex(/^(?:live|[0-9a-f]{6,64})$/, 'must be "live", or 6 to 64 hex digits')
    .optional()
    .meta({ description: 'Only what this rule set decided.' }),
  since: MOMENT.optional().meta({ description: 'Made at this time or later; absent: in the last 24 hours.' }),
  until: MOMENT.optional().meta({ description: 'Made before this time.' }),
});
export type RecallSelectionQuery = z.infer<typeof RECALL_SELECTION_QUERY>;
