import { z } from 'zod';
import { UNSETTLED_STATES } from '../read/unsettled-list.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { ID, TERM, TIME } from './schema-parts.js';

export const UNSETTLED_QUERY = PAGE_QUERY.extend({
  state: z
    .enum(UNSETTLED_STATES)
    .optional()
    .meta({ description: '`open`: a later event may still settle it. `expired`: it needs a person.' }),
  rule: TERM.optional(),
  entity: TERM.optional().meta({ description: 'A process or another root entity, like `process:7063…`.' }),
});
export type UnsettledQuery = z.infer<typeof UNSETTLED_QUERY>;

export const UNSETTLED = z
  .object({
    eventId: ID.meta({ description: 'Our id of the event.' }),
    eventType: z.string().nullable().meta({ description: 'Null: the event is not stored any more.' }),
    rule: z.string(),
    entity: z.string(),
    missing: z.array(z.string()).meta({ description: 'The facts that were missing.' }),
    state: z.enum(UNSETTLED_STATES),
    decidedAt: TIME,
    until: TIME.meta({ description: 'So long a later event may settle it.' }),
  })
  .meta({
    id: 'Unsettled',
    description: 'A rule could not be decided for an event, because a fact of the state was missing.',
  });
export type Unsettled = z.infer<typeof UNSETTLED>;

export const UNSETTLED_PAGE = pageSchema(UNSETTLED, 'UnsettledPage');
