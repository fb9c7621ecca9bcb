// The breaker and the limits of a target lane, on virtual time.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  breakerOf,
  isFailing,
  isQuiet,
  laneAfter,
  type LaneOutcome,
  laneRoom,
  QUIET_LANE,
  rateAfter,
  rateWait,
  type TargetLane,
} from '../../src/action/target-lane.js';

const NOW = Date.UTC(2026, 10, 2, 9);
const up = (startedAt = NOW): LaneOutcome => ({ target: 'up', code: null, retryAfterMs: null, startedAt });
const down = (startedAt = NOW, retryAfterMs: number | null = null): LaneOutcome => ({
  target: 'down',
  code: 'TARGET_TIMEOUT',
  retryAfterMs,
  startedAt,
});
const nothing: LaneOutcome = { target: null, code: 'SECRET_MISSING', retryAfterMs: null, startedAt: NOW };
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
const half = (): number => 0.5;
const OPEN = laneAfter(QUIET_LANE, times(5, down()), NOW, half);
const LIMITS = { concurrency: 50, rate: null };

describe('the breaker of a target lane', () => {
  it('opens after five failures in a row, and remembers since when', () => {
    const four = laneAfter(QUIET_LANE, [down(NOW - 3000), ...times(3, down())], NOW, half);
    expect(four).toMatchObject({ breaker: 'closed', failures: 4, downSince: NOW - 3000 });
    expect(laneAfter(four, [down()], NOW, half)).toEqual({
      breaker: 'open',
      failures: 5,
      downSince: NOW - 3000,
      openings: 1,
      probeAt: NOW + 5000,
      ramp: null,
      lastCode: 'TARGET_TIMEOUT',
    });
  });

  it('counts failures in a row alone: a success begins anew, what says nothing does neither', () => {
    expect(laneAfter(QUIET_LANE, [...times(4, down()), up(), ...times(4, down())], NOW).breaker).toBe(
      'closed',
    );
    expect(isQuiet(laneAfter(QUIET_LANE, [...times(4, down()), up()], NOW))).toBe(true);
    expect(laneAfter(QUIET_LANE, [...times(4, down()), nothing, down()], NOW).breaker).toBe('open');
  });

  it('is open until its time, then half open: one delivery at a time', () => {
    expect(breakerOf(OPEN, NOW + 4999)).toBe('open');
    expect(laneRoom(OPEN, LIMITS, null, NOW + 4999)).toEqual({ atOnce: 1, begin: 0 });
    expect(breakerOf(OPEN, NOW + 5000)).toBe('half-open');
    expect(laneRoom(OPEN, LIMITS, null, NOW + 5000)).toEqual({ atOnce: 1, begin: 1 });
    expect(laneRoom(QUIET_LANE, LIMITS, null, NOW)).toEqual({ atOnce: 50, begin: Infinity });
  });

  it('pauses longer after each failed probe, up to a minute, by a fifth more or less', () => {
    const pauses: number[] = [];
    let lane = OPEN;
    for (let n = 0; n < 6; n += 1) {
      const at = lane.probeAt ?? 0;
      lane = laneAfter(lane, [down(at)], at, half);
      pauses.push((lane.probeAt ?? 0) - at);
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    const least = laneAfter(QUIET_LANE, times(5, down()), NOW, () => 0).probeAt;
    const most = laneAfter(QUIET_LANE, times(5, down()), NOW, () => 1).probeAt;
    expect([least, most]).toEqual([NOW + 4000, NOW + 6000]);
  });

  it('does not listen to what was under way when it opened', () => {
    expect(laneAfter(OPEN, [up(NOW + 4999), down(NOW + 4999)], NOW + 6000)).toEqual(OPEN);
    expect(laneAfter(OPEN, [up(NOW + 5000)], NOW + 6000).breaker).toBe('closed');
  });

  it('closes with a success, and lets twice as many go after each further one', () => {
    let lane = laneAfter(OPEN, [up(NOW + 5000)], NOW + 5000);
    expect(lane).toEqual({ ...QUIET_LANE, ramp: 2, lastCode: 'TARGET_TIMEOUT' });
    expect(laneRoom(lane, LIMITS, null, NOW).atOnce).toBe(2);
    const ramps: (number | null)[] = [];
    while (lane.ramp !== null) ramps.push((lane = laneAfter(lane, [up()], NOW)).ramp);
    expect(ramps).toEqual([4, 8, 16, 32, 64, 128, null]);
    const ramping = { ...QUIET_LANE, ramp: 32 };
    expect(laneAfter(ramping, [down()], NOW).ramp).toBe(2);
  });

  it('opens at once for as long as the target asks, an hour at most, and that alone is no failing', () => {
    const asked = laneAfter(QUIET_LANE, [down(NOW, 90_000)], NOW);
    expect(asked).toMatchObject({ breaker: 'open', probeAt: NOW + 90_000, failures: 1 });
    expect(isFailing(asked)).toBe(false);
    expect(isFailing(laneAfter(asked, [down(NOW + 90_000)], NOW + 90_000))).toBe(true);
    expect(isFailing(OPEN)).toBe(true);
    expect(laneAfter(QUIET_LANE, [down(NOW, 9e9)], NOW).probeAt).toBe(NOW + 3_600_000);
    expect(laneAfter(OPEN, [down(NOW, 90_000)], NOW).probeAt).toBe(NOW + 90_000);
    expect(laneAfter(QUIET_LANE, [down(NOW, -5)], NOW).breaker).toBe('closed');
  });

  it('ends any row of failures once the target answers, and never waits for a time that is past', () => {
    const outcome = fc.record({
      target: fc.constantFrom<LaneOutcome['target']>('up', 'down', null),
      retryAfterMs: fc.option(fc.integer({ min: -1000, max: 10_000_000 }), { freq: 4 }),
      wait: fc.integer({ min: 0, max: 100_000 }),
      ran: fc.integer({ min: 0, max: 30_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(outcome, { maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, luck) => {
          let lane: TargetLane = QUIET_LANE;
          let now = NOW;
          for (const { target, retryAfterMs, wait, ran } of all) {
            now += wait;
            const before = lane;
            const startedAt = now - ran;
            lane = laneAfter(lane, [{ target, code: 'X', retryAfterMs, startedAt }], now, () => luck);
            expect(lane.breaker === 'open').toBe(lane.probeAt !== null);
            if (lane.breaker === 'open' && before.breaker === 'closed')
              expect(lane.probeAt).toBeGreaterThan(now);
            expect((lane.probeAt ?? 0) - now).toBeLessThanOrEqual(3_600_000);
            expect(lane.failures > 0).toBe(lane.downSince !== null);
          }
          const probe = Math.max(now, lane.probeAt ?? 0);
          expect(laneRoom(lane, LIMITS, null, probe).begin).toBeGreaterThan(0);
          for (let n = 0; n < 9; n += 1) lane = laneAfter(lane, [up(probe)], probe);
          expect(isQuiet(lane)).toBe(true);
        },
      ),
    );
  });
});

describe('the rate of a target lane', () => {
  it.each([
    [5, 1000],
    [1, 60_000],
    [1000, 1000],
    [37, 10_000],
  ])('of %s in %s ms is kept in every such time, and nearly used up', (max, perMs) => {
    const rate = { max, perMs };
    const begun: number[] = [];
    let rateAt: number | null = null;
    for (let now = NOW; now < NOW + 6 * perMs; now += Math.max(1, perMs / 100)) {
      const { begin } = laneRoom(QUIET_LANE, { concurrency: 50, rate }, rateAt, now);
      if (begin === 0) {
        expect(rateWait(rate, rateAt, now)).toBeGreaterThan(0);
        continue;
      }
      rateAt = rateAfter(rate, rateAt, begin, now);
      begun.push(...times(begin, now));
    }
    for (const [index, at] of begun.entries()) {
      const beyond = begun[index + max];
      if (beyond !== undefined) expect(beyond - at).toBeGreaterThanOrEqual(perMs);
    }
    expect(begun.length).toBeGreaterThanOrEqual(6 * max * 0.85);
  });
});
