// Real sockets to both ports of the real service: what belongs to which, and the limits of HTTP on both.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, Connection, Door } from '../support/door.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';

let door: Door;
const open: Connection[] = [];
beforeAll(async () => {
  door = await Door.open({ ...APP_SETTINGS, ROLE: 'ingest,console', ADMIN_PORT: '0' });
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.destroy();
});
afterAll(() => door.close());

type Port = 'public' | 'admin';
const urlOf = (port: Port): string => (port === 'public' ? door.service.url : door.service.adminUrl);
async function get(port: Port, path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const answer = await fetch(urlOf(port) + path, init);
  const text = await answer.text();
  return [
    answer.status,
    answer.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text,
  ];
}
function connect(port: Port): Connection {
  const connection = new Connection(Number(new URL(urlOf(port)).port));
  open.push(connection);
  return connection;
}
function expectProblem(answer: Answer | null, status: number): void {
  expect(answer?.status).toBe(status);
  expect(answer?.headers['content-type']).toBe('application/problem+json; charset=utf-8');
}
/** The statuses of the refusals that the log tells of since its line `from`. */
const refusals = (from: number): unknown[] =>
  door.service.log.lines
    .slice(from)
    .filter(({ fields }) => fields['event'] === 'request.refused')
    .map(({ fields }) => fields['status']);
const NOT_FOUND = [404, expect.objectContaining({ code: 'NOT_FOUND' })];

describe('with ADMIN_PORT', () => {
  it('there are two ports', () => {
    expect(urlOf('admin')).not.toBe(urlOf('public'));
  });

  it('senders are heard on the public one alone', async () => {
    const push = pushOfApprover();
    const rows = await door.count();
    for (const path of ['/webhook/event', '/webhook/feishu/default', '/webhook/github'])
      expect(await get('admin', path, { method: 'POST', ...push })).toEqual(NOT_FOUND);
    expect(await door.count()).toEqual(rows);
    expect((await get('public', '/webhook/event', { method: 'POST', ...push }))[0]).toBe(200);
  });

  it.each([
    '/metrics',
    '/api/v1/session',
    '/api/v1/events',
    '/api/v1/login/ways',
    '/api/docs',
    '/api/v1/openapi.json',
  ])('%s is on the admin one alone', async (path) => {
    expect(await get('public', path)).toEqual(NOT_FOUND);
    expect((await get('admin', path))[0]).not.toBe(404);
  });

  it.each([
    ['two slashes', '//metrics'],
    ['an encoded letter', '/%6detrics'],
    ['a query', '/metrics?x=/health/ready'],
    ['an absolute address', `http://127.0.0.1/metrics`],
  ])('%s does not lead to the metrics on the public one', async (_, path) => {
    const head = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`;
    const answer = await connect('public').send(head).answer();
    expect(answer?.status).toBe(404);
    expect(answer?.body).not.toContain('aftersign_');
  });

  it('health is on both, and the reasons on the admin one alone', async () => {
    for (const port of ['public', 'admin'] as const)
      expect(await get(port, '/health/live')).toEqual([200, { live: true }]);
    expect(await get('public', '/health/ready')).toEqual([200, { ready: true }]);
    expect(await get('admin', '/health/ready')).toEqual([
      200,
      expect.objectContaining({ ready: true, database: 'ok', reasons: [], warnings: expect.any(Array) }),
    ]);
  });

  it('both end a connection whose header does not come', async () => {
    const before = door.service.log.lines.length;
    const ports = ['public', 'admin'] as const;
    // At once, since each takes 5 s.
    const both = ports.map((port) => connect(port).send('GET /health/live HTTP/1.1\r\nhost: a\r\n'));
    for (const connection of both) expectProblem(await connection.answer(12_000), 408);
    expect(refusals(before)).toEqual([408, 408]);
    for (const port of ports) expect((await get(port, '/health/live'))[0]).toBe(200);
  });

  describe.each<Port>(['public', 'admin'])('the %s one', (port) => {
    const refused = async (send: (connection: Connection) => unknown, status: number): Promise<void> => {
      const before = door.service.log.lines.length;
      const connection = connect(port);
      send(connection);
      expectProblem(await connection.answer(), status);
      expect(refusals(before)).toEqual([status]);
      expect((await get(port, '/health/live'))[0]).toBe(200);
    };

    it('refuses a request without a host', () =>
      refused((connection) => connection.send('GET /health/live HTTP/1.1\r\n\r\n'), 400));

    it('refuses CONNECT', () =>
      refused(
        (connection) => connection.send('CONNECT 127.0.0.1:5432 HTTP/1.1\r\nhost: 127.0.0.1:5432\r\n\r\n'),
        405,
      ));

    it('refuses what is no HTTP', () => refused((connection) => connection.send('noise\r\n\r\n'), 400));

    it('refuses a header of 64 kB', () =>
      refused(
        (connection) =>
          connection.send(`GET /health/live HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(65_536)}\r\n\r\n`),
        431,
      ));

    it('refuses a body of more than 1 MiB', () => {
      const path = port === 'public' ? '/webhook/event' : '/api/v1/login';
      const head = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1048577\r\n\r\n`;
      return refused((connection) => connection.send(head).send('x'.repeat(1_048_577)), 413);
    });
  });
});
