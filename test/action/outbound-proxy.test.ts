import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressGuard } from '../../src/action/address-guard.js';
import { networkOutcome } from '../../src/action/attempt-outcome.js';
import { OutboundHttp, type OutboundHttpOptions } from '../../src/action/outbound-http.js';
import type { OutboundAllowance } from '../../src/config/outbound-allowance.js';
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.js';

// Real: the door, the proxies, the targets, TLS. Fake: the DNS look-up, and where the proxy finds a public address.
const CERTIFICATE = readFileSync(new URL('../fixtures/tls/localhost.crt', import.meta.url), 'utf8');
const KEY = readFileSync(new URL('../fixtures/tls/localhost.key', import.meta.url), 'utf8');
const LOOPBACK: OutboundAllowance = { kind: 'cidr', address: '127.0.0.0', prefix: 8, port: null };
/** A public address: nobody here connects to it, the test's proxy leads to a target on this machine instead. */
const PUBLIC = '93.184.215.14';

let closers: (() => Promise<unknown>)[] = [];
let names: Map<string, string[]>;
let lookups: string[];
let target: { port: number; connections: number };

async function listen(server: Server): Promise<typeof target> {
  const found = { port: 0, connections: 0 };
  server.on('connection', () => (found.connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  found.port = (server.address() as AddressInfo).port;
  closers.push(() => {
    server.close();
    (server as ReturnType<typeof createServer>).closeAllConnections();
    return once(server, 'close');
  });
  return found;
}
const answerHost: RequestListener = (request, response) =>
  response.end(`${String(request.method)} ${String(request.url)} at ${String(request.headers.host)}`);

async function proxyWith(options: Parameters<typeof startConnectProxy>[0] = {}): Promise<ConnectProxy> {
  const proxy = await startConnectProxy({
    route: () => ({ host: '127.0.0.1', port: target.port }),
    ...options,
  });
  closers.push(() => proxy.close());
  return proxy;
}
function door(proxy: string | undefined, options: Partial<OutboundHttpOptions> = {}): OutboundHttp {
  const made = new OutboundHttp({
    guard: new AddressGuard([]),
    ca: CERTIFICATE,
    proxy,
    lookup: (name, _options, callback) => {
      lookups.push(name);
      const found = names.get(name);
      if (found)
        callback(
          null,
          found.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
        );
      else callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    },
    ...options,
  });
  closers.unshift(() => made.close());
  return made;
}
const ask = (by: OutboundHttp, url: string, timeoutMs = 5000) =>
  by.exchange({ method: 'POST', url, headers: {}, body: '{}', timeoutMs, success: null });
const refused = async (by: OutboundHttp, url: string, timeoutMs = 5000) =>
  await ask(by, url, timeoutMs).then(
    ({ text }) => {
      throw new Error(`answered: ${text}`);
    },
    (error: unknown) => networkOutcome(error, new URL(url).host),
  );

beforeEach(async () => {
  closers = [];
  lookups = [];
  names = new Map([['shop.example', [PUBLIC]]]);
  target = await listen(createServer(answerHost));
});
afterEach(async () => {
  for (const close of closers) await close();
});

describe('a request through the proxy', () => {
  it('asks it for the address that was checked, and the target for the name', async () => {
    const proxy = await proxyWith();
    const { status, text } = await ask(door(proxy.url), 'http://shop.example/path?q=1');
    expect([status, text]).toEqual([200, 'POST /path?q=1 at shop.example']);
    expect(proxy.asked).toEqual([`${PUBLIC}:80`]);
    expect(proxy.headers[0]).toMatchObject({ host: `${PUBLIC}:80` });
    expect(proxy.headers[0]).not.toHaveProperty('proxy-authorization');
    expect({ lookups, others: proxy.otherRequests }).toEqual({ lookups: ['shop.example'], others: [] });
  });

  it('goes over a kept tunnel when there is one', async () => {
    const proxy = await proxyWith();
    const by = door(proxy.url);
    for (let n = 0; n < 10; n += 1) await ask(by, 'http://shop.example/');
    expect(proxy.asked.length).toBeLessThan(3);
  });

  it('may be to an IPv6 address', async () => {
    names.set('six.example', ['2606:2800:220:1::1']);
    const proxy = await proxyWith();
    await ask(door(proxy.url), 'http://six.example:8080/');
    await ask(door(proxy.url), 'http://[2606:2800:220:1::2]/');
    expect(proxy.asked).toEqual(['[2606:2800:220:1::1]:8080', '[2606:2800:220:1::2]:80']);
  });

  it('carries the login of the proxy to the proxy only', async () => {
    const proxy = await proxyWith({ login: 'robot:p%40ss' });
    // The URL is percent-encoded, the header is not.
    const decoded = await startConnectProxy({
      login: 'robot:p@ss',
      route: () => ({ host: '127.0.0.1', port: target.port }),
    });
    closers.push(() => decoded.close());
    const echo = await listen(
      createServer((request, response) => response.end(JSON.stringify(request.headers))),
    );
    target = echo;
    const url = `http://robot:p%40ss@${new URL(decoded.url).host}`;
    const { text } = await ask(door(url), 'http://shop.example/');
    expect(decoded.headers[0]).toMatchObject({
      'proxy-authorization': `Basic ${Buffer.from('robot:p@ss').toString('base64')}`,
    });
    expect(JSON.parse(text)).not.toHaveProperty('proxy-authorization');
    const without = await refused(door(`http://${new URL(proxy.url).host}`), 'http://shop.example/');
    expect(without).toMatchObject({ outcome: 'retry', code: 'PROXY_FAILED' });
    expect(without.detail).toMatch(/^shop\.example was not reached: .*407.*user or password\.$/);
    const wrong = await refused(
      door(`http://robot:hunter2@${new URL(proxy.url).host}`),
      'http://shop.example/',
    );
    expect(wrong.detail).not.toMatch(/hunter2|robot/);
  });

  it('may be over TLS to the proxy itself, whose certificate must hold', async () => {
    const proxy = await proxyWith({ tls: { cert: CERTIFICATE, key: KEY } });
    expect((await ask(door(proxy.url), 'http://shop.example/')).text).toBe('POST / at shop.example');
    const otherName = proxy.url.replace('localhost', '127.0.0.1');
    expect(await refused(door(otherName), 'http://shop.example/')).toMatchObject({ code: 'PROXY_FAILED' });
    expect(await refused(door(proxy.url, { ca: undefined }), 'http://shop.example/')).toMatchObject({
      code: 'PROXY_FAILED',
    });
    expect(proxy.asked).toHaveLength(1);
  });
});

describe('TLS to the target through the proxy', () => {
  beforeEach(async () => {
    target = await listen(createTlsServer({ cert: CERTIFICATE, key: KEY }, answerHost));
    names.set('localhost', [PUBLIC]);
  });

  it('holds for the name of the target', async () => {
    const proxy = await proxyWith();
    expect((await ask(door(proxy.url), 'https://localhost/x')).text).toBe('POST /x at localhost');
    expect(proxy.asked).toEqual([`${PUBLIC}:443`]);
  });

  it.each(['https://shop.example/', `https://${PUBLIC}/`])(
    'is no connection to %s, for which the certificate is not',
    async (url) => {
      const proxy = await proxyWith();
      expect(await refused(door(proxy.url), url)).toMatchObject({ outcome: 'retry', code: 'TLS_FAILED' });
      expect(proxy.asked).toEqual([`${PUBLIC}:443`]);
    },
  );

  it('is no connection when nobody vouches for the certificate', async () => {
    const proxy = await proxyWith();
    expect(await refused(door(proxy.url, { ca: undefined }), 'https://localhost/')).toMatchObject({
      code: 'TLS_FAILED',
    });
  });
});

describe('a forbidden address', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/',
    'http://inside.example/',
    'https://inside.example/',
    'http://mixed.example/',
    'http://mapped.example/',
    'http://0.0.0.0:PORT/',
  ])('as %s is never asked for', async (form) => {
    names.set('inside.example', ['10.1.2.3']);
    names.set('mixed.example', [PUBLIC, '127.0.0.1']);
    names.set('mapped.example', ['::ffff:10.0.0.1']);
    const proxy = await proxyWith();
    const by = door(proxy.url);
    expect(await refused(by, form.replace('PORT', String(target.port)))).toMatchObject({
      outcome: 'permanent',
      code: 'ADDRESS_FORBIDDEN',
    });
    expect({ asked: proxy.asked, connections: target.connections }).toEqual({ asked: [], connections: 0 });
  });

  it('is asked for when the operator allows it, and the proxy itself needs no allowance', async () => {
    const proxy = await proxyWith();
    const by = door(proxy.url, { guard: new AddressGuard([LOOPBACK]) });
    await ask(by, `http://127.0.0.1:${target.port}/`);
    expect(proxy.asked).toEqual([`127.0.0.1:${target.port}`]);
    // The proxy is at 127.0.0.1 too: that alone makes it no target.
    expect(await refused(door(proxy.url), proxy.url)).toMatchObject({ code: 'ADDRESS_FORBIDDEN' });
  });

  it('is refused when a name turns to it between two requests', async () => {
    const proxy = await proxyWith();
    target = await listen(
      createServer((request, response) => {
        response.setHeader('connection', 'close');
        answerHost(request, response);
      }),
    );
    const by = door(proxy.url);
    await ask(by, 'http://shop.example/');
    names.set('shop.example', ['127.0.0.1']);
    expect(await refused(by, 'http://shop.example/')).toMatchObject({ code: 'ADDRESS_FORBIDDEN' });
    expect(proxy.asked).toEqual([`${PUBLIC}:80`]);
  });
});

