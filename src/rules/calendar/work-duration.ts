import { parseDuration } from '../../config/duration.js';

/** A duration as rules write it: of the calendar on the wall, or of a work calendar. */
export type RuleDuration =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'work-time'; readonly minutes: number }
  | { readonly kind: 'workdays'; readonly days: number };

const WORK = /^(\d{1,5}) ?(?:work ?(hours?|minutes?)|(workdays?))$/;

/**
 * `30s`, `24h`, `2d`, ISO 8601 (`PT24H`), `24 work hours`, `90 work minutes`, `2 workdays`. Null for anything else;
 * a bare number is refused because its unit would be a guess.
 */
export function parseRuleDuration(text: string): RuleDuration | null {
  const ms = parseDuration(text);
  if (ms !== null) return { kind: 'time', ms };
  const [, count = '', unit, workdays] = WORK.exec(text) ?? [];
  if (count === '') return null;
  if (workdays !== undefined) return { kind: 'workdays', days: Number(count) };
  return { kind: 'work-time', minutes: Number(count) * (unit?.startsWith('hour') ? 60 : 1) };
}
