import { isObject } from '../events/own-member.js';
import type { HolderEvent } from './due-step.js';
import { LOOKUP_DOCUMENT } from './lookup-document.js';
import type { PlannedLookup } from './lookup-plan.js';
import type { Level } from './state/root-state.js';

/** Statuses of a Feishu HR process in which somebody may be waited for: in progress, being revoked. */
const OPEN_STATUSES = [1, 15];

/**
 * What is asked of the platform before a step: the detail of the process. Its limit of 100 a minute is shared with the
 * look-ups. Null: the event names no process.
 */
export function confirmationOf({ place }: HolderEvent): PlannedLookup | null {
  const { process: id, task } = place;
  if (id === null) return null;
  const document = LOOKUP_DOCUMENT.parse({ type: 'feishu-process', id });
  return {
    name: 'confirm',
    document,
    request: { kind: 'feishu-process', app: null, id, task, userIdType: 'open_id' },
    key: `confirm ${id}`,
  };
}

/**
 * Whether the task, node or process is still waited for, by what the platform says (a process detail, as look-ups read
 * it). Null: it does not say; a detail may lag behind, and a task that it does not name may be pending all the same.
 */
export function isPending(value: unknown, per: Level, { subject, place }: HolderEvent): boolean | null {
  if (!isObject(value)) return null;
  const { status } = value;
  if (typeof status === 'number' && !OPEN_STATUSES.includes(status)) return false;
  if (per === 'process') return typeof status === 'number' ? true : null;
  if (per === 'node') {
    const node = subject.facts.get('node_definition_id');
    const lists = [value['todos'], value['system_todos']].filter((list) => Array.isArray(list));
    if (typeof node !== 'string' || lists.length === 0) return null;
    return lists.flat().some((one) => isObject(one) && one['node_definition_id'] === node);
  }
  const task = value['task'];
  if (place.task === null || !isObject(task)) return null;
  return task['list'] === 'todos' || task['list'] === 'system_todos';
}
