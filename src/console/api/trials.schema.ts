import { z } from 'zod';
import { ACTION_KINDS } from '../../action/action.js';
import { EXPLAINED_LEAF } from './explanations.schema.js';
import { FINDING } from './rule-sets.schema.js';
import { COUNT, ID, TERM, TIME, VALUE } from './schema-parts.js';

/** So many of the last events are tried at most. */
export const MOST_TRIED = 500;
/** Of a rule file that is tried, in characters (UTF-16). */
export const MOST_TRIED_LENGTH = 256 * 1024;
/** As the rules folder is read: no file or folder of it begins with a dot. */
export const RULE_PATH = /^(?:[^./\\\0][^/\\\0]*\/)*[^./\\\0][^/\\\0]*\.json$/;

export const TRIAL_BODY = z
  .strictObject({
    path: z
      .string()
      .max(500)
      .regex(RULE_PATH, 'must be a .json file within the rules folder, like corehr/a.rule.json')
      .meta({ description: 'Which file of the live rule set it takes the place of; another name adds one.' }),
    text: z.string().max(MOST_TRIED_LENGTH).meta({ description: 'What the file would hold.' }),
    events: z
      .number()
      .int()
      .min(1)
      .max(MOST_TRIED)
      .default(50)
      .meta({ description: 'How many of the last events.' }),
    type: TERM.optional().meta({
      description:
        'Only events of this type, or of a pattern like `corehr.process.*`; absent: those that the rules of the file listen to, as edited or as they are live.',
    }),
    event: TERM.optional().meta({ description: "Only this event: our id, or the sender's." }),
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
  gathered: z.boolean().meta({
    description:
      'It would be gathered into a digest, which is rendered when that is due: there is no request.',
  }),
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
    findings: z.array(FINDING).meta({
      description: 'Of this file, and errors that it makes of other files; 200 at most.',
    }),
    rules: z
      .array(
        z.object({
          name: z.string(),
          change: z.enum(['same', 'added', 'removed', 'changed']),
          now: COUNTS.meta({ description: 'With the file.' }),
          before: COUNTS.meta({ description: 'With the live rules.' }),
        }),
      )
      .meta({
        description:
          'Of the file; of a file that is none of rules (conditions, look-ups …), all rules. Those that are or come out different first; 200 at most.',
      }),
    deliveries: z
      .object({ same: COUNT, added: COUNT, removed: COUNT, changed: COUNT })
      .meta({ description: 'Before the gates: once-per, throttle, silences and brakes are not asked.' }),
    looked: COUNT,
    left: COUNT.meta({
      description:
        'Events that cannot be tried: erased, never evaluated, or with a look-up that is needed and was never recorded.',
    }),
    untold: COUNT.meta({
      description: 'Events that are counted and not told one by one, because the answer would be too large.',
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
          rules: z
            .array(
              z.object({
                rule: z.string(),
                now: VERDICT,
                before: VERDICT,
                nearMiss: z.boolean(),
                failing: z.array(EXPLAINED_LEAF).meta({
                  description:
                    'Of what did not match: the conditions that failed; 5 at most. Long values are cut.',
                }),
                missing: z.array(z.string()),
                error: z.string().nullable().meta({ description: 'Why it cannot be told; null: it can.' }),
              }),
            )
            .meta({
              description:
                'Those that listen, with the file or before: changed verdicts first, then what matched or nearly did; 20 at most.',
            }),
          moreRules: COUNT.meta({ description: 'So many rules more listen.' }),
          deliveries: z.array(TRIED_DELIVERY),
          timers: z
            .array(z.object({ rule: z.string(), subject: z.string(), step: z.string(), dueAt: TIME }))
            .meta({ description: 'Escalations that would begin, as if none stood.' }),
        }),
      )
      .meta({ description: 'The latest first.' }),
  })
  .meta({
    id: 'Trial',
    description: 'What a rule file would do with the last events: nothing is stored, nothing is sent.',
  });
export type Trial = z.infer<typeof TRIAL>;
