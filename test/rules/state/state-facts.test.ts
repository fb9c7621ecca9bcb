// Facts of the state, by hand and against counts that are written here. Pure.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MOST_OBSERVATIONS, observe } from '../../../src/rules/state/observe.js';
import {
  type EventPlace,
  NO_STATE,
  type ObservedEvent,
  type RootState,
} from '../../../src/rules/state/root-state.js';
import { stateFacts } from '../../../src/rules/state/state-facts.js';
import { CC_TYPE, nodeEvent, observedEvent, processEvent, taskEvent } from '../../support/observed-events.js';

const SEED = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

function after(events: readonly ObservedEvent[]): RootState {
  return events.reduce((state, event) => observe(state, event).after, NO_STATE);
}

/** The facts for an event that is among those taken in, or one that has just come. Ages count from its own time. */
function factsFor(event: ObservedEvent, events: readonly ObservedEvent[]): Record<string, unknown> {
  return stateFacts(after([...events, event]), event.place, event, event.orderTime, false);
}

function only(facts: Readonly<Record<string, unknown>>, root: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([name]) => name.startsWith(`${root}.`)));
}

describe('the facts of a task', () => {
  it('begin with its first status: there was none before', () => {
    expect(only(factsFor(taskEvent('a', 10, 1), []), 'task')).toEqual({
      'task.previousStatus': null,
      'task.transition': '>1',
      'task.firstSeen': 10,
      'task.age': 0,
      'task.reopened': false,
    });
  });

  it('do not say what was before when that was not seen', () => {
    expect(only(factsFor(taskEvent('b', 20, 3), []), 'task')).toEqual({
      'task.firstSeen': 20,
      'task.age': 0,
      'task.reopened': false,
    });
    expect(only(factsFor(taskEvent('b', 20, 99), []), 'task')).not.toHaveProperty('task.transition');
  });

  it('are of where the event stands, whatever has come behind it', () => {
    const events = [
      taskEvent('a', 10, 1),
      taskEvent('b', 20, 3),
      taskEvent('c', 30, 1),
      taskEvent('d', 45, 4),
    ];
    const told = events.map((event) => only(factsFor(event, events), 'task'));
    expect(told.map((facts) => facts['task.transition'])).toEqual(['>1', '1>3', '3>1', '1>4']);
    expect(told.map((facts) => facts['task.previousStatus'])).toEqual([null, 1, 3, 1]);
    expect(told.map((facts) => facts['task.age'])).toEqual([0, 10, 20, 35]);
    expect(told.map((facts) => facts['task.reopened'])).toEqual([false, false, true, true]);
  });

  it('change when what was before arrives late', () => {
    const done = taskEvent('b', 20, 3);
    expect(factsFor(done, [])).not.toHaveProperty('task.previousStatus');
    expect(factsFor(done, [taskEvent('a', 10, 1)])).toMatchObject({
      'task.transition': '1>3',
      'task.age': 10,
    });
  });

  it('are of the end for a timer', () => {
    const events = [taskEvent('a', 10, 1), taskEvent('b', 20, 3)];
    const place: EventPlace = { ...taskEvent('x', 0, 1).place, node: null };
    const facts = stateFacts(after(events), place, null, 1000, false);
    expect(only(facts, 'task')).toEqual({
      'task.previousStatus': 1,
      'task.transition': '1>3',
      'task.firstSeen': 10,
      'task.age': 990,
      'task.reopened': false,
    });
  });

  it('are not known of an event about no task, or about one that was never seen', () => {
    const events = [taskEvent('a', 10, 1)];
    expect(only(factsFor(processEvent('b', 20, 1), events), 'task')).toEqual({});
    const place = { ...processEvent('b', 20, 1).place, task: 'never' };
    expect(only(stateFacts(after(events), place, null, 20, false), 'task')).toEqual({});
    // Nor of one that was seen only later.
    const early = { orderTime: 5, statusRank: 1, eventId: 'x' };
    const about = { ...place, task: '1' };
    expect(only(stateFacts(after(events), about, early, 20, false), 'task')).toEqual({});
  });

  it('of an event that tells another status are those that the task had then', () => {
    const events = [taskEvent('a', 10, 1), taskEvent('b', 20, 3), taskEvent('c', 40, 4)];
    const place = { ...processEvent('x', 30, 1).place, task: '1' };
    const at = { orderTime: 30, statusRank: 1, eventId: 'x' };
    expect(stateFacts(after(events), place, at, 30, false)).toMatchObject({
      'task.transition': '1>3',
      'task.age': 20,
    });
  });

  it('are known of an event whose own status has been dropped from a long history', () => {
    const events = Array.from({ length: 2 * MOST_OBSERVATIONS }, (_, index) =>
      taskEvent(`e${index}`, index, 1),
    );
    const event = events[5];
    if (!event) throw new Error('there is no such event');
    expect(after(events).tasks['1']?.seen.some(([, , eventId]) => eventId === 'e5')).toBe(false);
    expect(stateFacts(after(events), event.place, event, 5, true)).toMatchObject({
      'event.late': true,
      'task.transition': '1>1',
      'task.age': 5,
    });
  });
});

