import { parseDuration, writeDuration } from '../../config/duration.js';
import { readInstant } from '../operators.js';
import { durationText } from './case-time.js';

/** Milliseconds since 1970 of a date-time with its zone; null: it is none. A date alone would be one of another zone. */
export function dateTimeOf(text: string): number | null {
  return text.length > '2026-01-05'.length ? readInstant(text, 'date-time') : null;
}

/** The same, or of a duration since a moment (ms). */
export function momentOf(text: string, since: number): number | null {
  const duration = parseDuration(text);
  return duration === null ? dateTimeOf(text) : since + duration;
}

/** A moment as another was written: as a duration since the start, or as a date-time of the same zone. Both in ms. */
export function writtenLike(text: string, moment: number, since: number): string {
  if (parseDuration(text) !== null && moment >= since)
    return durationText(moment - since) ?? writeDuration(moment - since);
  const [, sign = '+', hours = '0', minutes = '0'] = /([+-])(\d\d):?(\d\d)$/.exec(text) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const wall = new Date(moment + offset).toISOString().replace(/(?:\.000)?Z$/, '');
  return offset === 0 ? `${wall}Z` : `${wall}${sign}${hours}:${minutes}`;
}
