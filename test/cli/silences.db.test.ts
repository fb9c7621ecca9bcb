// The built commands as processes, on real PostgreSQL and on a running service that only answers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startService, type TestService } from '../support/app.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase, emptied } from '../support/database.js';
import { temporaryFolder } from '../support/folder.js';
import { insertTimer, insertUnsettled, saveState } from '../support/state-rows.js';

const HOUR = 3_600_000;
const UNKNOWN = '0198c0de-0000-7000-8000-000000000000';

const commands = new Commands();
let database: TestDatabase;
let rows: DataSource;
let service: TestService;
let local: Record<string, string>;
let token: string;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(1);
  folder = temporaryFolder('silences');
  local = { DATABASE_URL: database.url, DATA_DIR: folder, RULES_DIR: folder };
  service = await startService({ ...local, ROLE: 'console', ADMIN_PASSWORD: 'correct horse battery' });
  const made = await commands.run(['users', 'token', 'admin', '--name', 'test'], local);
  token = made.stdout.trim();
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await database.drop();
});
beforeEach(() => emptied(rows, 'silences, timers, unsettled, entity_states, entity_tasks'));

const here = (...parameters: string[]): Promise<Ended> => commands.run(parameters, local);
const there = (...parameters: string[]): Promise<Ended> =>
  commands.run([...parameters, '--server', service.adminUrl], {
    AFTERSIGN_TOKEN: token,
    DATABASE_URL: 'nonsense',
  });
/** Runs a command both ways; answers what both print, but for how long it is until something. */
const both = async (...parameters: string[]): Promise<Ended> => {
  const [one, other] = (await Promise.all([here(...parameters), there(...parameters)])).map((ended) => ({
    ...ended,
    stdout: ended.stdout.replace(/(?:in )?\d+ (?:d|h|min|s)(?: \d+ (?:h|min))?( ago)? [前后]/g, '≈$1'),
  }));
  expect(other).toEqual(one);
  return one as Ended;
};
const stored = async (): Promise<{ matcher: unknown; seconds: number; author: string }[]> =>
  await rows.query(
    `select matcher, extract(epoch from ends_at - starts_at)::float8 as seconds, author from silences order by id`,
  );

