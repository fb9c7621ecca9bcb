// Pure: what was expected against what was sent.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ExpectedDelivery } from '../../../src/rules/cases/case-document.js';
import { matchDeliveries, verdictDifferences } from '../../../src/rules/cases/case-match.js';
import type { CaseFailure, JudgedRule, SentDelivery } from '../../../src/rules/cases/case-result.js';

const START = Date.parse('2026-01-05T09:00:00+08:00');
const MINUTE = 60_000;
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const sent = (request: unknown, more: Partial<SentDelivery> = {}): SentDelivery => ({
  rule: 'r',
  action: 'a',
  step: null,
  at: START,
  state: 'sent',
  code: null,
  target: 't',
  request,
  ...more,
});
const wanted = (more: Partial<ExpectedDelivery> = {}): ExpectedDelivery => ({
  rule: 'r',
  action: 'a',
  ...more,
});
const match = (expected: readonly ExpectedDelivery[], all: readonly SentDelivery[]): readonly CaseFailure[] =>
  matchDeliveries(expected, all, START);
const paths = (failures: readonly CaseFailure[]): (string | null)[] =>
  failures.flatMap((one) => ('differences' in one ? one.differences.map(({ path }) => path) : null));

describe('the match of deliveries', () => {
  it('is exact in number, whatever the order', () => {
    const [one, two] = [sent({ n: 1 }), sent({ n: 2 })];
    const both = [wanted({ with: { n: 2 } }), wanted({ with: { n: 1 } })];
    expect(match(both, [one, two])).toEqual([]);
    expect(match(both.slice(1), [one, two])).toEqual([{ kind: 'unexpected', delivery: two }]);
    expect(match([...both, wanted()], [one, two])).toEqual([
      { kind: 'missing', expected: wanted(), closest: null, differences: [] },
    ]);
    expect(match([], [])).toEqual([]);
  });

  it('gives each the partner that leaves the others theirs', () => {
    const all = [sent({ n: 1, m: 1 }), sent({ n: 1, m: 2 })];
    // Whoever takes the first that fits leaves the second without one.
    expect(match([wanted({ with: { n: 1 } }), wanted({ with: { m: 1 } })], all)).toEqual([]);
    expect(match([wanted({ with: { m: 1 } }), wanted()], all)).toEqual([]);
  });

  it('takes objects in part and lists as a whole', () => {
    const delivery = sent({ url: 'u', body: { list: [{ a: 1, b: 2 }, 3], text: 'x' } });
    const found = (request: unknown): (string | null)[] =>
      paths(match([wanted({ with: request })], [delivery]));
    expect(found({ body: { list: [{ a: 1 }, 3] } })).toEqual([]);
    expect(found({ body: { list: [{ a: 1 }] } })).toEqual(['body.list[1]']);
    expect(found({ body: { list: [{ a: 2 }, 3, 4] } })).toEqual(['body.list[0].a', 'body.list[2]']);
    expect(found({ body: { text: 'y', more: 1 }, url: { a: 1 } })).toEqual(['body.text', 'body.more', 'url']);
    expect(found({ body: { text: null } })).toEqual(['body.text']);
    expect(found('u')).toEqual(['with']);
  });

  it('compares step, time, state and code, each written as it was expected', () => {
    const delivery = sent(null, { step: 's', at: START + 61 * MINUTE, state: 'dead', code: 'C' });
    const found = (more: Partial<ExpectedDelivery>): unknown =>
      match([wanted({ state: 'dead', ...more })], [delivery]).flatMap((one) =>
        'differences' in one ? one.differences : [],
      );
    expect(found({ step: 's', at: '61m', code: 'C' })).toEqual([]);
    expect(found({ at: '2026-01-05T10:01:00+08:00' })).toEqual([]);
    expect(found({ step: 't' })).toEqual([{ path: 'step', expected: 't', actual: 's' }]);
    expect(found({ at: '1h' })).toEqual([{ path: 'at', expected: '1h', actual: '61m' }]);
    expect(found({ at: '2026-01-05T10:00:00+08:00' })).toEqual([
      { path: 'at', expected: '2026-01-05T10:00:00+08:00', actual: '2026-01-05T10:01:00+08:00' },
    ]);
    expect(found({ at: '2026-01-05T02:00:00Z' })).toMatchObject([{ actual: '2026-01-05T02:01:00Z' }]);
    expect(found({ state: 'sent', code: 'D' })).toEqual([
      { path: 'state', expected: 'sent', actual: 'dead' },
      { path: 'code', expected: 'D', actual: 'C' },
    ]);
  });

  it('names the closest of what is left, the nearest pairs first', () => {
    const all = [sent({ n: 1, m: 9 }), sent({ n: 2, m: 2 })];
    const failures = match([wanted({ with: { n: 7, m: 7 } }), wanted({ with: { n: 1, m: 1 } })], all);
    expect(failures).toMatchObject([
      { kind: 'missing', closest: all[1], differences: [{ path: 'n' }, { path: 'm' }] },
      { kind: 'missing', closest: all[0], differences: [{ path: 'm', expected: 1, actual: 9 }] },
    ]);
  });

  it(`finds a full match whenever there is one (seed ${seed})`, () => {
    const request = fc.record({ a: fc.nat(2), b: fc.nat(2), c: fc.nat(2) });
    const masks = fc.array(fc.tuple(request, fc.nat(7)), { maxLength: 8 });
    fc.assert(
      fc.property(masks, fc.infiniteStream(fc.nat()), (pairs, numbers) => {
        const partOf = (all: Record<string, number>, mask: number): object =>
          Object.fromEntries(Object.entries(all).filter((_, at) => (mask >> at) & 1));
        const shuffled = pairs
          .map(([one]) => [numbers.next().value as number, sent(one)] as const)
          .sort(([a], [b]) => a - b)
          .map(([, one]) => one);
        expect(
          match(
            pairs.map(([one, mask]) => wanted({ with: partOf(one, mask) })),
            shuffled,
          ),
        ).toEqual([]);
      }),
      { seed, numRuns: 500 },
    );
  });
});

