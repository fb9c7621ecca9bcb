import { isObject } from '../../events/own-member.js';
import { readInstant, type TimeFormat } from '../operators.js';
import { samplesOf } from '../pattern-sample.js';
import { valuesFor } from '../repair-values.js';
import type { Budget } from './answer.js';
import type { Domain } from './domain.js';
import type { KnownLeaf } from './known-leaf.js';
import { listsFor } from './partition-lists.js';
import { numbersAround } from './partition-numbers.js';
import { momentsOf, timeTexts } from './partition-times.js';
import { textClasses, type TextWords } from './text-classes.js';
import { typicalValue } from './typical-value.js';

/** Values that stand for all that a place may hold, as far as the leaves tell them apart. Null and nothing are not among them. */
export interface Representatives {
  readonly values: readonly unknown[];
  /** The leaves can come out in no other way; else there may be values that were not thought of. */
  readonly exact: boolean;
}

export interface PartitionNeeds {
  readonly now: number;
  /** How the place writes times. */
  readonly format: TimeFormat;
  /** How many different values of each kind are wanted: as many as there are places that are compared with each other. */
  readonly count: number;
  /** What stands there when nothing is asked of it; undefined: nothing. */
  readonly usual: unknown;
  readonly budget: Budget;
}

/** Values for a place, by what the leaves ask of it; the usual one first, then those that the leaves name. */
export function representatives(
  domain: Domain,
  leaves: readonly KnownLeaf[],
  needs: PartitionNeeds,
): Representatives {
  const found = valuesOf(domain, leaves, needs);
  const { usual } = needs;
  const isUsual = usual !== undefined && usual !== null && isMember(domain, usual, leaves);
  const values = isUsual ? [usual, ...found.values.filter((one) => one !== usual)] : found.values;
  needs.budget.steps -= 1 + values.length / 10;
  return { values, exact: found.exact };
}

function valuesOf(domain: Domain, leaves: readonly KnownLeaf[], needs: PartitionNeeds): Representatives {
  if (domain.values) return { values: domain.values, exact: true };
  switch (domain.type) {
    case 'integer':
    case 'number':
      return { values: numbersFor(domain, leaves, needs), exact: true };
    case 'string':
      return textsFor(domain, leaves, needs);
    case 'boolean':
      return { values: [true, false], exact: true };
    case 'array':
      return listsFor(domain, leaves, needs);
    case 'object':
      return { values: [objectFor(domain, needs)], exact: true };
    case 'any':
      return anyFor(domain, leaves, needs);
  }
}

/** Of every type some. */
function anyFor(domain: Domain, leaves: readonly KnownLeaf[], needs: PartitionNeeds): Representatives {
  const texts = textsFor({ ...domain, type: 'string' }, leaves, needs);
  const numbers = numbersFor({ ...domain, type: 'number' }, leaves, needs);
  const lists = listsFor({ ...domain, type: 'array' }, leaves, needs);
  // What the leaves name says best of what type it is.
  const named = leaves.flatMap(({ literals }) => literals).find((one) => one !== null);
  const [first, second] = typeof named === 'number' ? [numbers, texts.values] : [texts.values, numbers];
  const values = [...first, ...second, ...lists.values, true, false, objectFor(domain, needs)];
  return { values, exact: texts.exact && lists.exact };
}

/** With the members that it always has. */
function objectFor({ field }: Domain, { usual, now }: PartitionNeeds): unknown {
  if (isObject(usual)) return usual;
  return field?.type === 'object' ? typicalValue('', field, now) : {};
}

