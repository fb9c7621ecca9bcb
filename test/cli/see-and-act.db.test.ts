// The built commands as processes, on real PostgreSQL and on a running service; deliveries go to a real HTTP server.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startService, type TestService } from '../support/app.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';
import { folderWith, temporaryFolder } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';

const rule = (name: string, url: string): object => ({
  name,
  description: `tells ${name}`,
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [
    {
      type: 'http',
      name: 'tell',
      url,
      headers: { authorization: 'Bearer {{ secrets.TOKEN }}' },
      body: { status: "{{ event.status | label: 'zh' }}" },
    },
  ],
});

const commands = new Commands();
let database: TestDatabase;
let rows: DataSource;
let receiver: Receiver;
let service: TestService;
let local: Record<string, string>;
let token: string;
let broken = true;
/** The sender's ids of an event that is done and of one that is not. */
let done: string;
let todo: string;

const push = async (changes: Record<string, unknown>): Promise<string> => {
  const { eventId, ...request } = pushOfApprover(changes);
  expect((await fetch(`${service.url}/webhook/event`, { method: 'POST', ...request })).status).toBe(200);
  return eventId;
};
beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(1);
  receiver = await startReceiver(({ path }, response) => {
    response.statusCode = broken && path === '/broken' ? 400 : 200;
    response.end('{"said":"\u001b[31m已收到"}');
  });
  local = {
    ...APP_SETTINGS,
    DATABASE_URL: database.url,
    DATA_DIR: temporaryFolder('see-and-act'),
    OUTBOUND_ALLOW: `127.0.0.1:${receiver.port}`,
    SECRET_TOKEN: 'canary-secret-3f1',
    RULES_DIR: folderWith({
      'a.rule.json': JSON.stringify([
        rule('sound', `${receiver.url}/sound`),
        rule('broken', `${receiver.url}/broken`),
      ]),
    }),
  };
  service = await startService({ ...local, ADMIN_PORT: '0', ADMIN_PASSWORD: 'correct horse battery' });
  done = await push({ status: 3 });
  todo = await push({ status: 1, process_id: '7000000000000000001' });
  await until(async () => {
    const [row] = await rows.query<{ n: number }[]>(
      `select (select count(*)::int from action_keys where state in ('delivered', 'dead'))
            + (select count(*)::int from event_keys where state = 'decided')
            + (select count(*)::int from event_search) as n`,
    );
    return row?.n === 6;
  }, 20_000);
  const made = await commands.run(['users', 'token', 'admin', '--name', 'test'], local);
  token = made.stdout.trim();
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await receiver.close();
  await database.drop();
});

const here = (...parameters: string[]): Promise<Ended> => commands.run(parameters, local);
const there = (...parameters: string[]): Promise<Ended> =>
  commands.run([...parameters, '--server', service.adminUrl], {
    AFTERSIGN_TOKEN: token,
    DATABASE_URL: 'nonsense',
  });
/** Runs a command both ways; answers what both print. */
const both = async (...parameters: string[]): Promise<Ended> => {
  const [one, other] = await Promise.all([here(...parameters), there(...parameters)]);
  expect(other).toEqual(one);
  return one;
};
const ids = async (state: string): Promise<string[]> => {
  const found = await rows.query<{ id: string }[]>('select id from action_keys where state = $1', [state]);
  return found.map(({ id }) => id);
};

