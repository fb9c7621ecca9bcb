import type { Rule } from '../rule-set.js';
import type { ChosenDelivery, RecallChoice, RecallStore } from './recall-store.js';
import type { ChosenEvent } from './replay-store.js';

/** What a recall is about: deliveries, and events to be evaluated again. */
export interface RecallSelection {
  readonly deliveries: readonly ChosenDelivery[];
  readonly events: readonly ChosenEvent[];
}

/** There is more than one order may hold: so many deliveries, or events, at least. */
export interface TooMany {
  readonly deliveries: number;
  readonly events: number;
}

/**
 * Chooses the deliveries of a rule, and the events that the mended rule is asked about: those of the deliveries, and,
 * with `replay`, all that the rule listens to. The event of a step, a digest or a
 * turn is only looked at: it may be much older, or of another entity. `mended`: null when there is no such rule any more.
 */
export async function recallSelection(
  store: RecallStore,
  choice: RecallChoice,
  { mended, replay, most }: { readonly mended: Rule | null; readonly replay: boolean; readonly most: number },
): Promise<RecallSelection | TooMany> {
  const deliveries = await store.deliveriesOf(choice, most);
  const candidates = mended && replay ? await store.candidatesOf(mended, choice, most) : [];
  const events = new Map<string, ChosenEvent>();
  const note = (event: ChosenEvent): void => {
    const key = JSON.stringify([event.eventId, event.entity]);
    if (event.sends || !events.has(key)) events.set(key, event);
  };
  for (const one of candidates) note(one);
  for (const { eventId, entity, isOfEvent } of deliveries) note({ eventId, entity, sends: isOfEvent });
  if (deliveries.length > most || events.size > most)
    return { deliveries: deliveries.length, events: events.size };
  return { deliveries, events: [...events.values()] };
}
