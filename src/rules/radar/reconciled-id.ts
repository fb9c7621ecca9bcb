import { createHash } from 'node:crypto';
import type { EventPlace, Observation } from '../state/root-state.js';

const PREFIX = 'reconcile:';

/** Of the platform's own times and those of its events: so far apart they may lie and still mean one and the same. */
export const SAME_MS = 3_600_000;

/**
 * The event id of the event that is made up for one that told a status and was lost: `reconcile:<process>:<task>:<status>`,
 * of a status of the process itself with the event type instead of the task. The same loss has the same id, whoever
 * finds it and how often. `about`: as events name it. Null: the event tells nobody's status, or that of a node.
 */
export function reconciledId(
  eventType: string,
  { process, task, tells, status }: Pick<EventPlace, 'process' | 'task' | 'tells' | 'status'>,
): string | null {
  if (process === null || status === null || tells === null || tells === 'node') return null;
  const id = `${PREFIX}${process}:${tells === 'task' ? (task ?? '') : eventType}:${status}`;
  // As envelopes have it. Ids of the platform are digits; those of others may be anything.
  return /^[\w.:-]{1,128}$/.test(id) ? id : `${PREFIX}${createHash('sha256').update(id).digest('hex')}`;
}

export function isReconciledId(eventId: string): boolean {
  return eventId.startsWith(PREFIX);
}

/** Whether an observation was made about when something else was, ms. */
export function isNear([time]: Observation, at: number): boolean {
  return Math.abs(time - at) <= SAME_MS;
}
