// The built commands as processes, on real PostgreSQL; a service of this process beside it.
import { randomUUID } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CloudEvent } from 'cloudevents';
import type { DataSource } from 'typeorm';
import { factsOf } from '../../src/events/event-facts.js';
import type { StoredEvent } from '../../src/events/event-store.js';
import { encryptFeishu, feishuAesKey } from '../../src/ingestion/feishu-crypto.js';
import { startService, type TestService } from '../support/app.js';
import { CommandProcess, type Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase, emptied } from '../support/database.js';
import { until } from '../support/door.js';
import { APP, APP_SETTINGS, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';
import { folderWith, temporaryFolder } from '../support/folder.js';
import { sourceSettings } from '../support/sources.js';

const RULE = {
  name: 'done',
  trigger: '*',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
};
const bearer = { type: 'bearer', secret: '{{ secrets.TOKEN }}' };
const SOURCES = {
  sources: {
    github: {
      format: 'json',
      verify: { type: 'hmac', secret: '{{ secrets.GITHUB }}' },
      id: { header: 'x-github-delivery' },
      type: { header: 'x-github-event' },
      typePrefix: 'github.',
    },
    crm: {
      format: 'json',
      verify: bearer,
      id: { path: 'id' },
      type: { value: 'crm.changed' },
      fields: 'data',
    },
    mesh: { format: 'cloudevents', verify: bearer },
  },
};

const commands = new Commands();
let database: TestDatabase;
let rows: DataSource;
let settings: Record<string, string>;
let dataDir: string;
beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(2);
});
afterAll(async () => {
  commands.close();
  await database.drop();
});
beforeEach(async () => {
  dataDir = temporaryFolder('import');
  settings = { ...APP_SETTINGS, ...sourceSettings(SOURCES), DATABASE_URL: database.url, DATA_DIR: dataDir };
  await emptied(rows, 'event_keys, events, evaluations, deliveries, action_keys');
});

const begin = (file: string, ...options: string[]): CommandProcess =>
  new CommandProcess(['events', 'import', file, ...options], settings);
const run = async (file: string, ...options: string[]): Promise<Ended> =>
  await commands.run(['events', 'import', file, ...options], settings);
const fileOf = (...lines: string[]): string => {
  const file = join(temporaryFolder('lines'), 'events.ndjson');
  writeFileSync(file, lines.join('\n'));
  return file;
};
const count = async (): Promise<number> => {
  const [row] = await rows.query<{ n: number }[]>('select count(*)::int as n from events');
  return row?.n ?? -1;
};
const stored = async (): Promise<(StoredEvent & { state: string; reason: string | null })[]> =>
  await rows.query(
    `select e.id, e.received_at as "receivedAt", e.origin, e.event_id as "eventId", e.event_type as "eventType", e.source,
            e.create_time as "createTime", e.root_entity as "rootEntity", e.raw, e.content, e.transport, k.state, k.reason
       from events e join event_keys k on k.id = e.id order by e.origin, e.event_id`,
  );
const envelope = (id: string, header: object = {}): string =>
  envelopeOf(approverEvent({ status: 3 }), { event_id: id, ...header });