describe('the facts of a node', () => {
  const TASKS = [
    taskEvent('a', 10, 1, '1', 'n'),
    taskEvent('b', 10, 3, '2', 'n'),
    taskEvent('c', 10, 2, '3', 'n'),
    taskEvent('d', 10, 4, '4', 'n'),
    taskEvent('e', 10, 18, '5', 'n'),
    taskEvent('f', 10, 99, '6', 'n'),
    taskEvent('g', 10, 1, '7', 'm'),
    taskEvent('h', 10, 1, '8'),
  ];
  const COUNTS = {
    'node.seen': 6,
    'node.pending': 1,
    'node.done': 1,
    'node.rejected': 1,
    'node.cancelled': 1,
  };

  it('count the tasks that were seen of it, by what they are now', () => {
    expect(only(factsFor(nodeEvent('x', 20, 1), TASKS), 'node')).toEqual(COUNTS);
    const done = taskEvent('i', 20, 3, '1', 'n');
    expect(only(factsFor(done, TASKS), 'node')).toEqual({ ...COUNTS, 'node.pending': 0, 'node.done': 2 });
    expect(factsFor(nodeEvent('x', 20, 1, 'empty'), TASKS)).toMatchObject({
      'node.seen': 0,
      'node.pending': 0,
    });
  });

  it('are those of the node of the task when the event names none', () => {
    expect(only(factsFor(taskEvent('i', 20, 1, '1'), TASKS), 'node')).toEqual(COUNTS);
  });

  it('are not known when nobody has named the node', () => {
    expect(only(factsFor(taskEvent('i', 20, 1, '8'), TASKS), 'node')).toEqual({});
    expect(only(factsFor(processEvent('i', 20, 1), TASKS), 'node')).toEqual({});
  });

  it.each([
    ['in progress', [nodeEvent('a', 1, 1)], undefined],
    ['never told', [], undefined],
    ['passed', [nodeEvent('a', 1, 1), nodeEvent('b', 2, 3)], true],
    ['rejected', [nodeEvent('b', 2, 2)], true],
    ['withdrawn', [nodeEvent('b', 2, 4)], false],
    ['skipped', [nodeEvent('b', 2, 6)], false],
    ['rolled back', [nodeEvent('b', 2, 5)], undefined],
    ['passed and opened again', [nodeEvent('b', 2, 3), nodeEvent('c', 3, 1)], undefined],
    ['passed, and a late event says that it was open', [nodeEvent('b', 2, 3), nodeEvent('a', 1, 1)], true],
    ['of a status that nobody knows', [nodeEvent('b', 2, 42)], undefined],
    ['open in a completed process', [nodeEvent('a', 1, 1), processEvent('z', 9, 9)], true],
    ['open in a rejected process', [nodeEvent('a', 1, 1), processEvent('z', 9, 2)], true],
    ['open in a withdrawn process', [nodeEvent('a', 1, 1), processEvent('z', 9, 4)], false],
    ['withdrawn in a completed process', [nodeEvent('a', 1, 4), processEvent('z', 9, 9)], false],
    ['open in a process that is being revoked', [nodeEvent('a', 1, 1), processEvent('z', 9, 15)], undefined],
  ])('say whether it is complete: %s', (_, events, complete) => {
    const facts = factsFor(taskEvent('t', 1, 1, '1', 'n'), events);
    expect(facts['node.complete']).toBe(complete);
    expect('node.complete' in facts).toBe(complete !== undefined);
  });
});

