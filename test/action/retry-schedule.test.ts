import { describe, expect, it } from '@jest/globals';
import { nextDelay } from '../../src/action/retry-schedule.js';

const HOUR = 3_600_000;

function spread(retry: Parameters<typeof nextDelay>[0], random: () => number): number[] {
  const delays: number[] = [];
  for (let elapsed = 0, attempt = 1; attempt < 1000; attempt += 1) {
    const delay = nextDelay(retry, attempt, elapsed, null, random);
    if (delay === null) return delays;
    delays.push(delay);
    elapsed += delay;
  }
  throw new Error('never ends');
}

describe('retries', () => {
  it.each([0, 0.5, 1])('grow to six hours and end after exactly 72 h (random %s)', (random) => {
    const delays = spread(null, () => random);
    expect(delays.reduce((sum, delay) => sum + delay, 0)).toBe(72 * HOUR);
    expect(delays[0]).toBe(Math.round(5000 * (0.8 + 0.4 * random)));
    expect(Math.max(...delays)).toBeLessThanOrEqual(Math.round(6 * HOUR * 1.2));
    expect(delays.length).toBeGreaterThan(15);
  });

  it('follow a list as it stands', () => {
    expect(spread([1000, 60_000], () => 1)).toEqual([1000, 60_000]);
  });

  it('stop at the given number and within the given time', () => {
    expect(spread({ over: 72 * HOUR, max: 4 }, () => 0.5)).toEqual([5000, 15_000, 45_000]);
    expect(spread({ over: 60_000 }, () => 0.5).reduce((sum, delay) => sum + delay, 0)).toBe(60_000);
  });

  it('wait as long as the target asks, and never longer than a day', () => {
    expect(nextDelay(null, 1, 0, 120_000, () => 0.5)).toBe(120_000);
    expect(nextDelay([1000], 1, 0, 120_000)).toBe(120_000);
    expect(nextDelay(null, 1, 0, 10 ** 12, () => 0.5)).toBe(24 * HOUR);
    expect(nextDelay(null, 1, 0, 10, () => 0.5)).toBe(5000);
  });
});
