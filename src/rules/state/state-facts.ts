import { compare, currentOf, entityAt, statusBefore } from './observe.js';
import { isTerminal, phaseOf } from './phases.js';
import type { EntityState, EventPlace, Observation, Position, RootState } from './root-state.js';
import { countsAt, totalOf } from './tally.js';

/**
 * The facts of the state, as they are for an event, or for an entity that a timer or schedule is about. `at` is where
 * the event stands among those of its entity; null: at the end, after all that was seen. What is not known is left
 * out. `now`: ms, from which ages count; of an event, its create time.
 *
 * Those of the task are as of the event; those of the node and the process as all that was seen says. There is no age
 * before the first that was seen.
 */
export function stateFacts(
  state: RootState,
  place: EventPlace,
  at: { readonly orderTime: number; readonly statusRank: number; readonly eventId: string } | null,
  now: number,
  late: boolean,
): Record<string, unknown> {
  const facts: Record<string, unknown> = { 'event.late': late };
  if (place.process === null) return facts;
  const task = place.task === null ? null : entityAt(state, 'task', place.task);
  if (task) addTaskFacts(facts, momentOf(task, place, at), now);
  addNodeFacts(facts, state, place.node ?? task?.node ?? null);
  addProcessFacts(facts, state, now);
  return facts;
}

/** A task as of an event: what was seen of it until then, the status it has there, and the one before. */
interface Moment {
  readonly first: Observation;
  readonly seen: readonly Observation[];
  readonly status: string | number;
  readonly before: string | number | null | undefined;
}

function momentOf(
  { seen }: EntityState,
  { tells, status }: EventPlace,
  at: { readonly orderTime: number; readonly statusRank: number; readonly eventId: string } | null,
): Moment | null {
  const position: Position | null = at && [at.orderTime, at.statusRank, at.eventId];
  const upTo = position ? seen.filter((one) => compare(one, position) <= 0) : seen;
  const [first] = upTo;
  const last = upTo.at(-1);
  if (!first || !last) return null;
  // Of a long history the event's own observation may have been dropped.
  if (position && tells === 'task' && status !== null && compare(last, position) !== 0)
    return { first, seen: upTo, status, before: last[3] };
  return { first, seen: upTo, status: last[3], before: statusBefore(upTo.at(-2) ?? null, last[1]) };
}

function addTaskFacts(facts: Record<string, unknown>, moment: Moment | null, now: number): void {
  if (!moment) return;
  const { first, seen, status, before } = moment;
  if (before !== undefined) {
    facts['task.previousStatus'] = before;
    facts['task.transition'] = `${before ?? ''}>${status}`;
  }
  facts['task.firstSeen'] = first[0];
  if (first[0] <= now) facts['task.age'] = now - first[0];
  facts['task.reopened'] = seen.some(
    ([, , , , phase], index) => phase === 'open' && isTerminal(seen[index - 1]?.[4] ?? null),
  );
}

/** Counts of the tasks that were seen of the node: lower bounds of what there is. */
function addNodeFacts(facts: Record<string, unknown>, state: RootState, node: string | null): void {
  if (node === null) return;
  const counts = countsAt(state.tally.nodes, node);
  facts['node.seen'] = totalOf(counts);
  facts['node.pending'] = counts.open ?? 0;
  facts['node.done'] = counts.done ?? 0;
  facts['node.rejected'] = counts.rejected ?? 0;
  facts['node.cancelled'] = counts.cancelled ?? 0;
  // What the node itself says counts before what the process does.
  const end = [entityAt(state, 'node', node), state.process].map(phaseOf).find(isTerminal);
  if (end !== undefined) facts['node.complete'] = end === 'done' || end === 'rejected';
}

function addProcessFacts(
  facts: Record<string, unknown>,
  { process, tally: { tasks, first } }: RootState,
  now: number,
): void {
  const status = currentOf(process)?.[3];
  if (status !== undefined) facts['process.status'] = status;
  facts['process.tasks'] = totalOf(tasks);
  facts['process.rejected'] = tasks.rejected ?? 0;
  if (first !== null && first <= now) facts['process.age'] = now - first;
}
