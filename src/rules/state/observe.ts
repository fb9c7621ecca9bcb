import { type Catalogue, type CatalogueEntry, entityIdOf } from '../../events/catalogue.js';
import type { Facts } from '../compiled-conditions.js';
import { kindOfLevel, levelTold, phaseIn } from './levels.js';
import { isTerminal } from './phases.js';
import type {
  EntityState,
  EventPlace,
  Level,
  Observation,
  Observed,
  ObservedEvent,
  Position,
  RootState,
  Transition,
} from './root-state.js';
import { type Tally, withEvent, withTask } from './tally.js';

/** Of one entity. A sender that repeats itself without end must not make each further event dearer. */
export const MOST_OBSERVATIONS = 500;

const LONGEST_STATUS = 200;
const NOWHERE: EventPlace = {
  process: null,
  node: null,
  task: null,
  tells: null,
  status: null,
  phase: 'unknown',
};

/**
 * Whom an event is about and what it says of them, by the catalogue. An event that belongs to no root entity is about
 * nobody; one without its status, or without the id of whom it would tell it, tells nobody's.
 */
export function placeOf(catalogue: Catalogue, eventType: string, facts: Facts): EventPlace {
  const entry = catalogue.find(eventType);
  if (!entry) return NOWHERE;
  const idOf = (level: Level): string | null => {
    const kind = kindOfLevel(entry, level);
    return kind === null ? null : entityIdOf(entry, kind, (field) => facts.get(factOf(entry, field)));
  };
  const process = idOf('process');
  if (process === null) return NOWHERE;
  const ids = { process, node: idOf('node'), task: idOf('task') };
  const level = levelTold(entry);
  const status = entry.status ? facts.get(factOf(entry, entry.status.field)) : null;
  if (!entry.status || level === null || ids[level] === null || !isStatus(status))
    return { ...NOWHERE, ...ids };
  return { ...ids, tells: level, status, phase: phaseIn(entry.status, status) };
}

/** The fact that reads a field: a field whose name is an envelope fact's has another. */
function factOf({ fields }: CatalogueEntry, field: string): string {
  return (Object.hasOwn(fields, field) ? fields[field]?.fact : undefined) ?? field;
}

function isStatus(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && value.length <= LONGEST_STATUS);
}

/**
 * Takes an event in. Whatever the order in which events are taken in, and however often, the state is the same in the
 * end. Pure, and shares with the state before all that has not changed.
 *
 * Of one entity at most `MOST_OBSERVATIONS` are kept. Beyond that the oldest goes that says again what the one before
 * it has said, or, when each tells something new, the oldest but the first. The first and the last always stay; how
 * what is between them was thinned out may then depend on the order of arrival.
 */
export function observe(before: RootState, event: ObservedEvent): Observed {
  const { tells, status } = event.place;
  const id = tells && event.place[tells];
  if (tells === null || id === null || status === null) return { before, after: before, late: false };
  const known = entityAt(before, tells, id);
  const changed = withObservation(known, event, status);
  const last = currentOf(known);
  return {
    before,
    after:
      changed === known
        ? before
        : withEntity(before, tells, id, changed, tallyAfter(before, event, known, changed)),
    late: last !== null && compare(last, [event.orderTime, event.statusRank, event.eventId]) > 0,
  };
}

/** What is known of a task, node or the root entity; null: nothing. Ids are what senders write: `__proto__` is one. */
export function entityAt(state: RootState, level: Level, id: string): EntityState | null {
  if (level === 'process') return state.process;
  const entities = level === 'task' ? state.tasks : state.nodes;
  return Object.hasOwn(entities, id) ? (entities[id] ?? null) : null;
}

function withEntity(
  state: RootState,
  level: Level,
  id: string,
  entity: EntityState,
  tally: Tally,
): RootState {
  switch (level) {
    case 'process':
      return { ...state, process: entity, tally };
    case 'node':
      return { ...state, nodes: { ...state.nodes, [id]: entity }, tally };
    case 'task':
      return { ...state, tasks: { ...state.tasks, [id]: entity }, tally };
  }
}

