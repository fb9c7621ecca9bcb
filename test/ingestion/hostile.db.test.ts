// Real: HTTP server, PostgreSQL, signatures, ciphertexts. What is sent is what an attacker, or an employee's text
// inside a genuine event, could send. Ids as in the threat model (docs).
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { factsOf } from '../../src/events/event-facts.js';
import { feishuAesKey, feishuSignature } from '../../src/ingestion/feishu-crypto.js';
import { type Answer, Door, type Request } from '../support/door.js';
import { APP, approverEvent, envelopeOf, pushOf, pushOfApprover, signedHeaders } from '../support/feishu.js';
import { extendSha256 } from '../support/length-extension.js';

let door: Door;
beforeAll(async () => {
  door = await Door.open();
});
afterAll(() => door.close());

const now = (): string => String(Math.floor(Date.now() / 1000));
const id = (): string => randomBytes(16).toString('hex');
const unsigned = (body: string | Buffer): Request => ({
  body,
  headers: { 'content-type': 'application/json' },
});
const signed = (body: string | Buffer): Request => ({ body, headers: signedHeaders(body) });
const signedAt = (timestamp: string, nonce: string, body: string): Request['headers'] => ({
  'x-lark-request-timestamp': timestamp,
  'x-lark-request-nonce': nonce,
  'x-lark-signature': feishuSignature(timestamp, nonce, APP.encryptKey, Buffer.from(body)),
});
const encrypted = (plaintext: Buffer): Buffer => {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', feishuAesKey(APP.encryptKey), iv);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final()]);
};
const bodyOf = (ciphertext: Buffer): string => JSON.stringify({ encrypt: ciphertext.toString('base64') });
const withoutDate = ({ status, headers, body }: Answer): string =>
  JSON.stringify([status, { ...headers, date: '' }, body]);

describe('a signature that does not fit', () => {
  it('A01: gets one and the same 401, whatever is wrong with it', async () => {
    const { body, headers } = pushOfApprover();
    const { 'x-lark-signature': signature = '', ...rest } = headers;
    const wrong = [
      signature.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      signature.slice(0, 63),
      '',
      signature + signature,
      `${signature}, ${signature}`,
      signature.toUpperCase(),
      createHash('sha1').update(body).digest('hex'),
      createHash('sha256').update(body).digest('hex'),
      '[object Object]',
    ].map((text) => ({ body, headers: { ...rest, 'x-lark-signature': text } }));
    const texts: string[] = [];
    for (const request of [{ body, headers: rest }, unsigned(body), ...wrong])
      texts.push(withoutDate(await door.refusesPush(request)));
    expect(new Set(texts).size).toBe(1);
  });

  it.each([
    ['a space at the end', (body: string) => `${body} `],
    ['a space after the colon', (body: string) => body.replace(':', ': ')],
    ['a line feed in front', (body: string) => `\n${body}`],
    ['a re-escaped slash', (body: string) => body.replace('"encrypt"', '"\\u0065ncrypt"')],
    ['a member more', (body: string) => body.replace('}', ',"a":1}')],
  ])('A02: %s after signing gets 401', async (_, change) => {
    const { body, headers } = pushOfApprover();
    await door.refusesPush({ headers, body: change(body) });
  });

  it.each([
    ['30 days old', -30 * 86_400],
    ['a day and a minute old', -86_460],
    ['six minutes ahead', 360],
    ['a day ahead', 86_400],
  ])('A04: %s gets 401', async (_, seconds) => {
    await door.refusesPush(pushOf(envelopeOf(approverEvent()), Date.now() + seconds * 1000));
  });

  it.each(['9', '11', '13', 'text', 'none', 'signed', 'float', 'full-width'])(
    'A04: a timestamp that is not 10 digits (%s) gets 401, though the signature covers it',
    async (kind) => {
      const timestamp =
        { '9': now().slice(1), '11': `0${now()}`, '13': `${now()}000`, signed: `+${now().slice(1)}` }[kind] ??
        { float: '1.5e9', none: '', 'full-width': '１２３４５６７８９０' }[kind] ??
        'yesterday.';
      const { body } = pushOfApprover();
      const headers = signedAt(timestamp, '1', body);
      const latin1 = Buffer.from(timestamp, 'utf8').toString('latin1');
      await door.refusesPush({ body, headers: { ...headers, 'x-lark-request-timestamp': latin1 } });
    },
  );

  it('A04: eight hours old and four minutes ahead are taken: Feishu repeats for 7.1 hours, and clocks differ', async () => {
    for (const seconds of [-8 * 3600, 240]) {
      const push = pushOf(envelopeOf(approverEvent()), Date.now() + seconds * 1000);
      expect((await door.push(push)).status).toBe(200);
    }
  });

  it.each([1, 2, 3, 9])(
    'A05: %i digits moved between timestamp and nonce get 401, though the hash is the same',
    async (digits) => {
      const { body } = pushOfApprover();
      const time = now();
      const headers = signedAt(time, '1234567890', body);
      const all = `${time}1234567890`;
      for (const at of [10 - digits, 10 + digits]) {
        const moved = {
          ...headers,
          'x-lark-request-timestamp': all.slice(0, at),
          'x-lark-request-nonce': all.slice(at),
        };
        await door.refusesPush({ body, headers: moved });
      }
    },
  );

  it('A06: a body lengthened without the key holds its forged signature, and gets 400', async () => {
    const { body, headers } = pushOfApprover();
    const {
      'x-lark-signature': signature = '',
      'x-lark-request-timestamp': time = '',
      'x-lark-request-nonce': nonce = '',
    } = headers;
    const before = Buffer.byteLength(time + nonce + APP.encryptKey + body);
    const more = Buffer.from('{"encrypt":"AAAA"}');
    const { padding, digest } = extendSha256(signature, before, more);
    const lengthened = Buffer.concat([Buffer.from(body), padding, more]);
    expect(digest).toBe(feishuSignature(time, nonce, APP.encryptKey, lengthened));
    await door.refusesPush({ body: lengthened, headers: { ...headers, 'x-lark-signature': digest } }, 400);
  });
});

