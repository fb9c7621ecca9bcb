import { z } from 'zod';
import type { EventExplanation, RuleExplanation } from '../../rules/explain.js';
import type { ExplainedLeaf, ExplainedNode } from '../../rules/explained-tree.js';
import type { Suppression } from '../../rules/evaluation-store.js';
import { SUPPRESSION_CAUSES } from '../../rules/firing.js';
import { COUNT, LABEL, TERM, TIME, VALUE } from './schema-parts.js';

/** One evaluation told again: why each rule fired or did not. Also what `explain --json` prints for each. */
export type ExplainedEvaluation = EventExplanation & {
  readonly occasion: string;
  readonly decidedAt: string;
  /** "Matched", and no delivery, with the cause. */
  readonly suppressions: readonly Suppression[];
  /** Rules whose verdict is another today than the ledger holds: never, but for a bug. */
  readonly differing: readonly string[];
};

export const EXPLANATIONS_QUERY = z.strictObject({
  rule: TERM.optional().meta({ description: 'Only this rule, also when it does not listen.' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(50)
    .meta({ description: 'How many of the rules that did not match are explained.' }),
});
export type ExplanationsQuery = z.infer<typeof EXPLANATIONS_QUERY>;

const OUTCOME = z.enum(['yes', 'no', 'unknown', 'error']);
const PATH = z.array(z.string()).nullable();
const VALUE_LABEL = z.union([LABEL, z.array(LABEL.nullable()), z.null()]);
const NAME = z.string().nullable();

export const EXPLAINED_LEAF: z.ZodType<ExplainedLeaf> = z
  .object({
    kind: z.literal('leaf'),
    name: NAME,
    outcome: OUTCOME,
    position: z.array(COUNT),
    fact: z.string(),
    path: PATH,
    operator: z.string(),
    other: z.object({ fact: z.string(), path: PATH }).nullable(),
    actual: VALUE.optional().meta({ description: 'Absent: the fact is missing.' }),
    expected: VALUE.optional(),
    error: z.string().nullable(),
    mustHold: z.boolean(),
    failing: z.boolean(),
    personal: z.boolean(),
    labels: z.object({
      field: LABEL.nullable(),
      operator: LABEL,
      other: LABEL.nullable(),
      actual: VALUE_LABEL,
      expected: VALUE_LABEL,
    }),
  })
  .meta({ id: 'ExplainedLeaf' }) as z.ZodType<ExplainedLeaf>;

const EXPLAINED_NODE: z.ZodType<ExplainedNode> = z
  .lazy(() =>
    z.union([
      z.object({
        kind: z.enum(['all', 'any']),
        name: NAME,
        outcome: OUTCOME,
        children: z.array(EXPLAINED_NODE),
      }),
      z.object({ kind: z.literal('not'), name: NAME, outcome: OUTCOME, child: EXPLAINED_NODE }),
      EXPLAINED_LEAF,
    ]),
  )
  .meta({ id: 'ExplainedNode' });

const VERDICT = z
  .union([
    z.object({ rule: z.string(), verdict: z.enum(['matched', 'not matched', 'not listening']) }),
    z.object({ rule: z.string(), verdict: z.literal('unknown'), missing: z.array(z.string()) }),
    z.object({ rule: z.string(), verdict: z.literal('error'), error: z.string() }),
    z.object({ rule: z.string(), verdict: z.literal('skipped'), cause: z.string() }),
  ])
  .meta({ id: 'Verdict' });

const LOOKUP = z.union([
  z.object({ name: z.string(), state: z.literal('not asked') }),
  z.object({ name: z.string(), state: z.literal('answered'), request: z.string(), fetchedAt: z.number() }),
  z.object({
    name: z.string(),
    state: z.literal('failed'),
    request: z.string(),
    fetchedAt: z.number(),
    code: z.string(),
    detail: z.string(),
  }),
]);

const CHANGE = z.object({
  fact: z.string(),
  path: PATH,
  from: VALUE.optional(),
  to: VALUE.optional(),
  personal: z.boolean(),
  labels: z.object({ field: LABEL.nullable(), from: VALUE_LABEL, to: VALUE_LABEL }),
});

const REPAIR = z.union([
  z.object({ kind: z.literal('changes'), changes: z.array(CHANGE) }),
  z.looseObject({ kind: z.literal('undecided') }),
]);

export const RULE_EXPLANATION = z
  .object({
    rule: z.string(),
    description: z.string().nullable(),
    file: z.string(),
    line: COUNT,
    trigger: z.array(z.string()),
    verdict: VERDICT,
    candidate: z.boolean(),
    tree: EXPLAINED_NODE,
    failing: z.array(EXPLAINED_LEAF),
    missing: z.array(z.string()),
    lookups: z.array(LOOKUP),
    nearMiss: z.boolean(),
    repair: REPAIR.nullable(),
  })
  .meta({
    id: 'RuleExplanation',
    description: 'Why a rule fired or did not.',
  }) as unknown as z.ZodType<RuleExplanation>;

const SUPPRESSION_FIELDS = {
  rule: z.string(),
  action: z.string(),
  step: z.string().exactOptional().meta({ description: 'Of an escalation.' }),
  cause: z.enum(SUPPRESSION_CAUSES),
  by: z.string().exactOptional().meta({
    description:
      'What it was: the facts that the conditions of the action lack or why they failed, the id of the silence, the key of the throttle or digest, for whom it was sent once, the end of quiet hours; of a rule in shadow mode, that nothing could be recorded.',
  }),
  times: COUNT.exactOptional().meta({ description: 'How often, of a turn of a schedule; absent: once.' }),
};

export const SUPPRESSION = z
  .object(SUPPRESSION_FIELDS)
  .meta({ id: 'Suppression', description: 'Why a match led to no delivery of one action.' });

export const RECORDED_SUPPRESSION = z
  .object({ occasion: z.string(), ...SUPPRESSION_FIELDS })
  .meta({ id: 'RecordedSuppression' });

export const EXPLAINED_EVALUATION: z.ZodType<ExplainedEvaluation> = z
  .object({
    occasion: z.string(),
    decidedAt: TIME,
    ruleSet: z.string(),
    eventType: z.string(),
    counts: z
      .object({
        matched: COUNT,
        'near miss': COUNT,
        error: COUNT,
        unknown: COUNT,
        skipped: COUNT,
        'not matched': COUNT,
        'not listening': COUNT,
      })
      .nullable()
      .meta({ description: 'Of all rules; null: one rule was asked for.' }),
    explanations: z.array(RULE_EXPLANATION),
    suppressions: z.array(SUPPRESSION),
    differing: z.array(z.string()),
  })
  .meta({ id: 'ExplainedEvaluation', description: 'One evaluation of an event, told again.' });

export const EXPLAINED_EVALUATIONS = z
  .object({ items: z.array(EXPLAINED_EVALUATION) })
  .meta({ id: 'ExplainedEvaluations' });
export interface ExplainedEvaluations {
  readonly items: readonly ExplainedEvaluation[];
}
