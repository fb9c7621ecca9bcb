/** A generator of numbers in [0, 1): the same seed, the same numbers. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One event of a story: what it says, when it happened, and when it arrives (again and again: a duplicate). */
export interface StoryEvent {
  readonly eventId: string;
  readonly process: string;
  /** Null: an event of the process itself. */
  readonly task: string | null;
  readonly status: number;
  readonly createTime: number;
  readonly arrivals: readonly number[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * What happens to some tasks, three or so to a process: most are answered at some time, some twice, some never; a few
 * processes end early. Events come late, twice, and out of order. Times in ms; all fall onto multiples of `grain`, so
 * that equal ones are frequent.
 */
export function taskStories(
  count: number,
  begin: number,
  random: () => number,
  grain = MINUTE,
): StoryEvent[] {
  const minute = (ms: number): number => Math.round(ms / grain) * grain;
  const events: StoryEvent[] = [];
  let id = 0;
  const tell = (process: string, task: string | null, status: number, createTime: number): void => {
    const delay = random() < 0.7 ? 0 : minute(random() * (random() < 0.2 ? 30 : 2) * HOUR);
    const first = createTime + delay;
    const arrivals = random() < 0.15 ? [first, first + minute(random() * 8 * HOUR)] : [first];
    events.push({ eventId: `e${(id += 1)}`, process, task, status, createTime, arrivals });
  };
  let task = 0;
  for (let process = 0; task < count; process += 1) {
    const name = `p${process}`;
    const start = begin + minute(random() * 48 * HOUR);
    const size = 1 + Math.floor(random() * 5);
    for (let n = 0; n < size && task < count; n += 1) {
      const approver = `t${(task += 1)}`;
      let at = start + minute(random() * HOUR);
      tell(name, approver, 1, at);
      const fate = random();
      if (fate < 0.15) continue;
      at += minute(random() * 60 * HOUR);
      tell(name, approver, fate < 0.3 ? 2 : fate < 0.4 ? 4 : 3, at);
      if (fate < 0.85) continue;
      // Given back, and perhaps answered again.
      at += minute(random() * 10 * HOUR);
      tell(name, approver, 1, at);
      if (fate < 0.95) tell(name, approver, 3, at + minute(random() * 60 * HOUR));
    }
    if (random() < 0.2) tell(name, null, random() < 0.5 ? 9 : 4, start + minute(random() * 80 * HOUR));
  }
  return events;
}

/** Events by the time at which they arrive, each in the order in which they happened; duplicates among them. */
export function arrivalsOf(
  events: readonly StoryEvent[],
): { readonly at: number; readonly events: StoryEvent[] }[] {
  const byTime = new Map<number, StoryEvent[]>();
  for (const event of events)
    for (const at of event.arrivals) {
      const there = byTime.get(at);
      if (there) there.push(event);
      else byTime.set(at, [event]);
    }
  return [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([at, arriving]) => ({ at, events: arriving.sort(inOrder) }));
}

const RANK_OF_TASK = [1, 2, 3, 4];
const RANK_OF_PROCESS = [1, 2, 4, 9];

export function rankOf({ task, status }: StoryEvent): number {
  return (task === null ? RANK_OF_PROCESS : RANK_OF_TASK).indexOf(status) + 1;
}

function inOrder(a: StoryEvent, b: StoryEvent): number {
  return a.createTime - b.createTime || rankOf(a) - rankOf(b) || (a.eventId < b.eventId ? -1 : 1);
}

/** A step that has to be sent: by which event it was armed, and when it is sent. */
export interface ExpectedStep {
  readonly task: string;
  readonly armedBy: string;
  readonly step: string;
  readonly at: number;
}

/**
 * What has to be sent for a ladder "while the status is 1" over tasks, worked out as simply as can be: one task after
 * the other, with a list of what is known and a loop.
 */
export function expectedSteps(
  events: readonly StoryEvent[],
  steps: readonly { readonly name: string; readonly after: number }[],
  end: number,
): ExpectedStep[] {
  const expected: ExpectedStep[] = [];
  const byProcess = new Map<string, StoryEvent[]>();
  for (const event of events) {
    const there = byProcess.get(event.process);
    if (there) there.push(event);
    else byProcess.set(event.process, [event]);
  }
  for (const own of byProcess.values()) {
    const seen = new Set<string>();
    const last = new Map<string, StoryEvent>();
    const armed = new Map<string, { by: StoryEvent; since: number; sent: Set<string> }>();
    let over = false;
    const fire = (until: number): void => {
      for (const [task, ladder] of armed) {
        for (const { name, after } of steps) {
          const at = Math.max(ladder.by.createTime + after, ladder.since);
          if (at >= until || ladder.sent.has(name)) continue;
          ladder.sent.add(name);
          expected.push({ task, armedBy: ladder.by.eventId, step: name, at });
        }
      }
    };
    for (const { at, events: arriving } of arrivalsOf(own)) {
      // What is due at the same time comes after the events of that time.
      fire(at);
      for (const event of arriving) {
        if (seen.has(event.eventId)) continue;
        seen.add(event.eventId);
        const about = event.task ?? '';
        const before = last.get(about);
        if (before && inOrder(before, event) > 0) continue;
        last.set(about, event);
        if (event.task === null) {
          over = event.status !== 1;
          if (over) armed.clear();
        } else if (event.status !== 1) armed.delete(event.task);
        else if (!armed.has(event.task) && !over)
          armed.set(event.task, { by: event, since: at, sent: new Set() });
      }
    }
    fire(end + 1);
  }
  return expected;
}

/** Steps as texts, sorted: to be compared. */
export function stepTexts(steps: readonly ExpectedStep[]): string[] {
  return steps.map(({ task, armedBy, step, at }) => `${task} ${armedBy} ${step} ${at}`).sort();
}
