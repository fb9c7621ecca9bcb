import { z } from 'zod';
import { DRILL_STEPS } from '../../action/target-drill.js';
import { COUNT, TERM } from './schema-parts.js';

export const DRILL_BODY = z
  .strictObject({
    target: TERM.optional().meta({ description: 'As `GET /api/v1/targets` names it; absent: all.' }),
    send: z.boolean().default(true).meta({ description: 'False: connects and signs in, and sends nothing.' }),
  })
  .meta({ id: 'Drill' });
export type DrillBody = z.infer<typeof DRILL_BODY>;

export const DRILL_RESULT = z
  .object({
    target: z.string(),
    ok: z.boolean(),
    steps: z.array(
      z.object({
        step: z.enum(DRILL_STEPS),
        ok: z.boolean(),
        code: z.string().nullable(),
        detail: z.string(),
        ms: COUNT,
      }),
    ),
  })
  .meta({
    id: 'DrillResult',
    description: 'How one target did, step by step; those that it has not are left out.',
  });

export const DRILL_ANSWER = z
  .object({
    items: z.array(DRILL_RESULT),
    left: z
      .array(z.object({ rule: z.string(), action: z.string(), code: z.string() }))
      .meta({ description: 'Actions of which there is no sample to send, by the code of why.' }),
    more: COUNT.meta({ description: 'Targets beyond the first 100, which were not tested.' }),
  })
  .meta({ id: 'DrillAnswer' });
export type DrillAnswer = z.infer<typeof DRILL_ANSWER>;
