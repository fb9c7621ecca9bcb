import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressGuard, isForbidden } from '../../src/action/address-guard.js';
import type { OutboundHttpOptions } from '../../src/action/outbound-http.js';
import type { AttemptResult } from '../../src/action/sender.js';
import { SystemClock } from '../../src/config/clock.js';
import type { OutboundAllowance } from '../../src/config/outbound-allowance.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { ClosableHttpSender } from '../support/senders.js';

// Real: sender, sockets, a listener on 127.0.0.1. Fake: the DNS look-up, where a test says what a name is.
/** Allowed by name of its address, where nothing listens: stands for what is permitted without leaving this machine. */
const PERMITTED = '127.0.0.8';

/** The classes of addresses that no action may reach, with their edges; those of other products' lists are all in it. */
const CLASSES: readonly (readonly [string, readonly string[]])[] = [
  ['this host', ['0.0.0.0', '0.1.2.3', '::']],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
  ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1']],
  ['link-local', ['169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%eth0']],
  [
    'metadata',
    ['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'],
  ],
  ['carrier NAT', ['100.64.0.1', '100.127.255.255']],
  ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
  [
    'reserved',
    [
      '192.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '192.88.99.1',
      '2001:1::1',
      '4000::1',
      '1fff:ffff::1',
      '100:0:0:1::1',
      '8000::1',
      'fb00::1',
    ],
  ],
  ['benchmarking', ['198.18.0.1', '198.19.255.255', '2001:2::1']],
  [
    'documentation',
    ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1', '3fff:fff:ffff::1'],
  ],
  ['unique local', ['fc00::1', 'fdff::1']],
  ['IPv4-mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::ffff:0:8.8.8.8']],
  ['IPv4-compatible', ['::127.0.0.1', '::7f00:1', '::8.8.8.8']],
  ['NAT64', ['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1', '64:ff9b:1:ffff::7f00:1']],
  ['6to4', ['2002:7f00:1::', '2002:808:808::1']],
  ['Teredo', ['2001::1', '2001:0:7f00:1::']],
  ['SRv6', ['5f00::1', '5f00:ffff::1']],
  ['ORCHID', ['2001:10::1', '2001:20::1', '2001:30::1']],
  ['site-local', ['fec0::1', 'feff::1']],
  ['discard', ['100::1']],
  ['AS112 and AMT', ['192.31.196.1', '192.52.193.1', '192.175.48.1', '2001:4:112::1', '2620:4f:8000::1']],
  [
    'none',
    [
      '',
      'localhost',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '010.0.0.1',
      '1.2.3',
      '[::1]',
      '8.8.8.8 ',
      '8.8.8.8/32',
      '1.2.3.4.5',
      '2606:4700::1111%eth0',
    ],
  ],
];

