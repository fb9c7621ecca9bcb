// Real PostgreSQL, also one whose tables are locked; the clock is virtual.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { DEPTHS_LIMITS, DEPTHS_SQL, DepthGauge } from '../../../src/console/health/depths.js';
import { TestClock } from '../../support/clock.js';
import { until } from '../../support/door.js';
import { createTestDatabase, type TestDatabase, emptied } from '../../support/database.js';
import { TestLog } from '../../support/log.js';
import { insertTimer, insertUnsettled } from '../../support/state-rows.js';

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let log: TestLog;
let gauge: DepthGauge;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(5);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptied(
    dataSource,
    'event_keys, action_keys, target_lanes, lookups, timers, unsettled, rule_set_activations, rule_sets, users',
  );
  clock = new TestClock();
  log = new TestLog();
  gauge = new DepthGauge(dataSource, clock, log);
});

async function event(state: string, age: number): Promise<string> {
  const id = uuidv7({ msecs: clock.now() - age });
  await dataSource.query(
    `insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state) values ('o', $1, $2, 0, 0, 0, $3)`,
    [id, id, state],
  );
  return id;
}
async function delivery(state: string, due: number): Promise<void> {
  await dataSource.query(
    `insert into action_keys (key, id, state, due_at, updated_at) values ($1, $2, $3, $4, now())`,
    [randomUUID(), randomUUID(), state, new Date(clock.now() + due)],
  );
}

const NO_FINDINGS = {
  'unread-value': 0,
  'unknown-value': 0,
  'silent-rule': 0,
  'failing-condition': 0,
  'lost-events': 0,
};

