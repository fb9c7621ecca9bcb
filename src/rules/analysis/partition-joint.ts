import type { Domain } from './domain.js';
import type { StatusLink } from './fact-space.js';
import { knownLeaf, type KnownLeaf } from './known-leaf.js';
import { type PartitionNeeds, representatives } from './partition.js';
import {
  absences,
  ABSENT_FACT,
  type AskedLeaf,
  costOf,
  type PartitionContext,
  type PlaceNode,
  type PlaceState,
  PRESENT,
  stateWith,
} from './partition-places.js';

/** Places whose values go together, and all that they may be. Blocks of one group go with each other in every way. */
export interface Block {
  readonly places: readonly PlaceNode[];
  readonly entries: readonly BlockEntry[];
}

/** Of each place a value (undefined: nothing), and how it stands. */
export interface BlockEntry {
  readonly values: readonly unknown[];
  readonly states: readonly PlaceState[];
  readonly cost: number;
}

/** A leaf with the places that it reads. */
export interface PlacedLeaf {
  readonly asked: AskedLeaf;
  readonly node: PlaceNode;
  readonly other: PlaceNode | null;
}

/** The values of places that leaves compare with each other, or of one place alone. */
export function blocksOf(
  places: readonly PlaceNode[],
  readers: readonly PlacedLeaf[],
  asked: readonly AskedLeaf[],
  context: PartitionContext,
): { readonly blocks: readonly Block[]; readonly exact: boolean } {
  const { link } = context.space;
  const linked = link ? linkedPlaces(places, link) : [];
  const single = places.filter((node) => !linked.includes(node));
  const leavesAt = (node: PlaceNode): readonly KnownLeaf[] =>
    node.leaves.flatMap((at) => asked[at]?.leaf ?? []);
  const blocks: Block[] = [];
  let exact = readers.every((reader) => isTold(reader, readers));
  const pool = new Set(readers.flatMap(({ asked: { leaf } }) => leaf.literals));
  for (const { domain } of places) for (const value of domain.values ?? []) pool.add(value);
  if (linked.length > 0 && link) {
    const block = linkedBlock(linked, link, readers, pool);
    blocks.push(block);
    exact &&= block.exact;
    for (const { values } of block.entries) for (const value of values) pool.add(value);
  }
  const order = [...single].sort((a, b) => turnOf(a) - turnOf(b));
  for (const node of order) {
    const shared = places.length > 1 ? sharedLeaves(node, leavesAt(node), readers, pool) : leavesAt(node);
    const found = representatives(node.domain, shared, needsAt(node, places.length, context));
    exact &&= found.exact && !isInList(node);
    const isApart = places.length > 1;
    const values = isApart ? found.values.map((one) => apart(one)) : found.values;
    if (isApart) for (const value of values) pool.add(value);
    blocks.push({ places: [node], entries: entriesOf(node, values) });
  }
  return { blocks, exact: exact && !(places.length > 2 && mixesNumbers(places)) };
}

/** Whole numbers, then others: they are needed around each of them. Lists last: they are made of what was found. */
function turnOf({ domain: { type } }: PlaceNode): number {
  return type === 'array' ? 2 : type === 'number' ? 1 : 0;
}

function needsAt(node: PlaceNode, count: number, { now, budget }: PartitionContext): PartitionNeeds {
  return { now, budget, count, format: node.format, usual: node.usual };
}

/** Objects of an event are never the same, whatever is in them. */
function apart(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}

function mixesNumbers(places: readonly PlaceNode[]): boolean {
  const types = new Set(places.map(({ domain }) => domain.type));
  return types.has('integer') && types.has('number');
}

/** What stands in a list is told by other places too: how long it is, and which elements it has. */
function isInList({ parent, domain, hasChildren }: PlaceNode): boolean {
  return parent?.domain.type === 'array' || (domain.type === 'array' && hasChildren);
}

