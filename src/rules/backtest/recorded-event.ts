import type { StoredEvent } from '../../events/event-store.js';
import type { LookupAnswers } from '../lookup-document.js';

/** A stored event, and what is recorded of its decision, as a back-test needs it. */
export interface RecordedEvent {
  readonly event: StoredEvent;
  /** When it was decided, ms since 1970; null: that is not recorded, and it counts as decided when it was received. */
  readonly decidedAt: number | null;
  /** What look-ups answered for it when it was decided; absent: nothing is recorded. */
  readonly lookups?: LookupAnswers;
  /** The key of the event because of which things were sent, when that was another one; absent: its own. */
  readonly cause?: string;
  /** Of the ladders that it armed: what was answered before their steps. */
  readonly steps?: readonly RecordedStep[];
}

/** What was answered before a step of a ladder was sent or left. */
export interface RecordedStep {
  readonly rule: string;
  /** `task:123`; null: not recorded, and it counts for any that the event armed. */
  readonly subject: string | null;
  readonly step: string;
  /** When it was decided, ms since 1970. */
  readonly at: number;
  /** Whether the platform said that somebody was still waited for; null: it was not asked, or did not say. */
  readonly pending: boolean | null;
  readonly lookups?: LookupAnswers;
}

/** Stored events in the order of their decisions, some at a time. */
export interface RecordedEvents {
  /** How many there are at most; null: that is not known before they are read. */
  count(): Promise<number | null>;
  read(): AsyncIterable<readonly RecordedEvent[]>;
}
