// The two sides of the balance, from rows as the database gives them.
import { describe, expect, it } from '@jest/globals';
import { reportOf } from '../../../src/console/api/report.service.js';
import type { BalanceRows } from '../../../src/console/read/balance.js';

const ROWS: BalanceRows = {
  asked: [
    { rule: 'b', count: 2 },
    { rule: 'a', count: 7 },
  ],
  suppressed: [
    { rule: 'a', cause: 'silence', count: 2 },
    { rule: 'a', cause: 'digest', count: 1 },
  ],
  deliveries: [
    { part: 'asked', rule: 'a', target: 'http:x', state: 'delivered', count: 3 },
    { part: 'asked', rule: 'a', target: 'email:me@example.com', state: 'dead', count: 1 },
    { part: 'asked', rule: 'b', target: 'email:you@example.com', state: 'dead', count: 2 },
    { part: 'digest', rule: 'a', target: 'http:x', state: 'pending', count: 1 },
    { part: 'edited', rule: 'a', target: 'http:x', state: 'delivered', count: 4 },
    { part: 'undo', rule: 'a', target: 'http:x', state: 'delivered', count: 2 },
    { part: 'notice', rule: 'aftersign:notice', target: 'http:ops', state: 'delivered', count: 5 },
    { part: 'uncounted', rule: 'a', target: 'http:x', state: 'delivered', count: 6 },
  ],
  attempts: { total: 30, ambiguous: 2, lost: 1 },
  uncountedEvaluations: 3,
};
const report = (rows: BalanceRows, withPeople = true) =>
  reportOf(new Date('2026-11-01'), new Date('2026-11-02'), rows, withPeople);

describe('the report', () => {
  it('balances what was asked for with deliveries and suppressions, by rule and in sum', () => {
    const { balanced, rules, total, targets } = report(ROWS);
    expect(balanced).toBe(true);
    expect(rules).toMatchObject([
      { rule: 'a', asked: 7, deliveries: 4, suppressed: { silence: 2, digest: 1 }, difference: 0 },
      { rule: 'b', asked: 2, deliveries: 2, suppressed: {}, difference: 0, states: { dead: 2 } },
    ]);
    expect(total).toMatchObject({
      asked: 9,
      deliveries: 6,
      difference: 0,
      states: { delivered: 3, dead: 3 },
    });
    expect(targets.reduce((sum, one) => sum + one.deliveries, 0)).toBe(total.deliveries);
  });

  it('keeps apart what no match asked for itself', () => {
    const { beside, uncounted } = report(ROWS);
    expect(beside).toMatchObject({
      digests: { deliveries: 1, states: { pending: 1 } },
      edited: { deliveries: 4 },
      undos: { deliveries: 2 },
      notices: { deliveries: 5 },
    });
    expect(uncounted).toEqual({ evaluations: 3, deliveries: 6 });
  });

  it('is not even when one rule has less or more than was asked for, also when the sum is right', () => {
    const asked = [
      { rule: 'a', count: 8 },
      { rule: 'b', count: 1 },
    ];
    const { balanced, rules, total } = report({ ...ROWS, asked });
    expect([balanced, total.difference]).toEqual([false, 0]);
    expect(rules.map(({ difference }) => difference)).toEqual([1, -1]);
  });

  it('shows people as one target to whoever may not read them', () => {
    expect(report(ROWS, false).targets.map(({ target, deliveries }) => [target, deliveries])).toEqual([
      ['email:•••', 3],
      ['http:x', 3],
    ]);
  });
});
