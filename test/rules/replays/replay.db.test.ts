// Real PostgreSQL and the real workers that decide and replay; two of them at once, and such as are cut off. The clock
// stands still until it is told to go on.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { ReplayStore } from '../../../src/rules/replays/replay-store.js';
import { TestClock } from '../../support/clock.js';
import { CrashingPool } from '../../support/crashing-pool.js';
import {
  createTestDatabase,
  emptied,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../../support/database.js';
import { ReplayDesk } from '../../support/replays.js';
import { RulesRoom } from '../../support/rules.js';

const BEGIN = Date.UTC(2026, 10, 2, 9);

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let room: RulesRoom;
let desk: ReplayDesk;

const leaf = (fact: string, operator: string, value: unknown) => ({ fact, operator, value });
const rule = (name: string, conditions: object[], more: object = {}): object => ({
  name,
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: conditions },
  actions: [{ type: 'http', name: 'tell', url: 'https://books.example/', body: '{{ event.approver_id }}' }],
  ...more,
});
const wrong = (name: string, more: object = {}): object =>
  rule(name, [leaf('biz_type', 'equal', 'typo')], more);
const right = (name: string, more: object = {}): object => rule(name, [leaf('status', 'equal', 3)], more);

/** Events of several approvals, that a wrong rule has looked at. */
async function happened(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1)
    ids.push(
      await room.approver(
        { process_id: `7${at % 3}`, approver_id: `8${at}`, node_id: '9', status: 3, biz_type: 'leave' },
        BEGIN + at * 1000,
      ),
    );
  await room.settle();
  return ids;
}

const all = async (sql: string): Promise<object[]> => await dataSource.query(sql);
const sent = async (): Promise<string[]> =>
  (
    await dataSource.query<{ rule: string; body: string }[]>(
      `select rule, request -> 'content' ->> 'body' as body from deliveries order by rule, body`,
    )
  ).map((one) => `${one.rule} ${one.body}`);
const states = async (): Promise<object[]> => await all('select state, code from replays order by id');

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
  await withPartitions(dataSource, BEGIN);
}, 60_000);
afterAll(() => database.drop());
beforeEach(async () => {
  await emptied(dataSource, 'recall_deliveries, replay_events, replays');
  await emptyRulesRoom(dataSource);
  clock = new TestClock(BEGIN + 3_600_000);
  room = new RulesRoom(dataSource, clock);
  desk = new ReplayDesk(room, dataSource, clock);
});

describe('a replay of many events', () => {
  it('sends what the mended rules ask for, once, from however many sides, and moves nothing else', async () => {
    await room.activate([wrong('a'), wrong('b')]);
    const ids = await happened(7);
    await room.activate([right('a'), right('b')]);
    const before = await all('select entity, state::text, updated_at from entity_states order by entity');
    await desk.replay(ids, 'a');
    await desk.replay(ids);
    await Promise.all([desk.worker().drain(), desk.worker().drain()]);
    const tasks = [0, 1, 2, 3, 4, 5, 6].map((at) => `8${at}`);
    expect(await sent()).toEqual([...tasks.map((one) => `a ${one}`), ...tasks.map((one) => `b ${one}`)]);
    expect(await states()).toEqual([
      { state: 'done', code: null },
      { state: 'done', code: null },
    ]);
    expect(await all('select entity, state::text, updated_at from entity_states order by entity')).toEqual(
      before,
    );
    expect(await all('select id from timers')).toEqual([]);
    const evaluations = await all(
      `select count(*)::int as n from evaluations where occasion like 'replay:%'`,
    );
    expect(evaluations).toEqual([{ n: 14 }]);
  });

  it('goes on where a worker that died has stopped, and does nothing twice', async () => {
    await room.activate([wrong('a')]);
    const ids = await happened(12);
    await room.activate([right('a')]);
    const id = await desk.replay(ids);
    const left: number[] = [];
    for (const statement of [12, 30, 40]) {
      const dying = await database.open(4);
      const pool = new CrashingPool(dying);
      const { master } = dying.driver as unknown as { master: pg.Pool };
      (await master.connect()).release(true);
      pool.crashBefore(statement);
      const other = new RulesRoom(dying, clock);
      await desk
        .worker(dying, other)
        .drain()
        .catch(() => undefined);
      expect(pool.hasCrashed).toBe(true);
      await dying.destroy().catch(() => undefined);
      await other.close();
      await desk.endLeases();
      await desk.worker().sweep();
      const [{ n }] = await dataSource.query<[{ n: number }]>(
        `select count(*)::int as n from replay_events where state = 'waiting'`,
      );
      left.push(n);
    }
    await desk.worker().drain();
    expect(await states()).toEqual([{ state: 'done', code: null }]);
    expect(left.some((one) => one > 0 && one < 12)).toBe(true);
    expect(await sent()).toHaveLength(12);
    expect(await all(`select count(*)::int as n from evaluations where occasion = 'replay:${id}'`)).toEqual([
      { n: 12 },
    ]);
  });

  it('stops when a person cancels it', async () => {
    await room.activate([wrong('a')]);
    const ids = await happened(3);
    await room.activate([right('a')]);
    const id = await desk.replay(ids);
    await new ReplayStore(dataSource).cancel(dataSource.manager, id, clock.now());
    await desk.worker().drain();
    expect(await sent()).toEqual([]);
    expect(await all('select state from replay_events group by state')).toEqual([{ state: 'waiting' }]);
  });

  it('leaves out what was erased or never decided, and says so', async () => {
    await room.activate([wrong('a')]);
    const [first = '', second = '', third = ''] = await happened(3);
    await dataSource.query('delete from evaluations where event_id = $1', [first]);
    await dataSource.query('update events set erased_at = now() where id = $1', [second]);
    await room.activate([right('a')]);
    await desk.replay([first, second, third]);
    await desk.worker().drain();
    expect(await all('select state, code from replay_events order by place')).toEqual([
      { state: 'skipped', code: 'EVENT_UNDECIDED' },
      { state: 'skipped', code: 'EVENT_ERASED' },
      { state: 'done', code: null },
    ]);
    expect(await sent()).toEqual(['a 82']);
  });

  it('fires once per process, in the order of what happened, and through the brakes of now', async () => {
    await room.activate([wrong('a'), wrong('b')]);
    const ids = await happened(6);
    await room.activate([right('a', { oncePer: 'process' }), right('b', { budget: { max: 2, per: '1h' } })]);
    await desk.replay([...ids].reverse());
    await desk.worker().drain();
    expect(await sent()).toEqual(['a 80', 'a 81', 'a 82', ...ids.map((_, at) => `b 8${at}`)]);
    expect(
      await all(
        `select state, count(*)::int as n from action_keys where rule = 'b' group by state order by state`,
      ),
    ).toEqual([
      { state: 'held', n: 4 },
      { state: 'pending', n: 2 },
    ]);
  });
});
