import { z } from 'zod';
import { DELIVERY_STATES } from '../../action/delivery-store.js';
import { STANDINGS } from '../read/shadow-comparison.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { COUNT, ID, MASKED, MOMENT, TIME, VALUE } from './schema-parts.js';

const WINDOW = {
  since: MOMENT.optional().meta({
    description: 'Decided at this time or later; absent: 7 days before `until`.',
  }),
  until: MOMENT.optional().meta({ description: 'Decided before this time; absent: now.' }),
};

export const SHADOW_QUERY = z.strictObject(WINDOW);
export type ShadowQuery = z.infer<typeof SHADOW_QUERY>;

const STANDING = z.enum(STANDINGS).meta({
  description:
    '`same`: both rules have the same request to the same target, for the same action, entity and reason; `live` and `shadow`: only that rule; `different`: both, and not the same.',
});

export const SHADOW_LIST_QUERY = PAGE_QUERY.extend({ ...WINDOW, standing: STANDING.optional() });
export type ShadowListQuery = z.infer<typeof SHADOW_LIST_QUERY>;

const RULE_FIELDS = {
  rule: z.string(),
  mode: z.enum(['live', 'shadow']).nullable().meta({
    description: 'In the live rule set: `live` when it has become a live rule since; null: it is gone.',
  }),
  shadowOf: z
    .string()
    .nullable()
    .meta({ description: 'The live rule that it is compared with; null: none.' }),
  counts: z.object({ same: COUNT, live: COUNT, shadow: COUNT, different: COUNT }),
  gathering: COUNT.meta({ description: 'Messages of digests that are not due yet: they are compared then.' }),
};

export const SHADOW_RULE = z
  .object({ ...RULE_FIELDS, since: TIME, until: TIME })
  .meta({ id: 'ShadowRule', description: 'How a rule in shadow mode stands to its live twin.' });
export type ShadowRule = z.infer<typeof SHADOW_RULE>;

export const SHADOW_RULES = z
  .object({ since: TIME, until: TIME, items: z.array(z.object(RULE_FIELDS)) })
  .meta({ id: 'ShadowRules', description: 'The rules in shadow mode of the live rule set.' });
export type ShadowRules = z.infer<typeof SHADOW_RULES>;

const SIDE_FIELDS = {
  id: ID,
  target: z.string(),
  dueAt: TIME,
  code: z.string().nullable(),
};
const SHADOW_STATE = z.enum(['pending', 'held', 'dead', 'gathering', 'cancelled']).meta({
  description:
    'As it would stand when it was decided. `gathering`: the message of a digest that is not due yet; `cancelled`: one that came to nothing.',
});
const SHADOW_SIDE = z.object({ ...SIDE_FIELDS, state: SHADOW_STATE });
const LIVE_SIDE = z.object({ ...SIDE_FIELDS, state: z.enum(DELIVERY_STATES) });

export const COMPARED_DELIVERY = z
  .object({
    id: ID.meta({ description: 'Of the shadow delivery, or else of the live one.' }),
    standing: STANDING,
    action: z.string(),
    eventId: ID,
    occasion: z.string(),
    entity: z.string(),
    decidedAt: TIME,
    shadow: SHADOW_SIDE.nullable().meta({ description: 'See `GET /api/v1/shadow-deliveries/{id}`.' }),
    live: LIVE_SIDE.nullable().meta({ description: 'See `GET /api/v1/deliveries/{id}`.' }),
  })
  .meta({
    id: 'ComparedDelivery',
    description: 'What a rule in shadow mode would send, beside what its twin sends.',
  });
export type ComparedDelivery = z.infer<typeof COMPARED_DELIVERY>;

export const COMPARED_DELIVERY_PAGE = pageSchema(COMPARED_DELIVERY, 'ComparedDeliveryPage');

const REQUEST = z.record(z.string(), VALUE).nullable().meta({
  description:
    'With `{{ secrets.NAME }}` where a secret stands. Null: it could not be rendered, was erased, or is masked.',
});

export const SHADOW_DELIVERY = z
  .object({
    ...SIDE_FIELDS,
    state: SHADOW_STATE,
    standing: STANDING.nullable().meta({ description: 'Null: it is not compared yet, or came to nothing.' }),
    rule: z.string(),
    shadowOf: z.string().nullable(),
    actionKey: z.string().meta({ description: 'Under which it would be sent.' }),
    action: z.string(),
    kind: z.string(),
    eventId: ID,
    occasion: z.string(),
    entity: z.string(),
    decidedAt: TIME,
    reason: z.string().nullable(),
    request: REQUEST,
    twin: z
      .object({ ...SIDE_FIELDS, state: z.enum(DELIVERY_STATES), request: REQUEST })
      .nullable()
      .meta({ description: 'The delivery of the live rule for the same action, entity and reason.' }),
    changes: z
      .array(
        z.object({ path: z.string(), before: VALUE, after: VALUE }).partial({ before: true, after: true }),
      )
      .meta({
        description: 'Where both differ, from the live one to the shadow one; empty for viewers too.',
      }),
    masked: MASKED,
  })
  .meta({
    id: 'ShadowDelivery',
    description: 'What a rule in shadow mode would have sent. It is never sent.',
  });
export type ShadowDelivery = z.infer<typeof SHADOW_DELIVERY>;
