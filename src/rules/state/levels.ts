import type { CatalogueEntry } from '../../events/catalogue.js';
import { type Level, LEVELS, type Phase, type StatusDefinition } from './root-state.js';

/** What an event type says of the levels: nothing when its events belong to no root entity. */
type Definition = Pick<CatalogueEntry, 'entities' | 'rootEntity' | 'status'>;

/**
 * The entity kind that stands for a level in an event type; null: it has none. The root entity is the level
 * `process`, whatever its kind is called, and no other level.
 */
export function kindOfLevel({ entities, rootEntity }: Definition, level: Level): string | null {
  if (rootEntity === undefined) return null;
  if (level === 'process') return rootEntity;
  return level !== rootEntity && Object.hasOwn(entities, level) ? level : null;
}

/** Whether the events of a type say which task, node or root entity they are about. */
export function hasLevel(entry: Definition, level: Level): boolean {
  return kindOfLevel(entry, level) !== null;
}

/** The same for event types that name the same root entities: by the same field. Undefined: they name none. */
export function rootOf({ rootEntity, entities }: Definition): string | undefined {
  return rootEntity === undefined ? undefined : JSON.stringify([rootEntity, entities[rootEntity]]);
}

/** The level whose status the events of a type tell; null: no level's. */
export function levelTold(entry: Definition): Level | null {
  if (!entry.status) return null;
  const { entity } = entry.status;
  // LEVELS begins with the most particular.
  const told = LEVELS.find((level) => {
    const kind = kindOfLevel(entry, level);
    return kind !== null && (entity === undefined || kind === entity);
  });
  return told ?? null;
}

/** Whether the last event of an entity may be of a type: it tells the status of it, or of a part of a root entity. */
export function mayBeLast(entry: Definition, level: Level): boolean {
  const told = levelTold(entry);
  return told === level || (told !== null && level === 'process');
}

/** What a status means. A type without terminal statuses never ends. */
export function phaseIn(
  { order, terminal = [], outcomes = {} }: StatusDefinition,
  status: string | number,
): Phase {
  if (!order.includes(status)) return 'unknown';
  if (!terminal.includes(status)) return 'open';
  if (outcomes.done?.includes(status)) return 'done';
  if (outcomes.rejected?.includes(status)) return 'rejected';
  return outcomes.cancelled?.includes(status) ? 'cancelled' : 'ended';
}
