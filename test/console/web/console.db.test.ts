// The real service and the console as it is built: what is sent, and what is out of reach.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleFiles } from '../../../src/console/web/console-files.js';
import { startService, type TestService } from '../../support/app.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { folderWith, temporaryFolder } from '../../support/folder.js';

const BUILT = new URL('../../../dist/web/', import.meta.url);
const ASSET = readdirSync(new URL('assets/', BUILT)).find((name) => /^index-.*\.js$/.test(name)) ?? '';

let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({
    DATABASE_URL: database.url,
    DATA_DIR: temporaryFolder('web'),
    ROLE: 'ingest,console',
    ADMIN_PORT: '0',
  });
});
afterAll(async () => {
  await service.close();
  await database.drop();
});

const get = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(service.adminUrl + path, { redirect: 'manual', ...init });

/** As it is written, without the tidying of a URL. */
async function raw(path: string, method = 'GET'): Promise<{ status: number; head: string; body: string }> {
  const socket = connect(Number(new URL(service.adminUrl).port), '127.0.0.1');
  socket.end(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: rest.join('\r\n\r\n') };
}

const nonceOf = (answer: Response): string =>
  /'nonce-([^']+)'/.exec(answer.headers.get('content-security-policy') ?? '')?.[1] ?? '';

describe('the page of the console', () => {
  it('has a policy that runs nothing of a page, and a nonce for styles that is another each time', async () => {
    const [one, other] = [await get('/console/'), await get('/console/')];
    expect(one.status).toBe(200);
    expect(one.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = (one.headers.get('content-security-policy') ?? '').split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        `style-src 'self' 'nonce-${nonceOf(one)}'`,
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(policy.join()).not.toContain('unsafe');
    expect(nonceOf(one)).toMatch(/^[\w+/]{22}==$/);
    expect(nonceOf(other)).not.toBe(nonceOf(one));
    const page = await one.text();
    expect(page).toContain(nonceOf(one));
    expect(page).not.toContain('__NONCE__');
    expect(page).not.toContain('__BASE__');
  });

  it('is kept by nobody, framed by nobody, and tells no other place where it was', async () => {
    const { headers } = await get('/console/');
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });

  it.each([
    ['/console/', './'],
    ['/console/events', './'],
    ['/console/events/01a2', '../'],
    ['/console/rules/a/b/c', '../../../'],
    ['/console/events/01a2?tab=1/2/3', '../'],
  ])('%s leads back to the root of the console by %s', async (path, base) => {
    const page = await (await get(path)).text();
    expect(page).toContain(`<base href="${base}"`);
    expect(new URL(base, `https://a.example/below${path}`).pathname).toBe('/below/console/');
  });

  it('is there at its address without a slash and at the root, by a redirect that a proxy may put below any path', async () => {
    for (const path of ['/', '/console']) {
      const answer = await get(path);
      expect([path, answer.status, answer.headers.get('location')]).toEqual([path, 302, 'console/']);
    }
  });

  it('says what there is to a request for the head alone', async () => {
    const answer = await get('/console/events', { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await answer.text()).toBe('');
  });

  it('is asked for by GET alone', async () => {
    expect((await get('/console/', { method: 'POST' })).status).toBe(404);
  });
});

describe('the files of the console', () => {
  it('are immutable, and typed', async () => {
    const answer = await get(`/console/assets/${ASSET}`);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
      etag: expect.stringMatching(/^"[\w-]{27}"$/),
    });
    expect(await answer.text()).toBe(readFileSync(new URL(`assets/${ASSET}`, BUILT), 'utf8'));
  });

  it('are asked again where their names may stay while they change', async () => {
    const answer = await get('/console/icon.svg');
    expect(answer.headers.get('content-type')).toBe('image/svg+xml');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('are not sent again to whom has them', async () => {
    const etag = (await get('/console/icon.svg')).headers.get('etag') ?? '';
    const same = await get('/console/icon.svg', { headers: { 'if-none-match': etag } });
    expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await get('/console/icon.svg', { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  it('go packed to those who take it, and plain to others', async () => {
    const path = `/console/assets/${ASSET}`;
    expect((await raw(path)).head).not.toContain('content-encoding');
    const answer = await get(path, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const file = await new ConsoleFiles().find(`assets/${ASSET}`);
    expect(file?.packed && gunzipSync(file.packed).equals(file.bytes)).toBe(true);
    const plain = await get(path, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
  });

  it('that are not there are an error below assets/, so that no page is run as a script', async () => {
    const answer = await get(`/console/assets/${randomUUID()}.js`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are heads alone for HEAD', async () => {
    const answer = await get(`/console/assets/${ASSET}`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });
});

describe('nothing else is within reach', () => {
  it.each([
    '/console/../package.json',
    '/console/..%2f..%2fpackage.json',
    '/console/%2e%2e/%2e%2e/package.json',
    '/console/assets/..%2f..%2f..%2fpackage.json',
    '/console/assets/%2e%2e%2f%2e%2e%2fmain.js',
    '/console/..%5c..%5cpackage.json',
    '/console//etc/passwd',
    '/console/%2fetc%2fpasswd',
    '/console/assets/%00',
  ])('%s', async (path) => {
    const { status, body } = await raw(path);
    expect(body).not.toContain('"aftersign"');
    expect(body).not.toContain('root:');
    // The page itself, which says that there is nothing at this address, or a refusal.
    if (status === 200) expect(body).toContain('<base href="');
    else expect([302, 400, 404]).toContain(status);
  });

  it('nor the page as a file of its own, without its nonce', async () => {
    const answer = await get('/console/index.html');
    expect(await answer.text()).toContain(nonceOf(answer));
  });

  it.each(['/', '/console', '/console/', '/console/events', `/console/assets/${ASSET}`, '/console/icon.svg'])(
    '%s is not on the port of senders',
    async (path) => {
      expect((await fetch(service.url + path, { redirect: 'manual' })).status).toBe(404);
    },
  );
});

describe('a folder without the built console', () => {
  it('has no page, and is looked at again: it may be built while the service runs', async () => {
    const folder = folderWith({ 'read.me': 'nothing' });
    const files = new ConsoleFiles(folder);
    expect(await files.page()).toBeNull();
    expect(await files.find('read.me')).toBeNull();
    writeFileSync(join(folder, 'index.html'), '<p>');
    expect(await files.page()).toBe('<p>');
  });

  it('of which a part of one is read has what is of a known type, and only that', async () => {
    const files = new ConsoleFiles(
      folderWith({ 'index.html': '<p>', 'assets/a.js': '1', 'secret.env': 'x' }),
    );
    expect(await files.page()).toBe('<p>');
    expect(await files.find('index.html')).toBeNull();
    expect(await files.find('secret.env')).toBeNull();
    // Too short for gzip to gain.
    expect(await files.find('assets/a.js')).toMatchObject({ packed: null, immutable: true });
  });
});
