import { ownAt } from '../events/own-member.js';
import { type ConditionNode, type FactPlace, type LeafNode, nameOf } from './condition-tree.js';
import { lookupPlaceOf } from './lookup-name.js';
import {
  type Comparison,
  compileOperator,
  ConditionError,
  type EvaluationContext,
  MAX_STEPS,
  parseOperator,
  prepareValue,
  readInstant,
} from './operators.js';

/** Yes, no, or not to be known because a fact is missing. */
export type Outcome = 'yes' | 'no' | 'unknown';

export type Facts = ReadonlyMap<string, unknown>;

/** The time that `olderThan` and `newerThan` count from, in milliseconds since 1970. */
export interface Moment {
  readonly now: number;
}

/** A condition with what came out, for each leaf and without short cuts. */
export type TracedNode =
  | {
      readonly kind: 'all' | 'any';
      readonly name: string | null;
      readonly outcome: Outcome | 'error';
      readonly children: readonly TracedNode[];
    }
  | {
      readonly kind: 'not';
      readonly name: string | null;
      readonly outcome: Outcome | 'error';
      readonly child: TracedNode;
    }
  | TracedLeaf;

export type TracedLeaf = LeafNode & {
  readonly outcome: Outcome | 'error';
  /** The fact's value; undefined: it is missing. */
  readonly actual: unknown;
  /** The literal, or the other fact's value; undefined: that fact is missing. */
  readonly expected: unknown;
  readonly error: string | null;
};

const NO = 0;
const YES = 1;
const UNKNOWN = 2;
type Code = typeof NO | typeof YES | typeof UNKNOWN;
const OUTCOMES = ['no', 'yes', 'unknown'] as const;

/** What a rule takes at the least. */
const STEPS_OF_RULE = 10;
const UNREAD = Symbol('unread');

/** Numbers the places that a rule set reads, so that each is looked up once for each event. */
export class PlaceTable {
  private readonly numbers = new Map<string, number>();
  readonly places: FactPlace[] = [];

  numberOf(place: FactPlace): number {
    const key = place.path ? JSON.stringify([place.fact, ...place.path]) : place.fact;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.places.length);
    this.places.push(place);
    return this.places.length - 1;
  }
}

/** The facts of one event as the compiled rules read them. */
export class FactView {
  /** What the evaluations over these facts have taken so far. */
  steps = 0;
  private readonly values: unknown[];

  constructor(
    private readonly places: readonly FactPlace[],
    readonly facts: Facts,
  ) {
    this.values = new Array<unknown>(places.length).fill(UNREAD);
  }

  /** The value at a place; undefined: it is missing. */
  at(number: number): unknown {
    const value = this.values[number];
    return value === UNREAD ? this.read(number) : value;
  }

  private read(number: number): unknown {
    const place = this.places[number];
    const value = place && readPlace(this.facts, place);
    this.values[number] = value;
    return value;
  }
}

/** The value that a place has among the facts; undefined: it is missing. */
export function readPlace(facts: Facts, { fact, path }: Pick<FactPlace, 'fact' | 'path'>): unknown {
  const value = facts.get(fact);
  return path ? ownAt(value, path) : value;
}

type Predicate = (view: FactView, context: EvaluationContext & { failed: string | null }) => Code;

/**
 * The conditions of one rule as functions, three-valued: a leaf on a missing fact is unknown, and `all`, `any` and
 * `not` follow Kleene. A leaf that cannot be evaluated makes the rule an error, unless the others already say no.
 */
export class CompiledConditions {
  private readonly predicate: Predicate;
  private readonly mayFail: boolean;

  constructor(
    readonly tree: ConditionNode,
    private readonly table: PlaceTable,
  ) {
    this.predicate = compile(tree, table);
    this.mayFail = leafMayFail(tree);
  }

  /** @throws ConditionError when a leaf cannot be evaluated on these facts */
  evaluate(facts: Facts, moment: Moment): Outcome {
    return this.evaluateView(new FactView(this.table.places, facts), moment);
  }

  /** The same for facts that many rules read. */
  evaluateView(view: FactView, { now }: Moment): Outcome {
    const context = { now, steps: MAX_STEPS, failed: null as string | null };
    const code = this.predicate(view, context);
    view.steps += STEPS_OF_RULE + MAX_STEPS - context.steps;
    if (code !== NO && this.mayFail) {
      // A short cut may have passed by a leaf that fails; the second key, json-rules-engine, takes none.
      const failed =
        context.failed ?? firstError(traceNode(this.tree, view, this.table, { now, steps: MAX_STEPS }));
      if (failed !== null) throw new ConditionError(failed);
    }
    return OUTCOMES[code];
  }

