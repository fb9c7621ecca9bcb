import type { Facts } from '../compiled-conditions.js';
import type { DecisionInputs, Verdict } from '../decide.js';
import type { Rule } from '../rule-set.js';
import type { CaseDocument, DeliveryOutcome, ExpectedDelivery, ExpectedVerdict } from './case-document.js';

/** A case, and where it stands. */
export interface FoundCase {
  /** Relative to the rules folder. */
  readonly file: string;
  /** Counted from 1, of the case's object. */
  readonly line: number;
  /** With what the file says for all its cases filled in. */
  readonly case: CaseDocument;
  /** Names of the rules that it is about; null: all. */
  readonly watched: readonly string[] | null;
  readonly timezone: string | null;
  readonly calendar: string | null;
}

/** What a watched rule sent in a case. */
export interface SentDelivery {
  readonly rule: string;
  readonly action: string;
  /** Of an escalation; null: the rule's own action. */
  readonly step: string | null;
  /** Milliseconds since 1970, by the virtual clock: when it goes out. */
  readonly at: number;
  readonly state: DeliveryOutcome;
  readonly code: string | null;
  readonly target: string;
  /** As `rules try` shows it; secrets by their names. Null: it could not be rendered. */
  readonly request: unknown;
}

export interface SuppressedAction {
  readonly action: string;
  readonly cause: string;
}

/** The verdict of a watched rule that listens to an event, `not matched` too. */
export interface JudgedRule {
  readonly rule: string;
  readonly verdict: Verdict;
  readonly suppressed: readonly SuppressedAction[];
  /** The facts that the failing conditions read, by the names that messages use; empty unless it did not match. */
  readonly because: readonly string[];
}

export interface JudgedEvent {
  /** Of the steps of the case, from 0; of a turn of a schedule, the step that let the time pass. */
  readonly step: number;
  readonly eventType: string;
  readonly at: number;
  readonly rules: readonly JudgedRule[];
  /** Of those that were unknown then, how later events settled them; absent: none was. */
  readonly settled?: readonly JudgedRule[];
}

/** Where an answer is not as it was expected. `path`: like `body.process`. Undefined: it is not there. */
export interface Difference {
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export type CaseFailure =
  /** `closest`: what was sent and is nearest to it, and what differs; null: nothing of this rule and action was left. */
  | {
      readonly kind: 'missing';
      readonly expected: ExpectedDelivery;
      readonly closest: SentDelivery | null;
      readonly differences: readonly Difference[];
    }
  | { readonly kind: 'unexpected'; readonly delivery: SentDelivery }
  /** `step`: of the event; null: the last one. `actual` null: the rule listened to no event. `differences`: what of it. */
  | {
      readonly kind: 'verdict';
      readonly rule: string;
      readonly step: number | null;
      readonly expected: ExpectedVerdict;
      readonly actual: JudgedRule | null;
      readonly differences: readonly Difference[];
    }
  /** It could not be run: `step` from 0, null: not even begun. */
  | { readonly kind: 'broken'; readonly step: number | null; readonly message: string };

export interface CaseResult {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly ok: boolean;
  readonly failures: readonly CaseFailure[];
  readonly deliveries: readonly SentDelivery[];
  readonly judged: readonly JudgedEvent[];
  /** Milliseconds since 1970, of the virtual clock. */
  readonly startedAt: number;
  /** Real milliseconds that it took. */
  readonly ms: number;
}

/** Is told of everything that coverage counts. */
export interface CaseObserver {
  /** Conditions of a rule were asked, with these facts (those of the clock too). */
  asked(rule: Rule, part: AskedPart, facts: Facts, inputs: DecisionInputs): void;
  /** An action of a rule (or, with a step, of its escalation) went out, is held, or is an item of a digest that went out. */
  sent(rule: Rule, action: string, step: string | null): void;
}

/** Which conditions: the rule's own, what cancels its escalation, or those of an action (of a step). */
export type AskedPart =
  | { readonly part: 'conditions' }
  | { readonly part: 'cancelOn' }
  | { readonly part: 'when'; readonly action: string; readonly step: string | null };
