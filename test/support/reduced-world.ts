import { Catalogue, CATALOGUE_ENTRY, type FieldDefinition } from '../../src/events/catalogue.js';
import { own, ownAt } from '../../src/events/own-member.js';
import type { Facts } from '../../src/rules/compiled-conditions.js';
import type { ConditionDocument } from '../../src/rules/condition-document.js';
import { buildTree, type ConditionNode } from '../../src/rules/condition-tree.js';
import { fieldWithin } from '../../src/rules/known-field.js';
import { lookupPlaceOf } from '../../src/rules/lookup-name.js';
import type { TimeFormat } from '../../src/rules/operators.js';
import { fieldOfFact } from '../../src/rules/state/fact-fields.js';
import { observe, placeOf } from '../../src/rules/state/observe.js';
import { NO_STATE, type RootState } from '../../src/rules/state/root-state.js';
import { stateFacts } from '../../src/rules/state/state-facts.js';

/** A world so small that everything that can happen in it can be tried. Its literals and its values are few. */
export const REDUCED_TYPE = 'reduced.task.changed_v1';

const label = { zh: '测试', en: 'test' };
const STATUSES = [1, 2, 3];
const entry = CATALOGUE_ENTRY.parse({
  eventType: REDUCED_TYPE,
  label,
  entities: { process: 'process_id', task: 'task_id' },
  rootEntity: 'process',
  status: { field: 'status', order: STATUSES, terminal: [3], outcomes: { done: [3] } },
  sample: { process_id: 'p', task_id: 't', status: 1, kind: 'x', note: 'abc', amount: 1, flag: true },
  fields: {
    process_id: { type: 'string', label },
    task_id: { type: 'string', label },
    status: { type: 'integer', label, enum: STATUSES.map((value) => ({ value, label })) },
    kind: { type: 'string', label, enum: ['x', 'y', 'z'].map((value) => ({ value, label })) },
    note: { type: 'string', label },
    comment: { type: 'string', label, optional: true },
    amount: { type: 'integer', label },
    limit: { type: 'integer', label, optional: true },
    ratio: { type: 'number', label, optional: true },
    flag: { type: 'boolean', label },
    sure: { type: 'boolean', label, optional: true },
    tags: { type: 'array', label, items: { type: 'string', label } },
    sizes: { type: 'array', label, optional: true, items: { type: 'integer', label } },
    due: { type: 'string', format: 'date-time', label },
    done_at: { type: 'integer', format: 'epoch-milliseconds', label, optional: true },
    seen_at: { type: 'integer', format: 'epoch-seconds', label },
    boss: {
      type: 'object',
      label,
      optional: true,
      fields: {
        name: { type: 'string', label },
        level: { type: 'integer', label, optional: true, enum: [1, 2].map((value) => ({ value, label })) },
      },
    },
  },
  more: true,
});
const catalogue = new Catalogue([entry]);

const person: FieldDefinition = {
  type: 'object',
  label,
  fields: {
    name: { type: 'string', label, optional: true },
    active: { type: 'boolean', label, optional: true },
  },
};

/** What a rule set would say of this world. */
export const reducedKnown = {
  catalogue,
  lookups: new Map(),
  fieldOf: (eventType: string, fact: string): FieldDefinition | null => {
    const place = lookupPlaceOf(fact);
    if (!place) return fieldOfFact(catalogue, eventType, fact);
    return place.name === 'user' ? fieldWithin(person, place.members).definition : null;
  },
};

const FORMATS: Readonly<Record<string, TimeFormat>> = {
  done_at: 'epoch-milliseconds',
  seen_at: 'epoch-seconds',
};

export function reducedTree(document: ConditionDocument): ConditionNode {
  return buildTree(document, new Map(), (fact) => FORMATS[fact] ?? 'date-time');
}

export const DAY = 86_400_000;
export const MIDDLE = Date.UTC(2025, 5, 15);
export const REDUCED_NOW = Date.UTC(2026, 0, 5, 1);
/** Also before, between and behind what leaves name. */
export const REDUCED_NOWS = [
  REDUCED_NOW,
  ...[-20, 0, 0.5, 1, 1.5, 2, 2.5, 3, 20].map((days) => MIDDLE + days * DAY),
];
export const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** Every text of up to four characters of which the words consist, or of another one. */
const TEXTS = ['', ...grown(['a', 'b', 'q'], 4)];
export const WORDS = ['', 'a', 'b', 'ab', 'ba', 'aa'];