describe('a proxy', () => {
  it('that cannot reach one address of a name is asked for the next', async () => {
    names.set('shop.example', [PUBLIC, '93.184.215.15']);
    const proxy = await proxyWith();
    proxy.faults.push(502);
    expect((await ask(door(proxy.url), 'http://shop.example/')).status).toBe(200);
    expect(proxy.asked).toEqual([`${PUBLIC}:80`, '93.184.215.15:80']);
  });

  it.each<[ConnectProxy['faults'][number], RegExp]>([
    [403, /answered 403\.$/],
    [502, /answered 502\.$/],
    ['garbage', /failed \(HPE_\w+\)\.$/],
    ['end', /failed \(ECONNRESET\)\.$/],
  ])('that answers %p makes the attempt one to be tried again', async (fault, detail) => {
    const proxy = await proxyWith();
    proxy.faults.push(fault);
    const outcome = await refused(door(proxy.url), 'http://shop.example/');
    expect(outcome).toMatchObject({ outcome: 'retry', code: 'PROXY_FAILED', status: null });
    expect(outcome.detail).toMatch(detail);
    expect(target.connections).toBe(0);
  });

  it('that is not there makes the attempt one to be tried again', async () => {
    const proxy = await startConnectProxy();
    await proxy.close();
    const outcome = await refused(door(proxy.url), 'http://shop.example/');
    expect(outcome).toMatchObject({ outcome: 'retry', code: 'PROXY_FAILED' });
    expect(outcome.detail).toContain('OUTBOUND_PROXY');
  });

  it('that says nothing holds nobody beyond the time of the attempt, nor the end of the service', async () => {
    const proxy = await proxyWith();
    proxy.faults.push('hang');
    const by = door(proxy.url);
    const start = performance.now();
    expect(await refused(by, 'http://shop.example/', 150)).toMatchObject({ code: 'TARGET_TIMEOUT' });
    await by.close();
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it('of the environment is asked neither beside it nor instead of it', async () => {
    const environment = await proxyWith();
    const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
    const before = new Map([...variables, 'NODE_USE_ENV_PROXY'].map((name) => [name, process.env[name]]));
    try {
      for (const name of variables) process.env[name] = environment.url;
      process.env['NODE_USE_ENV_PROXY'] = '1';
      const proxy = await proxyWith();
      await ask(door(proxy.url), 'http://shop.example/');
      const direct = door(undefined, { guard: new AddressGuard([LOOPBACK]) });
      names.set('here.example', ['127.0.0.1']);
      await ask(direct, `http://here.example:${target.port}/`);
      expect(proxy.asked).toEqual([`${PUBLIC}:80`]);
      expect({ asked: environment.asked, others: environment.otherRequests }).toEqual({
        asked: [],
        others: [],
      });
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });
});
