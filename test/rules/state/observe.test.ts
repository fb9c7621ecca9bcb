// The state against a reference that is written here: a plain sort and a loop over all events. Pure.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Catalogue, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import {
  currentOf,
  entityAt,
  MOST_OBSERVATIONS,
  observe,
  placeOf,
  transitionsOf,
} from '../../../src/rules/state/observe.js';
import {
  type EntityState,
  LEVELS,
  NO_STATE,
  type ObservedEvent,
  type RootState,
} from '../../../src/rules/state/root-state.js';
import {
  CC_TYPE,
  NODE_TYPE,
  nodeEvent,
  observedEvent,
  PROCESS_TYPE,
  processEvent,
  TASK_TYPE,
  taskEvent,
} from '../../support/observed-events.js';

const SEED = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** What the reference knows of an entity: the events that told its status, in their order, each once. */
interface Story {
  readonly events: readonly ObservedEvent[];
  readonly node: string | null;
  /** `from > to kind`, in words. */
  readonly steps: readonly string[];
}

const TERMINAL: Readonly<Record<string, readonly unknown[]>> = {
  [TASK_TYPE]: [2, 3, 4, 18],
  [NODE_TYPE]: [2, 3, 4, 6, 7],
  [PROCESS_TYPE]: [2, 4, 8, 9],
};
const ORDER: Readonly<Record<string, readonly unknown[]>> = {
  [TASK_TYPE]: [1, 2, 3, 4, 18],
  [NODE_TYPE]: [1, 5, 6, 7, 2, 3, 4],
  [PROCESS_TYPE]: [1, 2, 4, 9, 15, 8],
};

function story(
  all: readonly ObservedEvent[],
  type: string,
  idOf: (event: ObservedEvent) => unknown,
  id: unknown,
): Story {
  const once = new Map(
    all.filter((one) => one.eventType === type && idOf(one) === id).map((one) => [one.eventId, one]),
  );
  const events = [...once.values()].sort((a, b) => {
    if (a.orderTime !== b.orderTime) return a.orderTime - b.orderTime;
    const order = ORDER[type] ?? [];
    const [one, other] = [order.indexOf(a.place.status), order.indexOf(b.place.status)];
    return one === other ? (a.eventId < b.eventId ? -1 : 1) : one - other;
  });
  let node: string | null = null;
  const steps: string[] = [];
  let before: unknown;
  for (const { place } of events) {
    if (type === TASK_TYPE && place.node !== null) ({ node } = place);
    const order = ORDER[type] ?? [];
    const isNew = before === undefined;
    const from = isNew ? (order[0] === place.status ? 'begins' : 'not seen') : String(before);
    const back = order.indexOf(place.status) <= order.indexOf(before);
    const kind = isNew
      ? 'first'
      : before === place.status
        ? 'repeat'
        : back || TERMINAL[type]?.includes(before)
          ? 'irregular'
          : 'forward';
    steps.push(`${from} > ${String(place.status)} ${kind}`);
    before = place.status;
  }
  return { events, node, steps };
}

function stepsOf(entity: EntityState): string[] {
  return transitionsOf(entity).map(({ from, to, kind }) => {
    const before = from === null ? 'begins' : from === undefined ? 'not seen' : String(from);
    return `${before} > ${to} ${kind}`;
  });
}

/** An entity in the words of the reference. */
function told({ seen, node, latest, latestType }: EntityState): unknown {
  const events = seen.map(([time, , eventId, status]) => [time, eventId, status]);
  return { events, node, latest, latestType };
}

function expected({ events, node }: Story): unknown {
  return {
    events: events.map(({ orderTime, eventId, place }) => [orderTime, eventId, place.status]),
    node,
    latest: events.at(-1)?.id,
    latestType: events.at(-1)?.eventType,
  };
}

function expectReference(state: RootState, all: readonly ObservedEvent[]): void {
  const levels = { task: TASK_TYPE, node: NODE_TYPE, process: PROCESS_TYPE };
  const stories = LEVELS.flatMap((level) => {
    const ids = new Set(
      all.flatMap(({ eventType, place }) => (eventType === levels[level] ? (place[level] ?? []) : [])),
    );
    const storyOf = (id: string): Story => story(all, levels[level], ({ place }) => place[level], id);
    return [...ids].map((id) => [`${level} ${id}`, storyOf(id)] as const);
  });
  const found = [
    ...Object.entries(state.tasks).map(([id, task]) => [`task ${id}`, task] as const),
    ...Object.entries(state.nodes).map(([id, node]) => [`node ${id}`, node] as const),
    ...(state.process ? [['process p', state.process] as const] : []),
  ];
  expectSame(
    Object.fromEntries(found.map(([name, entity]) => [name, [told(entity), stepsOf(entity)]])),
    Object.fromEntries(stories.map(([name, one]) => [name, [expected(one), one.steps]])),
  );
}

