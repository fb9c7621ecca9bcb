// What a recall does with the deliveries of one action for one cause, without a database.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RenderedRequest } from '../../../src/action/action.js';
import { DELIVERY_STATES, RECALLED } from '../../../src/action/delivery-states.js';
import type { NewDelivery } from '../../../src/action/delivery-store.js';
import { isSameRequest, planChain, type StandingDelivery } from '../../../src/rules/replays/recall-plan.js';

const request = (body: unknown, more: object = {}): RenderedRequest => ({
  kind: 'http',
  secrets: [],
  retry: null,
  content: {
    method: 'POST',
    url: 'https://a.example/x',
    headers: {},
    body,
    timeoutMs: 15_000,
    success: null,
    ...more,
  },
});
const standing = (more: Partial<StandingDelivery> = {}): StandingDelivery => ({
  id: `d${more.generation ?? 0}`,
  rule: 'r',
  action: 'tell',
  target: 'http:a.example',
  entity: 'process:1',
  cause: 'feishu:cli/e1',
  generation: 0,
  eventId: 'e',
  occasion: 'live',
  state: 'delivered',
  code: null,
  effective: more.state === undefined || more.state === 'delivered',
  undone: false,
  isDigest: false,
  selected: true,
  orderKey: null,
  request: request('old'),
  ...more,
});
const wanted = (body: unknown): NewDelivery => ({
  rule: 'r',
  action: 'tell',
  kind: 'http',
  target: 'http:a.example',
  entity: 'process:1',
  cause: 'feishu:cli/e1',
  generation: 0,
  state: 'pending',
  code: null,
  reason: null,
  request: request(body),
});
const fateOf = (chain: readonly StandingDelivery[], next: NewDelivery | null) => {
  const { fates, generation } = planChain(chain, next);
  return { fates: Object.fromEntries(fates), generation };
};

