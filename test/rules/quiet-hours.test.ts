import { describe, expect, it } from '@jest/globals';
import { parseHours } from '../../src/rules/quiet-hours.js';

describe('times outside of which it is quiet', () => {
  it.each([
    ['09:00-19:00', 540, 1140],
    ['22:30-06:00', 1350, 360],
    ['00:00-24:00', 0, 1440],
    ['23:59-00:00', 1439, 0],
  ])('%s', (text, from, to) => {
    expect(parseHours(text)).toEqual({ from, to });
  });

  it.each([
    '',
    '9:00-19:00',
    '09:00-19',
    '09:00 - 19:00',
    '24:00-06:00',
    '09:60-19:00',
    '09:00-24:01',
    '09:00-09:00',
  ])('are not %j', (text) => {
    expect(parseHours(text)).toBeNull();
  });
});
