import { RE2JS, RE2JSException } from 're2js';
import { parseDuration } from '../config/duration.js';

/** What an operator does, for those who write, check and read rules. */
export interface OperatorDefinition {
  readonly name: string;
  readonly origin: 'json-rules-engine' | 'added';
  readonly label: { readonly zh: string; readonly en: string };
  /** What the fact should be; on anything else the leaf is false. */
  readonly fact: 'any' | 'array' | 'number' | 'string' | 'time';
  readonly value: 'any' | 'list' | 'number' | 'string' | 'pattern' | 'time' | 'duration' | 'boolean';
}

const jre = (
  name: string,
  zh: string,
  en: string,
  fact: OperatorDefinition['fact'],
  value: OperatorDefinition['value'],
): OperatorDefinition => ({ name, origin: 'json-rules-engine', label: { zh, en }, fact, value });
const added = (...given: Parameters<typeof jre>): OperatorDefinition => ({
  ...jre(...given),
  origin: 'added',
});

export const OPERATORS: readonly OperatorDefinition[] = [
  jre('equal', '等于', 'is', 'any', 'any'),
  jre('notEqual', '不等于', 'is not', 'any', 'any'),
  jre('in', '属于', 'is one of', 'any', 'list'),
  jre('notIn', '不属于', 'is none of', 'any', 'list'),
  jre('contains', '列表包含', 'has the element', 'array', 'any'),
  jre('doesNotContain', '列表不包含', 'has not the element', 'array', 'any'),
  jre('lessThan', '小于', 'is less than', 'number', 'number'),
  jre('lessThanInclusive', '小于或等于', 'is at most', 'number', 'number'),
  jre('greaterThan', '大于', 'is more than', 'number', 'number'),
  jre('greaterThanInclusive', '大于或等于', 'is at least', 'number', 'number'),
  added('exists', '存在', 'is there', 'any', 'boolean'),
  added('startsWith', '开头是', 'begins with', 'string', 'string'),
  added('endsWith', '结尾是', 'ends with', 'string', 'string'),
  added('containsText', '文本包含', 'contains the text', 'string', 'string'),
  added('matches', '匹配正则', 'matches the pattern', 'string', 'pattern'),
  added('before', '早于', 'is before', 'time', 'time'),
  added('after', '晚于', 'is after', 'time', 'time'),
  added('olderThan', '距今超过', 'is longer ago than', 'time', 'duration'),
  added('newerThan', '距今不超过', 'is less long ago than', 'time', 'duration'),
];

export const DECORATORS: readonly {
  readonly name: string;
  readonly label: { readonly zh: string; readonly en: string };
}[] = [
  { name: 'someFact', label: { zh: '任一元素', en: 'some element' } },
  { name: 'everyFact', label: { zh: '每个元素', en: 'every element' } },
  { name: 'someValue', label: { zh: '任一值', en: 'some value' } },
  { name: 'everyValue', label: { zh: '每个值', en: 'every value' } },
  { name: 'swap', label: { zh: '对调', en: 'the other way round' } },
  { name: 'not', label: { zh: '非', en: 'not' } },
];

const BY_NAME = new Map(OPERATORS.map((one) => [one.name, one]));
const DECORATOR_NAMES = new Set(DECORATORS.map(({ name }) => name));

/** `everyFact:not:equal` into its decorators, outermost first, and the operator; null when one of them does not exist. */
export function parseOperator(
  text: string,
): { readonly decorators: readonly string[]; readonly base: OperatorDefinition } | null {
  const decorators = text.split(':');
  const base = BY_NAME.get(decorators.pop() ?? '');
  return base && decorators.every((name) => DECORATOR_NAMES.has(name)) ? { decorators, base } : null;
}

/** How a fact writes times. */
export type TimeFormat = 'date-time' | 'epoch-milliseconds' | 'epoch-seconds';

/** ISO 8601: a date-time with its zone, or a date (the start of that day in UTC). */
const DATE_TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?$/;

/** Milliseconds since 1970 of a time written in `format`; null: it is none. */
export function readInstant(value: unknown, format: TimeFormat): number | null {
  if (format === 'date-time') {
    if (typeof value !== 'string' || !DATE_TIME.test(value)) return null;
    const [, year = '', month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)/.exec(value) ?? [];
    // A day that the month has not got would silently become one of the next month.
    if (new Date(Date.UTC(+year, +month - 1, +day)).getUTCDate() !== +day) return null;
    const ms = Date.parse(value.replace(' ', 'T'));
    return Number.isNaN(ms) ? null : ms;
  }
  if (typeof value === 'number') return format === 'epoch-seconds' ? value * 1000 : value;
  if (typeof value !== 'string' || !/^\d{1,16}(?:\.\d{1,9})?$/.test(value)) return null;
  return format === 'epoch-seconds' ? Number(value) * 1000 : Number(value);
}

