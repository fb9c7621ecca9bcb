// Pure: no socket. What the SDK hands over of a frame, and what becomes of it.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FragmentMerger } from '../../src/ingestion/feishu-frames.js';
import { TestClock } from '../support/clock.js';

const MIB = 1024 * 1024;
const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const merger = (clock = new TestClock()): FragmentMerger => new FragmentMerger(clock);

describe('the fragments of an event', () => {
  it('are its bytes when there is one, whatever is in it', () => {
    const body = Buffer.from([0xff, 0x00, 0x7b, 0xf0, 0x9f]);
    expect(merger().mergeData({ message_id: 'm', sum: 1, seq: 0, data: body })).toEqual({ raw: body });
    expect(merger().mergeData({ message_id: undefined, sum: 1, seq: 0, data: body })).toEqual({ raw: body });
  });

  it('are joined by their number, cut anywhere, in any order, some of them twice', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 2, maxLength: 300 }),
        fc.array(fc.nat(300), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
        (body, cuts, chances) => {
          const places = [...new Set(cuts.map((at) => at % body.length))].sort((a, b) => a - b);
          const parts = [...places, body.length].map((end, at) => body.subarray(places[at - 1] ?? 0, end));
          if (parts.length === 1) return;
          const order = parts
            .map((data, seq) => ({ data, seq, at: chances[seq]! }))
            .sort((a, b) => a.at - b.at);
          const joining = merger();
          const last = order.pop()!;
          for (const { data, seq } of [...order, ...order])
            expect(joining.mergeData({ message_id: 'm', sum: parts.length, seq, data })).toBeNull();
          const merged = joining.mergeData({ message_id: 'm', sum: parts.length, ...last });
          expect(merged?.raw.equals(body)).toBe(true);
          expect(joining.waiting).toBe(0);
        },
      ),
    );
  });

  it('of several events at once are kept apart', () => {
    const joining = merger();
    for (const id of ['a', 'b', 'c'])
      expect(joining.mergeData({ message_id: id, sum: 2, seq: 1, data: bytes(`${id}2`) })).toBeNull();
    for (const id of ['c', 'a', 'b'])
      expect(joining.mergeData({ message_id: id, sum: 2, seq: 0, data: bytes(`${id}1`) })).toEqual({
        raw: bytes(`${id}1${id}2`),
      });
  });

  it('may be empty', () => {
    const joining = merger();
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 0, data: new Uint8Array() })).toBeNull();
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 1, data: bytes('x') })).toEqual({
      raw: bytes('x'),
    });
  });
});

describe('a fragment that fits nowhere', () => {
  it.each([
    [NaN, 0],
    [0, 0],
    [-1, 0],
    [1.5, 0],
    [Infinity, 0],
    // The SDK's own makes a list of this length and fills it.
    [4_294_967_295, 0],
    [1e12, 0],
    [2, NaN],
    [2, -1],
    [2, 2],
    [2, 0.5],
    [1, 1],
  ])('with "sum" %d and "seq" %d is refused', (sum, seq) => {
    const joining = merger();
    expect(() => joining.mergeData({ message_id: 'm', sum, seq, data: bytes('x') })).toThrow('fragment');
    expect(joining.waiting).toBe(0);
  });

  it.each([undefined, ''])('without a message id (%j) is refused: it could be joined to any other', (id) => {
    expect(() => merger().mergeData({ message_id: id, sum: 2, seq: 0, data: bytes('x') })).toThrow(
      'message id',
    );
  });

  it('with another "sum" than an earlier one is joined to nothing, and the next push of the message is whole', () => {
    const joining = merger();
    joining.mergeData({ message_id: 'm', sum: 3, seq: 0, data: bytes('old') });
    expect(() => joining.mergeData({ message_id: 'm', sum: 2, seq: 0, data: bytes('a') })).toThrow('"sum" 2');
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 0, data: bytes('a') })).toBeNull();
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 1, data: bytes('b') })).toEqual({
      raw: bytes('ab'),
    });
  });
});

describe('what is kept', () => {
  it('is at most 1 MiB of an event', () => {
    const joining = merger();
    const most = Buffer.alloc(MIB, 'x');
    expect(joining.mergeData({ message_id: 'm', sum: 1, seq: 0, data: most })?.raw).toHaveLength(MIB);
    const tooMuch = Buffer.alloc(MIB + 1);
    expect(() => joining.mergeData({ message_id: 'm', sum: 1, seq: 0, data: tooMuch })).toThrow('larger');
    expect(joining.mergeData({ message_id: 'n', sum: 2, seq: 0, data: most })).toBeNull();
    expect(() => joining.mergeData({ message_id: 'n', sum: 2, seq: 1, data: bytes('x') })).toThrow('larger');
    expect(joining.waiting).toBe(0);
  });

  it('is what may still be completed: an incomplete set goes after 10 s', () => {
    const clock = new TestClock();
    const joining = merger(clock);
    joining.mergeData({ message_id: 'm', sum: 2, seq: 0, data: bytes('old') });
    clock.advance(9999);
    joining.mergeData({ message_id: 'n', sum: 2, seq: 0, data: bytes('x') });
    expect(joining.waiting).toBe(2);
    clock.advance(1);
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 1, data: bytes('new') })).toBeNull();
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 0, data: bytes('!') })?.raw).toEqual(
      bytes('!new'),
    );
    expect(joining.waiting).toBe(1);
  });

  it('is at most 200 incomplete sets and 16 MiB: the oldest go first', () => {
    const joining = merger();
    for (let id = 0; id < 300; id += 1)
      joining.mergeData({ message_id: String(id), sum: 2, seq: 0, data: bytes('a') });
    expect(joining.waiting).toBe(200);
    expect(joining.mergeData({ message_id: '299', sum: 2, seq: 1, data: bytes('b') })).not.toBeNull();
    expect(joining.mergeData({ message_id: '0', sum: 2, seq: 1, data: bytes('b') })).toBeNull();
    for (let id = 0; id < 40; id += 1)
      joining.mergeData({ message_id: `large-${id}`, sum: 2, seq: 0, data: Buffer.alloc(MIB) });
    expect(joining.waiting).toBe(16);
    expect(
      joining.mergeData({ message_id: 'large-39', sum: 2, seq: 1, data: Buffer.alloc(0) }),
    ).not.toBeNull();
  });

  it('is nothing once it is destroyed', () => {
    const joining = merger();
    joining.clearAtInterval();
    joining.clearAtInterval();
    joining.mergeData({ message_id: 'm', sum: 2, seq: 0, data: bytes('a') });
    joining.destroy();
    expect(joining.waiting).toBe(0);
    expect(joining.mergeData({ message_id: 'm', sum: 2, seq: 1, data: bytes('b') })).toBeNull();
  });
});