describe('a replay', () => {
  it('A03: fifty at once, and later another encryption of the same event, leave one event', async () => {
    const eventId = id();
    const text = envelopeOf(approverEvent(), { event_id: eventId });
    const [keys, events] = await door.count();
    const push = pushOf(text);
    const answers = await Promise.all(Array.from({ length: 50 }, () => door.push(push)));
    const later = await Promise.all([pushOf(text), pushOf(text)].map((again) => door.push(again)));
    expect([...answers, ...later].map(({ status }) => status)).toEqual(Array(52).fill(200));
    expect(await door.count()).toEqual([keys + 1, events + 1]);
  });
});

describe('a signed event that is not for this app', () => {
  it.each([
    ['wrong', 'other-verification-token'],
    ['a part of it', APP.token.slice(0, -1)],
    ['longer', `${APP.token}x`],
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['a number', 1],
    ['true', true],
    ['a list of it', [APP.token]],
    ['an object of its length', { length: APP.token.length }],
    ['an object with toString', { toString: APP.token }],
  ])('A07: verification token %s gets 401', async (_, token) => {
    await door.refusesPush(pushOf(envelopeOf(approverEvent(), { token })));
  });

  it.each(['cli_0000000000000000', APP.id.toUpperCase(), '', null, undefined, [APP.id]])(
    'A08: app_id %j gets 401',
    async (app_id) => {
      await door.refusesPush(pushOf(envelopeOf(approverEvent(), { app_id })));
    },
  );
});

describe('a body that is not encrypted', () => {
  const plain = envelopeOf(approverEvent());
  it.each([
    ['unsigned', unsigned(plain), 401],
    ['signed', signed(plain), 400],
    ['signed, with encrypt null', signed(plain.replace('{', '{"encrypt":null,')), 400],
    ['signed, with an empty encrypt', signed(plain.replace('{', '{"encrypt":"",')), 400],
    ['unsigned, beside a ciphertext', unsigned(plain.replace('{', '{"encrypt":"AAAA",')), 401],
  ])('A09: %s, is refused while a key is set', async (_, request, status) => {
    await door.refusesPush(request, status);
  });

  it('A09: siblings of a genuine ciphertext do not get into the event', async () => {
    const eventId = id();
    const { body } = pushOf(envelopeOf(approverEvent(), { event_id: eventId }));
    const both = body.replace('{', `{"header":{"event_id":"outer"},"event":{"status":99},"schema":"2.0",`);
    const event = await door.stored(signed(both), eventId);
    expect(factsOf(event).get('status')).toBe(1);
  });
});

