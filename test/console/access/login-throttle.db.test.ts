// How long whoever guesses waits. Real: the database. The clock is the test's.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { Refusal } from '../../../src/config/problem.js';
import { knownDevice, newDevice } from '../../../src/console/access/known-device.js';
import { LoginThrottle } from '../../../src/console/access/login-throttle.js';
import { ADMIN_PASSWORD, startService } from '../../support/app.js';
import { Browser } from '../../support/browser.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let throttle: LoginThrottle;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(10);
});
beforeEach(async () => {
  await dataSource.query('delete from login_failures');
  clock = new TestClock();
  throttle = new LoginThrottle(dataSource, clock);
});
afterAll(() => database.drop());

/** One attempt that fails; how many seconds it has to wait first, null: none. */
async function fail(name: string, address: string, device: string | null = null): Promise<number | null> {
  try {
    await throttle.begin({ name, address, device });
    return null;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'LOGIN_BLOCKED') throw error;
    return Number(error.more.headers?.['retry-after']);
  }
}
const times = async <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> => {
  const all: T[] = [];
  for (let index = 0; index < count; index += 1) all.push(await work(index));
  return all;
};

describe('wrong passwords', () => {
  it('from one address cost longer and longer waiting, at most a quarter of an hour', async () => {
    expect(await times(6, () => fail('anna', '10.0.0.1'))).toEqual(Array(6).fill(null));
    const waits: number[] = [];
    for (let round = 0; round < 13; round += 1) {
      const wait = await fail('anna', '10.0.0.1');
      waits.push(wait ?? 0);
      clock.advance((wait ?? 0) * 1000);
      expect(await fail('anna', '10.0.0.1')).toBeNull();
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  });

  it('are counted for all instances, and when they come at once', async () => {
    const other = new LoginThrottle(dataSource, clock);
    const attempts = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? throttle : other).begin({ name: 'anna', address: '10.0.0.1', device: null }),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
  });

  it('do not count while one waits', async () => {
    await times(30, () => fail('anna', '10.0.0.1'));
    expect(await fail('anna', '10.0.0.1')).toBe(1);
  });

  it('are forgotten after an hour', async () => {
    await times(6, () => fail('anna', '10.0.0.1'));
    clock.advance(3_600_001);
    expect(await times(6, () => fail('anna', '10.0.0.1'))).toEqual(Array(6).fill(null));
  });

  it('of one address do not shut the name out: others sign in', async () => {
    for (let round = 0; round < 20; round += 1) {
      const wait = await fail('anna', '10.0.0.1');
      clock.advance((wait ?? 0) * 1000);
    }
    expect(await fail('anna', '10.0.0.2')).toBeNull();
  });

  it('of many addresses slow the name down, and no browser that has signed in before', async () => {
    const tries = await times(40, (index) => fail('anna', `10.0.1.${index}`));
    expect(tries.filter((wait) => wait === null)).toHaveLength(11);
    expect(await fail('anna', '10.0.2.1')).toBe(1);
    expect(await fail('anna', '10.0.2.1', 'a browser that is known')).toBeNull();
    expect(await fail('ben', '10.0.2.1')).toBeNull();
  });

  it('of one address with many names cost waiting too', async () => {
    const tries = await times(12, (index) => fail(`user-${index}`, '10.0.0.1'));
    expect(tries.filter((wait) => wait === null)).toHaveLength(6);
  });

  it('of neighbours in one IPv6 network are of one address', async () => {
    const tries = await times(12, (index) => fail('anna', `2001:db8::${index + 1}`));
    expect(tries.filter((wait) => wait === null)).toHaveLength(6);
    expect(await fail('anna', '2001:db8:0:1::1')).toBeNull();
  });

  it('of a known browser cost waiting too', async () => {
    const tries = await times(12, () => fail('anna', '10.0.0.1', 'device'));
    expect(tries.filter((wait) => wait === null)).toHaveLength(6);
  });

  it('are given back when the password was right', async () => {
    for (let time = 0; time < 30; time += 1)
      await throttle.giveBack(await throttle.begin({ name: 'anna', address: '10.0.0.1', device: null }));
    expect(await times(6, () => fail('anna', '10.0.0.1'))).toEqual(Array(6).fill(null));
  });

  it('are not undone by a right one that was begun before', async () => {
    await times(5, () => fail('anna', '10.0.0.1'));
    const right = await dataSource
      .query<{ failures: number }[]>(`select failures from login_failures where key = 'address:10.0.0.1'`)
      .then(([row]) => [{ key: 'address:10.0.0.1', failures: row!.failures, at: new Date(clock.now()) }]);
    await fail('ben', '10.0.0.1');
    await throttle.giveBack(right);
    expect(await fail('ben', '10.0.0.1')).toBe(1);
  });
});

describe('the cookie of a known browser', () => {
  const user = { name: 'anna', password: 'scrypt$…' };
  it('proves that it has signed in as this user with this password', () => {
    const cookie = newDevice(user);
    expect(knownDevice(cookie, user)).toBe(cookie.split('.')[0]);
    expect(knownDevice(cookie, { ...user, name: 'ben' })).toBeNull();
    expect(knownDevice(cookie, { ...user, password: 'scrypt$other' })).toBeNull();
    expect(knownDevice(`A${cookie.slice(1)}`, user)).toBe(
      cookie.startsWith('A') ? cookie.split('.')[0] : null,
    );
    for (const text of [undefined, '', 'x.y', `${cookie}x`]) expect(knownDevice(text, user)).toBeNull();
  });
});

describe('the service', () => {
  it('answers 429 with how long to wait, lets the browser in that was there before, and records no refusal', async () => {
    const service = await startService({ DATABASE_URL: database.url, ROLE: 'console' }, clock);
    try {
      const mine = new Browser(service.adminUrl);
      expect(await mine.login('admin', ADMIN_PASSWORD)).toMatchObject({ status: 200 });
      const stranger = new Browser(service.adminUrl);
      const answers = await times(30, () => stranger.login('admin', 'this is not the one'));
      expect(answers.map(({ status }) => status)).toEqual(
        Array.from({ length: 30 }, (_, index) => (index < 6 ? 401 : 429)),
      );
      expect(answers.at(-1)?.headers.get('retry-after')).toBe('1');
      expect(answers.at(-1)?.code).toBe('LOGIN_BLOCKED');
      // The right one is refused as well: else it would be told apart.
      expect(await stranger.login('admin', ADMIN_PASSWORD)).toMatchObject({ status: 429 });
      expect(await mine.login('admin', ADMIN_PASSWORD)).toMatchObject({ status: 200 });
      const failed = await dataSource.query<unknown[]>(
        `select 1 from audit_log where action = 'login.failed'`,
      );
      expect(failed).toHaveLength(6);
      clock.advance(1000);
      expect(await stranger.login('admin', ADMIN_PASSWORD)).toMatchObject({ status: 200 });
    } finally {
      await service.close();
    }
  });
});
