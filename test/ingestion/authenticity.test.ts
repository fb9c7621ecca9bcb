// Pure: no HTTP, no database. The signatures are of the real library of Standard Webhooks and of GitHub's documents.
import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { Verification } from '../../src/config/sources.js';
import { authenticityOf } from '../../src/ingestion/authenticity.js';
import type { RequestHeaders } from '../../src/ingestion/verified.js';

const NOW = Date.UTC(2026, 10, 2, 9);
const BODY = Buffer.from('{"type":"user.created","data":{"名":"王"}}');
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const OTHER = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

const without =
  (name: string) =>
  (headers: Record<string, string>): RequestHeaders => ({ ...headers, [name]: undefined });
const holds = (how: Verification, headers: RequestHeaders, body: Buffer = BODY, now = NOW): boolean =>
  authenticityOf(how).holds(headers, body, now);

describe('Standard Webhooks', () => {
  const how = (
    changes: Partial<Extract<Verification, { kind: 'standard-webhooks' }>> = {},
  ): Verification => ({
    kind: 'standard-webhooks',
    secrets: [SECRET],
    maxAge: 300_000,
    ...changes,
  });
  const signed = (
    secret: string | Webhook = SECRET,
    { id = 'msg_1', at = NOW, body = BODY }: { id?: string; at?: number; body?: Buffer } = {},
  ): Record<string, string> => {
    const webhook = typeof secret === 'string' ? new Webhook(secret) : secret;
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': webhook.sign(id, new Date(at), body.toString('utf8')),
    };
  };

  it("takes the specification's example", () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    expect(holds(how(), headers, Buffer.from('{"test": 2432232314}'), 1_614_265_330_000)).toBe(true);
  });

  it('takes what the library signs, with a secret of whsec_ and one of plain text', () => {
    expect(holds(how(), signed())).toBe(true);
    const raw = signed(new Webhook('only text', { format: 'raw' }));
    expect(holds(how({ secrets: ['only text'] }), raw)).toBe(true);
    expect(holds(how(), raw)).toBe(false);
  });

  it('takes one signature of several, by one secret of several', () => {
    const [old, now] = [signed(OTHER), signed()];
    const both = `${old['webhook-signature'] ?? ''} v1a,AAAA ${now['webhook-signature'] ?? ''}`;
    expect(holds(how(), { ...now, 'webhook-signature': both })).toBe(true);
    expect(holds(how({ secrets: [OTHER, SECRET] }), now)).toBe(true);
    expect(holds(how({ secrets: [OTHER] }), now)).toBe(false);
  });

  it.each<[string, (headers: Record<string, string>) => RequestHeaders]>([
    ['no signature', without('webhook-signature')],
    ['an empty signature', (headers) => ({ ...headers, 'webhook-signature': '' })],
    [
      'another version',
      (headers) => ({
        ...headers,
        'webhook-signature': headers['webhook-signature']?.replace('v1,', 'v1a,'),
      }),
    ],
    [
      'no version',
      (headers) => ({ ...headers, 'webhook-signature': headers['webhook-signature']?.slice(3) }),
    ],
    [
      'a letter less',
      (headers) => ({ ...headers, 'webhook-signature': headers['webhook-signature']?.slice(0, -1) }),
    ],
    [
      'the signature in a list',
      (headers) => ({ ...headers, 'webhook-signature': [headers['webhook-signature'] ?? ''] }),
    ],
    ['no id', without('webhook-id')],
    ['another id', (headers) => ({ ...headers, 'webhook-id': 'msg_2' })],
    ['no timestamp', without('webhook-timestamp')],
    ['another timestamp', (headers) => ({ ...headers, 'webhook-timestamp': String(NOW / 1000 - 1) })],
    [
      'the header names of Svix',
      (headers) =>
        Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]),
        ),
    ],
  ])('refuses %s', (_, change) => {
    expect(holds(how(), change(signed()))).toBe(false);
  });

  it('refuses another body, by a space too', () => {
    expect(holds(how(), signed(), Buffer.concat([BODY, Buffer.from(' ')]))).toBe(false);
  });

  it.each([
    [-300, true],
    [-301, false],
    [300, true],
    [301, false],
    [-86_400, false],
  ])('of %i s from now: %s', (seconds, expected) => {
    expect(holds(how(), signed(SECRET, { at: NOW + seconds * 1000 }))).toBe(expected);
  });

  it('of a longer age when the settings say so, and never of further ahead', () => {
    const patient = how({ maxAge: 86_400_000 });
    expect(holds(patient, signed(SECRET, { at: NOW - 86_400_000 }))).toBe(true);
    expect(holds(patient, signed(SECRET, { at: NOW + 301_000 }))).toBe(false);
  });

  it.each(['9999999', '17678412000', '1e9', ' 1793610000', '1793610000 ', '+793610000', 'now'])(
    'refuses the timestamp %j, though it is signed',
    (timestamp) => {
      const key = Buffer.from(SECRET.slice(6), 'base64');
      const signature = createHmac('sha256', key).update(`m.${timestamp}.`).update(BODY).digest('base64');
      const headers = {
        'webhook-id': 'm',
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      };
      expect(holds(how({ maxAge: 1e15 }), headers, BODY, Number(timestamp) * 1000 || NOW)).toBe(false);
    },
  );

  it('refuses an id that is the beginning of a signed body, and takes any other that is signed', () => {
    const inner = '1793610000.[1,2]';
    const body = Buffer.from(`["x.${inner}`);
    const genuine = signed(SECRET, { id: 'm', body });
    const shifted = {
      ...genuine,
      'webhook-id': `m.${genuine['webhook-timestamp'] ?? ''}.["x`,
      'webhook-timestamp': '1793610000',
    };
    expect(holds(how(), genuine, body)).toBe(true);
    expect(holds(how({ maxAge: 1e12 }), shifted, Buffer.from('[1,2]'), 1_793_610_000_000)).toBe(false);
    for (const id of ['evt.1', 'a:b/c', 'à'])
      expect(
        holds(how(), { ...signed(SECRET, { id }), 'webhook-id': Buffer.from(id).toString('latin1') }),
      ).toBe(true);
  });

  it('does not vouch for other headers', () => {
    expect(authenticityOf(how()).coversHeaders).toBe(false);
  });
});

