import { z } from 'zod';
import { ACTION_KINDS } from '../../action/action.js';
import { SUPPRESSION_CAUSES } from '../../rules/firing.js';
import { BACKTEST_CHANGES } from '../../rules/backtest/backtest-report.js';
import { RULE_EXPLANATION } from './explanations.schema.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { COUNT, ID, MASKED, TIME, VALUE } from './schema-parts.js';
import { RULE_PATH } from './trials.schema.js';

/** Of a rule file, in characters (UTF-16). */
const MOST_LENGTH = 256 * 1024;
const DAY_S = 86_400;

const RULE_SET_NAME = z
  .string()
  .regex(/^(?:live|[0-9a-f]{6,64})$/, 'must be "live", or 6 to 64 hex digits of a hash');

const MOMENT = z.iso.datetime({ offset: true });

export const NEW_BACKTEST = z
  .strictObject({
    after: z
      .union([
        z.strictObject({ ruleSet: RULE_SET_NAME }),
        z.strictObject({
          path: z.string().max(500).regex(RULE_PATH, 'must be a .json file within the rules folder'),
          text: z
            .string()
            .max(MOST_LENGTH)
            .nullable()
            .meta({ description: 'What the file would hold; null: it would be gone.' }),
        }),
      ])
      .meta({ description: 'A stored rule set, or the live one with a file of another text.' }),
    before: RULE_SET_NAME.default('live').meta({ description: 'What it is compared with.' }),
    since: MOMENT.optional().meta({ description: 'Decided at this time or later; absent: 30 days ago.' }),
    until: MOMENT.optional().meta({ description: 'Decided before this time; absent: now.' }),
    type: z
      .array(z.string().min(1).max(128))
      .max(20)
      .default([])
      .meta({ description: 'Only events of these types, or of patterns like `corehr.process.*`.' }),
    warmUp: COUNT.max(400 * DAY_S)
      .optional()
      .meta({
        description:
          'So many seconds before, events are taken in without being counted; absent: the longest ladder or window in use.',
      }),
  })
  .meta({ id: 'NewBacktest', description: 'What is to be compared over stored events.' });
export type NewBacktest = z.infer<typeof NEW_BACKTEST>;

export const BACKTEST_QUERY = PAGE_QUERY;
export type BacktestQuery = z.infer<typeof BACKTEST_QUERY>;

export const BACKTEST_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;

const COUNTS = z
  .object({ added: COUNT, removed: COUNT, changed: COUNT, moved: COUNT, same: COUNT, undecidable: COUNT })
  .meta({ id: 'BacktestCounts', description: 'Deliveries, by how they differ between the two rule sets.' });

const SET = z.object({
  ruleSet: z.string(),
  rules: COUNT,
  deliveries: z.object({ sent: COUNT, held: COUNT, dead: COUNT, waiting: COUNT }),
  suppressed: z.record(z.string(), COUNT).meta({ description: 'What was not sent, by its cause.' }),
  digests: COUNT,
});

const SUMMARY = {
  before: SET,
  after: SET,
  window: z.object({ from: TIME, until: TIME, warmUpFrom: TIME }),
  events: z.object({
    judged: COUNT,
    warmUp: COUNT,
    left: COUNT.meta({ description: 'Erased, or no events any more.' }),
    undated: COUNT.meta({ description: 'Without a recorded time of decision.' }),
  }),
  totals: COUNTS,
};

export const BACKTEST_SUMMARY = z.object(SUMMARY).meta({ id: 'BacktestSummary' });
export type BacktestSummary = z.infer<typeof BACKTEST_SUMMARY>;

const TARGETS = z.array(z.object({ target: z.string(), counts: COUNTS }));
const VERDICTS = z.object({ matched: COUNT, unknown: COUNT, error: COUNT, skipped: COUNT });
const DELIVERY = z
  .object({
    target: z.string(),
    state: z.enum(['sent', 'held', 'dead', 'waiting']),
    at: TIME.nullable(),
    code: z.string().nullable(),
    reason: z.string().nullable(),
    request: VALUE.meta({
      description:
        'As it would be sent; a secret is shown as its name. Null: it is masked, or there is none.',
    }),
  })
  .nullable();
