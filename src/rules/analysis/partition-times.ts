import { parseDuration } from '../../config/duration.js';
import { readInstant, type TimeFormat } from '../operators.js';
import type { KnownLeaf } from './known-leaf.js';
import { numbersAround } from './partition-numbers.js';

/** The times of the calendar that are written with four digits of a year. */
const LEAST = Date.parse('0000-01-02T00:00:00Z');
const MOST = Date.parse('9999-12-30T00:00:00Z');
/** It has sixteen digits, as many as are read. */
const MOST_EPOCH = Number.MAX_SAFE_INTEGER;

/** The moments that a leaf compares a time with, in milliseconds since 1970. */
export function momentsOf({ base, literals }: KnownLeaf, now: number): readonly number[] {
  if (base?.fact !== 'time') return [];
  return literals.flatMap((one) => {
    if (base.value === 'time') return readInstant(one, 'date-time') ?? [];
    const back = typeof one === 'string' ? parseDuration(one) : null;
    return back === null ? [] : [now - back];
  });
}

/**
 * Times as texts: at each moment one, and `count` before, between and behind. Where a text is named that means one of
 * the moments, there is also another text that means the same.
 */
export function timeTexts(
  moments: readonly number[],
  format: TimeFormat,
  named: readonly string[],
  count: number,
): readonly string[] {
  const written =
    format === 'date-time' ? dateTimes(moments, named, count) : counted(moments, format, named, count);
  return [...new Set(written)].filter((text) => readInstant(text, format) !== null);
}

function dateTimes(moments: readonly number[], named: readonly string[], count: number): readonly string[] {
  const also = named.flatMap((text) => readInstant(text, 'date-time') ?? []);
  const instants = numbersAround([...moments, ...also], { integer: true, least: LEAST, most: MOST }, count);
  return instants.flatMap((ms) => {
    const text = new Date(ms).toISOString();
    const short = text.replace('.000Z', 'Z');
    if (!named.includes(short)) return [short];
    return unnamed(named, [text, ...fractions(text.slice(0, -1), 'Z')]);
  });
}

function counted(
  moments: readonly number[],
  format: TimeFormat,
  named: readonly string[],
  count: number,
): readonly string[] {
  const unit = format === 'epoch-seconds' ? 1000 : 1;
  const also = named.map(Number).filter((one) => one >= 0);
  const points = [...moments.map((ms) => ms / unit), ...also];
  const bounds = { integer: unit === 1, least: 0, most: MOST_EPOCH };
  return numbersAround(points, bounds, count).flatMap((one) => {
    const text = String(one);
    if (!named.includes(text)) return [text];
    return unnamed(named, text.includes('.') ? fractions(text, '') : fractions(`${text}.`, ''));
  });
}

/** The same number with more and more zeros behind it. */
function fractions(text: string, end: string): readonly string[] {
  return Array.from({ length: 6 }, (_, zeros) => `${text}${'0'.repeat(zeros + 1)}${end}`);
}

function unnamed(named: readonly string[], texts: readonly string[]): readonly string[] {
  const found = texts.find((text) => !named.includes(text));
  return found === undefined ? [] : [found];
}
