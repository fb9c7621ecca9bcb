// Users, and the log of what was changed. Real: the database and the services; over HTTP where HTTP matters.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Actor } from '../../../src/config/access.js';
import { type AccessServices, createAccessServices } from '../../../src/console/access/access-services.js';
import { AUDIT_QUERY, AUDIT_ROW } from '../../../src/console/access/audit.schema.js';
import { TOKENS_QUERY } from '../../../src/console/access/tokens.schema.js';
import { lockUsers } from '../../../src/console/access/user-rows.js';
import { USER, USER_CHANGE, USERS_QUERY } from '../../../src/console/access/users.schema.js';
import { startService } from '../../support/app.js';
import { Browser } from '../../support/browser.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { temporaryFolder } from '../../support/folder.js';

const HERE: Actor = { name: 'root@host', role: 'admin', means: 'command', userId: null, address: null };
const PASSWORD = 'twelve characters';

let database: TestDatabase;
let dataSource: DataSource;
let access: AccessServices;
const clock = new TestClock();

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(8);
  access = createAccessServices({ dataSource, clock, dataDir: temporaryFolder('access') });
});
beforeEach(async () => {
  await dataSource.query('delete from users');
  await dataSource.query('delete from audit_log');
});
afterAll(() => database.drop());

/** A user without the cost of a hash. */
async function add(name: string, role: string, identity: string | null = null): Promise<void> {
  await dataSource.query(
    `insert into users (id, name, password, role, identity, created_at) values (gen_random_uuid(), $1, null, $2, $3, now())`,
    [name, role, identity],
  );
}
const admins = async (): Promise<number> =>
  (await dataSource.query<unknown[]>(`select 1 from users where role = 'admin' and not disabled`)).length;