const WHY = RULE_EXPLANATION.nullable();
const CAUSE = z.enum(SUPPRESSION_CAUSES).nullable();

const EXAMPLE = z
  .object({
    change: z.enum(BACKTEST_CHANGES),
    action: z.string(),
    kind: z.enum(ACTION_KINDS),
    step: z.string().nullable().meta({ description: 'Of an escalation.' }),
    entity: z.string(),
    cause: z.string(),
    event: z
      .object({ id: ID, eventId: z.string(), eventType: z.string(), receivedAt: TIME })
      .nullable()
      .meta({ description: 'Null: it is of several, or of a turn of a schedule.' }),
    before: DELIVERY,
    after: DELIVERY,
    fields: z
      .array(z.object({ path: z.string(), before: VALUE.optional(), after: VALUE.optional() }))
      .meta({ description: 'What differs between the two, place by place.' }),
    why: z.object({ before: WHY, after: WHY }),
    suppressed: z.object({ before: CAUSE, after: CAUSE }),
  })
  .meta({ id: 'BacktestExample' });

export const BACKTEST_REPORT = z
  .object({
    ...SUMMARY,
    rules: z
      .array(
        z.object({
          rule: z.string(),
          change: z.enum(['added', 'removed', 'changed', 'same']),
          counts: COUNTS,
          verdicts: z.object({ before: VERDICTS, after: VERDICTS }),
          targets: TARGETS,
          examples: z.array(EXAMPLE),
        }),
      )
      .meta({ description: 'The most changes first.' }),
    targets: TARGETS,
    unrecorded: z
      .array(
        z.object({
          set: z.enum(['before', 'after']),
          lookup: z.string(),
          count: COUNT,
          events: z.array(ID),
        }),
      )
      .meta({ description: 'Look-ups that a rule needed and nobody had recorded.' }),
    hash: z.string().meta({ description: 'The same events and rules give the same.' }),
  })
  .meta({ id: 'BacktestReport', description: 'What a rule change would have done over stored events.' });
export type BacktestReportAnswer = z.infer<typeof BACKTEST_REPORT>;

const FIELDS = {
  id: ID,
  createdAt: TIME,
  createdBy: z.string(),
  state: z.enum(BACKTEST_STATES),
  before: z.string().meta({ description: 'Hash of the rule set.' }),
  after: z.object({
    ruleSet: z.string().meta({ description: 'Hash of the stored rule set.' }),
    path: z.string().nullable().meta({ description: 'The file that is another in it; null: none.' }),
  }),
  since: TIME,
  until: TIME,
  type: z.array(z.string()),
  done: COUNT.meta({ description: 'Events taken in so far.' }),
  total: COUNT.nullable().meta({ description: 'How many there are; null: nobody knows.' }),
  startedAt: TIME.nullable(),
  endedAt: TIME.nullable(),
  code: z.string().nullable().meta({ description: 'Why there is no report.' }),
  reason: z.string().nullable(),
  summary: BACKTEST_SUMMARY.nullable(),
};

export const BACKTEST = z
  .object(FIELDS)
  .meta({ id: 'Backtest', description: 'A back-test that was ordered.' });
export type BacktestRow = z.infer<typeof BACKTEST>;

export const BACKTEST_PAGE = pageSchema(BACKTEST, 'BacktestPage');

export const BACKTEST_DETAIL = z
  .object({
    ...FIELDS,
    text: z
      .string()
      .nullable()
      .meta({ description: 'What the file would hold; null: it would be gone, or there is none.' }),
    report: BACKTEST_REPORT.nullable(),
    examplesLeft: COUNT.meta({
      description: 'Examples that were left out because the report would be too large.',
    }),
    masked: MASKED,
  })
  .meta({ id: 'BacktestDetail' });
export type BacktestDetail = z.infer<typeof BACKTEST_DETAIL>;
