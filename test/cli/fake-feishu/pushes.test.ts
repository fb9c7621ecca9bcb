// Real: the platform's SDK as client, sockets. Fake: the platform, which is what is tested.
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { eventEnvelope, type FakeApp } from '../../../src/cli/fake-feishu/fake-feishu.js';
import { cut, shuffled } from '../../../src/cli/fake-feishu/fragments.js';
import {
  CONTROL,
  DATA,
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

/** A bare client that shows the frames and acknowledges only when it is told to. */
class BareClient {
  readonly frames: Frame[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame.method === DATA) this.frames.push(frame);
    });
  }

  static async connect(app: FakeApp = APP): Promise<BareClient> {
    const discovery = await fetch(`${stage.fake.url}/callback/ws/endpoint`, {
      method: 'POST',
      body: JSON.stringify({ AppID: app.appId, AppSecret: app.appSecret }),
    });
    const { data } = (await discovery.json()) as { data: { URL: string } };
    const socket = new WebSocket(data.URL);
    const before = stage.fake.connections(app.appId);
    const client = new BareClient(socket);
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(
      encodeFrame({ seqId: 0n, logId: 0n, service: 1, method: CONTROL, headers: [['type', 'ping']] }),
    );
    await until(() => stage.fake.connections(app.appId) === before + 1);
    return client;
  }

  acknowledge(frame: Frame, payload = '{"code":200}'): void {
    this.socket.send(encodeFrame({ ...frame, payload: Buffer.from(payload) }));
  }
}

const ids = (frames: readonly Frame[]): (string | null)[] => frames.map((one) => headerOf(one, 'message_id'));