describe('the facts of a process', () => {
  it('say its status, the tasks seen, and how long ago anything of it was seen', () => {
    const events = [nodeEvent('n', 5, 1), taskEvent('a', 10, 1, '1'), taskEvent('b', 10, 2, '2')];
    expect(only(factsFor(processEvent('p', 30, 2), events), 'process')).toEqual({
      'process.status': 2,
      'process.tasks': 2,
      'process.rejected': 1,
      'process.age': 25,
    });
  });

  it('leave out what is not known', () => {
    const cc = observedEvent(CC_TYPE, 'c', 30, { approver_id: '1', status: 5 });
    expect(factsFor(cc, [])).toEqual({ 'event.late': false, 'process.tasks': 0, 'process.rejected': 0 });
    expect(only(factsFor(taskEvent('a', 10, 1), []), 'process')).not.toHaveProperty('process.status');
    // A sender's clock may be ahead of ours.
    const ahead = stateFacts(after([taskEvent('a', 10, 1)]), taskEvent('a', 10, 1).place, null, 9, false);
    expect(Object.keys(ahead).filter((name) => name.endsWith('.age'))).toEqual([]);
  });
});

it('nothing but whether it is late is known of an event that belongs to no root entity', () => {
  const place = observedEvent('unheard.of', 'a', 1, {}).place;
  expect(stateFacts(NO_STATE, place, null, 1, true)).toEqual({ 'event.late': true });
});

describe(`facts of generated stories (seed ${SEED})`, () => {
  const ID = fc.constantFrom('1', '2', '3', '__proto__', 'constructor');
  const NODE = fc.constantFrom('n', 'm', '__proto__');
  const STEP = fc.record({
    task: ID,
    node: NODE,
    time: fc.integer({ min: 0, max: 30 }),
    status: fc.constantFrom(1, 1, 2, 3, 4, 18, 99),
  });
  const PHASES = new Map<number, 'pending' | 'rejected' | 'done' | 'cancelled'>([
    [1, 'pending'],
    [2, 'rejected'],
    [3, 'done'],
    [4, 'cancelled'],
  ]);
  const ORDER = [1, 2, 3, 4, 18];

  it('are what a plain count says', () => {
    fc.assert(
      fc.property(fc.array(STEP, { minLength: 1, maxLength: 20 }), (steps) => {
        // A task stays at its node: the first that is named for it.
        const nodes = new Map<string, string>();
        for (const { task, node } of steps) if (!nodes.has(task)) nodes.set(task, node);
        const events = steps.map(({ task, time, status }, index) =>
          taskEvent(`e${index}`, time, status, task, nodes.get(task)),
        );
        const state = after(events);
        const sorted = steps
          .map((step, index) => ({ ...step, eventId: `e${index}`, rank: ORDER.indexOf(step.status) }))
          .sort((a, b) => a.time - b.time || a.rank - b.rank || (a.eventId < b.eventId ? -1 : 1));
        const last = new Map(sorted.map(({ task, status }) => [task, status]));
        const first = Math.min(...steps.map(({ time }) => time));
        events.forEach((event, index) => {
          const step = steps[index];
          const node = nodes.get(step?.task ?? '');
          const counts = { seen: 0, pending: 0, rejected: 0, done: 0, cancelled: 0 };
          for (const [task, status] of last) {
            if (nodes.get(task) !== node) continue;
            counts.seen += 1;
            const phase = PHASES.get(status);
            if (phase) counts[phase] += 1;
          }
          const own = sorted.filter(({ task }) => task === step?.task);
          const at = own.findIndex(({ eventId }) => eventId === event.eventId);
          const before = at > 0 ? own[at - 1]?.status : step?.status === 1 ? null : undefined;
          const reopened = own
            .slice(0, at + 1)
            .some(({ status }, one) => status === 1 && [2, 3, 4, 18].includes(own[one - 1]?.status ?? 0));
          expect(stateFacts(state, event.place, event, event.orderTime, false)).toEqual({
            'event.late': false,
            ...(before === undefined
              ? {}
              : {
                  'task.previousStatus': before,
                  'task.transition': `${before ?? ''}>${step?.status ?? ''}`,
                }),
            'task.firstSeen': own[0]?.time,
            'task.age': event.orderTime - (own[0]?.time ?? 0),
            'task.reopened': reopened,
            'node.seen': counts.seen,
            'node.pending': counts.pending,
            'node.done': counts.done,
            'node.rejected': counts.rejected,
            'node.cancelled': counts.cancelled,
            'process.tasks': last.size,
            'process.rejected': [...last.values()].filter((status) => status === 2).length,
            'process.age': event.orderTime - first,
          });
        });
      }),
      { numRuns: 500, seed: SEED },
    );
  });
});
