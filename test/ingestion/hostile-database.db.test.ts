// Real: PostgreSQL that is locked, exhausted, read-only or gone while genuine pushes come in (F03, F05, F09, F10, A52).
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { EventStore } from '../../src/events/event-store.js';
import { type Answer, Door, until } from '../support/door.js';
import { APP, type Push, pushOfApprover } from '../support/feishu.js';
import { emptied } from '../support/database.js';

let door: Door;
let administrator: pg.Client;
let name: string;
beforeAll(async () => {
  door = await Door.open();
  name = new URL(door.database.url).pathname.slice(1);
  administrator = new pg.Client({ connectionString: door.database.url.replace(`/${name}`, '/postgres') });
  await administrator.connect();
});
afterAll(async () => {
  await administrator.end();
  await door.close();
});
beforeEach(() => emptied(door, 'event_keys, events'));

const pushes = (count: number): Push[] => Array.from({ length: count }, () => pushOfApprover());
const send = (all: readonly Push[]): Promise<Answer[]> => Promise.all(all.map((push) => door.push(push)));
const terminate = (which = 'true'): Promise<unknown> =>
  administrator.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and ${which}`,
    [name],
  );

/** Sends pushes, expects what Feishu takes for "again later", soon enough, and one line each in the log. */
async function expectNotStored(all: readonly Push[]): Promise<void> {
  const { lines } = door.service.log;
  const [before, started] = [lines.length, performance.now()];
  for (const answer of await send(all)) {
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '15']);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: 'EVENT_NOT_STORED' });
  }
  // Feishu waits 3 s; what is over is the test's own, beside others.
  expect(performance.now() - started).toBeLessThan(4000);
  const written = lines.slice(before);
  // Workers whose connections are gone write lines of their own, when they next look for work.
  const ofPushes = written
    .map(({ fields }) => String(fields['event']))
    .filter((event) => event.startsWith('event.'));
  expect(ofPushes).toEqual(all.map(() => 'event.not-stored'));
  for (const secret of [APP.encryptKey, APP.token, 'renewal_record', '"encrypt"'])
    expect(JSON.stringify(written)).not.toContain(secret);
}

/** What Feishu does next: the same events again. Every one is taken and is there once. */
async function expectStoredNow(all: readonly Push[]): Promise<void> {
  const started = performance.now();
  for (const { status } of await send(all)) expect(status).toBe(200);
  expect(performance.now() - started).toBeLessThan(3000);
  expect(await door.count()).toEqual([all.length, all.length]);
}

async function locked(statement: string, work: (lock: QueryRunner) => Promise<void>): Promise<void> {
  const stranger = await door.database.open(1);
  const lock = stranger.createQueryRunner();
  await lock.query('begin');
  await lock.query(statement);
  try {
    await work(lock);
  } finally {
    await lock.query('rollback');
    await lock.release();
    await stranger.destroy();
  }
}

const waiting = async (): Promise<number> =>
  (
    await administrator.query(
      `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock' and pid <> pg_backend_pid()`,
      [name],
    )
  ).rows.length;

describe('a lock that a stranger holds', () => {
  it.each(['events', 'event_keys'])(
    'F10: on %s, pushes get 503 within 3 s, and are stored at once when it is gone',
    async (table) => {
      const all = pushes(40);
      await locked(`lock table ${table} in access exclusive mode`, async () => {
        await expectNotStored(all);
        await expectNotStored(all.slice(0, 1));
        await until(async () => (await waiting()) === 0, 3000);
      });
      await expectStoredNow(all);
    },
  );

  it('F10: on the keys of some events, the others are stored while it lasts', async () => {
    const [stuck, others] = [pushes(4), pushes(40)];
    const keys = stuck.map(({ eventId }) => `('feishu:${APP.id}', '${eventId}', gen_random_uuid(), 0, 0, 0)`);
    const insert = `insert into event_keys (origin, event_id, id, lane, order_time, status_rank) values ${keys.join()}`;
    await locked(insert, async () => {
      const late = stuck.map(async (push) => {
        expect((await door.push(push)).status).toBe(503);
      });
      const started = performance.now();
      let left: readonly Push[] = others;
      await until(async () => {
        const answers = await send(left);
        left = left.filter((_, index) => answers[index]?.status !== 200);
        return left.length === 0;
      }, 8000);
      expect(performance.now() - started).toBeLessThan(5000);
      await Promise.all(late);
    });
    await expectStoredNow([...stuck, ...others]);
  });
});

