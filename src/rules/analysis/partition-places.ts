import { isDeepStrictEqual } from 'node:util';
import { isObject, ownAt } from '../../events/own-member.js';
import type { FactPlace } from '../condition-tree.js';
import type { TimeFormat } from '../operators.js';
import type { Budget } from './answer.js';
import { type Domain, domainWithin } from './domain.js';
import type { FactSpace } from './fact-space.js';
import type { KnownLeaf } from './known-leaf.js';

export interface PartitionContext {
  readonly space: FactSpace;
  readonly now: number;
  readonly budget: Budget;
}

/** A leaf at one of the two moments. */
export interface AskedLeaf {
  readonly leaf: KnownLeaf;
  readonly moment: 'then' | 'later';
}

/** A place that leaves read, or that such a place is in. */
export interface PlaceNode {
  readonly fact: string;
  readonly moment: 'then' | 'later';
  readonly path: readonly string[] | null;
  readonly domain: Domain;
  readonly parent: PlaceNode | null;
  /** What stands there when nothing is asked; undefined: nothing. */
  readonly usual: unknown;
  /** Leaves that compare what stands here with something of the rule file, by their numbers. */
  readonly leaves: number[];
  format: TimeFormat;
  hasChildren: boolean;
  namesNull: boolean;
}

/** Where leaves read: each place once for each moment that has its own value. */
export class PlaceForest {
  /** What a place is in stands before it. */
  readonly nodes: PlaceNode[] = [];
  private readonly byKey = new Map<string, PlaceNode>();

  constructor(private readonly space: FactSpace) {}

  /** The place, after those that it is in. */
  nodeOf({ fact, path, timeFormat }: FactPlace, asked: AskedLeaf['moment']): PlaceNode {
    const moment = asked === 'later' && !this.space.isStable(fact) ? 'later' : 'then';
    let key = `${moment} ${fact}`;
    let node = this.byKey.get(key) ?? this.root(key, fact, moment);
    for (const [at, name] of (path ?? []).entries()) {
      key += `\u0000${name}`;
      node = this.byKey.get(key) ?? this.member(key, node, path?.slice(0, at + 1) ?? [], name);
    }
    node.format = timeFormat;
    return node;
  }

  private root(key: string, fact: string, moment: PlaceNode['moment']): PlaceNode {
    return this.add(key, {
      fact,
      moment,
      path: null,
      parent: null,
      domain: this.space.domainOf(fact),
      usual: this.space.usual(fact),
    });
  }

  private member(key: string, parent: PlaceNode, path: readonly string[], name: string): PlaceNode {
    parent.hasChildren = true;
    const { fact, moment } = parent;
    const domain = domainWithin(parent.domain, name);
    return this.add(key, { fact, moment, path, parent, domain, usual: ownAt(parent.usual, [name]) });
  }

  private add(
    key: string,
    given: Pick<PlaceNode, 'fact' | 'moment' | 'path' | 'parent' | 'domain' | 'usual'>,
  ): PlaceNode {
    const node = {
      ...given,
      leaves: [],
      format: 'date-time' as const,
      hasChildren: false,
      namesNull: false,
    };
    this.byKey.set(key, node);
    this.nodes.push(node);
    return node;
  }
}

/** How a place stands, for those that are in it. */
export const ABSENT_FACT = 0;
export const ABSENT = 1;
export const PRESENT = 2;
/** Present, and members may be in it. */
export const HOLDING = 3;
export type PlaceState = typeof ABSENT_FACT | typeof ABSENT | typeof PRESENT | typeof HOLDING;

/** Whether a place may stand so while what it is in stands so. */
export function goTogether(outer: PlaceState, inner: PlaceState, { domain }: PlaceNode): boolean {
  if (outer === ABSENT_FACT) return inner === ABSENT_FACT;
  if (outer !== HOLDING) return inner === ABSENT;
  return inner === ABSENT ? domain.missing : inner !== ABSENT_FACT;
}

/** The states in which nothing stands at a place. */
export function absences(node: PlaceNode): readonly PlaceState[] {
  const { parent, domain } = node;
  if (!parent) return domain.missing ? [ABSENT_FACT] : [];
  let root: PlaceNode = parent;
  let mayFail = mayNotHold(parent);
  while (root.parent) {
    root = root.parent;
    mayFail ||= mayNotHold(root);
  }
  const states: PlaceState[] = root.domain.missing ? [ABSENT_FACT] : [];
  return domain.missing || mayFail ? [...states, ABSENT] : states;
}

function mayNotHold({ domain, namesNull }: PlaceNode): boolean {
  return domain.missing || domain.nullable || namesNull || !['object', 'array'].includes(domain.type);
}

const COST_OF_VALUE = 100;
const COST_OF_ABSENCE = 135;
const COST_OF_NULL = 140;
const MOST_LIKINGS = 30;

/** How far a value at a place is from the usual one; `at`: how many others would rather be taken. */
export function costOf({ usual }: PlaceNode, value: unknown, at: number): number {
  if (value === usual || (typeof value === 'object' && isDeepStrictEqual(value, usual))) return 0;
  if (value === undefined) return COST_OF_ABSENCE;
  if (value === null) return COST_OF_NULL;
  return COST_OF_VALUE + Math.min(at, MOST_LIKINGS);
}

/** How a place stands that has a value. */
export function stateWith({ hasChildren }: PlaceNode, value: unknown): PlaceState {
  return hasChildren && (isObject(value) || Array.isArray(value)) ? HOLDING : PRESENT;
}
