import type { ConditionNode, LeafNode } from '../condition-tree.js';
import type { Goal } from './answer.js';
import { knownLeaf } from './known-leaf.js';
import type { AskedLeaf } from './partition-places.js';
import { ERROR, NO, UNKNOWN, YES } from './partition-variables.js';

/** What has to come out, without `not`: leaves that must come out in one of some ways, all of them or one. */
export type Requirement =
  | { readonly kind: 'leaf'; readonly at: number; readonly mask: number }
  | { readonly kind: 'every' | 'one'; readonly parts: readonly Requirement[] };

export interface Requirements {
  readonly asked: readonly AskedLeaf[];
  readonly needs: readonly Requirement[];
}

/** What goals mean for their leaves, each of which stands once for each moment. */
export function requirementsOf(goals: readonly Goal[]): Requirements {
  const reading = new GoalReading();
  const needs = goals.map((goal) => reading.read(goal));
  return { asked: reading.asked, needs };
}

type Moment = AskedLeaf['moment'];

class GoalReading {
  readonly asked: AskedLeaf[] = [];
  private readonly numbers = { then: new Map<LeafNode, number>(), later: new Map<LeafNode, number>() };

  read({ tree, want, moment = 'then' }: Goal): Requirement {
    const fails = this.leavesOf(tree, moment).filter((at) => this.mayFail(at));
    if (want === 'no') return this.need(tree, moment, NO);
    if (want === 'yes')
      return every([this.need(tree, moment, YES), ...fails.map((at) => leaf(at, YES | NO | UNKNOWN))]);
    return one([this.need(tree, moment, NO | UNKNOWN | ERROR), ...fails.map((at) => leaf(at, ERROR))]);
  }

  /** `mask`: how the tree may come out. One of YES, NO, and what is not one of these. */
  private need(node: ConditionNode, moment: Moment, mask: number): Requirement {
    if (node.kind === 'leaf') return leaf(this.numberOf(node, moment), mask);
    if (node.kind === 'not') return this.need(node.child, moment, flipped(mask));
    const parts = node.children.map((child) => this.need(child, moment, mask));
    // All are yes, or one is not; one is no, or all are not.
    const together = (node.kind === 'all') === ((mask & NO) === 0);
    return together ? every(parts) : one(parts);
  }

  private leavesOf(node: ConditionNode, moment: Moment): readonly number[] {
    if (node.kind === 'leaf') return [this.numberOf(node, moment)];
    if (node.kind === 'not') return this.leavesOf(node.child, moment);
    return node.children.flatMap((child) => this.leavesOf(child, moment));
  }

  private numberOf(node: LeafNode, moment: Moment): number {
    const numbers = this.numbers[moment];
    let at = numbers.get(node);
    if (at === undefined) {
      at = this.asked.length;
      this.asked.push({ leaf: knownLeaf(node), moment });
      numbers.set(node, at);
    }
    return at;
  }

  /** Texts and lists so large that the time runs out are left out of account. */
  private mayFail(at: number): boolean {
    const found = this.asked[at];
    return found !== undefined && mayFail(found);
  }
}

export function mayFail({ leaf: { node, base, decorators } }: AskedLeaf): boolean {
  if (!base) return true;
  const goesThroughValue = decorators.includes('someValue') || decorators.includes('everyValue');
  if (decorators.includes('swap'))
    return base.origin === 'added' || base.value === 'list' || goesThroughValue;
  if (base.value === 'list' || goesThroughValue) return !Array.isArray(node.value) || decorators.length > 0;
  return ['time', 'duration', 'pattern'].includes(base.value);
}

function flipped(mask: number): number {
  const rest = mask & ~(YES | NO);
  return rest | (mask & YES ? NO : 0) | (mask & NO ? YES : 0);
}

function leaf(at: number, mask: number): Requirement {
  return { kind: 'leaf', at, mask };
}

function every(parts: readonly Requirement[]): Requirement {
  const [only] = parts;
  return parts.length === 1 && only ? only : { kind: 'every', parts };
}

function one(parts: readonly Requirement[]): Requirement {
  const [only] = parts;
  return parts.length === 1 && only ? only : { kind: 'one', parts };
}
