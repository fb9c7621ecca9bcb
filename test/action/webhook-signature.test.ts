import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileAction } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { AddressGuard } from '../../src/action/address-guard.js';
import { makeReady } from '../../src/action/ready-request.js';
import { signatureHeaders, signingKeysOf } from '../../src/action/webhook-signature.js';
import { StandardWebhooks } from '../../src/ingestion/standard-webhooks.js';
import { TestClock } from '../support/clock.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { scopeOf } from '../support/scope.js';
import { ClosableHttpSender } from '../support/senders.js';

// Real: compiling, rendering, secrets, sender, HTTP over sockets. Fake: the clock.
const OLD = Buffer.alloc(24, 7);
const NEW = Buffer.alloc(64, 9);
const clock = new TestClock(Date.UTC(2026, 10, 23, 12, 0, 0, 999));
const secrets = new Map<string, string>();

let receiver: Receiver;
let sender: ClosableHttpSender;

beforeAll(async () => {
  receiver = await startReceiver((_request, response) => response.end(secrets.get('HOOK')));
  const guard = new AddressGuard([{ kind: 'host', host: '127.0.0.1', port: null }]);
  sender = new ClosableHttpSender({ guard, ca: undefined }, clock);
});
afterAll(async () => {
  await sender.close();
  await receiver.close();
});

/** From a document to the end of an attempt. */
async function send(secret: string, rest: object = {}) {
  secrets.set('HOOK', secret);
  const document = ACTION_DOCUMENT.parse({
    type: 'http',
    name: 'a',
    url: receiver.url,
    sign: 'HOOK',
    ...rest,
  });
  const action = compileAction(document, (_at, code) => {
    throw new Error(code);
  });
  expect(action.secretNames).toEqual(['HOOK']);
  const stored = action.render(scopeOf({ note: '审批 "✓"' })).request;
  const ready = makeReady(stored, secrets);
  if ('missing' in ready || ready.kind !== 'http') throw new Error('it is ready');
  return await sender.send(ready.request, 'key-1', ready.used);
}

describe('a signature of Standard Webhooks', () => {
  it('is the one that the specification computes', () => {
    const keys = signingKeysOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!;
    const body = '{"test": 2432232314}';
    expect(signatureHeaders(keys, 'msg_p5jXN8AQM9LWM0D4loKWxJek', body, 1614265330_000)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it.each([
    ['of JSON', { body: { note: '{{ event.note }}' } }],
    ['of a text', { body: 'note={{ event.note }}' }],
    ['of nothing', { method: 'GET' }],
  ])('%s is over the bytes that are sent, with the key and the time of the attempt', async (_, rest) => {
    expect(await send(`whsec_${OLD.toString('base64')}`, rest)).toMatchObject({ outcome: 'delivered' });
    const { headers, body } = receiver.received.at(-1)!;
    const before = `key-1.${Math.floor(clock.now() / 1000)}.`;
    const computed = createHmac('sha256', OLD).update(before).update(body).digest('base64');
    expect(headers).toMatchObject({ 'webhook-id': 'key-1', 'webhook-signature': `v1,${computed}` });
    expect(headers['webhook-timestamp']).toBe(before.slice(6, -1));
  });

  it('is given by each of two live keys, so that a target may know either, and none is kept', async () => {
    const texts = [OLD, NEW].map((key) => key.toString('base64'));
    const result = await send(`whsec_${texts[0]}\n  ${texts[1]}\r\n`);
    const { headers, body } = receiver.received.at(-1)!;
    for (const text of texts) {
      const door = new StandardWebhooks([`whsec_${text}`], 300_000);
      expect(door.holds(headers, Buffer.from(body), clock.now())).toBe(true);
      expect(result.answer).not.toContain(text);
    }
    const stranger = new StandardWebhooks([`whsec_${Buffer.alloc(24).toString('base64')}`], 300_000);
    expect(stranger.holds(headers, Buffer.from(body), clock.now())).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['no base64', 'whsec_not base64!'],
    ['too short a key', Buffer.alloc(23).toString('base64')],
    ['too long a key', Buffer.alloc(65).toString('base64')],
    ['a good and a bad key', `${OLD.toString('base64')} hunter2hunter2`],
  ])('is not made of %s: nothing is sent, and the delivery is dead at once', async (_, secret) => {
    const before = receiver.received.length;
    const result = await send(secret);
    expect(result).toMatchObject({ outcome: 'permanent', code: 'SIGNING_KEY_INVALID' });
    expect(JSON.stringify(result)).not.toContain('hunter2');
    expect(receiver.received).toHaveLength(before);
  });
});
