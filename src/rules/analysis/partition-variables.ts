import { testLeaf } from '../compiled-conditions.js';
import { BudgetSpent } from './budget-spent.js';
import type { FactSpace } from './fact-space.js';
import { type Block, type BlockEntry, blocksOf } from './partition-joint.js';
import {
  ABSENT_FACT,
  type AskedLeaf,
  type PartitionContext,
  PlaceForest,
  type PlaceNode,
  type PlaceState,
  PRESENT,
} from './partition-places.js';

export const YES = 1;
export const NO = 2;
export const UNKNOWN = 4;
export const ERROR = 8;
export const ANY = YES | NO | UNKNOWN | ERROR;
const MASKS = { yes: YES, no: NO, unknown: UNKNOWN, error: ERROR } as const;

/** Places whose values matter to the same leaves, and all that they may be together. */
export interface Variable {
  readonly places: readonly PlaceNode[];
  /** Numbers of the leaves that read these places and no others. */
  readonly leaves: readonly number[];
  /** The nearest to what is usual first. For each way in which the leaves can come out there is one. */
  readonly options: readonly Option[];
  /** The leaves can come out in no other way. */
  readonly exact: boolean;
}

export interface Option {
  /** Of each place. */
  readonly values: readonly unknown[];
  readonly states: readonly PlaceState[];
  /** Of each leaf: YES, NO, UNKNOWN or ERROR. */
  readonly outcomes: readonly number[];
  /** How far it is from what is usual. */
  readonly cost: number;
}

/** More values together are not tried; where not all are known, it is not worth so many. */
const MOST_COMBINATIONS = 20_000;
const MOST_GUESSES = 2000;

/** What the places that the leaves read may be. `skip`: numbers of leaves that are left out. */
export function variablesOf(
  asked: readonly AskedLeaf[],
  context: PartitionContext,
  skip: ReadonlySet<number> = new Set(),
): readonly Variable[] {
  const forest = new PlaceForest(context.space);
  const groups = new PlaceGroups();
  const readers: LeafReader[] = [];
  const nulls = new Set<string>();
  asked.forEach(({ leaf, moment }, at) => {
    if (skip.has(at)) return;
    const node = forest.nodeOf(leaf.node, moment);
    const other = leaf.node.other && forest.nodeOf(leaf.node.other, moment);
    if (leaf.answer) forest.nodeOf(leaf.answer, moment);
    if (leaf.literals.includes(null)) nulls.add(placeOf(node));
    if (other) groups.join(node, other);
    else node.leaves.push(at);
    readers.push({ at, asked: { leaf, moment }, node, other });
  });
  joinLinked(forest, groups, context.space);
  // What may stand there is the same at both moments, whichever of them null is named at.
  for (const node of forest.nodes) node.namesNull = nulls.has(placeOf(node));
  return groups.of(forest.nodes).map((places) => {
    const inside = readers.filter(({ node }) => places.includes(node));
    return variableOf(places, inside, asked, context);
  });
}

function placeOf({ fact, path }: PlaceNode): string {
  return JSON.stringify([fact, ...(path ?? [])]);
}

/** Who reads what the status of a task was before reads the status that it has now, too: they go together. */
function joinLinked(forest: PlaceForest, groups: PlaceGroups, { link }: FactSpace): void {
  if (!link) return;
  const linked = ['task.previousStatus', 'task.transition', ...(link.status === null ? [] : [link.status])];
  const isRead = (names: readonly string[], moment: PlaceNode['moment']): boolean =>
    forest.nodes.some((one) => one.moment === moment && names.includes(one.fact));
  const before = isRead(HISTORY, 'then');
  // What a later moment does not read is as it was: then it must go with the status that it does read.
  const after = isRead(HISTORY, 'later') || (before && isRead(linked, 'later'));
  for (const moment of [...(before ? ['then' as const] : []), ...(after ? ['later' as const] : [])]) {
    const [first, ...others] = linked.map((fact) =>
      forest.nodeOf({ fact, path: null, timeFormat: 'date-time' }, moment),
    );
    for (const other of others) if (first) groups.join(first, other);
  }
}

const HISTORY: readonly string[] = ['task.previousStatus', 'task.transition'];

interface LeafReader {
  readonly at: number;
  readonly asked: AskedLeaf;
  readonly node: PlaceNode;
  readonly other: PlaceNode | null;
}

class PlaceGroups {
  private readonly heads = new Map<PlaceNode, PlaceNode>();

