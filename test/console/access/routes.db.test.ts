// Every route of the router of the real service, with all roles open, against every kind of caller and every trick.
// Real: the service, its database, sockets. Nothing here names a route but those that are open to everybody, or that
// viewers may change something with: a new route stands in the tests by itself, and without @Access it fails them.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SystemClock } from '../../../src/config/clock.js';
import { USER_ROLES, type UserRole } from '../../../src/config/config.js';
import { createAccessServices } from '../../../src/console/access/access-services.js';
import { ADMIN_PASSWORD, startService, type TestService } from '../../support/app.js';
import { Browser } from '../../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { APP_SETTINGS } from '../../support/feishu.js';
import { temporaryFolder } from '../../support/folder.js';
import { type RawAnswer, RawClient, type Route, routesOf } from '../../support/routes.js';

/** Open to everybody, on purpose. */
const OPEN = [
  // The console: what it shows it asks for, with a login.
  'GET /',
  'GET /console',
  'GET /console*',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'POST /webhook/event',
  'POST /webhook/feishu/:name',
  'POST /webhook/:name',
  'OPTIONS /webhook/:name',
  'POST /api/v1/login',
  'GET /api/v1/login/ways',
  'GET /api/v1/login/oidc',
  'GET /api/v1/login/oidc/callback',
  'GET /api/v1/openapi.json',
  'GET /api/docs',
  'GET /api/docs/:asset',
];
/** What is one's own may be changed by viewers; all else needs more. */
const OWN = [
  'POST /api/v1/logout',
  'POST /api/v1/password',
  'POST /api/v1/tokens',
  'DELETE /api/v1/tokens/:id',
];
const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE'];
const UUID = '0198c0de-0000-7000-8000-000000000000';
const REFUSED = [401, 403, 404, 405, 413];

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const filled = ({ path }: Route): string => path.replace(/:\w+/g, UUID);
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

let database: TestDatabase;
let dataSource: DataSource;
let service: TestService;
let client: RawClient;
let routes: Route[];
let closed: Route[];
const tokens = {} as Record<UserRole | 'expired' | 'revoked' | 'disabled' | 'demoted', string>;
let admin: Browser;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({
    ...APP_SETTINGS,
    DATABASE_URL: database.url,
    RULES_DIR: temporaryFolder('access'),
  });
  dataSource = await database.open(2);
  client = new RawClient(service.adminUrl);
  routes = routesOf(service.app);
  const isOpen = ({ method, path }: Route): boolean =>
    OPEN.includes(`${method === 'HEAD' ? 'GET' : method} ${path}`);
  closed = routes.filter((route) => !isOpen(route));
  const clock = new SystemClock();
  const { users, tokens: made } = createAccessServices({
    dataSource,
    clock,
    dataDir: temporaryFolder('access'),
  });
  const here = { name: 'test@host', role: 'admin', means: 'command', userId: null, address: null } as const;
  for (const [name, role] of [
    ...USER_ROLES.map((one) => [one, one] as const),
    ['expired', 'admin'],
    ['revoked', 'admin'],
    ['disabled', 'admin'],
    ['demoted', 'admin'],
  ] as const) {
    const user = `user-${name}`;
    await users.create(here, { name: user, role, password: 'twelve characters' });
    const token = await made.create(here, { name: 'test', expiresInDays: 90 }, { user });
    tokens[name] = token.token;
    if (name === 'expired')
      await dataSource.query(`update tokens set expires_at = now() - interval '1 s' where id = $1`, [
        token.id,
      ]);
    if (name === 'revoked') await made.revoke(here, token.id);
  }
  await users.change(here, 'user-disabled', { disabled: true });
  await users.change(here, 'user-demoted', { role: 'viewer' });
  admin = new Browser(service.adminUrl);
  await admin.login('admin', ADMIN_PASSWORD);
}, 60_000);
afterAll(async () => {
  client.close();
  await service.close();
  await database.drop();
});

