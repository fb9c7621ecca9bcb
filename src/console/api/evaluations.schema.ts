import { z } from 'zod';
import { EVENT_VERDICTS } from './events.schema.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { COUNT, ID, MOMENT, TERM, TIME } from './schema-parts.js';

export const EVALUATION_QUERY = PAGE_QUERY.extend({
  verdict: z.enum(EVENT_VERDICTS).optional(),
  occasion: TERM.optional(),
  since: MOMENT.optional(),
  until: MOMENT.optional(),
});
export type EvaluationQuery = z.infer<typeof EVALUATION_QUERY>;

export const EVALUATION = z
  .object({
    id: z.string(),
    eventId: ID.meta({ description: 'Our id of the event.' }),
    occasion: z.string(),
    decidedAt: TIME,
    ruleSet: z.string(),
    eventType: z.string(),
    matched: COUNT,
    unknown: COUNT,
    errors: COUNT,
  })
  .meta({ id: 'Evaluation', description: 'One decision about one event.' });
export type Evaluation = z.infer<typeof EVALUATION>;

export const EVALUATION_PAGE = pageSchema(EVALUATION, 'EvaluationPage');