function tallyAfter(
  { tally }: RootState,
  event: ObservedEvent,
  known: EntityState | null,
  changed: EntityState,
): Tally {
  const seen = withEvent(tally, event);
  return event.place.tells === 'task' ? withTask(seen, known, changed) : seen;
}

/** The entity with an event in its place; the very same when the event is in it already. */
function withObservation(
  known: EntityState | null,
  { id, eventType, eventId, orderTime, statusRank, place }: ObservedEvent,
  status: string | number,
): EntityState {
  const observation: Observation = [orderTime, statusRank, eventId, status, place.phase];
  const named = place.tells === 'task' ? place.node : null;
  if (known === null) return { seen: [observation], latest: id, latestType: eventType, node: named };
  const { seen } = known;
  if (seen.some((one) => one[2] === eventId)) return known;
  const at = seen.findLastIndex((one) => compare(one, observation) < 0) + 1;
  const isLast = at === seen.length;
  const kept = thinned([...seen.slice(0, at), observation, ...seen.slice(at)]);
  return {
    seen: kept,
    latest: isLast ? id : known.latest,
    latestType: isLast ? eventType : known.latestType,
    ...nodeAfter(known, named, observation),
  };
}

/** The node as the latest event that names one says, and where that event stands when others came behind it. */
function nodeAfter(
  { seen, node, nodeAt }: EntityState,
  named: string | null,
  observation: Observation,
): Pick<EntityState, 'node' | 'nodeAt'> {
  const last = seen.at(-1) ?? observation;
  const position = nodeAt ?? last;
  const isLast = compare(observation, last) > 0;
  if (named !== null && (node === null || compare(observation, position) > 0))
    return isLast ? { node: named } : { node: named, nodeAt: positionAt(observation) };
  if (node === null) return { node };
  return nodeAt || isLast ? { node, nodeAt: positionAt(position) } : { node };
}

function thinned(seen: readonly Observation[]): readonly Observation[] {
  if (seen.length <= MOST_OBSERVATIONS) return seen;
  const repeat = seen.findIndex(
    (one, index) => index > 0 && index < seen.length - 1 && one[3] === seen[index - 1]?.[3],
  );
  return seen.toSpliced(repeat < 0 ? 1 : repeat, 1);
}

/** The recorded history of an entity, in order. */
export function transitionsOf({ seen }: Pick<EntityState, 'seen'>): Transition[] {
  return seen.map((observation, index) => {
    const [time, , eventId, to] = observation;
    const previous = seen[index - 1] ?? null;
    return {
      time,
      eventId,
      from: statusBefore(previous, observation[1]),
      to,
      kind: kindOf(previous, observation),
    };
  });
}

/** The status before one of a rank, by the observation before it. Null: it begins with it; undefined: not seen. */
export function statusBefore(previous: Observation | null, rank: number): string | number | null | undefined {
  if (previous) return previous[3];
  return rank === 1 ? null : undefined;
}

function kindOf(previous: Observation | null, [, rank, , status]: Observation): Transition['kind'] {
  if (!previous) return 'first';
  const [, rankBefore, , statusBefore, phaseBefore] = previous;
  if (statusBefore === status) return 'repeat';
  return rank > rankBefore && !isTerminal(phaseBefore) ? 'forward' : 'irregular';
}

/** The status that an entity is in now; null: none was seen. */
export function currentOf(entity: EntityState | null | undefined): Observation | null {
  return entity?.seen.at(-1) ?? null;
}

function positionAt([time, rank, eventId]: Position | Observation): Position {
  return [time, rank, eventId];
}

/** By time, then by the catalogue's order of statuses, then by event id; never by arrival. */
export function compare(a: Position | Observation, b: Position | Observation): number {
  return a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
}
