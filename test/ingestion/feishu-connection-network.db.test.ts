// Real: PostgreSQL, the SDK, TLS, and proxies made of bare sockets. How connections leave the host.
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStore } from '../../src/events/event-store.js';
import { BarePlatform, eventFrame, PONG } from '../support/bare-platform.js';
import { openConnection, type OpenConnection, openStore } from '../support/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { approverEvent, envelopeOf } from '../support/feishu.js';

const tls = {
  cert: readFileSync('test/fixtures/tls/localhost.crt', 'utf8'),
  key: readFileSync('test/fixtures/tls/localhost.key', 'utf8'),
};
const ca = tls.cert;
const PROXY_USER = 'proxy-user:canary-proxy%20password';
const AUTHORIZATION = `Basic ${Buffer.from('proxy-user:canary-proxy password').toString('base64')}`;

/** An HTTP proxy that keeps what it was asked for. */
class Proxy {
  readonly heads: string[] = [];
  readonly sockets = new Set<Socket>();
  /** Instead of connecting. */
  answer: ((socket: Socket) => void) | null = null;

  static async start(secure = false): Promise<Proxy> {
    const proxy = new Proxy();
    const server = secure
      ? createTlsServer(tls, (socket) => {
          proxy.take(socket);
        })
      : createServer((socket) => {
          proxy.take(socket);
        });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    proxy.server = server;
    return proxy;
  }

  private server: Server | null = null;

