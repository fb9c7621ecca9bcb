import { isObject } from '../events/own-member.js';
import { parseDuration } from '../config/duration.js';
import { parseOperator, readInstant, type TimeFormat } from './operators.js';
import { samplesOf } from './pattern-sample.js';

/** One use of a place by a leaf: the operator, and what stands on its other side. */
export interface PlaceUse {
  /** As written, with its decorators. */
  readonly operator: string;
  /** The literal, or the value that the other fact has now; undefined: that is missing. */
  readonly opposite: unknown;
  /** How the other side writes times. */
  readonly oppositeFormat: TimeFormat;
  /** The place is the fact that the leaf is about, not the value that it is compared with. */
  readonly isFact: boolean;
}

const MAX_VALUES = 300;
/** Of a long list, so many elements are looked at: those that most uses mention first. */
const MAX_ELEMENTS = 60;
const MAX_TEXT = 10_000;
const MAX_LIST = 1000;
const SECOND = 1000;

/** Values in the order in which they were thought of, each once. */
class Values {
  readonly found = new Map<string, { readonly value: unknown; readonly literal: boolean }>();

  add(value: unknown, literal = false): void {
    if (this.found.size >= MAX_VALUES || (typeof value === 'number' && !Number.isFinite(value))) return;
    if (typeof value === 'string' && value.length > MAX_TEXT) return;
    const key = value === undefined ? '' : JSON.stringify(value);
    if (!this.found.has(key)) this.found.set(key, { value, literal });
  }

