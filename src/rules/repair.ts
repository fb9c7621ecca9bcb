import type { CompiledConditions, Facts, Moment } from './compiled-conditions.js';
import type { FactChange, Place } from './fact-change.js';
import { RepairSearch } from './repair-search.js';

export { applyChanges, type FactChange } from './fact-change.js';

/**
 * The smallest change of facts under which conditions hold. All `changes` together make the outcome yes, and no part
 * of them does. Undecided: nothing was found within the budget, or among the values that the conditions suggest.
 */
export type Repair =
  | { readonly kind: 'changes'; readonly changes: readonly FactChange[] }
  | { readonly kind: 'undecided'; readonly reason: 'budget' | 'no-candidate' };

export interface RepairOptions {
  /** Evaluations, of one leaf or of all, that the search may make; 20 000 take less than 100 ms. */
  readonly budget?: number;
  /** Values that are natural at a place: those of the catalogue's enum, of its sample. */
  readonly prefer?: (place: Place) => readonly unknown[];
}

const BUDGET = 20_000;
/** They say which event it is; another one is no answer to why this one did not fire, unless there is no other. */
const IDENTITY: ReadonlySet<string> = new Set(['event_type', 'event_id', 'app_id', 'tenant_key', 'source']);

/** Finds the changes. Pure; the same arguments give the same answer. */
export function findRepair(
  conditions: CompiledConditions,
  facts: Facts,
  moment: Moment,
  { budget = BUDGET, prefer = () => [] }: RepairOptions = {},
): Repair {
  const search = new RepairSearch(conditions.tree, facts, moment, budget, prefer);
  const changes = search.find(IDENTITY) ?? (search.reads(IDENTITY) ? search.find(new Set()) : null);
  if (changes) return { kind: 'changes', changes };
  return { kind: 'undecided', reason: search.isSpent ? 'budget' : 'no-candidate' };
}
