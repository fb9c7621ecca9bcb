import { isObject, own } from '../events/own-member.js';
import type { Facts } from './compiled-conditions.js';
import type { FactPlace } from './condition-tree.js';

/** Where a condition reads: a fact, and a plain path into it. */
export type Place = Pick<FactPlace, 'fact' | 'path'>;

/** One fact, or a place in it, that would have to be otherwise. */
export interface FactChange {
  readonly fact: string;
  readonly path: readonly string[] | null;
  /** undefined: it is missing. */
  readonly from: unknown;
  /** undefined: it must not be there. */
  readonly to: unknown;
}

const MAX_LIST = 1000;

/**
 * The facts after the changes, made in their order; the given ones stay as they are. What lies beside a changed place
 * stays, a missing parent is made, and a parent that can hold nothing gives way.
 */
export function applyChanges(facts: Facts, changes: readonly FactChange[]): Facts {
  const changed = new Map(facts);
  for (const change of changes) setChanged(changed, change);
  return changed;
}

/** Makes one change in facts that are the caller's own. */
export function setChanged(facts: Map<string, unknown>, { fact, path, to }: FactChange): void {
  const value = written(facts.get(fact), path ?? [], to);
  if (value === undefined) facts.delete(fact);
  else facts.set(fact, value);
}

function written(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value) && isIndex(key)) {
    const list = [...(value as unknown[])];
    const inner = written(list[Number(key)], rest, to);
    if (inner === undefined) return Number(key) === list.length - 1 ? list.slice(0, -1) : value;
    while (list.length < Number(key)) list.push(null);
    list[Number(key)] = inner;
    return list;
  }
  const inner = written(isObject(value) ? own(value, key) : undefined, rest, to);
  if (inner === undefined) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return value;
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  }
  if (isObject(value)) return { ...value, [key]: inner };
  return isIndex(key) ? [...new Array<null>(Number(key)).fill(null), inner] : { [key]: inner };
}

function isIndex(key: string): boolean {
  return /^(?:0|[1-9]\d{0,3})$/.test(key) && Number(key) < MAX_LIST;
}

/** The change that gives a place a value, and that takes nothing away beside it; null: there is nothing to change. */
export function changeAt(facts: Facts, place: Place, to: unknown): FactChange | null {
  const path = place.path ?? [];
  let value = facts.get(place.fact);
  for (const [at, key] of path.entries()) {
    if (value === undefined) break;
    if (Array.isArray(value) && key === 'length' && at === path.length - 1) {
      if (typeof to !== 'number' || !Number.isInteger(to) || to < 0 || to > MAX_LIST) return null;
      const list = value as unknown[];
      const longer = Array.from({ length: to }, (_, index) => list[index] ?? list.at(-1) ?? null);
      return { fact: place.fact, path: at === 0 ? null : path.slice(0, at), from: list, to: longer };
    }
    if (!isObject(value) && !(Array.isArray(value) && isIndex(key) && Number(key) <= value.length)) {
      // A text or a list has no such member: it is that itself which has to be something else.
      if (to === undefined) return null;
      const instead = written(undefined, path.slice(at), to);
      return { fact: place.fact, path: at === 0 ? null : path.slice(0, at), from: value, to: instead };
    }
    if (to === undefined && Array.isArray(value) && Number(key) !== value.length - 1) return null;
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value === to ? null : { fact: place.fact, path: place.path, from: value, to };
}

/** Whether a path is the other one or leads further into it. */
export function isWithin(path: readonly string[] | null, outer: readonly string[] | null): boolean {
  return (outer ?? []).every((key, at) => path?.[at] === key);
}

export function overlap(one: Place, other: Place): boolean {
  return one.fact === other.fact && (isWithin(one.path, other.path) || isWithin(other.path, one.path));
}

export function isSame(one: Place, other: Place): boolean {
  return one.fact === other.fact && isWithin(one.path, other.path) && isWithin(other.path, one.path);
}

/** A change within what another one puts there is a part of that. */
export function merged(changes: readonly FactChange[]): readonly FactChange[] {
  const joined: FactChange[] = [];
  for (const one of changes) {
    const at = joined.findIndex((other) => other.fact === one.fact && isWithin(one.path, other.path));
    const outer = joined[at];
    if (!outer) joined.push(one);
    else
      joined[at] = {
        ...outer,
        to: written(outer.to, (one.path ?? []).slice(outer.path?.length ?? 0), one.to),
      };
  }
  return joined;
}
