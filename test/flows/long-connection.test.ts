// The built service as a process, with the product's flags, on a real PostgreSQL. The platform's side is played: by the
// fake where it behaves, frame by frame where it does not.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { eventEnvelope, FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { BarePlatform, eventFrame, pongFrame } from '../support/bare-platform.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP, approverEvent, envelopeOf } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { freePort, ServiceProcess } from '../support/process.js';

const SECRET = 'canary-app-secret-4e1f';
const RULE = {
  name: 'done',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://nowhere.example/' }],
};

const folder = temporaryFolder('long-connection');
let database: TestDatabase;
let rows: DataSource;
let service: ServiceProcess | null = null;
beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(2);
  mkdirSync(join(folder, 'rules'));
  writeFileSync(join(folder, 'rules', 'done.rule.json'), JSON.stringify(RULE));
});
afterEach(async () => {
  await service?.kill();
  service = null;
});
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  domain: string,
  settings: Record<string, string> = {},
  port?: number,
): Promise<ServiceProcess> {
  const own = port ?? (await freePort());
  service = new ServiceProcess(
    {
      PORT: String(own),
      DATABASE_URL: database.url,
      DATA_DIR: join(folder, 'data'),
      RULES_DIR: join(folder, 'rules'),
      ROLE: 'ingest,rules,console',
      FEISHU_APP_ID: APP.id,
      FEISHU_APP_SECRET: SECRET,
      FEISHU_MODE: 'long-connection',
      FEISHU_DOMAIN: domain,
      LOG_LEVEL: 'trace',
      ...settings,
    },
    own,
  );
  await service.start();
  return service;
}

const envelope = (): string => envelopeOf(approverEvent(), { token: '' });

it('an event that comes by the webhook and by the long connection is one event, decided once', async () => {
  const port = await freePort();
  const fake = await FakeFeishu.start({
    apps: [
      {
        appId: APP.id,
        appSecret: SECRET,
        encryptKey: APP.encryptKey,
        verificationToken: APP.token,
        webhookUrl: `http://127.0.0.1:${port}/webhook/event`,
      },
    ],
    retryDelaysMs: [200, 400],
  });
  const running = await start(
    fake.url,
    {
      FEISHU_MODE: 'both',
      FEISHU_ENCRYPT_KEY: APP.encryptKey,
      FEISHU_VERIFICATION_TOKEN: APP.token,
    },
    port,
  );
  await until(() => fake.connections(APP.id) === 1);
  const ids = Array.from({ length: 20 }, () => {
    const sent = eventEnvelope({ appId: APP.id, event: { status: 3 } });
    fake.push(APP.id, sent, { via: 'both' });
    return sent.header.event_id;
  });
  await fake.settled();
  expect(fake.records.filter(({ state }) => state !== 'done')).toEqual([]);
  expect(new Set(fake.records.flatMap(({ attempts }) => attempts.map(({ via }) => via)))).toEqual(
    new Set(['webhook', 'long-connection']),
  );
  const decided = (): Promise<{ event_id: string; evaluations: number; deliveries: number }[]> =>
    rows.query(
      `select event_id, (select count(*)::int from evaluations v where v.event_id = k.id) as evaluations,
              (select count(*)::int from deliveries d where d.event_id = k.id) as deliveries
         from event_keys k where event_id = any($1)`,
      [ids],
    );
  await until(async () => (await decided()).every(({ evaluations }) => evaluations > 0));
  expect((await decided()).sort((a, b) => (a.event_id < b.event_id ? -1 : 1))).toEqual(
    ids.sort().map((event_id) => ({ event_id, evaluations: 1, deliveries: 1 })),
  );
  for (const hidden of [SECRET, APP.token, APP.encryptKey, '/ws/v2', 'ticket='])
    expect(running.log).not.toContain(hidden);
  expect(await running.stop()).toBe(0);
  await fake.stop();
});