describe('url_verification', () => {
  const challengeOf = (changes: object = {}): string =>
    JSON.stringify({ challenge: 'ajls384k', token: APP.token, type: 'url_verification', ...changes });
  const withoutSignature = (plaintext: string): Request => unsigned(pushOf(plaintext).body);

  it.each([
    ['as Feishu asks', 'ajls384k'],
    ['with quotes and line feeds', '"\\\n\u0000</script>'],
    ['of 1 kB', 'x'.repeat(1024)],
  ])('A10: the right one is answered within a second: %s', async (_, challenge) => {
    for (const request of [
      withoutSignature(challengeOf({ challenge })),
      pushOf(challengeOf({ challenge })),
    ]) {
      const [started, rows] = [performance.now(), await door.count()];
      const answer = await door.push(request);
      expect(performance.now() - started).toBeLessThan(1000);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { challenge }]);
      expect(await door.count()).toEqual(rows);
    }
  });

  it.each([
    ['with a wrong token', { token: 'other' }],
    ['without a token', { token: undefined }],
    ['with a token that is an object', { token: { length: APP.token.length } }],
    ['of more than 1 kB', { challenge: 'x'.repeat(1025) }],
    ['of more than 1 kB in UTF-8', { challenge: '签'.repeat(342) }],
    ['that is a number', { challenge: 1 }],
    ['that is an object', { challenge: { a: 1 } }],
    ['that is null', { challenge: null }],
    ['that is not there', { challenge: undefined }],
    ['of another type', { type: 'url_verification2' }],
  ])('A10: a challenge %s is not answered', async (_, changes) => {
    const answer = await door.refusesPush(withoutSignature(challengeOf(changes)));
    expect(answer.body).not.toContain('ajls384k');
  });

  it('A10: one in plain is not answered while a key is set, and neither are other ciphertexts', async () => {
    await door.refusesPush(unsigned(challengeOf()));
    await door.refusesPush(withoutSignature(envelopeOf(approverEvent())));
    await door.refusesPush(withoutSignature('null'));
    await door.refusesPush(withoutSignature(challengeOf({ padding: 'x'.repeat(20_000) })));
  });
});

describe('ciphertexts that were tampered with', () => {
  const broken = (padding: boolean): Buffer[] =>
    Array.from({ length: 20 }, (_, index) => {
      const bytes = encrypted(Buffer.from(envelopeOf(approverEvent())));
      const at = padding ? bytes.length - 17 : 16 + index * 3;
      bytes[at] = bytes[at]! ^ (0x20 + index);
      return bytes;
    });

  it('A11: unsigned, all get the same bytes, whether the padding holds or not', async () => {
    const answers: string[] = [];
    for (const ciphertext of [...broken(true), ...broken(false), randomBytes(48), Buffer.alloc(32)])
      answers.push(withoutDate(await door.refusesPush(unsigned(bodyOf(ciphertext)))));
    for (const body of ['', '{}', '{"encrypt":1}', '{"encrypt":"!"}', bodyOf(encrypted(Buffer.from('{}')))])
      answers.push(withoutDate(await door.refusesPush(unsigned(body))));
    expect(new Set(answers).size).toBe(1);
  });

  it.each([true, false])('A11: signed, all of one class get the same bytes (padding %s)', async (padding) => {
    const answers: string[] = [];
    for (const ciphertext of broken(padding))
      answers.push(withoutDate(await door.refusesPush(signed(bodyOf(ciphertext)), 400)));
    expect(new Set(answers).size).toBe(1);
  });
});