function grown(letters: readonly string[], length: number): string[] {
  if (length === 0) return [];
  const shorter = grown(letters, length - 1);
  const before = shorter.length === 0 ? [''] : shorter.filter((one) => one.length === length - 1);
  return [...shorter, ...before.flatMap((one) => letters.map((letter) => one + letter))];
}

function parts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: 2 ** all.length }, (_, mask) => all.filter((_one, at) => mask & (1 << at)));
}

const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, at) => from + at * step);

/** Around the moments that the leaves name, and around now less the durations. */
const MOMENTS = [
  MIDDLE - 9 * DAY,
  MIDDLE - DAY,
  MIDDLE,
  MIDDLE + DAY / 2,
  MIDDLE + DAY,
  MIDDLE + 9 * DAY,
  REDUCED_NOW - 9 * DAY,
  REDUCED_NOW - 2 * DAY,
  REDUCED_NOW - 1.5 * DAY,
  REDUCED_NOW - DAY,
  REDUCED_NOW,
  REDUCED_NOW + DAY,
];

const boss = [
  undefined,
  ...['a', 'b', 'q'].flatMap((name) => [1, 2, undefined].map((level) => plain({ name, level }))),
];
const user = [
  undefined,
  ...['a', 'b', 'q', undefined].flatMap((name) =>
    [true, false, undefined].map((active) => plain({ name, active })),
  ),
];

function plain(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Everything that a fact may be; undefined: it is missing. Null is added where a condition names it. */
export const REDUCED_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  status: STATUSES,
  kind: ['x', 'y', 'z'],
  note: TEXTS,
  comment: [...TEXTS.filter((one) => one.length < 4), undefined],
  amount: range(-2, 6),
  limit: [...range(-2, 6), undefined],
  ratio: [...range(-1.5, 5.5, 0.25), undefined],
  flag: [true, false],
  sure: [true, false, undefined],
  tags: parts(['a', 'b', 'q']),
  sizes: [...parts([0, 1, 2, 3, 4]), undefined],
  due: MOMENTS.map(iso),
  done_at: [...MOMENTS, undefined],
  seen_at: MOMENTS.map((ms) => ms / 1000),
  boss,
  'lookup.user': user,
  extra: [undefined, null, true, 'a', 'b', 'q', 0, 1, 2, 7, [], ['a'], ['b'], ['a', 'b'], ['q'], {}],
};

/** The facts of the state that go with each other: status, previous status, transition, as `observe` makes them. */
export const REDUCED_STATES: readonly Readonly<Record<string, unknown>>[] = [
  // A task of which nothing was kept: the event's own observation may have been dropped.
  ...STATUSES.map((status) => ({ status })),
  ...STATUSES.flatMap((status) => [null, ...STATUSES].map((before) => stateWith(status, before))),
];

function stateWith(status: number, before: number | null): Readonly<Record<string, unknown>> {
  const seen = (state: RootState, at: number, value: number): RootState => {
    const facts = new Map<string, unknown>([
      ['process_id', 'p'],
      ['task_id', 't'],
      ['status', value],
    ]);
    return observe(state, {
      id: String(at),
      eventType: REDUCED_TYPE,
      eventId: `e${at}`,
      orderTime: at,
      statusRank: value,
      place: placeOf(catalogue, REDUCED_TYPE, facts),
    }).after;
  };
  const earlier = before === null ? NO_STATE : seen(NO_STATE, 1, before);
  const facts = new Map<string, unknown>([
    ['process_id', 'p'],
    ['task_id', 't'],
    ['status', status],
  ]);
  const made = stateFacts(
    seen(earlier, 2, status),
    placeOf(catalogue, REDUCED_TYPE, facts),
    { orderTime: 2, statusRank: status, eventId: 'e2' },
    2,
    false,
  );
  return {
    status,
    'task.previousStatus': made['task.previousStatus'],
    'task.transition': made['task.transition'],
  };
}

