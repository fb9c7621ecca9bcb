import type { FactView, PlaceTable } from './compiled-conditions.js';
import type { ConditionNode, LeafNode } from './condition-tree.js';
import { parseOperator } from './operators.js';

/** Values that a place must have, one of each, or be missing; without them the rule's outcome is no. */
type Guard = ReadonlyMap<number, ReadonlySet<unknown>>;

/** Always possible. */
const OPEN: Guard = new Map();
const MAX_GUARDS = 16;
const MAX_PLACES = 4;
const MAX_ENTRIES = 64;

interface Branch {
  readonly next: Map<unknown, Branch>;
  readonly rules: number[];
}

/**
 * Picks the rules that an event can match, or that it leaves unknown, by the equality conditions that they require.
 * For every other rule the outcome is no, whatever its other conditions say. A missing fact rules nothing out.
 */
export class RuleIndex {
  /** One tree for each combination of places, whose levels are those places. */
  private readonly trees = new Map<string, { readonly places: readonly number[]; readonly root: Branch }>();
  private readonly always: number[] = [];
  private seen = new Uint8Array(64);

  constructor(private readonly table: PlaceTable) {}

  /** Files a rule under its number; `required` are values that a place must have besides the conditions. */
  add(rule: number, tree: ConditionNode, required: Guard = OPEN): void {
    if (rule >= this.seen.length) {
      const larger = new Uint8Array(Math.max(rule + 1, this.seen.length * 2));
      this.seen = larger;
    }
    const guards = product([[required], this.guardsOf(tree, true)]);
    for (const guard of guards) {
      const places = chosen(guard);
      if (places.length === 0) {
        this.always.push(rule);
        return;
      }
    }
    for (const guard of guards) this.file(rule, guard, chosen(guard));
  }

  /** The numbers of the candidate rules, ascending. */
  candidates(view: FactView): number[] {
    const found: number[] = [...this.always];
    for (const { places, root } of this.trees.values()) collect(root, places, 0, view, found);
    // A rule that several of its guards let through is one candidate.
    const { seen } = this;
    const unique = found.filter((rule) => {
      if (seen[rule] === 1) return false;
      seen[rule] = 1;
      return true;
    });
    for (const rule of unique) seen[rule] = 0;
    return unique.sort((a, b) => a - b);
  }

  private file(rule: number, guard: Guard, places: readonly number[]): void {
    const key = places.join();
    let tree = this.trees.get(key);
    if (!tree) this.trees.set(key, (tree = { places, root: { next: new Map(), rules: [] } }));
    let branches = [tree.root];
    for (const place of places) {
      branches = branches.flatMap((branch) =>
        // A value that nothing can have: the rule is a candidate only when the fact is missing.
        [...(guard.get(place) ?? [])].concat(guard.get(place)?.size === 0 ? [NEVER] : []).map((value) => {
          let next = branch.next.get(value);
          if (!next) branch.next.set(value, (next = { next: new Map(), rules: [] }));
          return next;
        }),
      );
    }
    for (const branch of branches) branch.rules.push(rule);
  }

  /** Guards of which at least one lets an event through, unless the condition (or its opposite) is no. */
  private guardsOf(node: ConditionNode, positive: boolean): readonly Guard[] {
    if (node.kind === 'not') return this.guardsOf(node.child, !positive);
    if (node.kind === 'leaf') {
      const values = requiredBy(node, positive);
      return [values ? new Map([[this.table.numberOf(node), values]]) : OPEN];
    }
    const parts = node.children.map((child) => this.guardsOf(child, positive));
    return (node.kind === 'all') === positive ? product(parts) : union(parts);
  }
}

const NEVER = Symbol('no value');

/** The values that make a leaf (or its opposite) other than no; null: any may. */
export function requiredBy(leaf: LeafNode, positive: boolean): ReadonlySet<unknown> | null {
  const parsed = parseOperator(leaf.operator);
  // The clock is the rule's own: what an event has under its names is nothing that could rule it out.
  if (leaf.fact.startsWith('now.')) return null;
  if (!parsed || leaf.other || parsed.decorators.some((name) => name !== 'not')) return null;
  const { name } = parsed.base;
  const straight = positive === (parsed.decorators.length % 2 === 0);
  if (name === (straight ? 'equal' : 'notEqual')) return new Set([leaf.value].filter(isPrimitive));
  if (name === (straight ? 'in' : 'notIn') && Array.isArray(leaf.value))
    return new Set(leaf.value.filter(isPrimitive));
  return null;
}

// Objects and lists are equal to nothing that an event brings: json-rules-engine compares them by identity.
function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** All parts must be possible: their guards joined, as far as that stays small. */
function product(parts: readonly (readonly Guard[])[]): readonly Guard[] {
  let joined: readonly Guard[] = [OPEN];
  for (const part of [...parts].sort((a, b) => a.length - b.length)) {
    // Leaving a part out lets more events through, never fewer.
    if (joined.length * part.length > MAX_GUARDS) break;
    joined = joined.flatMap((one) => part.map((other) => both(one, other)));
  }
  return joined;
}

function both(one: Guard, other: Guard): Guard {
  if (one.size === 0) return other;
  if (other.size === 0) return one;
  const joined = new Map(one);
  for (const [place, values] of other) {
    const known = joined.get(place);
    joined.set(place, known ? new Set([...known].filter((value) => values.has(value))) : values);
  }
  return joined;
}

/** One of the parts must be possible. */
function union(parts: readonly (readonly Guard[])[]): readonly Guard[] {
  const guards = parts.flat();
  if (guards.some(({ size }) => size === 0)) return [OPEN];
  if (guards.length <= MAX_GUARDS && new Set(guards.map((one) => [...one.keys()].sort().join())).size > 1)
    return guards;
  // All over the same places, or too many: what they have in common, with the values of all.
  const [first, ...rest] = guards;
  const common = new Map<number, ReadonlySet<unknown>>();
  for (const [place, values] of first ?? OPEN) {
    if (rest.every((one) => one.has(place)))
      common.set(place, new Set([...values, ...rest.flatMap((one) => [...(one.get(place) ?? [])])]));
  }
  return [common];
}

/** The places to file a guard under: those with the fewest values, in a fixed order. */
function chosen(guard: Guard): readonly number[] {
  let entries = 1;
  return [...guard]
    .sort(([a, one], [b, other]) => one.size - other.size || a - b)
    .slice(0, MAX_PLACES)
    .filter(([, { size }]) => {
      if (entries * size > MAX_ENTRIES && entries > 1) return false;
      entries *= Math.max(size, 1);
      return true;
    })
    .map(([place]) => place)
    .sort((a, b) => a - b);
}

function collect(
  branch: Branch,
  places: readonly number[],
  depth: number,
  view: FactView,
  found: number[],
): void {
  const place = places[depth];
  if (place === undefined) {
    for (const rule of branch.rules) found.push(rule);
    return;
  }
  const value = view.at(place);
  if (value === undefined) {
    for (const next of branch.next.values()) collect(next, places, depth + 1, view, found);
    return;
  }
  const next = branch.next.get(value);
  if (next) collect(next, places, depth + 1, view, found);
}