describe('a signed body of the wrong shape', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', '{"encrypt":'],
    ['JSON and more', `${bodyOf(encrypted(Buffer.from('{}')))}x`],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"encrypt"'],
    ['no encrypt', '{}'],
    ['encrypt a number', '{"encrypt":123}'],
    ['encrypt null', '{"encrypt":null}'],
    ['encrypt true', '{"encrypt":true}'],
    ['encrypt an object', '{"encrypt":{"length":64}}'],
    ['encrypt a list', '{"encrypt":["AAAA"]}'],
    ['encrypt empty', '{"encrypt":""}'],
    ['encrypt no base64', '{"encrypt":"****"}'],
    ['encrypt in URL base64', `{"encrypt":"${'-_'.repeat(32)}"}`],
    ['encrypt with line feeds', bodyOf(encrypted(Buffer.from('{}'))).replace('"}', '\\n"}')],
    ['encrypt of one block', bodyOf(Buffer.alloc(16))],
    ['encrypt of 15 bytes', bodyOf(Buffer.alloc(15))],
    ['encrypt of an odd block', bodyOf(Buffer.alloc(47))],
    ['encrypt of 700 kB of zeros', bodyOf(Buffer.alloc(700_000))],
    ['__proto__ with encrypt', `{"__proto__":${bodyOf(encrypted(Buffer.from('{}')))}}`],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
  ])('A12: %s gets 400', async (_, body) => {
    await door.refusesPush(signed(body), 400);
  });

  const changed = (header: object, top: object = {}): string =>
    JSON.stringify({
      ...(JSON.parse(envelopeOf(approverEvent(), header as Record<string, unknown>)) as object),
      ...top,
    });
  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a list of an event', `[${changed({})}]`],
    ['a text', '"text"'],
    ['a number', '1'],
    ['no JSON', 'undefined'],
    ['NaN', '{"a":NaN}'],
    ['JSON and more', `${changed({})} {}`],
    ['bytes that are no UTF-8', Buffer.from(changed({}).replace('renewal', '\u00ff'), 'latin1')],
    ['UTF-16', Buffer.from(changed({}), 'utf16le')],
    ['no header', changed({}, { header: undefined })],
    ['header null', changed({}, { header: null })],
    ['header a list', changed({}, { header: [] })],
    ['header a text', changed({}, { header: 'text' })],
    ['no event', changed({}, { event: undefined })],
    ['event null', changed({}, { event: null })],
    ['event a list', changed({}, { event: [] })],
    ['no event_id', changed({ event_id: undefined })],
    ['event_id empty', changed({ event_id: '' })],
    ['event_id a number', changed({ event_id: 12 })],
    ['event_id a list', changed({ event_id: ['a'] })],
    ['event_id with NUL', changed({ event_id: 'a\u0000b' })],
    ['event_id with a line feed at its end', changed({ event_id: 'a\n' })],
    ['event_id of 129 characters', changed({ event_id: 'a'.repeat(129) })],
    ['event_id of 20 kB', changed({ event_id: 'a'.repeat(20_000) })],
    ['no event_type', changed({ event_type: undefined })],
    ['event_type with SQL', changed({ event_type: "'; drop table events --" })],
    ['event_type of 20 kB', changed({ event_type: 'a'.repeat(20_000) })],
    ['a v1 event without uuid', JSON.stringify({ token: APP.token, event: { type: 'a', app_id: APP.id } })],
  ])('A12: decrypted %s gets 400', async (_, plaintext) => {
    await door.refusesPush(signed(bodyOf(encrypted(Buffer.from(plaintext)))), 400);
  });
});

describe('without an Encrypt Key, where the token is the only proof', () => {
  let plain: Door;
  beforeAll(async () => {
    plain = await Door.open({ FEISHU_APP_ID: APP.id, FEISHU_VERIFICATION_TOKEN: APP.token });
  });
  afterAll(() => plain.close());

  it.each([
    ['a wrong token', envelopeOf(approverEvent(), { token: 'other' }), 401],
    ['no token', envelopeOf(approverEvent(), { token: undefined }), 401],
    ['the token somewhere else', envelopeOf(approverEvent({ token: APP.token }), { token: undefined }), 401],
    ['another app', envelopeOf(approverEvent(), { app_id: 'cli_0000000000000000' }), 401],
    ['no header', '{"schema":"2.0","event":{}}', 401],
    ['nothing', '', 400],
    ['no JSON', '{', 400],
    ['100 000 levels', '['.repeat(100_000), 400],
    ['a ciphertext', pushOf(envelopeOf(approverEvent())).body, 400],
    ['a challenge with a wrong token', '{"type":"url_verification","challenge":"a","token":"b"}', 401],
  ])('%s is refused, and a signature without a key proves nothing', async (_, body, status) => {
    await plain.refusesPush(unsigned(body), status);
    const signature = feishuSignature(now(), '1', '', Buffer.from(body));
    await plain.refusesPush(
      { body, headers: { ...signed(body).headers, 'x-lark-signature': signature } },
      status,
    );
  });

  it('a genuine event is stored with its digits, and the token in no row', async () => {
    const eventId = id();
    const text = envelopeOf(approverEvent(), { event_id: eventId }).replace(/"(7072306364927985196)"/, '$1');
    const event = await plain.stored(unsigned(text), eventId);
    expect(event.rootEntity).toBe('process:7072306364927985196');
    expect(event.raw.toString('utf8')).toBe(text.replace(APP.token, '*'.repeat(APP.token.length)));
  });

  it('a stranger cannot hold up genuine events with bodies that take long to parse', async () => {
    const body = `[1234567890123456${',0'.repeat(500_000)}]`;
    const strangers = Array.from({ length: 20 }, () => plain.push(unsigned(body)));
    const started = performance.now();
    expect((await plain.push(unsigned(envelopeOf(approverEvent())))).status).toBe(200);
    // Feishu waits 3 s.
    expect(performance.now() - started).toBeLessThan(3000);
    for (const answer of await Promise.all(strangers)) expect(answer.status).toBe(401);
  });
});
