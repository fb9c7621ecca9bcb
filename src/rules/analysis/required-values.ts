import { type ConditionNode, nameOf } from '../condition-tree.js';
import { requiredBy } from '../rule-index.js';

/** Values of which a place must have one for conditions to hold, by the place's name. */
export type RequiredValues = ReadonlyMap<string, ReadonlySet<unknown>>;

const NONE: RequiredValues = new Map();

/** What conditions require by equality, whatever else they say. */
export function requiredIn(node: ConditionNode, positive = true): RequiredValues {
  if (node.kind === 'not') return requiredIn(node.child, !positive);
  if (node.kind === 'leaf') {
    const values = requiredBy(node, positive);
    return values ? new Map([[nameOf(node), values]]) : NONE;
  }
  const parts = node.children.map((child) => requiredIn(child, positive));
  return (node.kind === 'all') === positive ? inAll(parts) : inAny(parts);
}

function inAll(parts: readonly RequiredValues[]): RequiredValues {
  const joined = new Map<string, ReadonlySet<unknown>>();
  for (const part of parts) {
    for (const [place, values] of part) {
      const known = joined.get(place);
      joined.set(place, known ? new Set([...known].filter((value) => values.has(value))) : values);
    }
  }
  return joined;
}

function inAny([first = NONE, ...rest]: readonly RequiredValues[]): RequiredValues {
  const joined = new Map<string, ReadonlySet<unknown>>();
  for (const [place, values] of first) {
    if (rest.every((part) => part.has(place)))
      joined.set(place, new Set([...values, ...rest.flatMap((part) => [...(part.get(place) ?? [])])]));
  }
  return joined;
}

/** Whether one event may have what both require. */
export function compatible(one: RequiredValues, other: RequiredValues): boolean {
  for (const [place, values] of one) {
    const others = other.get(place);
    if (others && !overlap(values, others)) return false;
  }
  return true;
}

function overlap(one: ReadonlySet<unknown>, other: ReadonlySet<unknown>): boolean {
  const [few, many] = one.size <= other.size ? [one, other] : [other, one];
  for (const value of few) if (many.has(value)) return true;
  return false;
}

interface Column<T> {
  readonly byValue: Map<unknown, T[]>;
  /** Those that do not require a value of the place. */
  readonly without: T[];
}

/** More places than this are not looked at to tell things apart. */
const MOST_COLUMNS = 6;

/** Finds, among many things that require values, those that may go together with one. */
export class RequiredIndex<T> {
  private readonly columns = new Map<string, Column<T>>();

  constructor(
    private readonly all: readonly T[],
    private readonly requiredOf: (one: T) => RequiredValues,
  ) {
    const counts = new Map<string, number>();
    for (const one of all)
      for (const place of requiredOf(one).keys()) counts.set(place, (counts.get(place) ?? 0) + 1);
    const often = [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
    for (const [place] of often.slice(0, MOST_COLUMNS)) this.columns.set(place, this.columnOf(place));
  }

  /** In the order in which they were given; some of them may turn out not to fit. */
  candidates(one: T): readonly T[] {
    let fewest = this.all;
    for (const [place, values] of this.requiredOf(one)) {
      const column = this.columns.get(place);
      if (!column) continue;
      const lists = [column.without, ...[...values].map((value) => column.byValue.get(value) ?? [])];
      if (lists.reduce((sum, { length }) => sum + length, 0) < fewest.length) fewest = lists.flat();
    }
    return fewest;
  }

  private columnOf(place: string): Column<T> {
    const column: Column<T> = { byValue: new Map(), without: [] };
    for (const one of this.all) {
      const values = this.requiredOf(one).get(place);
      if (!values) column.without.push(one);
      for (const value of values ?? []) {
        const known = column.byValue.get(value);
        if (known) known.push(one);
        else column.byValue.set(value, [one]);
      }
    }
    return column;
  }
}
