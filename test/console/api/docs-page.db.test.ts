// The real service; what a browser would load of the page.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { TestConsole } from '../../support/console.js';

let console: TestConsole;
beforeAll(async () => {
  console = await TestConsole.open({ ROLE: 'console' });
}, 60_000);
afterAll(() => console.close());

const load = (path: string, headers: Record<string, string> = {}) => fetch(console.url + path, { headers });
/** With the path as it is written. */
const statusOf = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(console.url);
    request({ hostname, port, path }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe('the page of the API', () => {
  it('loads nothing but its own files, and runs no script that stands in it', async () => {
    const answer = await load('/api/docs');
    const page = await answer.text();
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
    ])
      expect(policy.split('; ')).toContain(part);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(page).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style=|javascript:/i);
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, path = '']) => new URL(path, `${console.url}/api/docs`),
    );
    expect(loaded).toHaveLength(5);
    for (const { href, origin } of loaded) {
      expect(origin).toBe(new URL(console.url).origin);
      expect([href, (await fetch(href)).status]).toEqual([href, 200]);
    }
    expect(await (await load('/api/docs/page-script.js')).text()).toContain("url: 'v1/openapi.json'");
  });

  it('is not sent again while it is the same, and packed for who takes that', async () => {
    for (const path of ['/api/docs', '/api/docs/swagger-ui-bundle.js', '/api/docs/swagger-ui.css']) {
      const first = await load(path, { 'accept-encoding': 'gzip' });
      const etag = first.headers.get('etag') ?? '';
      expect(first.headers.get('content-encoding')).toBe('gzip');
      expect(first.headers.get('cache-control')).toBe('no-cache');
      const text = await first.text();
      const plain = await load(path, { 'accept-encoding': 'identity' });
      expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, text]);
      const again = await load(path, { 'if-none-match': etag });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
  });

  it.each([
    '/api/docs/index.html',
    '/api/docs/swagger-ui-bundle.js.map',
    '/api/docs/package.json',
    '/api/docs/..%2fpackage.json',
    '/api/docs/..%2f..%2f..%2fetc%2fpasswd',
    '/api/docs/%2e%2e',
    '/api/docs/../docs-files.js',
    '/api/docs/__proto__',
    '/api/docs/constructor',
    '/api/docs/page.html',
    '/api/docs/',
    '/api/docs/a/b',
  ])('%s is nothing', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });
});