  ofType<T>(isIt: (value: unknown) => value is T): readonly T[] {
    return [...this.found.values()].map(({ value }) => value).filter(isIt);
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';

/**
 * Values that may make the leaves at a place come out otherwise, the most natural first: those that the catalogue
 * knows, then those that the leaves name, of the type that the place has now; `undefined` (nothing there) last. The
 * first use is the one that matters most.
 * Whether one helps is for the caller to try.
 */
export function valuesFor(
  current: unknown,
  uses: readonly PlaceUse[],
  preferred: readonly unknown[],
  format: TimeFormat,
  now: number,
): readonly unknown[] {
  const values = new Values();
  for (const value of preferred) values.add(value);
  const elements = elementsOf(uses);
  for (const value of elements) values.add(value, true);
  addTexts(values, uses, current);
  if (uses.some(({ operator }) => parseOperator(operator)?.base.fact === 'time'))
    addTimes(values, uses, current, format, now);
  addNeighbours(values, uses, current);
  if (Array.isArray(current) || uses.some(readsLists)) addLists(values, uses, elements, current);
  for (const value of [1, 0, true, false, null, '', undefined]) values.add(value);
  return ranked(values, preferred, current);
}

/** What the leaves name: literals, the elements of lists, the other fact's value. */
function elementsOf(uses: readonly PlaceUse[]): readonly unknown[] {
  const counts = new Map<unknown, number>();
  for (const { opposite, operator } of uses) {
    const base = parseOperator(operator)?.base;
    if (base?.value === 'pattern' || base?.value === 'duration' || base?.value === 'boolean') continue;
    for (const value of new Set(Array.isArray(opposite) ? (opposite as unknown[]) : [opposite])) {
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const often = [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value);
  const [first] = uses;
  const own = first && counts.has(first.opposite) ? [first.opposite] : [];
  return [...new Set([...own, ...often.slice(0, MAX_ELEMENTS)])];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function addTexts(values: Values, uses: readonly PlaceUse[], current: unknown): void {
  const of = (...names: readonly string[]): readonly string[] =>
    uses
      .filter(({ operator }) => names.includes(parseOperator(operator)?.base.name ?? ''))
      .flatMap(({ opposite }) => listOf(opposite).filter(isText))
      .slice(0, 4);
  const samples = of('matches').flatMap(samplesOf);
  for (const text of samples) values.add(text, true);
  const begins = of('startsWith');
  const inner = [...of('containsText'), ...samples];
  const ends = of('endsWith');
  const now = isText(current) && current.length <= MAX_TEXT ? [current] : [];
  for (const begin of [...begins, '']) {
    for (const end of [...ends, '']) {
      for (const middle of [inner.join(''), ...inner, ...now, '']) {
        if (inner.length + begins.length + ends.length > 0) values.add(begin + middle + end);
      }
    }
  }
  for (const text of inner) for (const one of now) values.add(one + text);
}

function addTimes(
  values: Values,
  uses: readonly PlaceUse[],
  current: unknown,
  format: TimeFormat,
  now: number,
): void {
  const instants = uses.flatMap(({ operator, opposite, oppositeFormat }) => {
    const base = parseOperator(operator)?.base;
    if (base?.fact !== 'time') return [];
    return listOf(opposite).map((one) => {
      if (base.value !== 'duration') return readInstant(one, oppositeFormat);
      const back = isText(one) ? parseDuration(one) : null;
      return back === null ? null : now - back;
    });
  });
  const bounds = [...new Set(instants.filter(isNumber)), now].sort((a, b) => a - b);
  const between = bounds.map((one, at) => (one + (bounds[at + 1] ?? one)) / 2);
  for (const ms of [...bounds.flatMap((one) => [one - SECOND, one + SECOND]), ...between, ...bounds]) {
    const time = timeIn(format, Math.round(ms), current);
    if (time === null) continue;
    values.add(time);
    if (uses.some(readsLists)) values.add([time]);
  }
}

function timeIn(format: TimeFormat, ms: number, current: unknown): unknown {
  if (Math.abs(ms) > 8.64e15) return null;
  if (format === 'date-time') return new Date(ms).toISOString().replace('.000Z', 'Z');
  const count = format === 'epoch-seconds' ? Math.floor(ms / 1000) : ms;
  return isText(current) ? String(count) : count;
}

/** Values beside, between and unlike those found so far. */
function addNeighbours(values: Values, uses: readonly PlaceUse[], current: unknown): void {
  const texts = values.ofType(isText);
  const numeric = texts.filter((text) => text !== '' && text.length < 16 && !Number.isNaN(Number(text)));
  const known = [...new Set([...values.ofType(isNumber), ...numeric.map(Number)])].sort((a, b) => a - b);
  if (isNumber(current)) values.add(current + 1);
  // Numbers that are texts are compared as texts, with any text.
  if (uses.some(({ operator }) => parseOperator(operator)?.base.fact === 'number') && texts.length > 0)
    for (const text of ['1', '0', '-1']) values.add(text);
  const near = [...known, ...known.map((number) => number + 1), ...known.map((number) => number - 1)];
  for (const number of near) {
    values.add(number);
    if (numeric.length > 0) values.add(String(number));
  }
  known.forEach((number, at) => {
    values.add((number + (known[at + 1] ?? number)) / 2);
  });
  for (const text of texts.slice(0, MAX_ELEMENTS)) {
    values.add(`${text}x`);
    values.add(text.slice(0, -1));
  }
  values.add('other');
  values.add('another');
  if (typeof current === 'boolean') values.add(!current);
}

function readsLists({ operator, isFact, opposite }: PlaceUse): boolean {
  const parsed = parseOperator(operator);
  if (!parsed) return false;
  const { decorators, base } = parsed;
  return (
    base.fact === 'array' ||
    decorators.includes('swap') ||
    decorators.includes(isFact ? 'someFact' : 'someValue') ||
    decorators.includes(isFact ? 'everyFact' : 'everyValue') ||
    (!isFact && base.value === 'list') ||
    (isFact && Array.isArray(opposite) && base.value !== 'list' && decorators.length > 0)
  );
}

function addLists(
  values: Values,
  uses: readonly PlaceUse[],
  elements: readonly unknown[],
  current: unknown,
): void {
  const now = Array.isArray(current) && current.length <= MAX_LIST ? (current as unknown[]) : null;
  const singles = [...values.found.values()].map(({ value }) => value).filter((value) => value !== undefined);
  const named = elements.filter((one) => !Array.isArray(one)).slice(0, 10);
  const textual = uses.some(({ operator }) => parseOperator(operator)?.base.fact === 'string');
  const wanted = textual ? singles.filter(isText).slice(0, 10) : named;
  if (now) {
    for (const one of wanted) values.add([...now, one], true);
    for (const one of wanted)
      values.add(
        now.filter((other) => other !== one),
        true,
      );
    values.add(now.filter((other) => !named.includes(other)));
    values.add([...new Set([...now, ...named])]);
  }
  values.add([]);
  for (const one of singles.slice(0, MAX_ELEMENTS)) values.add([one], elements.includes(one));
  if (named.length > 1) values.add(named);
  for (const one of named) for (const other of named) if (one !== other) values.add([one, other]);
  values.add(['other']);
  values.add([1]);
  // A list of lists, for decorators that go into an element which has to be a list itself.
  if (uses.some(({ operator }) => (parseOperator(operator)?.decorators.length ?? 0) > 0)) {
    values.add([[]]);
    for (const one of named) values.add([[one]]);
  }
}

function ranked(values: Values, preferred: readonly unknown[], current: unknown): readonly unknown[] {
  const known = new Set(preferred);
  const model = current ?? preferred[0];
  const weight = (value: unknown, literal: boolean): number => {
    if (value === undefined) return 20;
    const empty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
    return (
      (known.has(value) ? 0 : literal ? 1 : 3) +
      (model === undefined || model === null || typeOf(value) === typeOf(model) ? 0 : 4) +
      (empty && !literal ? 5 : 0)
    );
  };
  return [...values.found.values()]
    .map(({ value, literal }) => ({ value, weight: weight(value, literal) }))
    .sort((a, b) => a.weight - b.weight)
    .map(({ value }) => copyOf(value));
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : isObject(value) ? 'object' : typeof value;
}

/** What an event brings is never the rule file's own object, and json-rules-engine compares objects by identity. */
function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}
