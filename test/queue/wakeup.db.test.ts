// Real PostgreSQL: notices between two processes' worth of pools.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { Wakeup } from '../../src/queue/wakeup.js';
import { WorkerLoop } from '../../src/queue/worker-loop.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const LONG = 60_000;

describe('wake-ups', () => {
  let database: TestDatabase;
  let one: DataSource;
  let other: DataSource;
  let here: Wakeup;
  let there: Wakeup;

  beforeAll(async () => {
    database = await createTestDatabase();
    one = await database.open(3);
    other = await database.open(3);
    here = new Wakeup(one);
    there = new Wakeup(other);
    await here.listen();
    await there.listen();
  });
  afterAll(async () => {
    here.close();
    there.close();
    await database.drop();
  });

  it('reach another instance', async () => {
    const asleep = there.sleep('events', there.counter('events'), LONG);
    here.wake('events');
    await asleep;
    expect(there.counter('events')).toBeGreaterThan(0);
  });

  it('are not lost when they come between looking and going to sleep', async () => {
    const seen = here.counter('deliveries');
    here.wake('deliveries');
    await here.sleep('deliveries', seen, LONG);
  });

  it('come again after the listening connection was lost', async () => {
    const listening = async (): Promise<number[]> =>
      (
        await other.query<{ pid: number }[]>(
          `select pid from pg_stat_activity where query like 'listen%' and datname = current_database()`,
        )
      ).map(({ pid }) => pid);
    const before = await listening();
    expect(before).toHaveLength(2);
    await other.query('select pg_terminate_backend(pid) from unnest($1::int[]) as p (pid)', [before]);
    const isBack = async (): Promise<boolean> =>
      (await listening()).filter((pid) => !before.includes(pid)).length === 2;
    while (!(await isBack())) await new Promise(setImmediate);
    const asleep = there.sleep('events', there.counter('events'), LONG);
    here.wake('events');
    await asleep;
  });

  it('a loop works while there is work, survives an error, and stops after the round under way', async () => {
    const rounds: string[] = [];
    let finished = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const loop = new WorkerLoop({
      queue: 'loop',
      wakeup: here,
      pollMs: 5,
      work: () => {
        rounds.push('round');
        if (rounds.length === 2) return Promise.reject(new Error('once'));
        if (rounds.length === 4) finished();
        return Promise.resolve(rounds.length < 4 ? 1 : 0);
      },
      failed: (error) => {
        rounds.push((error as Error).message);
      },
    });
    loop.start();
    await done;
    await loop.stop();
    expect(rounds.slice(0, 4)).toEqual(['round', 'round', 'once', 'round']);
  });
});
