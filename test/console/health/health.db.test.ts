// The real service on real PostgreSQL, also one that is locked; asked by HTTP as a load balancer and Prometheus do.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Health } from '../../../src/console/health/readiness.js';
import { CalendarWatch } from '../../../src/rules/calendar-watch.js';
import { startService, type TestService } from '../../support/app.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase, emptied } from '../../support/database.js';
import { until } from '../../support/door.js';
import { APP_SETTINGS, type Push, pushOfApprover } from '../../support/feishu.js';
import { folderWith, temporaryFolder } from '../../support/folder.js';

const DAY_MS = 86_400_000;
const PASSWORD = 'a password of the settings';
const RULES = {
  'all.rule.json': JSON.stringify({
    name: 'all',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
    actions: [{ type: 'http', name: 'tell', url: 'http://127.0.0.1:9/' }],
  }),
};

let database: TestDatabase;
let dataSource: DataSource;
let service: TestService;
let clock: TestClock;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
});
afterEach(async () => {
  await service.close();
  await emptied(
    dataSource,
    'event_keys, events, evaluations, action_keys, deliveries, attempts, lookups, rule_set_activations, rule_sets, users',
  );
});
afterAll(() => database.drop());

async function start(settings: NodeJS.ProcessEnv = {}): Promise<void> {
  clock = new TestClock(Date.now());
  service = await startService(
    {
      ...APP_SETTINGS,
      DATABASE_URL: database.url,
      DATA_DIR: temporaryFolder('health'),
      RULES_DIR: folderWith(RULES),
      ADMIN_PASSWORD: PASSWORD,
      ...settings,
    },
    clock,
  );
}
async function ready(): Promise<[number, Health]> {
  const answer = await fetch(`${service.url}/health/ready`);
  return [answer.status, (await answer.json()) as Health];
}
async function metrics(): Promise<string> {
  const answer = await fetch(`${service.url}/metrics`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return await answer.text();
}
/** The value of a series; null: it is not there. */
function valueIn(text: string, series: string): number | null {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}
async function push(one: Push): Promise<void> {
  const answer = await fetch(`${service.url}/webhook/event`, { method: 'POST', ...one });
  await answer.text();
  expect(answer.status).toBe(200);
}
async function locked<T>(table: string, work: () => Promise<T>): Promise<T> {
  const stranger = await database.open(1);
  const lock: QueryRunner = stranger.createQueryRunner();
  await lock.query(`begin; lock table ${table} in access exclusive mode`);
  try {
    return await work();
  } finally {
    await lock.query('rollback');
    await lock.release();
    await stranger.destroy();
  }
}

describe('GET /health/ready', () => {
  it('has no reasons and no warnings when all is well', async () => {
    await start();
    const [status, health] = await ready();
    expect(status).toBe(200);
    expect(health).toMatchObject({ ready: true, stopping: false, database: 'ok', reasons: [], warnings: [] });
  });

  it('warns of what needs a person, and is ready all the same', async () => {
    const folder = temporaryFolder('broken');
    writeFileSync(join(folder, 'broken.rule.json'), '{"name": "broken"');
    await start({ RULES_DIR: folder, ADMIN_PASSWORD: '' });
    await push(pushOfApprover());
    clock.advance(180_000);
    await ready();
    await until(async () => (await ready())[1].warnings.length === 5);
    const [status, health] = await ready();
    expect([status, health.ready, health.reasons]).toEqual([200, true, []]);
    expect(health.warnings).toEqual([
      { code: 'RULES_NONE', detail: expect.stringContaining('wait for their decision') },
      { code: 'RULES_BROKEN', detail: expect.stringContaining('1 error;') },
      { code: 'DECISIONS_LATE', detail: 'An event has waited 3 min for its decision.' },
      expect.objectContaining({ code: 'INDEX_LATE' }),
      expect.objectContaining({ code: 'PASSWORD_INITIAL' }),
    ]);
  });

  it('warns before the days of a work calendar end that live rules use, and when they have ended', async () => {
    const [rule] = Object.values(RULES).map((text): object => JSON.parse(text) as object);
    const today = Date.now();
    const day = (days: number): string =>
      new Date(today + days * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
    const folder = folderWith({
      'all.rule.json': JSON.stringify({ ...rule, calendar: 'office' }),
      'office.calendar.json': JSON.stringify({ name: 'office', until: day(62), holidays: [day(1)] }),
      'unused.calendar.json': JSON.stringify({ name: 'unused', until: day(1), holidays: [day(1)] }),
    });
    await start({ RULES_DIR: folder, DEFAULT_TIMEZONE: 'UTC' });
    const told = (event: string): object[] =>
      service.log.lines.filter(({ fields }) => fields['event'] === event).map(({ fields }) => fields);
    const gauge = async (): Promise<number | null> =>
      valueIn(await metrics(), 'aftersign_calendar_days_left{calendar="office"}');
    // Days later the depths are old, which is another warning.
    const warnings = async (): Promise<readonly object[]> =>
      (await ready())[1].warnings.filter(({ code }) => code.startsWith('CALENDAR_'));
    expect([await warnings(), await gauge()]).toEqual([[], 62]);
    clock.advance(2 * DAY_MS);
    expect([await warnings(), await gauge()]).toEqual([
      [{ code: 'CALENDAR_ENDING', detail: `The work calendar "office" is known until ${day(62)} only.` }],
      60,
    ]);
    await service.app.get(CalendarWatch).look();
    await service.app.get(CalendarWatch).look();
    expect(told('calendar.ending')).toEqual([
      { event: 'calendar.ending', calendar: 'office', until: day(62), daysLeft: 60 },
    ]);
    clock.advance(DAY_MS);
    await service.app.get(CalendarWatch).look();
    expect(told('calendar.ending')).toHaveLength(2);
    clock.advance(60 * DAY_MS);
    expect([await warnings(), await gauge()]).toEqual([
      [
        {
          code: 'CALENDAR_ENDED',
          detail: `The work calendar "office" was known until ${day(62)}: only the days of the week count now.`,
        },
      ],
      -1,
    ]);
    await service.app.get(CalendarWatch).look();
    expect(told('calendar.ended')).toEqual([
      { event: 'calendar.ended', calendar: 'office', until: day(62), daysLeft: -1 },
    ]);
    expect(await metrics()).not.toContain('calendar="unused"');
  });

  it('warns of a default calendar that there is not', async () => {
    await start({ DEFAULT_CALENDAR: 'kn' });
    expect((await ready())[1].warnings).toEqual([
      {
        code: 'DEFAULT_CALENDAR_UNKNOWN',
        detail: 'DEFAULT_CALENDAR is "kn", and there is no work calendar of that name.',
      },
    ]);
    await until(() => service.log.lines.some(({ fields }) => fields['event'] === 'calendar.missing'));
  });

  it('says why it is not ready', async () => {
    await start();
    const { Readiness } = await import('../../../src/console/health/readiness.js');
    service.app.get(Readiness).stop();
    const [status, health] = await ready();
    expect([status, health.ready, health.stopping]).toEqual([503, false, true]);
    expect(health.reasons).toEqual([{ code: 'SERVICE_STOPPING', detail: expect.any(String) }]);
  });

  it('tells neither where the database is nor who it is for when it is gone', async () => {
    await start({ ROLE: 'ingest' });
    const { hostname, username, pathname } = new URL(database.url);
    const name = pathname.slice(1);
    const administrator = new pg.Client({
      connectionString: database.url.replace(`/${name}`, '/postgres'),
    });
    await administrator.connect();
    await administrator.query(`alter database ${name} with allow_connections false`);
    await administrator.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
    await until(async () => (await ready())[1].database.endsWith('(55000)'));
    const [status, health] = await ready();
    await administrator.query(`alter database ${name} with allow_connections true`);
    await administrator.end();
    expect(status).toBe(503);
    expect(health.reasons).toEqual([{ code: 'DATABASE_DOWN', detail: 'The database does not answer.' }]);
    for (const hidden of [hostname, username, name]) expect(JSON.stringify(health)).not.toContain(hidden);
    await until(async () => (await ready())[0] === 200);
  });
});

describe('GET /metrics', () => {
  it('shows what waits in the database, and for how long', async () => {
    await start({ ROLE: 'ingest,rules' });
    await push(pushOfApprover({ status: 3 }));
    await until(async () => (await dataSource.query<unknown[]>('select 1 from action_keys')).length > 0);
    clock.advance(60_000);
    const text = await metrics();
    const at = (series: string): number | null => valueIn(text, series);
    expect(at('aftersign_deliveries{state="pending"}')).toBe(1);
    expect(at('aftersign_deliveries{state="dead"}')).toBe(0);
    expect(at('aftersign_deliveries_due')).toBe(1);
    expect(at('aftersign_deliveries_due_oldest_age_seconds')).toBe(60);
    expect(at('aftersign_events_undecided')).toBe(0);
    expect(at('aftersign_events_undecided_oldest_age_seconds')).toBe(0);
    expect(at('aftersign_events_waiting')).toBe(0);
    expect(at('aftersign_events_quarantined')).toBe(0);
    expect(at('aftersign_events_decided_total{outcome="decided"}')).toBe(1);
    expect(at('aftersign_event_decision_age_seconds_count')).toBe(1);
    expect(at('aftersign_decision_batch_events_sum')).toBe(1);
    expect(at('aftersign_event_commit_batch_events_sum')).toBe(1);
    expect(at('aftersign_event_commit_backlog')).toBe(0);
    expect(at('aftersign_rule_set_rules')).toBe(1);
    expect(at('aftersign_rule_findings{severity="error"}')).toBe(0);
    expect(at('aftersign_database_connection_waiters')).toBe(0);
    expect(text).toMatch(/^aftersign_rule_set_info\{hash="[0-9a-f]{64}"\} 1$/m);
    expect(text).toMatch(/^aftersign_build_info\{version="0\.1\.0",node="24\.[0-9.]+"\} 1$/m);
  });

  it('leaves out what the database does not say, counts that, and answers all the same', async () => {
    await start({ ROLE: 'ingest' });
    expect(valueIn(await metrics(), 'aftersign_deliveries_due')).toBe(0);
    clock.advance(5000);
    const text = await locked('action_keys', metrics);
    expect(valueIn(text, 'aftersign_scrape_errors_total')).toBe(1);
    expect(valueIn(text, 'aftersign_event_commit_backlog')).toBe(0);
    for (const gauge of [
      'aftersign_deliveries',
      'aftersign_deliveries_due',
      'aftersign_deliveries_due_oldest_age_seconds',
      'aftersign_events_undecided',
      'aftersign_events_waiting',
      'aftersign_rule_set_info',
      'aftersign_search_index_lag_seconds',
    ])
      expect(text).not.toMatch(new RegExp(`^${gauge}[ {]`, 'm'));
    clock.advance(5000);
    // Whoever asks while the reading that was locked out still ends hears of that one.
    await until(async () => valueIn(await metrics(), 'aftersign_deliveries_due') === 0);
  });

  it('has the pattern of a route, never its path, and nothing of senders, health and metrics', async () => {
    await start({ ROLE: 'ingest' });
    await push(pushOfApprover());
    await ready();
    for (const path of ['/nothing/secret-1', '/nothing/secret-2'])
      await (await fetch(service.url + path)).text();
    const text = await metrics();
    expect(
      valueIn(text, 'aftersign_http_request_seconds_count{method="GET",route="none",status="4xx"}'),
    ).toBe(2);
    expect(text.match(/aftersign_http_request_seconds_count/g)).toHaveLength(1);
    expect(text).not.toContain('secret-1');
  });
});