describe('connections', () => {
  it('F09: workers that hold the whole pool do not keep pushes from being stored', async () => {
    const pool = door.service.app.get(DataSource);
    const held = Array.from({ length: 19 }, () => pool.createQueryRunner());
    await Promise.all(held.map((runner) => runner.connect()));
    await expect(pool.query('select 1')).rejects.toThrow('timeout');
    await expectStoredNow(pushes(40));
    for (const runner of held) await runner.release();
    expect(await pool.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('F03: those that break under pushes lose none that got 200', async () => {
    const all = pushes(200);
    const statuses: number[] = [];
    for (let at = 0; at < all.length; at += 40) {
      let answers: Promise<Answer[]> | undefined;
      // In the middle of their statements, which the lock keeps from ending sooner.
      await locked('lock table events in share mode', async () => {
        answers = send(all.slice(at, at + 40));
        await until(async () => (await waiting()) > 0);
        await terminate("wait_event_type = 'Lock'");
      });
      for (const { status } of (await answers) ?? []) statuses.push(status);
    }
    expect(statuses).toContain(503);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    const taken = all.filter((_, index) => statuses[index] === 200);
    const rows = await door.query<{ event_id: string }>('select event_id from events');
    const known = new Set(rows.map(({ event_id }) => event_id));
    expect(taken.filter(({ eventId }) => !known.has(eventId))).toEqual([]);
    await expectStoredNow(all);
  });
});

describe('a database that does not take anything', () => {
  const change = async (statement: string): Promise<void> => {
    await administrator.query(`alter database ${name} ${statement}`);
    await terminate();
  };
  afterEach(async () => {
    await administrator.query(`alter database ${name} allow_connections true`);
    await administrator.query(`alter database ${name} reset default_transaction_read_only`);
  });

  it('F03: gone, pushes get 503 and never 200; back again, they are stored without a restart', async () => {
    const all = pushes(20);
    await change('allow_connections false');
    await expectNotStored(all);
    expect(await door.isAlive()).toBe(true);
    expect((await fetch(`${door.service.url}/health/ready`)).status).toBe(503);
    await administrator.query(`alter database ${name} allow_connections true`);
    await expectStoredNow(all);
    expect((await fetch(`${door.service.url}/health/ready`)).status).toBe(200);
  });

  it('F05: read-only, pushes get 503; writable again, they are stored', async () => {
    const all = pushes(20);
    await change('set default_transaction_read_only = on');
    await expectNotStored(all);
    await administrator.query(`alter database ${name} reset default_transaction_read_only`);
    await until(async () => (await door.push(all[0]!)).status === 200);
    await expectStoredNow(all);
  });
});

describe('more than is taken in', () => {
  it('A52: pushes get 503 at once, readiness is off, and nothing that was taken is lost', async () => {
    const store = door.service.app.get(EventStore, { strict: false });
    const event = { origin: 'flood', eventType: 'a', source: 'webhook', raw: Buffer.from('{}') } as const;
    const rest = { createTime: null, statusRank: 0, rootEntity: null, content: null, transport: null };
    const taken: Promise<unknown>[] = [];
    await locked('lock table events in access exclusive mode', async () => {
      while (!store.isFull) {
        for (let count = 0; count < 500; count += 1)
          taken.push(store.store({ ...event, ...rest, eventId: String(taken.length) }));
        await new Promise(setImmediate);
      }
      const started = performance.now();
      await expectNotStored(pushes(10));
      expect(performance.now() - started).toBeLessThan(1000);
      expect((await fetch(`${door.service.url}/health/ready`)).status).toBe(503);
    });
    const outcomes = await Promise.allSettled(taken);
    const acknowledged = outcomes.flatMap(({ status }, id) => (status === 'fulfilled' ? [String(id)] : []));
    expect(acknowledged.length).toBeGreaterThan(0);
    const rows = await door.query<{ event_id: string }>(`select event_id from events where origin = 'flood'`);
    const kept = new Set(rows.map(({ event_id }) => event_id));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    expect((await door.push(pushOfApprover())).status).toBe(200);
  });
});