  /** Every leaf with its values, without short cuts. */
  trace(facts: Facts, { now }: Moment): TracedNode {
    return traceNode(this.tree, new FactView(this.table.places, facts), this.table, {
      now,
      steps: MAX_STEPS,
    });
  }
}

/** Compiles conditions on their own, outside a rule set. */
export function compileConditions(tree: ConditionNode): CompiledConditions {
  return new CompiledConditions(tree, new PlaceTable());
}

/** The facts whose absence keeps a rule from being decided, by the names that messages use. */
export function missingIn(node: TracedNode): readonly string[] {
  const missing = new Set<string>();
  const visit = (one: TracedNode): void => {
    if (one.outcome !== 'unknown') return;
    if (one.kind === 'leaf') {
      if (one.actual === undefined) missing.add(nameOf(one));
      if (one.other && one.expected === undefined) missing.add(nameOf(one.other));
    } else if (one.kind === 'not') visit(one.child);
    else one.children.forEach(visit);
  };
  visit(node);
  return [...missing];
}

function compile(node: ConditionNode, table: PlaceTable): Predicate {
  if (node.kind === 'leaf') return compileLeaf(node, table);
  if (node.kind === 'not') {
    const child = compile(node.child, table);
    return (view, context) => {
      const code = child(view, context);
      return code === UNKNOWN ? UNKNOWN : code === YES ? NO : YES;
    };
  }
  const children = node.children.map((child) => compile(child, table));
  const decisive = node.kind === 'all' ? NO : YES;
  const otherwise = node.kind === 'all' ? YES : NO;
  return (view, context) => {
    let code: Code = otherwise;
    for (const child of children) {
      const part = child(view, context);
      if (part === decisive) return decisive;
      if (part === UNKNOWN) code = UNKNOWN;
    }
    return code;
  };
}

function compileLeaf(leaf: LeafNode, table: PlaceTable): Predicate {
  const number = table.numberOf(leaf);
  const { base, plain, comparison, value } = compiledLeaf(leaf);
  if (plain && (base === 'equal' || base === 'notEqual') && !leaf.other) {
    const same = base === 'equal' ? YES : NO;
    const different = base === 'equal' ? NO : YES;
    return (view) => {
      const fact = view.at(number);
      return fact === undefined ? UNKNOWN : fact === value ? same : different;
    };
  }
  if (plain && (base === 'in' || base === 'notIn') && Array.isArray(value)) {
    const set = new Set<unknown>(value);
    const within = base === 'in' ? YES : NO;
    const without = base === 'in' ? NO : YES;
    return (view) => {
      const fact = view.at(number);
      return fact === undefined ? UNKNOWN : set.has(fact) ? within : without;
    };
  }
  const otherNumber = leaf.other && table.numberOf(leaf.other);
  const whole = base === 'exists' ? wholeAnswer(leaf) : null;
  const wholeNumber = whole && table.numberOf(whole);
  return (view, context) => {
    const fact = view.at(number);
    if (fact === undefined && base !== 'exists') return UNKNOWN;
    if (wholeNumber !== null && view.at(wholeNumber) === undefined) return UNKNOWN;
    const expected = otherNumber === null ? value : view.at(otherNumber);
    if (otherNumber !== null && expected === undefined) return UNKNOWN;
    try {
      return comparison(fact, expected, context) ? YES : NO;
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      context.failed ??= error.message;
      return UNKNOWN;
    }
  };
}

/** Whether an answer holds something can be told only when there is an answer: this is its place. */
function wholeAnswer({ fact, timeFormat }: LeafNode): FactPlace | null {
  return lookupPlaceOf(fact) ? { fact, path: null, timeFormat } : null;
}

interface CompiledLeaf {
  readonly base: string;
  /** Without decorators. */
  readonly plain: boolean;
  readonly comparison: Comparison;
  /** The prepared literal. */
  readonly value: unknown;
}

const refusing =
  (message: string): Comparison =>
  () => {
    throw new ConditionError(message);
  };

/** A leaf that the loader would refuse fails when it is evaluated; its rule alone is in error. */
function compiledLeaf(leaf: LeafNode): CompiledLeaf {
  const parsed = parseOperator(leaf.operator);
  const base = parsed?.base.name ?? leaf.operator;
  const plain = parsed?.decorators.length === 0;
  const refused = (message: string): CompiledLeaf => ({
    base,
    plain: false,
    comparison: refusing(message),
    value: undefined,
  });
  if (!parsed) return refused(`there is no operator "${leaf.operator}"`);
  if (parsed.base.origin === 'added' && parsed.decorators.includes('swap'))
    return refused(`"swap:" does not go with "${base}"`);
  const comparison = compileOperator(leaf.operator, leaf.timeFormat);
  if (!leaf.other) {
    try {
      return { base, plain, comparison, value: prepareValue(parsed.base, leaf.value) };
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      return refused(error.message);
    }
  }
  if (parsed.base.value === 'pattern' || parsed.base.value === 'duration')
    return refused(`"${base}" takes a value of the rule file, not of a fact`);
  if (parsed.base.value !== 'time') return { base, plain, comparison, value: undefined };
  const prepared = prepareOther(leaf.other, comparison);
  return { base, plain, comparison: prepared, value: undefined };
}

