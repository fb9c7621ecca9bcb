import { z } from 'zod';
import { EXPLAINED_LEAF } from './explanations.schema.js';
import { COUNT, ID, MASKED, TERM, TIME, VALUE } from './schema-parts.js';

const HASH = z.string().meta({ description: 'Hash of the rule set.' });

export const RULE_FILE_QUERY = z.strictObject({
  path: TERM.meta({ description: 'As the rule set names it, like `corehr/a.rule.json`.' }),
});
export type RuleFileQuery = z.infer<typeof RULE_FILE_QUERY>;

export const RULE_FILE = z
  .object({ ruleSet: HASH, path: z.string(), text: z.string() })
  .meta({ id: 'RuleFile', description: 'A file of a rule set, as it was read.' });
export type RuleFile = z.infer<typeof RULE_FILE>;

const STANDINGS = z.object({
  matched: COUNT,
  nearMiss: COUNT,
  notMatched: COUNT,
  unknown: COUNT,
  error: COUNT,
  skipped: COUNT,
});
export type StandingCounts = z.infer<typeof STANDINGS>;

export const HISTORY_QUERY = z.strictObject({
  events: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(500)
    .meta({ description: 'How many of the last events that it listens to are looked at.' }),
});
export type HistoryQuery = z.infer<typeof HISTORY_QUERY>;

export const RULE_HISTORY = z
  .object({
    rule: z.string(),
    ruleSet: HASH,
    looked: COUNT.meta({ description: 'Events that were looked at: the last that the rule listens to.' }),
    left: COUNT.meta({
      description:
        'Events among them that cannot be judged: erased, never evaluated, or with a look-up that is needed and was never recorded.',
    }),
    from: TIME.nullable().meta({
      description: 'When the earliest of them was received; null: there are none.',
    }),
    until: TIME.nullable(),
    counts: STANDINGS,
    slices: z
      .array(z.object({ from: TIME, ...STANDINGS.shape }))
      .meta({ description: 'The same in equal slices of that time, the earliest first; at most 48.' }),
    nearMisses: z
      .array(
        z.object({
          leaf: EXPLAINED_LEAF.meta({ description: 'As of the last such event. Long values are cut.' }),
          count: COUNT,
          eventIds: z.array(ID).meta({ description: 'The last 5, the latest first.' }),
        }),
      )
      .meta({ description: 'By the one condition that failed, the most frequent first; at most 20.' }),
    lastMatched: z
      .object({ eventId: ID, receivedAt: TIME })
      .nullable()
      .meta({ description: 'Of those that were looked at.' }),
    days: z.array(z.object({ day: z.string(), made: COUNT, delivered: COUNT, dead: COUNT })).meta({
      description: 'Deliveries of the rule by day (UTC), of the last 30 days; days without any are left out.',
    }),
    daysSince: z.string().meta({
      description:
        'The first of these days that was counted; asking again goes further back when that took long.',
    }),
    masked: MASKED,
  })
  .meta({
    id: 'RuleHistory',
    description: 'How the live rule stands to the last events: each judged by what was recorded of it.',
  });
export type RuleHistory = z.infer<typeof RULE_HISTORY>;

const PIECES = z
  .array(z.object({ kind: z.enum(['same', 'removed', 'added']), text: z.string() }))
  .meta({ id: 'DiffPieces' });

export const RULE_VERSIONS = z
  .object({
    rule: z.string(),
    versions: z.array(
      z.object({
        ruleSet: HASH.meta({ description: 'The first rule set with it.' }),
        number: z.number().int().min(1).meta({ description: 'Of the activation.' }),
        activatedAt: TIME,
        actor: z.string().nullable(),
        reason: z.string(),
        live: z.boolean(),
        /** Null: from then on there was no such rule. */
        document: z.record(z.string(), VALUE).nullable(),
        file: z.string().nullable(),
        sentence: z.object({ zh: z.string(), en: z.string() }).nullable().meta({
          description: 'Null: there is no such rule, or this version cannot read it.',
        }),
        changes: z.object({ zh: PIECES, en: PIECES }).nullable().meta({
          description: 'The sentence against that of the version before it; null: one of them is not there.',
        }),
      }),
    ),
    cut: z.boolean().meta({
      description:
        'Earlier activations are not told: there are more than 200, or looking took too long; asking again goes further then.',
    }),
  })
  .meta({ id: 'RuleVersions', description: 'How a rule came to be what it is: the latest version first.' });
export type RuleVersions = z.infer<typeof RULE_VERSIONS>;

const COUNTED = z.object({ seen: COUNT, all: COUNT });

export const RULE_CASES = z
  .object({
    rule: z.string(),
    ruleSet: HASH,
    file: z.string().nullable().meta({ description: 'The file with the first case; null: there is none.' }),
    cases: z.array(
      z.object({
        file: z.string(),
        name: z.string(),
        line: COUNT,
        ok: z.boolean(),
        failures: z.array(z.string()),
        ms: z.number(),
      }),
    ),
    coverage: z
      .object({
        percent: z.number(),
        points: COUNTED,
        unseen: z
          .array(
            z.object({
              line: COUNT.nullable().meta({
                description: 'Of the file of the rule; null: it stands in another, which `text` names.',
              }),
              text: z.string(),
            }),
          )
          .meta({ description: 'What no case has brought about.' }),
      })
      .nullable()
      .meta({ description: 'Null: no case was run, or the rule is off.' }),
  })
  .meta({
    id: 'RuleCases',
    description:
      'The rule tests that are about a live rule, run now, and what they cover. Those on disk, when the process that answers has read the files of the live set; else those that were stored with it, which may be older.',
  });
export type RuleCases = z.infer<typeof RULE_CASES>;
