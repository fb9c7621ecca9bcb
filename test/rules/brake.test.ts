// Pure: no Nest, no database.
import { describe, expect, it } from '@jest/globals';
import { Brake } from '../../src/rules/brake.js';

const HOUR = 3_600_000;
const rule = (name: string, max: number | null): Parameters<Brake['hold']>[0] => ({
  name,
  mode: 'live',
  budget: max === null ? null : { max, perMs: HOUR },
});

describe('the brakes', () => {
  it('let through what a rule has left of its budget, and hold the rest for a person', () => {
    const brake = new Brake({ budgets: new Map([['rule:a', 8]]), storm: null });
    const codes = [1, 2, 3, 4].map(() => brake.hold(rule('a', 10))?.code ?? null);
    expect(codes).toEqual([null, null, 'BRAKE_BUDGET', 'BRAKE_BUDGET']);
    expect(brake.hold(rule('without', null))).toBeNull();
    expect(brake.counts).toEqual([{ scope: 'rule:a', perMs: HOUR, count: 2 }]);
    expect(brake.holds).toEqual([{ scope: 'rule:a', rule: 'a', max: 10, perMs: HOUR, count: 2 }]);
    expect(brake.hold(rule('a', 10))?.reason).toBe('the budget of the rule, 10 deliveries in 1h, is used up');
  });

  it('hold what all rules together send beyond the storm brake, and count nothing of it for a budget', () => {
    const storm = { max: 3, perMs: 600_000, through: 1 };
    const brake = new Brake({ budgets: new Map(), storm });
    const held = ['a', 'b', 'a', 'b', 'c'].map((name) => brake.hold(rule(name, name === 'a' ? 5 : null)));
    expect(held.map((one) => one?.code ?? null)).toEqual([
      null,
      null,
      'BRAKE_STORM',
      'BRAKE_STORM',
      'BRAKE_STORM',
    ]);
    expect(brake.counts).toEqual([
      { scope: 'rule:a', perMs: HOUR, count: 1 },
      { scope: '*', perMs: 600_000, count: 2 },
    ]);
    expect(brake.holds.map(({ scope, rule: name, count }) => [scope, name, count])).toEqual([
      ['*', 'a', 1],
      ['*', 'b', 1],
      ['*', 'c', 1],
    ]);
  });

  it('look at the budget of the rule first: what that holds uses up nothing of the storm brake', () => {
    const brake = new Brake({
      budgets: new Map([['rule:a', 1]]),
      storm: { max: 1, perMs: HOUR, through: 0 },
    });
    expect(brake.hold(rule('a', 1))?.code).toBe('BRAKE_BUDGET');
    expect(brake.hold(rule('b', null))).toBeNull();
    expect(brake.hold(rule('b', null))?.code).toBe('BRAKE_STORM');
  });
});