function prepareOther(other: FactPlace, comparison: Comparison): Comparison {
  const instantOf = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(instantOf) : readInstant(value, other.timeFormat);
  return (fact, value, context) => comparison(fact, instantOf(value), context);
}

/** Whether a leaf can fail, or be so much work that it fails for that. */
function leafMayFail(node: ConditionNode): boolean {
  if (node.kind === 'not') return leafMayFail(node.child);
  if (node.kind !== 'leaf') return node.children.some(leafMayFail);
  const parsed = parseOperator(node.operator);
  if (parsed?.decorators.length !== 0) return true;
  const { name, value, fact } = parsed.base;
  if (name === 'in' || name === 'notIn') return !Array.isArray(node.value);
  return fact === 'array' || fact === 'string' || value === 'time' || value === 'duration';
}

function traceNode(
  node: ConditionNode,
  view: FactView,
  table: PlaceTable,
  context: EvaluationContext,
): TracedNode {
  if (node.kind === 'leaf') return traceLeaf(node, view, table, context);
  if (node.kind === 'not') {
    const child = traceNode(node.child, view, table, context);
    const flipped = { yes: 'no', no: 'yes', unknown: 'unknown', error: 'error' } as const;
    return { kind: 'not', name: node.name, outcome: flipped[child.outcome], child };
  }
  const children = node.children.map((child) => traceNode(child, view, table, context));
  const decisive = node.kind === 'all' ? 'no' : 'yes';
  const found = new Set(children.map(({ outcome }) => outcome));
  const outcome = found.has(decisive)
    ? decisive
    : found.has('error')
      ? 'error'
      : found.has('unknown')
        ? 'unknown'
        : node.kind === 'all'
          ? 'yes'
          : 'no';
  return { kind: node.kind, name: node.name, outcome, children };
}

const leaves = new WeakMap<LeafNode, CompiledLeaf>();

function traceLeaf(
  leaf: LeafNode,
  view: FactView,
  table: PlaceTable,
  context: EvaluationContext,
): TracedLeaf {
  const compiled = knownLeaf(leaf);
  const actual = view.at(table.numberOf(leaf));
  const expected = leaf.other ? view.at(table.numberOf(leaf.other)) : leaf.value;
  const whole = wholeAnswerOf(leaf);
  const answer = whole && view.at(table.numberOf(whole));
  try {
    const outcome = outcomeOf(leaf, compiled, actual, expected, answer, context);
    return { ...leaf, actual, expected, error: null, outcome };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return { ...leaf, actual, expected, error: error.message, outcome: 'error' };
  }
}

function knownLeaf(leaf: LeafNode): CompiledLeaf {
  let compiled = leaves.get(leaf);
  if (!compiled) leaves.set(leaf, (compiled = compiledLeaf(leaf)));
  return compiled;
}

/** `answer`: the whole answer of the look-up, of a leaf that needs it; null: it needs none. */
function outcomeOf(
  leaf: LeafNode,
  { base, comparison, value }: CompiledLeaf,
  actual: unknown,
  expected: unknown,
  answer: unknown,
  context: EvaluationContext,
): Outcome {
  if ((actual === undefined && base !== 'exists') || (leaf.other && expected === undefined)) return 'unknown';
  if (answer === undefined) return 'unknown';
  return comparison(actual, leaf.other ? expected : value, context) ? 'yes' : 'no';
}

/** The place of the whole answer, if a leaf can be told only when there is one. */
export function wholeAnswerOf(leaf: LeafNode): FactPlace | null {
  return knownLeaf(leaf).base === 'exists' ? wholeAnswer(leaf) : null;
}

/**
 * What comes out for a leaf when these values stand at its place, at that of its other fact, and at that of the whole
 * answer (null: it needs none); undefined: nothing stands there.
 */
export function testLeaf(
  leaf: LeafNode,
  actual: unknown,
  other: unknown,
  answer: unknown,
  { now }: Moment,
): Outcome | 'error' {
  try {
    return outcomeOf(leaf, knownLeaf(leaf), actual, other, answer, { now, steps: MAX_STEPS });
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return 'error';
  }
}

function firstError(node: TracedNode): string | null {
  if (node.kind === 'leaf') return node.error;
  if (node.kind === 'not') return firstError(node.child);
  for (const child of node.children) {
    const found = firstError(child);
    if (found !== null) return found;
  }
  return null;
}