/** Whether a value is one of those that the world knows at a place, by its catalogue; `asked`: null is named there. */
export function isOfWorld(facts: Facts, { named, optional = false }: WorldReads): string | null {
  const state = ['status', 'task.previousStatus', 'task.transition'].filter((fact) => facts.has(fact));
  if (state.length > 0 && !named.has('status') && !optional) {
    const fits = REDUCED_STATES.some((one) => state.every((fact) => own(one, fact) === facts.get(fact)));
    if (!fits) return `${state.map((fact) => JSON.stringify(facts.get(fact))).join()} is no state of a task`;
  }
  for (const [fact, field] of Object.entries(entry.fields)) {
    const wrong = misfit(optional ? { ...field, optional } : field, facts.get(fact), named.has(fact));
    if (wrong !== null) return `${fact}: ${wrong}`;
  }
  if (!facts.has('lookup.user')) return null;
  const wrong = misfit(person, facts.get('lookup.user'), false);
  return wrong === null ? null : `lookup.user: ${wrong}`;
}

function misfit(field: FieldDefinition, value: unknown, mayBeNull: boolean): string | null {
  if (value === undefined) return field.optional ? null : 'must not be missing';
  if (value === null) return mayBeNull ? null : 'must not be null';
  const types: Readonly<Record<FieldDefinition['type'], boolean>> = {
    string: typeof value === 'string',
    integer: Number.isInteger(value),
    number: typeof value === 'number',
    boolean: typeof value === 'boolean',
    array: Array.isArray(value),
    object: typeof value === 'object' && !Array.isArray(value),
  };
  if (!types[field.type]) return `${JSON.stringify(value)} is no ${field.type}`;
  if (field.enum && !field.enum.some((one) => one.value === value))
    return `${JSON.stringify(value)} is not listed`;
  const items = field.items;
  if (items && Array.isArray(value))
    return value.map((one) => misfit(items, one, mayBeNull)).find((one) => one !== null) ?? null;
  for (const [key, member] of Object.entries(field.fields ?? {})) {
    const wrong = misfit(member, ownAt(value, [key]), mayBeNull);
    if (wrong !== null) return `${key}: ${wrong}`;
  }
  return null;
}

/** What is asked of a world: which facts are read, which of them are compared with null, and whether all may be missing. */
export interface WorldReads {
  readonly reads: ReadonlySet<string>;
  readonly named: ReadonlySet<string>;
  readonly optional?: boolean;
}

type Values = Readonly<Record<string, unknown>>;

/** Facts that vary together, and all that they may be. */
export function blocksOfWorld({
  reads,
  named,
  optional = false,
}: WorldReads): readonly (readonly Values[])[] {
  const blocks = [...reads]
    .filter((fact) => !isState(fact))
    .map((fact) =>
      [
        ...(REDUCED_VALUES[fact] ?? []),
        ...(named.has(fact) ? [null] : []),
        ...(optional ? [undefined] : []),
      ].map((value) => ({ [fact]: value })),
    );
  if (![...reads].some(isState)) return blocks;
  // An event that does not tell a status leaves the task as it was.
  const silent = [...(named.has('status') ? [null] : []), ...(optional ? [undefined] : [])];
  const states = silent.flatMap((status) => REDUCED_STATES.map((one) => ({ ...one, status })));
  return [[...REDUCED_STATES, ...states], ...blocks];
}

function isState(fact: string): boolean {
  return fact === 'status' || fact.startsWith('task.');
}

/** How many combinations there are. */
export function sizeOfWorld(blocks: readonly (readonly Values[])[]): number {
  return blocks.reduce((size, block) => size * block.length, 1);
}

/** One of the combinations, by its number. */
export function worldAt(blocks: readonly (readonly Values[])[], number: number): Map<string, unknown> {
  const facts = new Map<string, unknown>();
  let rest = number;
  for (const block of blocks) {
    for (const [fact, value] of Object.entries(block[rest % block.length] ?? {}))
      if (value !== undefined) facts.set(fact, value);
    rest = Math.floor(rest / block.length);
  }
  return facts;
}
