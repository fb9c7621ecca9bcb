// Two built services as processes on one real PostgreSQL, and the fake platform, which does what it can to lose events.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { eventEnvelope, FakeFeishu, type PushAttempt } from '../../src/cli/fake-feishu/fake-feishu.js';
import { createDataSource } from '../../src/database/data-source.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { PostgresProcess } from '../support/postgres-process.js';
import { freePort, ServiceProcess } from '../support/process.js';

const EVENTS = Number(process.env['STORM_EVENTS'] ?? 1000);
const DATABASE_DOWN_MS = Number(process.env['STORM_DATABASE_SECONDS'] ?? 5) * 1000;
const SECRET = 'storm-app-secret';
/** At once on their way. */
const IN_FLIGHT = 200;
const RULE = {
  name: 'done',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://nowhere.example/' }],
};

let folder: string;
let fake: FakeFeishu;
beforeEach(() => {
  folder = temporaryFolder('storm');
  mkdirSync(join(folder, 'rules'));
  writeFileSync(join(folder, 'rules', 'done.rule.json'), JSON.stringify(RULE));
});
afterEach(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function serviceOn(databaseUrl: string, name: string): Promise<ServiceProcess> {
  const port = await freePort();
  return new ServiceProcess(
    {
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      DATA_DIR: join(folder, name),
      RULES_DIR: join(folder, 'rules'),
      // Deliveries stay where they are: they are not what this is about.
      ROLE: 'ingest,rules,console',
      // They are a storm.
      STORM_BRAKE: 'off',
      FEISHU_APP_ID: APP.id,
      FEISHU_APP_SECRET: SECRET,
      FEISHU_MODE: 'long-connection',
      FEISHU_DOMAIN: fake.url,
      LOG_LEVEL: 'warn',
    },
    port,
  );
}

/** Events that are not yet acknowledged for good. */
const pending = (): number => fake.records.filter(({ state }) => state === 'pending').length;

/** Pushes events, with at most so many on their way at once. */
async function push(count: number, inFlight = IN_FLIGHT): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    while (pending() >= inFlight) await new Promise(setImmediate);
    const process_id = String(7_072_306_364_927_000_000n + BigInt(fake.records.length % 97));
    const status = 1 + (fake.records.length % 4);
    const chance = Math.random();
    fake.push(APP.id, eventEnvelope({ appId: APP.id, event: { process_id, status, biz_type: '续签🎉' } }), {
      via: 'long-connection',
      ...(chance < 0.05 ? { duplicates: 2 } : {}),
      ...(chance > 0.95 ? { fragments: 4, reorder: true } : {}),
    });
  }
}

async function countOf(url: string, outcome: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const [, count = '0'] =
    new RegExp(`_received_total\\{source="feishu-long-connection",outcome="${outcome}"\\} (\\d+)`).exec(
      metrics,
    ) ?? [];
  return Number(count);
}

/** Every event is there once and decided once; nothing else is. */
async function expectAllDecided(dataSource: DataSource): Promise<void> {
  const rows = (): Promise<{ event_id: string; state: string; events: number; evaluations: number }[]> =>
    dataSource.query(
      `select event_id, state,
              (select count(*)::int from events e where e.id = k.id) as events,
              (select count(*)::int from evaluations v where v.event_id = k.id) as evaluations
         from event_keys k`,
    );
  await until(async () => (await rows()).every(({ state }) => state === 'decided'), 60_000);
  const all = await rows();
  expect(all.filter(({ events, evaluations }) => events !== 1 || evaluations !== 1)).toEqual([]);
  expect(all.map(({ event_id }) => event_id).sort()).toEqual([...fake.pushed.keys()].sort());
}

const attempts = (): PushAttempt[] => fake.records.flatMap((record) => record.attempts);

