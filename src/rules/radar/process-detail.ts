import { entityIdOf } from '../../events/catalogue.js';
import { isObject } from '../../events/own-member.js';
import { readTime } from '../../events/envelope.js';

/** One task as the platform has it now. */
export interface DetailTask {
  readonly id: string;
  /** As events tell it; null: the list says that it is done, and not how. */
  readonly status: number | null;
  /** Milliseconds since 1970; null: not said. */
  readonly createdAt: number | null;
  readonly endedAt: number | null;
  readonly nodeDefinition: string | null;
  readonly type: number | null;
  /** The platform's own: whether it sends events of such tasks is not known. */
  readonly system: boolean;
}

/** What a process detail says, of what events tell. */
export interface ProcessDetail {
  readonly status: number | null;
  readonly endedAt: number | null;
  readonly tasks: readonly DetailTask[];
}

const TO_DO = 1;
/** Statuses that a list of done tasks knows. */
const DONE = [2, 3, 4];

/** Reads the `data` of process.get (feishu-events 4.2). What it does not have, or has in another form, is not known. */
export function readProcessDetail(data: unknown): ProcessDetail {
  const detail = isObject(data) ? data : {};
  return {
    status: integer(detail['status']),
    endedAt: readTime(detail['complete_time']),
    tasks: [
      ...tasksIn(detail['done_list'], true, false),
      ...tasksIn(detail['todos'], false, false),
      ...tasksIn(detail['system_done_list'], true, true),
      ...tasksIn(detail['system_todos'], false, true),
    ],
  };
}

function tasksIn(list: unknown, done: boolean, system: boolean): DetailTask[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).flatMap((entry): DetailTask[] => {
    if (!isObject(entry)) return [];
    const id = entityIdOf({ entities: { task: 'approver_id' } }, 'task', (field) => entry[field]);
    if (id === null) return [];
    const status = integer(entry['status']);
    const node = entry['node_definition_id'];
    return [
      {
        id,
        status: done ? (status !== null && DONE.includes(status) ? status : null) : TO_DO,
        createdAt: readTime(entry['create_time']),
        endedAt: done ? readTime(entry['complete_time']) : null,
        nodeDefinition: typeof node === 'string' ? node : null,
        type: integer(entry['type']),
        system,
      },
    ];
  });
}

function integer(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}
