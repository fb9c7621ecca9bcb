import type { ActionKind } from '../../action/action.js';
import type { RuleExplanation } from '../explain.js';
import type { SuppressionCause } from '../firing.js';
import type { FieldChange } from './field-changes.js';

/**
 * How a delivery differs between two rule sets. `changed`: what is sent, or whether it can be rendered or is held;
 * `moved`: the same at another time. `undecidable`: only one of the two sends it, and the other could not tell, for want of
 * a look-up that was never recorded.
 */
export const BACKTEST_CHANGES = ['added', 'removed', 'changed', 'moved', 'same', 'undecidable'] as const;
export type BacktestChange = (typeof BACKTEST_CHANGES)[number];
export type BacktestCounts = Readonly<Record<BacktestChange, number>>;

/** What a rule change would have done over stored events. Plain JSON; times as ISO 8601; these names are kept. */
export interface BacktestReport {
  readonly before: BacktestSet;
  readonly after: BacktestSet;
  readonly window: {
    readonly from: string;
    readonly until: string;
    /** From here on events were taken in without counting what they send. */
    readonly warmUpFrom: string;
  };
  readonly events: {
    /** Within the window. */
    readonly judged: number;
    readonly warmUp: number;
    /** Erased, or their bytes are no event. */
    readonly left: number;
    /** Of the judged ones: the time of their decision is not recorded. */
    readonly undated: number;
  };
  /** Deliveries. */
  readonly totals: BacktestCounts;
  /** Of each rule that sends anything in one of the two, or whose verdicts differ; the most changes first, then by name. */
  readonly rules: readonly BacktestRule[];
  /** The most changes first, then by target. */
  readonly targets: readonly { readonly target: string; readonly counts: BacktestCounts }[];
  /** Look-ups that a rule needed and nobody had recorded. */
  readonly unrecorded: readonly BacktestUnrecorded[];
  /** SHA-256 over all of it but for itself: the same events and rules give the same, whenever and wherever. */
  readonly hash: string;
}

export interface BacktestSet {
  readonly ruleSet: string;
  readonly rules: number;
  /** Deliveries within the window, by what they came to. */
  readonly deliveries: Readonly<Record<'sent' | 'held' | 'dead' | 'waiting', number>>;
  /** Actions that were asked for and not sent, by their cause. */
  readonly suppressed: Readonly<Partial<Record<SuppressionCause, number>>>;
  /** Messages out of many. */
  readonly digests: number;
}

export interface BacktestRule {
  readonly rule: string;
  /** Whether the rule stands in both sets, and says the same in both. */
  readonly change: 'added' | 'removed' | 'changed' | 'same';
  readonly counts: BacktestCounts;
  readonly verdicts: {
    readonly before: BacktestVerdicts;
    readonly after: BacktestVerdicts;
  };
  readonly targets: readonly { readonly target: string; readonly counts: BacktestCounts }[];
  /** The first few of each change, in the order of their time. */
  readonly examples: readonly BacktestExample[];
}

/** Of events that the rule listens to, within the window. */
export type BacktestVerdicts = Readonly<Record<'matched' | 'unknown' | 'error' | 'skipped', number>>;

export interface BacktestExample {
  readonly change: BacktestChange;
  readonly action: string;
  readonly kind: ActionKind;
  /** Of a ladder; null: the rule's own action. */
  readonly step: string | null;
  readonly entity: string;
  readonly cause: string;
  /** The event that it is about; null: a turn of a schedule, or a digest of several. */
  readonly event: {
    readonly id: string;
    readonly eventId: string;
    readonly eventType: string;
    readonly receivedAt: string;
  } | null;
  /** Null: this set does not send it. */
  readonly before: BacktestDelivery | null;
  readonly after: BacktestDelivery | null;
  /** What differs between the two, field by field; of an added or removed one nothing. */
  readonly fields: readonly FieldChange[];
  /** Why each set came to it, as `explain` has it; null: there is no such rule in the set, or no one event to explain. */
  readonly why: { readonly before: RuleExplanation | null; readonly after: RuleExplanation | null };
  /** Of a set that asked for it and did not send it: what stood in the way. */
  readonly suppressed: { readonly before: SuppressionCause | null; readonly after: SuppressionCause | null };
}

export interface BacktestDelivery {
  readonly target: string;
  /** `waiting`: for quiet hours or its turn, when the window ended. A digest that gathers still is no delivery yet. */
  readonly state: 'sent' | 'held' | 'dead' | 'waiting';
  /** When it goes out; of one that is held or dead, when that was decided; null: it waits. */
  readonly at: string | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** As it would be sent; a secret is shown as its name. */
  readonly request: unknown;
}

export interface BacktestUnrecorded {
  readonly set: 'before' | 'after';
  readonly lookup: string;
  readonly count: number;
  /** Stored ids of the first few events. */
  readonly events: readonly string[];
}
