import type { Catalogue } from '../../events/catalogue.js';
import type { StoredEvent } from '../../events/event-store.js';
import { subjectOf } from '../subject.js';
import { observe, placeOf } from './observe.js';
import { NO_STATE, type EventPlace, type RootState } from './root-state.js';
import { stateFacts } from './state-facts.js';

/** An event, and when it was decided (ms). */
export interface DecidedEvent {
  readonly event: StoredEvent;
  readonly decidedAt: number;
}

/** What the state said of an event when it was decided. */
export interface StateThen {
  readonly place: EventPlace;
  /** With the event in it. */
  readonly state: RootState;
  readonly facts: Readonly<Record<string, unknown>>;
  /** By which the events of its root entity are in order, ms. */
  readonly orderTime: number;
}

/**
 * The state of a root entity as it was for one of its events: all that were decided before it are taken in again, and then
 * the event. Pure, and independent of what the state has become since. `others`: events of the same root entity, in any
 * order; those that cannot be read any more are missed.
 */
export function stateThen(
  catalogue: Catalogue,
  about: DecidedEvent,
  others: readonly DecidedEvent[],
): StateThen {
  const own = positioned(catalogue, about);
  const before = others
    .filter(({ event, decidedAt }) => event.id !== about.event.id && decidedAt <= about.decidedAt)
    .map((one) => positioned(catalogue, one))
    // Those of one batch have the same time: they were decided in the order of their entity.
    .filter((one) => one.decidedAt < own.decidedAt || comesBefore(one, own))
    .sort((a, b) => a.decidedAt - b.decidedAt || (comesBefore(a, b) ? -1 : 1));
  let state: RootState = NO_STATE;
  for (const one of before) state = observe(state, one).after;
  const { after, late } = observe(state, own);
  return {
    place: own.place,
    state: after,
    facts: stateFacts(after, own.place, own, own.orderTime, late),
    orderTime: own.orderTime,
  };
}

function positioned(catalogue: Catalogue, { event, decidedAt }: DecidedEvent) {
  const { facts, eventType } = subjectOf(event);
  return {
    id: event.id,
    eventId: event.eventId,
    eventType,
    decidedAt,
    orderTime: (event.createTime ?? event.receivedAt).getTime(),
    statusRank: catalogue.statusRankOf(eventType, facts),
    place: placeOf(catalogue, eventType, facts),
  };
}

type Positioned = ReturnType<typeof positioned>;

function comesBefore(a: Positioned, b: Positioned): boolean {
  return (a.orderTime - b.orderTime || a.statusRank - b.statusRank || (a.eventId < b.eventId ? -1 : 1)) < 0;
}
