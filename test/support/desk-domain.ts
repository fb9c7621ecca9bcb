import { type Catalogue, type CatalogueEntry, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { leaf, type Json, type JsonObject, not } from './rule-parts.js';
import type { SeededRandom } from './seeded-random.js';

export const DESK_TASK = 'desk.task_v1';
export const DESK_NOTE = 'desk.note_v1';

const label = { zh: '字段', en: 'field' };
const values = (...all: readonly number[]) => all.map((value) => ({ value, label }));
const common: CatalogueEntry['fields'] = {
  desk_id: { type: 'string', label },
  kind: { type: 'string', label },
  level: { type: 'integer', label, enum: values(1, 2) },
  urgent: { type: 'boolean', label },
  days: { type: 'integer', label },
};

const TASK_ENTRY: CatalogueEntry = {
  eventType: DESK_TASK,
  label,
  entities: { process: 'desk_id', task: 'task_id' },
  rootEntity: 'process',
  status: {
    field: 'status',
    order: [1, 2, 3],
    terminal: [2, 3],
    outcomes: { done: [3], rejected: [2] },
  },
  fields: {
    ...common,
    task_id: { type: 'string', label },
    status: { type: 'integer', label, enum: values(1, 2, 3) },
    city: { type: 'string', label, optional: true },
    title: { type: 'string', label },
  },
};

const NOTE_ENTRY: CatalogueEntry = {
  eventType: DESK_NOTE,
  label,
  entities: { process: 'desk_id' },
  rootEntity: 'process',
  fields: common,
};

export function deskCatalogue(): Catalogue {
  return loadBuiltInCatalogue().with([TASK_ENTRY, NOTE_ENTRY]);
}

/** A fact with all values that the conditions below can tell apart; undefined: it is missing. */
export interface Dimension {
  readonly name: string;
  readonly types: readonly string[];
  readonly values: readonly unknown[];
  condition(random: SeededRandom): JsonObject;
}

const BOTH = [DESK_TASK, DESK_NOTE];
const KINDS = ['annual', 'sick', 'travel'];
const CITIES = ['Beijing', 'Shanghai'];

function equality(fact: string, known: readonly Json[], random: SeededRandom): JsonObject {
  const some = random.some(known, 1 + random.below(Math.min(2, known.length)));
  const [one = null] = some;
  switch (random.below(6)) {
    case 0:
    case 1:
      return leaf(fact, 'equal', one);
    case 2:
      return leaf(fact, 'notEqual', one);
    case 3:
      return leaf(fact, 'not:equal', one);
    case 4:
      return leaf(fact, 'in', some);
    default:
      return leaf(fact, 'notIn', some);
  }
}

const ORDERS = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive'];

export const DIMENSIONS: readonly Dimension[] = [
  {
    name: 'kind',
    types: BOTH,
    values: [...KINDS, 'another'],
    condition: (random) => equality('kind', KINDS, random),
  },
  {
    name: 'level',
    types: BOTH,
    values: [1, 2],
    condition: (random) => equality('level', [1, 2], random),
  },
  {
    name: 'urgent',
    types: BOTH,
    values: [true, false],
    condition: (random) => leaf('urgent', random.pick(['equal', 'notEqual']), random.chance(0.5)),
  },
  {
    name: 'days',
    types: BOTH,
    values: [-1, 0, 1, 2, 3, 4],
    condition: (random) =>
      random.chance(0.3)
        ? equality('days', [0, 1, 2, 3], random)
        : leaf('days', random.pick(ORDERS), random.below(4)),
  },
  {
    name: 'status',
    types: [DESK_TASK],
    values: [1, 2, 3],
    condition: (random) => equality('status', [1, 2, 3], random),
  },
  {
    name: 'city',
    types: [DESK_TASK],
    values: [...CITIES, 'another', undefined],
    condition: (random) =>
      random.chance(0.3) ? leaf('city', 'exists', random.chance(0.5)) : equality('city', CITIES, random),
  },
  {
    name: 'title',
    types: [DESK_TASK],
    values: ['A-1', 'A-7-1', 'A-2', 'A-x', 'B-1', 'B-2', 'B-7-2', 'B-x', 'x-1', 'x-2', 'x-', 'x'],
    condition: (random) => {
      const [operator, texts] = random.pick([
        ['startsWith', ['A-', 'B-']],
        ['endsWith', ['-1', '-2']],
        ['containsText', ['-']],
        ['equal', ['A-1', 'B-2']],
      ] as const);
      const written = random.chance(0.25) ? `not:${operator}` : operator;
      return leaf('title', written, random.pick<string>(texts));
    },
  },
  {
    // Of the status before; what it makes of the transition follows from it.
    name: 'task.previousStatus',
    types: [DESK_TASK],
    values: [undefined, null, 1, 2, 3],
    condition: (random) =>
      random.chance(0.5)
        ? leaf(
            'task.transition',
            random.pick(['equal', 'equal', 'notEqual']),
            random.pick(['>1', '1>2', '1>3']),
          )
        : equality('task.previousStatus', [1, 2, 3], random),
  },
];

/** Every event of a type that the conditions on some facts can tell apart, with its state. */
export function eventsOf(
  type: string,
  dimensions: readonly Dimension[],
): readonly ReadonlyMap<string, unknown>[] {
  const own = dimensions.filter(({ types }) => types.includes(type));
  // A previous status goes together with the one now.
  const asked = own.some(({ name }) => name === 'task.previousStatus')
    ? [...own, ...DIMENSIONS.filter(({ name }) => name === 'status' && !own.some((one) => one.name === name))]
    : own;
  let events: ReadonlyMap<string, unknown>[] = [
    new Map<string, unknown>([['event_type', type], ...usualOf(type)]),
  ];
  for (const { name, values: all } of asked)
    events = events.flatMap((event) =>
      all.map((value) => {
        const next = new Map(event);
        next.delete(name);
        return value === undefined ? next : next.set(name, value);
      }),
    );
  return events.flatMap((event) => {
    if (!event.has('task.previousStatus')) return [event];
    const before = event.get('task.previousStatus') as number | null;
    const status = event.get('status') as number;
    // Only a task that begins has none before.
    if (before === null && status !== 1) return [];
    return [new Map(event).set('task.transition', `${before ?? ''}>${status}`)];
  });
}

function usualOf(type: string): readonly [string, unknown][] {
  const usual: Readonly<Record<string, unknown>> = {
    desk_id: 'd-1',
    kind: 'another',
    level: 1,
    urgent: false,
    days: 0,
    ...(type === DESK_TASK ? { task_id: 't-1', status: 1, title: 'x' } : {}),
  };
  return Object.entries(usual);
}

/** Nested conditions on some of the facts. */
export function conditionsOn(random: SeededRandom, dimensions: readonly Dimension[], depth = 2): JsonObject {
  const group = random.pick(['all', 'all', 'any']);
  const count = 1 + random.below(3);
  const seen = new Map<string, JsonObject>();
  for (let at = 0; at < count; at += 1) {
    const one =
      depth > 0 && random.chance(0.3)
        ? conditionsOn(random, dimensions, depth - 1)
        : random.pick(dimensions).condition(random);
    const child = random.chance(0.12) ? not(one) : one;
    seen.set(JSON.stringify(child), child);
  }
  return { [group]: [...seen.values()] };
}
