import { z } from 'zod';
import { COUNT } from './schema-parts.js';

const DAY = z.iso.date();

export const ERASURE_REQUEST = z
  .strictObject({
    values: z
      .array(z.string().trim().min(4).max(200))
      .min(1)
      .max(10)
      .meta({ description: 'What names one person: user id, open id, e-mail, name.' }),
    day: DAY.meta({ description: 'The UTC day whose events are looked through.' }),
    dryRun: z
      .boolean()
      .meta({ description: 'True: nothing is changed, and the answer tells what would be.' }),
  })
  .meta({ id: 'ErasureRequest' });
export type ErasureBody = z.infer<typeof ERASURE_REQUEST>;

export const ERASURE_ANSWER = z
  .object({
    day: DAY,
    events: COUNT,
    evaluations: COUNT,
    deliveries: COUNT,
    attempts: COUNT,
    lookups: COUNT,
    cancelled: COUNT,
    underWay: COUNT.meta({
      description: 'Not touched, because they are being decided or sent: ask again later.',
    }),
  })
  .meta({ id: 'ErasureAnswer' });
export type ErasureResult = z.infer<typeof ERASURE_ANSWER>;

export const ERASURE_DAYS = z
  .object({ first: DAY.nullable(), last: DAY.nullable() })
  .meta({ id: 'ErasureDays', description: 'The days of which events are stored.' });
export type ErasureDays = z.infer<typeof ERASURE_DAYS>;
