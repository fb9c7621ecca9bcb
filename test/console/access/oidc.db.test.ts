// Signing in at an OpenID provider. Real: the service, its database, `oidc-provider` on this machine, its own pages.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loadConfig } from '../../../src/config/config.js';
import { AccessWatch } from '../../../src/console/access/access-watch.js';
import { roleOf } from '../../../src/console/access/oidc-claims.js';
import { ADMIN_PASSWORD, startService, type TestService } from '../../support/app.js';
import { type Answer, Browser } from '../../support/browser.js';
import { TestClock } from '../../support/clock.js';
import { startConnectProxy } from '../../support/connect-proxy.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { CLIENT, freePort, TestIssuer } from '../../support/oidc.js';

let database: TestDatabase;
let dataSource: DataSource;
let service: TestService;
let issuer: TestIssuer;
let port: number;
// The provider's tokens have times of their own: this clock goes on from now.
const clock = new TestClock(Date.now());
const START = '/api/v1/login/oidc';
const TLS = new URL('../../fixtures/tls/localhost.crt', import.meta.url);

// The provider tells at length that it is set up for a test.
jest.spyOn(console, 'warn').mockImplementation(() => undefined);
jest.spyOn(console, 'info').mockImplementation(() => undefined);

const settings = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  DATABASE_URL: database.url,
  ROLE: 'console',
  PORT: String(port),
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  OIDC_ISSUER: issuer.url,
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
  OIDC_ROLES: 'admin=leads,operator=ops,viewer=staff',
  ...more,
});

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
  port = await freePort();
  issuer = await TestIssuer.start({ redirectUri: `http://127.0.0.1:${port}${START}/callback` });
  service = await startService(settings(), clock);
});
afterAll(async () => {
  await service.close();
  await issuer.close();
  await database.drop();
});
beforeEach(async () => {
  issuer.intercept = null;
  issuer.people.clear();
  await dataSource.query('delete from login_flows');
});

const begin = async (browser: Browser): Promise<string> => {
  const answer = await browser.ask('GET', START);
  expect(answer.status).toBe(302);
  return answer.headers.get('location') ?? '';
};
/** From the button to the page that goes on. */
async function signIn(browser: Browser, login: string): Promise<Answer> {
  return await browser.ask('GET', await issuer.signIn(await begin(browser), login));
}
const fresh = (): Browser => new Browser(service.adminUrl);
const session = (of: Browser): Promise<Answer> => of.ask('GET', '/api/v1/session');

describe('a sign-in at the provider', () => {
  it('makes a user, opens a session, and goes on to the console', async () => {
    issuer.people.set('4711', { preferred_username: 'Anna Li', groups: ['staff', 'ops'] });
    const one = fresh();
    expect((await one.ask('GET', '/api/v1/login/ways')).body).toEqual({
      password: true,
      oidc: { issuer: issuer.url },
    });
    const asked = new URL(await begin(one));
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      client_id: CLIENT.id,
      response_type: 'code',
      redirect_uri: `http://127.0.0.1:${port}${START}/callback`,
      scope: 'openid profile email',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const answer = await signIn(one, '4711');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect(answer.body).toContain('<meta http-equiv="refresh" content="0;url=/console/">');
    expect(answer.body).not.toContain('script');
    expect([...one.cookies.keys()]).toEqual(['aftersign_session']);
    expect((await session(one)).body).toMatchObject({ name: 'anna-li', role: 'operator', means: 'session' });
    const [user] = await dataSource.query<unknown[]>(`select * from users where name = 'anna-li'`);
    expect(user).toMatchObject({
      identity: `${issuer.url}|4711`,
      password: null,
      must_change_password: false,
    });
  });

  it('sets a cookie for the way back that is sent along from elsewhere, and no script can read', async () => {
    const answer = await fresh().ask('GET', START);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^aftersign_flow=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
  });

  it('finds the same user again, with the role of the moment', async () => {
    issuer.people.set('7', { preferred_username: 'carl', groups: ['leads', 'staff'] });
    const one = fresh();
    await signIn(one, '7');
    expect((await session(one)).body).toMatchObject({ name: 'carl', role: 'admin' });
    issuer.people.set('7', { preferred_username: 'carla', groups: 'staff' });
    const other = fresh();
    await signIn(other, '7');
    expect((await session(other)).body).toMatchObject({ name: 'carl', role: 'viewer' });
    expect((await session(one)).body).toMatchObject({ role: 'viewer' });
  });

  it('never takes over a local user, whatever the provider calls somebody', async () => {
    issuer.people.set('8', { preferred_username: 'admin', groups: ['staff'] });
    issuer.people.set('9', { email: 'ADMIN', groups: ['staff'] });
    for (const [login, name] of [
      ['8', 'admin-2'],
      ['9', 'admin-3'],
    ] as const) {
      const one = fresh();
      await signIn(one, login);
      expect((await session(one)).body).toMatchObject({ name, role: 'viewer' });
    }
    expect(await fresh().login('admin', ADMIN_PASSWORD)).toMatchObject({ status: 200 });
    // And no password opens what has none.
    expect(await fresh().login('admin-2', '')).toMatchObject({ status: 401, code: 'LOGIN_FAILED' });
  });

  it('ends the session that the browser had', async () => {
    issuer.people.set('10', { preferred_username: 'dora', groups: ['staff'] });
    const one = fresh();
    await one.login('admin', ADMIN_PASSWORD);
    const thief = fresh();
    thief.cookies.set('aftersign_session', one.cookies.get('aftersign_session') ?? '');
    await signIn(one, '10');
    expect((await session(one)).body).toMatchObject({ name: 'dora' });
    expect(await session(thief)).toMatchObject({ status: 401 });
  });
});

