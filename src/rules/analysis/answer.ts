import type { Facts } from '../compiled-conditions.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';

/** What conditions are to come out as, all goals of one question at once. */
export interface Goal {
  readonly tree: ConditionNode;
  /** `not yes`: no or unknown. */
  readonly want: 'yes' | 'no' | 'not yes';
  /** Absent: `then`. A later moment shares with the earlier one only the facts that are stable. */
  readonly moment?: 'then' | 'later';
}

/**
 * `yes`: there are such facts, and these are some. `no`: there are none, whatever happens. `undecided`: none were found,
 * and it cannot be told that there are none: within the budget, or for an operator whose values are not all known.
 */
export type Answer =
  | { readonly answer: 'yes'; readonly model: Model }
  /** `core`: conditions of which no one can be left out for it to stay impossible; in the order of the trees. */
  | { readonly answer: 'no'; readonly core: readonly LeafNode[] }
  | { readonly answer: 'undecided'; readonly reason: 'budget' | 'inexact' };

/** Facts under which the goals of a question are met. */
export interface Model {
  /** Of the moment `then`, complete: the sample of the event type with what had to be otherwise. */
  readonly facts: Facts;
  /** Of the moment `later`; the same when nothing was asked of it. */
  readonly later: Facts;
  /** Milliseconds since 1970: what `olderThan` and `newerThan` count from. */
  readonly now: number;
}

/** Elementary steps that are left, some microsecond each. Shared by as many questions as shall end together. */
export interface Budget {
  steps: number;
}
