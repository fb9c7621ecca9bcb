// Real: the platform's SDK as client, sockets. Fake: the platform, which is what is tested.
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { eventEnvelope, type EndpointFault } from '../../../src/cli/fake-feishu/fake-feishu.js';
import {
  CONTROL,
  decodeFrame,
  encodeFrame,
  type Frame,
  headerOf,
} from '../../../src/cli/fake-feishu/frame.js';
import { until } from '../../support/door.js';
import { APP, Stage } from './sdk-client.js';

const { appId } = APP;
let stage: Stage;

afterEach(async () => {
  await stage.end();
});

async function discover(body: unknown): Promise<{ status: number; answer: Record<string, unknown> }> {
  const answer = await fetch(`${stage.fake.url}/callback/ws/endpoint`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return { status: answer.status, answer: (await answer.json()) as Record<string, unknown> };
}

async function address(): Promise<string> {
  const { answer } = await discover({ AppID: appId, AppSecret: APP.appSecret });
  return (answer['data'] as { URL: string }).URL;
}

/** A bare connection: what it got, or the headers of the refusal. */
async function open(url: string): Promise<WebSocket | Record<string, unknown>> {
  const socket = new WebSocket(url);
  return await new Promise((resolve, reject) => {
    socket.on('open', () => {
      resolve(socket);
    });
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      resolve(response.headers);
    });
    socket.on('error', reject);
  });
}

const PING: Frame = { seqId: 0n, logId: 0n, service: 7, method: CONTROL, headers: [['type', 'ping']] };

describe('endpoint discovery', () => {
  it('answers an address with the service id behind another parameter, and all four settings', async () => {
    stage = await Stage.open();
    const { status, answer } = await discover({ AppID: appId, AppSecret: APP.appSecret });
    expect(status).toBe(200);
    expect(answer).toEqual({
      code: 0,
      msg: '',
      data: {
        URL: expect.stringMatching(
          /^ws:\/\/127\.0\.0\.1:\d+\/ws\/v2\?fpid=493&aid=552564&device_id=\d+&access_key=[0-9a-f]{32}&service_id=\d+&ticket=[0-9a-f-]{36}$/,
        ),
        ClientConfig: { ReconnectCount: -1, ReconnectInterval: 1, ReconnectNonce: 0, PingInterval: 2 },
      },
    });
  });

  it.each([
    ['a wrong secret', { AppID: appId, AppSecret: 'wrong' }, 200, 514],
    ['an unknown app', { AppID: 'cli_0000000000000000', AppSecret: APP.appSecret }, 200, 514],
    ['keys in lower case', { appid: appId, appsecret: APP.appSecret }, 400, 9499],
    ['no object', 'text', 400, 9499],
  ])('refuses %s', async (_, body, status, code) => {
    stage = await Stage.open();
    expect(await discover(body)).toMatchObject({ status, answer: { code, data: {} } });
    expect(stage.fake.calls).toMatchObject([
      { api: 'endpoint', status, code, path: '/callback/ws/endpoint' },
    ]);
  });

  it.each<[EndpointFault]>([
    [{ code: 1, data: 'empty' }],
    [{ code: 403, data: 'empty' }],
    [{ code: 514, data: 'empty' }],
    [{ code: 1000040350, data: 'empty' }],
  ])('%j is final for the SDK; a new start connects', async (fault) => {
    stage = await Stage.open();
    stage.fake.faults.endpoint.push(fault);
    const client = stage.client();
    await client.start();
    await until(() => client.fatal.length === 1);
    expect(client.state).toBe('failed');
    await client.start();
    await until(() => client.ready === 1);
    expect(stage.fake.faults.endpoint).toEqual([]);
  });

  it.each<[EndpointFault]>([
    [{ code: 1000040343, data: 'empty' }],
    [{ code: 514, data: 'null' }],
    [{ status: 500 }],
    ['not-json'],
  ])('%j is tried again by the SDK', async (fault) => {
    stage = await Stage.open({ clientConfig: { ReconnectInterval: 0.05 } });
    // Before its first connection the SDK waits half a minute.
    const client = await stage.connected();
    stage.fake.faults.endpoint.push(fault);
    stage.fake.drop(appId, 'terminate');
    await until(() => client.reconnected === 1);
    expect(client.fatal).toEqual([]);
    expect(stage.fake.calls.filter(({ api }) => api === 'endpoint').length).toBe(3);
  });

  it('hangs until the caller gives up', async () => {
    stage = await Stage.open();
    stage.fake.faults.endpoint.push('hang');
    const asking = fetch(`${stage.fake.url}/callback/ws/endpoint`, {
      method: 'POST',
      body: '{}',
      signal: AbortSignal.timeout(100),
    });
    await expect(asking).rejects.toThrow(/timeout/i);
    expect(stage.fake.calls).toMatchObject([{ api: 'endpoint', status: 0 }]);
  });
});