function isMember(domain: Domain, value: unknown, leaves: readonly KnownLeaf[]): boolean {
  if (domain.values) return domain.values.includes(value);
  switch (domain.type) {
    case 'integer':
      return Number.isInteger(value) && isWithin(domain, value as number);
    case 'number':
      return typeof value === 'number' && isWithin(domain, value);
    case 'string':
      return typeof value === 'string' && (!isTime(domain, leaves) || isTimeText(domain, value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'any':
      return true;
  }
}

function isWithin({ least, most }: Domain, value: number): boolean {
  return value >= (least ?? -Infinity) && value <= (most ?? Infinity);
}

/** A field with a format holds times; that matters only to leaves that read them. */
function isTime({ format }: Domain, leaves: readonly KnownLeaf[]): boolean {
  return format !== null && leaves.some(({ base }) => base?.fact === 'time');
}

function isTimeText({ format }: Domain, text: string): boolean {
  return format === null || readInstant(text, format) !== null;
}

function numbersFor(
  { type, least, most }: Domain,
  leaves: readonly KnownLeaf[],
  { now, format, count }: PartitionNeeds,
): readonly number[] {
  const unit = format === 'epoch-seconds' ? 1000 : 1;
  const points = leaves.flatMap((leaf) => [
    ...leaf.literals.map((one) => (typeof one === 'string' ? Number(one) : one)),
    ...(format === 'date-time' ? [] : momentsOf(leaf, now).map((ms) => ms / unit)),
  ]);
  const numbers = points.filter((one): one is number => typeof one === 'number' && Number.isFinite(one));
  const named = numbers.filter((one) => type !== 'integer' || Number.isSafeInteger(one));
  const around = numbersAround(numbers, { integer: type === 'integer', least, most }, count);
  return [...new Set([...named.filter((one) => around.includes(one)), ...around])];
}

/** What the leaves ask of a text. */
interface TextQuestions extends TextWords {
  readonly moments: readonly number[];
  readonly hasTimes: boolean;
  /** Numbers that a text is compared with as the number that it stands for. */
  readonly numbers: readonly number[];
  /** Some ask what the words do not tell. */
  readonly isHard: boolean;
}

function textQuestions(leaves: readonly KnownLeaf[], now: number): TextQuestions {
  const words = {
    equal: new Set<string>(),
    begins: new Set<string>(),
    ends: new Set<string>(),
    parts: new Set<string>(),
  };
  const numbers: number[] = [];
  let isHard = false;
  let hasTimes = false;
  for (const { base, literals } of leaves) {
    if (!base) continue;
    if (base.fact === 'time') hasTimes = true;
    // Patterns, and the order of texts.
    else if (base.value === 'pattern') isHard = true;
    else if (base.fact === 'number') {
      isHard ||= literals.some((one) => typeof one === 'string');
      numbers.push(...literals.filter((one): one is number => typeof one === 'number'));
    }
    const kind = WORDS[base.name] ?? 'equal';
    if (base.value === 'pattern' || base.value === 'duration' || base.fact === 'time') continue;
    for (const one of literals) if (typeof one === 'string') words[kind].add(one);
  }
  const inner = words.begins.size + words.ends.size + words.parts.size > 0;
  return {
    equal: [...words.equal],
    begins: [...words.begins],
    ends: [...words.ends],
    parts: [...words.parts],
    moments: leaves.flatMap((leaf) => momentsOf(leaf, now)),
    hasTimes,
    numbers,
    isHard: isHard || (hasTimes && inner) || (numbers.length > 0 && (hasTimes || inner)),
  };
}

const WORDS: Readonly<Record<string, 'begins' | 'ends' | 'parts'>> = {
  startsWith: 'begins',
  endsWith: 'ends',
  containsText: 'parts',
};

function textsFor(domain: Domain, leaves: readonly KnownLeaf[], needs: PartitionNeeds): Representatives {
  const asked = textQuestions(leaves, needs.now);
  const { equal, begins, ends, parts, hasTimes } = asked;
  const others = otherTexts(asked, domain, needs);
  const inner = begins.length + ends.length + parts.length > 0;
  const times = hasTimes ? timeTexts(asked.moments, needs.format, equal, needs.count) : [];
  if (asked.isHard) {
    const more = hardTexts(leaves, needs);
    const plain = inner ? textClasses(asked, 1).texts : [];
    const all = [...new Set([...equal, ...more, ...plain, ...times, ...others])];
    return {
      values: isTime(domain, leaves) ? all.filter((text) => isTimeText(domain, text)) : all,
      exact: false,
    };
  }
  if (hasTimes) {
    const all = [...new Set([...equal, ...times, ...others])];
    // A text that a leaf names may be there though it is no time; any other text is one.
    const fits = (text: string): boolean => equal.includes(text) || isTimeText(domain, text);
    return { values: domain.format === null ? all : all.filter(fits), exact: true };
  }
  if (!inner) return { values: [...equal, ...others, ...numberTexts(asked, needs.count)], exact: true };
  const natural = [...equal, ...begins, ...ends, ...parts, ...others];
  if (isEasy(asked) && needs.count === 1) return { values: [...new Set([...natural, ''])], exact: true };
  const classes = textClasses(asked, needs.count);
  needs.budget.steps -= classes.steps;
  return {
    values: [...new Set([...natural, ...classes.texts])],
    exact: classes.complete,
  };
}

/** Numbers as texts, and texts that are none but count as 0; also some that no leaf names. */
function numberTexts({ numbers, equal }: TextQuestions, count: number): readonly string[] {
  if (numbers.length === 0) return [];
  const around = numbersAround(numbers, { integer: false, least: null, most: null }, count);
  const texts = around.flatMap((one) => [String(one), ` ${one}`, `${one} `, ` ${one} `]);
  return [...texts, '', ' ', '  '].filter((text) => !equal.includes(text));
}

/** One word is in a text or it is not. */
function isEasy({ equal, begins, ends, parts }: TextWords): boolean {
  return equal.length === 0 && begins.length + ends.length + parts.length === 1;
}

/** Texts that no leaf names. */
function otherTexts(
  { equal, begins, ends, parts, moments }: TextQuestions,
  { format }: Domain,
  { usual, count, now }: PartitionNeeds,
): readonly string[] {
  const words = [...equal, ...begins, ...ends, ...parts];
  const isNamed = (text: string): boolean =>
    equal.includes(text) || [...begins, ...ends, ...parts].some((word) => text.includes(word));
  const candidates = [
    ...(typeof usual === 'string' ? [usual] : []),
    ...(format === null ? [] : timeTexts([...moments, now], format, words, count)),
    ...Array.from({ length: words.length + count }, (_, at) => (at === 0 ? 'other' : `other-${at}`)),
    ...Array.from({ length: words.length + count }, (_, at) => '~'.repeat(at + 1)),
  ];
  return candidates.filter((text) => !isNamed(text)).slice(0, count + (format === null ? 0 : 1));
}

/** Texts that patterns and orders may take in different ways. */
function hardTexts(leaves: readonly KnownLeaf[], { usual, format, now }: PartitionNeeds): readonly string[] {
  const uses = leaves.map(({ node }) => ({
    operator: node.operator,
    opposite: node.value,
    oppositeFormat: 'date-time' as const,
    isFact: true,
  }));
  const samples = leaves
    .filter(({ base }) => base?.value === 'pattern')
    .flatMap(({ literals }) => literals)
    .flatMap((one) => (typeof one === 'string' ? samplesOf(one) : []));
  const isText = (value: unknown): value is string => typeof value === 'string';
  return [...samples, ...valuesFor(usual, uses, [], format, now).filter(isText)];
}
