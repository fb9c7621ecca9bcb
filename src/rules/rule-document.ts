import type { ActionDocument } from '../action/action-document.js';
import type { ConditionDocument } from './condition-document.js';
import type { EffectiveDocument } from './effective.js';
import type { Level } from './state/root-state.js';

/** One rule as the loader has read it: sound, with its defaults filled in. Plain JSON. */
export interface RuleDocument {
  /** Unique in the rule set. */
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  /** Evaluated on live events, and never sent; absent: live. */
  readonly mode?: 'shadow';
  /** The live rule that it is compared with. */
  readonly shadowOf?: string;
  readonly effective?: EffectiveDocument;
  /** Event types and patterns. */
  readonly trigger: readonly string[];
  readonly conditions: ConditionDocument;
  /** 1 or more; higher first. */
  readonly priority: number;
  /** Empty only beside `escalate`. */
  readonly actions: readonly ActionDocument[];
  /** Name of the work calendar of everything in the rule that names none of its own. */
  readonly calendar?: string;
  /** IANA name, likewise. */
  readonly timezone?: string;
  /** Instead of event types; then `trigger` is `['aftersign.schedule']`. */
  readonly schedule?: ScheduleDocument;
  readonly oncePer?: OncePer;
  /** A duration of the wall calendar; absent: 24h. */
  readonly settle?: string;
  readonly throttle?: ThrottleDocument;
  readonly budget?: BudgetDocument;
  readonly digest?: DigestDocument;
  readonly quietHours?: QuietHoursDocument;
  readonly escalate?: EscalateDocument;
}

export type OncePer = 'event' | Level;

/** `trigger: {schedule, …}`: evaluated over every open entity of a kind. */
export interface ScheduleDocument {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly schedule: string;
  /** Only on its workdays. */
  readonly calendar?: string;
  readonly timezone?: string;
  readonly over: Level;
}

export interface ThrottleDocument {
  readonly max: number;
  /** A duration of the wall calendar. */
  readonly per: string;
  /** A fact, or `owner`; absent: all that the rule sends together. */
  readonly key?: string;
}

export interface BudgetDocument {
  /** So many deliveries; what comes beyond them is held for a person. */
  readonly max: number;
  /** A duration of the wall calendar. */
  readonly per: string;
}

export interface DigestDocument {
  /** A duration of the wall calendar, counted from the first item. Absent only beside a schedule: then at once. */
  readonly window?: string;
  /** A fact, or `owner`; absent: everything for a target together. */
  readonly key?: string;
  /** A template for each item, by which `{{ items }}` stands in texts. */
  readonly item?: string;
}

export interface QuietHoursDocument {
  readonly calendar?: string;
  readonly timezone?: string;
  /** `09:00-19:00`: quiet is every other time, and, with a calendar, every day that is no workday. */
  readonly outside: string;
  readonly then: 'defer' | 'drop' | 'send';
}

export interface EscalateDocument {
  readonly per: Level;
  readonly calendar?: string;
  readonly timezone?: string;
  readonly steps: readonly EscalationStepDocument[];
  readonly cancelOn?: ConditionDocument;
  /** Whether the platform is asked before each step; absent: no. */
  readonly confirm?: boolean;
}

export interface EscalationStepDocument {
  /** Unique in the ladder; absent: its `after`. */
  readonly name?: string;
  /** Counted from the create time of the event that armed the ladder. */
  readonly after: string;
  readonly actions: readonly ActionDocument[];
}