it('of several apps, each over its own connection, is the app that sent it', async () => {
  const second = { appId: 'cli_00000000000000a2', appSecret: 'canary-second-secret-19' };
  const fake = await FakeFeishu.start({ apps: [{ appId: APP.id, appSecret: SECRET }, second] });
  const file = join(folder, 'sources.json');
  writeFileSync(
    file,
    JSON.stringify({
      apps: {
        second: {
          appId: second.appId,
          appSecret: '{{ secrets.SECOND }}',
          mode: 'long-connection',
          domain: fake.url,
        },
      },
    }),
  );
  const running = await start(fake.url, { SOURCES_FILE: file, SECRET_SECOND: second.appSecret });
  const health = (await (await fetch(`${running.url}/health/ready`)).json()) as {
    connections: { app: string; state: string }[];
  };
  expect(health.connections.map(({ app, state }) => [app, state])).toEqual([
    ['default', 'connected'],
    ['second', 'connected'],
  ]);
  const ids = [APP.id, second.appId].map((appId) => {
    const sent = eventEnvelope({ appId });
    fake.push(appId, sent);
    return sent.header.event_id;
  });
  await fake.settled();
  const found = await rows.query<{ origin: string; event_id: string }[]>(
    'select origin, event_id from event_keys where event_id = any($1) order by origin desc',
    [ids],
  );
  expect(found).toEqual([
    { origin: `feishu:${APP.id}`, event_id: ids[0] },
    { origin: `feishu:${second.appId}`, event_id: ids[1] },
  ]);
  expect(running.log).not.toContain('canary-second');
  expect(await running.stop()).toBe(0);
  await fake.stop();
});

describe('a process', () => {
  it('lives through every frame, answer and end of a socket, and takes events afterwards', async () => {
    const platform = await BarePlatform.start();
    const running = await start(platform.url);
    let socket = await platform.socket();
    const frames = [
      ...Array.from({ length: 200 }, (_, length) => randomBytes(length)),
      ...['null', '[]', '{}', '"', '{"schema":"2.0"}', '{"__proto__":{"schema":"2.0"}}'].map((body, index) =>
        eventFrame(`odd-${index}`, body),
      ),
      eventFrame('many', envelope(), { sum: '4294967295' }),
      eventFrame('large', 'x'.repeat(3 * 1024 * 1024)),
      eventFrame('part', envelope(), { sum: '2' }),
      eventFrame('proto', envelope(), { ['__proto__']: 'x', constructor: 'y', toString: 'z' }),
      eventFrame('none', '', { type: null, message_id: null, sum: null, seq: null, trace_id: null }),
      ...['', 'null', '{}', '[]', '"', '{"PingInterval":-1}', '{"PingInterval":1e999}'].map(pongFrame),
    ];
    socket.send(...frames);
    socket.socket.send('a text');
    socket.send(eventFrame('after-frames', envelope()));
    expect((await socket.ack('after-frames')).code).toBe(200);

    platform.answers.push(
      { status: 200, body: 'null' },
      { status: 200, body: '{"code":0,"data":{"URL":"wss://"}}' },
    );
    platform.upgrades.push((raw) => raw.destroy());
    socket.socket.terminate();
    socket = await platform.socket(1, 25_000);
    socket.send(eventFrame('after-answers', envelope()));
    expect((await socket.ack('after-answers')).code).toBe(200);

    expect(running.log).not.toContain('service.bug');
    expect(running.log).not.toContain(SECRET);
    expect(running.log).not.toContain('canary-ticket');
    expect(await running.stop()).toBe(0);
    await until(() => platform.open === 0);
    await platform.close();
  }, 60_000);

  it('that is asked to stop sends the acknowledgements of what it stored, and ends within 4 s', async () => {
    const platform = await BarePlatform.start();
    const running = await start(platform.url);
    const socket = await platform.socket();
    const lock = rows.createQueryRunner();
    await lock.query('begin');
    await lock.query('lock table events in share mode');
    const ids = Array.from({ length: 50 }, (_, index) => `last-${index}`);
    for (const id of ids) socket.send(eventFrame(id, envelope()));
    await until(async () => {
      const waiting = await rows.query<object[]>(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.length > 0;
    });
    const started = performance.now();
    const stopped = running.stop();
    await until(() => running.log.includes('service.stopping'));
    await lock.query('rollback');
    await lock.release();
    expect(await stopped).toBe(0);
    expect(performance.now() - started).toBeLessThan(4000);
    for (const id of ids) expect((await socket.ack(id)).code).toBe(200);
    expect(socket.closed).toBe(true);
    await platform.close();
  }, 60_000);

  it('that has no connection yet stops as fast', async () => {
    const platform = await BarePlatform.start();
    platform.answers.push('hang');
    const running = await start(platform.url, { FEISHU_MODE: 'both', FEISHU_VERIFICATION_TOKEN: APP.token });
    await until(() => platform.discoveries.length === 1);
    const started = performance.now();
    expect(await running.stop()).toBe(0);
    expect(performance.now() - started).toBeLessThan(4000);
    await platform.close();
  });
});
