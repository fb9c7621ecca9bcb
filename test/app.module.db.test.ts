// Every role boots the real module on real PostgreSQL: catches each mistake of wiring.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from './support/folder.js';
import { Readiness } from '../src/console/readiness.js';
import { createDataSource, migrate } from '../src/database/data-source.js';
import { startService, type TestService } from './support/app.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { APP_SETTINGS, pushOfApprover } from './support/feishu.js';

describe('the service', () => {
  let database: TestDatabase;
  let service: TestService | null = null;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await service?.close();
    service = null;
  });
  afterAll(() => database.drop());

  const start = async (settings: NodeJS.ProcessEnv = {}): Promise<TestService> => {
    service = await startService({ ...APP_SETTINGS, DATABASE_URL: database.url, ...settings });
    return service;
  };
  const statusOf = async (url: string, init?: RequestInit): Promise<number> => {
    const answer = await fetch(url, init);
    await answer.text();
    return answer.status;
  };

  it.each([
    ['all', 200],
    ['ingest', 200],
    ['rules', 404],
    ['action', 404],
    ['console', 404],
    ['rules,action', 404],
  ])('with ROLE=%s is healthy, and its webhook answers %s', async (ROLE, webhook) => {
    const { url } = await start({ ROLE });
    expect(await statusOf(`${url}/health/live`)).toBe(200);
    expect(await statusOf(`${url}/health/ready`)).toBe(200);
    expect(await statusOf(`${url}/webhook/event`, { method: 'POST', ...pushOfApprover() })).toBe(webhook);
  });

  it('shows its metrics by outcome', async () => {
    const { url } = await start({ ROLE: 'ingest' });
    const push = pushOfApprover();
    for (let time = 0; time < 2; time += 1)
      await statusOf(`${url}/webhook/event`, { method: 'POST', ...push });
    await statusOf(`${url}/webhook/event`, { method: 'POST', body: '{}' });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const outcome of ['stored', 'duplicate', 'refused']) {
      expect(metrics).toContain(`aftersign_events_received_total{outcome="${outcome}"} 1`);
    }
    expect(metrics).toMatch(/aftersign_event_ack_seconds_count 2/);
  });

  it('is not ready any more once it is stopping', async () => {
    const { url, app } = await start({ ROLE: 'ingest' });
    app.get(Readiness).stop();
    expect(await statusOf(`${url}/health/ready`)).toBe(503);
  });

  it('keeps the rule set that was live when the files on disk are broken, and says so', async () => {
    const first = await start();
    const { ruleSet } = (await (await fetch(`${first.url}/health/ready`)).json()) as {
      ruleSet: { hash: string };
    };
    await first.close();
    const folder = temporaryFolder('broken');
    writeFileSync(join(folder, 'broken.rule.json'), '{"name": "broken"');
    const second = await start({ RULES_DIR: folder });
    expect(await (await fetch(`${second.url}/health/ready`)).json()).toMatchObject({
      ready: true,
      ruleSet: { hash: ruleSet.hash, rules: 2, findings: 1 },
    });
    const refused = second.log.lines.filter(({ fields }) => fields['event'] === 'rules.refused');
    expect(refused).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringContaining('broken.rule.json:1:18') }),
    ]);
  });
});

describe('migrations', () => {
  it('of instances that start together run once, and a newer schema is refused', async () => {
    const database = await createTestDatabase();
    const sources = await Promise.all(Array.from({ length: 4 }, () => database.open(2)));
    const [first] = sources;
    await first?.query('drop schema public cascade; create schema public');
    await Promise.all(sources.map(migrate));
    expect(await first?.query('select count(*)::int as n from migrations')).toEqual([{ n: 1 }]);
    await first?.query(`insert into migrations (timestamp, name) values (9, 'FromTheFuture9')`);
    await expect(migrate(sources[1]!)).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringContaining('FromTheFuture9'),
    });
    await database.drop();
  });

  it('need a server that is there', async () => {
    const nowhere = createDataSource({ url: 'postgres://x:y@127.0.0.1:1/z' });
    await expect(nowhere.initialize()).rejects.toThrow('ECONNREFUSED');
  });
});
