import type { Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import type { EventStore, StoredEvent } from '../../events/event-store.js';
import type { Evaluation, EvaluationStore, Suppression } from '../../rules/evaluation-store.js';
import { SETTLE } from '../../rules/decision-batch.js';
import { type EventExplanation, explainEvent, type RuleExplanation } from '../../rules/explain.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { subjectOf } from '../../rules/subject.js';
import { STEP } from '../../rules/timer-store.js';
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
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly ruleSets: RuleSetStore;
    },
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
      // A step, or what was settled later, is about its rule alone.
      const only = rulesOfOccasion(evaluation);
      if (rule !== undefined && only && !only.includes(rule)) continue;
      const ruleSet = await this.ruleSetOf(evaluation);
      const explanation = await this.explain(ruleSet, subject, evaluation, rule ?? only ?? limit);
      if (!explanation) continue;
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

  /** What is explained: one rule, some, or the most telling ones up to a number. Null: its event is not there any more. */
  private async explain(
    ruleSet: RuleSet,
    arming: ReturnType<typeof subjectOf>,
    { inputs }: Evaluation,
    what: string | readonly string[] | number,
  ): Promise<EventExplanation | null> {
    let subject = arming;
    if (inputs.about !== undefined) {
      const about = await this.stores.events.find(inputs.about);
      if (!about || about.erasedAt !== null) return null;
      subject = subjectOf(about);
    }
    if (typeof what === 'number') return await explainEvent(ruleSet, subject, inputs, { limit: what });
    const [first = '', ...others] = typeof what === 'string' ? [what] : what;
    const told = await explainEvent(ruleSet, subject, inputs, { rule: first });
    const more: RuleExplanation[] = [];
    for (const rule of others)
      more.push(...(await explainEvent(ruleSet, subject, inputs, { rule })).explanations);
    return { ...told, explanations: [...told.explanations, ...more] };
  }

  private async ruleSetOf({ ruleSet: hash }: Evaluation): Promise<RuleSet> {
    if (this.recent?.hash !== hash) this.recent = await this.stores.ruleSets.find(hash);
    return this.recent;
  }
}

/** The rules that an evaluation is about, when it is not about all that listen; null: it is. */
function rulesOfOccasion({ occasion, verdicts, inputs }: Evaluation): readonly string[] | null {
  if (inputs.only !== undefined) return [inputs.only];
  if (!occasion.startsWith(SETTLE) && !occasion.startsWith(STEP)) return null;
  return verdicts.flatMap((one) => ('verdict' in one ? one.rule : []));
}

function differingFrom(evaluation: Evaluation, { explanations }: EventExplanation): string[] {
  // The verdict of a schedule's turn is about the entities that were open then, not about its own event.
  if (evaluation.inputs.turn) return [];
  const recorded = new Map<string, string>();
  for (const one of evaluation.verdicts) if ('verdict' in one) recorded.set(one.rule, one.verdict);
  return explanations
    .filter(({ rule, verdict }) => {
      const now = verdict.verdict === 'not listening' ? 'not matched' : verdict.verdict;
      return now !== (recorded.get(rule) ?? 'not matched');
    })
    .map(({ rule }) => rule);
}