  join(one: PlaceNode, other: PlaceNode): void {
    const [a, b] = [this.headOf(one), this.headOf(other)];
    if (a !== b) this.heads.set(b, a);
  }

  of(nodes: readonly PlaceNode[]): readonly (readonly PlaceNode[])[] {
    const groups = new Map<PlaceNode, PlaceNode[]>();
    for (const node of nodes) {
      const head = this.headOf(node);
      const group = groups.get(head);
      if (group) group.push(node);
      else groups.set(head, [node]);
    }
    return [...groups.values()];
  }

  private headOf(node: PlaceNode): PlaceNode {
    let head = node;
    for (let next = this.heads.get(head); next; next = this.heads.get(head)) head = next;
    return head;
  }
}

function variableOf(
  places: readonly PlaceNode[],
  readers: readonly LeafReader[],
  asked: readonly AskedLeaf[],
  context: PartitionContext,
): Variable {
  const { blocks: all, exact } = blocksOf(places, readers, asked, context);
  const blocks = fewer(all, exact ? MOST_COMBINATIONS : MOST_GUESSES);
  const order = blocks.flatMap((block) => block.places);
  const tests = readers.map(({ asked: { leaf }, node, other }) => {
    const [at, otherAt] = [order.indexOf(node), other ? order.indexOf(other) : -1];
    return (values: readonly unknown[], states: readonly PlaceState[]): number => {
      const answer = leaf.answer === null ? null : states[at] === ABSENT_FACT ? undefined : true;
      return MASKS[testLeaf(leaf.node, values[at], values[otherAt], answer, context)];
    };
  });
  const matters = order.map((node) => node.parent !== null || node.hasChildren);
  const found = new Map<string, Option>();
  context.budget.steps -= STEPS_OF_VARIABLE;
  for (const { values, states, cost } of product(blocks)) {
    context.budget.steps -= STEPS_OF_TEST * tests.length;
    if (context.budget.steps < 0) throw new BudgetSpent();
    const outcomes = tests.map((test) => test(values, states));
    const key = `${outcomes.join('')}${states.filter((_, at) => matters[at]).join('')}`;
    const known = found.get(key);
    if (!known || cost < known.cost) found.set(key, { values, states, outcomes, cost });
  }
  const options = [...found.values()].sort((a, b) => a.cost - b.cost);
  const isWhole = blocks === all;
  return {
    places: order,
    leaves: readers.map(({ at }) => at),
    options,
    exact: (exact && isWhole) || (isWhole && coversAll(options, readers)),
  };
}

/** Whether the leaves came out in every way that can be thought of, so that it does not matter what was not tried. */
function coversAll(options: readonly Option[], readers: readonly LeafReader[]): boolean {
  const present = options.filter(({ states }) => states.every((one) => one >= PRESENT));
  const seen = readers.map((_, at) => new Set(present.map(({ outcomes }) => outcomes[at])));
  const ways = new Set(present.map(({ outcomes }) => outcomes.join('')));
  return (
    readers.every(({ asked: { leaf }, other }, at) => {
      const both = seen[at]?.has(YES) === true && seen[at].has(NO);
      return other === null && (both || leaf.base?.name === 'exists');
    }) && ways.size === seen.reduce((all, one) => all * one.size, 1)
  );
}

/** The blocks, without as many of their last entries as it takes to have no more than so many combinations. */
function fewer(blocks: readonly Block[], most: number): readonly Block[] {
  const size = blocks.reduce((all, { entries }) => all * entries.length, 1);
  const longest = blocks.reduce<Block | null>(
    (one, other) => (one && one.entries.length >= other.entries.length ? one : other),
    null,
  );
  if (size <= most || !longest || blocks.length < 2) return blocks;
  const entries = longest.entries.slice(0, Math.floor(longest.entries.length / 2));
  return fewer(
    blocks.map((one) => (one === longest ? { ...one, entries } : one)),
    most,
  );
}

const STEPS_OF_VARIABLE = 4;
const STEPS_OF_TEST = 0.4;

function* product(blocks: readonly Block[]): Generator<BlockEntry> {
  const [first, ...rest] = blocks;
  if (!first) {
    yield { values: [], states: [], cost: 0 };
    return;
  }
  if (rest.length === 0) {
    yield* first.entries;
    return;
  }
  for (const entry of first.entries) {
    for (const { values, states, cost } of product(rest))
      yield {
        values: [...entry.values, ...values],
        states: [...entry.states, ...states],
        cost: entry.cost + cost,
      };
  }
}