describe('silences', () => {
  it('are added here and there, and say until when', async () => {
    const added = await here('silences', 'add', '--rule', 'pay-*', '--for', '2h', '--reason', '升级');
    expect(added).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Silence 静默 [0-9a-f-]{36}, \S+Z – \S+Z: rule 规则 pay-\*\n$/),
      stderr: '',
    });
    const remote = await there(
      ...['silences', 'add', '--owner', 'people-ops', '--match', 'process_id=123', '--match', 'status!=2'],
      ...['--until', new Date(Date.now() + HOUR).toISOString(), '--reason', 'test', '--json'],
    );
    expect(JSON.parse(remote.stdout)).toMatchObject({ state: 'active', author: 'admin/test' });
    expect(await stored()).toEqual([
      { matcher: { rule: 'pay-*' }, seconds: 7200, author: expect.stringContaining('@') },
      {
        matcher: {
          owner: 'people-ops',
          conditions: {
            all: [
              { fact: 'process_id', operator: 'equal', value: '123' },
              { fact: 'status', operator: 'notEqual', value: 2 },
            ],
          },
        },
        seconds: expect.any(Number),
        author: 'admin/test',
      },
    ]);
  });

  it('take conditions from a file, with what is wrong at its place', async () => {
    const file = join(folder, 'conditions.json');
    const add = (): Promise<Ended> =>
      here('silences', 'add', '--conditions', file, '--match', 'status=3', '--for', '1h', '--reason', 'x');
    writeFileSync(file, '{"any": [\n  {"fact": "biz_type", "operator": "eqal", "value": "leave"}\n]}');
    expect(await add()).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /conditions\.json:2:36 error RULE_VALUE_INVALID: .*eqal[\s\S]*\^{6}[\s\S]*Did you mean "equal"/,
      ),
    });
    writeFileSync(file, '{"any": [{"fact": "biz_typ", "operator": "equal", "value": "leave"}]}');
    expect(await add()).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^Warning 注意: .*"biz_typ".*Did you mean "biz_type"\?\n$/),
    });
    expect(await stored()).toMatchObject([
      {
        matcher: {
          conditions: {
            all: [{ any: [{ fact: 'biz_typ' }] }, { fact: 'status', operator: 'equal', value: 3 }],
          },
        },
      },
    ]);
    expect(
      await here(
        'silences',
        'add',
        '--conditions',
        join(folder, 'none.json'),
        '--for',
        '1h',
        '--reason',
        'x',
      ),
    ).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FILE_UNREADABLE: /) });
  });

  it('are listed with what they are about, and ended', async () => {
    await here('silences', 'add', '--rule', 'a', '--action', 'tell', '--for', '30m', '--reason', 'soon over');
    await here('silences', 'add', '--match', 'status=3', '--for', '2h', '--reason', 'the upgrade');
    const [second = '', first = ''] = (
      JSON.parse((await here('silences', 'list', '--json')).stdout) as { items: { id: string }[] }
    ).items.map(({ id }) => id);
    const { stdout } = await both('silences', 'list', '--state', 'active');
    expect(stdout).toMatch(new RegExp(`${second} +status equal 3 +2\\S+Z +the upgrade\\nactive 生效中 `));
    expect(stdout).toMatch(
      new RegExp(
        `${first} +rule 规则 a · action 动作 +2\\S+Z +soon over\\nactive 生效中 ends soon 即将结束 +tell `,
      ),
    );
    expect(await here('silences', 'end', first, '--reason', '好了')).toMatchObject({
      code: 0,
      stdout: `Silence 静默 ${first}: ended 已结束\n`,
    });
    expect(await there('silences', 'end', first)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^SILENCE_ENDED: /),
    });
    expect((await both('silences', 'list', '--state', 'ended')).stdout).toMatch(
      /soon over\n[^]*· ended by\n? *结束于 /,
    );
    expect(await both('silences', 'end', UNKNOWN)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^SILENCE_UNKNOWN: /),
    });
    expect(await both('silences', 'list', '--state', 'pending')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No silences. 无记录。\n',
    });
  });

  it.each<[string, string[], string]>([
    ['of nothing', ['--for', '2h', '--reason', 'x'], 'what is to be silenced?'],
    ['without an end', ['--rule', 'a', '--reason', 'x'], 'either --for or --until'],
    [
      'with two ends',
      ['--rule', 'a', '--reason', 'x', '--for', '1h', '--until', '2026-12-01'],
      'either --for or --until',
    ],
    ['without a reason', ['--rule', 'a', '--for', '1h'], '--reason'],
    ['of half a match', ['--match', 'status', '--for', '1h', '--reason', 'x'], "like 'status=3'"],
    ['until two hours ago', ['--rule', 'a', '--until', '2h', '--reason', 'x'], 'a date'],
    ['for a number', ['--rule', 'a', '--for', '2', '--reason', 'x'], 'for: must be a duration'],
    ['of a name that is none', ['--rule', 'A B', '--for', '2h', '--reason', 'x'], 'matcher.rule: must be'],
  ])('%s are wrong use', async (_, parameters, said) => {
    const ended = await here('silences', 'add', ...parameters);
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toContain(said);
    expect(await stored()).toEqual([]);
  });
});

