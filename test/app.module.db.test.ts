// Every role boots the real module on real PostgreSQL: catches each mistake of wiring.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from './support/folder.js';
import { Readiness } from '../src/console/health/readiness.js';
import { SystemClock } from '../src/config/clock.js';
import { createDataSource, migrate } from '../src/database/data-source.js';
import { Foundation1795000000001 } from '../src/database/migrations/0001-foundation.js';
import { loadBuiltInCatalogue } from '../src/events/catalogue.js';
import { LiveCatalogue } from '../src/events/live-catalogue.js';
import { compileRuleSet } from '../src/rules/rule-compiler.js';
import { RuleSetStore } from '../src/rules/rule-set-store.js';
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
      expect(metrics).toContain(
        `aftersign_events_received_total{source="feishu-webhook",outcome="${outcome}"} 1`,
      );
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
      ruleSet: { hash: ruleSet.hash, rules: 8, findings: 1 },
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
    expect(
      await first?.query('select count(*)::int as n, count(distinct name)::int as names from migrations'),
    ).toEqual([{ n: 11, names: 11 }]);
    await first?.query(`insert into migrations (timestamp, name) values (9, 'FromTheFuture9')`);
    await expect(migrate(sources[1]!)).rejects.toMatchObject({
      code: 'DATABASE_NEWER',
      message: expect.stringContaining('FromTheFuture9'),
    });
    await database.drop();
  });

  it('keep the rule set and the events of the version before', async () => {
    const database = await createTestDatabase();
    const dataSource = await database.open(2);
    await dataSource.query('drop schema public cascade; create schema public');
    const runner = dataSource.createQueryRunner();
    await new Foundation1795000000001().up(runner);
    await runner.query(
      `create table migrations (id serial primary key, timestamp bigint not null, name varchar not null)`,
    );
    await runner.query(
      `insert into migrations (timestamp, name) values (1795000000001, 'Foundation1795000000001')`,
    );
    const rule = {
      name: 'of-old',
      trigger: 'corehr.process.approver.updated_v2',
      conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
    };
    const files = { 'a.rule.json': JSON.stringify(rule) };
    await runner.query(
      `insert into rule_sets (hash, files, created_at) values ('0123456789ab', $1::json, now())`,
      [JSON.stringify(files)],
    );
    await runner.query(
      `insert into rule_set_activations (hash, activated_at, reason) values ('0123456789ab', now(), 'files on disk')`,
    );
    await runner.query(
      `insert into event_keys (origin, event_id, id, lane, order_time, status_rank)
       values ('feishu:a', 'e', gen_random_uuid(), 1, 1, 1), ('feishu:b', 'e', gen_random_uuid(), 1, 1, 1)`,
    );
    const event = '019b8c4e-0000-7000-8000-000000000001';
    await runner.query(`select ensure_partitions(d, d) from (select '2026-01-05'::date as d) as day`);
    await runner.query(
      `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs) values ($1, 'live', now(), 'x', $2, '{}')`,
      [
        event,
        JSON.stringify([
          { rule: 'a', verdict: 'matched' },
          { rule: 'b', verdict: 'matched' },
          { rule: 'c', verdict: 'unknown', missing: ['x\u0000'] },
          { rule: 'a', action: 'tell', cause: 'already-sent' },
        ]),
      ],
    );
    await runner.query(
      `insert into action_keys (key, id, state, due_at, updated_at) values ('k', $1, 'delivered', now(), now())`,
      [event],
    );
    await runner.query(
      `insert into deliveries (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, created_at, request)
       values ($1, 'k', $1, 'live', 'a', 'tell', 'http', 'http:a.example', 'process:1', 'e', 0, now(), 'null')`,
      [event],
    );
    await runner.query(
      `insert into attempts (delivery_id, attempt, started_at, outcome, code, detail, answer)
       values ($1, 1, '2026-01-05T01:00:00Z', 'retry', 'HTTP_STATUS', '', ''), ($1, 2, '2026-01-05T02:00:00Z', 'delivered', null, '', '')`,
      [event],
    );
    await runner.release();
    await migrate(dataSource);
    expect(await dataSource.query('select matched, unknown, errors from evaluations')).toEqual([
      { matched: 2, unknown: 1, errors: 0 },
    ]);
    expect(await dataSource.query('select rule, target from action_keys')).toEqual([
      { rule: 'a', target: 'http:a.example' },
    ]);
    expect(await dataSource.query('select * from targets')).toEqual([
      {
        target: 'http:a.example',
        target_lane: 'http:a.example',
        rule: 'a',
        kind: 'http',
        last_delivered_at: new Date('2026-01-05T02:00:00Z'),
        last_failed_at: new Date('2026-01-05T01:00:00Z'),
        last_code: 'HTTP_STATUS',
      },
    ]);
    // What is found by its terms can be written for the days that are there already.
    await dataSource.query('insert into event_search (id, terms) values ($1, $2)', [event, ['type=x']]);
    const builtIn = loadBuiltInCatalogue();
    const ruleSets = new RuleSetStore(
      dataSource,
      builtIn,
      new LiveCatalogue(dataSource, builtIn),
      new SystemClock(),
    );
    const current = await ruleSets.current();
    expect(current?.hash).toBe('0123456789ab');
    expect(current?.rules.map(({ name }) => name)).toEqual(['of-old']);
    // The same files are another set under the catalogue of today, and go live at the first start.
    const compiled = await compileRuleSet(new Map(Object.entries(files)), builtIn);
    expect(await ruleSets.offer(compiled.ruleSet!, new Map(Object.entries(files)), 'start')).toMatchObject({
      outcome: 'activated',
      number: 2,
    });
    expect(await dataSource.query(`select origin from event_keys where event_id = 'e' order by 1`)).toEqual([
      { origin: 'feishu:a' },
      { origin: 'feishu:b' },
    ]);
    await database.drop();
  });

  it('need a server that is there', async () => {
    const nowhere = createDataSource({ url: 'postgres://x:y@127.0.0.1:1/z' });
    await expect(nowhere.initialize()).rejects.toThrow('ECONNREFUSED');
  });
});
