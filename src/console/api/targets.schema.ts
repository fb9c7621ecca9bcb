import { z } from 'zod';
import { COUNT, TIME } from './schema-parts.js';

export const TARGET = z
  .object({
    target: z.string(),
    kind: z.string(),
    pending: COUNT,
    delivering: COUNT,
    deferred: COUNT,
    held: COUNT,
    dead: COUNT,
    lastDeliveredAt: TIME.nullable(),
    lastFailedAt: TIME.nullable(),
    lastCode: z.string().nullable(),
    oldestPendingAt: TIME.nullable(),
    rules: z.array(z.string()),
  })
  .meta({ id: 'Target', description: 'A place that deliveries go to, and how it does.' });
export type Target = z.infer<typeof TARGET>;

export const TARGETS = z.object({ items: z.array(TARGET) }).meta({ id: 'Targets' });
export type Targets = z.infer<typeof TARGETS>;