describe(`${EVENTS} events over the long connections of two instances`, () => {
  let database: TestDatabase;
  let services: ServiceProcess[];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    for (const service of services) await service.kill();
    await database.drop();
  });

  it('are each stored and decided once, through duplicates, fragments, broken and silent connections', async () => {
    fake = await FakeFeishu.start({
      apps: [{ appId: APP.id, appSecret: SECRET }],
      retryDelaysMs: [500, 1500, 4000, 8000],
    });
    services = [await serviceOn(database.url, 'one'), await serviceOn(database.url, 'two')];
    await Promise.all(services.map((service) => service.start()));
    const both = (): Promise<void> => until(() => fake.connections(APP.id) === 2, 30_000);
    await both();

    const drops = Array.from({ length: 20 }, (_, index) => async () => {
      // Three times the platform says no when the client comes back.
      if (index % 7 === 3)
        fake.faults.endpoint.push({ code: [514, 1, 1000040350][index % 3]!, data: 'empty' });
      expect(fake.drop(APP.id, index % 2 === 0 ? 'close' : 'terminate', 1)).toBe(1);
      await until(() => fake.connections(APP.id) < 2);
      await both();
    });
    const silences = Array.from({ length: 2 }, () => async () => {
      expect(fake.drop(APP.id, 'half-open', 1)).toBe(1);
      await both();
    });
    const disturbances = [silences[0]!, ...drops.slice(0, 10), silences[1]!, ...drops.slice(10)];
    const batch = Math.floor(EVENTS / (disturbances.length + 1));
    for (const disturb of disturbances) await Promise.all([push(batch), disturb()]);
    await push(EVENTS - fake.records.length);
    await fake.settled();

    expect(fake.records).toHaveLength(EVENTS);
    expect(fake.records.filter(({ state }) => state !== 'done')).toEqual([]);
    const all = attempts();
    expect(all.filter(({ outcome, ms }) => outcome === 'success' && ms > 3000)).toEqual([]);
    // What was to be gone through was gone through.
    expect(all.length).toBeGreaterThan(EVENTS);
    expect(all.some(({ outcome }) => outcome === 'timeout' || outcome === 'dropped')).toBe(true);
    expect(fake.calls.filter(({ api, code }) => api === 'endpoint' && code !== 0)).toHaveLength(3);
    const dataSource = await database.open(2);
    await expectAllDecided(dataSource);
    const stored = await Promise.all(services.map(({ url }) => countOf(url, 'stored')));
    expect(stored.reduce((sum, count) => sum + count)).toBe(EVENTS);
    expect(Math.min(...stored)).toBeGreaterThan(EVENTS / 10);
    for (const service of services) {
      expect(service.log).not.toContain('service.bug');
      expect(service.log).not.toContain(SECRET);
      expect(await service.stop()).toBe(0);
    }
  }, 600_000);
});

describe(`a database that is stopped for ${DATABASE_DOWN_MS} ms`, () => {
  let postgres: PostgresProcess;
  let service: ServiceProcess;

  afterEach(async () => {
    await service.kill();
    await postgres.stop();
  });

  it('takes no acknowledgement with it: no event has its 200 meanwhile, and each has it afterwards', async () => {
    fake = await FakeFeishu.start({
      apps: [{ appId: APP.id, appSecret: SECRET }],
      // As the platform's, so many that they reach a little beyond the time without a database.
      retryDelaysMs: [0.1, 0.3, 0.5, 0.7].map((part) => part * DATABASE_DOWN_MS),
    });
    postgres = new PostgresProcess(join(folder, 'database'));
    await postgres.start();
    service = await serviceOn(postgres.url, 'data');
    await service.start();
    await push(100);
    await fake.settled();

    await postgres.stop();
    const [down, before] = [Date.now(), fake.records.length];
    for (const part of [1, 2, 3, 4]) {
      await push(50, Infinity);
      await until(() => Date.now() - down >= (DATABASE_DOWN_MS / 4) * part, DATABASE_DOWN_MS);
    }
    // All of these have been tried.
    await until(() => fake.records.every((record) => record.attempts.length > 0));
    expect(attempts().filter(({ at, outcome }) => at >= down && outcome === 'success')).toEqual([]);
    expect(fake.connections(APP.id)).toBe(1);
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(503);

    await postgres.start();
    await fake.settled();
    expect(fake.records.length).toBe(before + 200);
    expect(fake.records.filter(({ state }) => state !== 'done')).toEqual([]);
    const dataSource = await createDataSource({ url: postgres.url }, 2).initialize();
    await expectAllDecided(dataSource);
    await dataSource.destroy();
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
    expect(service.log).not.toContain('service.bug');
    expect(await service.stop()).toBe(0);
  }, 180_000);
});
