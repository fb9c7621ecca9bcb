import type { RateLimit } from '../action/rate-window.js';
import type { Template } from '../action/template.js';
import type { RuleDuration } from './calendar/work-duration.js';
import type { CompiledConditions } from './compiled-conditions.js';
import type { RuleAction } from './rule-action.js';
import type { OncePer } from './rule-document.js';
import type { Level } from './state/root-state.js';

/** What a rule says about state and time, compiled. Calendars by name, null: the default one; time zones likewise. */
export interface RuleTiming {
  readonly oncePer: OncePer;
  /** How long an "unknown" may be settled by a later event, in ms. */
  readonly settleMs: number;
  readonly throttle: Throttle | null;
  /** Of deliveries within a time; what is beyond it is held. Null: only the storm brake counts. */
  readonly budget: RateLimit | null;
  readonly digest: Digest | null;
  readonly quietHours: QuietHours | null;
  readonly schedule: Schedule | null;
  readonly escalation: Escalation | null;
  /** Of the clock's facts: the rule's own, or the first that one of its parts names. */
  readonly calendar: string | null;
  readonly timezone: string | null;
  /** Whether its conditions or templates read facts of the clock (`now.date` and the like; not `{{ now }}`). */
  readonly readsClock: boolean;
  /** Names of the facts of the state that its conditions, keys or templates read. */
  readonly stateReads: ReadonlySet<string>;
}

export interface Throttle {
  readonly max: number;
  readonly perMs: number;
  /** A fact, or `owner`; null: one for the whole rule. */
  readonly key: string | null;
}

export interface Digest {
  /** Null: at once, of a schedule. */
  readonly windowMs: number | null;
  readonly key: string | null;
  readonly item: Template | null;
}

export interface QuietHours {
  readonly calendar: string | null;
  readonly timezone: string | null;
  /** Minutes of the day between which it is not quiet. */
  readonly from: number;
  readonly to: number;
  readonly then: 'defer' | 'drop' | 'send';
}

export interface Schedule {
  readonly cron: string;
  /** Null: on every day. */
  readonly calendar: string | null;
  readonly timezone: string | null;
  readonly over: Level;
  /** Fingerprint of all of it. */
  readonly plan: string;
}

export interface Escalation {
  readonly per: Level;
  readonly calendar: string | null;
  readonly timezone: string | null;
  readonly steps: readonly EscalationStep[];
  readonly cancelOn: CompiledConditions | null;
  readonly confirm: boolean;
  /** Fingerprint of the steps' names and durations, and of the calendar's content. */
  readonly plan: string;
}

export interface EscalationStep {
  readonly name: string;
  readonly after: RuleDuration;
  readonly actions: readonly RuleAction[];
}

/** The event type of a schedule's turn. */
export const SCHEDULE_TYPE = 'aftersign.schedule';
