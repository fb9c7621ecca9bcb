import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressGuard } from '../../src/action/address-guard.js';
import type { OutboundHttpOptions } from '../../src/action/outbound-http.js';
import type { HttpRequest } from '../../src/action/sender.js';
import { Clock } from '../../src/config/clock.js';
import { ClosableHttpSender } from '../support/senders.js';

// Real: sender, sockets, HTTP and TLS servers on 127.0.0.1, which is allowed here. Fake: the clock; the DNS look-up.
/** To one target at a time. */
const CONNECTIONS = 256;
const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const CERTIFICATE = readFileSync(new URL('../fixtures/tls/localhost.crt', import.meta.url), 'utf8');
const KEY = readFileSync(new URL('../fixtures/tls/localhost.key', import.meta.url), 'utf8');

class StoppedClock extends Clock {
  now(): number {
    return NOW;
  }
}

interface Target {
  readonly origin: string;
  readonly port: number;
  readonly sockets: Set<Socket>;
  connections: number;
}

let closers: (() => Promise<unknown>)[] = [];
let sender: ClosableHttpSender;

async function listen(server: Server, scheme = 'http'): Promise<Target> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    target.connections += 1;
    sockets.add(socket.on('error', () => undefined));
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target: Target = { origin: `${scheme}://127.0.0.1:${port}`, port, sockets, connections: 0 };
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    return server.listening ? once(server, 'close') : Promise.resolve();
  });
  return target;
}

const serve = (handler: RequestListener): Promise<Target> => listen(createServer(handler));
/** A target that answers the first bytes of a request with raw bytes. */
const serveRaw = (answer: (socket: Socket) => void): Promise<Target> =>
  listen(
    createTcpServer((socket) => {
      socket.once('data', () => {
        answer(socket);
      });
    }),
  );

function senderWith(options: Partial<OutboundHttpOptions> = {}): ClosableHttpSender {
  const guard = new AddressGuard([{ kind: 'cidr', address: '127.0.0.0', prefix: 8, port: null }]);
  const made = new ClosableHttpSender(
    {
      guard,
      ca: undefined,
      lookup: (_name, _options, callback) => {
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      },
      ...options,
    },
    new StoppedClock(),
  );
  closers.unshift(() => made.close());
  return made;
}

const request = (url: string, rest: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json' },
  body: '{"a":"中"}',
  timeoutMs: 10_000,
  success: null,
  ...rest,
});
const send = (url: string, rest: Partial<HttpRequest> = {}, by = sender) =>
  by.send(request(url, rest), 'key-1');

beforeEach(() => {
  closers = [];
  sender = senderWith();
});
afterEach(async () => {
  for (const close of closers) await close();
});

