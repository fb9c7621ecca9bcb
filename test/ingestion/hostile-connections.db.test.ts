// Real: sockets to the real HTTP server, written byte by byte, and the built service as a process of its own.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Connection, Door, type Request, until } from '../support/door.js';
import {
  APP_SETTINGS,
  approverEvent,
  envelopeOf,
  pushOf,
  pushOfApprover,
  signedHeaders,
} from '../support/feishu.js';
import { freePort, ServiceProcess } from '../support/process.js';

let door: Door;
let open: Connection[] = [];
beforeAll(async () => {
  door = await Door.open();
});
afterAll(async () => {
  for (const connection of open) connection.destroy();
  await door.close();
});

function connect(): Connection {
  const connection = new Connection(door.port);
  open.push(connection);
  return connection;
}

/** A request as bytes. `changes`: header lines to change, or to leave out (null). */
function bytesOf(
  { headers, body }: Request,
  changes: Readonly<Record<string, string | null>> = {},
  line = 'POST /webhook/event HTTP/1.1',
): string {
  const all: Record<string, string | null> = {
    host: '127.0.0.1',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    ...changes,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return `${[line, ...lines].join('\r\n')}\r\n\r\n${body.toString('utf8')}`;
}

const chunked = { 'content-length': null, 'transfer-encoding': 'chunked' };
const withoutSignature = (body: string | Buffer): Request => ({ headers: {}, body });
const genuine = (): Request => pushOfApprover();

describe('bodies that are too large', () => {
  it.each([
    ['of 1 MiB and a byte', 1024 * 1024 + 1],
    ['of 2 MB', 2_000_000],
    ['of 20 MB', 20_000_000],
  ])('A13: one %s gets 413 and is cut off, signed or not', async (_, size) => {
    const body = Buffer.alloc(size, 'x');
    for (const headers of [{}, signedHeaders(body)]) {
      const head = bytesOf({ headers, body: '' }, { 'content-length': String(size) });
      const connection = connect();
      await door.refuses(() => connection.send(head).send(body).answer(), 413);
      await connection.untilClosed();
    }
  });

  it('A13: 1 MiB is taken when it is genuine', async () => {
    const text = envelopeOf(approverEvent({ comment: 'x'.repeat(750_000) }));
    const push = pushOf(text);
    expect(push.body.length).toBeGreaterThan(1_000_000);
    expect((await door.push(push)).status).toBe(200);
  });

  it('A13: chunks without an end are cut off at the limit', async () => {
    const connection = connect().send(bytesOf(withoutSignature(''), chunked));
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    await door.refuses(async () => {
      await until(() => {
        if (connection.received === '' && !connection.closed) connection.send(chunk);
        return connection.received !== '' || connection.closed;
      });
      return await connection.answer();
    }, 413);
    await connection.untilClosed();
  });

  it('A13: a gzip bomb is never unpacked: its bytes are what is checked', async () => {
    const body = gzipSync(Buffer.alloc(50_000_000, 0x20));
    for (const encoding of ['gzip', 'deflate', 'br', 'gzip, gzip']) {
      await door.refusesPush({ body, headers: { 'content-encoding': encoding } }, [401, 415]);
      const headers = { ...signedHeaders(body), 'content-encoding': encoding };
      await door.refusesPush({ body, headers }, [400, 415]);
    }
  });

  it.each([
    ['one header of 64 kB', bytesOf(genuine(), { 'x-long': 'a'.repeat(65_536) })],
    ['2500 headers', bytesOf(genuine(), { 'x-many': `a${'\r\nb: c'.repeat(2500)}` })],
    ['an address of 64 kB', bytesOf(genuine(), {}, `POST /${'a'.repeat(65_536)} HTTP/1.1`)],
    ['a nonce of 15 kB', bytesOf(genuine(), { 'x-lark-request-nonce': '1'.repeat(15_000) })],
  ])('A13: %s gets 431 or 401', async (_, bytes) => {
    await door.refuses(() => connect().send(bytes).answer(), [431, 401], bytes);
  });

  it('a stranger cannot hold up genuine pushes with bodies that take long to parse', async () => {
    const body = JSON.stringify({ a: 1 }).replace('1', `[1234567890123456${',0'.repeat(500_000)}]`);
    const strangers = Array.from({ length: 20 }, () => door.push({ body, headers: {} }));
    const started = performance.now();
    expect((await door.push(genuine())).status).toBe(200);
    // Feishu waits 3 s.
    expect(performance.now() - started).toBeLessThan(3000);
    for (const answer of await Promise.all(strangers)) expect(answer.status).toBe(401);
  });
});

describe('framing that two servers could read differently', () => {
  // Whoever reads the first request otherwise than its sender takes this for the next one.
  const smuggled = (): string => bytesOf(genuine());
  const over = (changes: Record<string, string | null>, body = ''): string =>
    `${bytesOf(withoutSignature(''), changes)}${body}${smuggled()}`;

  it.each([
    ['a length and chunks', over({ 'transfer-encoding': 'chunked' }, '0\r\n\r\n')],
    ['chunks and a length after them', over({ ...chunked, 'Content-Length': '5' }, '0\r\n\r\n')],
    ['two different lengths', over({ 'Content-Length': '5' })],
    ['two lengths in one line', over({ 'content-length': '0, 5' })],
    ['a length with a sign', over({ 'content-length': '+0' })],
    ['a negative length', over({ 'content-length': '-1' })],
    ['a length in hex', over({ 'content-length': '0x0' })],
    ['a length of 20 digits', over({ 'content-length': '99999999999999999999' })],
    ['an empty length', over({ 'content-length': '' })],
    ['a chunk size that is no number', over(chunked, 'zz\r\nabc\r\n0\r\n\r\n')],
    ['a chunk longer than its size', over(chunked, '1\r\nabc\r\n0\r\n\r\n')],
    ['a chunk size of 17 digits', over(chunked, '10000000000000000\r\n')],
    ['a chunk size with a sign', over(chunked, '+1\r\na\r\n0\r\n\r\n')],
    ['chunk extensions of 70 kB', over(chunked, `1;${'a'.repeat(70_000)}\r\na\r\n0\r\n\r\n`)],
    ['chunks that end in a bare line feed', over(chunked, '1\na\n0\n\n')],
    ['chunked that is not last', over({ ...chunked, 'transfer-encoding': 'chunked, identity' })],
    ['chunked with a letter more', over({ ...chunked, 'transfer-encoding': 'xchunked' })],
    ['chunked twice', over({ ...chunked, 'Transfer-Encoding': 'chunked, x' }, '0\r\n\r\n')],
    ['a folded header', over({ 'x-a': 'b\r\n c' })],
    ['a folded transfer-encoding', over({ 'transfer-encoding': '\r\n chunked' }, '0\r\n\r\n')],
    ['a space in front of the colon', over({ 'transfer-encoding ': 'chunked' }, '0\r\n\r\n')],
    ['a header without a name', over({ '': 'a' })],
    ['a NUL in a header', over({ 'x-a': 'a\u0000b' })],
    ['a bare carriage return', over({ 'x-a': 'a\rb: c' })],
    ['bare line feeds', over({}).replaceAll('\r\n', '\n')],
    ['another version', bytesOf(withoutSignature(''), {}, 'POST /webhook/event HTTP/3.7')],
    ['an unknown method', bytesOf(genuine(), {}, 'PUSH /webhook/event HTTP/1.1')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['noise', Buffer.alloc(2000, 0xfe)],
  ])('A44: %s gets 400 and the end of the connection, and what follows is not read', async (_, bytes) => {
    const connection = connect();
    await door.refuses(() => connection.send(bytes).answer(), 400, bytes);
    await connection.untilClosed();
    expect(connection.answers).toBe(1);
  });

  it('A44: a signature, a time or a nonce sent twice is none', async () => {
    for (const name of ['signature', 'request-timestamp', 'request-nonce']) {
      const push = genuine();
      const key = `x-lark-${name}`;
      const twice = bytesOf(push, { [key.toUpperCase()]: push.headers[key] ?? '' });
      await door.refuses(() => connect().send(twice).answer(), 401, twice);
    }
  });

  it('garbage after a genuine push never makes its answer a 200 that is not stored', async () => {
    const push = pushOfApprover();
    await connect().send(bytesOf(push)).send('garbage\r\n\r\n').untilClosed();
    const again = await door.push(push);
    expect(again.status).toBe(200);
    const rows = await door.query('select id from events where event_id = $1', [push.eventId]);
    expect(rows).toHaveLength(1);
  });
});

describe('addresses and methods', () => {
  it.each([
    ['GET', 'GET /webhook/event HTTP/1.1', 404],
    ['HEAD', 'HEAD /webhook/event HTTP/1.1', 404],
    ['PUT', 'PUT /webhook/event HTTP/1.1', 404],
    ['PATCH', 'PATCH /webhook/event HTTP/1.1', 404],
    ['DELETE', 'DELETE /webhook/event HTTP/1.1', 404],
    ['OPTIONS', 'OPTIONS /webhook/event HTTP/1.1', 404],
    ['TRACE', 'TRACE /webhook/event HTTP/1.1', 404],
    ['QUERY', 'QUERY /webhook/event HTTP/1.1', 404],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1', 404],
    ['CONNECT', 'CONNECT 127.0.0.1:5432 HTTP/1.1', 405],
    ['two slashes', 'POST //webhook/event HTTP/1.1', 404],
    ['a slash at the end', 'POST /webhook/event/ HTTP/1.1', 404],
    ['upper case', 'POST /WEBHOOK/EVENT HTTP/1.1', 404],
    ['dots', 'POST /health/../webhook/event HTTP/1.1', 404],
    ['encoded dots', 'POST /health/%2e%2e/webhook/event HTTP/1.1', 404],
    ['an encoded slash', 'POST /webhook%2fevent HTTP/1.1', 404],
    ['a backslash', 'POST /webhook\\event HTTP/1.1', 404],
    ['NUL', 'POST /webhook/event%00 HTTP/1.1', 404],
    ['a parameter', 'POST /webhook/event;a=b HTTP/1.1', 404],
    ['an extension', 'POST /webhook/event.json HTTP/1.1', 404],
    ['no UTF-8', 'POST /webhook/event%ff HTTP/1.1', 400],
    ['a broken escape', 'POST /webhook/%zz HTTP/1.1', 400],
    ['somewhere else', 'POST /admin/../../etc/passwd HTTP/1.1', 404],
    ['nowhere', 'POST / HTTP/1.1', 404],
    ['8 kB', `POST /${'a'.repeat(8000)} HTTP/1.1`, 404],
  ])('%s is refused, though the push is genuine', async (_, line, status) => {
    const bytes = bytesOf(genuine(), { connection: 'close' }, line);
    const answer = await door.refuses(() => connect().send(bytes).answer(), status, bytes);
    expect(answer?.body ?? '').not.toContain('webhook');
  });

  it.each([
    ['a query', 'POST /webhook/event?x=.svg&__proto__[a]=b HTTP/1.1'],
    ['an encoded letter', 'POST /webhook/%65vent HTTP/1.1'],
    ['another host in the address', 'POST http://other.test/webhook/event HTTP/1.1'],
    ['HTTP/1.0', 'POST /webhook/event HTTP/1.0'],
    ['no version', 'POST /webhook/event'],
  ])('%s leads to the same checks', async (_, line) => {
    const forged = { 'x-lark-signature': 'a'.repeat(64) };
    await door.refuses(
      () =>
        connect()
          .send(bytesOf(genuine(), forged, line))
          .answer(),
      401,
    );
    expect(
      (
        await connect()
          .send(bytesOf(genuine(), {}, line))
          .answer()
      )?.status,
    ).toBe(200);
  });

  it.each([
    ['Expect', { expect: 'something' }],
    ['Expect: 100-continue', { expect: '100-continue' }],
    ['Upgrade', { connection: 'Upgrade', upgrade: 'websocket' }],
    ['Upgrade to HTTP/2', { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAA' }],
    ['X-HTTP-Method-Override', { 'x-http-method-override': 'GET' }],
    ['X-Original-URL', { 'x-original-url': '/health/live', 'x-rewrite-url': '/health/live' }],
    ['names of JavaScript', { __proto__x: 'a', constructor: 'b', 'to-json': 'c' }],
  ])('%s does not get past the checks', async (_, changes) => {
    const answer = async (more: Record<string, string>): Promise<number | undefined> => {
      const connection = connect().send(bytesOf(genuine(), { ...changes, ...more }));
      await until(() => /HTTP\/1\.1 [2-5]\d\d .*\r\n\r\n.*}/s.test(connection.received));
      return Number(/HTTP\/1\.1 ([2-5]\d\d)/.exec(connection.received)?.[1]);
    };
    const rows = await door.count();
    expect(await answer({ 'x-lark-signature': 'a'.repeat(64) })).toBe(401);
    expect(await door.count()).toEqual(rows);
    expect(await answer({})).toBe(200);
  });

  it('a request without a host gets 400', async () => {
    await door.refuses(
      () =>
        connect()
          .send(bytesOf(genuine(), { host: null }))
          .answer(),
      400,
    );
  });
});

describe('connections that are held', () => {
  const head = 'POST /webhook/event HTTP/1.1\r\nhost: 127.0.0.1\r\n';
  const half = bytesOf(genuine()).slice(0, -100);

  it('A43: a client that goes away in the middle leaves one line and nothing else', async () => {
    await door.refuses(() => connect().send(half).end().answer(), 400, half);
    await door.refuses(() => connect().send(head).end().answer(), 400, head);
    await door.refuses(async () => {
      const connection = connect().send(half);
      await until(() => connection.flushed);
      connection.destroy();
      return null;
    }, 400);
  });

  it('A43: slow headers and half bodies do not keep genuine pushes waiting, and are ended after 5 and 10 s', async () => {
    const { lines } = door.service.log;
    const before = lines.length;
    const rows = await door.count();
    const started = performance.now();
    const silent = Array.from({ length: 20 }, () => connect());
    const slow = Array.from({ length: 20 }, () => connect().send(head));
    const halves = Array.from({ length: 20 }, () => connect().send(half));
    for (let count = 0; count < 30; count += 1) {
      const at = performance.now();
      const push = pushOf(envelopeOf(approverEvent()));
      expect((await door.push(push)).status).toBe(200);
      expect(performance.now() - at).toBeLessThan(1000);
      for (const [index, connection] of slow.entries()) connection.send(`x-${count}-${index}: a\r\n`);
    }
    for (const connection of slow) expect((await connection.answer(8000))?.status).toBe(408);
    for (const connection of silent) await connection.untilClosed(8000);
    expect(performance.now() - started).toBeLessThan(8000);
    for (const connection of halves) expect((await connection.answer(13_000))?.status).toBe(408);
    expect(performance.now() - started).toBeLessThan(13_000);
    expect(await door.isAlive()).toBe(true);
    expect(await door.count()).toEqual(rows.map((count) => count + 30));
    const late = lines.slice(before).filter(({ fields }) => fields['code'] === 'REQUEST_TIMEOUT');
    expect(late).toHaveLength(40);
    expect(lines.length - before).toBe(70);
  }, 30_000);

  it('A43: five hundred idle connections leave room for a genuine push', async () => {
    const idle = Array.from({ length: 500 }, () => connect());
    await until(() => idle.every(({ connected }) => connected));
    expect((await door.push(genuine())).status).toBe(200);
    for (const connection of idle) connection.destroy();
    open = [];
  });

  it('connections on which no request ends do not hold up the stop', async () => {
    const other = await Door.open();
    const held = [new Connection(other.port), new Connection(other.port).send(head)];
    held.push(new Connection(other.port).send(half));
    await until(() => held.every(({ connected }) => connected));
    const started = performance.now();
    await other.close();
    // The whole stop has 10 s.
    expect(performance.now() - started).toBeLessThan(9000);
    for (const connection of held) connection.destroy();
  });
});

describe('the process', () => {
  it('outlives every one of these, takes a genuine push after them and says nothing secret', async () => {
    const port = await freePort();
    const service = new ServiceProcess(
      { ...APP_SETTINGS, DATABASE_URL: door.database.url, ROLE: 'ingest', PORT: String(port) },
      port,
    );
    await service.start();
    try {
      const bodies = [
        '',
        '{}',
        'null',
        '{"encrypt":123}',
        '{"encrypt":null}',
        '{"encrypt":{}}',
        '{"encrypt":"a"}',
      ];
      bodies.push(
        pushOf('null').body,
        pushOf('[]').body,
        pushOf('').body,
        pushOf('{"type":"url_verification"}').body,
      );
      bodies.push(
        '['.repeat(100_000),
        '{"__proto__":{"encrypt":"a"}}',
        `{"encrypt":"${'A'.repeat(900_000)}"}`,
      );
      const hostile = bodies.flatMap((body) => [
        bytesOf(withoutSignature(body)),
        bytesOf({ body, headers: { ...signedHeaders(body), 'x-lark-signature': '' } }),
        bytesOf(withoutSignature(body), { 'content-type': 'multipart/form-data' }),
        bytesOf(withoutSignature(body)).slice(0, -1),
        bytesOf(withoutSignature(body), chunked),
        bytesOf(withoutSignature(body), {}, 'PUT /webhook/%zz HTTP/1.1'),
      ]);
      const all = hostile.map((bytes) => new Connection(port).send(bytes).end());
      for (const connection of all) await connection.untilClosed();
      const { headers, body } = genuine();
      const answer = await fetch(`${service.url}/webhook/event`, {
        method: 'POST',
        headers,
        body: body.toString(),
      });
      expect(answer.status).toBe(200);
      expect(await service.stop()).toBe(0);
      expect(service.log.match(/NOT_AUTHENTIC/g)?.length).toBeGreaterThan(10);
      expect(service.log).not.toContain('service.bug');
      expect(service.log).not.toContain(APP_SETTINGS.FEISHU_ENCRYPT_KEY);
      expect(service.log).not.toContain(APP_SETTINGS.FEISHU_VERIFICATION_TOKEN);
    } finally {
      await service.kill();
    }
  });
});
