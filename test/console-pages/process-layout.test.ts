import { describe, expect, it } from '@jest/globals';
import {
  lateEvents,
  pictureOf,
  type PictureOptions,
  type Row,
} from '../../console/src/pages/process/layout.js';
import { scaleOver, ticksOf } from '../../console/src/pages/process/scale.js';
import type { Entity, EntityStatus, EntityTransition, Timer } from '../../console/src/api/types.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 30, 1);
const at = (hours: number): string => new Date(START + hours * HOUR).toISOString();

function change(
  id: string,
  hours: number,
  to: number,
  more: Partial<EntityTransition> = {},
): EntityTransition {
  return {
    at: at(hours),
    level: 'task',
    id,
    eventId: `${id}-${hours}`,
    from: null,
    fromLabel: null,
    to,
    toLabel: null,
    kind: 'forward',
    ...more,
  };
}

function status(value: number, hours: number, phase: EntityStatus['phase']): EntityStatus {
  return { value, label: null, phase, since: at(hours) };
}

function entity(more: Partial<Entity> = {}): Entity {
  return {
    entity: 'process:1',
    status: null,
    endedAt: null,
    updatedAt: at(10),
    nodes: [],
    tasks: [],
    history: [],
    timers: [],
    unsettled: [],
    events: [],
    deliveries: [],
    masked: false,
    ...more,
  };
}

function timer(more: Partial<Timer> = {}): Timer {
  return {
    id: 't',
    state: 'armed',
    rule: 'remind',
    per: 'task',
    subject: 'task:A',
    entity: 'process:1',
    step: 'second',
    dueAt: at(12),
    eventId: 'arming',
    baseTime: at(0),
    armedAt: at(0),
    sent: [],
    holders: [],
    code: null,
    reason: null,
    updatedAt: at(0),
    ...more,
  };
}

const OPTIONS: PictureOptions = {
  width: 1000,
  now: START + 10 * HOUR,
  squeeze: true,
  deliveries: [],
  phaseOf: ({ to }) => (to === 1 ? 'open' : to === 3 ? 'done' : 'rejected'),
};

function rowOf<Kind extends Row['kind']>(
  rows: readonly Row[],
  kind: Kind,
  key?: string,
): Extract<Row, { kind: Kind }> {
  const row = rows.find((one) => one.kind === kind && (key === undefined || one.key === key));
  if (!row) throw new Error(`there is no row ${kind}`);
  return row as Extract<Row, { kind: Kind }>;
}

describe('the scale', () => {
  const hours = (...all: number[]): number[] => all.map((one) => START + one * HOUR);

  it('keeps a steady pace as it is: equal times are equally long', () => {
    const scale = scaleOver(hours(0, 1, 2, 4, 5, 6), 1036, true);
    expect(scale.stretches).toHaveLength(1);
    expect(scale.xOf(START)).toBe(18);
    expect(scale.xOf(START + 3 * HOUR)).toBeCloseTo(518);
    expect(scale.xOf(START + 6 * HOUR)).toBeCloseTo(1018);
  });

  it('makes nights narrow, and leaves the days as long as each other', () => {
    const scale = scaleOver(hours(0, 3, 17, 20, 34, 37), 1000, true);
    expect(scale.stretches.map(({ squeezed }) => squeezed)).toEqual([false, true, false, true, false]);
    const [first, night, second] = scale.stretches.map(({ x0, x1 }) => x1 - x0);
    expect(first).toBeCloseTo(second ?? 0);
    expect(night).toBe(56);
  });

  it('is true to scale when it is asked to be', () => {
    const scale = scaleOver(hours(0, 3, 17, 20, 34, 37), 1000, false);
    expect(scale.stretches).toHaveLength(1);
  });

  it('squeezes a long wait between two bursts', () => {
    const scale = scaleOver(hours(0, 0.05, 0.1, 50, 50.05, 50.1), 1000, true);
    expect(scale.stretches.map(({ squeezed }) => squeezed)).toEqual([false, true, false]);
  });

  it('leaves room for what happens, however many nights there are', () => {
    const days = Array.from({ length: 60 }, (_, day) => [day * 24, day * 24 + 1, day * 24 + 2]).flat();
    const scale = scaleOver(hours(...days), 4000, true);
    expect(scale.stretches.filter(({ squeezed }) => squeezed)).toHaveLength(59);
    const busy = scale.stretches.filter(({ squeezed }) => !squeezed);
    expect(busy.every(({ x0, x1 }) => x1 - x0 > 15)).toBe(true);
    expect(scale.stretches.at(-1)?.x1).toBeCloseTo(3982);
  });

  it('never runs backwards, and holds what lies outside at its ends', () => {
    const scale = scaleOver(hours(0, 3, 17, 20, 34, 37), 800, true);
    let before = -1;
    for (let time = START - HOUR; time < START + 40 * HOUR; time += HOUR / 3) {
      expect(scale.xOf(time)).toBeGreaterThanOrEqual(before);
      before = scale.xOf(time);
    }
    expect(scale.xOf(START - 100 * HOUR)).toBe(18);
    expect(scale.xOf(START + 100 * HOUR)).toBeCloseTo(782);
  });

  it('puts one moment in the middle, and says nothing of times then', () => {
    const scale = scaleOver(hours(1, 1), 400, true);
    expect(scale.xOf(START)).toBe(200);
    expect(ticksOf(scale, () => 0)).toEqual([]);
  });

  it('has ticks at full hours of local time, apart from each other, none where it is squeezed', () => {
    const scale = scaleOver(hours(0.2, 3, 17, 20, 34, 37), 1000, true);
    // India: half an hour beside the hours of UTC.
    const zone = 5.5 * HOUR;
    const ticks = ticksOf(scale, () => zone);
    expect(ticks.length).toBeGreaterThan(2);
    for (const [n, { time, x }] of ticks.entries()) {
      expect((time + zone) % HOUR).toBe(0);
      expect(scale.stretches.some((one) => one.squeezed && x > one.x0 && x < one.x1)).toBe(false);
      const before = ticks[n - 1];
      if (before) expect(x - before.x).toBeGreaterThan(60);
    }
    expect(ticks[0]?.day).toBe(true);
    expect(ticks.filter(({ day }) => day)).toHaveLength(
      new Set(ticks.map(({ time }) => Math.floor((time + zone) / (24 * HOUR)))).size,
    );
  });
});