/** A regular expression that takes time in proportion to the text, whatever its author wrote. */
export interface Pattern {
  readonly text: string;
  /** Instructions that one character can cost. */
  readonly cost: number;
  /** Whether it is found anywhere in `text`. */
  test(text: string): boolean;
}

const MAX_PATTERN = 1000;
const MAX_PROGRAM = 2000;

/** The pattern, or a sentence about what is wrong with it. Look-ahead and back-references cannot be had in linear time. */
export function compilePattern(text: string): Pattern | string {
  if (text.length > MAX_PATTERN)
    return `a pattern of ${text.length} characters is too long (${MAX_PATTERN} at most)`;
  try {
    const expression = RE2JS.compile(text);
    const size = expression.programSize();
    if (size > MAX_PROGRAM)
      return `the pattern repeats too much: ${size} instructions (${MAX_PROGRAM} at most)`;
    return { text, cost: 8 + size / 8, test: (input) => expression.test(input) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return error.message.replace(/^error parsing regexp: /, '');
  }
}

/** A leaf cannot be evaluated with these facts: the verdict is an error, not a guess. */
export class ConditionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConditionError';
  }
}

/** What the operators may spend and what time they count from; one for each evaluation of a rule. */
export interface EvaluationContext {
  readonly now: number;
  /** Elementary comparisons that are left; each takes some ten nanoseconds. */
  steps: number;
}

/** As many comparisons as one rule may make on one event: some 5 ms, so that no rule holds the others up. */
export const MAX_STEPS = 500_000;

function spend(context: EvaluationContext, steps: number): void {
  context.steps -= steps;
  if (context.steps < 0)
    throw new ConditionError('the conditions take too long on this event: its lists or texts are too large');
}

/** How a leaf's operator compares the fact with the prepared value. */
export type Comparison = (fact: unknown, value: unknown, context: EvaluationContext) => boolean;

// json-rules-engine compares whatever `parseFloat` can read, so that [5] is less than 10. Lists are no numbers here.
const ordered = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && !Number.isNaN(Number.parseFloat(value)));
const orderable = (fact: unknown, value: unknown): boolean =>
  ordered(fact) && (typeof value === 'number' || typeof value === 'string');

function listOf(value: unknown, context: EvaluationContext): readonly unknown[] {
  if (!Array.isArray(value)) throw new ConditionError('"in" and "notIn" need a list to look into');
  spend(context, 1 + value.length / 4);
  return value as unknown[];
}

function elementsOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new ConditionError('"someValue:" and "everyValue:" need a list as value');
  return value as unknown[];
}

function contains(fact: unknown, value: unknown, context: EvaluationContext): boolean | null {
  if (!Array.isArray(fact)) return null;
  spend(context, 1 + fact.length / 4);
  return fact.indexOf(value) > -1;
}

function texts(fact: unknown, value: unknown, context: EvaluationContext): [string, string] | null {
  if (typeof fact !== 'string' || typeof value !== 'string') return null;
  spend(context, 1 + fact.length / 16);
  return [fact, value];
}

/**
 * The operators by name, on prepared values: patterns compiled, times and durations in milliseconds. Those of
 * json-rules-engine compare as it does, but for what docs/differences-from-json-rules-engine.md lists.
 */
