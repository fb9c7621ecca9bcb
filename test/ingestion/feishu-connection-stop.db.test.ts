// Real: PostgreSQL, the SDK, sockets; in one test the whole service. What a stop leaves behind: nothing.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, QueryRunner } from 'typeorm';
import type { EventStore } from '../../src/events/event-store.js';
import { startService } from '../support/app.js';
import { BarePlatform, eventFrame } from '../support/bare-platform.js';
import { APP_SECRET, openConnection, type OpenConnection, openStore } from '../support/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP, approverEvent, envelopeOf } from '../support/feishu.js';

const STOP_WITHIN_MS = 4000;

let database: TestDatabase;
let rows: DataSource;
let store: EventStore;
beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(1);
  store = await openStore(await database.open(4));
});
afterAll(async () => {
  await store.onApplicationShutdown();
  await database.drop();
});

let platform: BarePlatform;
beforeEach(async () => {
  platform = await BarePlatform.start();
});
afterEach(() => platform.close());

const open = (options?: Parameters<typeof openConnection>[2]): OpenConnection =>
  openConnection(platform.url, store, options);
const envelope = (): string => envelopeOf(approverEvent(), { token: '' });

/** Stops in time, leaves no connection open, and asks for no other. */
async function expectStopped({ connection }: OpenConnection, withinMs = STOP_WITHIN_MS): Promise<void> {
  const started = performance.now();
  await connection.stop();
  expect(performance.now() - started).toBeLessThan(withinMs);
  expect(connection.status.state).toBe('stopped');
  await until(() => platform.open === 0);
}

async function locked(work: (lock: QueryRunner) => Promise<void>): Promise<void> {
  const stranger = await database.open(1);
  const lock = stranger.createQueryRunner();
  await lock.query('begin');
  await lock.query('lock table events in share mode');
  try {
    await work(lock);
  } finally {
    await lock.query('rollback').catch(() => undefined);
    await lock.release();
    await stranger.destroy();
  }
}

