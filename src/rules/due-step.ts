import { CalendarMissingError } from './calendar/work-calendar.js';
import { FactView, type Outcome } from './compiled-conditions.js';
import {
  type DecisionInputs,
  factsFor,
  factsOfRule,
  skipped,
  type Subject,
  timeDefaults,
  type Verdict,
} from './decide.js';
import type { Match } from './firing.js';
import { type CancelCause, type NextStep, nextStep } from './ladder.js';
import { planNamedLookups } from './lookup-plan.js';
import { matchOf } from './match.js';
import type { Rule, RuleSet } from './rule-set.js';
import type { Escalation } from './rule-timing.js';
import { hasEnded } from './state/phases.js';
import type { EventPlace, RootState } from './state/root-state.js';
import { stateFacts } from './state/state-facts.js';
import type { DueLadder, LadderOutcome } from './timer-store.js';

/** The last event of one holder of a ladder on which the conditions held. */
export interface HolderEvent {
  /** Stored id. */
  readonly id: string;
  readonly subject: Subject;
  readonly place: EventPlace;
  /** Where it stands among the events of its entity. */
  readonly at: { readonly orderTime: number; readonly statusRank: number; readonly eventId: string };
  /** Milliseconds since 1970: what conditions on the clock count from, so that time alone cancels nothing. */
  readonly receivedAt: number;
}

/** A ladder that is due, and what is known of whom it is about. */
export interface DueSubject {
  readonly ladder: DueLadder;
  /** Of the root entity, as it is now. */
  readonly state: RootState;
  /** Of all holders whose events are still there, the one that was seen last at the end. */
  readonly holders: readonly HolderEvent[];
}

export interface DueDecision {
  readonly outcome: LadderOutcome;
  /** What the step sends; null: nothing now. */
  readonly match: Match | null;
  /** What the ledger keeps of it; null: nothing was evaluated. */
  readonly evaluation: {
    readonly step: string;
    readonly verdict: Verdict;
    readonly inputs: DecisionInputs;
    /** Stored id of the event that was evaluated. */
    readonly about: string;
  } | null;
}

const KEYS_DISAGREE =
  'the compiled conditions match and json-rules-engine does not: the step is not sent and the ladder ends';

/**
 * From a due ladder to a decision, by the rule as it is now: the step is sent unless the rule is gone or off, the
 * process has ended, the conditions are false for all holders by now, or the platform says that nobody is waited for.
 * What is unknown cancels nothing. Pure, as `decide`.
 */
export async function decideDue(
  ruleSet: RuleSet,
  due: DueSubject,
  defaults: Pick<DecisionInputs, 'now' | 'timezone' | 'calendar'>,
): Promise<DueDecision> {
  return await new DueDecider(ruleSet, due, defaults).decide();
}

class DueDecider {
  constructor(
    private readonly ruleSet: RuleSet,
    private readonly due: DueSubject,
    private readonly defaults: Pick<DecisionInputs, 'now' | 'timezone' | 'calendar'>,
  ) {}

  async decide(): Promise<DueDecision> {
    const { ladder, state, holders } = this.due;
    const rule = this.ruleSet.ruleOf(ladder.rule);
    const escalation = rule?.escalation;
    if (!rule || !escalation || escalation.per !== ladder.per) return this.cancelled('RULE_GONE');
    if (skipped(rule, { ...this.defaults })) return this.cancelled('RULE_OFF');
    if (hasEnded(state)) return this.cancelled('PROCESS_ENDED');
    let next: NextStep | null;
    try {
      next = nextStep(rule, escalation, ladder, this.ruleSet, timeDefaults(this.defaults));
    } catch (error) {
      if (!(error instanceof CalendarMissingError)) throw error;
      return this.cancelled('CALENDAR_MISSING');
    }
    if (next === null) return this.ended(ladder.sent, escalation.plan);
    // The rule has changed, or its calendar: it is due at another time.
    if (next.dueAt > this.defaults.now) return this.armed(next, ladder.sent, escalation.plan);
    const standing: HolderEvent[] = [];
    let judged: Outcome = 'no';
    for (const holder of holders) {
      const outcome = await this.judge(rule, holder);
      if (outcome === 'disagree') return this.disagreed(rule, next, holder);
      if (outcome === 'no') continue;
      standing.push(holder);
      if (judged !== 'yes') judged = outcome;
    }
    const holder = standing.at(-1);
    if (!holder) return this.cancelled('CONDITIONS_FALSE');
    const { answers } = ladder;
    if (answers?.confirm?.pending === false) return this.cancelled('NOT_PENDING');
    if (this.mustAsk(rule, escalation, holder)) return this.asking(next, escalation.plan, holder);
    return await this.send(rule, escalation, next, holder);
  }

