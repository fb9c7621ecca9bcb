// Signing in, sessions and passwords, over HTTP. Real: the service and its database. The clock is the test's.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { AccessWatch } from '../../../src/console/access/access-watch.js';
import { ADMIN_PASSWORD, startService, type TestService } from '../../support/app.js';
import { type Answer, askWith, Browser } from '../../support/browser.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WRONG = 'this is not the one';

let database: TestDatabase;
let dataSource: DataSource;
let service: TestService;
const clock = new TestClock();

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
  service = await startService({ DATABASE_URL: database.url, ROLE: 'console' }, clock);
});
afterAll(async () => {
  await service.close();
  await database.drop();
});
beforeEach(async () => {
  await dataSource.query('delete from login_failures');
});

const browser = (): Browser => new Browser(service.adminUrl);
async function signedIn(name = 'admin', password = ADMIN_PASSWORD): Promise<Browser> {
  const one = browser();
  expect(await one.login(name, password)).toMatchObject({ status: 200 });
  return one;
}
const session = (of: Browser): Promise<Answer> => of.ask('GET', '/api/v1/session');
const audit = async (action: string): Promise<{ actor: string; detail: unknown; means: string }[]> =>
  await dataSource.query(
    'select actor, means, detail, address from audit_log where action = $1 order by id',
    [action],
  );

describe('a sign-in', () => {
  it('says who one is, and sets a cookie that no script and no other site can use', async () => {
    const one = browser();
    const answer = await one.login('ADMIN ', ADMIN_PASSWORD);
    expect(answer.body).toEqual({
      name: 'admin',
      role: 'admin',
      means: 'session',
      csrf: expect.stringMatching(/^[\w-]{43}$/),
      mustChangePassword: false,
      expiresAt: new Date(clock.now() + 7 * 24 * HOUR).toISOString(),
    });
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith('aftersign_session='));
    expect(cookie).toMatch(/^aftersign_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await session(one)).body).toEqual(answer.body);
    const stored = JSON.stringify(await dataSource.query('select * from sessions'));
    expect(stored).not.toContain(one.cookies.get('aftersign_session'));
  });

  it('answers the same to a wrong password, an unknown name, and a name that cannot be', async () => {
    const answers = [
      await browser().login('admin', WRONG),
      await browser().login('nobody', WRONG),
      await browser().login('no body\0', WRONG),
      await browser().login('', ''),
    ];
    for (const { status, body } of answers)
      expect([status, body]).toEqual([
        401,
        { status: 401, code: 'LOGIN_FAILED', detail: 'The name or the password is wrong.' },
      ]);
    const failed = (await audit('login.failed')).map(({ actor, means }) => [actor, means]);
    expect(failed).toEqual([
      ['admin', 'none'],
      ['nobody', 'none'],
      ['no body', 'none'],
      ['', 'none'],
    ]);
    expect(JSON.stringify(await dataSource.query('select * from audit_log'))).not.toContain(WRONG);
  });

  it('keeps 64 characters of a name that was typed', async () => {
    await browser().login('x'.repeat(900), WRONG);
    expect((await audit('login.failed')).at(-1)?.actor).toBe('x'.repeat(64));
  });

  it('ends the session that the browser had, and makes another', async () => {
    const one = await signedIn();
    const before = one.cookies.get('aftersign_session') ?? '';
    await one.login('admin', ADMIN_PASSWORD);
    expect(one.cookies.get('aftersign_session')).not.toBe(before);
    const thief = browser();
    thief.cookies.set('aftersign_session', before);
    expect(await session(thief)).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' });
    expect(await session(one)).toMatchObject({ status: 200 });
  });

  it('does not take a session that somebody else chose', async () => {
    const one = browser();
    one.cookies.set('aftersign_session', 'A'.repeat(43));
    await one.login('admin', ADMIN_PASSWORD);
    expect(one.cookies.get('aftersign_session')).not.toBe('A'.repeat(43));
  });

  it('is refused to a page of another origin', async () => {
    const body = { name: 'admin', password: ADMIN_PASSWORD };
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect(
        await browser().ask('POST', '/api/v1/login', body, headers as Record<string, string>),
      ).toMatchObject({
        status: 403,
        code: 'CSRF',
      });
    expect(
      await browser().ask('POST', '/api/v1/login', body, { 'content-type': 'text/plain' }),
    ).toMatchObject({ status: 415 });
  });

  it('says what it does not take', async () => {
    expect(
      await browser().ask('POST', '/api/v1/login', { name: 'admin', password: 'x', more: 1 }),
    ).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
    });
  });

  it('tells how one can sign in', async () => {
    expect((await browser().ask('GET', '/api/v1/login/ways')).body).toEqual({ password: true, oidc: null });
    expect(await browser().ask('GET', '/api/v1/login/oidc')).toMatchObject({
      status: 404,
      code: 'OIDC_NOT_CONFIGURED',
    });
  });
});

