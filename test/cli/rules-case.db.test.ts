// The built commands as processes over a real service, which asks a real HTTP server; real PostgreSQL.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startService, type TestService } from '../support/app.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';
import { folderWith, put } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';

const TYPE = 'corehr.process.approver.updated_v2';
const rule = (grade: number): string =>
  JSON.stringify({
    name: 'senior',
    trigger: TYPE,
    conditions: {
      all: [
        { fact: 'status', operator: 'equal', value: 3 },
        { fact: 'task.transition', operator: 'equal', value: '1>3' },
        { fact: 'lookup.employee.grade', operator: 'greaterThan', value: grade },
      ],
    },
    actions: [
      {
        type: 'http',
        name: 'tell',
        url: '{{ secrets.TARGET }}',
        body: { who: '{{ lookup.employee.name }}', task: '{{ event.approver_id }}' },
      },
    ],
  });

const commands = new Commands();
let database: TestDatabase;
let dataSource: DataSource;
let hr: Receiver;
let service: TestService;
let folder: string;
let local: Record<string, string>;
let opened: string;
let done: string;

const push = async (changes: Record<string, unknown>, createTime: number): Promise<string> => {
  const { eventId, ...request } = pushOfApprover(changes, { create_time: String(createTime) });
  expect((await fetch(`${service.url}/webhook/event`, { method: 'POST', ...request })).status).toBe(200);
  return eventId;
};
const count = async (sql: string): Promise<number> => {
  const [row] = await dataSource.query<{ n: number }[]>(`select (${sql})::int as n`);
  return row?.n ?? 0;
};

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(1);
  hr = await startReceiver((_, response) => {
    response.end('{"grade":7,"name":"王芳","phone":"13800138000"}');
  });
  folder = folderWith({
    'senior.rule.json': rule(5),
    'lookups.json': JSON.stringify({
      employee: {
        type: 'http',
        url: `${hr.url}/employees/{{ event.approver_id }}`,
        fields: {
          grade: { type: 'integer', label: { zh: '职级', en: 'grade' } },
          name: { type: 'string', label: { zh: '姓名', en: 'name' }, personal: true },
        },
      },
    }),
  });
  local = {
    ...APP_SETTINGS,
    DATABASE_URL: database.url,
    RULES_DIR: folder,
    OUTBOUND_ALLOW: '127.0.0.1',
    SECRET_TARGET: `${hr.url}/tell`,
  };
  service = await startService({ ...local, ADMIN_PORT: '0' });
  const now = Date.now();
  opened = await push({ status: 1 }, now - 7_500_000);
  await until(
    async () => (await count(`select count(*) from event_keys where state = 'decided'`)) === 1,
    20_000,
  );
  done = await push({ status: 3 }, now - 300_000);
  await until(async () => (await count('select count(*) from event_search')) === 2, 20_000);
  await until(async () => (await count('select count(*) from evaluations')) === 2, 20_000);
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await hr.close();
  await database.drop();
});

const here = (...parameters: string[]): Promise<Ended> => commands.run(parameters, local);
const there = async (role: string, ...parameters: string[]): Promise<Ended> => {
  const made = await here('users', 'token', 'admin', '--name', role, '--role', role);
  return await commands.run([...parameters, '--server', service.adminUrl], {
    AFTERSIGN_TOKEN: made.stdout.trim(),
  });
};

describe('aftersign rules case --from-event', () => {
  it('prints a case of what happened, with stand-ins, that runs as it was recorded', async () => {
    const { code, stdout, stderr } = await here('rules', 'case', '--from-event', done);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      rules: ['senior'],
      now: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/),
      timezone: 'Asia/Shanghai',
      cases: [
        {
          name: `event ${done} 真实事件`,
          steps: [
            { event: {} },
            { lookup: { employee: { grade: 7, name: '员工1', phone: '00000000001' } } },
            { advance: '2h' },
            { event: { status: 3 } },
          ],
          expect: [
            {
              rule: 'senior',
              action: 'tell',
              at: '2h',
              with: {
                method: 'POST',
                url: '(TARGET)',
                headers: { 'content-type': 'application/json; charset=utf-8' },
                body: { who: '员工1', task: '7072306364927985187' },
              },
            },
          ],
          verdicts: { senior: 'matched' },
        },
      ],
    });
    // It is made to be read.
    expect(stdout).toContain('\n        { "advance": "2h" },\n');
  });

  it('is the same of a running service, by our id too, and not for viewers', async () => {
    const [first, ...others] = await Promise.all([
      here('rules', 'case', '--from-event', done, '--rule', 'senior'),
      there('operator', 'rules', 'case', '--from-event', done),
    ]);
    for (const other of others) expect(other).toEqual(first);
    const [row] = await dataSource.query<{ id: string }[]>('select id from event_keys where event_id = $1', [
      done,
    ]);
    expect((await here('rules', 'case', '--from-event', row?.id ?? '')).stdout).toBe(first.stdout);
    expect(await there('viewer', 'rules', 'case', '--from-event', done)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ROLE_MISSING: /),
    });
  });

  it('can be put beside the rules and run', async () => {
    const { stdout } = await here('rules', 'case', '--from-event', done);
    put(folder, { 'found.cases.json': stdout });
    const run = await here('rules', 'test', folder, '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ ok: true, cases: { passed: 1, failed: 0 } });
    expect(run.code).toBe(0);
  });

  it('is told for machines with how it ran, and of an event that nothing came of', async () => {
    const { code, stdout } = await here('rules', 'case', '--from-event', opened, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      eventId: opened,
      document: expect.objectContaining({
        cases: [
          expect.objectContaining({
            steps: [{ event: {} }],
            expect: [],
            verdicts: {
              senior: {
                verdict: 'not matched',
                because: ['status', 'task.transition', 'lookup.employee.grade'],
              },
            },
          }),
        ],
      }),
      ruleSet: expect.stringMatching(/^[0-9a-f]{64}$/),
      passed: true,
      failures: [],
      notes: [],
      today: null,
    });
  });

  it("says when today's rules give another result, and when the record is another", async () => {
    const active = await count('select count(*) from rule_set_activations');
    put(folder, { 'senior.rule.json': rule(9) });
    await until(async () => (await count('select count(*) from rule_set_activations')) > active, 20_000);
    const other = await here('rules', 'case', '--from-event', done);
    expect(other.code).toBe(0);
    expect(other.stderr).toMatch(/^Today's rules \([0-9a-f]{12}\) give another result 当前规则的结果不同:\n/);
    expect(other.stderr).toContain('− matched 命中');
    expect(other.stderr).toContain('+ not matched 未命中');
    await dataSource.query(`update deliveries set request = replace(request::text, '王芳', '王五')::json`);
    const { code, stdout, stderr } = await here('rules', 'case', '--from-event', done);
    expect(code).toBe(1);
    expect(stderr).toContain('as it was recorded 与记录不符 (please report this as a bug):');
    expect(stderr).toContain('body.who');
    expect(JSON.parse(stdout)).toMatchObject({ cases: [{ expect: [{ with: { body: { who: '王五' } } }] }] });
  });

  it('is refused where there is nothing to tell', async () => {
    expect(await here('rules', 'case', '--from-event', 'nowhere')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^EVENT_UNKNOWN: /),
    });
    expect(await here('rules', 'case', '--from-event', done, '--rule', 'other')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^RULE_UNKNOWN: .*"other" was not there/),
    });
    expect((await here('rules', 'case')).code).toBe(2);
  });
});