describe('nobody comes in', () => {
  it.each([
    ['without a group', {}],
    ['with groups that have no role', { groups: ['guests'] }],
    ['with a group that is no text', { groups: [{ name: 'leads' }, 7, null] }],
  ])('%s', async (_, claims) => {
    issuer.people.set('20', { preferred_username: 'eve', ...claims });
    const one = fresh();
    expect(await signIn(one, '20')).toMatchObject({ status: 403, code: 'OIDC_NO_ROLE' });
    expect(one.cookies.size).toBe(0);
    expect(await dataSource.query(`select 1 from users where name = 'eve'`)).toEqual([]);
    const [entry] = await dataSource.query<unknown[]>('select * from audit_log order by id desc limit 1');
    expect(entry).toMatchObject({
      action: 'login.failed',
      actor: 'eve',
      detail: { way: 'oidc', code: 'OIDC_NO_ROLE' },
    });
  });

  it('who had a role and has none any more: what was open is closed', async () => {
    issuer.people.set('21', { preferred_username: 'finn', groups: ['ops'] });
    const one = fresh();
    await signIn(one, '21');
    one.csrf = ((await session(one)).body as { csrf: string }).csrf;
    const made = await one.ask('POST', '/api/v1/tokens', { name: 'mine' });
    const { token } = made.body as { token: string };
    issuer.people.set('21', { preferred_username: 'finn' });
    expect(await signIn(fresh(), '21')).toMatchObject({ code: 'OIDC_NO_ROLE' });
    expect(await session(one)).toMatchObject({ status: 401 });
    const answer = await fetch(`${service.adminUrl}/api/v1/session`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
  });

  it('who is disabled', async () => {
    issuer.people.set('22', { preferred_username: 'gina', groups: ['ops'] });
    await signIn(fresh(), '22');
    const admin = fresh();
    await admin.login('admin', ADMIN_PASSWORD);
    await admin.ask('PATCH', '/api/v1/users/gina', { disabled: true });
    expect(await signIn(fresh(), '22')).toMatchObject({ status: 403, code: 'USER_DISABLED' });
  });

  const UNKNOWN = { status: 400, code: 'OIDC_FLOW_UNKNOWN' };
  const back = async (browser: Browser): Promise<URL> => {
    issuer.people.set('23', { preferred_username: 'hans', groups: ['ops'] });
    return new URL(await issuer.signIn(await begin(browser), '23'));
  };
  const isOut = async (browser: Browser): Promise<void> => {
    expect(browser.cookies.has('aftersign_session')).toBe(false);
    expect(await session(browser)).toMatchObject({ status: 401 });
  };

  it('with another state', async () => {
    const one = fresh();
    const url = await back(one);
    url.searchParams.set('state', 'A'.repeat(43));
    expect(await one.ask('GET', url.href)).toMatchObject(UNKNOWN);
    await isOut(one);
  });

  it('without a state', async () => {
    const one = fresh();
    const url = await back(one);
    url.searchParams.delete('state');
    expect(await one.ask('GET', url.href)).toMatchObject(UNKNOWN);
    await isOut(one);
  });

  it('with two states', async () => {
    const one = fresh();
    const url = await back(one);
    url.searchParams.append('state', 'A'.repeat(43));
    expect((await one.ask('GET', url.href)).status).toBe(403);
    await isOut(one);
  });

  it('a second time with the same way back', async () => {
    const one = fresh();
    const url = await back(one);
    const flow = one.cookies.get('aftersign_flow') ?? '';
    expect(await one.ask('GET', url.href)).toMatchObject({ status: 200 });
    const other = fresh();
    other.cookies.set('aftersign_flow', flow);
    expect(await other.ask('GET', url.href)).toMatchObject(UNKNOWN);
    await isOut(other);
  });

  it('in another browser, with a flow of its own or without one', async () => {
    const url = await back(fresh());
    const victim = fresh();
    expect(await victim.ask('GET', url.href)).toMatchObject(UNKNOWN);
    await begin(victim);
    expect(await victim.ask('GET', url.href)).toMatchObject(UNKNOWN);
    await isOut(victim);
  });

  it('after ten minutes', async () => {
    const one = fresh();
    const url = await back(one);
    const now = clock.now();
    clock.advance(600_000);
    expect(await one.ask('GET', url.href)).toMatchObject(UNKNOWN);
    clock.advance(now - clock.now());
    await isOut(one);
  });

  it('with an ID token that was made for another nonce', async () => {
    const one = fresh();
    const asked = new URL(await begin(one));
    asked.searchParams.set('nonce', 'of somebody else');
    issuer.people.set('23', { preferred_username: 'hans', groups: ['ops'] });
    const url = await issuer.signIn(asked.href, '23');
    expect(await one.ask('GET', url)).toMatchObject({ status: 403, code: 'OIDC_REFUSED' });
    await isOut(one);
  });

  it('with a code that was made for another verifier', async () => {
    const one = fresh();
    const asked = new URL(await begin(one));
    asked.searchParams.set('code_challenge', 'A'.repeat(43));
    const url = await issuer.signIn(asked.href, '23');
    expect(await one.ask('GET', url)).toMatchObject({ status: 403, code: 'OIDC_REFUSED' });
    await isOut(one);
  });

  it('with a code that is none, or a way back of another issuer', async () => {
    const one = fresh();
    const url = await back(one);
    url.searchParams.set('code', 'none');
    expect(await one.ask('GET', url.href)).toMatchObject({ status: 403, code: 'OIDC_REFUSED' });
    const mixed = await back(one);
    mixed.searchParams.set('iss', 'https://evil.example');
    expect(await one.ask('GET', mixed.href)).toMatchObject({ status: 403, code: 'OIDC_REFUSED' });
    await isOut(one);
  });

  it('whom the provider sends back with an error', async () => {
    const one = fresh();
    const state = new URL(await begin(one)).searchParams.get('state') ?? '';
    const query = new URLSearchParams({ error: 'access_denied', state, iss: issuer.url });
    expect(await one.ask('GET', `${START}/callback?${query.toString()}`)).toMatchObject({
      status: 403,
      code: 'OIDC_REFUSED',
    });
  });

  it('and a browser comes back to the console, with our code and nothing of what the provider said', async () => {
    const one = fresh();
    const state = new URL(await begin(one)).searchParams.get('state') ?? '';
    const query = new URLSearchParams({
      error: 'access_denied',
      error_description: '<b>evil</b>',
      state,
      iss: issuer.url,
    });
    const asked = async (path: string): Promise<[number, string | null]> => {
      const answer = await one.ask('GET', path, undefined, { accept: 'text/html,application/xhtml+xml' });
      return [answer.status, answer.headers.get('location')];
    };
    const callback = `${START}/callback?${query.toString()}`;
    expect(await asked(callback)).toEqual([303, '/console/?problem=OIDC_REFUSED']);
    // Of the flow nothing is left.
    expect(one.cookies.size).toBe(0);
    expect(await asked(callback)).toEqual([303, '/console/?problem=OIDC_FLOW_UNKNOWN']);
    await isOut(one);
  });

  it('and no code, token or secret stands in the log', () => {
    const log = JSON.stringify(service.log.lines);
    expect(log).toContain('access.oidc-refused');
    expect(log).not.toContain(CLIENT.secret);
    expect(log).not.toMatch(/code=|eyJ/);
  });
});

describe('the provider', () => {
  /** Another service beside the first one, on the same address as far as the provider knows. */
  async function beside<T>(
    more: NodeJS.ProcessEnv,
    work: (browser: Browser, log: TestService) => Promise<T>,
  ): Promise<T> {
    const other = await startService(settings({ PORT: '0', ...more }), clock);
    try {
      return await work(new Browser(other.adminUrl), other);
    } finally {
      await other.close();
    }
  }
  const through = async (browser: Browser, login: string): Promise<Answer> => {
    const url = new URL(
      await issuer.signIn((await browser.ask('GET', START)).headers.get('location') ?? '', login),
    );
    return await browser.ask('GET', url.pathname + url.search);
  };

  it('may be away when the service starts, and is asked again when somebody signs in', async () => {
    issuer.people.set('30', { preferred_username: 'ida', groups: ['staff'] });
    await beside({}, async (browser) => {
      issuer.intercept = (request) => {
        request.socket.destroy();
        return true;
      };
      const answer = await browser.ask('GET', START);
      expect(answer).toMatchObject({ status: 503, code: 'OIDC_UNREACHABLE' });
      expect(answer.headers.get('retry-after')).toBe('30');
      issuer.intercept = (_, response) => {
        response.writeHead(500).end('no');
        return true;
      };
      expect(await browser.ask('GET', START)).toMatchObject({ status: 503, code: 'OIDC_UNREACHABLE' });
      const page = await browser.ask('GET', START, undefined, { accept: 'text/html' });
      expect([page.status, page.headers.get('location')]).toEqual([
        303,
        '/console/?problem=OIDC_UNREACHABLE',
      ]);
      issuer.intercept = null;
      expect(await through(browser, '30')).toMatchObject({ status: 200 });
    });
  });

  it('leads back below the path of PUBLIC_URL', async () => {
    await beside({ PUBLIC_URL: 'https://ops.example.com/aftersign/' }, async (browser) => {
      const accept = { accept: 'text/html' };
      const answer = await browser.ask('GET', `${START}/callback?state=x`, undefined, accept);
      expect([answer.status, answer.headers.get('location')]).toEqual([
        303,
        '/aftersign/console/?problem=OIDC_FLOW_UNKNOWN',
      ]);
    });
  });

  it('may go away while somebody signs in', async () => {
    const one = fresh();
    const url = await issuer.signIn(await begin(one), '30');
    issuer.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    expect(await one.ask('GET', url)).toMatchObject({ status: 503, code: 'OIDC_UNREACHABLE' });
  });

  it('is reached through the proxy of the settings', async () => {
    issuer.people.set('31', { preferred_username: 'jan', groups: ['staff'] });
    const proxy = await startConnectProxy({ login: 'me:secret' });
    try {
      await beside({ OUTBOUND_PROXY: proxy.url }, async (browser) => {
        expect(await through(browser, '31')).toMatchObject({ status: 200 });
      });
      expect(proxy.asked.length).toBeGreaterThan(0);
      expect(new Set(proxy.asked)).toEqual(new Set([new URL(issuer.url).host]));
    } finally {
      await proxy.close();
    }
  });

  it('may have the roles deep within another claim', async () => {
    issuer.people.set('32', { preferred_username: 'kim', realm_access: { roles: ['leads'] } });
    await beside({ OIDC_ROLE_CLAIM: 'realm_access.roles' }, async (browser) => {
      await through(browser, '32');
      expect((await session(browser)).body).toMatchObject({ name: 'kim', role: 'admin' });
    });
  });

  it('may know the client without a secret, by the body, or put the claims into the ID token', async () => {
    const redirectUri = `http://127.0.0.1:${port}${START}/callback`;
    for (const [auth, inIdToken] of [
      ['none', true],
      ['client_secret_post', false],
    ] as const) {
      const other = await TestIssuer.start({ redirectUri, auth, inIdToken });
      other.people.set('33', { preferred_username: `leo-${auth}`, groups: ['staff'] });
      const more = { OIDC_ISSUER: other.url, ...(auth === 'none' ? { OIDC_CLIENT_SECRET: '' } : {}) };
      await beside(more, async (browser) => {
        const start = (await browser.ask('GET', START)).headers.get('location') ?? '';
        const url = new URL(await other.signIn(start, '33'));
        expect(await browser.ask('GET', url.pathname + url.search)).toMatchObject({ status: 200 });
        expect((await session(browser)).body).toMatchObject({ role: 'viewer' });
      });
      await other.close();
    }
  });

  it('is believed only by its signature', async () => {
    issuer.people.set('34', { preferred_username: 'mia', groups: ['staff'] });
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await beside({}, async (browser) => {
      let asked = 0;
      issuer.intercept = ({ url }, response) => {
        if (url !== '/jwks') return false;
        asked += 1;
        const keys = [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }];
        response.setHeader('content-type', 'application/jwk-set+json').end(JSON.stringify({ keys }));
        return true;
      };
      expect(await through(browser, '34')).toMatchObject({ status: 403, code: 'OIDC_REFUSED' });
      expect(asked).toBeGreaterThan(0);
      expect(await session(browser)).toMatchObject({ status: 401 });
    });
  });

  it('over https is reached only by a certificate that holds', async () => {
    const [cert, key] = [readFileSync(TLS, 'utf8'), readFileSync(new URL('localhost.key', TLS), 'utf8')];
    const secure = await TestIssuer.start({ redirectUri: 'https://a.example/callback', tls: { cert, key } });
    const statusWith = async (more: NodeJS.ProcessEnv): Promise<number> =>
      await beside({ OIDC_ISSUER: secure.url, ...more }, async (one) => (await one.ask('GET', START)).status);
    expect(await statusWith({})).toBe(503);
    expect(await statusWith({ OUTBOUND_CA: TLS.pathname })).toBe(302);
    await secure.close();
  });

  it('sees no more than the table takes', async () => {
    await dataSource.query(
      `insert into login_flows select sha256(n::text::bytea), '', '', $1 from generate_series(1, 10000) n`,
      [new Date(clock.now() + 1000)],
    );
    expect(await fresh().ask('GET', START)).toMatchObject({ status: 503, code: 'LOGIN_BUSY' });
    clock.advance(1000);
    await service.app.get(AccessWatch, { strict: false }).sweep();
    expect(await dataSource.query('select 1 from login_flows')).toEqual([]);
    expect(await fresh().ask('GET', START)).toMatchObject({ status: 302 });
  });
});

