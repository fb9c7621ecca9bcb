import { isObject } from '../events/own-member.js';

/** The lists of a process detail in which a task can stand, in the order in which they are searched (feishu-events 4.2). */
const TASK_LISTS = ['todos', 'done_list', 'system_todos', 'system_done_list', 'cc_list'] as const;
/** What is kept with an evaluation; a process with hundreds of tasks keeps the one it is about. */
const MAX_CHARACTERS = 48 * 1024;

/**
 * What rules read of a process detail: the platform's `data`, names always as `zh_cn` and `en_us` (its documents warn
 * that they may come as `zh-CN`), and `task`: the entry whose `approver_id` is `task`, with the `list` it stands in.
 * The detail may lag behind the event or be ahead of it, so there may be no such entry.
 */
export function processValue(data: unknown, task: string | null): Record<string, unknown> {
  const detail = isObject(data) ? (withPlainNames(data) as Record<string, unknown>) : {};
  const found = task === null ? null : taskIn(detail, task);
  const value = found ? { ...detail, task: found } : detail;
  if (JSON.stringify(value).length <= MAX_CHARACTERS) return value;
  const without = new Set<string>([...TASK_LISTS, 'comment_infos', 'abstracts']);
  return Object.fromEntries(Object.entries(value).filter(([key]) => !without.has(key)));
}

function taskIn(detail: Record<string, unknown>, task: string): Record<string, unknown> | null {
  for (const list of TASK_LISTS) {
    const entries = detail[list];
    if (!Array.isArray(entries)) continue;
    const entry: unknown = entries.find((one) => isObject(one) && String(one['approver_id']) === task);
    if (isObject(entry)) return { ...entry, list };
  }
  return null;
}

/** What rules read of a user: the members of the platform's `data.user`. */
export function userValue(data: unknown): Record<string, unknown> {
  const user = isObject(data) ? data['user'] : undefined;
  return isObject(user) ? { ...user } : {};
}

function withPlainNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPlainNames);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      /^(?:zh|en|ja)-[A-Za-z]{2}$/.test(key) ? key.replace('-', '_').toLowerCase() : key,
      withPlainNames(one),
    ]),
  );
}
