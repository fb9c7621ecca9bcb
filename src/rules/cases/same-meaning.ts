import type { Budget, Goal, Model } from '../analysis/answer.js';
import { findModel } from '../analysis/find-model.js';
import type { ListenedType, ListenedTypes } from '../analysis/listened-types.js';
import type { CompiledConditions } from '../compiled-conditions.js';
import type { ConditionNode } from '../condition-tree.js';
import type { Rule } from '../rule-set.js';
import type { AskedPart } from './case-result.js';
import { askedParts, conditionsOf } from './coverage.js';
import { typesAsked } from './possible-outcome.js';

/**
 * `same`: proved, whatever event comes; `other`: with these facts of an event of a type the two differ; `undecided`: it
 * cannot be told.
 */
export type Meaning =
  | { readonly kind: 'same' | 'undecided' }
  | {
      readonly kind: 'other';
      readonly part: AskedPart;
      readonly eventType: string | null;
      readonly model: Model;
    };

/** Of all questions about one change; what takes longer stays open. */
const STEPS = 100_000;
const SAME: Meaning = { kind: 'same' };

/**
 * Whether a rule means the same after a change to its conditions: whether it matches, cancels its escalation and asks
 * for its actions in the same cases. The rest of the rule is taken to be unchanged.
 */
export function compareMeaning(before: Rule, after: Rule, types: ListenedTypes): Meaning {
  const budget: Budget = { steps: STEPS };
  return first(askedParts(before), (part) => {
    const [was, is] = [conditionsOf(before, part), conditionsOf(after, part)];
    if (!was || (is && JSON.stringify(was.tree) === JSON.stringify(is.tree))) return SAME;
    const asked = typesAsked(before, part, types);
    return asked ? new Comparison(before, part, asked, budget).of(was, is) : { kind: 'undecided' };
  });
}

class Comparison {
  private readonly matched: readonly Goal[];

  constructor(
    rule: Rule,
    private readonly part: AskedPart,
    private readonly asked: readonly ListenedType[],
    private readonly budget: Budget,
  ) {
    // An action of the rule itself is asked for only when the rule matches.
    const isOwn = part.part === 'when' && part.step === null;
    this.matched = isOwn ? [{ tree: rule.conditions.tree, want: 'yes' }] : [];
  }

  of(was: CompiledConditions, is: CompiledConditions | null): Meaning {
    const [one, other] = [was.tree, is?.tree];
    // Without "cancelOn" nothing cancels; without "when" the action is always asked for.
    if (!other) return this.never([{ tree: one, want: this.part.part === 'cancelOn' ? 'yes' : 'not yes' }]);
    const ways: (readonly [ConditionNode, ConditionNode])[] = [
      [one, other],
      [other, one],
    ];
    // Also false and unknown are told apart: what is unknown may be settled later, and cancels no escalation.
    if (this.part.part === 'conditions') ways.push([not(one), not(other)], [not(other), not(one)]);
    return first(ways, ([some, another]) =>
      this.never([
        { tree: some, want: 'yes' },
        { tree: another, want: 'not yes' },
      ]),
    );
  }

  /** `same` when no event meets the goals. */
  private never(goals: readonly Goal[]): Meaning {
    return first(this.asked, ({ space, given, eventType }) => {
      const answer = findModel([...given, ...this.matched, ...goals], space, this.budget);
      if (answer.answer === 'no') return SAME;
      if (answer.answer === 'undecided') return { kind: 'undecided' };
      return { kind: 'other', part: this.part, eventType, model: answer.model };
    });
  }
}

/** The first meaning that differs, else one that is undecided, else the same. */
function first<T>(all: Iterable<T>, meaningOf: (one: T) => Meaning): Meaning {
  let found = SAME;
  for (const one of all) {
    const meaning = meaningOf(one);
    if (meaning.kind === 'other') return meaning;
    if (meaning.kind === 'undecided') found = meaning;
  }
  return found;
}

function not(child: ConditionNode): ConditionNode {
  return { kind: 'not', name: null, child };
}
