import type { DecisionInputs, Subject } from '../decide.js';
import type { HolderEvent } from '../due-step.js';
import { answerAll } from '../given-answers.js';
import type { LookupAnswer, LookupAnswers } from '../lookup-document.js';
import { planLookups, planNamedLookups } from '../lookup-plan.js';
import type { RuleSet } from '../rule-set.js';
import type { Level, RootState } from '../state/root-state.js';
import { stateFacts } from '../state/state-facts.js';
import type { StepAnswers } from '../timer-store.js';
import type { LadderRow } from './virtual-entities.js';

/** What asks for an answer: the decision about an event, or a step of a ladder that the event armed. */
export interface Asking {
  readonly eventId: string;
  readonly step: Pick<LadderRow, 'rule' | 'subject' | 'step'> | null;
}

/** What others answer. */
export interface VirtualAnswers {
  /** Null: nobody was asked, and the look-up fails. */
  lookup(name: string, request: string, now: number, asking: Asking): LookupAnswer | null;
  /** Whether somebody is still waited for, as the platform says before a step; null: it does not say. */
  pending(per: Level, holder: HolderEvent, asking: Asking, now: number): boolean | null;
}

const NO_ANSWERS: VirtualAnswers = { lookup: () => null, pending: () => true };

type LookupPlanner = (lookups: LookupAnswers) => ReturnType<typeof planLookups>;

/** What decisions in a virtual room are answered. */
export class AnswersGiven {
  constructor(
    private readonly ruleSet: RuleSet,
    private readonly defaults: Pick<DecisionInputs, 'timezone' | 'calendar'>,
    private readonly answers: VirtualAnswers = NO_ANSWERS,
  ) {}

  /** What the rules need to know of an event before it is decided. */
  ofEvent(
    { id: eventId, subject }: { readonly id: string; readonly subject: Subject },
    inputs: DecisionInputs,
  ): LookupAnswers {
    const { ruleSet } = this;
    if (ruleSet.lookups.size === 0) return {};
    const plan: LookupPlanner = (lookups) => planLookups(ruleSet, subject, { ...inputs, lookups });
    return this.answered(plan, {}, inputs.now, { eventId, step: null });
  }

  /** What a step needs to know before it is sent. `root`: the state as it is now (ms). */
  ofStep(row: LadderRow, root: RootState, holder: HolderEvent | undefined, now: number): StepAnswers {
    const asking = { eventId: row.eventId, step: row };
    const rule = this.ruleSet.ruleOf(row.rule);
    const answers: StepAnswers = { ...row.answers, askedSince: now };
    if (!rule?.escalation || !holder) return answers;
    const pending = rule.escalation.confirm ? this.answers.pending(row.per, holder, asking, now) : null;
    const confirm = rule.escalation.confirm ? { confirm: { pending, at: now } } : {};
    if (pending === false) return { ...answers, ...confirm };
    const inputs = { now, ...this.defaults, state: stateFacts(root, holder.place, null, now, false) };
    const names = rule.lookups?.steps ?? new Set<string>();
    const plan: LookupPlanner = (lookups) =>
      planNamedLookups(this.ruleSet, names, holder.subject, { ...inputs, lookups });
    return { ...answers, ...confirm, lookups: this.answered(plan, row.answers?.lookups ?? {}, now, asking) };
  }

  private answered(plan: LookupPlanner, known: LookupAnswers, now: number, asking: Asking): LookupAnswers {
    const give = (name: string, request: string): LookupAnswer | null =>
      // What could not even be asked has failed, whatever the answer would have been.
      request === '' ? null : this.answers.lookup(name, request, now, asking);
    return answerAll(plan, known, { give, now });
  }
}
