// Real: PostgreSQL, the SDK, sockets. The platform's side does everything wrong that it can.
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventStore } from '../../src/events/event-store.js';
import { BarePlatform, type DiscoveryAnswer, eventFrame, PONG, pongFrame } from '../support/bare-platform.js';
import { APP_SECRET, openConnection, type OpenConnection, openStore } from '../support/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { approverEvent, envelopeOf } from '../support/feishu.js';

let database: TestDatabase;
let store: EventStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = await openStore(await database.open(4));
});
afterAll(async () => {
  await store.onApplicationShutdown();
  await database.drop();
});

let platform: BarePlatform;
let opened: OpenConnection | null = null;
beforeEach(async () => {
  platform = await BarePlatform.start();
});
afterEach(async () => {
  await opened?.connection.stop();
  opened = null;
  await platform.close();
});

const open = (options?: Parameters<typeof openConnection>[2]): OpenConnection =>
  (opened = openConnection(platform.url, store, options));
const envelope = (): string => envelopeOf(approverEvent(), { token: '' });
const answerOf = (code: number, data: unknown, msg = 'made to fail'): DiscoveryAnswer => ({
  status: 200,
  body: JSON.stringify({ code, msg, data }),
});

/** The connection is there, and an event goes through it. */
async function expectConnected(one: OpenConnection, index = platform.sockets.length): Promise<void> {
  const socket = await platform.socket(index, 10_000);
  await until(() => one.connection.status.state === 'connected');
  socket.send(eventFrame(`after-${index}`, envelope()));
  expect((await socket.ack(`after-${index}`)).code).toBe(200);
}

