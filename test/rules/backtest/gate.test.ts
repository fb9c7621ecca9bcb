import { describe, expect, it } from '@jest/globals';
import type { BacktestCounts, BacktestReport } from '../../../src/rules/backtest/backtest-report.js';
import { judgeGates, readGate } from '../../../src/rules/backtest/gate.js';

const NONE = { added: 0, removed: 0, changed: 0, moved: 0, same: 0, undecidable: 0 };
const counts = (some: Partial<BacktestCounts>): BacktestCounts => ({ ...NONE, ...some });
const deliveries = (sent: number) => ({ sent, held: 1, dead: 0, waiting: 0 });

const REPORT = {
  before: { deliveries: deliveries(99) },
  after: { deliveries: deliveries(119) },
  totals: counts({ added: 30, removed: 10, changed: 5, moved: 2, same: 83, undecidable: 1 }),
  targets: [
    { target: 'email:hr@example.com', counts: counts({ removed: 10, same: 3 }) },
    { target: 'http:a.example', counts: counts({ added: 30, same: 80 }) },
  ],
  rules: [
    {
      rule: 'gone',
      counts: counts({ removed: 10 }),
      targets: [{ target: 'email:hr@example.com', counts: counts({ removed: 10 }) }],
    },
  ],
} as unknown as BacktestReport;

function judged(text: string): { readonly value: number; readonly failed: boolean } {
  const gate = readGate(text);
  if (typeof gate === 'string') throw new Error(gate);
  const [result] = judgeGates([gate], REPORT);
  return { value: result?.value ?? Number.NaN, failed: result?.failed ?? false };
}

describe('a gate', () => {
  it.each([
    ['added > 29', 30, true],
    ['added > 30', 30, false],
    ['added>=30', 30, true],
    ['removed < 11', 10, true],
    ['changed <= 4', 5, false],
    ['moved = 2', 2, true],
    ['moved == 3', 2, false],
    ['undecidable != 0', 1, true],
    ['differences > 47', 48, true],
    ['deliveries > 119', 120, true],
    ['added > 29.5%', 30, true],
    ['rule:gone removed > 9', 10, true],
    ['rule:gone removed >= 100%', 100, true],
    ['rule:gone deliveries > 0', 0, false],
    ['rule:quiet added > 0', 0, false],
    ['rule:quiet added > 0%', 0, false],
    ['target:example added > 29', 30, true],
    ['target:"hr@example.com" removed > 50%', (10 / 13) * 100, true],
    ['rule:gone target:a.example removed > 0', 0, false],
    ['target:nowhere differences > 0', 0, false],
  ])('"%s"', (text, value, failed) => {
    expect(judged(text)).toEqual({ value, failed });
  });

  it('counts anything as more than any percentage of nothing', () => {
    const gate = readGate('added > 1000000%');
    if (typeof gate === 'string') throw new Error(gate);
    const none = { ...REPORT, before: { deliveries: { sent: 0, held: 0, dead: 0, waiting: 0 } } };
    expect(judgeGates([gate], none as unknown as BacktestReport)[0]).toMatchObject({
      count: 30,
      failed: true,
    });
  });

  it.each([
    ['', 'nothing to count'],
    ['rule:a', 'nothing to count'],
    ['adde > 5', '"adde"'],
    ['added', 'after "added"'],
    ['added more 5', '"more"'],
    ['added >', 'after ">"'],
    ['added > five', '"five"'],
    ['added > -5', '"-5"'],
    ['added > 5 %', '"%"'],
    ['added > 5 or removed > 5', '"or"'],
    ['rule:a rule:b added > 5', '"rule:b"'],
    ['rule: added > 5', '"rule:"'],
    ['target:"" added > 5', '"target:"""'],
  ])('names what is wrong with "%s"', (text, named) => {
    expect(readGate(text)).toEqual(expect.stringContaining(named));
    expect(typeof readGate(text)).toBe('string');
  });
});
