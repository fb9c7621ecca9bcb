// Pure: an API of the test's own.
import { describe, expect, it } from '@jest/globals';
import { eraseDays } from '../../src/cli/erased-days.js';
import type { ErasureBody } from '../../src/console/api/erasures.schema.js';

/** Answers with what is under way on each day, one number for each time it is asked, and one event erased. */
function api(underWay: Record<string, number[]>) {
  const asked: ErasureBody[] = [];
  return {
    asked,
    erase: (body: ErasureBody) => {
      asked.push(body);
      const { day } = body;
      const nothing = { evaluations: 0, deliveries: 2, attempts: 0, lookups: 0, cancelled: 0 };
      return Promise.resolve({ day, events: 1, ...nothing, underWay: underWay[day]?.shift() ?? 0 });
    },
  };
}
const now = (): Promise<void> => Promise.resolve();

describe('the days of an erasure', () => {
  it('are gone through once, and those on which something is under way again', async () => {
    const erasures = api({ '2026-11-02': [3, 1, 0] });
    const days = ['2026-11-01', '2026-11-02', '2026-11-03'];
    const told = await eraseDays(erasures, ['ou_1234'], days, false, now);
    expect(erasures.asked.map(({ day }) => day)).toEqual([...days, '2026-11-02', '2026-11-02']);
    expect(told.unfinished).toEqual([]);
    expect(told.counts).toMatchObject({ events: 5, deliveries: 10, underWay: 0 });
  });

  it('are told when something stays under way', async () => {
    const erasures = api({ '2026-11-01': Array.from({ length: 99 }, () => 2) });
    const told = await eraseDays(erasures, ['ou_1234'], ['2026-11-01'], false, now);
    expect([told.unfinished, told.counts.underWay, erasures.asked.length]).toEqual([['2026-11-01'], 2, 10]);
  });

  it('are only counted once when nothing is to be erased', async () => {
    const erasures = api({ '2026-11-01': [2, 2] });
    const told = await eraseDays(erasures, ['ou_1234'], ['2026-11-01'], true, now);
    expect([told.counts.underWay, erasures.asked]).toEqual([
      2,
      [{ values: ['ou_1234'], day: '2026-11-01', dryRun: true }],
    ]);
  });
});