function entriesOf(node: PlaceNode, values: readonly unknown[]): readonly BlockEntry[] {
  const entries = absences(node).map((state): BlockEntry => entryOf(node, undefined, state, 0));
  const nothing =
    node.domain.nullable || node.namesNull ? [entryOf(node, null, stateWith(node, null), 0)] : [];
  return [...entries, ...nothing, ...values.map((one, at) => entryOf(node, one, stateWith(node, one), at))];
}

function entryOf(node: PlaceNode, value: unknown, state: PlaceState, at: number): BlockEntry {
  return { values: [value], states: [state], cost: costOf(node, value, at) };
}

/** The leaves at a place, and what the others of its group name, so that it can be on either side of all of that. */
function sharedLeaves(
  node: PlaceNode,
  own: readonly KnownLeaf[],
  readers: readonly PlacedLeaf[],
  pool: ReadonlySet<unknown>,
): readonly KnownLeaf[] {
  const others = readers
    // Those at a place whose values are all known say no more than these.
    .filter((reader) => reader.other === null && reader.node !== node && !reader.node.domain.values)
    .map(({ asked: { leaf } }) => leaf)
    .filter(
      ({ base }) => base?.fact === 'time' || base?.fact === (isNumeric(node.domain) ? 'number' : 'string'),
    );
  const crossed = readers.flatMap(({ asked: { leaf }, other }) => (other ? [leaf.base] : []));
  const times = crossed.some((base) => base?.fact === 'time') ? [ANY_TIME] : [];
  const values = [...pool].filter((one) => typeof one !== 'object');
  const looks = crossed.some((base) => base?.fact === 'array' || base?.value === 'list');
  const elements =
    looks && node.domain.type === 'array' ? values.slice(0, MOST_ELEMENTS).map(containing) : [];
  return [...own, ...others, ...times, ...elements, { ...EQUAL, literals: values }];
}

const LEAF = {
  kind: 'leaf',
  name: null,
  fact: 'any',
  path: null,
  timeFormat: 'date-time',
  value: null,
  other: null,
} as const;
const EQUAL = knownLeaf({ ...LEAF, operator: 'equal' });
/** Of a list, whether it has an element. */
const containing = (value: unknown): KnownLeaf => knownLeaf({ ...LEAF, operator: 'contains', value });
/** More elements are not looked for. */
const MOST_ELEMENTS = 12;
/** Asks whether it is a time at all. */
const ANY_TIME = knownLeaf({ ...LEAF, operator: 'after', value: '2026-01-05T01:00:00Z' });

function isNumeric({ type }: Domain): boolean {
  return type === 'integer' || type === 'number';
}

function isScalar({ type }: Domain): boolean {
  return type !== 'array' && type !== 'any';
}

/** Whether the values that are tried show all that a leaf can make of two places. */
function isTold({ asked: { leaf }, node, other }: PlacedLeaf, readers: readonly PlacedLeaf[]): boolean {
  if (!other) return true;
  const { base, decorators } = leaf;
  if (!base || !decorators.every((name) => name === 'not' || name === 'swap')) return false;
  if (base.name === 'equal' || base.name === 'notEqual') return true;
  const [one, two] = [node.domain, other.domain];
  if (one.values && two.values) return true;
  if (base.fact === 'array' || base.value === 'list')
    return [one, two].some(({ type }) => type === 'array') && [one, two].some(isScalar);
  if (base.fact === 'number') return [one, two].every((domain) => isNumeric(domain));
  if (base.fact !== 'time' || node.format !== other.format) return false;
  if ([one, two].every((domain) => isNumeric(domain))) return node.format !== 'date-time';
  // The same time may be written in several ways: then equal times need not be equal texts.
  const compared = readers.some((reader) => reader.other !== null && reader.asked.leaf.base?.fact !== 'time');
  return !compared && [one, two].every(({ type, format }) => type === 'string' && format === node.format);
}

