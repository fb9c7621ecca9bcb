import { z } from 'zod';
import { DELIVERY_STATES } from '../../action/delivery-states.js';
import { ACT_BODY } from './deliveries.schema.js';
import { SUPPRESSION } from './explanations.schema.js';
import { ID, TERM } from './schema-parts.js';

export const REPLAY_BODY = z
  .strictObject({
    rule: TERM.optional().meta({ description: 'Only this rule; absent: all that listen to the event.' }),
    dryRun: z.boolean().default(false).meta({ description: 'True: only tells what would be done.' }),
    reason: ACT_BODY.shape.reason,
  })
  .meta({ id: 'ReplayOrder', description: 'How a stored event is evaluated again.' });
export type ReplayBody = z.infer<typeof REPLAY_BODY>;

export const REPLAY_ANSWER = z
  .object({
    eventId: ID.meta({ description: 'Our id of the event.' }),
    ruleSet: z.string().meta({ description: 'Hash of the live rule set, by which it was evaluated.' }),
    occasion: z
      .string()
      .nullable()
      .meta({ description: 'Of the new evaluation; null: nothing was written.' }),
    verdicts: z
      .array(
        z.object({
          rule: z.string(),
          verdict: z.enum(['matched', 'unknown', 'error', 'skipped']),
          missing: z.array(z.string()).optional(),
          error: z.string().optional(),
          cause: z.string().optional(),
        }),
      )
      .meta({ description: 'All others that listen did not match.' }),
    deliveries: z
      .array(
        z.object({
          rule: z.string(),
          action: z.string(),
          kind: z.string(),
          target: z.string(),
          state: z.enum(DELIVERY_STATES),
          code: z.string().nullable(),
          reason: z.string().nullable(),
        }),
      )
      .meta({ description: 'That were made, or would be.' }),
    suppressions: z
      .array(SUPPRESSION)
      .meta({ description: '`already-sent`: a delivery with that action key is there; redrive that.' }),
  })
  .meta({ id: 'Replay', description: 'A stored event, evaluated again with the live rules.' });
export type ReplayAnswer = z.infer<typeof REPLAY_ANSWER>;
