// Real PostgreSQL whose connections are cut before every statement of an attempt in turn; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TestClock } from '../support/clock.js';
import { CrashingPool } from '../support/crashing-pool.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { until } from '../support/door.js';
import { acceptAll, deliveryTo, FakeSender, HANGS, workerOver } from '../support/delivery-workers.js';

const clock = new TestClock();
let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
  await withPartitions(dataSource, clock.now());
});
afterAll(() => database.drop());
beforeEach(() => emptied(dataSource, 'action_keys, deliveries, attempts, targets, target_lanes, notices'));

/** One instance that dies before the given statement, and another that takes over. Answers whether it died. */
async function crashBefore(statement: number, hosts: readonly string[]): Promise<boolean> {
  const sender = new FakeSender();
  const failing = new Set(['fails']);
  sender.answers.set('fails', () => (failing.has('fails') ? HANGS : { ...HANGS, outcome: 'delivered' }));
  const ids = await acceptAll(
    dataSource,
    clock,
    hosts.map((host) => deliveryTo(host, { orderKey: host === 'ordered' ? `o-${statement}` : null })),
  );
  const own = await database.open(4);
  const pool = new CrashingPool(own);
  // The connection that is there already is not watched: it is kept busy.
  const first = own.createQueryRunner();
  await first.connect();
  const dying = workerOver(own, clock, sender, { leaseSeconds: 0 });
  pool.crashBefore(statement);
  await dying.drain().catch(() => undefined);
  await dying.stop(100);
  const crashed = pool.hasCrashed;
  pool.crashBefore(Number.POSITIVE_INFINITY);
  await first.release();
  await own.destroy().catch(() => undefined);

  const other = workerOver(dataSource, clock, sender);
  failing.clear();
  const rowsNow = (): Promise<{ id: string; state: string; key: string }[]> =>
    dataSource.query('select id, state, key from action_keys where id = any($1::uuid[])', [ids]);
  // The server notices a moment later that connections are gone, and holds their locks until then.
  await until(async () => {
    await other.sweep();
    await other.drain();
    clock.advance(60_000);
    return (await rowsNow()).every(({ state }) => state === 'delivered');
  });
  const rows = await rowsNow();
  expect(rows).toHaveLength(hosts.length);
  // Each by its own key, and none more often than its failures and the crash say.
  for (const { key } of rows) {
    const sent = sender.sent.filter(({ actionKey }) => actionKey === key);
    expect(sent.length).toBeGreaterThanOrEqual(1);
    expect(sent.length).toBeLessThanOrEqual(sent[0]?.host === 'fails' ? 3 : 2);
  }
  expect(sender.sent.every(({ actionKey }) => rows.some(({ key }) => key === actionKey))).toBe(true);
  return crashed;
}

describe('an instance that dies between any two statements', () => {
  it.each([
    ['of the happy path', ['a', 'b']],
    ['with failures, an order and lanes that remember', ['fails', 'ordered', 'ordered']],
  ])('%s loses nothing and sends no more than the attempt it died in again', async (_, hosts) => {
    let statement = 1;
    while (await crashBefore(statement, hosts)) statement += 1;
    expect(statement).toBeGreaterThan(6);
  });
});
