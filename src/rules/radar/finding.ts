import type { Label } from '../../events/catalogue.js';
import type { AskedBefore } from './lost-scan.js';
import type { Sign } from './lost-signs.js';

/**
 * What the radar finds: a value of a topic that no rule reads; a value that an enum does not have; a rule that used to fire
 * and does not any more; a rule that one and the same condition keeps from ever matching; a process of which an event was
 * lost.
 */
export const RADAR_KINDS = [
  'unread-value',
  'unknown-value',
  'silent-rule',
  'failing-condition',
  'lost-events',
] as const;
export type RadarKind = (typeof RADAR_KINDS)[number];

/** What there is to say of a finding, by its kind. Plain JSON; times as ISO 8601. */
export interface FindingDetails {
  readonly 'unread-value': {
    readonly eventType: string;
    readonly field: string;
    readonly label: Label | null;
    readonly value: string;
    /** When the first and the last of the events that were looked at came in; and the stored id of the last. */
    readonly from: string;
    readonly until: string;
    readonly eventId: string;
    /** A value that rules read and that is nearly this one; null: there is none. */
    readonly nearest: string | null;
  };
  readonly 'unknown-value': {
    readonly eventType: string;
    readonly field: string;
    readonly label: Label | null;
    /** As JSON; null: it is personal. */
    readonly value: string | null;
    readonly from: string;
    readonly until: string;
    readonly eventId: string;
  };
  readonly 'silent-rule': {
    readonly rule: string;
    /** The hour in which it fired last. */
    readonly lastFired: string;
    readonly silentHours: number;
    /** The longest that it was silent before. */
    readonly usualHours: number;
    /** How often it fired, and over how many days, before it stopped. */
    readonly fired: number;
    readonly days: number;
    /** Events that it listens to since then, and how many of these would have made it fire by its rate before. */
    readonly events: number;
    readonly expected: number;
  };
  readonly 'failing-condition': {
    readonly rule: string;
    readonly eventType: string;
    readonly fact: string;
    readonly label: Label | null;
    readonly operator: string;
    readonly wanted: unknown;
    /** The values that stood there instead, the most frequent first; empty: they are personal. */
    readonly seen: readonly { readonly value: unknown; readonly count: number }[];
    readonly nearest: string | null;
    /** Events that the rule listens to, of those that were looked at. */
    readonly looked: number;
    readonly from: string;
    readonly until: string;
    readonly eventId: string;
  };
  readonly 'lost-events': {
    readonly entity: string;
    readonly signs: readonly Sign[];
    readonly lastEventType: string;
    readonly lastEventAt: string;
    readonly eventId: string;
    /** What the platform was asked, and what came of it; null: nobody has asked. */
    readonly asked: {
      readonly at: string;
      readonly outcome: AskedBefore['outcome'];
      readonly detail: string;
    } | null;
  };
}

/** One thing that the radar has found. `subject`: what it is about, the same as long as it stands. */
export type RadarFinding = {
  readonly [Kind in RadarKind]: {
    readonly kind: Kind;
    readonly subject: string;
    /** The rules that it concerns. */
    readonly rules: readonly string[];
    /** Events, or signs of a loss. */
    readonly count: number;
    readonly detail: FindingDetails[Kind];
  };
}[RadarKind];
