import type { Catalogue } from '../../events/catalogue.js';
import type { Facts } from '../compiled-conditions.js';
import type { EntityState, EventPlace, Observed, ObservedEvent, RootState, Transition } from './root-state.js';

/** Whom an event is about and what it says of them, by the catalogue. */
export function placeOf(_catalogue: Catalogue, _eventType: string, _facts: Facts): EventPlace {
  throw new Error('to be written');
}

/** Takes an event in. Whatever the order in which events are taken in, the state is the same in the end. Pure. */
export function observe(_before: RootState, _event: ObservedEvent): Observed {
  throw new Error('to be written');
}

/** The recorded history of an entity, in order. */
export function transitionsOf(_entity: EntityState): Transition[] {
  throw new Error('to be written');
}

/** The status that an entity is in now; null: none was seen. */
export function currentOf(_entity: EntityState | null | undefined): EntityState['seen'][number] | null {
  throw new Error('to be written');
}
