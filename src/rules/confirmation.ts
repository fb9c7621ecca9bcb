import { Almanac, Engine, Rule, type TopLevelCondition } from 'json-rules-engine';
import { parseDuration } from '../config/duration.js';
import type { Facts, Moment } from './compiled-conditions.js';
import { type ConditionDocument, type LeafDocument, literalIn, referenceIn } from './condition-document.js';
import type { TimeFormatOf } from './condition-tree.js';
import { factAt } from './lookup-facts.js';
import {
  compileOperator,
  compilePattern,
  type EvaluationContext,
  OPERATORS,
  parseOperator,
  type Pattern,
  readInstant,
} from './operators.js';
import { parsePath, resolvePath } from './plain-path.js';

/** The runtime fact that durations are counted back from. No event has a field of this name. */
const INSTANT = '\u0000instant';

/**
 * The second key: json-rules-engine itself says whether conditions hold. It gets the document as it stands in the
 * rule file, with an almanac of its own for each event, and knows nothing of the index and the compiled predicates.
 */
export class Confirmation {
  private rule: Rule | null = null;
  private facts: ReadonlySet<string> = new Set();

  constructor(
    private readonly document: ConditionDocument,
    private readonly named: ReadonlyMap<string, ConditionDocument>,
    private readonly timeFormatOf: TimeFormatOf,
  ) {}

  /** @throws what json-rules-engine throws */
  async holds(facts: Facts, { now }: Moment): Promise<boolean> {
    // Made when it is first needed: of ten thousand rules most never are.
    this.rule ??= this.makeRule();
    const almanac = new PlainAlmanac({ allowUndefinedFacts: true, pathResolver: resolvePath });
    for (const name of this.facts) {
      const value = factAt(facts, name);
      if (value !== undefined) almanac.addFact(name, value);
    }
    almanac.addFact(INSTANT, ({ back }: { back?: number | readonly number[] }) =>
      typeof back === 'object' ? back.map((ms) => now - ms) : now - (back ?? 0),
    );
    // A rule keeps nothing of a run, unlike an engine: two events at once do not meet.
    const { result } = await evaluating(this.rule).evaluate(almanac);
    return result === true;
  }

  private makeRule(): Rule {
    const engine = new Engine([], { allowUndefinedFacts: true, pathResolver: resolvePath });
    addOperators(engine);
    const { facts, conditions } = usedBy(this.document, this.named);
    for (const name of conditions) {
      const meant = this.named.get(name);
      if (meant) engine.setCondition(name, rooted(documentForEngine(meant, this.timeFormatOf)));
    }
    this.facts = facts;
    const rule = new Rule({
      conditions: rooted(documentForEngine(this.document, this.timeFormatOf)),
      event: { type: 'matched' },
    });
    engine.addRule(rule);
    return rule;
  }
}

/** json-rules-engine takes the fact itself where a path leads into what is no object. Here nothing is there. */
class PlainAlmanac extends Almanac {
  override async factValue<T>(fact: string, params?: Record<string, unknown>, path?: string): Promise<T> {
    const value: unknown = await super.factValue(fact, params);
    return (path === undefined ? value : resolvePath(value, path)) as T;
  }
}

interface Evaluating {
  evaluate(almanac: Almanac): Promise<{ readonly result: boolean | null }>;
}

/** `evaluate` is public in json-rules-engine and missing from its types. */
function evaluating(rule: Rule): Evaluating {
  return rule as unknown as Evaluating;
}

/**
 * A document as json-rules-engine takes it: times and durations become instants, and an object that stands for itself
 * loses its wrapper. Everything else is as the author wrote it.
 */
export function documentForEngine(document: ConditionDocument, timeFormatOf: TimeFormatOf): object {
  if ('condition' in document) return { condition: document.condition };
  if ('all' in document) return { all: document.all.map((one) => documentForEngine(one, timeFormatOf)) };
  if ('any' in document) return { any: document.any.map((one) => documentForEngine(one, timeFormatOf)) };
  if ('not' in document) return { not: documentForEngine(document.not, timeFormatOf) };
  const { fact, path, operator } = document;
  const at = path === undefined ? { fact } : { fact, path };
  const parsed = parseOperator(operator);
  if (parsed?.base.fact !== 'time') {
    const literal = referenceIn(document.value) ? document.value : literalIn(document.value);
    // A literal object is equal to nothing; one with a key "fact" would be read as a reference.
    return { ...at, operator, value: referenceIn(literal) && literal !== document.value ? {} : literal };
  }
  const format = timeFormatOf(fact, path === undefined ? null : parsePath(path));
  const { name, operator: comparison, value } = timeLeaf(document, parsed.base.name, timeFormatOf);
  return {
    ...at,
    operator: [...parsed.decorators, `${comparison}.${format}.${name}`].join(':'),
    value,
  };
}

