import type { EventPlace, RootState } from './root-state.js';

/**
 * The facts of the state, as they are for an event, or for an entity that a timer or schedule is about. `at` is where
 * the event stands among those of its entity; null: at the end, after all that was seen. What is not known is left
 * out. `now`: ms, from which ages count; of an event, its create time.
 */
export function stateFacts(
  _state: RootState,
  _place: EventPlace,
  _at: { readonly orderTime: number; readonly statusRank: number; readonly eventId: string } | null,
  _now: number,
  _late: boolean,
): Record<string, unknown> {
  throw new Error('to be written');
}
