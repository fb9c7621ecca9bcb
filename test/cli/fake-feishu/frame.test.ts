// The frames that the SDK and the platform's fake made are in the published vectors, to the byte.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { decodeFrame, encodeFrame, type Frame, headerOf } from '../../../src/cli/fake-feishu/frame.js';

interface WireFrame {
  readonly SeqID: string;
  readonly LogID: string;
  readonly service: number;
  readonly method: number;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly payload_utf8?: string;
}
interface Vector {
  readonly id: string;
  readonly hex?: string;
  readonly hex_in_send_order?: readonly string[];
  readonly decoded?: WireFrame;
  readonly payload_utf8?: string;
}

const { ws_frames: vectors } = JSON.parse(readFileSync('test/fixtures/feishu-vectors.json', 'utf8')) as {
  ws_frames: readonly Vector[];
};
const known = vectors.flatMap(({ id, hex, decoded }) => (hex && decoded ? [{ id, hex, decoded }] : []));
const all = vectors.flatMap(({ id, hex, hex_in_send_order: several }) =>
  [hex ?? [], several ?? []].flat().map((one) => ({ id, hex: one })),
);

function frameOf({ SeqID, LogID, service, method, headers, payload_utf8: payload }: WireFrame): Frame {
  return {
    seqId: BigInt(SeqID),
    logId: BigInt(LogID),
    service,
    method,
    headers: headers.map(({ key, value }) => [key, value]),
    ...(payload === undefined ? {} : { payload: Buffer.from(payload) }),
  };
}

describe('frames', () => {
  it('are in the vectors', () => {
    expect([known.length, all.length]).toEqual([3, 7]);
  });

  it.each(known)('$id: encoded and decoded as published', ({ hex, decoded }) => {
    expect(Buffer.from(encodeFrame(frameOf(decoded))).toString('hex')).toBe(hex);
    expect(decodeFrame(Buffer.from(hex, 'hex'))).toEqual(frameOf(decoded));
  });

  it.each(all)('$id: decoded and encoded again to the same bytes', ({ hex }) => {
    expect(Buffer.from(encodeFrame(decodeFrame(Buffer.from(hex, 'hex')))).toString('hex')).toBe(hex);
  });

  it('fragments of the vectors join as bytes', () => {
    const vector = vectors.find(({ hex_in_send_order: several }) => several);
    const frames = (vector?.hex_in_send_order ?? []).map((hex) => decodeFrame(Buffer.from(hex, 'hex')));
    const inOrder = frames.toSorted((a, b) => Number(headerOf(a, 'seq')) - Number(headerOf(b, 'seq')));
    const joined = Buffer.concat(inOrder.map(({ payload = Buffer.alloc(0) }) => payload));
    expect(joined.toString()).toBe(vector?.payload_utf8);
  });

  it('keeps 64-bit numbers exact and all optional fields', () => {
    const frame: Frame = {
      seqId: 2n ** 64n - 1n,
      logId: 2n ** 53n + 1n,
      service: -1,
      method: 1,
      headers: [
        ['type', 'event'],
        ['type', '续签'],
      ],
      payloadEncoding: 'gzip',
      payloadType: 'json',
      payload: Buffer.from([0, 255]),
      logIdNew: 'new',
    };
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    expect(headerOf(frame, 'type')).toBe('event');
    expect(headerOf(frame, 'sum')).toBeNull();
  });

  it.each([
    ['no frame', 'ffff'],
    ['a field 1 to 4 is missing', '0800100018f68180102a0c0a0474797065120470696e67'],
  ])('throws: %s', (_, hex) => {
    expect(() => decodeFrame(Buffer.from(hex, 'hex'))).toThrow();
  });
});