  private async judge(rule: Rule, holder: HolderEvent): Promise<Outcome | 'disagree'> {
    if (!rule.listensTo(holder.subject.eventType)) return 'no';
    const inputs = this.inputsAt(holder);
    const facts = factsOfRule(
      this.ruleSet,
      rule,
      factsFor(this.ruleSet, holder.subject.facts, inputs),
      inputs,
    );
    try {
      const outcome = rule.conditions.evaluateView(new FactView(this.ruleSet.places.places, facts), inputs);
      if (outcome !== 'yes') return outcome;
      return (await rule.confirmation.holds(facts, inputs)) ? 'yes' : 'disagree';
    } catch {
      // What cannot be evaluated cancels nothing: somebody waits.
      return 'unknown';
    }
  }

  /** As they were when the holder was seen last, with what is known of it now. */
  private inputsAt({ place, at, receivedAt }: HolderEvent): DecisionInputs {
    const { lookups } = this.due.ladder.answers ?? {};
    return {
      ...this.defaults,
      now: receivedAt,
      state: stateFacts(this.due.state, place, at, at.orderTime, false),
      ...(lookups ? { lookups } : {}),
    };
  }

  /** What the templates of the step read: everything as it is now. */
  private inputsNow({ place }: HolderEvent): DecisionInputs {
    const { lookups } = this.due.ladder.answers ?? {};
    return {
      ...this.defaults,
      state: stateFacts(this.due.state, place, null, this.defaults.now, false),
      ...(lookups ? { lookups } : {}),
    };
  }

  private mustAsk(rule: Rule, { confirm }: Escalation, holder: HolderEvent): boolean {
    // What is sent by nobody puts no load on others.
    if (rule.mode === 'shadow') return false;
    if (confirm && !this.due.ladder.answers?.confirm) return true;
    const names = rule.lookups?.steps ?? new Set<string>();
    return planNamedLookups(this.ruleSet, names, holder.subject, this.inputsNow(holder)).fetch.length > 0;
  }

  private async send(
    rule: Rule,
    escalation: Escalation,
    { step }: NextStep,
    holder: HolderEvent,
  ): Promise<DueDecision> {
    const { ladder } = this.due;
    const inputs = this.inputsNow(holder);
    const facts = factsOfRule(
      this.ruleSet,
      rule,
      factsFor(this.ruleSet, holder.subject.facts, inputs),
      inputs,
    );
    const match = await matchOf(this.ruleSet, rule, holder.subject, inputs, holder.place, facts, {
      name: step.name,
      actions: step.actions,
      cause: `${ladder.cause}#${step.name}`,
    });
    const sent = [...ladder.sent, step.name];
    const following = nextStep(
      rule,
      escalation,
      { ...ladder, sent },
      this.ruleSet,
      timeDefaults(this.defaults),
    );
    const { outcome } = following
      ? this.armed(following, sent, escalation.plan)
      : this.ended(sent, escalation.plan);
    return {
      outcome,
      match,
      evaluation: {
        step: step.name,
        verdict: { rule: rule.name, verdict: 'matched' },
        inputs: { ...this.inputsAt(holder), step: this.stepInputs() },
        about: holder.id,
      },
    };
  }

  private stepInputs(): NonNullable<DecisionInputs['step']> {
    const { subject, answers } = this.due.ladder;
    return { subject, ...(answers?.confirm ? { pending: answers.confirm.pending } : {}) };
  }

  private disagreed(rule: Rule, { step }: NextStep, holder: HolderEvent): DueDecision {
    return {
      ...this.cancelled('KEYS_DISAGREE'),
      evaluation: {
        step: step.name,
        verdict: { rule: rule.name, verdict: 'error', error: KEYS_DISAGREE },
        inputs: this.inputsAt(holder),
        about: holder.id,
      },
    };
  }

  private armed(next: NextStep, sent: readonly string[], plan: string): DueDecision {
    const { step, dueAt } = next;
    return this.only({ state: 'armed', sent, step: step.name, dueAt, plan, code: null });
  }

  private asking({ step }: NextStep, plan: string, holder: HolderEvent): DueDecision {
    const { sent, answers } = this.due.ladder;
    return this.only(
      { state: 'asking', sent, step: step.name, dueAt: this.defaults.now, plan, code: null },
      { ...answers, about: holder.id },
    );
  }

  private ended(sent: readonly string[], plan: string): DueDecision {
    const { step, dueAt } = this.due.ladder;
    return this.only({ state: 'finished', sent, step, dueAt, plan, code: null });
  }

  private cancelled(code: CancelCause): DueDecision {
    const { sent, step, dueAt, plan } = this.due.ladder;
    return this.only({ state: 'cancelled', sent, step, dueAt, plan, code });
  }

  private only(
    outcome: Omit<LadderOutcome, 'id' | 'answers'>,
    answers: LadderOutcome['answers'] = null,
  ): DueDecision {
    return { outcome: { ...outcome, id: this.due.ladder.id, answers }, match: null, evaluation: null };
  }
}