/** Thousands of comparisons: jest is asked for its words only when something differs. */
function expectSame(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found).toEqual(wanted);
}

/**
 * Takes events in, and expects of each that it is late exactly when a later one of its entity was taken in before, and
 * that a repeated one changes nothing.
 */
function take(events: readonly ObservedEvent[]): RootState {
  let state = NO_STATE;
  const wrong: string[] = [];
  const keyOf = ({ eventType, place }: ObservedEvent): string =>
    `${eventType} ${place.task ?? place.node ?? ''}`;
  events.forEach((event, index) => {
    const { before, after, late } = observe(state, event);
    const { events: ordered } = story(events.slice(0, index + 1), event.eventType, keyOf, keyOf(event));
    if (late !== (ordered.at(-1)?.eventId !== event.eventId)) wrong.push(`${event.eventId}: late ${late}`);
    const isRepeated = events.findIndex(({ eventId }) => eventId === event.eventId) < index;
    if (before !== state || (isRepeated && after !== state))
      wrong.push(`${event.eventId}: not the same state`);
    state = deepFreeze(after);
  });
  expectSame(wrong, []);
  return state;
}

/** What an earlier state shares with a later one must never be written to. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

function* permutations<T>(list: readonly T[]): Generator<T[]> {
  if (list.length === 0) yield [];
  for (const [index, first] of list.entries())
    for (const rest of permutations(list.toSpliced(index, 1))) yield [first, ...rest];
}

describe('whatever the order in which events are taken in', () => {
  const CASES: Readonly<Record<string, readonly ObservedEvent[]>> = {
    'a task and its node go their way': [
      nodeEvent('a', 10, 1),
      taskEvent('b', 20, 1, '1', 'n'),
      taskEvent('c', 30, 3, '1', 'n'),
      nodeEvent('d', 40, 3),
      processEvent('e', 5, 1),
      processEvent('f', 50, 9),
    ],
    'everything at the same time': [
      taskEvent('d', 10, 1),
      taskEvent('c', 10, 2),
      taskEvent('b', 10, 3),
      taskEvent('a', 10, 3),
      nodeEvent('f', 10, 1),
      nodeEvent('e', 10, 3),
    ],
    'a task and its node are reopened': [
      taskEvent('a', 10, 1),
      taskEvent('b', 20, 3),
      taskEvent('c', 30, 1),
      taskEvent('d', 40, 2),
      nodeEvent('e', 20, 3),
      nodeEvent('f', 30, 1),
    ],
    'statuses that nobody knows, and one twice': [
      taskEvent('a', 10, 99),
      taskEvent('b', 20, 1),
      taskEvent('c', 20, 98),
      taskEvent('d', 30, 3),
      taskEvent('e', 40, 3),
      nodeEvent('f', 10, 42),
    ],
    'a task changes its node, and not every event names it': [
      taskEvent('a', 10, 1),
      taskEvent('b', 20, 1, '1', 'n'),
      taskEvent('c', 30, 1),
      taskEvent('d', 40, 1, '1', 'm'),
      taskEvent('e', 50, 3),
      taskEvent('f', 60, 3, '1', 'm'),
    ],
    'a task changes its node at the same time': [
      taskEvent('c', 10, 1, '1', 'n'),
      taskEvent('b', 10, 3, '1', 'm'),
      taskEvent('a', 10, 3, '1', 'o'),
      taskEvent('d', 10, 3),
      taskEvent('e', 9, 4, '1', 'x'),
      taskEvent('f', 11, 4),
    ],
  };

  it.each(Object.entries(CASES))('%s: each of the 720 orders ends in the same state', (_, events) => {
    const wanted = take([...events]);
    expectReference(wanted, events);
    let orders = 0;
    for (const order of permutations(events)) {
      expectSame(take(order), wanted);
      orders += 1;
    }
    expect(orders).toBe(720);
  });

  const ID = fc.constantFrom('1', '2', '__proto__', 'constructor', 'toString');
  const STATUS = fc.constantFrom<unknown>(1, 2, 3, 4, 5, 7, 8, 9, 15, 18, 99, '3', 'x');
  const EVENT = fc.record({
    kind: fc.constantFrom('task', 'task', 'node', 'process'),
    id: ID,
    node: fc.option(ID, { nil: undefined }),
    time: fc.integer({ min: 0, max: 4 }),
    status: STATUS,
  });
  const EVENTS = fc.array(EVENT, { minLength: 1, maxLength: 14 }).map((list) =>
    list.map(({ kind, id, node, time, status }, index) => {
      // The ids say nothing of the order.
      const eventId = `e${(index * 7) % 15}`;
      if (kind === 'task') return taskEvent(eventId, time, status, id, node);
      return kind === 'node' ? nodeEvent(eventId, time, status, id) : processEvent(eventId, time, status);
    }),
  );

  it(`5 000 shuffles with repeated events end in the same state (seed ${SEED})`, () => {
    const shuffled = EVENTS.chain((events) =>
      fc.tuple(
        fc.constant(events),
        fc.array(fc.integer({ min: 0, max: events.length - 1 }), { maxLength: 6 }).chain((again) => {
          const all = [...events, ...again.flatMap((index) => events[index] ?? [])];
          return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
        }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([events, order]) => {
        const state = take(order);
        expectReference(state, events);
        expectSame(state, take(events));
        expectSame(JSON.parse(JSON.stringify(state)), state);
      }),
      { numRuns: 5000, seed: SEED },
    );
  });
});

describe('an event that is taken in', () => {
  it("changes nothing when it tells nobody's status, or names nobody whose status it would tell", () => {
    const known = take([taskEvent('a', 10, 1, '1', 'n')]);
    const silent = [
      observedEvent(CC_TYPE, 'b', 20, { approver_id: '1', status: 5 }),
      observedEvent('corehr.process_comment_info.updated_v2', 'c', 20, { comment_id: '1' }),
      taskEvent('d', 20, 3, ''),
      taskEvent('e', 20, 3, 'x'.repeat(201)),
      taskEvent('f', 20, undefined),
      taskEvent('g', 20, null),
      taskEvent('h', 20, { is: 3 }),
      taskEvent('i', 20, 'x'.repeat(201)),
      observedEvent('unheard.of', 'j', 20, { approver_id: '1', status: 3 }),
    ];
    for (const event of silent)
      expect([event.eventId, observe(known, event)]).toEqual([
        event.eventId,
        { before: known, after: known, late: false },
      ]);
  });

  it('leaves all others as they are, the very same', () => {
    const before = take([taskEvent('a', 10, 1, '1'), taskEvent('b', 10, 1, '2'), nodeEvent('c', 10, 1)]);
    const { after } = observe(before, taskEvent('d', 20, 3, '1'));
    expect(after.tasks['2']).toBe(before.tasks['2']);
    expect(after.nodes).toBe(before.nodes);
    expect(before.tasks['1']?.seen).toHaveLength(1);
  });

  it('creates only the entity whose status it tells', () => {
    const state = take([taskEvent('a', 10, 1, '1', 'n')]);
    expect([Object.keys(state.tasks), Object.keys(state.nodes), state.process]).toEqual([['1'], [], null]);
  });

  it('is taken for what it is under ids that every object has', () => {
    const ids = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];
    const events = ids.flatMap((id, index) => [
      taskEvent(`t${index}`, 10, 1, id, id),
      nodeEvent(`n${index}`, 10, 3, id),
    ]);
    expect(entityAt(NO_STATE, 'task', 'constructor')).toBeNull();
    const state = JSON.parse(JSON.stringify(take(events))) as RootState;
    expect(Object.getPrototypeOf(state.tasks)).toBe(Object.prototype);
    for (const id of ids) {
      expect(currentOf(entityAt(state, 'task', id))?.[4]).toBe('open');
      expect(currentOf(entityAt(state, 'node', id))?.[4]).toBe('done');
      expect(entityAt(state, 'task', id)?.node).toBe(id);
    }
  });
});

describe('a sender without end', () => {
  const many = (count: number, statusOf: (index: number) => number): RootState => {
    let state = NO_STATE;
    for (let index = 0; index < count; index += 1)
      ({ after: state } = observe(state, taskEvent(`e${index}`, index, statusOf(index))));
    return state;
  };

  it('that repeats itself leaves what it said first, what changed, and what it said last', () => {
    // Open, for a time done, open again, for ever.
    const statusOf = (index: number): number => (index === 100 || index === 101 ? 3 : 1);
    const task = many(3 * MOST_OBSERVATIONS, statusOf).tasks['1'];
    expect(task?.seen).toHaveLength(MOST_OBSERVATIONS);
    expect(task?.seen[0]?.[0]).toBe(0);
    expect(currentOf(task)?.[0]).toBe(3 * MOST_OBSERVATIONS - 1);
    expect(task && stepsOf(task).filter((step) => step.endsWith('irregular'))).toEqual(['3 > 1 irregular']);
    expect(task && stepsOf(task).filter((step) => step.endsWith('forward'))).toEqual(['1 > 3 forward']);
  });

  it('that changes its mind every time leaves what it said first and what it said last', () => {
    const task = many(MOST_OBSERVATIONS + 10, (index) => (index % 2 === 0 ? 1 : 3)).tasks['1'];
    expect(task?.seen.map(([time]) => time)).toEqual([
      0,
      ...Array.from({ length: MOST_OBSERVATIONS - 1 }, (_, index) => index + 11),
    ]);
  });

  it('is late when it is older than the last, also where that has been dropped', () => {
    const state = many(2 * MOST_OBSERVATIONS, () => 1);
    for (const time of [-1, 5, 2 * MOST_OBSERVATIONS - 2])
      expect(observe(state, taskEvent('x', time + 0.5, 1)).late).toBe(true);
    expect(observe(state, taskEvent('x', 2 * MOST_OBSERVATIONS, 1)).late).toBe(false);
  });
});

describe('whom an event is about', () => {
  const catalogue = loadBuiltInCatalogue();
  const place = (type: string, fields: object): unknown =>
    placeOf(catalogue, type, new Map(Object.entries(fields)));

  it('is a task, with its node and its process; numbers become texts', () => {
    expect(place(TASK_TYPE, { process_id: 7, approver_id: '8', node_id: 9, status: 3 })).toEqual({
      process: '7',
      node: '9',
      task: '8',
      tells: 'task',
      status: 3,
      phase: 'done',
    });
  });

  it('takes the newer id of a node before the deprecated one', () => {
    const both = { process_id: '7', approver_id: '8', status: 1, node_id: 'old', node_id_str: 'new' };
    expect(place(TASK_TYPE, both)).toMatchObject({ node: 'new' });
    expect(place(TASK_TYPE, { ...both, node_id_str: '' })).toMatchObject({ node: 'old' });
  });

  it('is nobody when the event belongs to no root entity', () => {
    const nobody = { process: null, node: null, task: null, tells: null, status: null, phase: 'unknown' };
    expect(place(TASK_TYPE, { approver_id: '8', status: 3 })).toEqual(nobody);
    expect(place('approval.approval.updated_v4', { object: {} })).toEqual(nobody);
    expect(place('unheard.of', { process_id: '7' })).toEqual(nobody);
  });

  it("a cc document tells its own status, nobody else's", () => {
    expect(place(CC_TYPE, { process_id: '7', approver_id: '8', status: 5 })).toMatchObject({
      process: '7',
      task: null,
      tells: null,
      status: null,
    });
  });

  it.each([
    [
      TASK_TYPE,
      'status',
      { 1: 'open', 2: 'rejected', 3: 'done', 4: 'cancelled', 18: 'ended', 99: 'unknown' },
    ],
    [
      NODE_TYPE,
      'node_status',
      { 1: 'open', 5: 'open', 6: 'ended', 7: 'ended', 2: 'rejected', 3: 'done', 4: 'cancelled' },
    ],
    [
      PROCESS_TYPE,
      'status',
      { 1: 'open', 15: 'open', 2: 'rejected', 4: 'cancelled', 8: 'cancelled', 9: 'done' },
    ],
  ])('%s: a status means what the catalogue says', (type, field, phases) => {
    const ids = { process_id: '7', approver_id: '8', process_node_id: '9' };
    const found = Object.keys(phases).map((status) => {
      const { phase } = placeOf(
        catalogue,
        type,
        new Map(Object.entries({ ...ids, [field]: Number(status) })),
      );
      return [status, phase];
    });
    expect(Object.fromEntries(found)).toEqual(phases);
  });

  it('of another system: its root entity is the process, whatever it is called', () => {
    const label = { zh: '某', en: 'some' };
    const text = { type: 'string', label } as const;
    const own = new Catalogue([
      {
        eventType: 'order.changed',
        label,
        entities: { order: 'id', task: 'source' },
        rootEntity: 'order',
        status: { field: 'type', entity: 'order', order: ['open', 'paid'], terminal: ['paid'] },
        fields: { id: text, source: { ...text, fact: 'event.source' }, type: text },
      },
      { eventType: 'task.seen', label, entities: { task: 'id' }, rootEntity: 'task', fields: { id: text } },
    ]);
    const facts = new Map(Object.entries({ id: '7', source: 'webhook', 'event.source': '8', type: 'paid' }));
    expect(placeOf(own, 'order.changed', facts)).toEqual({
      process: '7',
      node: null,
      task: '8',
      tells: 'process',
      status: 'paid',
      phase: 'ended',
    });
    expect(placeOf(own, 'task.seen', facts)).toMatchObject({ process: '7', task: null, tells: null });
  });

  it('names every level', () => {
    const { place: found } = taskEvent('a', 1, 1, '8', '9');
    expect(LEVELS.map((level) => found[level])).toEqual(['8', '9', 'p']);
  });
});
