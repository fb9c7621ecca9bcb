import { z } from 'zod';
import { RULE_MODES } from '../../rules/shadow.js';
import { PAGE_QUERY, pageSchema } from './page.js';
import { COUNT, LABEL, TIME, VALUE } from './schema-parts.js';

export const RULE_SET_QUERY = PAGE_QUERY;
export type RuleSetQuery = z.infer<typeof RULE_SET_QUERY>;

const HASH = z.string().meta({ description: 'Hash of the rule set.' });

export const RULE_SET_ACTIVATION = z
  .object({
    id: z.string().meta({ description: 'The number as text.' }),
    number: z.number().int().min(1),
    hash: HASH,
    activatedAt: TIME,
    reason: z.string(),
    actor: z.string().nullable().meta({ description: 'Null: the service itself, by the files on disk.' }),
    live: z.boolean(),
  })
  .meta({ id: 'RuleSetActivation', description: 'A rule set became the live one.' });
export type RuleSetActivation = z.infer<typeof RULE_SET_ACTIVATION>;

export const RULE_SET_ACTIVATION_PAGE = pageSchema(RULE_SET_ACTIVATION, 'RuleSetActivationPage');

export const RULE_SUMMARY = z
  .object({
    name: z.string(),
    description: z.string().nullable(),
    owner: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    enabled: z.boolean(),
    mode: z.enum(RULE_MODES).meta({ description: '`shadow`: evaluated and recorded, never sent.' }),
    shadowOf: z
      .string()
      .nullable()
      .meta({ description: 'In shadow mode: the live rule it is compared with.' }),
    priority: z.number(),
    trigger: z.array(z.string()),
    file: z.string(),
    line: COUNT,
    actions: z.array(z.object({ name: z.string(), kind: z.string() })),
    lookups: z.array(z.string()),
  })
  .meta({ id: 'RuleSummary' });
export type RuleSummary = z.infer<typeof RULE_SUMMARY>;

export const RULE_SET = z
  .object({ hash: HASH, live: z.boolean(), rules: z.array(RULE_SUMMARY), files: z.array(z.string()) })
  .meta({ id: 'RuleSet' });
export type RuleSetAnswer = z.infer<typeof RULE_SET>;

export const RULES = z
  .object({
    ruleSet: HASH.nullable().meta({ description: 'Null: no rule set is live.' }),
    items: z.array(RULE_SUMMARY),
  })
  .meta({ id: 'Rules' });
export type Rules = z.infer<typeof RULES>;

/** A text with the catalogue's words for it. */
const PART = z.object({ text: z.string(), label: LABEL.nullable() });

const ACTION_LINE = z.object({ name: z.string(), kind: z.string(), text: z.string() });

export const RULE_TABLE = z
  .object({
    trigger: z.array(PART),
    conditions: z.array(
      z.object({
        depth: COUNT,
        kind: z.enum(['all', 'any', 'not', 'named', 'leaf']),
        name: z.string().nullable().meta({ description: 'Of a named condition, or the title of this one.' }),
        parts: z.array(PART).meta({ description: 'Of a leaf: the fact, the operator and each value.' }),
      }),
    ),
    lookups: z.array(z.object({ name: z.string(), text: z.string() })),
    actions: z.array(ACTION_LINE),
    timing: z
      .array(z.object({ label: PART.shape.label.unwrap(), text: z.string() }))
      .meta({ description: 'What the rule says about time and how often it fires.' }),
    steps: z
      .array(z.object({ name: z.string(), after: z.string(), actions: z.array(ACTION_LINE) }))
      .meta({ description: 'Of its escalation.' }),
  })
  .meta({ id: 'RuleTable', description: 'The rule in the words of the catalogue, line by line.' });
export type RuleTable = z.infer<typeof RULE_TABLE>;

const SENTENCE = z.object({ zh: z.string(), en: z.string() }).meta({
  id: 'Sentence',
  description:
    'Everything that is written in the rule, in Chinese and in English. The first paragraph says what it does; behind it stand its long texts.',
});

export const RULE = z
  .object({
    ruleSet: HASH,
    ...RULE_SUMMARY.shape,
    sentence: SENTENCE,
    document: z.record(z.string(), VALUE).meta({ description: 'As it was read from its file.' }),
    lookupDocuments: z
      .record(z.string(), VALUE)
      .meta({ description: 'The look-ups that it reads, by name, and what those need.' }),
    table: RULE_TABLE,
  })
  .meta({ id: 'Rule' });
export type RuleAnswer = z.infer<typeof RULE>;

const DOCUMENT = z.record(z.string(), VALUE).meta({ description: 'As the loader has read it.' });

export const SAID_RULES = z
  .object({
    ruleSet: HASH,
    live: z.boolean(),
    rules: z.array(z.object({ name: z.string(), document: DOCUMENT, sentence: SENTENCE })),
    conditions: z
      .array(z.object({ name: z.string(), document: DOCUMENT, sentence: SENTENCE }))
      .meta({ description: 'The named conditions.' }),
  })
  .meta({ id: 'SaidRules', description: 'Everything that a rule set says, in sentences.' });
export type SaidRules = z.infer<typeof SAID_RULES>;

export const ACTIVATED = z
  .object({
    hash: HASH,
    number: z.number().int().min(1),
    cancelledTimers: z
      .record(z.string(), COUNT)
      .meta({ description: 'Escalations that ended because their rule is gone or off, by rule.' }),
  })
  .meta({ id: 'Activated' });
export type Activated = z.infer<typeof ACTIVATED>;

export const FINDING = z
  .object({
    code: z.string(),
    severity: z.enum(['error', 'warning', 'info']),
    file: z.string(),
    line: COUNT,
    column: COUNT,
    length: COUNT.optional(),
    rule: z.string().optional(),
    witness: VALUE.optional(),
    sentence: SENTENCE.optional(),
    message: z.string(),
    mend: z.string(),
  })
  .meta({ id: 'Finding', description: 'One thing wrong in the rule files, with the mend.' });

export const FINDINGS = z
  .object({
    checked: z.boolean().meta({
      description: 'False: the process that answers does not read the rule files (its ROLE has no rules).',
    }),
    ruleSet: HASH.nullable(),
    findings: z.array(FINDING),
  })
  .meta({ id: 'Findings' });
export type Findings = z.infer<typeof FINDINGS>;