describe('the match of verdicts', () => {
  const judged = (verdict: object, more: Partial<JudgedRule> = {}): JudgedRule => ({
    rule: 'r',
    verdict: { rule: 'r', ...verdict } as JudgedRule['verdict'],
    suppressed: [],
    because: [],
    ...more,
  });
  const found = (...args: Parameters<typeof verdictDifferences>): string[] =>
    verdictDifferences(...args).map(({ path }) => path);

  it('compares the word, and the reasons that are given', () => {
    const unknown = judged({ verdict: 'unknown', missing: ['a', 'b'] });
    expect(found('unknown', unknown)).toEqual([]);
    expect(found('matched', unknown)).toEqual(['verdict']);
    expect(found({ verdict: 'unknown', missing: ['b', 'a'] }, unknown)).toEqual([]);
    expect(found({ verdict: 'unknown', missing: ['a'] }, unknown)).toEqual(['missing']);
    const no = judged({ verdict: 'not matched' }, { because: ['status'] });
    expect(found({ verdict: 'not matched', because: ['status'] }, no)).toEqual([]);
    expect(found({ verdict: 'not matched', because: [] }, no)).toEqual(['because']);
    const error = judged({ verdict: 'error', error: 'it is a list' });
    expect(found({ verdict: 'error', error: 'list' }, error)).toEqual([]);
    expect(found({ verdict: 'error', error: 'text' }, error)).toEqual(['error']);
    const off = judged({ verdict: 'skipped', cause: 'disabled' });
    expect(found({ verdict: 'skipped', cause: 'disabled' }, off)).toEqual([]);
    expect(found({ verdict: 'skipped', cause: 'not-yet-effective' }, off)).toEqual(['cause']);
    const held = judged({ verdict: 'matched' }, { suppressed: [{ action: 'a', cause: 'when' }] });
    expect(found({ verdict: 'matched', suppressed: { a: 'when' } }, held)).toEqual([]);
    expect(found({ verdict: 'matched', suppressed: { a: 'throttle', b: 'when' } }, held)).toEqual([
      'suppressed.a',
      'suppressed.b',
    ]);
  });
});
