// The built commands as processes over a real service, which asks a real HTTP server; real PostgreSQL.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startService, type TestService } from '../support/app.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, approverEvent, envelopeOf, pushOfApprover } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';

const commands = new Commands();
const run: Commands['run'] = (...asked) => commands.run(...asked);
afterAll(() => {
  commands.close();
});

const TYPE = 'corehr.process.approver.updated_v2';
const SECRET = 'the-secret-of-hr';

function folderWith(files: Record<string, unknown>): string {
  const folder = temporaryFolder('lookup-commands');
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

const rule = (name: string, conditions: readonly object[], body: unknown = {}): object => ({
  name,
  trigger: TYPE,
  conditions: { all: conditions },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/', body }],
});
const DONE = { fact: 'status', operator: 'equal', value: 3 };
const lookups = (url: string): object => ({
  process: { type: 'feishu-process', id: '{{ event.process_id }}' },
  employee: {
    type: 'http',
    url: `${url}/employees/{{ event.approver_id }}`,
    headers: { authorization: 'Bearer {{ secrets.HR }}' },
    fields: {
      grade: { type: 'integer', label: { zh: '职级', en: 'grade' } },
      name: { type: 'string', label: { zh: '姓名', en: 'name' }, personal: true },
    },
  },
  leader: { type: 'http', url: `${url}/leaders/{{ event.leader_no }}` },
});
const RULES = {
  'a.rule.json': rule(
    'senior',
    [DONE, { fact: 'lookup.employee.grade', operator: 'greaterThan', value: 5 }],
    { who: '{{ lookup.employee.name }}' },
  ),
  'b.rule.json': rule('led', [DONE, { fact: 'lookup.leader.name', operator: 'exists', value: true }]),
};

describe('aftersign rules try and show, with look-ups', () => {
  const event = join(folderWith({ 'event.json': envelopeOf(approverEvent({ status: 3 })) }), 'event.json');
  const folder = folderWith({ ...RULES, 'lookups.json': lookups('https://hr.example.com') });
  const answers = (content: unknown): string => join(folderWith({ 'answers.json': content }), 'answers.json');

  it('takes the answers from a file, asks nobody, and says which are missing', async () => {
    const file = answers({ employee: { grade: 7, name: '王芳' } });
    const { code, stdout } = await run(['rules', 'try', event, '--rules', folder, '--lookups', file]);
    expect(code).toBe(0);
    expect(stdout).toContain('✓ senior  matched');
    expect(stdout).toContain('"who": "王芳"');
    expect(stdout).toContain('? led  unknown: missing lookup.leader.name');
    expect(stdout).toContain('look-up 查询 employee: {"grade":7,"name":"王芳"}');
    expect(stdout).toContain(
      'look-up 查询 leader: TEMPLATE_VALUE_MISSING: {{ event.leader_no }} has no value',
    );
    const without = await run(['rules', 'try', event, '--rules', folder]);
    expect(without.stdout).toContain('? senior  unknown: missing lookup.employee.grade');
    expect(without.stdout).toContain(
      'look-up 查询 employee: LOOKUP_NOT_ASKED: nobody is asked here: give its answer in a file with --lookups',
    );
    const both = answers({ employee: { grade: 7, name: 'x' }, leader: { name: 'y' } });
    const json = await run(['rules', 'try', event, '--rules', folder, '--lookups', both, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      events: [
        {
          verdicts: [
            { rule: 'led', verdict: 'matched' },
            { rule: 'senior', verdict: 'matched' },
          ],
          lookups: { employee: { value: { grade: 7, name: 'x' } }, leader: { value: { name: 'y' } } },
        },
      ],
    });
  });

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['no object', [1]],
    ['the answer of a look-up that is not there', { employe: {} }],
  ])('refuses a file of answers with %s', async (_, content) => {
    const parameters = ['rules', 'try', event, '--rules', folder, '--lookups', answers(content)];
    expect(await run(parameters)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('LOOKUPS_UNREADABLE'),
    });
  });

  it('shows the look-ups that a rule reads, and the labels of their facts', async () => {
    const { stdout } = await run(['rules', 'show', 'senior', '--rules', folder]);
    expect(stdout).toContain('employee: http https://hr.example.com/employees/{{ event.approver_id }}');
    expect(stdout).toContain('lookup.employee.grade 职级  greaterThan');
    expect(stdout).not.toContain('leader:');
    const json = await run(['rules', 'show', 'senior', '--rules', folder, '--json']);
    const { lookups: shown } = JSON.parse(json.stdout) as { lookups: object };
    expect(Object.keys(shown)).toEqual(['employee']);
  });
});