describe('events', () => {
  it('are found by the label of their status, as a table and as the JSON of the API', async () => {
    const { code, stdout, stderr } = await both('events', 'list', '--status', '已完成', '--since', '1h');
    expect([code, stderr]).toEqual([0, '']);
    const [id = ''] = (
      JSON.parse((await here('events', 'list', '--status', 'done', '--json')).stdout) as {
        items: { id: string }[];
      }
    ).items.map((one) => one.id);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^id 编号 {28} +type 类型 +state +rules +sent$/),
      expect.stringMatching(/^received 接收 +entity 实体 +状态 +规则 +投递$/),
      expect.stringMatching(new RegExp(`^${id} +corehr\\.process\\.approver\\.updated_v2 +decided +✓2 +2$`)),
      expect.stringMatching(/^2\d{3}-\S+Z +process:7072306364927985196 +已求值$/),
      '',
    ]);
    const json = JSON.parse((await both('events', 'list', '--json')).stdout) as {
      items: { eventId: string }[];
    };
    expect(json.items.map(({ eventId }) => eventId)).toEqual([todo, done]);
    expect(json).toEqual({
      items: [expect.any(Object), expect.objectContaining({ matched: 2 })],
      next: null,
    });
  });

  it('go on page after page', async () => {
    const first = await both('events', 'list', '--limit', '1');
    const [, cursor = ''] = /--cursor (\S+)/.exec(first.stderr) ?? [];
    const second = await both('events', 'list', '--limit', '1', '--cursor', cursor);
    expect(second.stderr).toBe('');
    const all = await both('events', 'list', '--all');
    expect(all.stdout.split('\n')).toHaveLength(
      first.stdout.split('\n').length + second.stdout.split('\n').length - 3,
    );
  });

  it('are shown with their facts in the words of the catalogue, verdicts and deliveries', async () => {
    const { stdout } = await both('events', 'show', done);
    expect(stdout).toContain(done);
    expect(stdout).toMatch(/status +状态 \/ status +3 已完成 \/ done/);
    expect(stdout).toMatch(/sound +matched 命中/);
    expect(stdout).toMatch(
      / sound +http:127\.0\.0\.1:\d+ +delivered +1\n.* tell +process:70723\d+ +已投递\n/,
    );
    expect(stdout).toMatch(/ broken +http:127\.0\.0\.1:\d+ +dead +1 +HTTP_400\n.* 死信\n/);
    expect(JSON.parse((await both('events', 'show', done, '--json')).stdout)).toMatchObject({
      eventId: done,
      masked: false,
      deliveries: [{ rule: 'broken' }, { rule: 'sound' }].map((one) => expect.objectContaining(one)),
    });
  });

  it('are explained', async () => {
    const { stdout } = await both('explain', todo, '--rule', 'sound');
    expect(stdout).toMatch(/✗ status 状态.*3 已完成.*1 待办/);
    expect(JSON.parse((await both('explain', todo, '--json')).stdout)).toMatchObject({ eventId: todo });
  });

  it('that are not there, or filters that are none, are refused alike', async () => {
    expect(await both('events', 'show', 'no-such-event')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^EVENT_UNKNOWN: /),
    });
    // No path leads out of the route.
    expect(await there('events', 'show', '..')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^NOT_FOUND: /),
    });
    expect(await both('events', 'list', '--status', '没有')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^STATUS_UNKNOWN: .*已完成/),
    });
    expect(await here('events', 'list', '--state', 'lost')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('undecided, waiting, decided, quarantined'),
    });
    expect(await both('events', 'list', '--text', 'nobody-has-this-word')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No events. 无记录。\n',
    });
  });
});

