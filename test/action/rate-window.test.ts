import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type RateLimit, RateWindow, RateWindows } from '../../src/action/rate-window.js';

// Pure: the time is given.
const NOW = Date.UTC(2026, 10, 2, 9);
const PER_MINUTE_AND_SECOND = [
  { max: 1000, perMs: 60_000 },
  { max: 50, perMs: 1_000 },
];

/** Begins as soon as it may, `count` times; answers when. */
function times(window: RateWindow, count: number, start = NOW): number[] {
  let now = start;
  return Array.from({ length: count }, () => {
    now += window.wait(now);
    window.begin(now);
    return now - start;
  });
}

describe('a window', () => {
  it('lets as many begin as its limit says, and the next when the first is out of it', () => {
    const window = new RateWindow([{ max: 3, perMs: 1000 }]);
    expect(times(window, 7)).toEqual([0, 0, 0, 1000, 1000, 1000, 2000]);
  });

  it('slides: what began late is counted longer', () => {
    const window = new RateWindow([{ max: 2, perMs: 1000 }]);
    window.begin(NOW);
    window.begin(NOW + 900);
    expect(window.wait(NOW + 950)).toBe(50);
    window.begin(NOW + 1000);
    expect(window.wait(NOW + 1000)).toBe(900);
  });

  it('keeps several limits at once', () => {
    const begun = times(new RateWindow(PER_MINUTE_AND_SECOND), 1100);
    expect(begun.filter((at) => at < 1000)).toHaveLength(50);
    expect(begun.filter((at) => at < 60_000)).toHaveLength(1000);
    expect(begun.at(-1)).toBe(61_000);
  });

  it('without a limit lets everyone begin, but for a pause', () => {
    const window = new RateWindow([]);
    expect(times(window, 1000).at(-1)).toBe(0);
    window.pause(NOW, 500);
    window.pause(NOW, 200);
    expect([window.wait(NOW), window.wait(NOW + 499), window.wait(NOW + 500)]).toEqual([500, 1, 0]);
  });

  it('makes nobody wait longer for a clock that is set back', () => {
    const window = new RateWindow([{ max: 1, perMs: 60_000 }]);
    window.begin(NOW);
    window.pause(NOW, 30_000);
    expect(window.wait(NOW + 10_000)).toBe(50_000);
    const back = NOW - 7 * 86_400_000;
    expect(window.wait(back)).toBe(50_000);
    expect(window.wait(back + 50_000)).toBe(0);
  });

  it('never lets more begin in any window than its limits say, and makes nobody wait longer than that needs', () => {
    const limit = fc.record({ max: fc.integer({ min: 1, max: 5 }), perMs: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(
        fc.array(limit, { maxLength: 3 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }),
        (limits, gaps) => {
          const window = new RateWindow(limits);
          const begun: number[] = [];
          const mayBegin = (at: number): boolean =>
            limits.every(({ max, perMs }: RateLimit) => begun.filter((one) => one > at - perMs).length < max);
          let now = NOW;
          for (const gap of gaps) {
            now += gap;
            const wait = window.wait(now);
            expect(mayBegin(now + wait)).toBe(true);
            if (wait > 0) expect(mayBegin(now + wait - 1)).toBe(false);
            now += wait;
            window.begin(now);
            begun.push(now);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a place in line', () => {
  it('is behind those who were sent away before', () => {
    const window = new RateWindow([{ max: 2, perMs: 1000 }]);
    times(window, 2);
    expect(Array.from({ length: 5 }, () => window.placeInLine(NOW))).toEqual([1000, 1000, 2000, 2000, 3000]);
    // Time goes on: the line gets shorter.
    expect(window.placeInLine(NOW + 2500)).toBe(500);
  });

  it('is after the pause', () => {
    const window = new RateWindow(PER_MINUTE_AND_SECOND);
    window.pause(NOW, 10_000);
    const places = Array.from({ length: 60 }, () => window.placeInLine(NOW));
    expect(places.filter((ms) => ms === 10_000)).toHaveLength(50);
    expect(places.filter((ms) => ms === 11_000)).toHaveLength(10);
  });

  it('is not further away than an hour', () => {
    const window = new RateWindow([{ max: 1, perMs: 60_000 }]);
    times(window, 1);
    const places = Array.from({ length: 200 }, () => window.placeInLine(NOW));
    expect([places[0], places[58], places[199]]).toEqual([60_000, 59 * 60_000, 3_600_000]);
  });
});

describe('windows by keys', () => {
  it('do not count for each other, and are forgotten when too many others were asked for since', () => {
    const windows = new RateWindows([{ max: 1, perMs: 1000 }], 2);
    windows.of('a').begin(NOW);
    expect([windows.of('a').wait(NOW), windows.of('b').wait(NOW)]).toEqual([1000, 0]);
    windows.of('a');
    windows.of('c');
    expect(windows.of('a').wait(NOW)).toBe(1000);
    windows.of('b');
    windows.of('c');
    expect(windows.of('a').wait(NOW)).toBe(0);
  });
});