describe('aftersign explain and rules try --last, with look-ups', () => {
  let database: TestDatabase;
  let service: TestService;
  let hr: Receiver;
  let eventId: string;
  let folder: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    hr = await startReceiver(({ path }, response) => {
      if (path.includes('ill')) response.writeHead(503);
      response.end('{"grade":7,"name":"王芳"}');
    });
    folder = folderWith({ ...RULES, 'lookups.json': lookups(hr.url) });
    service = await startService({
      ...APP_SETTINGS,
      DATABASE_URL: database.url,
      RULES_DIR: folder,
      ROLE: 'ingest,rules,console',
      OUTBOUND_ALLOW: '127.0.0.1',
      SECRET_HR: SECRET,
    });
    const push = pushOfApprover({ status: 3 });
    ({ eventId } = push);
    const { body, headers } = push;
    await fetch(`${service.url}/webhook/event`, { method: 'POST', body, headers });
    const dataSource = await database.open(1);
    for (let decided: unknown; decided === undefined;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      [decided] = await dataSource.query<unknown[]>(`select 1 from event_keys where state = 'decided'`);
    }
    // What is asked again would be seen.
    hr.received.length = 0;
  }, 60_000);
  afterAll(async () => {
    await service.close();
    await hr.close();
    await database.drop();
  });
  const environment = (): NodeJS.ProcessEnv => ({ ...APP_SETTINGS, DATABASE_URL: database.url });
  const explained = async (of: string): Promise<string> => (await run(['explain', of], environment())).stdout;

  it('explains with the answers that were recorded, and why a look-up failed', async () => {
    const { code, stdout } = await run(['explain', eventId], environment());
    expect(code).toBe(0);
    expect(stdout).toContain('✓ senior');
    expect(stdout).toMatch(/lookup\.employee\.grade 职级: is more than 大于 5 — was 7/);
    expect(stdout).toMatch(/look-up 查询 employee: answered 已应答 2\d{3}-/);
    expect(stdout).toMatch(/unknown 未知: lookup\.leader\.name missing 缺失/);
    expect(stdout).toMatch(
      /look-up 查询 leader: failed 失败: TEMPLATE_VALUE_MISSING: \{\{ event\.leader_no \}\} has no value/,
    );
    const json = await run(['explain', eventId, '--json'], environment());
    expect(json.stdout).not.toContain(SECRET);
    expect(JSON.parse(json.stdout)).toMatchObject({
      evaluations: [
        {
          differing: [],
          explanations: [
            { rule: 'senior', lookups: [{ name: 'employee', state: 'answered' }] },
            { rule: 'led', lookups: [{ name: 'leader', state: 'failed', code: 'TEMPLATE_VALUE_MISSING' }] },
          ],
        },
      ],
    });
    expect(hr.received).toEqual([]);
  });

  it('tries the last events with the answers that were recorded, as far as they answer what the rules ask', async () => {
    const parameters = ['rules', 'try', '--last', '1', '--json', '--rules'];
    const same = await run([...parameters, folder], environment());
    expect(JSON.parse(same.stdout)).toMatchObject({
      events: [{ lookups: { employee: { value: { grade: 7 } } } }],
    });
    expect(same.stdout).toContain('{"rule":"senior","verdict":"matched"}');
    const elsewhere = folderWith({ ...RULES, 'lookups.json': lookups('https://other.example.com') });
    const other = await run([...parameters, elsewhere], environment());
    expect(JSON.parse(other.stdout)).toMatchObject({
      events: [{ lookups: { employee: { failed: { code: 'LOOKUP_NOT_ASKED' } } } }],
    });
    expect(hr.received).toEqual([]);
  });

  it('says what an event waits for, and of those behind it that they do', async () => {
    const send = async (changes: Record<string, unknown>, createTime: number): Promise<string> => {
      const push = pushOfApprover(changes, { create_time: String(createTime) });
      await fetch(`${service.url}/webhook/event`, { method: 'POST', body: push.body, headers: push.headers });
      return push.eventId;
    };
    const now = Date.now();
    const first = await send({ status: 3, approver_id: 'ill', process_id: 'p-ill' }, now);
    const second = await send({ status: 1, process_id: 'p-ill' }, now + 1);
    await until(async () => hr.received.length > 0 && (await explained(second)).includes('an earlier event'));
    await until(async () => (await explained(first)).includes('HTTP_503'));
    expect(await explained(first)).toMatch(
      /not decided yet 尚未求值: it waits for http:employee since 2\d{3}-.*Z, so far HTTP_503: .* answered 503/,
    );
  });
});
