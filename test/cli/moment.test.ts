// Pure.
import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { sinceMoment, untilMoment } from '../../src/cli/moment.js';

describe('times of options', () => {
  it('reads date-times with their zone, and those without one in the zone of this computer', () => {
    expect(sinceMoment('2026-11-24T08:00:00+08:00').toISOString()).toBe('2026-11-24T00:00:00.000Z');
    expect(sinceMoment('2026-11-24T08:00Z').toISOString()).toBe('2026-11-24T08:00:00.000Z');
    expect(sinceMoment('2026-11-24 08:00')).toEqual(new Date(2026, 10, 24, 8));
  });

  it('means a day from its beginning, and to its end', () => {
    expect(sinceMoment('2026-11-30')).toEqual(new Date(2026, 10, 30));
    expect(untilMoment('2026-11-30')).toEqual(new Date(2026, 11, 1));
  });

  it('takes a duration as that long ago', () => {
    const before = Date.now();
    const ago = Date.now() - sinceMoment('2h').getTime();
    expect(ago).toBeGreaterThanOrEqual(2 * 3_600_000);
    expect(ago).toBeLessThanOrEqual(2 * 3_600_000 + (Date.now() - before));
  });

  it.each(['', '2', 'tomorrow', '2026-02-30', '2026-13-01', '2026-11-24T25:00:00Z', '24.11.2026', '-2h'])(
    'refuses "%s"',
    (text) => {
      expect(() => sinceMoment(text)).toThrow(InvalidArgumentError);
    },
  );
});