describe('a session', () => {
  it('ends after twelve hours without a request', async () => {
    const one = await signedIn();
    for (let time = 0; time < 3; time += 1) {
      clock.advance(11 * HOUR);
      expect(await session(one)).toMatchObject({ status: 200 });
    }
    clock.advance(12 * HOUR + MINUTE);
    expect(await session(one)).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' });
  });

  it('ends after seven days, whatever is asked', async () => {
    const one = await signedIn();
    for (let hour = 0; hour < 7 * 24; hour += 6) {
      expect(await session(one)).toMatchObject({ status: 200 });
      clock.advance(6 * HOUR);
    }
    expect(await session(one)).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' });
  });

  it('writes its use once a minute', async () => {
    const one = await signedIn();
    const used = async (): Promise<number> =>
      (
        await dataSource.query<{ at: Date }[]>('select max(last_used_at) as at from sessions')
      )[0]!.at.getTime();
    const begun = clock.now();
    clock.advance(MINUTE - 1);
    await session(one);
    expect(await used()).toBe(begun);
    clock.advance(1);
    await session(one);
    expect(await used()).toBe(begun + MINUTE);
  });

  it('ends with a logout, and only by a page of ours', async () => {
    const one = await signedIn();
    const cookie = one.cookies.get('aftersign_session') ?? '';
    expect(await one.ask('POST', '/api/v1/logout', undefined, { 'x-csrf-token': '' })).toMatchObject({
      code: 'CSRF',
    });
    expect(await one.ask('POST', '/api/v1/logout')).toMatchObject({ status: 204 });
    expect(one.cookies.has('aftersign_session')).toBe(false);
    one.cookies.set('aftersign_session', cookie);
    expect(await session(one)).toMatchObject({ status: 401 });
    expect(await audit('logout')).toHaveLength(1);
  });

  it('follows a change of its user at once', async () => {
    const admin = await signedIn();
    await admin.ask('POST', '/api/v1/users', {
      name: 'shifting',
      role: 'admin',
      password: 'twelve characters',
    });
    const one = await signedIn('shifting', 'twelve characters');
    const users = (): Promise<Answer> => one.ask('GET', '/api/v1/users');
    expect(await users()).toMatchObject({ status: 200 });
    await admin.ask('PATCH', '/api/v1/users/shifting', { role: 'operator' });
    expect(await users()).toMatchObject({ status: 403, code: 'ROLE_MISSING' });
    await admin.ask('PATCH', '/api/v1/users/shifting', { disabled: true });
    expect(await users()).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' });
    expect(await browser().login('shifting', 'twelve characters')).toMatchObject({ code: 'LOGIN_FAILED' });
    await admin.ask('PATCH', '/api/v1/users/shifting', { disabled: false });
    expect(await users()).toMatchObject({ status: 401 });
    const again = await signedIn('shifting', 'twelve characters');
    await admin.ask('DELETE', '/api/v1/users/shifting');
    expect(await session(again)).toMatchObject({ status: 401 });
  });

  it('opens nothing for a user who was disabled in any way', async () => {
    const admin = await signedIn();
    const user = { name: 'shut', role: 'admin', password: 'twelve characters' };
    await admin.ask('POST', '/api/v1/users', user);
    const one = await signedIn('shut', 'twelve characters');
    await dataSource.query(`update users set disabled = true where name = 'shut'`);
    expect(await session(one)).toMatchObject({ status: 401, code: 'SESSION_EXPIRED' });
  });

  it('is behind https only where people reach the console by https', async () => {
    const secure = await startService(
      { DATABASE_URL: database.url, ROLE: 'console', PUBLIC_URL: 'https://aftersign.example.com' },
      clock,
    );
    try {
      const one = new Browser(secure.adminUrl);
      const answer = await one.ask(
        'POST',
        '/api/v1/login',
        { name: 'admin', password: ADMIN_PASSWORD },
        { origin: 'https://aftersign.example.com' },
      );
      const lines = answer.headers.getSetCookie();
      expect(lines[0]).toMatch(
        /^__Host-aftersign_session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
      expect(lines[1]).toMatch(
        /^__Secure-aftersign_device=[\w.-]+; Max-Age=15552000; Path=\/api\/v1\/login; HttpOnly; Secure; SameSite=Strict$/,
      );
      expect(await session(one)).toMatchObject({ status: 200 });
      // The name without the prefix may be anybody's.
      const other = new Browser(secure.adminUrl);
      other.cookies.set('aftersign_session', one.cookies.get('__Host-aftersign_session') ?? '');
      expect(await session(other)).toMatchObject({ status: 401 });
    } finally {
      await secure.close();
    }
  });
});

describe('a change of the password', () => {
  const change = (of: Browser, current: string, next: string): Promise<Answer> =>
    of.ask('POST', '/api/v1/password', { current, next });

  it('ends all other sessions, and leaves the one that asked', async () => {
    const admin = await signedIn();
    await admin.ask('POST', '/api/v1/users', { name: 'anna', role: 'viewer', password: 'twelve characters' });
    const [one, other] = [
      await signedIn('anna', 'twelve characters'),
      await signedIn('anna', 'twelve characters'),
    ];
    expect(await change(one, 'twelve characters', 'thirteen characters')).toMatchObject({ status: 204 });
    expect(await session(one)).toMatchObject({ status: 200 });
    expect(await session(other)).toMatchObject({ status: 401 });
    expect(await browser().login('anna', 'twelve characters')).toMatchObject({ status: 401 });
    await signedIn('anna', 'thirteen characters');
  });

  it('needs the current one, and slows down whoever guesses it', async () => {
    const one = await signedIn('anna', 'thirteen characters');
    for (let time = 0; time < 6; time += 1)
      expect(await change(one, WRONG, 'fourteen characters')).toMatchObject({
        status: 403,
        code: 'PASSWORD_WRONG',
      });
    expect(await change(one, 'thirteen characters', 'fourteen characters')).toMatchObject({
      status: 429,
      code: 'LOGIN_BLOCKED',
    });
    clock.advance(1000);
    expect(await change(one, 'thirteen characters', 'short')).toMatchObject({
      status: 400,
      code: 'REQUEST_INVALID',
    });
    expect(await change(one, 'thirteen characters', 'thirteen characters')).toMatchObject({ status: 400 });
    expect(await change(one, 'thirteen characters', 'fourteen characters')).toMatchObject({ status: 204 });
  });

  it('comes first with a one-time password', async () => {
    const admin = await signedIn();
    const { body } = await admin.ask('POST', '/api/v1/users', { name: 'new', role: 'admin' });
    const { oneTimePassword } = body as { oneTimePassword: string };
    expect(oneTimePassword).toMatch(/^(?:[a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    const one = browser();
    expect((await one.login('new', oneTimePassword)).body).toMatchObject({ mustChangePassword: true });
    for (const [method, path] of [
      ['GET', '/api/v1/users'],
      ['GET', '/api/v1/events'],
      ['POST', '/api/v1/tokens'],
    ] as const)
      expect(await one.ask(method, path, method === 'POST' ? { name: 'x' } : undefined)).toMatchObject({
        status: 403,
        code: 'PASSWORD_CHANGE_REQUIRED',
      });
    expect(await session(one)).toMatchObject({ status: 200 });
    expect(await change(one, oneTimePassword, 'a password of mine')).toMatchObject({ status: 204 });
    expect(await one.ask('GET', '/api/v1/users')).toMatchObject({ status: 200 });
    expect((await session(one)).body).toMatchObject({ mustChangePassword: false });
  });
});

describe('a token', () => {
  it('opens what its user may, is shown once, and stored as a hash', async () => {
    const admin = await signedIn();
    const { body, status } = await admin.ask('POST', '/api/v1/tokens', { name: 'script', role: 'operator' });
    const made = body as { token: string; id: string };
    expect(status).toBe(201);
    expect(made).toMatchObject({ user: 'admin', role: 'operator', lastUsedAt: null, revokedAt: null });
    expect(made.token).toMatch(/^ast_[\w-]{43}$/);
    const at = `${service.adminUrl}/api/v1/session`;
    expect((await askWith(made.token, at)).body).toMatchObject({
      name: 'admin/script',
      role: 'operator',
      means: 'token',
      csrf: null,
    });
    expect(await askWith(made.token, `${service.adminUrl}/api/v1/users`)).toMatchObject({
      code: 'ROLE_MISSING',
    });
    const { items } = (await admin.ask('GET', '/api/v1/tokens')).body as { items: { id: string }[] };
    expect(items[0]).toMatchObject({ id: made.id, lastUsedAt: new Date(clock.now()).toISOString() });
    expect(
      JSON.stringify(items) + JSON.stringify(await dataSource.query('select * from tokens')),
    ).not.toContain(made.token.slice(4));
    expect(JSON.stringify(service.log.lines)).not.toContain(made.token.slice(4));
  });

  it('opens nothing after its time, and nothing once revoked', async () => {
    const admin = await signedIn();
    const at = `${service.adminUrl}/api/v1/session`;
    const make = async (): Promise<{ token: string; id: string }> =>
      (await admin.ask('POST', '/api/v1/tokens', { name: 'brief', expiresInDays: 1 })).body as never;
    const [one, other] = [await make(), await make()];
    expect(await admin.ask('DELETE', `/api/v1/tokens/${one.id}`)).toMatchObject({ status: 204 });
    expect(await askWith(one.token, at)).toMatchObject({ status: 401, code: 'TOKEN_EXPIRED' });
    expect(await askWith(other.token, at)).toMatchObject({ status: 200 });
    clock.advance(24 * HOUR);
    expect(await askWith(other.token, at)).toMatchObject({ status: 401, code: 'TOKEN_EXPIRED' });
  });

  it('is never in a URL', async () => {
    const admin = await signedIn();
    const { body } = await admin.ask('POST', '/api/v1/tokens', { name: 'url' });
    const { token } = body as { token: string };
    for (const query of [`access_token=${token}`, `token=${token}`])
      expect(await browser().ask('GET', `/api/v1/users?${query}`)).toMatchObject({ status: 401 });
  });

  it('makes no token that is more than itself', async () => {
    const admin = await signedIn();
    const { body } = await admin.ask('POST', '/api/v1/tokens', {
      name: 'maker',
      role: 'operator',
      expiresInDays: 10,
    });
    const { token, expiresAt } = body as { token: string; expiresAt: string };
    const at = `${service.adminUrl}/api/v1/tokens`;
    expect(await askWith(token, at, 'POST', { name: 'child', role: 'admin' })).toMatchObject({
      code: 'ROLE_MISSING',
    });
    expect((await askWith(token, at, 'POST', { name: 'child', expiresInDays: 365 })).body).toMatchObject({
      role: 'operator',
      expiresAt,
    });
  });

  it('of others is for admins to see and to revoke', async () => {
    const admin = await signedIn();
    const mine = (await admin.ask('POST', '/api/v1/tokens', { name: 'mine' })).body as { id: string };
    await admin.ask('POST', '/api/v1/users', {
      name: 'ben',
      role: 'operator',
      password: 'twelve characters',
    });
    const ben = await signedIn('ben', 'twelve characters');
    const his = (await ben.ask('POST', '/api/v1/tokens', { name: 'his' })).body as { id: string };
    expect(await ben.ask('DELETE', `/api/v1/tokens/${mine.id}`)).toMatchObject({
      status: 404,
      code: 'TOKEN_UNKNOWN',
    });
    expect(await ben.ask('DELETE', '/api/v1/tokens/x')).toMatchObject({ status: 404, code: 'TOKEN_UNKNOWN' });
    expect(await ben.ask('GET', '/api/v1/tokens?user=admin')).toMatchObject({
      status: 403,
      code: 'ROLE_MISSING',
    });
    expect((await ben.ask('GET', '/api/v1/tokens')).body).toMatchObject({
      items: [{ id: his.id }],
      next: null,
    });
    expect((await admin.ask('GET', '/api/v1/tokens?user=BEN')).body).toMatchObject({
      items: [{ id: his.id }],
    });
    expect(await admin.ask('DELETE', `/api/v1/tokens/${his.id}`)).toMatchObject({ status: 204 });
  });
});

describe('the sweep', () => {
  it('removes sessions that have ended and failures that are forgotten', async () => {
    await signedIn();
    await browser().login('admin', WRONG);
    clock.advance(13 * HOUR);
    const kept = await signedIn();
    await service.app.get(AccessWatch, { strict: false }).sweep();
    expect(await dataSource.query('select 1 from sessions')).toHaveLength(1);
    expect(await dataSource.query('select key from login_failures where failures > 0')).toEqual([]);
    expect(await session(kept)).toMatchObject({ status: 200 });
  });
});
