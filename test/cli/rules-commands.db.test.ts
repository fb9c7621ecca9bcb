// The built commands as processes; those that need a database get a real one.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startService, type TestService } from '../support/app.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_SETTINGS, approverEvent, envelopeOf, pushOfApprover } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';

const commands = new Commands();
const run: Commands['run'] = (...asked) => commands.run(...asked);
afterAll(() => {
  commands.close();
});

const RULE = {
  name: 'done',
  description: 'a task is done',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: {
    all: [
      { fact: 'status', operator: 'equal', value: 3 },
      { fact: 'biz_type', operator: 'equal', value: 'renewal_record' },
    ],
  },
  actions: [
    {
      type: 'http',
      name: 'tell',
      url: 'https://a.example/{{ event.process_id }}?key={{ secrets.KEY }}',
      body: { status: "{{ event.status | label: 'zh' }}" },
    },
  ],
};
const folderWith = (files: Record<string, unknown>): string => {
  const folder = temporaryFolder('rules-commands');
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder, name),
      typeof content === 'string' ? content : JSON.stringify(content, null, 2),
    );
  return folder;
};

describe('aftersign rules check', () => {
  it('says that the files are sound, with the hash that the service gives them', async () => {
    const { code, stdout } = await run(['rules', 'check', 'rules', '--json', '--strict']);
    expect(code).toBe(0);
    const { findings, analysis, ...rest } = JSON.parse(stdout) as {
      findings: readonly { code: string; severity: string }[];
      analysis: { questions: Record<string, unknown> };
    };
    expect(rest).toEqual({ ok: true, ruleSet: expect.stringMatching(/^[0-9a-f]{64}$/), rules: 8 });
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['ENUM_UNHANDLED', 'info'],
      ['ENUM_UNHANDLED', 'info'],
    ]);
    expect(analysis.questions).toMatchObject({
      CONDITIONS_NEVER: { yes: 0, no: 9, undecided: 0 },
      ENUM_UNHANDLED: { yes: 2, no: 3, undecided: 0 },
    });
  });

  it('says nothing of what the rules come to when it is not to', async () => {
    const { stdout } = await run(['rules', 'check', 'rules', '--json', '--no-analysis']);
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      ruleSet: expect.stringMatching(/^[0-9a-f]{64}$/),
      rules: 8,
      findings: [],
    });
  });

  it('prints every finding, with the excerpt, a caret and the mend, and ends with 1 on errors', async () => {
    const folder = folderWith({
      'a.rule.json': { ...RULE, conditions: { all: [{ fact: 'statsu', operator: 'equal', value: 3 }] } },
      'b.rule.json': '{ "name": ',
    });
    const { code, stdout } = await run(['rules', 'check', folder]);
    expect(code).toBe(1);
    expect(stdout).toContain('a.rule.json:8:17 error FACT_UNKNOWN');
    expect(stdout).toMatch(/8 │ +"fact": "statsu",\n +│ +\^{8}\n/);
    expect(stdout).toContain('Did you mean "status"?');
    expect(stdout).toMatch(/b\.rule\.json:1:\d+ error JSON_INVALID/);
  });

  it('ends with 1 on warnings only when it is to be strict, and with 2 without a folder', async () => {
    const folder = folderWith({
      'a.rule.json': { ...RULE, conditions: { all: [{ fact: 'status', operator: 'equal', value: 77 }] } },
    });
    const lenient = await run(['rules', 'check', '--json'], { RULES_DIR: folder });
    expect(lenient.code).toBe(0);
    expect(JSON.parse(lenient.stdout)).toMatchObject({
      ok: true,
      findings: [
        { code: 'CONDITIONS_NEVER', severity: 'warning', file: 'a.rule.json', line: 5, column: 3 },
        { code: 'VALUE_NOT_IN_ENUM', severity: 'warning', file: 'a.rule.json', line: 10, column: 18 },
      ],
    });
    expect((await run(['rules', 'check', '--strict', folder])).code).toBe(1);
    expect((await run(['rules', 'check', join(folder, 'nowhere')])).code).toBe(2);
  });

  it('prints SARIF', async () => {
    const folder = folderWith({ 'a.rule.json': { ...RULE, name: 'Not A Name' } });
    const { stdout } = await run(['rules', 'check', '--sarif', folder]);
    expect(JSON.parse(stdout)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'aftersign' } },
          results: [
            {
              ruleId: 'RULE_VALUE_INVALID',
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'a.rule.json' },
                    region: { startLine: 2, startColumn: 11 },
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });
});