describe('a push over the long connection', () => {
  it('arrives with an empty token and is done by its acknowledgement', async () => {
    stage = await Stage.open();
    const client = await stage.connected();
    const envelope = eventEnvelope({
      header: { token: 'of the webhook' },
      event: { biz_type: '续签🎉', status: 3 },
    });
    const pushed = stage.fake.push(appId, envelope);
    expect(pushed).toMatchObject({ eventId: envelope.header.event_id, state: 'pending', attempts: [] });
    await stage.fake.settled();
    expect(client.got).toEqual([{ ...envelope, header: { ...envelope.header, token: '' } }]);
    expect(pushed).toEqual({
      eventId: envelope.header.event_id,
      appId,
      state: 'done',
      attempts: [
        {
          via: 'long-connection',
          connection: 1,
          at: expect.any(Number),
          outcome: 'success',
          ms: expect.any(Number),
          code: 200,
        },
      ],
    });
    expect(stage.fake.pushed.get(pushed.eventId)).toBe(pushed);
  });

  it('has the headers of the platform and all required fields', async () => {
    stage = await Stage.open();
    const client = await BareClient.connect();
    stage.fake.push(appId, eventEnvelope());
    await until(() => client.frames.length === 1);
    const [frame] = client.frames;
    expect(frame?.headers.map(([name]) => name)).toEqual([
      'timestamp',
      'type',
      'message_id',
      'sum',
      'seq',
      'trace_id',
    ]);
    expect(frame?.headers).toEqual(
      expect.arrayContaining([
        ['type', 'event'],
        ['sum', '1'],
        ['seq', '0'],
      ]),
    );
    expect(frame?.service).toBe(0x2000000 + 0x712544);
  });

  it.each([
    [2, false],
    [5, true],
    [40, true],
  ])('in %d fragments, reordered: %s, is one event with one acknowledgement', async (fragments, reorder) => {
    stage = await Stage.open();
    const client = await stage.connected();
    const envelope = eventEnvelope({ event: { biz_type: '续签审批·张三🎉' } });
    const pushed = stage.fake.push(appId, envelope, { fragments, reorder });
    await stage.fake.settled();
    expect(client.got.map(({ event }) => event)).toEqual([envelope.event]);
    expect(pushed.attempts).toHaveLength(1);
    expect(client.errors).toEqual([]);
  });

  it('is cut inside a character and sent in another order', async () => {
    stage = await Stage.open();
    const client = await BareClient.connect();
    const envelope = eventEnvelope({ event: { biz_type: '🎉' } });
    stage.fake.push(appId, envelope, { fragments: 2, reorder: true });
    await until(() => client.frames.length === 2);
    expect(client.frames.map((one) => [headerOf(one, 'seq'), headerOf(one, 'sum')])).toEqual([
      ['1', '2'],
      ['0', '2'],
    ]);
    expect(new Set(ids(client.frames)).size).toBe(1);
    for (const { payload } of client.frames) expect(payload?.toString()).toContain('\ufffd');
  });

  it.each([
    [0.1, 'at once'],
    [0.9, 'after the success'],
  ])('has copies with random %d: %s', async (random) => {
    stage = await Stage.open({ random: () => random });
    const client = await stage.connected();
    let answer = (): void => undefined;
    const asked = new Promise<undefined>((resolve) => {
      answer = () => {
        resolve(undefined);
      };
    });
    client.handle = () => asked;
    const pushed = stage.fake.push(appId, eventEnvelope(), { duplicates: 2 });
    await until(() => client.got.length === (random < 0.5 ? 3 : 1));
    answer();
    await stage.fake.settled();
    expect(client.got.map(({ header }) => header.event_id)).toEqual(Array(3).fill(pushed.eventId));
    expect(pushed.attempts.map(({ outcome }) => outcome)).toEqual(Array(3).fill('success'));
    expect(pushed.state).toBe('done');
  });

  it('is repeated after a failure, with the same event id and a new message id, until it is taken', async () => {
    stage = await Stage.open();
    const client = await BareClient.connect();
    const pushed = stage.fake.push(appId, eventEnvelope());
    const payloads = ['{"code":500}', 'no json', '{"code":"200"}', '{"code":200}'];
    for (const [index, payload] of payloads.entries()) {
      await until(() => client.frames.length === index + 1);
      client.acknowledge(client.frames[index]!, payload);
    }
    await stage.fake.settled();
    expect(pushed).toMatchObject({
      state: 'done',
      attempts: [
        { outcome: 'failure', code: 500 },
        { outcome: 'failure', code: null },
        { outcome: 'failure', code: null },
        { outcome: 'success', code: 200 },
      ],
    });
    expect(new Set(ids(client.frames)).size).toBe(4);
    expect(new Set(client.frames.map(({ payload }) => payload?.toString())).size).toBe(1);
  });

  it('is given up when all retries failed', async () => {
    stage = await Stage.open({ retryDelaysMs: [10, 20] });
    const client = await stage.connected();
    client.handle = () => Promise.reject(new Error('not now'));
    const pushed = stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(pushed.state).toBe('given-up');
    expect(pushed.attempts.map(({ code }) => code)).toEqual([500, 500, 500]);
    // Timers may fire a millisecond early by the other clock.
    const [first, second, third] = pushed.attempts.map(({ at }) => at);
    expect(second! - first!).toBeGreaterThanOrEqual(8);
    expect(third! - second!).toBeGreaterThanOrEqual(18);
  });

  it('takes an acknowledgement on any connection of the app, by message id alone', async () => {
    stage = await Stage.open();
    const [one, other] = [await BareClient.connect(), await BareClient.connect()];
    const pushed = stage.fake.push(appId, eventEnvelope());
    await until(() => one.frames.length + other.frames.length === 1);
    const [receiver, bystander] = one.frames.length === 1 ? [one, other] : [other, one];
    // The numbers may come back rounded.
    bystander.acknowledge({ ...receiver.frames[0]!, seqId: 99n, logId: 0n });
    await stage.fake.settled();
    expect(pushed.attempts).toMatchObject([{ outcome: 'success', connection: receiver === one ? 1 : 2 }]);
  });

  it('takes no acknowledgement of another app', async () => {
    const other = { ...APP, appId: 'cli_0123456789abcdef' };
    stage = await Stage.open({ apps: [APP, other], ackWithinMs: 200, retryDelaysMs: [] });
    const [client, foreign] = [await BareClient.connect(), await BareClient.connect(other)];
    const pushed = stage.fake.push(appId, eventEnvelope());
    await until(() => client.frames.length === 1);
    foreign.acknowledge(client.frames[0]!);
    await stage.fake.settled();
    expect([pushed.state, foreign.frames]).toEqual(['given-up', []]);
  });

  it('counts a late acknowledgement for nothing', async () => {
    stage = await Stage.open({ ackWithinMs: 50, retryDelaysMs: [100] });
    const client = await BareClient.connect();
    const pushed = stage.fake.push(appId, eventEnvelope());
    await until(() => pushed.attempts.length === 1);
    client.acknowledge(client.frames[0]!);
    await stage.fake.settled();
    expect(pushed.attempts.map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout']);
    expect(pushed.state).toBe('given-up');
  });

  it('is dropped with its connection, and taken on the next one', async () => {
    stage = await Stage.open({ ackWithinMs: 300, retryDelaysMs: [300] });
    const client = await stage.connected();
    client.handle = () => new Promise(() => undefined);
    const pushed = stage.fake.push(appId, eventEnvelope());
    await until(() => client.got.length === 1);
    client.handle = () => Promise.resolve(undefined);
    stage.fake.drop(appId, 'terminate');
    await stage.fake.settled();
    expect(pushed.attempts).toMatchObject([
      { outcome: 'dropped', connection: 1, code: null },
      { outcome: 'success', connection: 2 },
    ]);
  });

  it('takes the acknowledgement that the SDK sends after it has come back', async () => {
    stage = await Stage.open();
    const client = await stage.connected();
    let answer = (): void => undefined;
    client.handle = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve(undefined);
        };
      });
    const pushed = stage.fake.push(appId, eventEnvelope());
    await until(() => client.got.length === 1);
    stage.fake.drop(appId, 'terminate');
    await until(() => client.reconnected === 1);
    answer();
    await stage.fake.settled();
    expect(pushed.attempts).toMatchObject([{ outcome: 'success', connection: 1 }]);
  });

  it('goes to one connection by chance, and to all over time', async () => {
    stage = await Stage.open();
    const clients = [await stage.connected(), await stage.connected(), await stage.connected()];
    for (let i = 0; i < 120; i++) stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    const counts = clients.map(({ got }) => got.length);
    expect(counts.reduce((a, b) => a + b)).toBe(120);
    expect(Math.min(...counts)).toBeGreaterThan(10);
  });

  it('may be a text, which goes out to the byte', async () => {
    stage = await Stage.open();
    const client = await BareClient.connect();
    const text = '{ "header":{"event_id":"exact","token":"kept"},"event":{"node_id":7369419552616089132} }';
    expect(stage.fake.push(appId, text).eventId).toBe('exact');
    await until(() => client.frames.length === 1);
    expect(client.frames[0]?.payload?.toString()).toBe(text);
  });

  it('knows events of version 1', async () => {
    stage = await Stage.open();
    const client = await stage.connected();
    const envelope = {
      uuid: 'of-v1',
      token: 'x',
      ts: '1502199207.7171419',
      type: 'event_callback',
      event: {},
    };
    expect(stage.fake.push(appId, envelope).eventId).toBe('of-v1');
    await stage.fake.settled();
    expect(client.got).toEqual([{ ...envelope, token: '' }]);
  });

  it('needs an app that is known, and a webhook to go there', async () => {
    stage = await Stage.open();
    expect(() => stage.fake.push('cli_none', eventEnvelope())).toThrow('the fake Feishu has no app cli_none');
    expect(() => stage.fake.push(appId, eventEnvelope(), { via: 'both' })).toThrow(/has no webhookUrl/);
    await stage.fake.settled();
  });

  it('waits for no one when it is stopped', async () => {
    stage = await Stage.open();
    stage.fake.push(appId, eventEnvelope());
    const settled = stage.fake.settled();
    await Promise.all([
      expect(settled).rejects.toThrow('stopped while 1 pushes were pending'),
      stage.fake.stop(),
    ]);
  });

  it('is one of 10 000 at once', async () => {
    // A second and a half on an idle machine.
    stage = await Stage.open({ ackWithinMs: 100_000 });
    const clients = [await stage.connected(), await stage.connected()];
    for (let i = 0; i < 10_000; i++) stage.fake.push(appId, eventEnvelope());
    await stage.fake.settled();
    expect(clients.reduce((count, { got }) => count + got.length, 0)).toBe(10_000);
    expect([...stage.fake.pushed.values()].every(({ state }) => state === 'done')).toBe(true);
  }, 120_000);
});

describe('cutting', () => {
  it('makes non-empty pieces that join to the whole, as many as can be', () => {
    for (const [text, count] of [
      ['a', 3],
      ['abc', 3],
      ['ab', 1],
      ['续签🎉 approved', 7],
      ['', 2],
    ] as const) {
      const pieces = cut(Buffer.from(text), count, Math.random);
      expect(Buffer.concat(pieces).toString()).toBe(text);
      expect(pieces).toHaveLength(Math.max(1, Math.min(count, Buffer.byteLength(text))));
      if (text !== '') expect(pieces.every(({ length }) => length > 0)).toBe(true);
    }
  });

  it('shuffles into another order whenever there is one', () => {
    for (let i = 0; i < 50; i++) expect(shuffled([1, 2], Math.random)).toEqual([2, 1]);
    expect(shuffled([1], Math.random)).toEqual([1]);
    expect(shuffled([1, 2, 3], () => 0.5)).toEqual([3, 2, 1]);
  });
});