describe('the depths', () => {
  it('are 0 where nothing waits', async () => {
    expect(await gauge.now()).toEqual({
      radar: NO_FINDINGS,
      undecided: 0,
      undecidedAge: 0,
      waiting: 0,
      waitingAge: 0,
      quarantined: 0,
      deliveries: { pending: 0, delivering: 0, held: 0, deferred: 0, dead: 0 },
      due: 0,
      dueAge: 0,
      targets: { closed: 0, open: 0, 'half-open': 0 },
      timers: { armed: 0, overdue: 0 },
      overdueAge: 0,
      unsettled: { open: 0, expired: 0 },
      indexLag: 0,
      ruleSet: null,
      passwordIsInitial: false,
    });
  });

  it('count what waits by state, and know the oldest of each', async () => {
    await event('decided', 900_000);
    await event('quarantined', 800_000);
    const waiting = await event('waiting', 700_000);
    await event('undecided', 5000);
    await event('undecided', 2000);
    await dataSource.query(
      `insert into lookups (id, state, service, order_time, status_rank, event_id, answers, created_at, due_at, updated_at)
       values ($1, 'pending', 'http:x', 0, 0, 'e', '{}', $2, now(), now()), ($3, 'answered', 'http:x', 0, 0, 'f', '{}', $4, now(), now())`,
      [waiting, new Date(clock.now() - 600_000), randomUUID(), new Date(0)],
    );
    for (const due of [-3000, -1000, 60_000]) await delivery('pending', due);
    // The lane of deliveries without a target is '', as that of any other.
    await dataSource.query(
      `insert into target_lanes (lane, breaker, probe_at, updated_at)
       values ('', 'closed', null, now()), ('a', 'closed', null, now()), ('b', 'open', $1, now()), ('c', 'open', $2, now())`,
      [new Date(clock.now()), new Date(clock.now() + 1)],
    );
    for (const state of [
      'delivering',
      'held',
      'held',
      'deferred',
      'dead',
      'dead',
      'dead',
      'delivered',
      'cancelled',
    ])
      await delivery(state, -3_600_000);
    const timer = (state: string, due: number): Promise<string> =>
      insertTimer(dataSource, clock.now(), {
        state,
        subject: `task:${due}${state}`,
        dueAt: clock.now() + due,
      });
    for (const due of [-30_000, 0, 1]) await timer('armed', due);
    for (const state of ['asking', 'fetching', 'finished', 'cancelled']) await timer(state, -90_000);
    for (const until of [-1, 0, 1]) await insertUnsettled(dataSource, clock.now() + until);
    await dataSource.query(
      `insert into rule_sets (hash, files, created_at) values ('h1', '{}', now()), ('h2', '{}', now())`,
    );
    await dataSource.query(
      `insert into rule_set_activations (hash, activated_at, reason) values ('h1', $1, ''), ('h2', $2, '')`,
      [new Date(1000), new Date(2000)],
    );
    await dataSource.query(
      `insert into users (id, name, role, must_change_password, created_at) values ($1, 'admin', 'admin', true, now())`,
      [randomUUID()],
    );
    for (const state of ['open', 'dismissed', 'gone'])
      await dataSource.query(
        `insert into radar_findings (id, kind, subject, rules, first_seen, last_seen, count, detail, state)
         values ($1, 'silent-rule', $2, '{}', now(), now(), 1, '{}', $3)`,
        [randomUUID(), `rule:${state}`, state],
      );
    expect(await gauge.now()).toEqual({
      radar: { ...NO_FINDINGS, 'silent-rule': 1 },
      undecided: 2,
      undecidedAge: 5000,
      waiting: 1,
      waitingAge: 600_000,
      quarantined: 1,
      deliveries: { pending: 3, delivering: 1, held: 2, deferred: 1, dead: 3 },
      due: 2,
      dueAge: 3000,
      targets: { closed: 2, open: 1, 'half-open': 1 },
      timers: { armed: 1, overdue: 2 },
      overdueAge: 30_000,
      unsettled: { open: 1, expired: 2 },
      indexLag: 900_000,
      ruleSet: { hash: 'h2', activatedAt: new Date(2000) },
      passwordIsInitial: true,
    });
  });

  it('of the index end at the last event that can be found', async () => {
    const first = await event('decided', 9000);
    await event('decided', 4000);
    const set = (id: string): Promise<unknown> =>
      dataSource.query('update event_search_progress set through = $1', [id]);
    await set(first);
    expect((await gauge.now())?.indexLag).toBe(4000);
    await set('00000000-0000-0000-0000-000000000000');
  });

  it('are read no more than once in 5 s', async () => {
    await gauge.now();
    await event('undecided', 0);
    clock.advance(4999);
    expect((await gauge.now())?.undecided).toBe(0);
    expect((await gauge.known())?.undecided).toBe(0);
    clock.advance(1);
    expect((await gauge.now())?.undecided).toBe(1);
  });

  it('are known, as they were, to whoever does not wait', async () => {
    await gauge.known();
    await event('undecided', 0);
    clock.advance(59_999);
    expect((await gauge.known())?.undecided).toBe(0);
    // What was stale is being read meanwhile.
    expect((await gauge.now())?.undecided).toBe(1);
  });

  it('are not known while the database does not answer, and it is asked by one statement at a time', async () => {
    const stranger = await database.open(1);
    const lock = stranger.createQueryRunner();
    await lock.query('begin; lock table action_keys in access exclusive mode');
    const asked = [gauge.now(), gauge.now(), gauge.known()];
    let most = 0;
    const watch = { done: false };
    const watching = (async () => {
      while (!watch.done) {
        const rows = await dataSource.query<unknown[]>(
          `select from pg_stat_activity where datname = current_database() and query like '%firstUndecided%' and pid <> pg_backend_pid() and state = 'active'`,
        );
        most = Math.max(most, rows.length);
      }
    })();
    expect(await Promise.all(asked)).toEqual([null, null, null]);
    expect(await Promise.all([gauge.now(), gauge.now()])).toEqual([null, null]);
    expect(await gauge.now()).toBeNull();
    watch.done = true;
    await watching;
    expect(most).toBe(1);
    await lock.query('rollback');
    await lock.release();
    await stranger.destroy();
    // The one that was under way may end first, with nothing.
    await until(async () => (await gauge.now())?.undecided === 0);
    // One line a minute, however often it is asked.
    expect(log.lines.map(({ fields }) => fields['event'])).toEqual(['depths.not-read']);
  });

  it('are not known of before a minute', async () => {
    await gauge.now();
    clock.advance(60_000);
    const stranger = await database.open(1);
    const lock = stranger.createQueryRunner();
    await lock.query('begin; lock table action_keys in access exclusive mode');
    expect(await gauge.known()).toBeNull();
    await lock.query('rollback');
    await lock.release();
    await stranger.destroy();
  });

  it('are read off partial indexes, whatever there is in the tables', async () => {
    const plan = await dataSource.transaction(async (tx) => {
      await tx.query(DEPTHS_LIMITS);
      return await tx.query<{ 'QUERY PLAN': string }[]>(`explain ${DEPTHS_SQL}`, [new Date()]);
    });
    const lines = plan.map((row) => row['QUERY PLAN']);
    const ofTables = lines.filter((line) => / on (?:event_keys|action_keys|timers|unsettled)/.test(line));
    expect(ofTables).toHaveLength(16);
    for (const line of ofTables) {
      expect(line).toMatch(
        / using (?:event_keys_(?:undecided|unsettled|id)|action_keys_(?:pending|sending|state)|timers_due_at|unsettled_until) on /,
      );
    }
  });
});