describe('late events', () => {
  const received = (eventId: string, hours: number): Entity['events'][number] => ({
    id: eventId,
    eventId,
    eventType: 'x',
    createTime: null,
    receivedAt: at(hours),
    state: 'decided',
  });

  it('are those received after a later one of the same task', () => {
    const history = [change('A', 1, 1), change('A', 2, 3), change('B', 1.5, 1)];
    const events = [received('A-2', 2), received('A-1', 3), received('B-1.5', 4)];
    expect([...lateEvents({ history, events })]).toEqual(['A-1']);
  });

  it('cannot be told of events that are not listed any more', () => {
    const history = [change('A', 1, 1), change('A', 2, 3)];
    expect(lateEvents({ history, events: [received('A-1', 3)] }).size).toBe(0);
  });
});

describe('the picture of a process', () => {
  const countersigned = entity({
    nodes: [
      {
        id: 'n1',
        status: null,
        seen: 2,
        pending: 1,
        done: 1,
        rejected: 0,
        cancelled: 0,
        complete: null,
      },
    ],
    tasks: [
      { id: 'A', node: 'n1', status: status(3, 4, 'done') },
      { id: 'B', node: 'n1', status: status(1, 0, 'open') },
      { id: 'C', node: null, status: status(2, 5, 'rejected') },
    ],
    history: [change('A', 0, 1), change('B', 0, 1), change('A', 4, 3), change('C', 5, 2)],
  });

  it('groups the tasks under their nodes, and those without one behind', () => {
    const { rows, height } = pictureOf(countersigned, OPTIONS);
    expect(rows.map(({ key }) => key)).toEqual(['node n1', 'task A', 'task B', 'no node', 'task C']);
    let y = 0;
    for (const row of rows) {
      expect(row.y).toBe(y);
      y += row.height;
    }
    expect(height).toBe(y);
  });

  it('draws each status from its change to the next one, the last until now', () => {
    const { rows, scale, nowX } = pictureOf(countersigned, OPTIONS);
    const { bars, marks } = rowOf(rows, 'task', 'task A');
    expect(bars).toEqual([
      expect.objectContaining({ phase: 'open', x0: scale.xOf(START), to: START + 4 * HOUR }),
      expect.objectContaining({ phase: 'done', x0: scale.xOf(START + 4 * HOUR), x1: nowX, to: null }),
    ]);
    expect(marks.map(({ phase }) => phase)).toEqual(['open', 'done']);
  });

  it('goes on with a status that is told again, and keeps the mark', () => {
    const { rows } = pictureOf(
      entity({
        tasks: [{ id: 'A', node: null, status: status(1, 0, 'open') }],
        history: [change('A', 0, 1), change('A', 2, 1, { kind: 'repeat' })],
      }),
      OPTIONS,
    );
    const { bars, marks } = rowOf(rows, 'task');
    expect(bars).toHaveLength(1);
    expect(marks.map(({ transition }) => transition.kind)).toEqual(['forward', 'repeat']);
  });

  it('draws a task whose changes are too long ago for the history', () => {
    const { rows } = pictureOf(
      entity({ tasks: [{ id: 'A', node: null, status: status(1, 2, 'open') }] }),
      OPTIONS,
    );
    const { bars } = rowOf(rows, 'task');
    expect(bars).toEqual([expect.objectContaining({ from: START + 2 * HOUR, phase: 'open', to: null })]);
  });

  it('ends with the end of the process, and has no line for now', () => {
    const ended = entity({
      status: status(2, 6, 'done'),
      endedAt: at(6),
      tasks: [{ id: 'A', node: null, status: status(3, 4, 'done') }],
      history: [change('A', 0, 1), change('A', 4, 3), change('1', 6, 2, { level: 'process' })],
    });
    const { rows, scale, nowX } = pictureOf(ended, { ...OPTIONS, now: START + 9000 * HOUR });
    expect(nowX).toBeNull();
    expect(scale.stretches.at(-1)?.to).toBe(START + 6 * HOUR);
    expect(rows[0]?.kind).toBe('process');
    expect(rowOf(rows, 'task').bars.at(-1)?.x1).toBe(scale.xOf(START + 6 * HOUR));
  });

  it('draws a ladder from when its steps count, with what it sent, into the future', () => {
    const sent = {
      id: 'd1',
      eventId: 'arming',
      occasion: 'step:remind:first',
      rule: 'remind',
      action: 'mail',
      target: 'email:x',
      state: 'delivered',
      attempt: 1,
      code: null,
      createdAt: at(6),
      dueAt: at(6),
    } as const;
    const { rows, scale, nowX } = pictureOf(
      entity({
        history: [change('A', 0, 1)],
        tasks: [{ id: 'A', node: null, status: status(1, 0, 'open') }],
        timers: [timer({ sent: ['first'] })],
      }),
      {
        ...OPTIONS,
        deliveries: [
          sent,
          // Of another ladder of the same rule.
          { ...sent, id: 'd2', eventId: 'another', createdAt: at(7) },
        ],
      },
    );
    const ladder = rowOf(rows, 'ladder');
    expect(ladder.x0).toBe(scale.xOf(START));
    expect(ladder.x1).toBe(nowX);
    expect(ladder.dueX).toBe(scale.xOf(START + 12 * HOUR));
    expect(ladder.dueX).toBeGreaterThan(nowX ?? Number.POSITIVE_INFINITY);
    expect(ladder.steps).toEqual([{ step: 'first', at: START + 6 * HOUR, x: scale.xOf(START + 6 * HOUR) }]);
  });

  it('ends a cancelled ladder where it was cancelled', () => {
    const { rows, scale } = pictureOf(
      entity({
        history: [change('A', 0, 1), change('A', 8, 3)],
        timers: [timer({ state: 'cancelled', code: 'CONDITIONS_FALSE', updatedAt: at(4) })],
      }),
      OPTIONS,
    );
    const ladder = rowOf(rows, 'ladder');
    expect(ladder.x1).toBe(scale.xOf(START + 4 * HOUR));
    expect(ladder.dueX).toBeNull();
  });

  it('puts deliveries of one state and moment together, and others beside them in lanes', () => {
    const delivery = (id: string, hours: number, state: 'delivered' | 'dead') => ({
      id,
      eventId: 'e',
      occasion: 'live',
      rule: 'r',
      action: id,
      target: 't',
      state,
      attempt: 1,
      code: null,
      createdAt: at(hours),
      dueAt: at(hours),
    });
    const { rows } = pictureOf(entity({ history: [change('A', 0, 1)] }), {
      ...OPTIONS,
      deliveries: [
        delivery('a', 1, 'delivered'),
        delivery('b', 1, 'delivered'),
        delivery('c', 1, 'dead'),
        delivery('d', 9, 'delivered'),
      ],
    });
    const { marks, height } = rowOf(rows, 'deliveries');
    expect(marks.map(({ lane, deliveries }) => [lane, deliveries.map(({ id }) => id).join('')])).toEqual([
      [0, 'ab'],
      [1, 'c'],
      [0, 'd'],
    ]);
    expect(height).toBe(58);
  });
});