describe('the settings', () => {
  const ISSUER = { OIDC_CLIENT_ID: 'x', PUBLIC_URL: 'https://a.example', OIDC_ROLES: 'viewer=*' };
  it.each(['http://login.example.com', 'http://10.0.0.1', 'http://127.0.0.1.example.com'])(
    'refuse %s',
    (url) => {
      expect(() => loadConfig({ ...ISSUER, OIDC_ISSUER: url })).toThrow('OIDC_ISSUER is http');
    },
  );
  it.each(['https://login.example.com', 'http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:1'])(
    'take %s',
    (url) => {
      expect(loadConfig({ ...ISSUER, OIDC_ISSUER: url }).OIDC_ISSUER).toBe(url);
    },
  );

  it.each([
    ['text', 'ops', 'operator'],
    ['the highest of several', ['staff', 'leads', 'ops'], 'admin'],
    ['none of them', ['other'], null],
    ['nothing', undefined, null],
    ['no text', 7, null],
    ['the star itself', '*', null],
  ] as const)('give a role to %s', (_, claim, role) => {
    const roles = new Map([
      ['leads', 'admin'],
      ['ops', 'operator'],
      ['staff', 'viewer'],
    ] as const);
    expect(roleOf(claim, roles)).toBe(role);
  });

  it('give a role to anybody by *', () => {
    const roles = new Map([
      ['*', 'viewer'],
      ['ops', 'operator'],
    ] as const);
    expect(roleOf(undefined, roles)).toBe('viewer');
    expect(roleOf(['other'], roles)).toBe('viewer');
    expect(roleOf(['ops'], roles)).toBe('operator');
  });
});
