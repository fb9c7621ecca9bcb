import { wholeAnswerOf } from '../compiled-conditions.js';
import type { FactPlace, LeafNode } from '../condition-tree.js';
import { type OperatorDefinition, parseOperator } from '../operators.js';

/** A leaf as the analysis reads it. */
export interface KnownLeaf {
  readonly node: LeafNode;
  /** Outermost first. */
  readonly decorators: readonly string[];
  /** Null: there is no such operator, and it always fails. */
  readonly base: OperatorDefinition | null;
  /** What it names: its literal, and what stands in it when that is a list. */
  readonly literals: readonly unknown[];
  /** The place of the look-up's whole answer; null: it needs none. */
  readonly answer: FactPlace | null;
}

const known = new WeakMap<LeafNode, KnownLeaf>();

export function knownLeaf(node: LeafNode): KnownLeaf {
  let leaf = known.get(node);
  if (!leaf) {
    const parsed = parseOperator(node.operator);
    leaf = {
      node,
      decorators: parsed?.decorators ?? [],
      base: parsed?.base ?? null,
      literals: node.other ? [] : namedIn(node.value),
      answer: wholeAnswerOf(node),
    };
    known.set(node, leaf);
  }
  return leaf;
}

function namedIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.flatMap(namedIn) : [value];
}

/** What a leaf asks of each element of a list. */
export interface ElementQuestion {
  /** The questions about one element; several: each by itself matters. */
  readonly elements: readonly KnownLeaf[];
  /** It is yes when there is an element for which the only question is yes (`some`), or no when there is one (`none`). */
  readonly kind: 'some' | 'none' | null;
}

const questions = new WeakMap<LeafNode, ElementQuestion | null>();

/** Null: a list is to the leaf like any other value. */
export function elementQuestion(leaf: KnownLeaf): ElementQuestion | null {
  const found = questions.get(leaf.node);
  if (found !== undefined) return found;
  const question = findQuestion(leaf);
  questions.set(leaf.node, question);
  return question;
}

function findQuestion({ node, decorators, base, literals }: KnownLeaf): ElementQuestion | null {
  if (!base || node.other) return null;
  const at = decorators.findIndex((name) => name === 'someFact' || name === 'everyFact');
  const outer = at < 0 ? decorators : decorators.slice(0, at);
  const plain = outer.every((name) => name === 'not');
  const flipped = outer.filter((name) => name === 'not').length % 2 === 1;
  const ask = (operator: string, value: unknown): KnownLeaf =>
    knownLeaf({ ...node, operator, value, path: null, fact: 'element' });
  if (at >= 0 && !outer.includes('swap')) {
    const inner = [...decorators.slice(at + 1), base.name].join(':');
    // The values of the literal one by one, then the elements of the fact.
    const values: readonly unknown[] = Array.isArray(node.value) ? node.value : [node.value];
    if (!plain) return { elements: values.map((one) => ask(inner, one)), kind: null };
    if (decorators[at] === 'someFact')
      return { elements: [ask(inner, node.value)], kind: flipped ? 'none' : 'some' };
    return { elements: [ask(`not:${inner}`, node.value)], kind: flipped ? 'some' : 'none' };
  }
  const swapped = outer.filter((name) => name === 'swap').length % 2 === 1;
  const looksInto = swapped ? base.value === 'list' : base.fact === 'array';
  if (!looksInto && at < 0) return null;
  const simple = at < 0 && outer.every((name) => name === 'not' || name === 'swap');
  const [only] = literals;
  if (!simple || Array.isArray(node.value))
    return { elements: literals.map((one) => ask('equal', one)), kind: null };
  const denies = base.name === 'doesNotContain' || base.name === 'notIn';
  return { elements: [ask('equal', only)], kind: denies === flipped ? 'some' : 'none' };
}