describe('a discovery that goes wrong', () => {
  const refused = 'FEISHU_CONNECTION_REFUSED';
  const unreachable = 'FEISHU_UNREACHABLE';
  it.each<[string, DiscoveryAnswer, string, number | undefined]>([
    ['code 1', answerOf(1, {}), unreachable, 1],
    ['code 1000040343', answerOf(1000040343, {}), unreachable, 1000040343],
    ['code 403', answerOf(403, {}), refused, 403],
    ['code 514', answerOf(514, {}), refused, 514],
    ['code 1000040344', answerOf(1000040344, {}), refused, 1000040344],
    ['code 1000040345', answerOf(1000040345, {}), refused, 1000040345],
    ['code 1000040350', answerOf(1000040350, {}), refused, 1000040350],
    ['code 1000040351', answerOf(1000040351, {}), refused, 1000040351],
    // The SDK hides the code behind the text of a TypeError.
    ['code 514 without data', answerOf(514, null), refused, 514],
    ['code 1000040350 without data', answerOf(1000040350, undefined), refused, 1000040350],
    ['code 9499 with HTTP 400', { status: 400, body: '{"code":9499,"msg":"Bad Request"}' }, refused, 9499],
    ['HTTP 404', { status: 404, body: 'not here' }, refused, undefined],
    ['a redirect', { status: 302, body: '' }, refused, undefined],
    ['HTTP 429', { status: 429, body: '' }, unreachable, undefined],
    ['HTTP 500', { status: 500, body: '<html>' }, unreachable, undefined],
    ['HTTP 503 with a code', { status: 503, body: '{"code":514,"msg":""}' }, unreachable, undefined],
    ['no JSON', { status: 200, body: '<html>busy</html>' }, unreachable, undefined],
    ['null', { status: 200, body: 'null' }, unreachable, undefined],
    ['nothing', { status: 200, body: '' }, unreachable, undefined],
    ['100 kB', { status: 200, body: 'x'.repeat(100_000) }, unreachable, undefined],
    ['no answer', 'hang', unreachable, undefined],
    ['success without data', answerOf(0, null), unreachable, undefined],
    ['success without an address', answerOf(0, { ClientConfig: PONG }), unreachable, undefined],
    ['an address that is a number', answerOf(0, { URL: 7, ClientConfig: PONG }), unreachable, undefined],
    ['an address that is none', answerOf(0, { URL: 'here', ClientConfig: PONG }), unreachable, undefined],
    [
      'an address of HTTP',
      answerOf(0, { URL: 'http://127.0.0.1/', ClientConfig: PONG }),
      unreachable,
      undefined,
    ],
  ])('%s is logged, and tried again', async (_, answer, code, platformCode) => {
    platform.answers.push(answer);
    const one = open({ connectWithin: 300 });
    await expectConnected(one, 0);
    expect(one.failures()).toEqual([
      {
        level: code === refused ? 'error' : 'warn',
        code,
        platformCode,
        text: expect.stringContaining('127.0.0.1'),
      },
    ]);
    expect(one.states()).toEqual(code === refused ? ['failed', 'connected'] : ['connected']);
    expect(platform.sockets).toHaveLength(1);
    expect(platform.discoveries).toHaveLength(2);
  });

  it('repeats no secret of its answer', async () => {
    platform.answers.push(answerOf(514, {}, `no app with the secret ${APP_SECRET}\n`));
    const one = open();
    await expectConnected(one, 0);
    expect(one.failures()[0]?.text).toContain('no app with the secret ***');
    expect(JSON.stringify(one.log.lines)).not.toContain(APP_SECRET);
  });

  it.each([undefined, null, {}, [], 'soon', { PingInterval: 'often' }])(
    'only in its settings (%j) connects with what the SDK has by itself',
    async (settings) => {
      platform.settings = settings;
      const one = open();
      await expectConnected(one, 0);
      expect(one.failures()).toEqual([]);
    },
  );

  it('is told with each longer delay and then now and then, and once as a state', async () => {
    platform.answers.push(...Array.from({ length: 30 }, () => answerOf(514, {})));
    const one = open({ patience: { first: 1, most: 16 } });
    await expectConnected(one, 0);
    const told = one.log.lines.filter(({ fields }) => fields['event'] === 'connection.failed');
    expect(told.map(({ fields }) => [fields['failures'], fields['retryMs']])).toEqual([
      [1, 1],
      [2, 2],
      [3, 4],
      [4, 8],
      [5, 16],
      [13, 16],
      [25, 16],
    ]);
    expect(one.states()).toEqual(['failed', 'connected']);
    expect(platform.discoveries).toHaveLength(31);
    // None is left over: each has timers of its own.
    expect(one.clients).toEqual({ opened: 31, closed: 30 });
  });

  it('after days of being connected starts again by itself, and from the shortest delay', async () => {
    platform.answers.push(answerOf(514, {}), answerOf(514, {}), answerOf(514, {}));
    const one = open();
    await expectConnected(one, 0);
    platform.answers.push(answerOf(1000040350, {}), answerOf(403, null), answerOf(1, {}));
    platform.sockets[0]!.socket.close(1000);
    await expectConnected(one, 1);
    expect(one.states()).toEqual(['failed', 'connected', 'reconnecting', 'failed', 'connected']);
    const delays = one.log.lines.filter(({ fields }) => fields['event'] === 'connection.failed');
    expect(delays.map(({ fields }) => fields['retryMs'])).toEqual([10, 20, 40, 10, 20, 40]);
    await until(() => platform.open === 1);
  });

  it('because nobody is there is tried until somebody is', async () => {
    const { port } = platform;
    await platform.close();
    const one = (opened = openConnection(`http://127.0.0.1:${port}`, store));
    await until(() => one.failures().length >= 2);
    expect(one.failures()[0]).toMatchObject({
      code: unreachable,
      text: expect.stringContaining('ECONNREFUSED'),
    });
    expect(one.connection.status.state).toBe('connecting');
    platform = await BarePlatform.start({ port });
    await expectConnected(one, 0);
    expect(one.states()).toEqual(['connected']);
  });
});

describe('a handshake that goes wrong', () => {
  const refuse = (socket: Duplex): void => {
    socket.end(
      'HTTP/1.1 403 Forbidden\r\nHandshake-Status: 514\r\nHandshake-Msg: too many\r\nHandshake-Autherrcode: 1000040350\r\ncontent-length: 0\r\n\r\n',
    );
  };

  it('is tried again, and the log has what the platform said', async () => {
    platform.upgrades.push(refuse);
    const one = open();
    await expectConnected(one, 0);
    expect(one.lines('connection.trouble').join()).toMatch(/HTTP 403, handshake-status 514, .*1000040350/);
    expect(one.states()).toEqual(['connected']);
  });

  it.each<[string, (socket: Duplex) => void]>([
    ['never answered', () => undefined],
    ['cut off', (socket) => socket.destroy()],
    ['answered with noise', (socket) => socket.end('what?\r\n\r\n')],
    [
      'answered with a redirect',
      (socket) =>
        socket.end('HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n'),
    ],
    [
      'answered with a wrong key',
      (socket) =>
        socket.write(
          'HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
        ),
    ],
  ])('%s is tried again', async (_, wrong) => {
    platform.upgrades.push(wrong);
    const one = open({ connectWithin: 300 });
    await expectConnected(one, 0);
    expect(one.lines('connection.trouble').length).toBeGreaterThan(0);
  });

  it('as often as the platform allows is tried again after that', async () => {
    platform.settings = { ...PONG, ReconnectCount: 1 };
    platform.upgrades.push(refuse, refuse);
    const one = open();
    await expectConnected(one, 0);
    expect(one.failures()).toEqual([
      expect.objectContaining({
        code: 'FEISHU_UNREACHABLE',
        text: expect.stringContaining('after 1 attempts'),
      }),
    ]);
  });
});

