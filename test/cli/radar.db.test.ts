// The built commands as processes, on real PostgreSQL, on a running service that only answers, and against the fake Feishu.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import type { RadarAnswerBody, ReconciledAnswer } from '../../src/console/api/radar.schema.js';
import { startService, type TestService } from '../support/app.js';
import { TestClock } from '../support/clock.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { temporaryFolder } from '../support/folder.js';
import { RulesRoom } from '../support/rules.js';

const HOUR = 3_600_000;
const APP_ID = 'cli_a';
const UNKNOWN = '0198c0de-0000-7000-8000-000000000000';

const commands = new Commands();
let database: TestDatabase;
let rows: DataSource;
let service: TestService;
let fake: FakeFeishu;
let local: Record<string, string>;
let token: string;
/** When the events happened, ms. */
let then: number;

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(2);
  then = Date.now() - 12 * HOUR;
  const clock = new TestClock(then);
  await withPartitions(rows, then);
  const room = new RulesRoom(rows, clock);
  const leaf = (fact: string, value: unknown): object => ({ fact, operator: 'equal', value });
  await room.activate([
    {
      name: 'typo',
      trigger: 'corehr.process.approver.updated_v2',
      conditions: { all: [leaf('biz_type', 'renewal_recrod'), leaf('status', 1)] },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
    },
  ]);
  for (let n = 0; n < 25; n += 1)
    await room.approver({ status: 1, process_id: `p${n}`, approver_id: `t${n}` });
  await room.approver({ status: 3, process_id: '7', approver_id: '71' }, then + 1000);
  await room.settle();
  await room.close();
  fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'app-secret' }] });
  fake.processes.set('7', {
    process_id: '7',
    status: 1,
    done_list: [
      {
        approver_id: '71',
        type: 1,
        status: 3,
        create_time: String(then + 500),
        complete_time: String(then + 1000),
      },
    ],
  });
  const folder = temporaryFolder('radar');
  local = { DATABASE_URL: database.url, DATA_DIR: folder, RULES_DIR: folder };
  service = await startService({ ...local, ROLE: 'console', ADMIN_PASSWORD: 'correct horse battery' });
  token = (await commands.run(['users', 'token', 'admin', '--name', 'test'], local)).stdout.trim();
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await fake.stop();
  await database.drop();
});

const here = (...parameters: string[]): Promise<Ended> => commands.run(parameters, local);
const there = (...parameters: string[]): Promise<Ended> =>
  commands.run([...parameters, '--server', service.adminUrl], {
    AFTERSIGN_TOKEN: token,
    DATABASE_URL: 'nonsense',
  });
const asking = (...parameters: string[]): Promise<Ended> =>
  commands.run(parameters, {
    ...local,
    FEISHU_APP_ID: APP_ID,
    FEISHU_APP_SECRET: 'app-secret',
    FEISHU_DOMAIN: fake.url,
  });
const radarOf = ({ stdout }: Ended): RadarAnswerBody => JSON.parse(stdout) as RadarAnswerBody;
const reconciledOf = ({ stdout }: Ended): ReconciledAnswer => JSON.parse(stdout) as ReconciledAnswer;

describe('aftersign radar', () => {
  it('looks here and there, says each finding in both languages, and exits with 1', async () => {
    const found = await there('radar', '--json');
    expect([found.code, found.stderr]).toEqual([1, '']);
    const { items, looked, asks } = radarOf(found);
    expect([looked, asks]).toEqual([26, false]);
    expect(items.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'failing-condition rule:typo',
      'lost-events process:7',
      'unread-value corehr.process.approver.updated_v2 biz_type renewal_record',
    ]);
    const text = await here('radar', '--kind', 'failing-condition');
    expect(text.code).toBe(1);
    expect(text.stdout).toContain('是否想写 "renewal_record"？');
    expect(text.stdout).toContain('Did you mean "renewal_record"?');
    expect(text.stdout).not.toContain('process:7');
    expect(await here('radar', '--since', 'yesterday')).toMatchObject({ code: 2 });
  });

  it('dismisses with a reason, once, and it stands in the audit log', async () => {
    const [finding] = radarOf(
      await here('radar', '--state', 'open', '--kind', 'unread-value', '--json'),
    ).items;
    const id = finding?.id ?? '';
    expect(await there('radar', 'dismiss', id, '--reason', 'no rule is wanted')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect((await here('radar', 'dismiss', id, '--reason', 'again')).stderr).toContain('FINDING_STATE');
    expect((await here('radar', 'dismiss', UNKNOWN, '--reason', 'x')).stderr).toContain('FINDING_UNKNOWN');
    const [audited] = await rows.query<{ actor: string; detail: object }[]>(
      `select actor, detail from audit_log where action = 'radar.dismiss'`,
    );
    expect(audited).toMatchObject({
      actor: 'admin/test',
      detail: { kind: 'unread-value', reason: 'no rule is wanted' },
    });
    const { items } = radarOf(await here('radar', '--json', '--kind', 'unread-value'));
    expect(items).toEqual([]);
    expect(radarOf(await here('radar', '--json', '--state', 'dismissed')).items).toHaveLength(1);
  });

  it('asks the platform only when it can, tells first what it would make up, and then does so', async () => {
    expect((await here('radar', 'reconcile')).stderr).toContain('RECONCILE_OFF');
    expect((await there('radar', 'reconcile')).stderr).toContain('RECONCILE_OFF');
    expect((await asking('radar', 'reconcile', 'process:none')).stderr).toContain('ENTITY_UNKNOWN');
    const dry = await asking('radar', 'reconcile', '--dry-run', '--json');
    expect([dry.code, dry.stderr]).toEqual([0, '']);
    expect(reconciledOf(dry)).toMatchObject({
      dryRun: true,
      left: 0,
      items: [{ entity: 'process:7', outcome: 'healed', made: [{ eventId: 'reconcile:7:71:1', id: null }] }],
    });
    const done = await asking('radar', 'reconcile', 'process:7');
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('已补齐')]);
    expect(await rows.query(`select source, event_id from events where source = 'reconcile'`)).toEqual([
      { source: 'reconcile', event_id: 'reconcile:7:71:1' },
    ]);
    expect(reconciledOf(await asking('radar', 'reconcile', 'process:7', '--json')).items).toMatchObject([
      { made: [{ eventId: 'reconcile:7:71:1', id: null }] },
    ]);
  });
});