function comparisonOf(operator: string, format: TimeFormat): Comparison {
  const instants = (fact: unknown, value: unknown): [number, number] | null => {
    const instant = readInstant(fact, format);
    return instant === null || typeof value !== 'number' ? null : [instant, value];
  };
  switch (operator) {
    case 'equal':
      return (fact, value) => fact === value;
    case 'notEqual':
      return (fact, value) => fact !== value;
    case 'in':
      return (fact, value, context) => listOf(value, context).includes(fact);
    case 'notIn':
      return (fact, value, context) => !listOf(value, context).includes(fact);
    case 'contains':
      return (fact, value, context) => contains(fact, value, context) === true;
    case 'doesNotContain':
      return (fact, value, context) => contains(fact, value, context) === false;
    case 'lessThan':
      return (fact, value) => orderable(fact, value) && (fact as number) < (value as number);
    case 'lessThanInclusive':
      return (fact, value) => orderable(fact, value) && (fact as number) <= (value as number);
    case 'greaterThan':
      return (fact, value) => orderable(fact, value) && (fact as number) > (value as number);
    case 'greaterThanInclusive':
      return (fact, value) => orderable(fact, value) && (fact as number) >= (value as number);
    case 'exists':
      return (fact, value) => (fact !== undefined) === value;
    case 'startsWith':
      return (fact, value, context) => {
        const pair = texts(fact, value, context);
        return pair !== null && pair[0].startsWith(pair[1]);
      };
    case 'endsWith':
      return (fact, value, context) => {
        const pair = texts(fact, value, context);
        return pair !== null && pair[0].endsWith(pair[1]);
      };
    case 'containsText':
      return (fact, value, context) => {
        const pair = texts(fact, value, context);
        return pair !== null && pair[0].includes(pair[1]);
      };
    case 'matches':
      return (fact, value, context) => {
        if (typeof fact !== 'string') return false;
        const pattern = value as Pattern;
        spend(context, 1 + fact.length * pattern.cost);
        return pattern.test(fact);
      };
    case 'before':
      return (fact, value) => {
        const pair = instants(fact, value);
        return pair !== null && pair[0] < pair[1];
      };
    case 'after':
      return (fact, value) => {
        const pair = instants(fact, value);
        return pair !== null && pair[0] > pair[1];
      };
    case 'olderThan':
      return (fact, value, { now }) => {
        const pair = instants(fact, value);
        return pair !== null && pair[0] < now - pair[1];
      };
    case 'newerThan':
      return (fact, value, { now }) => {
        const pair = instants(fact, value);
        return pair !== null && pair[0] > now - pair[1];
      };
    default:
      throw new ConditionError(`there is no operator "${operator}"`);
  }
}

/** What a decorator makes of the comparison behind it, as json-rules-engine does. */
function decorate(name: string, next: Comparison): Comparison {
  switch (name) {
    case 'someFact':
      return (fact, value, context) => {
        if (!Array.isArray(fact)) return false;
        spend(context, fact.length);
        return fact.some((one) => next(one, value, context));
      };
    case 'everyFact':
      return (fact, value, context) => {
        if (!Array.isArray(fact)) return false;
        spend(context, fact.length);
        return fact.every((one) => next(one, value, context));
      };
    case 'someValue':
      return (fact, value, context) => {
        const list = elementsOf(value);
        spend(context, list.length);
        return list.some((one) => next(fact, one, context));
      };
    case 'everyValue':
      return (fact, value, context) => {
        const list = elementsOf(value);
        spend(context, list.length);
        return list.every((one) => next(fact, one, context));
      };
    case 'swap':
      return (fact, value, context) => next(value, fact, context);
    case 'not':
      return (fact, value, context) => !next(fact, value, context);
    default:
      throw new ConditionError(`there is no decorator "${name}:"`);
  }
}

/** The comparison that an operator with its decorators makes. */
export function compileOperator(text: string, format: TimeFormat): Comparison {
  const parsed = parseOperator(text);
  if (!parsed) throw new ConditionError(`there is no operator "${text}"`);
  return parsed.decorators.reduceRight<Comparison>(
    (next, name) => decorate(name, next),
    comparisonOf(parsed.base.name, format),
  );
}

/**
 * A literal value as the comparison wants it: patterns compiled, times and durations in milliseconds; in a list, each.
 *
 * @throws ConditionError for what is no pattern, time or duration
 */
export function prepareValue(operator: OperatorDefinition, value: unknown): unknown {
  if (operator.value !== 'pattern' && operator.value !== 'time' && operator.value !== 'duration')
    return value;
  if (Array.isArray(value)) return value.map((one: unknown) => prepareValue(operator, one));
  const text = typeof value === 'string' ? value : '';
  const prepared =
    operator.value === 'pattern'
      ? compilePattern(text)
      : operator.value === 'time'
        ? (readInstant(text, 'date-time') ?? 'it is no date-time with a zone')
        : (parseDuration(text) ?? 'it is no duration');
  if (typeof prepared !== 'string' && typeof value === 'string') return prepared;
  throw new ConditionError(
    `"${operator.name}" cannot take ${JSON.stringify(value)}: ${typeof prepared === 'string' ? prepared : 'it is no text'}`,
  );
}
