// Real: the pusher and an HTTP receiver with our own check of what Feishu sends. Fake: the platform, which is tested.
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  eventEnvelope,
  type FakeApp,
  type FakeFeishuOptions,
} from '../../../src/cli/fake-feishu/fake-feishu.js';
import { decryptFeishu, feishuAesKey, feishuSignature } from '../../../src/ingestion/feishu-crypto.js';
import { until } from '../../support/door.js';
import { type Received, type Receiver, startReceiver } from '../../support/receiver.js';
import { APP, Stage } from './sdk-client.js';

const { appId } = APP;
let stage: Stage;
let receiver: Receiver;
/** Answered one after the other, then 200; null: no answer. */
let statuses: (number | null)[];

beforeEach(async () => {
  statuses = [];
  receiver = await startReceiver((_, response) => {
    const status = statuses.length > 0 ? statuses.shift() : 200;
    if (typeof status === 'number') response.writeHead(status).end();
  });
});

afterEach(async () => {
  await stage.end();
  await receiver.close();
});

async function open(
  app: Partial<FakeApp> = {},
  limits: Pick<FakeFeishuOptions, 'ackWithinMs'> = {},
): Promise<void> {
  stage = await Stage.open({
    apps: [{ ...APP, webhookUrl: `${receiver.url}/webhook/event`, ...app }],
    ...limits,
  });
}

function opened({ body }: Received): unknown {
  const { encrypt } = JSON.parse(body) as { encrypt: string };
  return JSON.parse(decryptFeishu(feishuAesKey(APP.encryptKey ?? ''), encrypt)?.toString() ?? 'null');
}

function signatureOf({ headers, body }: Received, encryptKey: string): string {
  const header = (name: string): string => String(headers[`x-lark-request-${name}`]);
  return feishuSignature(header('timestamp'), header('nonce'), encryptKey, Buffer.from(body));
}

describe('a push to a webhook', () => {
  it('is encrypted, signed and carries the token', async () => {
    await open();
    const envelope = eventEnvelope({ event: { biz_type: '续签/🎉' } });
    const pushed = stage.fake.push(appId, envelope);
    await stage.fake.settled();
    const [got] = receiver.received;
    expect(got).toMatchObject({
      method: 'POST',
      path: '/webhook/event',
      headers: {
        'content-type': 'application/json;charset=utf-8',
        'user-agent': 'Go-http-client/1.1',
        'x-lark-request-timestamp': expect.stringMatching(/^\d{10}$/),
        'x-lark-request-nonce': expect.stringMatching(/^\d+$/),
        'x-lark-signature': signatureOf(got!, APP.encryptKey ?? ''),
        'x-request-id': expect.any(String),
      },
    });
    expect(opened(got!)).toEqual({
      ...envelope,
      header: { ...envelope.header, token: APP.verificationToken },
    });
    expect(pushed).toMatchObject({
      state: 'done',
      attempts: [{ via: 'webhook', connection: null, outcome: 'success', code: 200 }],
    });
  });

  it('without a key is plain, compact UTF-8 and signed with an empty key', async () => {
    stage = await Stage.open({
      apps: [{ appId, appSecret: 'x', verificationToken: 'token', webhookUrl: receiver.url }],
    });
    const envelope = eventEnvelope({ event: { biz_type: '续签/🎉' } });
    stage.fake.push(appId, envelope);
    await stage.fake.settled();
    const [got] = receiver.received;
    expect(got?.body).toBe(JSON.stringify({ ...envelope, header: { ...envelope.header, token: 'token' } }));
    expect(got?.headers['x-lark-signature']).toBe(signatureOf(got!, ''));
  });

  it('is repeated with a new initialisation vector until the status is 200, which alone counts', async () => {
    await open();
    statuses = [500, 204, 302, 401];
    const pushed = stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(pushed.attempts.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['failure', 500],
      ['failure', 204],
      ['failure', 302],
      ['failure', 401],
      ['success', 200],
    ]);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(5);
    expect(new Set(receiver.received.map((one) => JSON.stringify(opened(one)))).size).toBe(1);
  });

  it('has a limit of time', async () => {
    await open({}, { ackWithinMs: 200 });
    statuses = [null];
    const pushed = stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(pushed.attempts.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['timeout', null],
      ['success', 200],
    ]);
  });

  it('is dropped when nobody listens', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    await new Promise((resolve) => closed.close(resolve));
    const port = typeof address === 'object' ? address?.port : 0;
    await open({ webhookUrl: `http://127.0.0.1:${port}` });
    const pushed = stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(pushed.state).toBe('given-up');
    expect(pushed.attempts.map(({ outcome }) => outcome)).toEqual(Array(5).fill('dropped'));
  });

  it('goes both ways when it is told to, and is done when both are', async () => {
    await open();
    const client = await stage.connected();
    client.handle = () => (client.got.length === 1 ? Promise.reject(new Error('first')) : Promise.resolve());
    const pushed = stage.fake.push(appId, eventEnvelope(), { via: 'both' });
    await stage.fake.settled();
    expect([client.got.length, receiver.received.length, pushed.state]).toEqual([2, 1, 'done']);
    expect(pushed.attempts.map(({ via, code }) => `${via} ${code}`).sort()).toEqual([
      'long-connection 200',
      'long-connection 500',
      'webhook 200',
    ]);
  });

  it('is given up when one of both ways is', async () => {
    await open();
    const pushed = stage.fake.push(appId, eventEnvelope(), { via: 'both' });
    await stage.fake.settled();
    expect([pushed.state, receiver.received.length, pushed.attempts.length]).toEqual(['given-up', 1, 6]);
  });

  it('is one of a thousand, of which few are on their way at a time', async () => {
    await open({}, { ackWithinMs: 100_000 });
    for (let i = 0; i < 1000; i++) stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(receiver.received.length).toBe(1000);
    expect(stage.fake.records.every(({ state, attempts }) => state === 'done' && attempts.length === 1)).toBe(
      true,
    );
  }, 120_000);

  it('waits for no one when it is stopped', async () => {
    await open();
    statuses = [null];
    stage.fake.push(appId, eventEnvelope());
    await until(() => receiver.received.length === 1);
    await stage.fake.stop();
  });
});

describe('the check of the address', () => {
  async function verify(answer: (challenge: string) => [number, string], app: Partial<FakeApp> = {}) {
    await receiver.close();
    receiver = await startReceiver((request, response) => {
      const [status, body] = answer((opened(request) as { challenge: string }).challenge);
      response.writeHead(status).end(body);
    });
    await open({ webhookUrl: receiver.url, ...app });
    return await stage.fake.verifyWebhook(appId);
  }

  it('is encrypted, unsigned, carries the token, and takes the very challenge', async () => {
    expect(await verify((challenge) => [200, JSON.stringify({ challenge })])).toBe(true);
    const [got] = receiver.received;
    expect(opened(got!)).toEqual({
      challenge: expect.any(String),
      token: APP.verificationToken,
      type: 'url_verification',
    });
    expect(Object.keys(got!.headers).filter((name) => name.startsWith('x-lark'))).toEqual([]);
  });

  it.each<[string, (challenge: string) => [number, string]]>([
    ['another challenge', () => [200, '{"challenge":"x"}']],
    ['another status', (challenge) => [201, JSON.stringify({ challenge })]],
    ['no JSON', (challenge) => [200, challenge]],
  ])('fails: %s', async (_, answer) => {
    expect(await verify(answer)).toBe(false);
  });
});
