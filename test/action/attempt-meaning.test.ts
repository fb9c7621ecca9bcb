import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  ATTEMPT_CODES,
  ATTEMPT_STATUSES,
  type AttemptCode,
  resultOf,
} from '../../src/action/attempt-meaning.js';

// Real: the table, and docs/deliveries.md as it is. Nothing is faked.

const WORDS = {
  up: 'it answers',
  down: 'it is down',
  wait: 'it answers; down when it says how long to wait',
  nothing: 'nothing',
};

describe('what the end of an attempt means', () => {
  it('stands in docs/deliveries.md as in the code', () => {
    const doc = readFileSync(new URL('../../docs/deliveries.md', import.meta.url), 'utf8');
    const section = /^## What is permanent$([\s\S]*?)(?=^## )/m.exec(`${doc}\n## `)?.[1] ?? '';
    const written = [...section.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm)].map(
      (row) => row.slice(1, 5).join(' | '),
    );
    const rows = [
      ...Object.entries(ATTEMPT_CODES),
      ...ATTEMPT_STATUSES.map(([name, , , meaning]) => [name, meaning] as const),
    ];
    const meant = rows.map(([code, meaning]) =>
      [
        code,
        meaning.outcome === 'retry' ? 'again' : 'dead at once',
        WORDS[meaning.target],
        'ambiguous' in meaning ? 'if it was sent' : 'no',
      ].join(' | '),
    );
    expect(written.sort()).toEqual(meant.sort());
  });

  it.each<[AttemptCode, number | null, string, string | undefined]>([
    ['HTTP_410', null, 'permanent', 'up'],
    ['HTTP_404', 5000, 'permanent', 'up'],
    ['HTTP_408', null, 'retry', 'up'],
    ['HTTP_429', null, 'retry', 'up'],
    ['HTTP_429', 5000, 'retry', 'down'],
    ['HTTP_503', null, 'retry', 'down'],
    ['HTTP_999', null, 'retry', 'down'],
    ['HTTP_101', null, 'retry', 'down'],
    ['FEISHU_THROTTLED', 5000, 'retry', 'up'],
    ['SENDER_CLOSED', null, 'retry', undefined],
    ['SECRET_MISSING', null, 'permanent', undefined],
  ])('%s, asked to wait %p ms, ends as %s and the target is %p', (code, retryAfterMs, outcome, target) => {
    const result = resultOf(code, 'Because.', { retryAfterMs });
    expect([result.outcome, result.target]).toEqual([outcome, target]);
    expect(result.retryAfterMs).toBe(outcome === 'retry' ? retryAfterMs : null);
  });

  it('is open only when the request was sent and no answer came', () => {
    expect(resultOf('TARGET_TIMEOUT', 'Because.', { sent: true }).ambiguous).toBe(true);
    expect(resultOf('TARGET_TIMEOUT', 'Because.').ambiguous).toBeUndefined();
    expect(resultOf('HTTP_503', 'Because.', { sent: true }).ambiguous).toBeUndefined();
  });
});
