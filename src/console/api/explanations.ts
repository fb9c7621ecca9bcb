import type { Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import type { StoredEvent } from '../../events/event-store.js';
import type { Evaluation, EvaluationStore, Suppression } from '../../rules/evaluation-store.js';
import { type EventExplanation, explainEvent } from '../../rules/explain.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { subjectOf } from '../../rules/subject.js';
import type { ExplainedEvaluation, ExplanationsQuery } from './explanations.schema.js';
import { isWritable } from './event-content.js';
import { refusalOf } from './rule-set-refusal.js';

/** Explanations under way in one process: each of them computes, beside the decisions and the answers to senders. */
const AT_ONCE = 3;

/** Tells evaluations again, from the stored event, the rule set that decided and what the evaluation recorded. */
export class Explanations {
  private readonly under = new Set<string>();
  /** The rule set that was asked for last: whoever looks around asks for the same again. */
  private recent: RuleSet | null = null;

  constructor(
    private readonly stores: { readonly evaluations: EvaluationStore; readonly ruleSets: RuleSetStore },
  ) {}

  /**
   * All evaluations of an event, the earliest first.
   *
   * @throws Refusal 429 BUSY while one explains for the same user, or some for others; 404 RULE_SET_UNKNOWN, 409
   * RULE_SET_UNREADABLE when the rule set that decided is not there any more or of another version
   */
  async tell(actor: Actor, event: StoredEvent, query: ExplanationsQuery): Promise<ExplainedEvaluation[]> {
    const key = actor.userId ?? actor.name;
    if (this.under.has(key) || this.under.size >= AT_ONCE)
      throw new Refusal(429, 'BUSY', 'Another explanation is being computed: ask again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    this.under.add(key);
    try {
      return await this.tellAgain(event, query);
    } catch (error) {
      throw refusalOf(error);
    } finally {
      this.under.delete(key);
    }
  }

  private async tellAgain(
    event: StoredEvent,
    { rule, limit }: ExplanationsQuery,
  ): Promise<ExplainedEvaluation[]> {
    const evaluations = await this.stores.evaluations.findAll(event.id);
    // Without one, its bytes may be no event at all.
    if (evaluations.length === 0) return [];
    const told: ExplainedEvaluation[] = [];
    const subject = subjectOf(event);
    if ([...subject.facts.values()].some((value) => !isWritable(value)))
      throw new Refusal(
        409,
        'EVENT_TOO_DEEP',
        `The event ${event.id} has a value of so many levels that it cannot be written as JSON.`,
      );
    for (const evaluation of evaluations) {
      const ruleSet = await this.ruleSetOf(evaluation);
      const explanation = await explainEvent(
        ruleSet,
        subject,
        evaluation.inputs,
        rule === undefined ? { limit } : { rule },
      );
      told.push({
        occasion: evaluation.occasion,
        decidedAt: evaluation.decidedAt.toISOString(),
        ...explanation,
        suppressions: evaluation.verdicts.filter((one): one is Suppression => 'action' in one),
        differing: differingFrom(evaluation, explanation),
      });
    }
    return told;
  }

  private async ruleSetOf({ ruleSet: hash }: Evaluation): Promise<RuleSet> {
    if (this.recent?.hash !== hash) this.recent = await this.stores.ruleSets.find(hash);
    return this.recent;
  }
}

function differingFrom(evaluation: Evaluation, { explanations }: EventExplanation): string[] {
  const recorded = new Map<string, string>();
  for (const one of evaluation.verdicts) if ('verdict' in one) recorded.set(one.rule, one.verdict);
  return explanations
    .filter(({ rule, verdict }) => {
      const now = verdict.verdict === 'not listening' ? 'not matched' : verdict.verdict;
      return now !== (recorded.get(rule) ?? 'not matched');
    })
    .map(({ rule }) => rule);
}