describe('the last admin', () => {
  it.each([
    ['removed', () => access.users.remove(HERE, 'anna')],
    ['disabled', () => access.users.change(HERE, 'anna', { disabled: true })],
    ['made something less', () => access.users.change(HERE, 'anna', { role: 'operator' })],
  ])('cannot be %s', async (_, act) => {
    await add('anna', 'admin');
    await add('ben', 'admin');
    await access.users.change(HERE, 'ben', { disabled: true });
    await expect(act()).rejects.toMatchObject({ status: 409, code: 'LAST_ADMIN' });
    await access.users.change(HERE, 'ben', { disabled: false });
    await act();
    expect(await admins()).toBe(1);
  });

  it('stays when all go at once', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `admin-${index}`);
    for (const name of names) await add(name, 'admin');
    const outcomes = await Promise.allSettled(
      names.map((name, index) =>
        index % 3 === 0
          ? access.users.remove(HERE, name)
          : access.users.change(HERE, name, index % 3 === 1 ? { disabled: true } : { role: 'viewer' }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(await admins()).toBe(1);
  });

  it.each([
    ['change', () => access.users.change(HERE, 'ben', { disabled: true })],
    ['removal', () => access.users.remove(HERE, 'ben')],
  ])('is found out only when the %s before has ended', async (_, act) => {
    await add('anna', 'admin');
    await add('ben', 'admin');
    const before = dataSource.createQueryRunner();
    await before.startTransaction();
    await lockUsers(before.manager);
    await before.query(`update users set disabled = true where name = 'anna'`);
    let isOver = false;
    const outcome = act()
      .then(
        () => 'done',
        (error: unknown) => error,
      )
      .finally(() => {
        isOver = true;
      });
    const isWaiting = async (): Promise<string> => {
      const waiting = `select 1 from pg_locks where locktype = 'advisory' and not granted`;
      while (!isOver && (await dataSource.query<unknown[]>(waiting)).length === 0);
      return 'waits';
    };
    const first = await Promise.race([outcome, isWaiting()]);
    await before.commitTransaction();
    await before.release();
    expect(first).toBe('waits');
    expect(await outcome).toMatchObject({ code: 'LAST_ADMIN' });
  });

  it('that is disabled already can be removed', async () => {
    await add('anna', 'admin');
    await dataSource.query('update users set disabled = true');
    await access.users.remove(HERE, 'anna');
  });
});

describe('users', () => {
  it('are made with a password or with one for one time, and never shown with either', async () => {
    const anna = await access.users.create(HERE, { name: 'anna', role: 'viewer', password: PASSWORD });
    expect(anna).toMatchObject({ name: 'anna', role: 'viewer', mustChangePassword: false, identity: null });
    expect(anna).not.toHaveProperty('oneTimePassword');
    const ben = await access.users.create(HERE, { name: 'ben', role: 'admin' });
    expect(ben).toMatchObject({ mustChangePassword: true, oneTimePassword: expect.any(String) });
    const page = await access.users.list(HERE, USERS_QUERY.parse({}));
    expect(page.items.map(({ name }) => name)).toEqual(['ben', 'anna']);
    for (const item of page.items) expect(USER.strict().parse(item)).toEqual(item);
    await expect(access.users.create(HERE, { name: 'anna', role: 'admin' })).rejects.toMatchObject({
      status: 409,
      code: 'USER_EXISTS',
    });
    const log = JSON.stringify(await dataSource.query('select * from audit_log'));
    expect(log).not.toContain(PASSWORD);
    expect(log).not.toContain(ben.oneTimePassword);
  });

  it('come in pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await access.users.create(HERE, { name, role: 'viewer', password: PASSWORD });
    const first = await access.users.list(HERE, USERS_QUERY.parse({ limit: '2' }));
    const second = await access.users.list(HERE, USERS_QUERY.parse({ limit: '2', cursor: first.next }));
    const third = await access.users.list(HERE, USERS_QUERY.parse({ limit: '2', cursor: second.next }));
    expect([first, second, third].map(({ items }) => items.map(({ name }) => name).join(''))).toEqual([
      'ed',
      'cb',
      'a',
    ]);
    expect(third.next).toBeNull();
    await expect(access.users.list(HERE, USERS_QUERY.parse({ cursor: 'bm8' }))).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });

  it('that are not there cannot be changed', async () => {
    await expect(access.users.change(HERE, 'nobody', { role: 'admin' })).rejects.toMatchObject({
      code: 'USER_UNKNOWN',
    });
    await expect(access.users.remove(HERE, 'nobody')).rejects.toMatchObject({
      status: 404,
      code: 'USER_UNKNOWN',
    });
    expect(USER_CHANGE.safeParse({}).success).toBe(false);
  });

  it('of the provider have their role and password there', async () => {
    await add('anna', 'viewer', 'https://issuer|1');
    for (const change of [{ role: 'admin' as const }, { password: PASSWORD }])
      await expect(access.users.change(HERE, 'anna', change)).rejects.toMatchObject({
        status: 409,
        code: 'USER_OF_PROVIDER',
      });
    expect(await access.users.change(HERE, 'anna', { disabled: true })).toMatchObject({ disabled: true });
  });

  it('get a new password from an admin, who cannot set an own one without the current one', async () => {
    const ben = await access.users.create(HERE, { name: 'ben', role: 'admin', password: PASSWORD });
    const actor: Actor = {
      name: 'ben',
      role: 'admin',
      means: 'session',
      userId: ben.id,
      address: '10.0.0.1',
    };
    await expect(access.users.change(actor, 'ben', { password: 'another password' })).rejects.toMatchObject({
      status: 409,
      code: 'OWN_PASSWORD',
    });
    expect(await access.users.change(HERE, 'ben', { password: null })).toMatchObject({
      mustChangePassword: true,
      oneTimePassword: expect.any(String),
    });
    expect(await access.users.change(HERE, 'ben', { password: 'another password' })).toMatchObject({
      mustChangePassword: false,
    });
  });
});