describe('aftersign rules try and show', () => {
  it('takes an event from a file or standard input, stores nothing and shows no secret', async () => {
    const folder = folderWith({ 'a.rule.json': RULE });
    const event = envelopeOf(approverEvent({ status: 3 }), { event_id: 'e1' });
    const file = join(folderWith({}), 'event.json');
    writeFileSync(file, event);
    const parameters = ['rules', 'try', '--rules', folder, '--json'];
    const fromFile = await run([...parameters, file], { SECRET_KEY: 'hidden-value' });
    expect(fromFile.code).toBe(0);
    expect(fromFile.stdout).not.toContain('hidden-value');
    expect(JSON.parse(fromFile.stdout)).toEqual({
      ruleSet: expect.stringMatching(/^[0-9a-f]{64}$/),
      events: [
        {
          eventId: 'e1',
          eventType: RULE.trigger,
          verdicts: [{ rule: 'done', verdict: 'matched' }],
          deliveries: [
            {
              rule: 'done',
              action: 'tell',
              kind: 'http',
              target: 'http:a.example',
              state: 'pending',
              code: null,
              reason: null,
              request: expect.objectContaining({
                method: 'POST',
                url: 'https://a.example/7072306364927985196?key=(KEY)',
                body: '{"status":"已完成"}',
              }),
            },
          ],
          lookups: {},
          state: expect.objectContaining({ 'event.late': false, 'task.age': 0, 'process.tasks': 1 }),
          digests: [],
          withheld: [],
          timers: [],
        },
      ],
    });
    expect((await run(parameters, {}, event)).stdout).toBe(fromFile.stdout);
    const other = await run(
      ['rules', 'try', '--rules', folder],
      {},
      envelopeOf(approverEvent({ status: 1 })),
    );
    expect(other.stdout).toContain('✗ done  not matched');
  });

  it('says which actions their own conditions leave out', async () => {
    const when = { all: [{ fact: 'node_id_str', operator: 'equal', value: '1' }] };
    const folder = folderWith({ 'a.rule.json': { ...RULE, actions: [{ ...RULE.actions[0], when }] } });
    const { stdout } = await run(
      ['rules', 'try', '--rules', folder],
      {},
      envelopeOf(approverEvent({ status: 3 })),
    );
    expect(stdout).toContain('✗ done / tell: its "when" does not hold 动作条件不成立: unknown: node_id_str');
    expect(stdout).not.toContain('would be sent');
  });

  it('refuses broken rules and what is no event', async () => {
    const broken = await run(['rules', 'try', '--rules', folderWith({ 'a.rule.json': '{' })], {}, '{}');
    expect(broken).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('JSON_INVALID') });
    const sound = folderWith({ 'a.rule.json': RULE });
    for (const input of ['', '{}', 'nonsense', '{"encrypt":"x"}'])
      expect(await run(['rules', 'try', '--rules', sound], {}, input)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('EVENT_UNREADABLE'),
      });
    expect((await run(['rules', 'try', '--last', 'many'])).code).toBe(2);
  });

  it('shows a rule as a table with the labels of the catalogue', async () => {
    const folder = folderWith({ 'a.rule.json': RULE });
    const { code, stdout } = await run(['rules', 'show', 'done', '--rules', folder]);
    expect(code).toBe(0);
    for (const part of [
      'a task is done',
      'status 状态  equal 等于  3 已完成 / done',
      'tell: POST https://a.example/',
    ])
      expect(stdout).toContain(part);
    expect(await run(['rules', 'show', 'other', '--rules', folder])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there are done'),
    });
  });
});

describe('a command whose output nobody reads to the end', () => {
  it('ends quietly', async () => {
    const child = spawn('sh', ['-c', `"${process.execPath}" dist/cli.js rules schema | head -c 1`]);
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    await new Promise((resolve) => child.on('close', resolve));
    expect(Buffer.concat(said).toString()).toBe('');
  });
});

describe('aftersign explain', () => {
  let database: TestDatabase;
  let service: TestService;
  let done: string;
  let waiting: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const folder = folderWith({ 'a.rule.json': RULE });
    service = await startService({
      ...APP_SETTINGS,
      DATABASE_URL: database.url,
      RULES_DIR: folder,
      ROLE: 'ingest,rules,console',
    });
    const send = async (changes: Record<string, unknown>): Promise<string> => {
      const { eventId, ...push } = pushOfApprover(changes);
      await fetch(`${service.url}/webhook/event`, { method: 'POST', ...push });
      const dataSource = await database.open(1);
      for (;;) {
        const [row] = await dataSource.query<unknown[]>(
          `select 1 from event_keys where event_id = $1 and state = 'decided'`,
          [eventId],
        );
        if (row) return eventId;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    done = await send({ status: 3 });
    waiting = await send({ status: 1 });
    // The rule of the day is what counts, not the one that is on disk now.
    await service.close();
    const later = folderWith({ 'a.rule.json': { ...RULE, name: 'later' } });
    service = await startService({
      ...APP_SETTINGS,
      DATABASE_URL: database.url,
      RULES_DIR: later,
      ROLE: 'rules,console',
    });
  }, 60_000);
  afterAll(async () => {
    await service.close();
    await database.drop();
  });
  const explain = (...parameters: string[]): Promise<Ended> =>
    run(['explain', ...parameters], { ...APP_SETTINGS, DATABASE_URL: database.url });

  it('tells why a rule fired, and by which rule set', async () => {
    const { code, stdout } = await explain(done);
    expect(code).toBe(0);
    expect(stdout).toContain('✓ done');
    expect(stdout).not.toContain('later');
  });

  it('tells why a rule did not fire, what would have fired it, and that it was a near miss', async () => {
    const { code, stdout } = await explain(waiting);
    expect(code).toBe(0);
    expect(stdout).toMatch(/✗ status 状态.*3 已完成.*1 待办/);
    const json = await explain(waiting, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      eventId: waiting,
      state: 'decided',
      evaluations: [
        {
          occasion: 'live',
          ruleSet: expect.stringMatching(/^[0-9a-f]{64}$/),
          explanations: [
            {
              rule: 'done',
              verdict: { verdict: 'not matched' },
              nearMiss: true,
              repair: { kind: 'changes', changes: [{ fact: 'status', from: 1, to: 3 }] },
            },
          ],
        },
      ],
    });
  });

  it('says so when there is no such event or no such rule', async () => {
    expect(await explain('no-such-event')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('EVENT_UNKNOWN'),
    });
    expect(await explain(done, '--rule', 'later')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('RULE_UNKNOWN'),
    });
    expect((await explain()).code).toBe(2);
  });
});