describe('timers', () => {
  it('are listed with how long it is until the next step, or how late it is', async () => {
    const now = Date.now();
    const late = await insertTimer(rows, now, { dueAt: now - 2 * HOUR - 70_000, sent: ['4h', '8h'] });
    const coming = await insertTimer(rows, now, { subject: 'task:2', dueAt: now + 26 * HOUR, step: '夜班' });
    const ended = await insertTimer(rows, now, {
      subject: 'node:3',
      state: 'cancelled',
      code: 'PROCESS_ENDED',
    });
    const { stdout } = await here('timers', 'list');
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^id 编号 +rule 规则 +for 对象 +state 状态 +sent 已发$/),
      expect.stringMatching(/^due 到期 +step 步骤 +entity 实体 +armed 开始计时 +why 原因$/),
      expect.stringMatching(new RegExp(`^${late} +remind +task:1 +armed 计时中 +4h, 8h$`)),
      expect.stringMatching(/^2\S+Z 2 h 1 min ago 前 +24h +process:7 +2\S+Z$/),
      expect.stringMatching(new RegExp(`^${coming} +remind +task:2 +armed 计时中$`)),
      expect.stringMatching(/^2\S+Z in 1 d 1 h 后 +夜班 +process:7 +2\S+Z$/),
      '',
    ]);
    await both('timers', 'list', '--rule', 'remind', '--entity', 'process:7');
    const cancelled = await both('timers', 'list', '--state', 'cancelled');
    expect(cancelled.stdout).toMatch(
      new RegExp(`${ended} +remind +node:3 +cancelled 已取消 *\\n.* PROCESS_ENDED\\n`),
    );
    const due = await both('timers', 'list', '--due-before', new Date(now).toISOString(), '--json');
    expect((JSON.parse(due.stdout) as { items: object[] }).items).toEqual([
      expect.objectContaining({ id: late, sent: ['4h', '8h'], step: '24h' }),
    ]);
  });

  it('are cancelled one by one', async () => {
    const now = Date.now();
    const id = await insertTimer(rows, now, { dueAt: now + HOUR });
    const done = await insertTimer(rows, now, { subject: 'task:2', state: 'finished' });
    const { code, stdout, stderr } = await there(
      'timers',
      'cancel',
      id,
      done,
      UNKNOWN,
      '--reason',
      '已电话处理',
    );
    expect([code, stdout]).toEqual([1, `${id}  remind / task:1: cancelled 已取消\n`]);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^TIMER_STATE: ${done}: `)),
      expect.stringMatching(new RegExp(`^TIMER_UNKNOWN: ${UNKNOWN}: `)),
    ]);
    const listed = await both('timers', 'list', '--state', 'cancelled');
    expect(listed.stdout).toMatch(/CANCELLED_BY_PER\n? *SON: 已电话处理/);
    const again = await both('timers', 'cancel', id, '--json');
    expect(JSON.parse(again.stdout)).toEqual({
      items: [{ id, done: false, code: 'TIMER_STATE', detail: expect.any(String) }],
    });
  });
});

describe('what is known of an approval', () => {
  it('is shown in both languages', async () => {
    const now = Date.now();
    const of = { process: '7', node: '5', task: '1', tells: 'task' } as const;
    const event = { id: UNKNOWN, eventType: 'corehr.process.approver.updated_v2' };
    const at = now - HOUR;
    await saveState(
      rows,
      'process:7',
      [
        { ...event, eventId: 'e1', orderTime: at, statusRank: 1, place: { ...of, status: 1, phase: 'open' } },
        {
          ...event,
          eventId: 'e2',
          orderTime: at + 1,
          statusRank: 3,
          place: { ...of, status: 3, phase: 'done' },
        },
        {
          ...event,
          eventId: 'e3',
          orderTime: at + 2,
          statusRank: 1,
          place: { ...of, status: 1, phase: 'open' },
        },
      ],
      now,
    );
    const timer = await insertTimer(rows, now, { dueAt: now + HOUR });
    await insertUnsettled(rows, now - 1);
    const { code, stdout } = await both('state', 'show', 'process:7');
    expect(code).toBe(0);
    for (const line of [
      /entity 实体 +│ process:7 /,
      /status 状态 +│ not known 未知/,
      /nodes 节点 1\n/,
      /\n5 +not known 未知 +1 +1 +0 +0 +0 +not known\n/,
      /tasks 审批任务 1\n/,
      /\n1 +5 +1 待办 \/ to do +2\S+Z\n +open 进行中\n/,
      /history 状态变迁 3\n/,
      /task:1 +→ 1 待办 \/ to do +e1\n/,
      /task:1 +1 待办 \/ to do → 3 已完成 \/ done +e2\n/,
      /task:1 +3 已完成 \/ done → 1 待办 \/ to do irregular 异常 +e3\n/,
      new RegExp(`timers 定时器 1\\n[^]*${timer} +remind +task:1 +armed 计时中`),
      /unsettled verdicts 未决判定 1\n[^]* remind +task\.previousStatus +expired 需人工处理\n/,
      /events 事件 none 无\n/,
      /deliveries 投递 none 无\n/,
    ])
      expect(stdout).toMatch(line);
    expect(JSON.parse((await both('state', 'show', 'process:7', '--json')).stdout)).toMatchObject({
      entity: 'process:7',
      tasks: [{ id: '1' }],
    });
    expect(await both('state', 'show', 'process:8')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ENTITY_UNKNOWN: /),
    });
  });

  it('and verdicts that it left open are listed', async () => {
    const now = Date.now();
    await insertUnsettled(rows, now - HOUR, { rule: 'expired' });
    const event = await insertUnsettled(rows, now + HOUR, { rule: 'open' });
    const { stdout } = await both('unsettled', 'list', '--state', 'open');
    expect(stdout).toMatch(new RegExp(`${event} +open +task\\.previousStatus +open 等待后续事件\\n`));
    expect(stdout).not.toContain('expired');
    const all = JSON.parse((await both('unsettled', 'list', '--json')).stdout) as { items: object[] };
    expect(all.items).toMatchObject([{ rule: 'open' }, { rule: 'expired' }]);
  });
});
