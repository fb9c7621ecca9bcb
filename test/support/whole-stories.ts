import { rankOf, type StoryEvent, taskStories } from './task-stories.js';

const HOUR = 3_600_000;
/** What failed is delivered again for so long (feishu-events 1.7). */
const DELIVERED_WITHIN = 7 * HOUR;

/**
 * Stories as a platform lets them happen: nothing is done in a process that has ended, what was still to do is cancelled then,
 * and every event arrives within the time in which the platform delivers it again.
 */
export function wholeStories(count: number, begin: number, random: () => number): StoryEvent[] {
  const all = taskStories(count, begin, random);
  const ends = new Map(all.filter(({ task }) => task === null).map((one) => [one.process, one]));
  const kept = all.filter((one) => {
    const end = ends.get(one.process);
    return !end || one === end || one.createTime <= end.createTime;
  });
  const cancelled = [...ends.values()].flatMap((end) =>
    [...tasksOf(kept, end.process)].flatMap(([task, events]) =>
      events.at(-1)?.status === 1
        ? [{ ...end, task, status: 4, eventId: `${end.eventId}-${task}`, arrivals: [end.createTime] }]
        : [],
    ),
  );
  return [...kept, ...cancelled].map((one) => ({
    ...one,
    arrivals: one.arrivals.map((at) => Math.min(at, one.createTime + DELIVERED_WITHIN)),
  }));
}

/** The events of the tasks of a process, each in order. */
export function tasksOf(events: readonly StoryEvent[], process: string): ReadonlyMap<string, StoryEvent[]> {
  const tasks = new Map<string, StoryEvent[]>();
  for (const one of inOrder(events.filter((event) => event.process === process)))
    if (one.task !== null) tasks.set(one.task, [...(tasks.get(one.task) ?? []), one]);
  return tasks;
}

export function inOrder(events: readonly StoryEvent[]): StoryEvent[] {
  return [...events].sort(
    (a, b) => a.createTime - b.createTime || rankOf(a) - rankOf(b) || (a.eventId < b.eventId ? -1 : 1),
  );
}

/** `data` of process.get as the platform has it at a time: the truth, whatever of it was ever delivered. Null: not begun. */
export function detailAt(events: readonly StoryEvent[], process: string, now: number): object | null {
  const past = inOrder(events.filter((one) => one.process === process && one.createTime <= now));
  if (past.length === 0) return null;
  const end = past.findLast(({ task }) => task === null);
  const entries = [...tasksOf(past, process)].map(([task, own]) => {
    const last = own.at(-1);
    return {
      done: last?.status !== 1,
      entry: {
        approver_id: task,
        type: 1,
        node_definition_id: 'approval_7c7d9c4d25b',
        create_time: String(own.find(({ status }) => status === 1)?.createTime),
        ...(last?.status === 1 ? {} : { status: last?.status, complete_time: String(last?.createTime) }),
      },
    };
  });
  return {
    process_id: process,
    status: end?.status ?? 1,
    create_time: String(past[0]?.createTime),
    ...(end ? { complete_time: String(end.createTime) } : {}),
    todos: entries.filter(({ done }) => !done).map(({ entry }) => entry),
    done_list: entries.filter(({ done }) => done).map(({ entry }) => entry),
    system_todos: [],
    system_done_list: [],
  };
}
