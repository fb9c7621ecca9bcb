import { type EntityState, type ObservedEvent, type Phase, PHASES, type Position } from './root-state.js';

/** How many tasks are in each phase; those in which there is none are left out. */
export type PhaseCounts = { readonly [phase in Phase]?: number };

/**
 * What all parts of a root entity come to. Kept beside them, so that an event needs to be read together with its own
 * task only, however many others there are. Plain JSON.
 */
export interface Tally {
  /** Of all tasks. */
  readonly tasks: PhaseCounts;
  /** Of the tasks of each node, by its id. */
  readonly nodes: Readonly<Record<string, PhaseCounts>>;
  /** When the first status of anything was seen, ms; null: none was. */
  readonly first: number | null;
  /** The event that is the last of all, whatever it told the status of. */
  readonly last: LastEvent | null;
}

export interface LastEvent {
  /** Stored id, and the type. */
  readonly id: string;
  readonly eventType: string;
  readonly at: Position;
}

export const NO_TALLY: Tally = { tasks: {}, nodes: {}, first: null, last: null };

/** The same after an event was seen. */
export function withEvent(
  tally: Tally,
  { id, eventType, orderTime, statusRank, eventId }: ObservedEvent,
): Tally {
  const at: Position = [orderTime, statusRank, eventId];
  const isFirst = tally.first === null || orderTime < tally.first;
  const isLast = tally.last === null || isBefore(tally.last.at, at);
  if (!isFirst && !isLast) return tally;
  return {
    ...tally,
    first: isFirst ? orderTime : tally.first,
    last: isLast ? { id, eventType, at } : tally.last,
  };
}

/** The same after a task has come from one state to another. */
export function withTask(tally: Tally, before: EntityState | null, after: EntityState): Tally {
  const [from, to] = [phaseIn(before), phaseIn(after)];
  const [left, entered] = [before?.node ?? null, after.node];
  if (from === to && left === entered) return tally;
  let { nodes } = tally;
  const stays = left === entered;
  if (!stays && left !== null && from !== null)
    nodes = withCounts(nodes, left, moved(countsAt(nodes, left), from, null));
  if (entered !== null)
    nodes = withCounts(nodes, entered, moved(countsAt(nodes, entered), stays ? from : null, to));
  return { ...tally, tasks: moved(tally.tasks, from, to), nodes };
}

/** A node that no task is in any more is left out, as if none had ever been. */
function withCounts(nodes: Tally['nodes'], node: string, counts: PhaseCounts): Tally['nodes'] {
  if (Object.keys(counts).length > 0) return { ...nodes, [node]: counts };
  return Object.fromEntries(Object.entries(nodes).filter(([id]) => id !== node));
}

/** Of the tasks of a node. Ids are what senders write: `__proto__` is one. */
export function countsAt(nodes: Tally['nodes'], node: string): PhaseCounts {
  return Object.hasOwn(nodes, node) ? (nodes[node] ?? {}) : {};
}

/** How many tasks there are in all. */
export function totalOf(counts: PhaseCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function phaseIn(task: EntityState | null): Phase | null {
  return task?.seen.at(-1)?.[4] ?? null;
}

function moved(counts: PhaseCounts, from: Phase | null, to: Phase | null): PhaseCounts {
  const after: { [phase in Phase]?: number } = {};
  for (const phase of PHASES) {
    const count = (counts[phase] ?? 0) - (phase === from ? 1 : 0) + (phase === to ? 1 : 0);
    if (count > 0) after[phase] = count;
  }
  return after;
}

function isBefore(a: Position, b: Position): boolean {
  if (a[0] !== b[0]) return a[0] < b[0];
  return a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2];
}
