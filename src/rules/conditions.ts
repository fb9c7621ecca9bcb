import { Almanac, Engine, type TopLevelCondition } from 'json-rules-engine';
import { resolvePath } from './plain-path.js';

/** Yes, no, or not to be known because a fact is missing. */
export type Outcome = 'yes' | 'no' | 'unknown';

export interface ConditionResult {
  readonly outcome: Outcome;
  /** The facts that were missing; those that made the outcome unknown are among them. */
  readonly missing: readonly string[];
}

/** json-rules-engine's own operators; its decorators may stand before them (`everyFact:lessThan`). */
export const OPERATORS: readonly string[] = [
  'equal',
  'notEqual',
  'in',
  'notIn',
  'contains',
  'doesNotContain',
  'lessThan',
  'lessThanInclusive',
  'greaterThan',
  'greaterThanInclusive',
];
export const DECORATORS: readonly string[] = [
  'someFact',
  'everyFact',
  'someValue',
  'everyValue',
  'swap',
  'not',
];

/** A condition as it stands in a rule file, once the loader has checked its form. */
export type ConditionDocument =
  | { readonly all: readonly ConditionDocument[] }
  | { readonly any: readonly ConditionDocument[] }
  | { readonly not: ConditionDocument }
  | LeafDocument;

export interface LeafDocument {
  readonly fact: string;
  readonly operator: string;
  readonly value: unknown;
  readonly path?: string | undefined;
}

/**
 * The conditions of one rule, evaluated by json-rules-engine: an engine of its own, so that one rule's error never
 * touches another, and a fresh almanac for each event, so that nothing is carried over. A missing fact is unknown,
 * not false: json-rules-engine would find `notEqual` true on it.
 */
export class Conditions {
  private readonly engine: Engine;
  private readonly facts: ReadonlySet<string>;
  private last: Promise<unknown> = Promise.resolve();

  constructor(document: ConditionDocument) {
    this.facts = new Set(factsIn(document));
    this.engine = new Engine([], { allowUndefinedFacts: true, pathResolver: resolvePath });
    this.engine.addRule({ conditions: rooted(document), event: { type: 'matched' } });
  }

  /** @throws what json-rules-engine throws */
  async evaluate(facts: ReadonlyMap<string, unknown>): Promise<ConditionResult> {
    // The engine keeps the state of a run in itself: the first to end would cut the others short.
    const result = this.last.then(() => this.run(facts));
    this.last = result.catch(() => undefined);
    return await result;
  }

  private async run(facts: ReadonlyMap<string, unknown>): Promise<ConditionResult> {
    const almanac = new Almanac({ allowUndefinedFacts: true, pathResolver: resolvePath });
    for (const name of this.facts) {
      if (facts.has(name)) almanac.addFact(name, facts.get(name));
    }
    const { results, failureResults } = await this.engine.run({}, { almanac });
    const result = results[0] ?? failureResults[0];
    if (!result) throw new Error('json-rules-engine answered nothing');
    const missing = new Set<string>();
    const outcome = fold(result.conditions as unknown as ResultNode, missing);
    // What is sure must be what json-rules-engine says too; where the two disagree, nothing may be sent.
    if (outcome !== 'unknown' && (outcome === 'yes') !== Boolean(result.result)) {
      throw new Error(`json-rules-engine says ${String(result.result)} where its own leaves make ${outcome}`);
    }
    return { outcome, missing: [...missing] };
  }
}

/** What json-rules-engine leaves behind: its condition tree, with the values it saw at the leaves. */
interface ResultNode {
  readonly all?: readonly ResultNode[];
  readonly any?: readonly ResultNode[];
  readonly not?: ResultNode;
  readonly fact?: string;
  readonly path?: string;
  readonly value?: unknown;
  readonly result?: boolean;
  readonly factResult?: unknown;
  readonly valueResult?: unknown;
}

/** Kleene's three-valued logic over the leaves that json-rules-engine has evaluated. */
function fold(node: ResultNode, missing: Set<string>): Outcome {
  if (node.all) {
    const parts = node.all.map((part) => fold(part, missing));
    return parts.includes('no') ? 'no' : parts.includes('unknown') ? 'unknown' : 'yes';
  }
  if (node.any) {
    const parts = node.any.map((part) => fold(part, missing));
    return parts.includes('yes') ? 'yes' : parts.includes('unknown') ? 'unknown' : 'no';
  }
  if (node.not) {
    const part = fold(node.not, missing);
    return part === 'unknown' ? 'unknown' : part === 'yes' ? 'no' : 'yes';
  }
  if (node.factResult === undefined) missing.add(named(node.fact ?? '', node.path));
  const other = referenceIn(node.value);
  if (other && node.valueResult === undefined) missing.add(named(other.fact, other.path));
  if (node.factResult === undefined || (other && node.valueResult === undefined)) return 'unknown';
  return node.result ? 'yes' : 'no';
}

function named(fact: string, path: string | undefined): string {
  return path ? `${fact} ${path}` : fact;
}

/** `value: {"fact": …}`: the value is another fact. */
export function referenceIn(value: unknown): { readonly fact: string; readonly path?: string } | null {
  return typeof value === 'object' && value !== null && 'fact' in value && typeof value.fact === 'string'
    ? (value as { fact: string; path?: string })
    : null;
}

function factsIn(document: ConditionDocument): string[] {
  if ('all' in document) return document.all.flatMap(factsIn);
  if ('any' in document) return document.any.flatMap(factsIn);
  if ('not' in document) return factsIn(document.not);
  const other = referenceIn(document.value);
  return other ? [document.fact, other.fact] : [document.fact];
}

function rooted(document: ConditionDocument): TopLevelCondition {
  const root = 'fact' in document ? { all: [document] } : document;
  return structuredClone(root) as unknown as TopLevelCondition;
}