describe('aftersign events import', () => {
  it('stores envelopes of both versions, encrypted ones and CloudEvents, each as it stands in the file', async () => {
    const v1 = `{"uuid":"v1","ts":"1502199207.7171419","token":"${APP.token}","type":"event_callback","event":{"type":"approval_task","app_id":"${APP.id}","status":"DONE","instance_code":"I1"}}`;
    const encrypted = JSON.stringify({
      encrypt: encryptFeishu(feishuAesKey(APP.encryptKey), envelope('sealed')),
    });
    const cloud = new CloudEvent({ id: '1', source: '/s', type: 'a.b', data: { status: 3 } });
    const v2 = envelope('v2');
    const file = fileOf(`\uFEFF${v2}\r`, '', v1, encrypted, '  ', cloud.toString());
    const { code, stdout, stderr } = await run(file, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { lines: 4, stored: 4, duplicates: 0, rejected: 0, complete: true },
    ]);
    expect(stderr).toContain(
      '4 lines. The live rule set decides the events like any others, and their actions go out',
    );
    const events = await stored();
    expect(
      events.map(({ origin, eventId, eventType, source, state }) => [
        origin,
        eventId,
        eventType,
        source,
        state,
      ]),
    ).toEqual([
      [`feishu:${APP.id}`, 'sealed', 'corehr.process.approver.updated_v2', 'reconcile', 'undecided'],
      [`feishu:${APP.id}`, 'v1', 'approval_task', 'reconcile', 'undecided'],
      [`feishu:${APP.id}`, 'v2', 'corehr.process.approver.updated_v2', 'reconcile', 'undecided'],
      ['mesh', '/s 1', 'a.b', 'reconcile', 'undecided'],
    ]);
    const [sealed, first, second, mesh] = events;
    const stars = '*'.repeat(APP.token.length);
    expect(first?.raw.toString('utf8')).toBe(v1.replace(APP.token, stars));
    expect(second?.raw.toString('utf8')).toBe(v2.replace(APP.token, stars));
    expect([first?.rootEntity, second?.rootEntity]).toEqual(['process:I1', 'process:7072306364927985196']);
    expect(sealed?.raw.toString('utf8')).toBe(encrypted);
    expect(mesh?.raw.toString('utf8')).toBe(cloud.toString());
    for (const event of events) {
      expect(factsOf(event).get('source')).toBe('reconcile');
      expect((event.content ?? event.raw).toString('utf8')).not.toContain(APP.token);
    }
  });

  it('stores nothing twice: not what was pushed, not what stands twice, not what was imported', async () => {
    const service = await startService({ ...settings, ROLE: 'ingest' });
    const push = pushOf(envelope('pushed'));
    await fetch(`${service.url}/webhook/event`, { method: 'POST', ...push });
    await service.close();
    const file = fileOf(envelope('pushed'), envelope('a'), envelope('a'), envelope('b'));
    const { stdout } = await run(file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ lines: 4, stored: 2, duplicates: 2 });
    expect(JSON.parse((await run(file, '--json')).stdout)).toMatchObject({
      lines: 4,
      stored: 0,
      duplicates: 4,
    });
    expect((await stored()).map(({ eventId, source }) => [eventId, source])).toEqual([
      ['a', 'reconcile'],
      ['b', 'reconcile'],
      ['pushed', 'feishu-webhook'],
    ]);
  });

  it('tells of bad lines by number and goes on', async () => {
    const file = fileOf(
      'nonsense',
      envelope('a'),
      '[]',
      '{}',
      '{"encrypt":"AAAA"}',
      'a'.repeat(1024 * 1024 + 1),
      envelope('b', { event_id: 'b\u001b[31m' }),
      envelope('c'),
      '{"a":"\u0000"}',
    );
    appendFileSync(file, Buffer.concat([Buffer.from('\n{"a":"'), Buffer.from([255]), Buffer.from('"}\n')]));
    const { code, stdout, stderr } = await run(file);
    expect([code, stdout]).toEqual([1, '10 of 10 lines: 2 stored, 0 there already, 8 rejected\n']);
    expect(stderr.split('\n').filter((line) => line.startsWith('line '))).toEqual(
      [
        'line 1: it is not JSON in UTF-8',
        'line 3: it is not a JSON object',
        'line 4: event is missing or not an object',
        'line 5: it cannot be decrypted with the Encrypt Keys that are set',
        'line 7: header.event_id is missing or not 1 to 128 characters of A-Z a-z 0-9 _ . : -',
        'line 9: it is not JSON in UTF-8',
        'line 10: it is not JSON in UTF-8',
        'line 6: it is longer than 1048576 bytes',
      ].sort((a, b) => Number(a.match(/\d+/)?.[0]) - Number(b.match(/\d+/)?.[0])),
    );
    // It is over: the next time it begins at the beginning.
    expect(readdirSync(join(dataDir, 'imports'))).toEqual([]);
  });

  it('reads the bodies of a declared source, with headers beside them where it needs them', async () => {
    const crm = fileOf('{"id":12345678901234567890,"data":{"status":3}}', '{"data":{}}');
    const { code, stderr } = await run(crm, '--source', 'crm');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'line 2: the id of the event is missing: there is no text and no whole number at "id"',
    );
    const body = '{ "ref": "main", "id": 12345678901234567890 }';
    const github = fileOf(
      `{"headers":{"X-GitHub-Delivery":"d1","X-GitHub-Event":"push"}, "body": ${body} }`,
      `{"headers":{"X-GitHub-Delivery":"d2"}, "body": {}}`,
      body,
    );
    const told = await run(github, '--source', 'github');
    expect(told.stderr).toContain(
      'line 2: the type of the event is missing: there is no header x-github-event',
    );
    expect(told.stderr).toContain(
      'line 3: the id or the type stands in a header: write {"headers": {…}, "body": {…}} with both',
    );
    const events = await stored();
    expect(events.map(({ origin, eventId, eventType }) => [origin, eventId, eventType])).toEqual([
      ['crm', '12345678901234567890', 'crm.changed'],
      ['github', 'd1', 'github.push'],
    ]);
    expect(events[1]?.raw.toString('utf8')).toBe(body);
    expect(factsOf(events[1]!).get('id')).toBe('12345678901234567890');
  });

  it('keeps to one app when it is told to, which is also that of envelopes without one', async () => {
    const file = fileOf(
      envelope('mine'),
      envelope('other', { app_id: 'cli_other' }),
      envelope('none', { app_id: undefined }),
    );
    const { code, stderr } = await run(file, '--app', APP.id);
    expect([code, stderr.includes(`line 2: it is of another app than ${APP.id}`)]).toEqual([1, true]);
    expect((await stored()).map(({ origin, eventId }) => [origin, eventId])).toEqual([
      [`feishu:${APP.id}`, 'mine'],
      [`feishu:${APP.id}`, 'none'],
    ]);
    delete settings['FEISHU_APP_ID'];
    expect((await run(fileOf(envelope('x', { app_id: undefined })))).stderr).toContain(
      'line 1: it names no app: say which with --app',
    );
  });

  it('has its events decided by the live rules, but with --only-store', async () => {
    const service: TestService = await startService({
      ...settings,
      RULES_DIR: folderWith({ 'a.rule.json': JSON.stringify(RULE) }),
      ROLE: 'ingest,rules',
    });
    const { stderr } = await run(fileOf(envelope('aside-1'), envelope('aside-2')), '--only-store');
    expect(stderr).toContain('The events are stored alone: no rule decides them and nothing is sent.');
    await run(fileOf(envelope('live'), envelope('aside-1')));
    await until(async () => (await rows.query<unknown[]>(`select 1 from evaluations`)).length > 0);
    await service.close();
    const told: unknown = await rows.query(
      `select k.event_id, k.state, k.reason, (select count(*)::int from evaluations v where v.event_id = k.id) as evaluations,
              (select count(*)::int from deliveries d where d.event_id = k.id) as deliveries
         from event_keys k order by 1`,
    );
    const reason = 'stored by an import with --only-store: nothing is decided of it';
    expect(told).toEqual([
      { event_id: 'aside-1', state: 'decided', reason, evaluations: 0, deliveries: 0 },
      { event_id: 'aside-2', state: 'decided', reason, evaluations: 0, deliveries: 0 },
      { event_id: 'live', state: 'decided', reason: null, evaluations: 1, deliveries: 1 },
    ]);
  });

  it.each<[NodeJS.Signals, string[]]>([
    ['SIGINT', []],
    ['SIGTERM', ['--only-store']],
    ['SIGKILL', []],
  ])(
    'goes on after %s where it was, and ends with every event once',
    async (signal, options) => {
      const lines = Array.from({ length: 10_000 }, (_, index) => envelope(`e${index}`));
      const file = fileOf(...lines);
      const first = begin(file, '--json', ...options);
      await until(async () => (await count()) >= 1000, 20_000);
      first.kill(signal);
      const { code, stdout, stderr } = await first.ended;
      if (signal !== 'SIGKILL') {
        expect(code).toBe(1);
        expect(JSON.parse(stdout)).toMatchObject({ complete: false, duplicates: 0, rejected: 0 });
        expect(stderr).toContain(
          'IMPORT_STOPPED: it was interrupted. The same command goes on where it stopped.',
        );
      }
      const before = await count();
      expect(before).toBeLessThan(lines.length);
      const [name = ''] = readdirSync(join(dataDir, 'imports'));
      const saved = JSON.parse(readFileSync(join(dataDir, 'imports', name), 'utf8')) as {
        position: { line: number };
      };
      const second = await run(file, '--json', ...options);
      expect(second.code).toBe(0);
      expect(second.stderr).toContain(`10000 lines, going on after line ${saved.position.line}.`);
      const told = JSON.parse(second.stdout) as { lines: number; stored: number; duplicates: number };
      expect(told).toMatchObject({ lines: 10_000, rejected: 0, complete: true });
      expect(told.stored + told.duplicates).toBe(10_000);
      // Only what was committed after the last note was offered again.
      expect(told.duplicates).toBe(before - saved.position.line);
      expect(await count()).toBe(10_000);
    },
    120_000,
  );

  it('begins again when the file is not what it was, or when it is told to', async () => {
    const lines = Array.from({ length: 10_000 }, () => envelope(randomUUID()));
    const file = fileOf(...lines);
    const first = begin(file);
    await until(async () => (await count()) >= 400, 20_000);
    first.kill('SIGINT');
    await first.ended;
    const told = await run(file, '--only-store', '--json');
    // Another way to import it: not where that one stopped.
    expect(told.stderr).not.toContain('going on');
    writeFileSync(file, [envelope('new'), ...lines.slice(0, 1000)].join('\n'));
    const changed = await run(file, '--json');
    expect(changed.stderr).toMatch(/is not what it was when its import stopped at line \d+: it begins again/);
    expect(JSON.parse(changed.stdout)).toMatchObject({ lines: 1001, stored: 1, duplicates: 1000 });
  }, 120_000);

  it('stops when the events cannot be stored, and says how far it is', async () => {
    const file = fileOf(envelope('a'), envelope('b'));
    await rows.query('alter table event_keys rename to hidden_keys');
    try {
      const { code, stdout, stderr } = await run(file, '--json');
      expect([code, JSON.parse(stdout)]).toEqual([
        1,
        { lines: 0, stored: 0, duplicates: 0, rejected: 0, complete: false },
      ]);
      expect(stderr).toContain('IMPORT_STOPPED: the events cannot be stored');
    } finally {
      await rows.query('alter table hidden_keys rename to event_keys');
    }
    expect((await run(file)).stdout).toBe('2 of 2 lines: 2 stored, 0 there already, 0 rejected\n');
  });

  it('refuses what it cannot read or does not know', async () => {
    expect(await run(join(dataDir, 'none.ndjson'))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('EVENT_UNREADABLE'),
    });
    expect(await run(dataDir)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is no regular file'),
    });
    expect(await run(fileOf(''), '--source', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'SOURCE_UNKNOWN: there is no source "nobody"; SOURCES_FILE declares github, crm, mesh',
      ),
    });
    expect((await run(fileOf(''), '--sauce', 'x')).code).toBe(2);
    expect(await run(fileOf('', ' '))).toMatchObject({
      code: 0,
      stdout: '0 of 0 lines: 0 stored, 0 there already, 0 rejected\n',
    });
  });
});