describe('the handshake', () => {
  it('takes a ticket once', async () => {
    stage = await Stage.open();
    const url = await address();
    expect(await open(url)).toBeInstanceOf(WebSocket);
    expect(await open(url)).toMatchObject({ 'handshake-status': '403', 'handshake-msg': expect.any(String) });
    expect(await open(url.replace(/ticket=.*/, 'ticket=none'))).toMatchObject({ 'handshake-status': '403' });
  });

  it('refuses once when it is told to, and the SDK tries again', async () => {
    stage = await Stage.open({ clientConfig: { ReconnectInterval: 0.05 } });
    const client = await stage.connected();
    stage.fake.faults.upgrade.push('refuse', 'refuse');
    expect(await open(await address())).toMatchObject({ 'handshake-status': '514' });
    stage.fake.drop(appId, 'terminate');
    await until(() => client.reconnected === 1);
    expect([client.fatal, stage.fake.faults.upgrade]).toEqual([[], []]);
  });

  it('hangs once when it is told to, until the SDK gives up', async () => {
    stage = await Stage.open({ clientConfig: { ReconnectInterval: 0.05 } });
    const client = await stage.connected({ handshakeTimeoutMs: 100 });
    stage.fake.faults.upgrade.push('hang');
    stage.fake.drop(appId, 'terminate');
    await until(() => client.reconnected === 1);
    expect(client.errors.join()).toContain('handshake timeout after 100ms');
  });

  it('keeps the number of connections of an app, at both steps', async () => {
    stage = await Stage.open();
    stage.fake.faults.connectionLimit = 2;
    const late = await address();
    expect(await open(await address())).toBeInstanceOf(WebSocket);
    expect(await open(await address())).toBeInstanceOf(WebSocket);
    expect(await open(late)).toMatchObject({
      'handshake-status': '514',
      'handshake-autherrcode': '1000040350',
    });
    expect(await discover({ AppID: appId, AppSecret: APP.appSecret })).toMatchObject({
      answer: { code: 1000040350 },
    });
  });
});

describe('a connection', () => {
  it('has every ping answered with all settings', async () => {
    stage = await Stage.open({ clientConfig: { PingInterval: 1 } });
    const socket = (await open(await address())) as WebSocket;
    const frames: Frame[] = [];
    socket.on('message', (data: Buffer) => frames.push(decodeFrame(data)));
    socket.send(encodeFrame(PING));
    socket.send(encodeFrame(PING));
    await until(() => frames.length === 2);
    expect(frames[1]).toEqual({
      ...PING,
      headers: [['type', 'pong']],
      payload: Buffer.from('{"ReconnectCount":-1,"ReconnectInterval":1,"ReconnectNonce":0,"PingInterval":1}'),
    });
  });

  it('keeps an idle SDK client connected over several pings', async () => {
    stage = await Stage.open({ clientConfig: { PingInterval: 0.2 } });
    const client = await stage.connected({ pingTimeout: 0.15 });
    await until(() => stage.fake.connectionList()[0]?.pings === 5);
    expect([client.state, client.reconnected]).toEqual(['connected', 0]);
    expect(stage.fake.connectionList()).toEqual([{ id: 1, appId, state: 'ready', pings: 5 }]);
  });

  it('gets no event before its first ping', async () => {
    stage = await Stage.open({ retryDelaysMs: [] });
    const socket = (await open(await address())) as WebSocket;
    const types: (string | null)[] = [];
    socket.on('message', (data: Buffer) => types.push(headerOf(decodeFrame(data), 'type')));
    expect(stage.fake.connections(appId)).toBe(0);
    expect(stage.fake.connectionList()).toMatchObject([{ state: 'no ping yet' }]);
    const early = stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(early.attempts).toMatchObject([{ outcome: 'failure', connection: null, code: null }]);
    socket.send(encodeFrame(PING));
    await until(() => stage.fake.connections(appId) === 1);
    stage.fake.push(appId, eventEnvelope());
    await until(() => types.length === 2);
    expect(types).toEqual(['pong', 'event']);
  });

  it('is ended for a frame that is none', async () => {
    stage = await Stage.open();
    const socket = (await open(await address())) as WebSocket;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(Buffer.from('no frame'));
    expect(await closed).toBe(1002);
  });

  it.each(['close', 'terminate'] as const)('%s: the SDK comes back', async (how) => {
    stage = await Stage.open();
    const client = await stage.connected();
    await stage.connected();
    expect(stage.fake.drop(appId, how, 1)).toBe(1);
    expect(stage.fake.connections(appId)).toBe(1);
    await until(() => client.reconnected === 1 && stage.fake.connections(appId) === 2);
    expect(stage.fake.drop(appId, how)).toBe(2);
  });

  it('half-open: silent, and only a client with a ping timeout finds out', async () => {
    // The SDK notices only when its ping timeout is shorter than the interval of its pings.
    stage = await Stage.open({ clientConfig: { PingInterval: 0.2 }, ackWithinMs: 50 });
    const careless = await stage.connected();
    expect(stage.fake.drop(appId, 'half-open')).toBe(1);
    const careful = await stage.connected({ pingTimeout: 0.1 });
    expect(stage.fake.drop(appId, 'half-open')).toBe(1);
    expect(stage.fake.connections(appId)).toBe(0);
    const pushed = stage.fake.push(appId, eventEnvelope());
    expect(stage.fake.connectionList().map(({ state }) => state)).toEqual(['half-open', 'half-open']);
    await until(() => careful.reconnected === 1);
    await stage.fake.settled();
    // Until the pings of a half-open connection are overdue the platform takes it for a good one.
    expect(pushed.attempts[0]).toMatchObject({ outcome: 'timeout' });
    expect([careless.reconnected, careless.state, careless.got]).toEqual([0, 'connected', []]);
  });

  it('is silent on pings when it is told to, and the SDK with a ping timeout leaves', async () => {
    stage = await Stage.open({ clientConfig: { PingInterval: 0.2 } });
    const client = await stage.connected({ pingTimeout: 0.1 });
    stage.fake.faults.silent = true;
    await until(() => client.reconnected >= 1);
    stage.fake.faults.silent = false;
    await until(() => stage.fake.connections(appId) === 1);
  });

  it('is given up when its pings are overdue', async () => {
    stage = await Stage.open({ clientConfig: { PingInterval: 0 } });
    const socket = (await open(await address())) as WebSocket;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(encodeFrame(PING));
    await closed;
    expect(stage.fake.connections(appId)).toBe(0);
  });
});
