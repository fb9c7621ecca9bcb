// Conformance of the queue room: what every table used as a queue may rely on. Real PostgreSQL, two instances.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { createTestDatabase, type TestDatabase, emptied } from '../support/database.js';

const NOW = Date.UTC(2026, 10, 2);

describe('rows as a queue', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  const queue = (leaseSeconds = 60): LeasedRows =>
    new LeasedRows(
      dataSource,
      { table: 'action_keys', ready: 'pending', taken: 'delivering' },
      randomUUID(),
      leaseSeconds,
    );

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(() => emptied(dataSource, 'action_keys'));

  async function fill(count: number, dueAt = NOW): Promise<void> {
    await dataSource.query(
      `insert into action_keys (key, id, state, due_at, updated_at)
       select n::text, gen_random_uuid(), 'pending', $2, now() from generate_series(1, $1) as s (n)`,
      [count, new Date(dueAt)],
    );
  }

  async function rows(): Promise<{ id: string; state: string; attempt: number }[]> {
    return await dataSource.query('select id, state, attempt, leased_by from action_keys order by key');
  }

  it('claims only what is due, oldest due first, and no more than asked for', async () => {
    await fill(1, NOW + 1000);
    await dataSource.query(
      `insert into action_keys (key, id, state, due_at, updated_at) values ('a', gen_random_uuid(), 'pending', $1, now()), ('b', gen_random_uuid(), 'pending', $2, now())`,
      [new Date(NOW), new Date(NOW - 1000)],
    );
    const q = queue();
    const first = await q.claim(1, NOW);
    const [oldest] = await dataSource.query<{ id: string }[]>(`select id from action_keys where key = 'b'`);
    expect(first).toEqual([{ id: oldest?.id, attempt: 1 }]);
    expect(await q.claim(10, NOW)).toHaveLength(1);
    expect(await q.claim(10, NOW)).toHaveLength(0);
    expect(await q.claim(10, NOW + 1000)).toHaveLength(1);
  });

  it('gives each row to one of many claimers at once', async () => {
    await fill(200);
    const claims = await Promise.all(Array.from({ length: 10 }, () => queue().claim(50, NOW)));
    const ids = claims.flat().map(({ id }) => id);
    expect(ids).toHaveLength(200);
    expect(new Set(ids).size).toBe(200);
  });

  it('takes back a row whose lease has ended by the database clock, and no other', async () => {
    await fill(2);
    const dead = queue(0);
    const alive = queue();
    const [lost] = await dead.claim(1, NOW);
    await alive.claim(1, NOW);
    expect(await dataSource.transaction((tx) => alive.reclaim(tx))).toEqual([lost]);
    expect((await rows()).map(({ state }) => state).sort()).toEqual(['delivering', 'pending']);
  });

  it('keeps a row whose lease is extended', async () => {
    await fill(1);
    const q = queue(0);
    const claimed = await q.claim(1, NOW);
    await queue(60).extend(claimed);
    expect(await dataSource.transaction((tx) => q.reclaim(tx))).toEqual([]);
  });

  it('fences: who was paused cannot overwrite what a later attempt has recorded', async () => {
    await fill(1);
    const paused = queue(0);
    const [old] = await paused.claim(1, NOW);
    const other = queue();
    await dataSource.transaction((tx) => other.reclaim(tx));
    const [fresh] = await other.claim(1, NOW);
    expect(fresh).toEqual({ id: old?.id, attempt: 2 });
    const end = { state: 'delivered', dueAt: new Date(NOW), code: null, reason: null };
    const late = await dataSource.transaction((tx) =>
      paused.settle(tx, [{ ...old!, ...end, state: 'dead' }]),
    );
    expect(late.size).toBe(0);
    await paused.extend([old!]);
    expect((await rows())[0]).toMatchObject({ state: 'delivering', attempt: 2 });
    expect(
      (await dataSource.transaction((tx) => other.settle(tx, [{ ...fresh!, ...end }]))).has(old!.id),
    ).toBe(true);
    expect((await rows())[0]).toMatchObject({ state: 'delivered', attempt: 2, leased_by: null });
  });

  it('settles nothing when the transaction fails', async () => {
    await fill(1);
    const q = queue();
    const [claimed] = await q.claim(1, NOW);
    const failing = dataSource.transaction(async (tx) => {
      await q.settle(tx, [
        { ...claimed!, state: 'delivered', dueAt: new Date(NOW), code: null, reason: null },
      ]);
      throw new Error('and then the machine died');
    });
    await expect(failing).rejects.toThrow('machine died');
    expect((await rows())[0]?.state).toBe('delivering');
  });
});