/** Statements that wait for a lock. */
async function waiting(): Promise<number> {
  const found = await rows.query<object[]>(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return found.length;
}

describe('a stop', () => {
  it('sends the acknowledgements of what is being stored, refuses what comes now, and says goodbye', async () => {
    const one = open();
    const socket = await platform.socket();
    const ids = Array.from({ length: 50 }, (_, index) => `before-${index}`);
    let stopped: Promise<void> | undefined;
    const closed = new Promise<number>((resolve) => socket.socket.once('close', resolve));
    await locked(async (lock) => {
      for (const id of ids) socket.send(eventFrame(id, envelope()));
      // The last is being stored, so all are.
      await until(async () => (await waiting()) > 0);
      stopped = expectStopped(one);
      socket.send(eventFrame('after', envelope()));
      expect((await socket.ack('after')).code).toBe(500);
      expect(socket.acks).toHaveLength(1);
      await lock.query('rollback');
    });
    await stopped;
    for (const id of ids) expect((await socket.ack(id)).code).toBe(200);
    // 1005: a goodbye without a reason, not a connection that broke.
    expect(await closed).toBe(1005);
  });

  it('does not wait for a database that does not answer: the platform is told to come again', async () => {
    const one = open();
    const socket = await platform.socket();
    await locked(async () => {
      socket.send(eventFrame('stuck', envelope()));
      await until(async () => (await waiting()) > 0);
      await expectStopped(one);
    });
    expect((await socket.ack('stuck')).code).toBe(500);
  });

  it('takes no longer when the other side does not answer the goodbye', async () => {
    const one = open();
    const socket = await platform.socket();
    socket.socket.pause();
    const started = performance.now();
    await one.connection.stop();
    expect(performance.now() - started).toBeLessThan(STOP_WITHIN_MS);
    socket.socket.resume();
    await until(() => platform.open === 0);
  });

  it('ends a discovery that is not answered', async () => {
    platform.answers.push('hang');
    const one = open({ connectWithin: 25_000 });
    await until(() => platform.discoveries.length === 1);
    await expectStopped(one, 1000);
    expect(one.failures()).toEqual([]);
  });

  it('ends a handshake that is not answered', async () => {
    let asked = false;
    platform.upgrades.push(() => {
      asked = true;
    });
    const one = open({ connectWithin: 25_000 });
    await until(() => asked);
    await expectStopped(one, 1000);
    expect(one.lines('connection.trouble')).toEqual([]);
  });

  it('ends the wait before another try', async () => {
    const refused = { status: 200, body: '{"code":514,"msg":"","data":{}}' };
    platform.answers.push(refused, refused);
    const one = open({ patience: { first: 100, most: 100 } });
    await until(() => one.connection.status.state === 'failed');
    await expectStopped(one, 1000);
    // One that waits longer, begun later, has tried again: the first would have too.
    const other = open({ patience: { first: 400, most: 400 } });
    await until(() => other.connection.status.state === 'connected');
    expect(platform.discoveries).toHaveLength(3);
    await expectStopped(other);
  });

  it('ends the wait of the SDK before it connects again', async () => {
    const one = open();
    (await platform.socket()).socket.close();
    await until(() => one.connection.status.state === 'reconnecting');
    await expectStopped(one, 1000);
  });

  it('can be asked for twice, and before there is a connection', async () => {
    const one = open();
    const other = open();
    await Promise.all([expectStopped(one), one.connection.stop(), other.connection.stop()]);
    await one.connection.stop();
    expect(one.states()).toEqual(['stopped']);
    expect(platform.sockets).toEqual([]);
  });

  it('of the whole service leaves nothing open', async () => {
    const service = await startService({
      DATABASE_URL: database.url,
      ROLE: 'ingest',
      FEISHU_APP_ID: APP.id,
      FEISHU_APP_SECRET: APP_SECRET,
      FEISHU_MODE: 'long-connection',
      FEISHU_DOMAIN: platform.url,
    });
    const socket = await platform.socket();
    socket.send(eventFrame('last', envelope()));
    expect((await socket.ack('last')).code).toBe(200);
    const started = performance.now();
    await service.close();
    expect(performance.now() - started).toBeLessThan(STOP_WITHIN_MS);
    await until(() => platform.open === 0);
    expect(service.log.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });
});

describe('a service whose platform is down', () => {
  it('starts at once, says that it is not ready, and is when the platform is back', async () => {
    const busy = { status: 500, body: 'busy' };
    platform.answers.push(busy, busy);
    const started = performance.now();
    const service = await startService({
      DATABASE_URL: database.url,
      ROLE: 'ingest',
      FEISHU_APP_ID: APP.id,
      FEISHU_APP_SECRET: APP_SECRET,
      FEISHU_MODE: 'long-connection',
      FEISHU_DOMAIN: platform.url,
    });
    expect(performance.now() - started).toBeLessThan(3000);
    const health = async (): Promise<[number, unknown]> => {
      const answer = await fetch(`${service.url}/health/ready`);
      return [answer.status, await answer.json()];
    };
    expect(await health()).toEqual([
      503,
      expect.objectContaining({
        ready: false,
        database: 'ok',
        connections: [expect.objectContaining({ app: 'default', state: 'connecting' })],
      }),
    ]);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toContain('aftersign_feishu_connected{app="default"} 0');
    await until(async () => (await health())[0] === 200, 10_000);
    await service.close();
  });

  it('is ready all the same when the app has a webhook too', async () => {
    platform.answers.push('hang');
    const service = await startService({
      DATABASE_URL: database.url,
      ROLE: 'ingest',
      FEISHU_APP_ID: APP.id,
      FEISHU_APP_SECRET: APP_SECRET,
      FEISHU_VERIFICATION_TOKEN: APP.token,
      FEISHU_MODE: 'both',
      FEISHU_DOMAIN: platform.url,
    });
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    await service.close();
  });
});
