import { z } from 'zod';
import { BREAKER_STATES } from '../read/target-list.js';
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
    lane: z.string().meta({
      description:
        'What the limits and the breaker are of: itself, or `email` and `feishu` for all of these.',
    }),
    breaker: z
      .enum(BREAKER_STATES)
      .meta({ description: 'Open: it is not tried. Half-open: one delivery at a time tries it.' }),
    failures: COUNT.meta({ description: 'Of the lane, in a row.' }),
    probeAt: TIME.nullable().meta({ description: 'Until when an open breaker lets nothing through.' }),
    failingSince: TIME.nullable().meta({ description: 'Since when its owners were told that it fails.' }),
    concurrency: COUNT.meta({
      description: 'How many of the lane may be under way at once, over all instances.',
    }),
    underWay: COUNT.meta({ description: 'How many of the lane are.' }),
    rate: z
      .object({ max: COUNT, perMs: COUNT })
      .nullable()
      .meta({ description: 'How many of the lane may begin in a time; null: no limit.' }),
  })
  .meta({ id: 'Target', description: 'A place that deliveries go to, and how it does.' });
export type Target = z.infer<typeof TARGET>;

export const TARGETS = z.object({ items: z.array(TARGET) }).meta({ id: 'Targets' });
export type Targets = z.infer<typeof TARGETS>;
