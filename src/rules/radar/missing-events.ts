import type { Catalogue } from '../../events/catalogue.js';
import { hasEnded } from '../state/phases.js';
import { entityAt } from '../state/observe.js';
import type { EntityState, RootState } from '../state/root-state.js';
import type { DetailTask, ProcessDetail } from './process-detail.js';

/** The event type that tells the statuses of tasks of processes, which the process detail lists. */
export const TASK_TYPE = 'corehr.process.approver.updated_v2';
/** Those that tell the status of the process itself. */
export const PROCESS_TYPES = ['corehr.process.updated_v2', 'corehr.process.status.update_v2'];

const TO_DO = 1;

/** A status that the platform knows and no event has told. */
export interface MissingEvent {
  readonly eventType: string;
  /** Null: of the process itself. */
  readonly task: DetailTask | null;
  readonly status: number;
  /** When it was reached, ms. */
  readonly at: number;
}

/** What a comparison comes to. */
export interface Compared {
  readonly missing: readonly MissingEvent[];
  /** The platform knows more than the state, and not enough to make an event of it: it says no time, or not how it ended. */
  readonly vague: number;
}

/**
 * What of the platform's own account of a process no event has told. Pure. `state`: with all its tasks. `processTypes`:
 * types of events about processes themselves that come in at all. Only what was reached within `from` and `until` (ms):
 * before, nobody listened; after, the event may be on its way.
 */
export function missingEvents(
  state: RootState,
  detail: ProcessDetail,
  {
    catalogue,
    processTypes,
    from,
    until,
  }: {
    readonly catalogue: Catalogue;
    readonly processTypes: readonly string[];
    readonly from: number;
    readonly until: number;
  },
): Compared {
  const missing: MissingEvent[] = [];
  let vague = 0;
  const note = (
    eventType: string,
    task: DetailTask | null,
    status: number | null,
    at: number | null,
  ): void => {
    if (status === null || at === null) vague += 1;
    else if (at >= from && at <= until) missing.push({ eventType, task, status, at });
  };
  for (const task of detail.tasks) {
    const known = entityAt(state, 'task', task.id);
    if (task.system && known === null) continue;
    const { begins } = catalogue.find(TASK_TYPE)?.status ?? {};
    // Whatever it was opened for later: it has begun with an event that says so.
    if (begins?.includes(TO_DO) === true && known?.seen[0]?.[3] !== TO_DO)
      note(TASK_TYPE, task, TO_DO, task.createdAt);
    if (task.status !== TO_DO && !isTold(known, task)) note(TASK_TYPE, task, task.status, task.endedAt);
  }
  const { status } = detail;
  if (status !== null && isTerminal(catalogue, status) && !hasEnded(state) && !hasTold(state.process, status))
    for (const eventType of processTypes) note(eventType, null, status, detail.endedAt);
  return { missing, vague };
}

function hasTold(entity: EntityState | null, status: number): boolean {
  return entity?.seen.some((one) => one[3] === status) ?? false;
}

/** Whether the end of a task was told: it is what the task is in, or was before it was opened again. */
function isTold(known: EntityState | null, { status, endedAt }: DetailTask): boolean {
  const last = known?.seen.at(-1);
  if (!known || !last) return false;
  if (status === null) return last[3] !== TO_DO;
  if (last[3] === status) return true;
  // Opened again after that, by what events say: the detail is older than they are.
  if (endedAt !== null && last[0] > endedAt) return hasTold(known, status);
  return known.seen.some((one) => one[3] === status && endedAt !== null && one[0] >= endedAt);
}

function isTerminal(catalogue: Catalogue, status: number): boolean {
  return PROCESS_TYPES.some((type) => catalogue.find(type)?.status?.terminal?.includes(status) ?? false);
}
