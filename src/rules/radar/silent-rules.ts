import { outOfEffect } from '../effective.js';
import type { Rule } from '../rule-set.js';
import type { RadarFinding } from './finding.js';
import type { Hours } from './radar-hours.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A rule that fired less has no habit. */
const LEAST_FIRED = 10;
const LEAST_DAYS = 3;
/** It is silent for so many times the longest that it ever was, and so long at least. */
const TIMES_USUAL = 3;
const LEAST_SILENCE_MS = 24 * HOUR_MS;
/** By its rate before, it would have fired so often on the events that have come since: by chance that is one in 20 000. */
const LEAST_EXPECTED = 10;

/** Whether a rule can be expected to fire at all now. */
export function isWatched(rule: Rule, now: number, timezone: string): boolean {
  const { enabled, mode, schedule, effective } = rule;
  if (!enabled || mode !== 'live' || schedule !== null) return false;
  return !effective || outOfEffect(effective, { now, timezone: rule.timezone ?? timezone }) === null;
}

/**
 * Says whether a rule that used to fire has stopped, although what it listens to still comes in. What is usual is learnt from
 * the rule's own past: how long it was silent before, and on how many of its events it fired. Null: it has not, or has no
 * habit yet. Pure. `events`: of all types that it listens to; `now` in ms.
 */
export function silenceOf(rule: string, fired: Hours, events: Hours, now: number): RadarFinding | null {
  const [first, last] = [fired[0]?.[0], fired.at(-1)?.[0]];
  if (first === undefined || last === undefined) return null;
  const times = sumOf(fired);
  const days = new Set(fired.map(([hour]) => Math.floor(hour / DAY_MS))).size;
  if (times < LEAST_FIRED || days < LEAST_DAYS) return null;
  const usual = Math.max(HOUR_MS, ...fired.map(([hour], index) => hour - (fired[index - 1]?.[0] ?? hour)));
  const silent = now - (last + HOUR_MS);
  if (silent < Math.max(TIMES_USUAL * usual, LEAST_SILENCE_MS)) return null;
  const before = sumOf(events.filter(([hour]) => hour >= first && hour <= last));
  const since = sumOf(events.filter(([hour]) => hour > last));
  const expected = before === 0 ? 0 : (since * times) / Math.max(before, times);
  if (expected < LEAST_EXPECTED) return null;
  return {
    kind: 'silent-rule',
    subject: `rule:${rule}`,
    rules: [rule],
    count: since,
    detail: {
      rule,
      lastFired: new Date(last).toISOString(),
      silentHours: Math.floor(silent / HOUR_MS),
      usualHours: Math.round(usual / HOUR_MS),
      fired: times,
      days,
      events: since,
      expected: Math.floor(expected),
    },
  };
}

/** Several counts as one. */
export function together(all: readonly Hours[]): Hours {
  const sums = new Map<number, number>();
  for (const hours of all) for (const [hour, count] of hours) sums.set(hour, (sums.get(hour) ?? 0) + count);
  return [...sums].sort(([a], [b]) => a - b);
}

function sumOf(hours: Hours): number {
  return hours.reduce((sum, [, count]) => sum + count, 0);
}