/** `olderThan` is before, and `newerThan` after, the instant that lies so far back. */
function timeLeaf(
  { value }: LeafDocument,
  operator: string,
  timeFormatOf: TimeFormatOf,
): { readonly operator: string; readonly name: string; readonly value: unknown } {
  const other = referenceIn(value);
  const each = (read: (text: string) => number | null): unknown =>
    Array.isArray(value) ? value.map((one) => read(String(one))) : read(String(value));
  if (operator === 'olderThan' || operator === 'newerThan') {
    return {
      operator: operator === 'olderThan' ? 'before' : 'after',
      name: 'epoch-milliseconds',
      value: { fact: INSTANT, params: { back: each(parseDuration) } },
    };
  }
  return other
    ? {
        operator,
        name: timeFormatOf(other.fact, other.path === undefined ? null : parsePath(other.path)),
        value,
      }
    : { operator, name: 'epoch-milliseconds', value: each((text) => readInstant(text, 'date-time')) };
}

const FORMATS = ['date-time', 'epoch-milliseconds', 'epoch-seconds'] as const;
const unlimited: EvaluationContext = { now: 0, steps: Number.POSITIVE_INFINITY };

/**
 * The operators that json-rules-engine has not got, and those of its own that would throw on a missing fact or
 * compare a list as if it were a number (docs/differences-from-json-rules-engine.md).
 */
export function addOperators(engine: Engine): void {
  for (const { name, origin, fact, value } of OPERATORS) {
    if (fact === 'time' || value === 'pattern' || (origin === 'json-rules-engine' && fact !== 'number'))
      continue;
    const comparison = compileOperator(name, 'date-time');
    engine.addOperator(name, (given: unknown, wanted: unknown) => comparison(given, wanted, unlimited));
  }
  engine.addOperator(
    'matches',
    (text: unknown, pattern: unknown) => typeof text === 'string' && patternOf(pattern).test(text),
  );
  for (const format of FORMATS) {
    for (const other of FORMATS) {
      const compare = (holds: (a: number, b: number) => boolean) => (given: unknown, wanted: unknown) => {
        const [a, b] = [readInstant(given, format), readInstant(wanted, other)];
        return a !== null && b !== null && holds(a, b);
      };
      engine.addOperator(
        `before.${format}.${other}`,
        compare((a, b) => a < b),
      );
      engine.addOperator(
        `after.${format}.${other}`,
        compare((a, b) => a > b),
      );
    }
  }
  engine.addOperator('in', (value: unknown, list: unknown) => Array.isArray(list) && list.includes(value));
  engine.addOperator(
    'notIn',
    (value: unknown, list: unknown) => Array.isArray(list) && !list.includes(value),
  );
  engine.addOperatorDecorator(
    'someValue',
    (fact: unknown, list: unknown, next: (fact: unknown, value: unknown) => boolean) =>
      Array.isArray(list) && list.some((one) => next(fact, one)),
  );
  engine.addOperatorDecorator(
    'everyValue',
    (fact: unknown, list: unknown, next: (fact: unknown, value: unknown) => boolean) =>
      Array.isArray(list) && list.every((one) => next(fact, one)),
  );
}

const patterns = new Map<string, Pattern>();

function patternOf(text: unknown): Pattern {
  const source = String(text);
  const known = patterns.get(source);
  if (known) return known;
  const pattern = compilePattern(source);
  if (typeof pattern === 'string') throw new Error(`"${source}" is no pattern: ${pattern}`);
  // Patterns come from rule files only; the bound is for a service that reloads for years.
  if (patterns.size >= 1000) patterns.clear();
  patterns.set(source, pattern);
  return pattern;
}

/** The facts and the named conditions that a document uses, also by way of other named conditions. */
function usedBy(
  document: ConditionDocument,
  named: ReadonlyMap<string, ConditionDocument>,
): { readonly facts: ReadonlySet<string>; readonly conditions: ReadonlySet<string> } {
  const facts = new Set<string>();
  const conditions = new Set<string>();
  const visit = (one: ConditionDocument): void => {
    if ('condition' in one) {
      const meant = named.get(one.condition);
      if (!meant || conditions.has(one.condition)) return;
      conditions.add(one.condition);
      visit(meant);
    } else if ('not' in one) visit(one.not);
    else if ('all' in one) one.all.forEach(visit);
    else if ('any' in one) one.any.forEach(visit);
    else {
      facts.add(one.fact);
      const other = referenceIn(one.value);
      if (other) facts.add(other.fact);
    }
  };
  visit(document);
  return { facts, conditions };
}

/** json-rules-engine wants a group at the root. */
function rooted(document: object): TopLevelCondition {
  return ('fact' in document ? { all: [document] } : document) as TopLevelCondition;
}
