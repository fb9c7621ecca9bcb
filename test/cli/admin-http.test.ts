// Real HTTP servers that are no Aftersign's.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { AdminHttp } from '../../src/cli/admin-http.js';
import { serverAddress } from '../../src/cli/server-address.js';

const TOKEN = `ast_${'a'.repeat(43)}`;
const SCHEMA = z.object({ items: z.array(z.string()) });
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function at(
  listener: RequestListener,
  path = '',
): Promise<{ http: AdminHttp; seen: IncomingMessage[]; url: string }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  return { ...(await listening(server, path)), seen };
}

async function listening(server: Server, path: string): Promise<{ http: AdminHttp; url: string }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const http = new AdminHttp(serverAddress(url), TOKEN, undefined);
  open.push(
    () => http.close(),
    () => {
      server.closeAllConnections();
      server.close();
    },
  );
  return { http, url };
}

const answer =
  (status: number, type: string, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);
  };

describe('the way to a running service', () => {
  it('sends the token in a header alone, and answers the JSON as it came', async () => {
    const body = '{"items":["a"],"newer":{"b":1}}';
    const { http, seen } = await at(answer(200, 'application/json; charset=utf-8', body), '/aftersign/');
    const query = { text: '已完成 &', limit: '2' };
    expect(await http.ask({ path: '/events', query }, SCHEMA)).toEqual(JSON.parse(body));
    const url = new URL(seen[0]!.url!, 'http://x');
    expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual(['/aftersign/api/v1/events', query]);
    expect(seen[0]!.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(seen[0]!.url).not.toContain('ast_');
  });

  it('tells what Aftersign refuses, with the places', async () => {
    const problem = {
      status: 400,
      code: 'REQUEST_INVALID',
      detail: 'd',
      errors: [{ path: 'limit', message: 'm' }],
    };
    const { http } = await at(
      answer(400, 'application/problem+json; charset=utf-8', JSON.stringify(problem)),
    );
    await expect(http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject(problem);
  });

  it('says how to get a token when it is asked for one', async () => {
    const { http } = await at(
      answer(401, 'application/problem+json', '{"status":401,"code":"TOKEN_EXPIRED","detail":"It is over."}'),
    );
    await expect(http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({
      code: 'TOKEN_EXPIRED',
      detail: expect.stringMatching(/^It is over\. .*aftersign users token/),
    });
  });

  it.each<[string, RequestListener]>([
    ['a page', answer(200, 'text/html', '<html>')],
    ['a page that says not found', answer(404, 'text/html', '<html>')],
    ['no type', (_, response) => response.end('{}')],
    ['JSON of something else', answer(200, 'application/json', '{"hello":1}')],
    ['what is no JSON', answer(200, 'application/json', '{"items":[')],
    ['a problem of something else', answer(400, 'application/problem+json', '{"title":"x"}')],
    ['a problem that is none', answer(500, 'application/problem+json', 'null')],
    [
      'a redirect',
      answer(302, 'text/html', '', { location: 'https://evil.example/\u001b[31m'.replace('\u001b', '') }),
    ],
  ])('knows %s for no answer of Aftersign', async (_, listener) => {
    const { http, seen } = await at(listener);
    await expect(http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({ code: 'SERVER_ANSWER' });
    expect(seen).toHaveLength(1);
  });

  it('never takes the token to where a redirect leads', async () => {
    const elsewhere = await at(answer(200, 'application/json', '{"items":[]}'));
    const { http } = await at(
      answer(307, 'application/json', '', { location: `${elsewhere.url}/api/v1/events` }),
    );
    await expect(http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({
      code: 'SERVER_ANSWER',
      detail: expect.stringContaining('redirects are not followed'),
    });
    expect(elsewhere.seen).toEqual([]);
  });

  it.each<[string, RequestListener]>([
    ['hangs up', (request) => request.socket.destroy()],
    [
      'hangs up in the middle',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"items":', () => response.destroy());
      },
    ],
  ])('cannot reach one that %s', async (_, listener) => {
    const { http } = await at(listener);
    await expect(http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });

  it('cannot reach what is not there, or speaks another protocol', async () => {
    const closed = await at(answer(200, 'text/plain', ''));
    await open.pop()?.();
    await expect(closed.http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      detail: expect.stringContaining(closed.url),
    });
    const other = createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n')) as unknown as Server;
    other.closeAllConnections = () => undefined;
    const { http } = await listening(other, '');
    await expect(http.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });

  it('reaches one with a certificate of a private authority only when that is trusted', async () => {
    const cert = readFileSync('test/fixtures/tls/localhost.crt', 'utf8');
    const server = createHttpsServer(
      { cert, key: readFileSync('test/fixtures/tls/localhost.key') },
      answer(200, 'application/json', '{"items":[]}'),
    );
    const { url } = await listening(server, '');
    const address = serverAddress(url.replace('http://127.0.0.1', 'https://localhost'));
    const [trusting, other] = [new AdminHttp(address, TOKEN, cert), new AdminHttp(address, TOKEN, undefined)];
    open.push(
      () => trusting.close(),
      () => other.close(),
    );
    expect(await trusting.ask({ path: '/events' }, SCHEMA)).toEqual({ items: [] });
    await expect(other.ask({ path: '/events' }, SCHEMA)).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      detail: expect.stringContaining('OUTBOUND_CA'),
    });
  });

  it('gives a stream out as it comes, and says when it breaks off', async () => {
    const { http } = await at((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"a":1}\n{"b":', () => response.destroy());
    });
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const part of http.stream({ path: '/events/export' })) seen.push(part.toString());
    };
    await expect(read()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(seen.join('')).toBe('{"a":1}\n{"b":');
  });
});

describe('--server', () => {
  it('is an address of HTTP without secrets; what can be read on the way is known', () => {
    expect(serverAddress('https://a.example/x/')).toEqual({
      origin: 'https://a.example',
      path: '/x',
      exposed: false,
    });
    expect(serverAddress('http://a.example:3000').exposed).toBe(true);
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.8.8.8'])
      expect(serverAddress(`http://${host}:3000`).exposed).toBe(false);
    for (const text of [
      '',
      'a.example',
      'ftp://a.example',
      'https://u:p@a.example',
      'https://a.example?token=x',
    ])
      expect(() => serverAddress(text)).toThrow(InvalidArgumentError);
  });
});
