import { z } from 'zod';
import { DELIVERY_STATES } from '../../action/delivery-store.js';
import { COUNT, ID, TERM, TIME } from './schema-parts.js';

export const TOPICS = ['events', 'verdicts', 'deliveries', 'silences'] as const;
export type Topic = (typeof TOPICS)[number];

export const STREAM_QUERY = z.strictObject({
  topics: z
    .string()
    .regex(/^[a-z]+(?:,[a-z]+)*$/, 'must be a list like events,deliveries')
    .optional()
    .transform((text, context): readonly Topic[] => {
      const topics = text?.split(',') ?? [...TOPICS];
      const unknown = topics.find((one) => !(TOPICS as readonly string[]).includes(one));
      if (unknown === undefined) return topics as Topic[];
      context.addIssue(`has "${unknown}"; use a list of ${TOPICS.join(', ')}`);
      return z.NEVER;
    })
    .meta({ description: `A list of ${TOPICS.join(', ')}; absent: all.` }),
  rule: TERM.optional().meta({ description: 'Only verdicts and deliveries of this rule.' }),
  type: TERM.optional().meta({
    description: 'Only what has to do with events of this type.',
    examples: ['corehr.process.*'],
  }),
});
export type StreamQuery = z.infer<typeof STREAM_QUERY>;

export const EVENT_CHANGE = z
  .object({
    id: ID,
    eventId: z.string(),
    origin: z.string(),
    eventType: z.string(),
    source: z.string(),
    receivedAt: TIME,
    rootEntity: z.string().nullable(),
  })
  .meta({ id: 'StreamedEvent', description: 'Data of a message `events`: an event was stored.' });
export type EventChange = z.infer<typeof EVENT_CHANGE>;

export const VERDICT_CHANGE = z
  .object({
    eventId: ID,
    eventType: z.string(),
    occasion: z.string(),
    decidedAt: TIME,
    ruleSet: z.string(),
    matched: COUNT,
    unknown: COUNT,
    errors: COUNT,
    rules: z
      .array(z.object({ rule: z.string(), verdict: z.enum(['matched', 'unknown', 'error']) }))
      .meta({ description: 'The first 20.' }),
  })
  .meta({ id: 'StreamedVerdicts', description: 'Data of a message `verdicts`: an event was decided.' });
export type VerdictChange = z.infer<typeof VERDICT_CHANGE>;

export const DELIVERY_CHANGE = z
  .object({
    id: ID,
    eventId: ID,
    eventType: z.string(),
    rule: z.string(),
    action: z.string(),
    kind: z.string(),
    target: z.string(),
    entity: z.string(),
    state: z.enum(DELIVERY_STATES),
    attempt: COUNT,
    code: z.string().nullable(),
    updatedAt: TIME,
  })
  .meta({ id: 'StreamedDelivery', description: 'Data of a message `deliveries`: one was made or came on.' });
export type DeliveryChange = z.infer<typeof DELIVERY_CHANGE>;

export const SILENCE_CHANGES = ['added', 'began', 'ends soon', 'ended'] as const;

export const SILENCE_CHANGE = z
  .object({
    id: ID,
    what: z.enum(SILENCE_CHANGES),
    at: TIME,
    rule: z.string().nullable(),
    action: z.string().nullable(),
    owner: z.string().nullable(),
    endsAt: TIME,
    author: z.string(),
    reason: z.string(),
    endedBy: z.string().nullable(),
  })
  .meta({
    id: 'StreamedSilence',
    description: 'Data of a message `silences`: one was added, began, ends within the hour, or has ended.',
  });
export type SilenceChange = z.infer<typeof SILENCE_CHANGE>;

export const STREAM_GAP = z.object({ topic: z.enum(TOPICS), count: z.number().int().min(1) }).meta({
  id: 'StreamGap',
  description: 'Data of a message `gap`: so many were left out, because there were more than 100 a second.',
});
