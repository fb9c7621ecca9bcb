import type { RateBudget } from '../config/config.js';
import { writeDuration } from '../config/duration.js';
import type { Rule } from './rule-set.js';
import { gateNameOf } from './shadow.js';

/** The scope of the storm brake: all rules together. */
export const STORM_SCOPE = '*';

/** What the brakes know when a batch begins. */
export interface BrakeGates {
  /** By `budgetScope`: how many deliveries of a rule with a budget were let through within its time. */
  readonly budgets: ReadonlyMap<string, number>;
  /** Of all rules together; null: there is no storm brake. */
  readonly storm: (RateBudget & { readonly through: number }) | null;
}

export const NO_BRAKES: BrakeGates = { budgets: new Map(), storm: null };

/** What a brake has let through: to be added to what it counts. */
export interface BrakeCount {
  readonly scope: string;
  readonly perMs: number;
  readonly count: number;
}

/** What a brake holds of one rule. */
export interface BrakeHold extends RateBudget {
  readonly scope: string;
  readonly rule: string;
  readonly count: number;
}

/** Why a delivery is held. `reason` is for people. */
export interface Held {
  readonly code: 'BRAKE_BUDGET' | 'BRAKE_STORM';
  readonly reason: string;
}

/** A time is counted in so many slices: what leaves it is forgotten a slice late at most, and never early. */
const SLICES = 60;

export function sliceMs(perMs: number): number {
  return Math.ceil(perMs / SLICES);
}

/** The slice that a moment falls into, by its beginning (ms). */
export function sliceAt(now: number, perMs: number): number {
  return now - (now % sliceMs(perMs));
}

/** Slices that begin after this moment (ms) count. */
export function countedSince(now: number, perMs: number): number {
  return now - perMs - sliceMs(perMs);
}

/** `gateName`: by which the gates know the rule. */
export function budgetScope(gateName: string): string {
  return `rule:${gateName}`;
}

/**
 * Says of one delivery after the other whether it may go or is held: first by the budget of its rule, then by the storm
 * brake. Only what may go by both is counted, by both. What is never sent has a budget of its own, and nobody is told of
 * what is held of it; the storm brake knows nothing of it. Pure.
 */
export class Brake {
  private readonly through = new Map<string, { perMs: number; count: number }>();
  private readonly held = new Map<string, BrakeHold>();

  constructor(private readonly gates: BrakeGates) {}

  /** Null: it may go. */
  hold(rule: Pick<Rule, 'name' | 'mode' | 'budget'>): Held | null {
    const { name, mode, budget } = rule;
    const { budgets } = this.gates;
    const storm = mode === 'live' ? this.gates.storm : null;
    const scope = budgetScope(gateNameOf(rule));
    if (budget && this.isUsedUp(scope, budget, budgets.get(scope) ?? 0)) {
      if (mode === 'live') this.noteHeld(scope, name, budget);
      return { code: 'BRAKE_BUDGET', reason: `the budget of the rule, ${said(budget)}, is used up` };
    }
    if (storm && this.isUsedUp(STORM_SCOPE, storm, storm.through)) {
      this.noteHeld(STORM_SCOPE, name, storm);
      return {
        code: 'BRAKE_STORM',
        reason: `what all rules together may send, ${said(storm)} (STORM_BRAKE), is used up`,
      };
    }
    if (budget) this.count(scope, budget);
    if (storm) this.count(STORM_SCOPE, storm);
    return null;
  }

  get counts(): readonly BrakeCount[] {
    return [...this.through].map(([scope, one]) => ({ scope, ...one }));
  }

  /** One for each rule and brake. */
  get holds(): readonly BrakeHold[] {
    return [...this.held.values()];
  }

  private isUsedUp(scope: string, { max }: RateBudget, before: number): boolean {
    return before + (this.through.get(scope)?.count ?? 0) >= max;
  }

  private count(scope: string, { perMs }: RateBudget): void {
    const known = this.through.get(scope);
    if (known) known.count += 1;
    else this.through.set(scope, { perMs, count: 1 });
  }

  private noteHeld(scope: string, rule: string, { max, perMs }: RateBudget): void {
    const key = `${scope} ${rule}`;
    const count = (this.held.get(key)?.count ?? 0) + 1;
    this.held.set(key, { scope, rule, max, perMs, count });
  }
}

function said({ max, perMs }: RateBudget): string {
  return `${max} deliveries in ${writeDuration(perMs)}`;
}
