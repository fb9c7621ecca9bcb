import { factsOf } from '../events/event-facts.js';
import type { StoredEvent } from '../events/event-store.js';
import type { Subject } from './decide.js';

/**
 * What a stored event is to a decision.
 *
 * @throws Error when the stored bytes are no event: they were, when they were stored.
 */
export function subjectOf(event: StoredEvent): Subject {
  const key = `${event.origin}/${event.eventId}`;
  return {
    key,
    eventType: event.eventType,
    entity: event.rootEntity ?? `event:${key}`,
    appId: /^feishu:(.+)$/.exec(event.origin)?.[1] ?? null,
    facts: factsOf(event),
  };
}