/** Asks each route, some at once; answers what does not fit, by the route. */
async function misfits(
  some: readonly Route[],
  ask: (route: Route) => Promise<RawAnswer>,
  fits: (answer: RawAnswer, route: Route) => boolean,
): Promise<string[]> {
  const found: string[] = [];
  const left = [...some];
  const worker = async (): Promise<void> => {
    for (let route = left.shift(); route; route = left.shift()) {
      const answer = await ask(route);
      if (!fits(answer, route)) found.push(`${nameOf(route)} → ${answer.status} ${answer.code ?? ''}`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return found;
}

const plain = (route: Route, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  client.ask(route.method, filled(route), headers, bodyOf(route));
/** Fits no schema: whoever may, changes nothing. */
const bodyOf = ({ method }: Route): string | undefined =>
  UNSAFE.includes(method) && method !== 'DELETE' ? '{"no-such-key":1}' : undefined;
const isRefused = ({ status }: RawAnswer): boolean => REFUSED.includes(status);

/** The routes that a role may not use, as the service itself says. */
async function forbiddenTo(role: UserRole): Promise<Route[]> {
  const found: Route[] = [];
  for (const route of closed) {
    const { status } = await plain(route, bearer(tokens[role]));
    if (status === 403) found.push(route);
  }
  return found;
}

describe('every route', () => {
  it('is taken from the router itself', () => {
    const names = routes.map(nameOf);
    for (const open of OPEN) expect(names).toContain(open);
    for (const own of OWN) expect(names).toContain(own);
    expect(closed.length).toBeGreaterThan(30);
  });

  it('that is open answers without a login', async () => {
    const open = routes.filter((route) => !closed.includes(route));
    expect(
      await misfits(
        open,
        (route) => plain(route),
        ({ status, code }) => code !== 'LOGIN_REQUIRED' && status !== 403 && status < 500,
      ),
    ).toEqual([]);
  });

  it.each([
    ['no login', {}, 'LOGIN_REQUIRED'],
    ['an empty bearer', { authorization: 'Bearer ' }, 'LOGIN_REQUIRED'],
    ['a bearer of spaces', { authorization: 'Bearer    ' }, 'LOGIN_REQUIRED'],
    ['no scheme', { authorization: 'ast_' }, 'LOGIN_REQUIRED'],
    ['garbage', { authorization: 'Bearer x' }, 'LOGIN_REQUIRED'],
    ['an unknown token', bearer(`ast_${'A'.repeat(43)}`), 'LOGIN_REQUIRED'],
    ['admin:admin', { authorization: 'Basic YWRtaW46YWRtaW4=' }, 'LOGIN_REQUIRED'],
    ['a JWT without a signature', bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.'), 'LOGIN_REQUIRED'],
    ['an empty cookie', { cookie: 'aftersign_session=' }, undefined],
    ['an unknown session', { cookie: `aftersign_session=${'A'.repeat(43)}` }, 'SESSION_EXPIRED'],
    [
      'a header that says who it is',
      { 'x-forwarded-user': 'admin', 'x-remote-user': 'admin' },
      'LOGIN_REQUIRED',
    ],
    ['a forged address', { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' }, 'LOGIN_REQUIRED'],
    [
      'another path to rewrite to',
      { 'x-original-url': '/health/live', 'x-rewrite-url': '/health/live' },
      'LOGIN_REQUIRED',
    ],
  ])('answers 401 to %s', async (_, headers, wanted) => {
    expect(
      await misfits(
        closed,
        (route) => plain(route, headers as Record<string, string>),
        ({ status, code, headers: { 'www-authenticate': challenge } }, { method }) =>
          status === 401 &&
          challenge === 'Bearer' &&
          (method === 'HEAD' || wanted === undefined || code === wanted),
      ),
    ).toEqual([]);
  });

  it.each([
    ['expired', 'TOKEN_EXPIRED'],
    ['revoked', 'TOKEN_EXPIRED'],
    ['disabled', 'LOGIN_REQUIRED'],
  ] as const)('answers 401 to a token that is %s', async (name, wanted) => {
    expect(
      await misfits(
        closed,
        (route) => plain(route, bearer(tokens[name])),
        ({ status, code }, { method }) => status === 401 && (method === 'HEAD' || code === wanted),
      ),
    ).toEqual([]);
  });

  it('lets a token beside a good cookie decide alone', async () => {
    const headers = {
      ...bearer(tokens.expired),
      cookie: admin.cookieHeader(),
      'x-csrf-token': admin.csrf ?? '',
    };
    expect(
      await misfits(
        closed,
        (route) => plain(route, headers),
        ({ status }) => status === 401,
      ),
    ).toEqual([]);
  });

  it('has a role: an admin may use it, and nobody is shut out of all', async () => {
    const asAdmin = (route: Route): Promise<RawAnswer> => plain(route, bearer(tokens.admin));
    expect(
      await misfits(closed, asAdmin, ({ status }) => status !== 401 && status !== 403 && status < 500),
    ).toEqual([]);
  });

  it('opens to a role what it opens to those below', async () => {
    const viewer = (await forbiddenTo('viewer')).map(nameOf);
    const operator = (await forbiddenTo('operator')).map(nameOf);
    expect(viewer).toEqual(expect.arrayContaining(operator));
    expect(viewer.length).toBeGreaterThan(operator.length);
    expect(operator.length).toBeGreaterThan(0);
    const changing = closed.filter(({ method }) => UNSAFE.includes(method)).map(nameOf);
    expect(changing.filter((name) => !viewer.includes(name)).sort()).toEqual([...OWN].sort());
  });

  it('does not open to a token what its user may no more', async () => {
    const viewer = (await forbiddenTo('viewer')).map(nameOf);
    expect(
      await misfits(
        closed,
        (route) => plain(route, bearer(tokens.demoted)),
        ({ status }, route) => (status === 403) === viewer.includes(nameOf(route)),
      ),
    ).toEqual([]);
  });

  it.each([
    ['without the token against CSRF', {}],
    ['with another token against CSRF', { 'x-csrf-token': 'A'.repeat(43) }],
  ])('refuses a session %s', async (_, headers) => {
    const changing = closed.filter(({ method }) => UNSAFE.includes(method));
    expect(
      await misfits(
        changing,
        (route) => plain(route, { cookie: admin.cookieHeader(), ...(headers as Record<string, string>) }),
        ({ status, code }) => status === 403 && code === 'CSRF',
      ),
    ).toEqual([]);
  });

  it.each([
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['an Origin that is no URL', { origin: 'null' }],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a neighbour', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a session from %s, whatever it asks', async (_, headers) => {
    const cookies = { cookie: admin.cookieHeader(), 'x-csrf-token': admin.csrf ?? '' };
    expect(
      await misfits(
        closed,
        (route) => plain(route, { ...cookies, ...(headers as Record<string, string>) }),
        ({ status, code }, { method }) => status === 403 && (method === 'HEAD' || code === 'CSRF'),
      ),
    ).toEqual([]);
  });

  it('reflects no foreign origin', async () => {
    expect(
      await misfits(
        routes,
        (route) => plain(route, { origin: 'https://evil.example' }),
        ({ headers }) => headers['access-control-allow-origin'] === undefined,
      ),
    ).toEqual([]);
  });

  it('answers with the headers of security when it is of the API', async () => {
    const ofApi = routes.filter(({ path }) => path.startsWith('/api/'));
    for (const headers of [{}, bearer(tokens.admin)])
      expect(
        await misfits(
          ofApi,
          (route) => plain(route, headers),
          (answer) =>
            /^no-(?:store|cache)$/.test(String(answer.headers['cache-control'])) &&
            answer.headers['x-content-type-options'] === 'nosniff' &&
            answer.headers['referrer-policy'] === 'no-referrer' &&
            String(answer.headers['content-security-policy']).startsWith("default-src 'none'"),
        ),
      ).toEqual([]);
  });
});

const PATHS: readonly (readonly [string, (path: string) => string])[] = [
  ['%61 for an a', (path) => path.replace('a', '%61')],
  [
    'each letter as %XX',
    (path) => path.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  ],
  ['%2561 for an a', (path) => path.replace('a', '%2561')],
  ['%2f for a slash', (path) => path.replace(/\/(?=[^/]+$)/, '%2f')],
  ['upper case', (path) => path.toUpperCase()],
  ['a slash behind', (path) => `${path}/`],
  ['two slashes before', (path) => `/${path}`],
  ['two slashes within', (path) => path.replace(/\/(?=[^/]+$)/, '//')],
  ['/. behind', (path) => `${path}/.`],
  ['/./ within', (path) => path.replace(/\/(?=[^/]+$)/, '/./')],
  ['/health/.. before', (path) => `/health/..${path}`],
  ['%2e%2e before', (path) => `/health/%2e%2e${path}`],
  [';a=b behind', (path) => `${path};a=b`],
  ['?x=.svg behind', (path) => `${path}?x=.svg`],
  ['.json behind', (path) => `${path}.json`],
  ['a backslash before', (path) => `/\\${path}`],
  ['%00 behind', (path) => `${path}%00`],
  ['#behind', (path) => `${path}%23`],
  ['an absolute address', (path) => `http://localhost${path}`],
  ['_method in the query', (path) => `${path}?_method=GET`],
];

describe('no trick opens a route', () => {
  it.each(PATHS)('%s', async (_, trick) => {
    const forbidden = await forbiddenTo('viewer');
    for (const [some, headers] of [
      [closed, {}],
      [forbidden, bearer(tokens.viewer)],
    ] as const)
      expect(
        await misfits(
          some,
          (route) => client.ask(route.method, trick(filled(route)), { ...headers }, bodyOf(route)),
          (answer) => isRefused(answer) || answer.status === 400,
        ),
      ).toEqual([]);
  });

  it.each(['x-http-method-override', 'x-method-override', 'x-http-method', '_method'])(
    'another method by %s',
    async (header) => {
      expect(
        await misfits(
          closed,
          (route) => client.ask('POST', filled(route), { [header]: route.method }, '{}'),
          isRefused,
        ),
      ).toEqual([]);
      // Whoever may look does not change anything by it.
      const viewer = bearer(tokens.viewer);
      expect(
        await misfits(
          closed.filter(({ method }) => UNSAFE.includes(method)),
          async (route) => {
            const without = await client.ask('GET', filled(route), viewer);
            const withIt = await client.ask('GET', filled(route), { ...viewer, [header]: route.method });
            return { ...withIt, status: withIt.status === without.status ? 403 : 200 };
          },
          isRefused,
        ),
      ).toEqual([]);
    },
  );

  it.each(['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])('the method %s', async (method) => {
    const forbidden = await forbiddenTo('viewer');
    const gettable = new Set(routes.filter((route) => route.method === 'GET').map(({ path }) => path));
    for (const [some, headers] of [
      [closed, {}],
      // What viewers may get they may also get the head of.
      [
        forbidden.filter((route) => route.method === 'GET' || !gettable.has(route.path)),
        bearer(tokens.viewer),
      ],
    ] as const)
      expect(
        await misfits(
          some,
          (route) => client.ask(method, filled(route), { ...headers }),
          // Of methods that Node does not know it cannot even read the request.
          (answer) => isRefused(answer) || (method === 'QUERY' && answer.status === 400),
        ),
      ).toEqual([]);
  });

  it('an address that the headers rewrite', async () => {
    expect(
      await misfits(
        closed,
        (route) =>
          client.ask(route.method, '/nothing', {
            'x-original-url': filled(route),
            'x-rewrite-url': filled(route),
          }),
        ({ status }) => status === 404,
      ),
    ).toEqual([]);
  });

  it('a body that is too big', async () => {
    const changing = closed.filter(({ method }) => UNSAFE.includes(method));
    for (const headers of [{}, bearer(tokens.viewer), bearer(tokens.admin)])
      expect(
        await misfits(
          changing,
          // Longer than what is sent: the service has to refuse it by its head.
          (route) =>
            client.ask(route.method, filled(route), {
              ...headers,
              'content-type': 'application/json',
              'content-length': String(1024 * 1024 + 1),
            }),
          ({ status }) => status === 413 || status === 401,
        ),
      ).toEqual([]);
  });
});