describe('a socket', () => {
  it('that brings an event together with its opening loses none', async () => {
    platform.opened = (socket) => {
      socket.send(eventFrame('early', envelope()));
    };
    const one = open();
    for (let index = 0; index < 3; index += 1) {
      const socket = await platform.socket(index);
      expect((await socket.ack('early')).code).toBe(200);
      socket.socket.close();
    }
    expect(one.failures()).toEqual([]);
  });

  it.each<[string, (socket: { close(code: number): void; terminate(): void }) => void]>([
    [
      'that says goodbye',
      (socket) => {
        socket.close(1000);
      },
    ],
    [
      'whose server goes away',
      (socket) => {
        socket.close(1001);
      },
    ],
    [
      'that breaks',
      (socket) => {
        setImmediate(() => {
          socket.terminate();
        });
      },
    ],
  ])('%s is made anew, also when it does so as it opens', async (_, end) => {
    let ended = false;
    platform.opened = ({ socket }) => {
      if (!ended) end(socket);
      ended = true;
    };
    const one = open();
    await expectConnected(one, 1);
    end(platform.sockets[1]!.socket);
    await expectConnected(one, 2);
    expect(one.states()).toEqual(['connected', 'reconnecting', 'connected', 'reconnecting', 'connected']);
    const { values } = await one.metrics.reconnects.get();
    expect(values).toEqual([expect.objectContaining({ labels: { app: 'default' }, value: 2 })]);
    await until(() => platform.open === 1);
  });

  it('that falls silent is given up, and its events come over the next one', async () => {
    const one = open();
    const silent = await platform.socket();
    platform.pong = null;
    await until(() => silent.closed, 10_000);
    platform.pong = JSON.stringify(PONG);
    await expectConnected(one, 1);
    expect(one.lines('connection.trouble').join()).toContain('no pong');
  });

  it('that is half open is given up', async () => {
    const one = open();
    const half = await platform.socket();
    half.socket.pause();
    await expectConnected(one, 1);
    expect(half.closed).toBe(false);
  });

  it('whose pongs say nothing, or nonsense, pings no faster for it, and takes events', async () => {
    const pongs = [
      '',
      '{}',
      '{"PingInterval":1}',
      'null',
      '[]',
      'busy',
      '{"PingInterval":0,"ReconnectInterval":0}',
    ];
    await Promise.all(
      pongs.map(async (pong) => {
        const own = await BarePlatform.start();
        const one = openConnection(own.url, store);
        const socket = await own.socket();
        own.pong = pong;
        socket.send(pongFrame(pong));
        const [before, started] = [socket.pings, performance.now()];
        await until(() => socket.pings >= before + 3);
        expect({ pong, slow: performance.now() - started > 1500 }).toEqual({ pong, slow: true });
        socket.send(eventFrame('flood', envelope()));
        expect((await socket.ack('flood')).code).toBe(200);
        expect(one.states()).toEqual(['connected']);
        await one.connection.stop();
        await own.close();
      }),
    );
  });

  it('whose service id stands first in its address is pinged with it', async () => {
    await platform.close();
    platform = await BarePlatform.start({ path: '/ws?service_id=4711&fpid=1' });
    open();
    expect((await platform.socket()).received[0]?.service).toBe(4711);
  });
});

describe('an event that is being stored', () => {
  it('when the socket ends has its acknowledgement on the next one', async () => {
    const one = open();
    const first = await platform.socket();
    const lock = (await database.open(1)).createQueryRunner();
    await lock.query('begin');
    await lock.query('lock table events in share mode');
    first.send(eventFrame('moved', envelope()));
    first.socket.close(1000);
    const second = await platform.socket(1);
    await until(() => one.connection.status.state === 'connected');
    await lock.query('rollback');
    await lock.release();
    expect((await second.ack('moved')).code).toBe(200);
    expect(first.acks).toEqual([]);
  });

  it('for longer than the platform waits is acknowledged with 500 before that', async () => {
    open();
    const socket = await platform.socket();
    const lock = (await database.open(1)).createQueryRunner();
    await lock.query('begin');
    await lock.query('lock table events in share mode');
    const started = performance.now();
    socket.send(eventFrame('late', envelope()));
    expect((await socket.ack('late')).code).toBe(500);
    expect(performance.now() - started).toBeLessThan(3000);
    await lock.query('rollback');
    await lock.release();
  });
});