describe('tokens of a command', () => {
  it('are of the user it names, with at most that role', async () => {
    await add('anna', 'operator');
    await expect(access.tokens.create(HERE, { name: 'x', expiresInDays: 1 })).rejects.toMatchObject({
      code: 'USER_MISSING',
    });
    await expect(
      access.tokens.create(HERE, { name: 'x', role: 'admin', expiresInDays: 1 }, { user: 'anna' }),
    ).rejects.toMatchObject({ code: 'ROLE_MISSING' });
    expect(await access.tokens.create(HERE, { name: 'x', expiresInDays: 1 }, { user: 'anna' })).toMatchObject(
      {
        user: 'anna',
        role: 'operator',
      },
    );
    expect((await access.tokens.list(HERE, TOKENS_QUERY.parse({}))).items).toHaveLength(1);
  });
});

describe('the audit log', () => {
  it('holds every change, by whom, and can be asked', async () => {
    const service = await startService({ DATABASE_URL: database.url, ROLE: 'console' }, clock);
    try {
      const admin = new Browser(service.adminUrl);
      await admin.login('admin', 'a password for tests');
      await admin.ask('POST', '/api/v1/users', { name: 'anna', role: 'viewer', password: PASSWORD });
      clock.advance(60_000);
      const halftime = new Date(clock.now()).toISOString();
      await admin.ask('PATCH', '/api/v1/users/anna', { role: 'operator' });
      const { body } = await admin.ask('POST', '/api/v1/tokens', { name: 'script' });
      const { token, id } = body as { token: string; id: string };
      await fetch(`${service.adminUrl}/api/v1/users/anna`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${token}` },
      });
      await admin.ask('DELETE', `/api/v1/tokens/${id}`);
      const list = async (query: string): Promise<{ action: string; actor: string; subject: string }[]> => {
        const answer = await admin.ask('GET', `/api/v1/audit?${query}`);
        expect(answer.status).toBe(200);
        const { items } = answer.body as { items: { action: string; actor: string; subject: string }[] };
        for (const item of items) AUDIT_ROW.strict().parse(item);
        return items;
      };
      const all = await list('');
      expect(all.map(({ action, actor, subject }) => [action, actor, subject])).toEqual([
        ['token.revoke', 'admin', `token:${id}`],
        ['user.remove', 'admin/script', 'user:anna'],
        ['token.create', 'admin', `token:${id}`],
        ['user.change', 'admin', 'user:anna'],
        ['user.create', 'admin', 'user:anna'],
        ['login.ok', 'admin', 'user:admin'],
      ]);
      expect(all[1]).toMatchObject({ means: 'token', role: 'admin', address: '127.0.0.1' });
      expect(all[3]).toMatchObject({ means: 'session', detail: { role: 'operator', before: 'viewer' } });
      expect(await list('actor=admin')).toHaveLength(6);
      expect(await list('actor=admin/script')).toHaveLength(1);
      expect(await list('actor=adm')).toHaveLength(0);
      expect(await list('action=user.change')).toHaveLength(1);
      expect(await list('subject=user:anna')).toHaveLength(3);
      expect(await list(`since=${halftime}`)).toHaveLength(4);
      expect(await list(`until=${halftime}`)).toHaveLength(2);
      const page = await admin.ask('GET', '/api/v1/audit?limit=4');
      const { items, next } = page.body as { items: unknown[]; next: string };
      expect([...items, ...(await list(`limit=4&cursor=${next}`))]).toEqual(all);
      expect(await admin.ask('GET', '/api/v1/audit?who=admin')).toMatchObject({
        status: 400,
        code: 'REQUEST_INVALID',
      });
    } finally {
      await service.close();
    }
  });

  it('has no entry for what was rolled back', async () => {
    await expect(
      dataSource.transaction(async (tx) => {
        await access.audit.record(tx, HERE, { action: 'x', subject: 'y' });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect((await access.audit.list(AUDIT_QUERY.parse({}))).items).toEqual([]);
  });
});
