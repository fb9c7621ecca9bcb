import { z } from 'zod';
import { SUPPRESSION_CAUSES } from '../../rules/firing.js';
import { MOST_REPLAYED, REPLAY_KINDS, REPLAY_STATES } from '../../rules/replays/replay-store.js';
import { ACT_BODY } from './deliveries.schema.js';
import { EVENT_FILTER } from './events.schema.js';
import { pageSchema } from './page.js';
import { COUNT, ID, MASKED, TERM, TIME } from './schema-parts.js';

const RULE_SET = z
  .string()
  .regex(/^[0-9a-f]{6,64}$/, 'must be 6 to 64 hex digits')
  .optional()
  .meta({ description: 'The rule set of the preview. When another is live by now, nothing is ordered.' });

const CHOICE = {
  filter: EVENT_FILTER.meta({ description: 'Which events, as `listEvents` finds them.' }),
  rule: TERM.optional().meta({ description: 'Only this rule; absent: all that listen.' }),
  limit: z.number().int().min(1).max(MOST_REPLAYED).default(1000).meta({ description: 'So many at most.' }),
  cut: z.boolean().default(false).meta({
    description: 'When there are more than `limit`: true: the oldest are taken; false: it is refused.',
  }),
};

export const REPLAY_PREVIEW_BODY = z
  .strictObject(CHOICE)
  .meta({ id: 'ReplayChoice', description: 'Which stored events are evaluated again.' });
export type ReplayPreviewBody = z.infer<typeof REPLAY_PREVIEW_BODY>;

export const NEW_REPLAY_BODY = z
  .strictObject({ ...CHOICE, ruleSet: RULE_SET, reason: ACT_BODY.shape.reason })
  .meta({ id: 'NewReplay', description: 'An order to evaluate stored events again.' });
export type NewReplayBody = z.infer<typeof NEW_REPLAY_BODY>;
export { RULE_SET as EXPECTED_RULE_SET };

/** What can come of an action that a rule asks for. */
export const OUTCOME = z.enum(['sent', 'held', 'deferred', 'dead', ...SUPPRESSION_CAUSES]).meta({
  description: 'Where its delivery begins (`sent`: at once), or the cause of why there is none.',
});

export const PREVIEWED = {
  ruleSet: z.string().meta({ description: 'Hash of the live rule set, which evaluates.' }),
  verdicts: z
    .array(z.object({ rule: z.string(), verdict: z.string(), count: COUNT }))
    .meta({ description: 'All others that listen did not match.' }),
  asked: z
    .array(
      z.object({
        rule: z.string(),
        action: z.string(),
        target: z.string().nullable(),
        outcome: OUTCOME,
        again: z.boolean().meta({ description: 'It goes in the place of one that is taken back.' }),
        count: COUNT,
      }),
    )
    .meta({ description: 'What would come of the actions that the rules ask for.' }),
  skipped: z
    .array(z.object({ code: z.string(), count: COUNT }))
    .meta({ description: 'Events that cannot be evaluated again, and why.' }),
  examples: z
    .array(
      z.object({
        eventId: ID,
        rule: z.string(),
        action: z.string(),
        target: z.string().nullable(),
        outcome: OUTCOME,
      }),
    )
    .meta({ description: 'The first of them.' }),
};

export const REPLAY_PREVIEW = z
  .object({
    ...PREVIEWED,
    found: COUNT.meta({ description: 'Events that the filter finds; counted up to 100000.' }),
    looked: COUNT.meta({ description: 'Of these, those that were looked at.' }),
  })
  .meta({ id: 'ReplayPreview', description: 'What a replay would do. Nothing was written.' });
export type ReplayPreviewAnswer = z.infer<typeof REPLAY_PREVIEW>;

const REPLAY_FIELDS = {
  id: ID,
  kind: z.enum(REPLAY_KINDS),
  state: z.enum(REPLAY_STATES),
  createdAt: TIME,
  createdBy: z.string(),
  purpose: z.string().nullable().meta({ description: 'Why, as the person said.' }),
  ruleSet: z.string().meta({ description: 'Hash of the rule set that evaluates.' }),
  rule: z.string().nullable().meta({ description: 'The one rule; null: all.' }),
  filter: z.record(z.string(), z.unknown()).meta({ description: 'What was asked for.' }),
  startedAt: TIME.nullable(),
  endedAt: TIME.nullable(),
  code: z.string().nullable().meta({ description: 'Why it stands still or has failed.' }),
  detail: z.string().nullable(),
  events: z
    .object({ total: COUNT, waiting: COUNT, done: COUNT, skipped: COUNT, failed: COUNT })
    .meta({ description: 'The selection, and how far it has come.' }),
  counts: z
    .array(z.object({ outcome: z.string(), count: COUNT }))
    .meta({ description: 'What came of the actions that were asked for; `unknown`, `error`: verdicts.' }),
  deliveries: z
    .object({
      total: COUNT,
      waiting: COUNT,
      cancelled: COUNT,
      kept: COUNT,
      undone: COUNT,
      person: COUNT,
      gone: COUNT,
    })
    .nullable()
    .meta({ description: 'Of a recall: the deliveries it is about, and what became of them.' }),
};

export const REPLAY = z
  .object(REPLAY_FIELDS)
  .meta({ id: 'ReplayOfMany', description: 'A replay or a recall, and how far it has come.' });
export type Replay = z.infer<typeof REPLAY>;

export const REPLAY_PAGE = pageSchema(REPLAY, 'ReplayOfManyPage');

export const REPLAY_DETAIL = z
  .object({
    ...REPLAY_FIELDS,
    occasion: z.string().meta({ description: 'Of its evaluations and deliveries: lists find them by it.' }),
    left: z
      .array(
        z.object({
          eventId: ID,
          entity: z.string(),
          state: z.enum(['skipped', 'failed']),
          code: z.string().nullable(),
          reason: z.string().nullable(),
        }),
      )
      .meta({ description: 'Events that were skipped or failed; the first 50.' }),
    masked: MASKED,
  })
  .meta({ id: 'ReplayOfManyDetail' });
export type ReplayDetail = z.infer<typeof REPLAY_DETAIL>;
