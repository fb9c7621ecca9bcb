import type { RetryDocument } from './action-document.js';

const FIRST = 5_000;
const FACTOR = 3;
const LONGEST = 6 * 3_600_000;
const DEFAULT_OVER = 72 * 3_600_000;
const JITTER = 0.2;
/** A target may ask us to wait; not for longer than this. */
const LONGEST_RETRY_AFTER = 24 * 3_600_000;

/**
 * Milliseconds until the next attempt, or null when there is none.
 *
 * A list of delays is followed as it stands. Else the delays grow from 5 s by a factor of 3 up to 6 h, each ±20 %,
 * and the last attempt is made when `over` (default 72 h) has gone by since the first.
 *
 * @param attempt the number of the attempt that failed, from 1
 * @param elapsed ms since the delivery was made
 * @param retryAfter ms the target asked to wait, or null
 * @param random from 0 to 1
 */
export function nextDelay(
  retry: RetryDocument | null,
  attempt: number,
  elapsed: number,
  retryAfter: number | null,
  random: () => number = Math.random,
): number | null {
  const asked = Math.min(retryAfter ?? 0, LONGEST_RETRY_AFTER);
  if (Array.isArray(retry)) {
    const delay = retry[attempt - 1];
    return delay === undefined ? null : Math.max(delay, asked);
  }
  const over = retry?.over ?? DEFAULT_OVER;
  if (retry?.max !== undefined && attempt >= retry.max) return null;
  if (elapsed >= over) return null;
  const jitter = 1 - JITTER + 2 * JITTER * random();
  const jittered = Math.round(Math.min(FIRST * FACTOR ** (attempt - 1), LONGEST) * jitter);
  // The last attempt falls on the end of the time, not beyond it; a target that asked for more is given it.
  return Math.max(Math.min(jittered, over - elapsed), asked);
}

/**
 * When a delivery that cannot be tried, because its target is not asked any more, goes dead: the end of its schedule.
 * `from` and the answer in ms since 1970.
 */
export function giveUpAt(retry: RetryDocument | null, from: number): number {
  if (Array.isArray(retry))
    return (
      from +
      Math.max(
        DEFAULT_OVER,
        retry.reduce((sum, delay) => sum + delay, 0),
      )
    );
  return from + (retry?.over ?? DEFAULT_OVER);
}
