import { z } from 'zod';
import { DELIVERY_STATES } from '../../action/delivery-states.js';
import { COUNT, MOMENT, TIME } from './schema-parts.js';

export const REPORT_QUERY = z.strictObject({
  since: MOMENT.optional().meta({ description: 'Events received from then on; else of the last 24 hours.' }),
  until: MOMENT.optional().meta({ description: 'And before then; else until now.' }),
});
export type ReportQuery = z.infer<typeof REPORT_QUERY>;

const STATES = z.record(z.enum(DELIVERY_STATES), COUNT);
const SIDES = {
  asked: COUNT.meta({ description: 'Actions that matches asked for, before the gates.' }),
  deliveries: COUNT,
  suppressed: z
    .record(z.string(), COUNT)
    .meta({ description: 'What was not sent, or gathered into a digest, by its cause.' }),
  difference: z.number().int().meta({ description: 'Asked, less deliveries and suppressed: always 0.' }),
  states: STATES.meta({ description: 'The deliveries by state.' }),
};

export const REPORT_RULE = z.object({ rule: z.string(), ...SIDES }).meta({ id: 'ReportRule' });
export type ReportRule = z.infer<typeof REPORT_RULE>;

export const REPORT_TARGET = z
  .object({ target: z.string(), deliveries: COUNT, states: STATES })
  .meta({ id: 'ReportTarget' });
export type ReportTarget = z.infer<typeof REPORT_TARGET>;

const BESIDE = z.object({ deliveries: COUNT, states: STATES });

export const REPORT = z
  .object({
    since: TIME,
    until: TIME,
    balanced: z.boolean().meta({ description: 'No rule has a difference.' }),
    total: z.object(SIDES),
    rules: z.array(REPORT_RULE),
    targets: z.array(REPORT_TARGET),
    beside: z
      .object({ digests: BESIDE, edited: BESIDE, undos: BESIDE, notices: BESIDE })
      .meta({ description: 'Deliveries that no match asked for itself: not in the sums above.' }),
    attempts: z.object({
      total: COUNT,
      ambiguous: COUNT.meta({
        description:
          'No answer came after the request was sent: whether the target did the work is not known.',
      }),
      lost: COUNT.meta({ description: 'The instance that made them is gone.' }),
    }),
    uncounted: z.object({ evaluations: COUNT, deliveries: COUNT }).meta({
      description: 'From before it was kept what matches ask for: not in the sums above.',
    }),
  })
  .meta({ id: 'Report', description: 'What matches asked for, and what became of all of it.' });
export type Report = z.infer<typeof REPORT>;