describe('a request', () => {
  it('reaches the target as the rule made it, with the action key', async () => {
    const seen: IncomingMessage[] = [];
    let body = '';
    const target = await serve((incoming, response) => {
      seen.push(incoming);
      incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      incoming.on('end', () => response.end('thanks 谢谢'));
    });
    const result = await send(`${target.origin}/hook/a%20b?x=1#fragment`, {
      headers: { 'Content-Type': 'application/json', 'X-One': 'café', 'Idempotency-Key': 'of the rule' },
    });
    expect(result).toEqual({
      outcome: 'delivered',
      code: null,
      detail: `127.0.0.1:${target.port} answered 200.`,
      status: 200,
      answer: 'thanks 谢谢',
      retryAfterMs: null,
      target: 'up',
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/hook/a%20b?x=1' });
    expect(seen[0]!.headers).toMatchObject({
      host: `127.0.0.1:${target.port}`,
      'content-type': 'application/json',
      'content-length': '11',
      'x-one': 'café',
      'idempotency-key': 'key-1',
      'accept-encoding': 'identity',
      'user-agent': 'Aftersign',
    });
    expect(body).toBe('{"a":"中"}');
  });

  it('keeps the user agent that a rule gives, and may have no body', async () => {
    const target = await serve((incoming, response) => response.end(JSON.stringify(incoming.headers)));
    const { answer } = await send(target.origin, {
      method: 'GET',
      headers: { 'User-Agent': 'x' },
      body: null,
    });
    expect(JSON.parse(answer)).toMatchObject({ 'user-agent': 'x' });
    expect(JSON.parse(answer)).not.toHaveProperty('content-length');
  });

  it('goes over a kept connection when there is one', async () => {
    const target = await serve((_incoming, response) => response.end('{}'));
    for (let n = 0; n < 10; n++) await send(target.origin);
    expect(target.connections).toBeLessThan(3);
  });

  it('finds an allowed name by the DNS of the machine', async () => {
    const target = await serve((incoming, response) => response.end(incoming.headers.host));
    const by = new ClosableHttpSender(
      { guard: new AddressGuard([{ kind: 'host', host: 'localhost', port: target.port }]), ca: undefined },
      new StoppedClock(),
    );
    closers.unshift(() => by.close());
    expect(await send(`http://LOCALHOST:${target.port}/`, {}, by)).toMatchObject({
      outcome: 'delivered',
      answer: `localhost:${target.port}`,
    });
  });

  it('ignores the proxies of the environment', async () => {
    const proxy = await serve((_incoming, response) => response.end('by proxy'));
    const target = await serve((_incoming, response) => response.end('direct'));
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
    const before = names.map((name) => [name, process.env[name]] as const);
    try {
      for (const name of names) process.env[name] = proxy.origin;
      process.env['NODE_USE_ENV_PROXY'] = '1';
      const result = await send(`http://some.name:${target.port}/`, {}, senderWith());
      expect([result.answer, proxy.connections]).toEqual(['direct', 0]);
    } finally {
      delete process.env['NODE_USE_ENV_PROXY'];
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });

  it.each<[string, Record<string, string>]>([
    ['a line break', { 'X-A': 'a\r\nX-Evil: 1' }],
    ['a line feed', { 'X-A': 'a\nb' }],
    ['a carriage return', { 'X-A': 'a\rb' }],
    ['NUL', { 'X-A': 'a\0b' }],
    ['another control character', { 'X-A': 'a\u0007b' }],
    ['DEL', { 'X-A': 'a\u007fb' }],
    ['a character beyond latin-1', { 'X-A': 'secret 中' }],
    ['a megabyte', { 'X-A': 'x'.repeat(1_000_000) }],
    ['a line break in a name', { 'X-A: 1\r\nX-Evil': 'x' }],
    ['a space in a name', { 'X A': 'x' }],
    ['no name', { '': 'x' }],
    ['Host', { Host: 'evil.example' }],
    ['Content-Length', { 'Content-Length': '3' }],
    ['Transfer-Encoding', { 'transfer-encoding': 'chunked' }],
    ['Connection', { Connection: 'close' }],
    ['Keep-Alive', { 'Keep-Alive': 'timeout=1' }],
    ['Upgrade', { Upgrade: 'h2c' }],
    ['TE', { TE: 'trailers' }],
    ['Trailer', { Trailer: 'x' }],
    ['Expect', { Expect: '100-continue' }],
    ['Proxy-Authorization', { 'Proxy-Authorization': 'Basic x' }],
  ])('with %s in its headers is never sent', async (_what, headers) => {
    const target = await serve((_incoming, response) => response.end());
    const result = await send(target.origin, { headers });
    expect(result).toMatchObject({ outcome: 'permanent', code: 'HEADER_INVALID', status: null });
    expect(result.detail).not.toMatch(/evil|secret|xxx|[\r\n]/i);
    expect(target.connections).toBe(0);
  });

  it.each(['CONNECT', 'GET / HTTP/1.1\r\nX: y\r\n\r\nGET', ''])(
    'with the method %p is never sent',
    async (method) => {
      const target = await serve((_incoming, response) => response.end());
      expect(await send(target.origin, { method })).toMatchObject({
        outcome: 'permanent',
        code: 'REQUEST_INVALID',
      });
      expect(target.connections).toBe(0);
    },
  );
});

describe('an answer', () => {
  it.each<[number, string, string | null]>([
    [200, 'delivered', null],
    [204, 'delivered', null],
    [400, 'permanent', 'HTTP_400'],
    [404, 'permanent', 'HTTP_404'],
    [408, 'retry', 'HTTP_408'],
    [410, 'permanent', 'HTTP_410'],
    [425, 'retry', 'HTTP_425'],
    [429, 'retry', 'HTTP_429'],
    [500, 'retry', 'HTTP_500'],
    [503, 'retry', 'HTTP_503'],
  ])('of %p is %s, %p', async (status, outcome, code) => {
    const target = await serve((_incoming, response) => response.writeHead(status).end());
    expect(await send(target.origin)).toMatchObject({ outcome, code, status });
  });

  it.each([
    ['120', 120_000],
    ['Mon, 23 Nov 2026 12:10:00 GMT', 600_000],
    ['1000000000', 1e12],
    ['-1', null],
    ['tomorrow', null],
  ])('asking for Retry-After %p asks for %p ms', async (retryAfter, ms) => {
    const target = await serve((_incoming, response) =>
      response.writeHead(503, { 'retry-after': retryAfter }).end(),
    );
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', retryAfterMs: ms });
  });

  it.each([301, 302, 303, 307, 308])('of %p is not followed', async (status) => {
    const second = await serve((_incoming, response) => response.end());
    let hits = 0;
    const places = [
      `${second.origin}/`,
      'file:///etc/passwd',
      'http://169.254.169.254/',
      '/loop',
      '//evil.example/',
    ];
    const target = await serve((_incoming, response) => {
      response.writeHead(status, { location: places[hits++] }).end();
    });
    while (hits < places.length)
      expect(await send(`${target.origin}/loop`, { headers: { authorization: 'Bearer x' } })).toMatchObject({
        outcome: 'permanent',
        code: 'REDIRECT',
        status,
      });
    expect({ hits, second: second.connections }).toEqual({ hits: places.length, second: 0 });
  });

  it('is a success when it holds what the rule says, and a failure to try again when not', async () => {
    const target = await serve((incoming, response) =>
      response.end(incoming.url === '/good' ? '{"code":0}' : '{"code":9}'),
    );
    const success = { path: 'code', equal: 0 };
    expect(await send(`${target.origin}/good`, { success })).toMatchObject({ outcome: 'delivered' });
    expect(await send(`${target.origin}/bad`, { success })).toMatchObject({
      outcome: 'retry',
      code: 'ANSWER_NOT_SUCCESS',
      answer: '{"code":9}',
    });
  });

  it('without end is cut at 64 kB and its connection ended', async () => {
    let written = 0;
    const chunk = Buffer.alloc(16_384, 'x');
    let ended: Promise<unknown> = Promise.resolve();
    const target = await serve((_incoming, response) => {
      ended = once(response, 'close');
      const pour = (): void => {
        while (!response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) return;
        }
      };
      response.on('drain', pour);
      pour();
    });
    const result = await send(target.origin);
    expect(result).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(result.answer).toBe('x'.repeat(4096));
    await ended;
    expect(written).toBeLessThan(16_000_000);
  });

  it('of exactly 64 kB is whole, and one byte more is not', async () => {
    const padded = (size: number) => `{"ok":true,"p":"${'x'.repeat(size - 18)}"}`;
    const target = await serve((incoming, response) => response.end(padded(Number(incoming.url!.slice(1)))));
    const success = { path: 'ok', equal: true };
    expect(padded(65_536)).toHaveLength(65_536);
    expect(await send(`${target.origin}/65536`, { success })).toMatchObject({ outcome: 'delivered' });
    expect(await send(`${target.origin}/65537`, { success })).toMatchObject({ code: 'ANSWER_NOT_SUCCESS' });
  });

  it('that is compressed is not decompressed', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000, 'A'));
    const target = await serve((incoming, response) => {
      const encoding = incoming.url === '/many' ? 'gzip, '.repeat(1000) + 'gzip' : 'gzip';
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb);
    });
    for (const path of ['/one', '/many']) {
      const result = await send(target.origin + path);
      expect(result).toMatchObject({ outcome: 'delivered' });
      expect(result.answer).not.toContain('AAAA');
    }
  });

  it('that echoes secrets is kept without them, also where the kept part ends', async () => {
    const target = await serve((incoming, response) => {
      response.end(`${JSON.stringify(incoming.headers)}${'x'.repeat(3700)}hunter2hunter2`);
    });
    const { answer } = await sender.send(
      request(target.origin, { headers: { authorization: 'Bearer hunter2hunter2', 'x-id': 'shown-as-is' } }),
      'key-1',
      ['hunter2hunter2'],
    );
    expect(answer).not.toContain('hunter');
    expect(answer).toContain('[redacted]');
    expect(answer).toContain('shown-as-is');
    expect(answer).toContain('key-1');
  });

  it('with more than 16 kB of headers is refused', async () => {
    const target = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(1_000_000)}\r\n\r\n`);
    });
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', code: 'ANSWER_HEADERS_TOO_LARGE' });
  });

  it('after too many interim answers is not waited for', async () => {
    const target = await serveRaw((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000));
    });
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', code: 'ANSWER_BROKEN' });
  });

  it.each<[string, string, (socket: Socket) => void]>([
    ['a reset', 'TARGET_RESET', (socket) => socket.resetAndDestroy()],
    ['an end', 'TARGET_RESET', (socket) => socket.end()],
    ['half a head', 'TARGET_RESET', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
    ['no HTTP', 'ANSWER_BROKEN', (socket) => socket.end('\0\0garbage\r\n\r\n')],
    [
      'a switch of protocols',
      'TARGET_RESET',
      (socket) => socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
  ])('that is %s is tried again as %s', async (_what, code, answer) => {
    const target = await serveRaw(answer);
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', code, status: null });
  });

  it.each<[string, (socket: Socket) => void]>([
    [
      'reset',
      (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.resetAndDestroy()),
    ],
    ['ended early', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')],
    [
      'ended early in chunks',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
    ],
  ])('of 200 that is %s is no delivery', async (_what, answer) => {
    const target = await serveRaw(answer);
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', status: 200 });
  });
});

describe('the time of an attempt', () => {
  const takes = async (url: string, by = sender): Promise<number> => {
    const start = performance.now();
    expect(await send(url, { timeoutMs: 150 }, by)).toMatchObject({
      outcome: 'retry',
      code: 'TARGET_TIMEOUT',
    });
    return performance.now() - start;
  };

  it.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => undefined],
    ['sends its head in drips', drip('HTTP/1.1 200 OK\r\nX-A: ')],
    ['sends its body in drips', drip('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n')],
    ['stops in the middle', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf')],
  ])('ends an attempt whose target %s', async (_what, answer) => {
    const target = await serveRaw(answer);
    expect(await takes(target.origin)).toBeLessThan(2000);
  });

  it('covers the look-up of the name', async () => {
    expect(await takes('http://slow.example/', senderWith({ lookup: () => undefined }))).toBeLessThan(2000);
  });

  it('covers the handshake', async () => {
    const target = await listen(
      createTcpServer(() => undefined),
      'https',
    );
    expect(await takes(target.origin)).toBeLessThan(2000);
  });

  it('covers the wait for a free connection, and what waited too long is never sent', async () => {
    const held: ServerResponse[] = [];
    let allHeld: () => void = () => undefined;
    const full = new Promise<void>((resolve) => (allHeld = resolve));
    const target = await serve((_incoming, response) => {
      if (held.push(response) === CONNECTIONS) allHeld();
    });
    const other = await serve((_incoming, response) => response.end());
    const first = Array.from({ length: CONNECTIONS }, () => send(target.origin));
    await full;
    expect(await takes(target.origin)).toBeLessThan(2000);
    expect(await send(other.origin)).toMatchObject({ outcome: 'delivered' });
    for (const response of held) response.end();
    for (const result of await Promise.all(first)) expect(result).toMatchObject({ outcome: 'delivered' });
    await sender.close();
    expect(held).toHaveLength(CONNECTIONS);
  });
});

function drip(start: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => {
      clearInterval(timer);
    });
  };
}

describe('a target that cannot be reached', () => {
  it('because nobody listens is tried again', async () => {
    const target = await serve(() => undefined);
    await closers.pop()!();
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', code: 'TARGET_REFUSED' });
  });

  it.each([
    ['ENOTFOUND', 'NAME_NOT_FOUND'],
    ['EAI_AGAIN', 'NAME_LOOKUP_FAILED'],
  ])('because its look-up ends with %s is tried again as %s', async (cause, code) => {
    const by = senderWith({
      lookup: (_name, _options, callback) => {
        callback(Object.assign(new Error('look-up'), { code: cause }), []);
      },
    });
    expect(await send('http://some.example/secret?token=x', {}, by)).toMatchObject({
      outcome: 'retry',
      code,
      detail: expect.stringMatching(/^some\.example .*\.$/),
    });
  });

  it('because its name has no address is tried again', async () => {
    const by = senderWith({
      lookup: (_name, _options, callback) => {
        callback(null, []);
      },
    });
    expect(await send('http://some.example/', {}, by)).toMatchObject({
      outcome: 'retry',
      code: 'NAME_NOT_FOUND',
    });
  });
});

describe('TLS', () => {
  const serveTls = (): Promise<Target> =>
    listen(
      createTlsServer({ cert: CERTIFICATE, key: KEY }, (_incoming, response) => response.end('private')),
      'https',
    );

  it('with a certificate nobody vouches for is no connection', async () => {
    const target = await serveTls();
    const result = await send(`https://localhost:${target.port}/`);
    expect(result).toMatchObject({ outcome: 'retry', code: 'TLS_FAILED' });
    expect(result.detail).toContain('OUTBOUND_CA');
  });

  it('with a certificate of the own authority is a connection', async () => {
    const target = await serveTls();
    const by = senderWith({ ca: CERTIFICATE });
    expect(await send(`https://localhost:${target.port}/`, {}, by)).toMatchObject({ answer: 'private' });
  });

  it('with a certificate of another name is no connection', async () => {
    const target = await serveTls();
    const by = senderWith({ ca: CERTIFICATE });
    for (const host of ['127.0.0.1', 'other.example'])
      expect(await send(`https://${host}:${target.port}/`, {}, by)).toMatchObject({ code: 'TLS_FAILED' });
  });

  it('with a target that does not speak it is no connection', async () => {
    const target = await serve((_incoming, response) => response.end());
    expect(await send(`https://localhost:${target.port}/`)).toMatchObject({ code: 'TLS_FAILED' });
  });
});

describe('closing', () => {
  it('waits for what is underway, and then sends nothing more', async () => {
    const target = await serve((_incoming, response) => {
      closed = sender.close();
      response.end('done');
    });
    let closed: Promise<void> = Promise.resolve();
    expect(await send(target.origin)).toMatchObject({ outcome: 'delivered', answer: 'done' });
    await closed;
    expect(await send(target.origin)).toMatchObject({ outcome: 'retry', code: 'SENDER_CLOSED' });
  });
});
