import type { CompiledConditions, Facts } from '../compiled-conditions.js';
import type { RuleSet } from '../rule-set.js';
import type { Answer, Budget, Goal, Model } from './answer.js';
import type { FactSpace } from './fact-space.js';
import { findModel } from './find-model.js';
import type { Draft } from './finding-place.js';
import { ListenedTypes } from './listened-types.js';

/** How often a question was answered how. `yes`: there is a finding. */
export interface AnalysisCounts {
  readonly yes: number;
  readonly no: number;
  readonly undecided: number;
}

/** `yes`: a finding; `cut`: it was not asked any more. */
export type Told = 'yes' | 'no' | 'undecided' | 'cut';

/** As much as one question may take, steps; most take some hundred. */
const MOST_STEPS = 20_000;
/** As much as each may take however little is left. */
const LEAST_STEPS = 400;
/** What asking takes besides. */
const STEPS_OF_ASKING = 60;

/** The questions about one rule set: what they may take, how they were answered, and what was found. */
export class Inquiry {
  readonly types: ListenedTypes;
  readonly drafts: Draft[] = [];
  /** Questions that were not asked because the budget had ended. */
  unasked = 0;
  private readonly counts = new Map<string, { yes: number; no: number; undecided: number }>();
  private allowance = 0;
  private expected = 1;

  constructor(
    readonly ruleSet: RuleSet,
    private left: number,
  ) {
    this.types = new ListenedTypes(ruleSet);
  }

  /** What was used of the budget, and was left by those before, is shared by the questions of a stage. */
  begin(share: number): void {
    this.left += this.allowance;
    this.allowance = Math.floor(this.left * share);
    this.left -= this.allowance;
  }

  /** How many times as much as now is still to be done in this stage: each gets its part. */
  expect(more: number): void {
    this.expected = Math.max(1, more);
  }

  get isSpent(): boolean {
    return this.allowance <= 0;
  }

  spend(steps: number): void {
    this.allowance -= steps;
  }

  /** The answer; null: the budget has ended. */
  ask(goals: readonly Goal[], space: FactSpace): Answer | null {
    if (this.isSpent) return null;
    const fair = (4 * this.allowance) / this.expected;
    const most = Math.floor(Math.min(MOST_STEPS, Math.max(LEAST_STEPS, fair)));
    const budget: Budget = { steps: most };
    const answer = findModel(goals, space, budget);
    this.allowance -= STEPS_OF_ASKING + most - Math.max(0, budget.steps);
    return answer;
  }

  count(code: string, told: Told): void {
    if (told === 'cut') {
      this.unasked += 1;
      return;
    }
    let counts = this.counts.get(code);
    if (!counts) this.counts.set(code, (counts = { yes: 0, no: 0, undecided: 0 }));
    counts[told] += 1;
  }

  report(draft: Draft): void {
    this.drafts.push(draft);
  }

  get questions(): Readonly<Record<string, AnalysisCounts>> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** How conditions come out with the facts of a model, by the conditions themselves. */
export function outcomeOf(
  conditions: CompiledConditions,
  facts: Facts,
  now: number,
): 'yes' | 'no' | 'unknown' | 'error' {
  try {
    return conditions.evaluate(facts, { now });
  } catch {
    return 'error';
  }
}

export function holdsIn(conditions: CompiledConditions, { facts, now }: Model): boolean {
  return outcomeOf(conditions, facts, now) === 'yes';
}
