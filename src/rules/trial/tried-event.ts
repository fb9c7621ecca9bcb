import type { Catalogue } from '../../events/catalogue.js';
import type { StoredEvent } from '../../events/event-store.js';
import type { DecisionInputs, Situation, Subject } from '../decide.js';
import { observe, placeOf } from '../state/observe.js';
import { NO_STATE } from '../state/root-state.js';
import { type DecidedEvent, stateThen } from '../state/state-then.js';
import { subjectOf } from '../subject.js';

/** A stored event, and what its live evaluation recorded. Can be sent to a thread. */
export interface TriedEvent {
  readonly event: StoredEvent;
  readonly inputs: DecisionInputs;
  /**
   * Other events of its root entity, when facts of the state are wanted that nobody had recorded; null: none are wanted,
   * or there are too many.
   */
  readonly others: readonly DecidedEvent[] | null;
}

/** Which events are to be judged. */
export interface WantedEvents {
  /** Event types and patterns that the rules listen to. */
  readonly trigger: readonly string[];
  /** Facts of the state that they read. */
  readonly stateReads: readonly string[];
}

/** An event as it is judged. */
export interface ReadEvent {
  readonly subject: Subject;
  readonly inputs: DecisionInputs;
  /** As if no ladder stood. Undefined: no state is kept for the event. */
  readonly situation: Situation | undefined;
}

/**
 * What a decision about a stored event reads. `catalogue`: of the rule set that judges.
 *
 * @throws Error when its bytes are no event, or it has a value of so many levels that it cannot be written
 */
export function readTried({ event, inputs, others }: TriedEvent, catalogue: Catalogue): ReadEvent {
  const subject = subjectOf(event);
  // Throws at what no answer could hold.
  JSON.stringify([...subject.facts.values()]);
  if (event.rootEntity === null) return { subject, inputs: completed(inputs, {}), situation: undefined };
  if (others) {
    const then = stateThen(catalogue, { event, decidedAt: inputs.now }, others);
    const { place, state, orderTime, facts } = then;
    const all = completed(inputs, facts);
    const situation = { id: event.id, place, state, orderTime, late: isLate(all), ladders: [] };
    return { subject, inputs: all, situation };
  }
  const { eventType, eventId } = event;
  const place = placeOf(catalogue, eventType, subject.facts);
  const orderTime = (event.createTime ?? event.receivedAt).getTime();
  const statusRank = catalogue.statusRankOf(eventType, subject.facts);
  const { after } = observe(NO_STATE, { id: event.id, eventType, eventId, orderTime, statusRank, place });
  return {
    subject,
    inputs,
    situation: { id: event.id, place, state: after, orderTime, late: isLate(inputs), ladders: [] },
  };
}

/** What was recorded counts before what is found out now. */
function completed(inputs: DecisionInputs, facts: Readonly<Record<string, unknown>>): DecisionInputs {
  return { ...inputs, state: { 'event.late': false, ...facts, ...inputs.state } };
}

function isLate({ state }: DecisionInputs): boolean {
  return state?.['event.late'] === true;
}

/** The same after it came through the door of a thread, where bytes lose their class. */
export function arrived(tried: TriedEvent): TriedEvent {
  return {
    ...tried,
    event: withBytes(tried.event),
    others: tried.others?.map((one) => ({ ...one, event: withBytes(one.event) })) ?? null,
  };
}

function withBytes(event: StoredEvent): StoredEvent {
  const bytes = (from: Uint8Array): Buffer => Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  return { ...event, raw: bytes(event.raw), content: event.content && bytes(event.content) };
}