describe('what becomes of a delivery', () => {
  it.each<[string, StandingDelivery[], NewDelivery | null, ReturnType<typeof fateOf>]>([
    ['there is none', [], wanted('new'), { fates: {}, generation: 0 }],
    [
      'it was delivered, and nothing is wanted',
      [standing()],
      null,
      { fates: { d0: { kind: 'taken', cancel: false, undo: true } }, generation: 1 },
    ],
    [
      'it was delivered, and something else is wanted',
      [standing()],
      wanted('new'),
      { fates: { d0: { kind: 'taken', cancel: false, undo: true } }, generation: 1 },
    ],
    ['the same is wanted', [standing()], wanted('old'), { fates: { d0: { kind: 'kept' } }, generation: 0 }],
    [
      'it waits, and the same is wanted',
      [standing({ state: 'held' })],
      wanted('old'),
      { fates: { d0: { kind: 'kept' } }, generation: 0 },
    ],
    [
      'it waits',
      [standing({ state: 'deferred' })],
      wanted('new'),
      { fates: { d0: { kind: 'taken', cancel: true, undo: false } }, generation: 1 },
    ],
    [
      'it waits for another try, and one had no answer',
      [standing({ state: 'pending', effective: true })],
      null,
      { fates: { d0: { kind: 'taken', cancel: true, undo: true } }, generation: 1 },
    ],
    [
      'it is dead, and was perhaps delivered',
      [standing({ state: 'dead', effective: true })],
      wanted('new'),
      { fates: { d0: { kind: 'taken', cancel: true, undo: true } }, generation: 1 },
    ],
    [
      'it is dead, and the same is wanted: a person redrives it',
      [standing({ state: 'dead' })],
      wanted('old'),
      { fates: { d0: { kind: 'kept' } }, generation: 0 },
    ],
    [
      'a person has cancelled it, and the same is wanted',
      [standing({ state: 'cancelled', code: 'CANCELLED' })],
      wanted('old'),
      { fates: { d0: { kind: 'gone', code: 'CANCELLED' } }, generation: 0 },
    ],
    [
      'a recall has cancelled it, and the same is wanted after all',
      [standing({ state: 'cancelled', code: RECALLED.code })],
      wanted('old'),
      { fates: { d0: { kind: 'gone', code: RECALLED.code } }, generation: 1 },
    ],
    [
      'it was undone before',
      [standing({ undone: true })],
      null,
      { fates: { d0: { kind: 'gone', code: 'RECALL_UNDONE_BEFORE' } }, generation: 1 },
    ],
    [
      'it is a digest',
      [standing({ isDigest: true })],
      wanted('new'),
      { fates: { d0: { kind: 'person', code: 'RECALL_DIGEST' } }, generation: 0 },
    ],
    [
      'another one went in its place, which the recall is about too',
      [standing({ undone: true }), standing({ generation: 1, request: request('new') })],
      wanted('new'),
      { fates: { d0: { kind: 'gone', code: 'RECALL_SUPERSEDED' }, d1: { kind: 'kept' } }, generation: 1 },
    ],
    [
      'another one went in its place, which the recall is not about',
      [standing(), standing({ generation: 1, selected: false })],
      wanted('new'),
      { fates: { d0: { kind: 'person', code: 'RECALL_SUPERSEDED' } }, generation: 1 },
    ],
    [
      'the recall is not about it',
      [standing({ selected: false })],
      wanted('new'),
      { fates: {}, generation: 0 },
    ],
  ])('when %s', (_, chain, next, expected) => {
    expect(fateOf(chain, next)).toEqual(expected);
  });

  it('is settled by one recall: a second one about the same finds nothing to do', () => {
    const state = fc.constantFrom(...DELIVERY_STATES.filter((one) => one !== 'delivering'));
    const one = fc.record({
      state,
      ambiguous: fc.boolean(),
      body: fc.constantFrom('old', 'new'),
      code: fc.constantFrom('CANCELLED', RECALLED.code),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 3 }),
        fc.option(fc.constantFrom('old', 'new')),
        (given, body) => {
          const chain = given.map((each, generation) =>
            standing({
              generation,
              state: each.state,
              code: each.state === 'cancelled' ? each.code : null,
              effective: each.state === 'delivered' || each.ambiguous,
              request: request(each.body),
            }),
          );
          const next = body === null ? null : wanted(body);
          const { fates, generation } = planChain(chain, next);
          const after = chain.map((each) => {
            const fate = fates.get(each.id);
            if (fate?.kind !== 'taken') return each;
            return {
              ...each,
              undone: each.undone || fate.undo,
              ...(fate.cancel ? { state: 'cancelled' as const, code: RECALLED.code } : {}),
            };
          });
          if (next && generation === chain.length)
            after.push(standing({ generation, state: 'pending', effective: false, request: request(body) }));
          const again = planChain(after, next);
          for (const fate of again.fates.values()) expect(fate.kind).not.toBe('taken');
          expect(again.generation < after.length || next === null).toBe(true);
        },
      ),
    );
  });
});

describe('the same request', () => {
  const of = (more: RenderedRequest, target = 'http:a.example') => ({ target, request: more });

  it('is what the target would get, however long it is waited for and whatever the password is called', () => {
    const slot = (secret: string): RenderedRequest => ({
      ...request('old'),
      secrets: [{ at: ['headers', 'authorization'], pieces: ['Bearer ', { secret }], encode: false }],
    });
    expect(isSameRequest(of(request({ a: 1, b: 2 })), of(request({ b: 2, a: 1 })))).toBe(true);
    expect(
      isSameRequest(
        of(request('old')),
        of({ ...request('old', { timeoutMs: 1, success: { status: [200] } }), retry: [1] }),
      ),
    ).toBe(true);
    expect(isSameRequest(of(slot('ONE')), of(slot('OTHER')))).toBe(true);
    expect(isSameRequest(of(slot('ONE')), of(request('old')))).toBe(false);
  });

  it('is none with another body, place or method, nor one that is not there any more', () => {
    const old = of(request('old'));
    expect(isSameRequest(old, of(request('new')))).toBe(false);
    expect(isSameRequest(old, of(request('old'), 'http:b.example'))).toBe(false);
    expect(isSameRequest(old, of(request('old', { url: 'https://a.example/y' })))).toBe(false);
    expect(isSameRequest(old, of(request('old', { method: 'PUT' })))).toBe(false);
    expect(isSameRequest({ target: 'http:a.example', request: null }, old)).toBe(false);
  });
});
