// What docs/deliveries.md says of the states, and what the table of the moves allows.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Ended, stateAfter } from '../../src/action/delivery-end.js';
import {
  DELIVERY_MOVES,
  DELIVERY_STATES,
  DELIVERY_TRANSITIONS,
  type DeliveryMove,
  type DeliveryState,
  type DeliveryTransition,
  END_STATES,
  isTransition,
} from '../../src/action/delivery-states.js';
import { giveUpAt } from '../../src/action/retry-schedule.js';
import type { AttemptResult } from '../../src/action/sender.js';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 2, 9);
const isEnd = (state: DeliveryState): boolean => (END_STATES as readonly DeliveryState[]).includes(state);
const transition = (move: DeliveryMove): DeliveryTransition => DELIVERY_TRANSITIONS[move];

describe('the states of a delivery', () => {
  it('stand in docs/deliveries.md as in the code', () => {
    const text = readFileSync(new URL('../../docs/deliveries.md', import.meta.url), 'utf8');
    const section = /^## States$([\s\S]*?)(?=^## )/m.exec(text)?.[1] ?? '';
    const names = (cell = ''): string[] => [...cell.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name);
    const rows = [...section.matchAll(/^\| `([\w-]+)` +\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm)];
    expect(
      Object.fromEntries(
        rows.map(([, move = '', from, to, when]) => [move, { from: names(from), to: names(to), when }]),
      ),
    ).toEqual(DELIVERY_TRANSITIONS);
  });

  it('all lead to an end, which only a person leads out of', () => {
    const people: readonly DeliveryMove[] = ['redrive', 'replace', 'discard', 'recall'];
    for (const move of DELIVERY_MOVES) if (transition(move).from.some(isEnd)) expect(people).toContain(move);
    for (const state of DELIVERY_STATES) {
      const reached = new Set<DeliveryState>([state]);
      for (const one of reached)
        for (const move of DELIVERY_MOVES)
          if (transition(move).from.includes(one)) for (const to of transition(move).to) reached.add(to);
      expect([...reached].some(isEnd)).toBe(true);
    }
  });
});

const RESULT = fc.record({
  outcome: fc.constantFrom<AttemptResult['outcome']>(
    'retry',
    'retry',
    'retry',
    'delivered',
    'permanent',
    'deferred',
  ),
  retryAfterMs: fc.option(fc.integer({ min: -HOUR, max: 100 * HOUR })),
  late: fc.integer({ min: 0, max: 10 * HOUR }),
  ran: fc.integer({ min: 0, max: 30_000 }),
});
const RETRY = fc.oneof(
  fc.constant(null),
  fc.array(fc.integer({ min: 0, max: 10 * HOUR }), { minLength: 1, maxLength: 8 }),
  fc.record({ over: fc.integer({ min: 1000, max: 100 * HOUR }) }),
  fc.record({ over: fc.integer({ min: 1000, max: 100 * HOUR }), max: fc.integer({ min: 1, max: 9 }) }),
);

describe('the life of a delivery', () => {
  it('moves by the table alone, never waits for a time that is past, and ends when nothing succeeds', () => {
    fc.assert(
      fc.property(RETRY, fc.array(RESULT, { maxLength: 30 }), (retry, results) => {
        let now = NOW;
        let attempt = 0;
        let state: DeliveryState = 'pending';
        const delivery = {
          attemptsBefore: 0,
          redrivenAt: null,
          createdAt: new Date(NOW),
          giveUpAt: new Date(giveUpAt(retry, NOW)),
          request: { retry },
        };
        const attemptWith = (result: Pick<AttemptResult, 'outcome' | 'retryAfterMs'>): void => {
          attempt += 1;
          const ended = {
            row: { id: 'd', attempt },
            delivery,
            result: { code: 'X', detail: 'no', ...result },
          } as unknown as Ended;
          const next = stateAfter(ended, now);
          expect(isTransition(next.move, 'delivering', next.state)).toBe(true);
          expect(next.dueAt.getTime()).toBeGreaterThanOrEqual(now);
          if (next.move === 'not-sent') attempt -= 1;
          state = next.state;
          now = next.dueAt.getTime();
        };
        for (const { outcome, retryAfterMs, late, ran } of results) {
          if (isEnd(state)) break;
          now += late + ran;
          attemptWith({ outcome, retryAfterMs });
        }
        // From here on nothing succeeds.
        for (let more = 0; !isEnd(state); more += 1) {
          expect(more).toBeLessThan(60);
          attemptWith({ outcome: 'retry', retryAfterMs: null });
        }
      }),
    );
  });
});
