import { describe, expect, it } from '@jest/globals';
import { stateAfter } from '../../src/action/delivery-end.js';
import type { RetryDocument } from '../../src/action/action-document.js';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 2, 9);

describe('a delivery whose attempt has failed', () => {
  function after(
    attempt: number,
    retry: RetryDocument | null,
    { attemptsBefore, age, redriven }: { attemptsBefore: number; age: number; redriven: number | null },
  ) {
    const delivery = {
      attemptsBefore,
      giveUpAt: null,
      createdAt: new Date(NOW - age),
      redrivenAt: redriven === null ? null : new Date(NOW - redriven),
      request: { retry },
    };
    const result = { outcome: 'retry', code: 'HTTP_500', detail: 'no', retryAfterMs: null };
    return stateAfter(
      { row: { id: 'd', attempt }, delivery, result } as unknown as Parameters<typeof stateAfter>[0],
      NOW,
    );
  }

  it('follows its schedule from the beginning after a redrive, whatever was tried before', () => {
    const retry = [1000, 5000];
    const redriven = { attemptsBefore: 3, age: 90 * HOUR, redriven: 10_000 };
    expect(after(4, retry, redriven)).toMatchObject({
      state: 'pending',
      dueAt: new Date(NOW + 1000),
      attempt: 4,
    });
    expect(after(5, retry, redriven)).toMatchObject({ state: 'pending', dueAt: new Date(NOW + 5000) });
    expect(after(6, retry, redriven)).toMatchObject({
      state: 'dead',
      code: 'RETRIES_USED_UP',
      reason: 'after 3 attempts since it was redriven, 6 in all: no',
    });
    expect(after(3, retry, { attemptsBefore: 0, age: 10_000, redriven: null })).toMatchObject({
      state: 'dead',
      reason: 'after 3 attempts: no',
    });
  });

  it('has its whole time again from the redrive', () => {
    expect(after(9, null, { attemptsBefore: 0, age: 73 * HOUR, redriven: null }).state).toBe('dead');
    expect(after(9, null, { attemptsBefore: 8, age: 73 * HOUR, redriven: HOUR }).state).toBe('pending');
    expect(after(9, null, { attemptsBefore: 8, age: 200 * HOUR, redriven: 73 * HOUR }).state).toBe('dead');
  });
});
