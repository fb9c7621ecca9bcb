// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { RulesRoom } from '../support/rules.js';

const HOUR = 3_600_000;
const rule = (more: object = {}): object => ({
  name: 'tell',
  owner: 'people-ops',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'a', url: 'https://a.example/{{ event.approver_id }}' }],
  ...more,
});

describe('the brakes on a database', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
  });

  const tasks = async (room: RulesRoom, count: number, from = 0): Promise<void> => {
    for (let n = from; n < from + count; n += 1)
      await room.approver({ status: 3, approver_id: String(n), process_id: String(n) });
  };
  const states = async (): Promise<{ state: string; code: string | null; count: number }[]> =>
    await dataSource.query(
      `select state, code, count(*)::int as count from action_keys group by state, code order by state, code`,
    );
  const notices = async (): Promise<{ subject: string; rules: string[]; detail: object }[]> =>
    await dataSource.query(
      `select subject, rules, detail from notices where kind = 'brake-held' order by created_at, subject`,
    );

  it('let a rule send its budget exactly, over all instances at once, and tell its owners once', async () => {
    const rooms = [1, 2, 3].map(() => new RulesRoom(dataSource, clock));
    const [room] = rooms as [RulesRoom];
    await room.activate([rule({ budget: { max: 25, per: '1h' } })]);
    await tasks(room, 60);
    await Promise.all(rooms.map((one) => one.decisions.drain()));
    expect(await states()).toEqual([
      { state: 'held', code: 'BRAKE_BUDGET', count: 35 },
      { state: 'pending', code: null, count: 25 },
    ]);
    expect(await notices()).toEqual([
      {
        subject: 'rule:tell',
        rules: ['tell'],
        detail: { held: expect.any(Number), max: 25, per: '1h', rule: 'tell' },
      },
    ]);
    // A minute's worth of the hour is counted for longer, and never for less.
    clock.advance(HOUR - 60_000);
    await tasks(room, 1, 100);
    await room.settle();
    expect((await states())[0]).toMatchObject({ state: 'held', count: 36 });
    clock.advance(120_000);
    await tasks(room, 30, 200);
    await room.settle();
    expect(await states()).toEqual([
      { state: 'held', code: 'BRAKE_BUDGET', count: 41 },
      { state: 'pending', code: null, count: 50 },
    ]);
    await Promise.all(rooms.map((one) => one.close()));
  });

  it('hold what all rules together send beyond the storm brake, and forget what counts no more', async () => {
    const room = new RulesRoom(dataSource, clock, { stormBrake: { max: 10, perMs: 600_000 } });
    await room.activate([
      rule({ budget: { max: 100, per: '1h' } }),
      rule({ name: 'urgent', priority: 5, quietHours: { outside: '09:00-10:00' } }),
      rule({
        name: 'gathered',
        digest: { window: '1h' },
        actions: [{ type: 'http', name: 'a', url: 'https://a.example/', body: '{{ items.length }}' }],
      }),
    ]);
    await tasks(room, 8);
    await room.settle();
    // What is put off by quiet hours is counted; what a digest gathers is not, nor is its message held.
    expect(await states()).toEqual([
      { state: 'deferred', code: null, count: 6 },
      { state: 'held', code: 'BRAKE_STORM', count: 6 },
      { state: 'pending', code: null, count: 5 },
    ]);
    const [notice] = await notices();
    expect(notice).toMatchObject({ subject: '*', detail: { held: 6, max: 10, per: '10m', rule: null } });
    expect(notice?.rules.sort()).toEqual(['tell', 'urgent']);
    clock.advance(2 * HOUR);
    await room.settle();
    expect(await dataSource.query('select scope from brake_counts')).toEqual([]);
    await room.close();
  });
});