  get port(): number {
    return (this.server?.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.once('data', (head: Buffer) => {
      const text = head.toString('latin1');
      this.heads.push(text);
      const [, port] = /^CONNECT [\w.]+:(\d+) HTTP/.exec(text) ?? [];
      if (this.answer) {
        this.answer(socket);
        return;
      }
      tunnel(socket, Number(port));
    });
  }
}

function tunnel(socket: Socket, port: number): void {
  const target = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
  target.on('error', () => socket.destroy());
  // Also one that nobody reads from any more.
  target.on('close', () => socket.destroy());
  socket.on('close', () => target.destroy());
}

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

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function startPlatform(secure: boolean): Promise<BarePlatform> {
  const platform = await BarePlatform.start(secure ? { tls } : {});
  ends.push(() => platform.close());
  return platform;
}
async function startProxy(secure = false): Promise<Proxy> {
  const proxy = await Proxy.start(secure);
  ends.push(() => proxy.close());
  return proxy;
}
function open(platform: BarePlatform, options: Parameters<typeof openConnection>[2] = {}): OpenConnection {
  const one = openConnection(platform.url, store, options);
  ends.push(() => one.connection.stop());
  return one;
}
async function expectEvents(platform: BarePlatform, one: OpenConnection): Promise<void> {
  const socket = await platform.socket(platform.sockets.length, 10_000);
  await until(() => one.connection.status.state === 'connected');
  socket.send(eventFrame('over', envelopeOf(approverEvent(), { token: '' })));
  expect((await socket.ack('over')).code).toBe(200);
}

describe('a platform over TLS', () => {
  it('is connected to when its certificate is trusted', async () => {
    const platform = await startPlatform(true);
    await expectEvents(platform, open(platform, { ca }));
  });

  it('is not when it is not, and the log says why', async () => {
    const platform = await startPlatform(true);
    const one = open(platform);
    await until(() => one.failures().length > 0);
    expect(one.failures()[0]).toMatchObject({
      code: 'FEISHU_UNREACHABLE',
      text: expect.stringContaining('self-signed'),
    });
    expect(platform.discoveries).toEqual([]);
  });

  it('is not followed to a socket without TLS', async () => {
    const platform = await startPlatform(true);
    const plain = await startPlatform(false);
    const data = { URL: plain.address, ClientConfig: PONG };
    platform.answers.push({ status: 200, body: JSON.stringify({ code: 0, msg: '', data }) });
    const one = open(platform, { ca });
    await expectEvents(platform, one);
    expect(one.failures()[0]?.text).toContain('without an address that can be used');
    expect(plain.sockets).toEqual([]);
  });
});

describe('the way out', () => {
  it('heeds no proxy variable of the environment', async () => {
    const names = [
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'ALL_PROXY',
      'http_proxy',
      'https_proxy',
      'all_proxy',
      'NODE_USE_ENV_PROXY',
    ];
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : 'http://127.0.0.1:9';
    try {
      for (const secure of [false, true]) {
        const platform = await startPlatform(secure);
        await expectEvents(platform, open(platform, { ca }));
      }
    } finally {
      for (const [name, value] of before)
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
    }
  });

  it.each([
    ['HTTP', false, 'HTTP', false],
    ['HTTPS', true, 'HTTP', false],
    ['HTTP', false, 'HTTPS', true],
    ['HTTPS', true, 'HTTPS', true],
  ])(
    'to %s (%s) through a proxy of %s goes there alone, with its password',
    async (_, secure, __, secureProxy) => {
      const platform = await startPlatform(secure);
      const proxy = await startProxy(secureProxy);
      const url = `${secureProxy ? 'https' : 'http'}://${PROXY_USER}@localhost:${proxy.port}`;
      const one = open(platform, { ca, proxy: url });
      await expectEvents(platform, one);
      expect(proxy.heads).toHaveLength(2);
      for (const head of proxy.heads) {
        expect(head).toMatch(
          new RegExp(`^CONNECT (?:localhost|127\\.0\\.0\\.1):${platform.port} HTTP/1.1\r\n`),
        );
        expect(head).toContain(`Proxy-Authorization: ${AUTHORIZATION}\r\n`);
      }
      // Nothing went past it.
      await until(() => proxy.sockets.size === 1 && platform.open === 1);
      await one.connection.stop();
      await until(() => proxy.sockets.size === 0 && platform.open === 0);
      expect(JSON.stringify(one.log.lines)).not.toContain('canary-proxy');
    },
  );

  it('through a proxy that does anything wrong is tried again, and leaves no socket behind', async () => {
    const hangs = (): void => undefined;
    const wrongs: Readonly<Record<string, (socket: Socket) => void>> = {
      'wants another password': (socket) =>
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'),
      'cannot connect': (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nno\n'),
      hangs,
      breaks: (socket) => socket.destroy(),
      'talks nonsense': (socket) => socket.end('hello\r\n\r\n'),
      'says nothing': (socket) => socket.end(),
    };
    await Promise.all(
      Object.values(wrongs).flatMap((wrong) => [
        expectTriedAgain(wrong, { secure: false, secureProxy: false, hangs: wrong === hangs }),
        expectTriedAgain(wrong, { secure: true, secureProxy: false, hangs: wrong === hangs }),
        expectTriedAgain(wrong, { secure: true, secureProxy: true, hangs: wrong === hangs }),
      ]),
    );
  });

  async function expectTriedAgain(
    wrong: (socket: Socket) => void,
    {
      secure,
      secureProxy,
      hangs,
    }: { readonly secure: boolean; readonly secureProxy: boolean; readonly hangs: boolean },
  ): Promise<void> {
    const platform = await startPlatform(secure);
    const proxy = await startProxy(secureProxy);
    proxy.answer = wrong;
    const one = open(platform, {
      ca,
      // Only what hangs waits for its end: on a busy machine a short one would cut off good connections too.
      ...(hangs ? { connectWithin: 1000 } : {}),
      proxy: `http${secureProxy ? 's' : ''}://${PROXY_USER}@localhost:${proxy.port}`,
    });
    // First the discovery fails,
    await until(() => one.failures().length > 0);
    proxy.answer = null;
    await expectEvents(platform, one);
    await until(() => proxy.sockets.size === 1);
    const asked = proxy.heads.length;
    // then, after a discovery that passes, the handshake.
    proxy.answer = (socket) => {
      proxy.answer = (next) => {
        proxy.answer = null;
        wrong(next);
      };
      tunnel(socket, platform.port);
    };
    platform.sockets[0]!.socket.close();
    await expectEvents(platform, one);
    // Twice a discovery and a handshake, and nothing more; a short time may also cut off what does not hang.
    if (hangs) expect(proxy.heads.length).toBeGreaterThanOrEqual(asked + 4);
    else expect(proxy.heads.length).toBe(asked + 4);
    await until(() => proxy.sockets.size === 1 && platform.open === 1);
    await one.connection.stop();
    await until(() => proxy.sockets.size === 0 && platform.open === 0);
    expect(JSON.stringify(one.log.lines)).not.toContain('canary-proxy');
  }
});