describe('an address', () => {
  it.each(CLASSES)('of the class %s is forbidden', (_class, addresses) => {
    expect(addresses.filter((address) => !isForbidden(address))).toEqual([]);
  });

  it('that is plain global unicast is not', () => {
    const addresses = ['1.1.1.1', '8.8.8.8', '93.184.215.14', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1', '192.167.255.255', '223.255.255.255', '2001:4860:4860::8888', '2606:4700:4700::1111', '240e::1', '2d00::1']; // prettier-ignore
    expect(addresses.filter((address) => isForbidden(address))).toEqual([]);
  });
});

describe('an allowance', () => {
  const permits = (allow: OutboundAllowance[], host: string, address: string, port: number) =>
    new AddressGuard(allow).permits(host, address, port);

  it('is not needed for public addresses', () => {
    expect(permits([], 'example.com', '93.184.215.14', 443)).toBe(true);
    expect(permits([], 'example.com', '10.0.0.1', 443)).toBe(false);
  });

  it('of a host permits any address of that very name', () => {
    const allow: OutboundAllowance[] = [{ kind: 'host', host: 'intranet.corp', port: null }];
    expect(permits(allow, 'INTRANET.corp.', '10.0.0.1', 8080)).toBe(true);
    expect(permits(allow, 'sub.intranet.corp', '10.0.0.1', 8080)).toBe(false);
    expect(permits(allow, 'intranet.corp.evil.example', '10.0.0.1', 8080)).toBe(false);
    expect(permits(allow, '10.0.0.1', '10.0.0.1', 8080)).toBe(false);
    expect(permits(allow, 'intranet.corp', 'not an address', 8080)).toBe(false);
  });

  it('with a port permits that port', () => {
    const allow: OutboundAllowance[] = [
      { kind: 'host', host: 'localhost', port: 8080 },
      { kind: 'cidr', address: '10.0.0.0', prefix: 8, port: 443 },
    ];
    expect(permits(allow, 'localhost', '127.0.0.1', 8080)).toBe(true);
    expect(permits(allow, 'localhost', '127.0.0.1', 5432)).toBe(false);
    expect(permits(allow, 'a.corp', '10.9.9.9', 443)).toBe(true);
    expect(permits(allow, 'a.corp', '10.9.9.9', 80)).toBe(false);
  });

  it('of a block permits the addresses in it, of its own family', () => {
    const allow: OutboundAllowance[] = [
      { kind: 'cidr', address: '127.0.0.0', prefix: 8, port: null },
      { kind: 'cidr', address: 'fd00:1::', prefix: 32, port: null },
    ];
    expect(permits(allow, 'x', '127.9.9.9', 1)).toBe(true);
    expect(permits(allow, 'x', 'fd00:1:2::3', 1)).toBe(true);
    expect(permits(allow, 'x', 'fd00:2::3', 1)).toBe(false);
    expect(permits(allow, 'x', '128.0.0.1', 1)).toBe(true);
    expect(permits(allow, 'x', '::ffff:127.0.0.1', 1)).toBe(false);
    expect(permits(allow, 'x', '10.0.0.1', 1)).toBe(false);
  });
});

describe('a request to a refused address', () => {
  let connections = 0;
  let lookups: string[] = [];
  let port = 0;
  let addresses: LookupAddress[][] = [];
  let sender: ClosableHttpSender;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });

  const senderWith = (allow: OutboundAllowance[], options: Partial<OutboundHttpOptions> = {}) =>
    new ClosableHttpSender(
      {
        ...options,
        guard: new AddressGuard(allow),
        ca: undefined,
        lookup: (hostname, _options, callback) => {
          lookups.push(hostname);
          const found = addresses.length > 1 ? addresses.shift() : addresses[0];
          callback(null, found ?? [{ address: '127.0.0.1', family: 4 }]);
        },
      },
      new SystemClock(),
    );
  const send = (url: string, by: ClosableHttpSender = sender, timeoutMs = 5000): Promise<AttemptResult> =>
    by.send({ method: 'POST', url, headers: {}, body: '{}', timeoutMs, success: null }, 'key');
  const named = (...found: string[]): LookupAddress[] =>
    found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  beforeAll(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    port = (listener.address() as AddressInfo).port;
  });
  afterAll(async () => {
    listener.close();
    await once(listener, 'close');
  });
  beforeEach(() => {
    connections = 0;
    lookups = [];
    addresses = [];
    sender = senderWith([]);
  });
  afterEach(() => sender.close());

  it.each([
    'http://127.0.0.1:PORT/',
    'https://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://127.0.1:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://127.000.000.001:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.1:PORT/',
    'http://0x7F.0x0.0x0.0x1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0177.1:PORT/',
    'http://017700000001:PORT/',
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://127。0。0。1:PORT/',
    'http://１２７．０．０．１:PORT/',
    'http://127｡0｡0｡1:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'ht\ttp://127.0.0.1:PORT/',
    ' http://127.0.0.1:PORT/ ',
    'http:\\\\127.0.0.1:PORT\\',
    'http:127.0.0.1:PORT',
    'http:////127.0.0.1:PORT/',
    'HTTP://127.0.\n0.1:PORT/',
    'http://0:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[0:0:0:0:0:0:0:1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[64:ff9b:1::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[2001:0:7f00:1::1]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://[fd00:ec2::254]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://127.0.0.1:22/',
    'http://127.0.0.1:25/',
    'http://127.0.0.1:5432/',
    'http://127.0.0.1:6379/',
  ])('as the literal %p opens no connection and asks no DNS', async (form) => {
    const url = form.replace('PORT', String(port));
    expect(await send(url)).toMatchObject({ outcome: 'permanent', code: 'ADDRESS_FORBIDDEN', status: null });
    expect({ connections, lookups }).toEqual({ connections: 0, lookups: [] });
  });

  it.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'sub.localhost',
    'evil.example',
    '127.0.0.1.nip.io',
  ])('by the name %s opens no connection', async (name) => {
    expect(await send(`http://${name}:${port}/`)).toMatchObject({
      outcome: 'permanent',
      code: 'ADDRESS_FORBIDDEN',
    });
    expect({ connections, looked: lookups.length }).toEqual({ connections: 0, looked: 1 });
  });

  it.each([
    'file:///etc/passwd',
    'gopher://127.0.0.1:PORT/_x',
    'data:text/plain,x',
    'ftp://127.0.0.1:PORT/',
    'ws://127.0.0.1:PORT/',
    'javascript:alert(1)',
    'unix:/var/run/docker.sock',
    'http://',
    '//127.0.0.1:PORT/',
    '/path',
    '',
    'http://127.0.0.1:99999/',
    'http://user@127.0.0.1:PORT/',
    'http://example.com:x@127.0.0.1:PORT/',
    'http://:secret@127.0.0.1:PORT/',
  ])('as %p is no URL to send to', async (form) => {
    expect(await send(form.replace('PORT', String(port)))).toMatchObject({
      outcome: 'permanent',
      code: 'URL_INVALID',
    });
    expect({ connections, lookups }).toEqual({ connections: 0, lookups: [] });
  });

  it.each([
    [['127.0.0.1', '::1']],
    [['::ffff:127.0.0.1']],
    [['64:ff9b::7f00:1']],
    [['2002:7f00:1::']],
    [['fd00:ec2::254']],
    [['100.64.0.1']],
    [['0.0.0.0']],
    [[PERMITTED, '127.0.0.1']],
    [['127.0.0.1', PERMITTED]],
    [[PERMITTED, '10.0.0.1', PERMITTED]],
  ])('by a name with the addresses %p opens no connection', async (found) => {
    const permissive = senderWith([{ kind: 'cidr', address: PERMITTED, prefix: 32, port: null }]);
    addresses = [named(...found)];
    expect(await send(`http://evil.example:${port}/`, permissive)).toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
    });
    expect(connections).toBe(0);
    await permissive.close();
  });

  it.each([false, true])(
    'by a name of each class opens no connection, alone or beside a permitted one, through a proxy: %p',
    async (isProxied) => {
      const proxy = await startConnectProxy();
      const permissive = senderWith([{ kind: 'cidr', address: PERMITTED, prefix: 32, port: null }], {
        proxy: isProxied ? proxy.url : undefined,
      });
      const all = CLASSES.filter(([name]) => name !== 'none').flatMap(([, list]) => list);
      const classes = all.filter((address) => !address.includes('%'));
      expect(classes.length).toBeGreaterThan(70);
      for (const address of classes) {
        for (const found of [[address], [PERMITTED, address]]) {
          addresses = [named(...found)];
          expect([address, (await send(`http://evil.example:${port}/`, permissive)).code]).toEqual([
            address,
            'ADDRESS_FORBIDDEN',
          ]);
        }
      }
      expect({ connections, asked: proxy.asked }).toEqual({ connections: 0, asked: [] });
      await permissive.close();
      await proxy.close();
    },
  );

  it('by a name that is permitted goes through: the table refuses nothing else', async () => {
    const permissive = senderWith([{ kind: 'cidr', address: '127.0.0.1', prefix: 32, port }]);
    expect(await send(`http://good.example:${port}/`, permissive)).toMatchObject({ code: 'TARGET_RESET' });
    expect(connections).toBe(1);
    await permissive.close();
  });

  it('by a name is looked up once: what was checked is what is connected to', async () => {
    const permissive = senderWith([{ kind: 'cidr', address: PERMITTED, prefix: 32, port: null }]);
    addresses = [named(PERMITTED), named('127.0.0.1')];
    expect(await send(`http://rebind.example:${port}/`, permissive)).toMatchObject({
      code: 'TARGET_REFUSED',
    });
    expect({ connections, lookups }).toEqual({ connections: 0, lookups: ['rebind.example'] });
    await permissive.close();
  });

  it('by a name that turns private is refused on the next try', async () => {
    const permissive = senderWith([{ kind: 'cidr', address: PERMITTED, prefix: 32, port: null }]);
    addresses = [named(PERMITTED), named('127.0.0.1')];
    await send(`http://rebind.example:${port}/`, permissive);
    expect(await send(`http://rebind.example:${port}/`, permissive)).toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
    });
    expect(connections).toBe(0);
    await permissive.close();
  });

  it('by a name that turns private is refused when a kept connection has ended', async () => {
    const target = createHttpServer((_request, response) => {
      response.setHeader('connection', 'close').end();
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const targetPort = (target.address() as AddressInfo).port;
    const rebound = senderWith([{ kind: 'cidr', address: '127.0.0.1', prefix: 32, port: targetPort }]);
    addresses = [named('127.0.0.1'), named('127.0.0.2')];
    expect(await send(`http://rebind.example:${targetPort}/`, rebound)).toMatchObject({
      outcome: 'delivered',
    });
    expect(await send(`http://rebind.example:${targetPort}/`, rebound)).toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
    });
    expect(lookups).toHaveLength(2);
    await rebound.close();
    target.close();
    await once(target, 'close');
  });

  it('tells the host and the mend', async () => {
    const { detail } = await send(`http://intranet.corp:${port}/path?token=hunter2`);
    expect(detail).toContain(`intranet.corp:${port}`);
    expect(detail).toContain('OUTBOUND_ALLOW');
    expect(detail).not.toContain('hunter2');
  });
});
