import { describe, expect, it } from '@jest/globals';
import { cronProblem, nextDue } from '../../src/rules/cron.js';

describe('cron expressions', () => {
  it.each(['0 9 * * *', '*/5 8-18 * * MON-FRI', '0 0 29 2 *', '30 7 L * *', ' 0 9  1,15 * 7 '])(
    'may be %s',
    (text) => {
      expect(cronProblem(text)).toBeNull();
    },
  );

  it.each([
    ['', 'none'],
    ['0 9 * *', 'has 4'],
    ['0 0 9 * * *', 'has 6'],
    ['0 9 * * * 2027', 'has 6'],
    ['@daily', 'has 1'],
    ['60 9 * * *', 'minute'],
    ['0 24 * * *', 'hour'],
    ['0 9 * 13 *', 'month'],
    ['0 9 * * 8', 'day'],
    ['0 9 */0 * *', 'step'],
    ['a b c d e', 'illegal'],
    ['0 9 30 2 *', 'never due'],
    ['0 9 31 4,6,9,11 *', 'never due'],
  ])('are not %j', (text, why) => {
    expect(cronProblem(text)).toContain(why);
  });

  it('are due by the clock on the wall of their zone, also when summer time begins', () => {
    const due = (expression: string, zone: string, after: string): string | null => {
      const at = nextDue(expression, zone, Date.parse(after));
      return at === null ? null : new Date(at).toISOString();
    };
    expect(due('0 9 * * *', 'Asia/Shanghai', '2026-11-24T00:59:59Z')).toBe('2026-11-24T01:00:00.000Z');
    expect(due('0 9 * * *', 'Asia/Shanghai', '2026-11-24T01:00:00Z')).toBe('2026-11-25T01:00:00.000Z');
    expect(due('0 9 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z')).toBe('2026-03-29T07:00:00.000Z');
    expect(due('0 9 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z')).toBe('2026-03-28T08:00:00.000Z');
    expect(due('0 9 29 2 *', 'UTC', '2026-01-01T00:00:00Z')).toBe('2028-02-29T09:00:00.000Z');
  });
});