/** The places of a group that tell the status of a task and what it was before. */
function linkedPlaces(places: readonly PlaceNode[], link: StatusLink): readonly PlaceNode[] {
  const names = [link.status, 'task.previousStatus', 'task.transition'];
  const found = places.filter((node) => node.path === null && names.includes(node.fact));
  return found.length < 2 ? [] : found;
}

type Status = string | number;

/** The status that an event has, the one before (null: it begins; undefined: not seen), and that of the task. */
interface StatusCase {
  readonly status: Status | null | undefined;
  readonly before: Status | null | undefined;
  readonly now: Status;
}

/** Statuses and transitions in every combination that there can be; of two moments, with what they share the same. */
function linkedBlock(
  places: readonly PlaceNode[],
  link: StatusLink,
  readers: readonly PlacedLeaf[],
  pool: ReadonlySet<unknown>,
): Block & { readonly exact: boolean } {
  const values = link.values ?? namedStatuses(pool, places, link);
  const byEquality = readers.every(({ asked: { leaf } }) => EQUALITIES.has(leaf.base?.name ?? ''));
  const own = places.find(({ fact }) => fact === link.status);
  const cases = statusCases(values, link, own);
  const valueOf = ({ fact }: PlaceNode, { status, before, now }: StatusCase): unknown => {
    if (fact === 'task.previousStatus') return before;
    if (fact === 'task.transition') return before === undefined ? undefined : `${before ?? ''}>${now}`;
    return status;
  };
  const isLater = places.some(({ moment }) => moment === 'later');
  const isTwice = isLater && places.some(({ moment }) => moment === 'then');
  // What is shared stands at the moment `then`; all the rest that is later is of the later moment.
  const history = places.some(({ moment, fact }) => moment === 'then' && fact !== link.status);
  const pairs = cases.flatMap((one) => {
    if (!isTwice) return [[one, one] as const];
    const others = cases.filter((other) => other.status === one.status);
    return history ? others.map((other) => [one, other] as const) : [[one, one] as const];
  });
  const entries = pairs.map(([then, later]): BlockEntry => {
    const all = places.map((node) => valueOf(node, node.moment === 'later' ? later : then));
    return {
      values: all,
      states: all.map((value): PlaceState => (value === undefined ? ABSENT_FACT : PRESENT)),
      cost: places.reduce((sum, node, at) => sum + costOf(node, all[at], at), 0),
    };
  });
  return { places, entries, exact: link.values !== null || byEquality };
}

function statusCases(
  values: readonly Status[],
  { status, first }: StatusLink,
  own: PlaceNode | undefined,
): readonly StatusCase[] {
  // An event that does not tell a status leaves its task as it was.
  const silent = [
    ...(own?.domain.missing === true ? [undefined] : []),
    ...(own?.namesNull === true || own?.domain.nullable === true ? [null] : []),
  ];
  return values.flatMap((now) =>
    [...values, undefined, ...(first === undefined || first === now ? [null] : [])].flatMap((before) =>
      [status === null ? undefined : now, ...silent].map((told) => ({ status: told, before, now })),
    ),
  );
}

const EQUALITIES: ReadonlySet<string> = new Set(['equal', 'notEqual', 'in', 'notIn', 'exists']);

/** The statuses that leaves name, those that stand in named transitions, and others. */
function namedStatuses(
  pool: ReadonlySet<unknown>,
  places: readonly PlaceNode[],
  link: StatusLink,
): readonly Status[] {
  const text = places.some(({ fact, domain }) => fact !== 'task.transition' && domain.type === 'string');
  const parts = [...pool].flatMap((one) => (typeof one === 'string' ? one.split('>') : []));
  const given = [...pool, ...parts, link.first].flatMap((one): Status[] => {
    if (text) return typeof one === 'string' ? [one] : [];
    const number = typeof one === 'string' && one !== '' ? Number(one) : one;
    return typeof number === 'number' && Number.isFinite(number) ? [number] : [];
  });
  const known = new Set(given);
  for (let other = 1; known.size < given.length + 2; other += 1)
    known.add(text ? `OTHER_${other}` : 1000 + other);
  return [...known];
}
