// The first user, at the start. Real: the service, its database, the folder.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { lockUsers } from '../../../src/console/access/user-rows.js';
import { ADMIN_PASSWORD, startService, type TestService } from '../../support/app.js';
import { Browser } from '../../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { temporaryFolder } from '../../support/folder.js';

let database: TestDatabase;
let dataSource: DataSource;
const running: TestService[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
});
afterEach(async () => {
  for (const service of running.splice(0)) await service.close();
  await dataSource.query('delete from users');
});
afterAll(() => database.drop());

async function start(DATA_DIR: string, settings: NodeJS.ProcessEnv = {}): Promise<TestService> {
  const service = await startService({
    DATABASE_URL: database.url,
    ROLE: 'console',
    ADMIN_PASSWORD: '',
    DATA_DIR,
    ...settings,
  });
  running.push(service);
  return service;
}
const users = (): Promise<{ name: string; must_change_password: boolean }[]> =>
  dataSource.query('select name, must_change_password from users order by name');
const fileIn = (folder: string): string => join(folder, 'admin-password');

describe('the first start', () => {
  it('makes an admin with a one-time password in a file of the owner alone, which goes with the change', async () => {
    const folder = join(temporaryFolder('access'), 'not', 'there', 'yet');
    const service = await start(folder);
    const password = readFileSync(fileIn(folder), 'utf8').trim();
    expect(statSync(fileIn(folder)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await users()).toEqual([{ name: 'admin', must_change_password: true }]);
    const log = JSON.stringify(service.log.lines);
    expect(log).toContain(fileIn(folder));
    expect(log).not.toContain(password);
    const one = new Browser(service.adminUrl);
    expect((await one.login('admin', password)).body).toMatchObject({
      role: 'admin',
      mustChangePassword: true,
    });
    expect(existsSync(fileIn(folder))).toBe(true);
    expect(
      await one.ask('POST', '/api/v1/password', { current: password, next: 'a password of my own' }),
    ).toMatchObject({ status: 204 });
    expect(existsSync(fileIn(folder))).toBe(false);
    expect(await one.ask('GET', '/api/v1/users')).toMatchObject({ status: 200 });
  });

  it('takes the password of the settings, and leaves no file', async () => {
    const folder = temporaryFolder('access');
    const service = await start(folder, { ADMIN_PASSWORD });
    expect(await users()).toEqual([{ name: 'admin', must_change_password: false }]);
    expect(existsSync(fileIn(folder))).toBe(false);
    expect(JSON.stringify(service.log.lines)).not.toContain(ADMIN_PASSWORD);
    expect(await new Browser(service.adminUrl).login('admin', ADMIN_PASSWORD)).toMatchObject({ status: 200 });
  });

  it('of several instances makes one admin and one file', async () => {
    const folders = Array.from({ length: 3 }, () => temporaryFolder('access'));
    await Promise.all(folders.map((folder) => start(folder)));
    expect(await users()).toHaveLength(1);
    const withFile = folders.filter((folder) => existsSync(fileIn(folder)));
    expect(withFile).toHaveLength(1);
    const password = readFileSync(fileIn(withFile[0]!), 'utf8').trim();
    for (const { log } of running) expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    for (const { adminUrl } of running)
      expect(await new Browser(adminUrl).login('admin', password)).toMatchObject({ status: 200 });
  });

  it('beside one that is at it waits, and finds the user made', async () => {
    const folder = temporaryFolder('access');
    const other = dataSource.createQueryRunner();
    await other.startTransaction();
    await lockUsers(other.manager);
    await other.query(
      `insert into users (id, name, role, created_at) values (gen_random_uuid(), 'admin', 'admin', now())`,
    );
    const started = start(folder);
    const waiting = 'select 1 from pg_locks where not granted';
    while ((await dataSource.query<unknown[]>(waiting)).length === 0);
    await other.commitTransaction();
    await other.release();
    const { log } = await started;
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(existsSync(fileIn(folder))).toBe(false);
    expect(await users()).toHaveLength(1);
  });

  it('without the role console makes nobody', async () => {
    const folder = temporaryFolder('access');
    await start(folder, { ROLE: 'rules' });
    expect(await users()).toEqual([]);
    expect(existsSync(fileIn(folder))).toBe(false);
  });

  it('follows no link, and writes into nobody’s file', async () => {
    const folder = temporaryFolder('access');
    const target = join(temporaryFolder('access'), 'target');
    writeFileSync(target, 'of somebody', { mode: 0o644 });
    symlinkSync(target, fileIn(folder));
    await start(folder);
    expect(readFileSync(target, 'utf8')).toBe('of somebody');
    expect(lstatSync(fileIn(folder)).isSymbolicLink()).toBe(false);
    expect(statSync(fileIn(folder)).mode & 0o777).toBe(0o600);
  });

  it('that cannot write the file takes events, says what to do, and leaves no user behind', async () => {
    const folder = temporaryFolder('access');
    mkdirSync(fileIn(folder));
    const { log, url } = await start(folder);
    expect(await users()).toEqual([]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ code: 'FIRST_ADMIN_NOT_MADE' }) as object,
      }),
    );
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });
});

describe('a later start', () => {
  it('makes nobody where there are users, and keeps a file that is still needed', async () => {
    const folder = temporaryFolder('access');
    await start(folder);
    const password = readFileSync(fileIn(folder), 'utf8');
    await start(folder);
    await start(temporaryFolder('access'), { ADMIN_PASSWORD });
    expect(readFileSync(fileIn(folder), 'utf8')).toBe(password);
    expect(await users()).toEqual([{ name: 'admin', must_change_password: true }]);
    await dataSource.query('update users set must_change_password = false');
    await start(folder);
    expect(existsSync(fileIn(folder))).toBe(false);
  });
});
