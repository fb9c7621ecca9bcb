import { z } from 'zod';
import { ACTION_KINDS } from '../../action/action.js';
import { EXPLAINED_LEAF } from './explanations.schema.js';
import { FINDING } from './rule-sets.schema.js';
import { COUNT, ID, TERM, TIME, VALUE } from './schema-parts.js';

/** So many of the last events are tried at most. */
export const MOST_TRIED = 500;
/** Of a rule file that is tried, in bytes. */
export const MOST_TRIED_BYTES = 256 * 1024;

export const TRIAL_BODY = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .max(500)
      .meta({ description: 'Which file of the live rule set it takes the place of; another name adds one.' }),
    text: z.string().max(MOST_TRIED_BYTES).meta({ description: 'What the file would hold.' }),
    events: z
      .number()
      .int()
      .min(1)
      .max(MOST_TRIED)
      .default(50)
      .meta({ description: 'How many of the last events.' }),
    type: TERM.optional().meta({
      description: 'Only events of this type, or of a pattern like `corehr.process.*`.',
    }),
    event: ID.optional().meta({ description: 'Only this event.' }),
  })
  .meta({ id: 'TrialOrder', description: 'A rule file, edited, and the events to try it on.' });
export type TrialBody = z.infer<typeof TRIAL_BODY>;

const VERDICTS = ['matched', 'not matched', 'unknown', 'error', 'skipped', 'not listening'] as const;
const VERDICT = z.enum(VERDICTS);

const TRIED_DELIVERY = z.object({
  rule: z.string(),
  action: z.string(),
  kind: z.enum(ACTION_KINDS),
  target: z.string(),
  change: z.enum(['same', 'added', 'removed', 'changed']).meta({ description: 'Against the live rules.' }),
  code: z.string().nullable().meta({ description: 'Why it could not be rendered.' }),
  reason: z.string().nullable(),
  request: VALUE.meta({
    description: 'As it would be sent; secrets stand as `{{ secrets.NAME }}`. Null: removed.',
  }),
  before: VALUE.meta({ description: 'As the live rules render it; null: they do not.' }),
});

const COUNTS = z.object({
  matched: COUNT,
  nearMiss: COUNT,
  notMatched: COUNT,
  unknown: COUNT,
  error: COUNT,
  skipped: COUNT,
});

export const TRIAL = z
  .object({
    ruleSet: z
      .string()
      .meta({ description: 'Of the live rule set with the file in its place; empty: it has errors.' }),
    live: z.string().meta({ description: 'Hash of the live rule set.' }),
    ok: z.boolean().meta({ description: 'False: the file has errors, and nothing was tried.' }),
    findings: z.array(FINDING).meta({ description: 'Of this file.' }),
    rules: z.array(
      z.object({
        name: z.string(),
        change: z.enum(['same', 'added', 'removed', 'changed']),
        now: COUNTS.meta({ description: 'With the file.' }),
        before: COUNTS.meta({ description: 'With the live rules.' }),
      }),
    ),
    deliveries: z
      .object({ same: COUNT, added: COUNT, removed: COUNT, changed: COUNT })
      .meta({ description: 'Before the gates: once-per, throttle, silences and brakes are not asked.' }),
    looked: COUNT,
    left: COUNT.meta({
      description: 'Events that cannot be tried: erased, or with a look-up that was never recorded.',
    }),
    from: TIME.nullable(),
    until: TIME.nullable(),
    events: z
      .array(
        z.object({
          id: ID,
          eventId: z.string(),
          eventType: z.string(),
          receivedAt: TIME,
          rootEntity: z.string().nullable(),
          rules: z.array(
            z.object({
              rule: z.string(),
              now: VERDICT,
              before: VERDICT,
              nearMiss: z.boolean(),
              failing: z
                .array(EXPLAINED_LEAF)
                .meta({ description: 'Of what did not match: the conditions that failed; 5 at most.' }),
              missing: z.array(z.string()),
            }),
          ),
          deliveries: z.array(TRIED_DELIVERY),
          timers: z.array(z.object({ rule: z.string(), subject: z.string(), step: z.string(), dueAt: TIME })),
        }),
      )
      .meta({ description: 'The latest first.' }),
  })
  .meta({
    id: 'Trial',
    description: 'What a rule file would do with the last events: nothing is stored, nothing is sent.',
  });
export type Trial = z.infer<typeof TRIAL>;
