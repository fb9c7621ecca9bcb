import { parseDuration } from '../../config/duration.js';
import { readInstant } from '../operators.js';
import type { FactSpace } from './fact-space.js';
import type { KnownLeaf } from './known-leaf.js';
import type { AskedLeaf } from './partition-places.js';

/** More times to count from are not tried. */
const MOST_MOMENTS = 40;
const DAY = 86_400_000;
/** The last millisecond that a date can have. */
const LAST = 8.64e15;

export interface CountedFrom {
  /** Milliseconds since 1970. */
  readonly moments: readonly number[];
  /** No other time makes a difference. */
  readonly complete: boolean;
}

/**
 * The times that `olderThan` and `newerThan` may count from, as far as it matters: one where no time of the rule file
 * stands beside them, else before, at and behind every such time by every duration.
 */
export function countedFrom(asked: readonly AskedLeaf[], space: FactSpace): CountedFrom {
  const only = { moments: [space.now], complete: true };
  const backs = asked.flatMap(({ leaf: { base, literals } }) =>
    base?.value === 'duration' ? literals.flatMap((one) => parseDuration(String(one)) ?? []) : [],
  );
  if (backs.length === 0) return only;
  const fixed = asked.flatMap(({ leaf }) => fixedTimes(leaf));
  if (fixed.length === 0) return only;
  const edges = [...new Set(fixed.flatMap((moment) => backs.map((back) => moment + back)))].sort(
    (x, y) => x - y,
  );
  // Between two of them there must be room for a time as well.
  const around = edges.flatMap((edge, at) => [
    edge,
    Math.floor((edge + (edges[at + 1] ?? edge + 2 * DAY)) / 2),
  ]);
  const moments = [...new Set([space.now, ...around, (edges[0] ?? 0) - DAY])].filter(
    (one) => Math.abs(one) < LAST,
  );
  return { moments: moments.slice(0, MOST_MOMENTS), complete: moments.length <= MOST_MOMENTS };
}

/** The times that a leaf names, whatever it asks of them. */
function fixedTimes({ base, literals, node }: KnownLeaf): readonly number[] {
  if (base?.value === 'duration' || base?.value === 'pattern') return [];
  const formats = base?.value === 'time' ? (['date-time'] as const) : [node.timeFormat];
  return formats.flatMap((format) => literals.flatMap((one) => readInstant(one, format) ?? []));
}