describe('an HMAC in a header', () => {
  const how = (changes: Partial<Extract<Verification, { kind: 'hmac' }>> = {}): Verification => ({
    kind: 'hmac',
    secrets: ["It's a Secret to Everybody"],
    header: 'x-hub-signature-256',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: 'sha256=',
    ...changes,
  });
  const HELLO = Buffer.from('Hello, World!');
  const GITHUB = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

  it("takes the example of GitHub's documents, in upper case too", () => {
    expect(holds(how(), { 'x-hub-signature-256': GITHUB }, HELLO)).toBe(true);
    const upper = GITHUB.slice(0, 7) + GITHUB.slice(7).toUpperCase();
    expect(holds(how(), { 'x-hub-signature-256': upper }, HELLO)).toBe(true);
    expect(
      holds(
        how({ secrets: ['other', "It's a Secret to Everybody"] }),
        { 'x-hub-signature-256': GITHUB },
        HELLO,
      ),
    ).toBe(true);
  });

  it.each([
    ['no prefix', GITHUB.slice(7)],
    ['another prefix', GITHUB.replace('sha256', 'sha1')],
    ['a digit less', GITHUB.slice(0, -1)],
    ['a byte less', GITHUB.slice(0, -2)],
    ['a byte more', `${GITHUB}00`],
    ['it twice', `${GITHUB}, ${GITHUB}`],
    ['a blank behind', `${GITHUB} `],
    ['no digit', `${GITHUB.slice(0, -1)}g`],
    ['nothing', ''],
    ['the prefix alone', 'sha256='],
    ['the plain hash', 'sha256=dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f'],
  ])('refuses %s', (_, value) => {
    expect(holds(how(), { 'x-hub-signature-256': value }, HELLO)).toBe(false);
  });

  it('refuses another body, another header, another secret', () => {
    expect(holds(how(), { 'x-hub-signature-256': GITHUB }, Buffer.from('Hello, World! '))).toBe(false);
    expect(holds(how(), { 'x-hub-signature': GITHUB }, HELLO)).toBe(false);
    expect(holds(how({ secrets: ['another'] }), { 'x-hub-signature-256': GITHUB }, HELLO)).toBe(false);
    expect(holds(how(), {}, HELLO)).toBe(false);
  });

  it.each(['sha256', 'sha384', 'sha512'] as const)('takes %s as base64 without a prefix', (algorithm) => {
    const verification = how({ algorithm, encoding: 'base64', prefix: '', secrets: ['密钥'] });
    const signature = createHmac(algorithm, '密钥').update(BODY).digest('base64');
    expect(holds(verification, { 'x-hub-signature-256': signature })).toBe(true);
    for (const wrong of [signature.replace(/=*$/, ''), `${signature}A`, `!${signature}`])
      if (wrong !== signature) expect(holds(verification, { 'x-hub-signature-256': wrong })).toBe(false);
  });

  it('does not vouch for headers', () => {
    expect(authenticityOf(how()).coversHeaders).toBe(false);
  });
});

describe('a bearer token', () => {
  const how: Verification = { kind: 'bearer', secrets: ['令牌-1', 'token two'] };

  it.each<[string | string[] | undefined, boolean]>([
    ['Bearer token two', true],
    ['bearer token two', true],
    ['Bearer  token two', true],
    [`Bearer ${Buffer.from('令牌-1').toString('latin1')}`, true],
    ['Bearer token', false],
    ['Bearer token two ', false],
    ['Bearer', false],
    ['Bearer ', false],
    ['token two', false],
    ['Basic token two', false],
    ['', false],
    [undefined, false],
    [['Bearer token two'], false],
  ])('%j: %s', (authorization, expected) => {
    expect(holds(how, { authorization })).toBe(expected);
  });

  it('vouches for all headers', () => {
    expect(authenticityOf(how).coversHeaders).toBe(true);
  });
});