describe('deliveries and targets', () => {
  it('are listed and shown with each attempt, without secrets', async () => {
    const { stdout } = await both('deliveries', 'list', '--state', 'dead');
    expect(stdout).toMatch(/ broken +http:127\.0\.0\.1:\d+ +dead +1 +HTTP_400\n/);
    const [id = ''] = await ids('dead');
    const shown = await both('deliveries', 'show', id);
    expect(shown.stdout).toMatch(/Bearer \{\{ secrets\.TOKEN \}\}/);
    expect(shown.stdout).toContain('"status": "已完成"');
    expect(shown.stdout).toMatch(/1 +2\d{3}-.*permanent +400 +HTTP_400/);
    // What a target answers does not move the cursor.
    expect(shown.stdout).toContain('已收到');
    expect(shown.stdout).not.toContain('\u001b');
    const json = await both('deliveries', 'show', id, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      id,
      state: 'dead',
      attempts: [{ attempt: 1, status: 400 }],
    });
    for (const one of [shown, json]) expect(one.stdout).not.toContain('canary-secret-3f1');
    const targets = await both('targets', 'list');
    expect(targets.stdout).toMatch(
      /http:127\.0\.0\.1:\d+ +0 +closed 正常 +0 +1 +2\d{3}-\S+Z\nbroken, sound +0\/50 +2\d{3}-\S+Z HTTP_400\n/,
    );
  });

  it('are redriven one by one; each outcome is told, and a refusal is exit code 1', async () => {
    broken = false;
    const [dead = ''] = await ids('dead');
    const [delivered = ''] = await ids('delivered');
    const unknown = '019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10';
    const { code, stdout, stderr } = await there(
      'deliveries',
      'redrive',
      dead,
      delivered,
      unknown,
      '--reason',
      '工资系统恢复了',
    );
    expect(code).toBe(1);
    expect(stdout).toContain(`${dead}  broken / tell: `);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^DELIVERY_STATE: ${delivered}: `)),
      expect.stringMatching(new RegExp(`^DELIVERY_UNKNOWN: ${unknown}: `)),
    ]);
    await until(async () => (await ids('delivered')).length === 2);
    const again = await both('deliveries', 'redrive', dead, '--json');
    expect(again).toMatchObject({ code: 1 });
    expect(JSON.parse(again.stdout)).toEqual({
      items: [{ id: dead, done: false, code: 'DELIVERY_STATE', detail: expect.any(String) }],
    });
    const [entry] = await rows.query<{ actor: string; detail: { reason: string } }[]>(
      `select actor, detail from audit_log where action = 'delivery.redrive' and subject = $1`,
      [`delivery:${dead}`],
    );
    expect([entry?.actor, entry?.detail.reason]).toEqual(['admin/test', '工资系统恢复了']);
  });

  it('are acted on by a filter, after a look at how many there are', async () => {
    const filter = ['--rule', 'sound', '--since', '1h'];
    await rows.query(`update action_keys set state = 'dead', code = 'HTTP_503' where rule = 'sound'`);
    expect(await both('deliveries', 'redrive', ...filter, '--dry-run')).toMatchObject({
      code: 0,
      stdout: '1 delivery that is dead 符合条件\n',
    });
    expect(await both('deliveries', 'redrive', ...filter)).toMatchObject({ code: 2, stdout: '' });
    expect(await both('deliveries', 'redrive')).toMatchObject({ code: 2 });
    expect(await both('deliveries', 'discard', ...filter, '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--reason'),
    });
    expect(await there('deliveries', 'redrive', ...filter, '--yes', '--json')).toMatchObject({
      code: 0,
      stdout: '{"matched":1,"done":1,"skipped":[],"next":null}\n',
    });
    await until(async () => (await ids('delivered')).length === 2);
    expect(await here('deliveries', 'redrive', ...filter, '--yes')).toMatchObject({
      code: 0,
      stdout: '0 redriven 已重投\n',
    });
  });

  it('are tested step by step from here and there', async () => {
    const { code, stdout } = await here('targets', 'test', '--no-send');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^✓ http:127\.0\.0\.1:\d+\n {2}✓ name 名称解析 .*\n {2}✓ connection 连接 /),
    ]);
    const sent = receiver.received.length;
    const json = await there('targets', 'test', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ items: [{ ok: true }], left: [], more: 0 });
    expect(receiver.received.slice(sent)).toMatchObject([{ headers: { 'aftersign-drill': '1' } }]);
    expect(await both('targets', 'test', 'http:nowhere.example')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DRILL_TARGET_UNKNOWN: /),
    });
  });

  it('are balanced with what was asked for', async () => {
    const { code, stdout } = await here('report', '--since', '1h');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/all 合计 +2 +2 +0 +2 delivered 已投递\n/)]);
    const json = await there('report', '--since', '1h', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ balanced: true, total: { asked: 2, difference: 0 } });
  });
});

describe('rules', () => {
  it('have a history, are shown live and made live both ways', async () => {
    const shown = await both('rules', 'show', 'sound', '--live');
    expect(shown.stdout).toBe((await here('rules', 'show', 'sound', '--rules', local['RULES_DIR']!)).stdout);
    const json = JSON.parse((await both('rules', 'show', '--live', '--json')).stdout) as { ruleSet: string };
    expect(await both('rules', 'show', 'other', '--live')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^RULE_UNKNOWN: .*broken, sound/),
    });
    expect(await there('rules', 'activate', json.ruleSet.slice(0, 8), '--reason', '回退')).toMatchObject({
      code: 0,
      stdout: `Rule set ${json.ruleSet.slice(0, 12)} is live (activation 2).\n`,
    });
    const history = await both('rules', 'history');
    expect(history.stdout).toMatch(
      new RegExp(`2 +2\\d{3}-\\S+ +${json.ruleSet.slice(0, 12)} live 生效中 +admin/test +回退`),
    );
    expect(await both('rules', 'activate', 'ffffffff')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^RULE_SET_UNKNOWN: /),
    });
  });
});

describe('--server', () => {
  it('says so when it is no Aftersign, nobody, or the port of events', async () => {
    const at = (url: string): Promise<Ended> =>
      commands.run(['targets', 'list', '--server', url], { AFTERSIGN_TOKEN: token });
    expect(await at(receiver.url)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^SERVER_ANSWER: /),
    });
    expect(await at('http://127.0.0.1:1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^SERVER_UNREACHABLE: /),
    });
    // No loopback address by its look.
    expect(await at('http://[::ffff:127.0.0.1]:1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Warning: .* without encryption.*\nSERVER_UNREACHABLE: /),
    });
    expect(await at(service.url)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^NOT_FOUND: .*ADMIN_PORT/),
    });
  });

  it('says to viewers that personal values are masked', async () => {
    const made = await here('users', 'token', 'admin', '--name', 'viewer', '--role', 'viewer');
    const { stdout } = await commands.run(['events', 'show', done, '--server', service.adminUrl], {
      AFTERSIGN_TOKEN: made.stdout.trim(),
    });
    expect(stdout).toContain('Personal values are masked');
  });
});
