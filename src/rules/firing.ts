import type { ActionKind } from '../action/action.js';
import type { NewDelivery } from '../action/delivery-store.js';
import type { Facts } from './compiled-conditions.js';
import type { WithheldAction } from './rule-action.js';
import type { Rule } from './rule-set.js';

/** What one match of a rule, or one due step, asks for, before the gates. */
export interface Match {
  readonly rule: Rule;
  /** Null: the rule's own actions; else the name of the step of its ladder. */
  readonly step: string | null;
  /** The root entity; `event:<key>` when there is none. */
  readonly entity: string;
  /** The event's key; `<arming key>#<step>` of a step; `<turn key>#task:1` of a schedule. */
  readonly cause: string;
  /** What `oncePer` counts by: `task:1`, `node:2`, `process:3`; null: the event itself. */
  readonly subject: string | null;
  /** All that conditions and keys may read. */
  readonly facts: Facts;
  /** Rendered; empty with a digest. */
  readonly deliveries: readonly NewDelivery[];
  /** With a digest: one for each action. */
  readonly items: readonly FiringItem[];
  /** The actions that their own conditions leave out. */
  readonly withheld: readonly WithheldAction[];
}

/** A match, and the evaluation that the ledger has it under. */
export interface Firing extends Match {
  /** Of the stored event. */
  readonly eventId: string;
  readonly occasion: string;
}

export interface FiringItem {
  readonly action: string;
  readonly kind: ActionKind;
  /** What the templates of a digest read of it. */
  readonly item: DigestItemContent;
}

/** Plain JSON. */
export interface DigestItemContent {
  readonly event: Readonly<Record<string, unknown>>;
  readonly task: Readonly<Record<string, unknown>>;
  readonly node: Readonly<Record<string, unknown>>;
  readonly process: Readonly<Record<string, unknown>>;
  readonly lookup: Readonly<Record<string, unknown>>;
}

/** Why a matched rule led to no delivery now. */
export const SUPPRESSION_CAUSES = [
  'shadow',
  'when',
  'already-sent',
  'once-per',
  'silence',
  'throttle',
  'quiet-hours',
  'digest',
] as const;
export type SuppressionCause = (typeof SUPPRESSION_CAUSES)[number];
