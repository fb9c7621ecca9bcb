import type { CatalogueEntry } from '../../events/catalogue.js';
import { NO_TALLY, type Tally } from './tally.js';

/** What state is kept for: an approval task, a node, and the root entity itself (the process or approval instance). */
export const LEVELS = ['task', 'node', 'process'] as const;
export type Level = (typeof LEVELS)[number];

/**
 * What a status means, whatever its number: `open`, somebody is waited for; `done`, `rejected` and `cancelled` as the
 * catalogue's `status.outcomes` say; `ended`: terminal in any other way; `unknown`: not in the catalogue's order.
 */
export const PHASES = ['open', 'done', 'rejected', 'cancelled', 'ended', 'unknown'] as const;
export type Phase = (typeof PHASES)[number];

/** One status that an event told: create time (ms), status rank, the sender's event id, the status, its phase. */
export type Observation = readonly [
  time: number,
  rank: number,
  eventId: string,
  status: string | number,
  phase: Phase,
];

/** What is known of one task, node or root entity. Plain JSON. */
export interface EntityState {
  /** In order: by time, then rank, then event id. Each event once. */
  readonly seen: readonly Observation[];
  /** Stored id of the latest event in that order. */
  readonly latest: string;
  /** The type of that event. */
  readonly latestType: string;
  /** Of a task: the id of its node, as the latest event that names one says; null: not known. */
  readonly node: string | null;
  /** Where the event stands that named the node; absent: it is the latest. */
  readonly nodeAt?: Position;
}

/** Where an event stands among those of its entity. */
export type Position = readonly [time: number, rank: number, eventId: string];

/** What is known of a root entity and of what belongs to it. Plain JSON. */
export interface RootState {
  /** Null: no event has told a status of the root entity itself. */
  readonly process: EntityState | null;
  /** By id. */
  readonly nodes: Readonly<Record<string, EntityState>>;
  /** By id; those that were read: what is to be said of all stands in the tally. */
  readonly tasks: Readonly<Record<string, EntityState>>;
  readonly tally: Tally;
}

export const NO_STATE: RootState = { process: null, nodes: {}, tasks: {}, tally: NO_TALLY };

/** Where an event stands: whom it is about, and what it says of it. */
export interface EventPlace {
  /** Ids; null: the event names none. `process` is the id within the root entity. */
  readonly process: string | null;
  readonly node: string | null;
  readonly task: string | null;
  /** Whose status the event tells: the most particular of its entities, when its type has a status; null: nobody's. */
  readonly tells: Level | null;
  readonly status: string | number | null;
  readonly phase: Phase;
}

/** An event as the state takes it in. */
export interface ObservedEvent {
  /** Stored id. */
  readonly id: string;
  readonly eventType: string;
  /** The sender's id. */
  readonly eventId: string;
  /** Milliseconds since 1970. */
  readonly orderTime: number;
  readonly statusRank: number;
  readonly place: EventPlace;
}

/** What came of taking an event in. */
export interface Observed {
  readonly before: RootState;
  readonly after: RootState;
  /** Older than the state of the entity whose status it tells: the state has not moved. */
  readonly late: boolean;
}

/** One step of the recorded history of an entity. */
export interface Transition {
  readonly time: number;
  readonly eventId: string;
  /** Null: there was none before, because it begins with this status. Undefined: it was not seen. */
  readonly from: string | number | null | undefined;
  readonly to: string | number;
  /**
   * `first`: nothing was seen before. `repeat`: the same status again. `forward`: as the catalogue's order has it.
   * `irregular`: backwards, out of a terminal status, or to a status that the catalogue does not know.
   */
  readonly kind: 'first' | 'repeat' | 'forward' | 'irregular';
}

export type StatusDefinition = NonNullable<CatalogueEntry['status']>;
