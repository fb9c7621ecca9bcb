// The built commands as processes: events out of one database and into another, and a person erased.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CloudEvent } from 'cloudevents';
import type { DataSource } from 'typeorm';
import { factsOf } from '../../src/events/event-facts.js';
import type { StoredEvent } from '../../src/events/event-store.js';
import { startService, type TestService } from '../support/app.js';
import { CommandProcess, type Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, approverEvent, envelopeOf, pushOf } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { SOURCE_SECRETS, sourceSettings } from '../support/sources.js';

const SOURCES = {
  sources: { mesh: { format: 'cloudevents', verify: { type: 'bearer', secret: '{{ secrets.TOKEN }}' } } },
};
const PERSON = 'ou_4f2e6a7c9b';

interface Place {
  readonly database: TestDatabase;
  readonly rows: DataSource;
  readonly settings: Record<string, string>;
}

const commands = new Commands();
let from: Place;
let into: Place;
let service: TestService;
let token: string;
const placeOf = async (): Promise<Place> => {
  const database = await createTestDatabase();
  const settings = {
    ...APP_SETTINGS,
    ...sourceSettings(SOURCES),
    DATABASE_URL: database.url,
    DATA_DIR: temporaryFolder('event-files'),
  };
  return { database, settings, rows: await database.open(1) };
};
beforeAll(async () => {
  [from, into] = await Promise.all([placeOf(), placeOf()]);
  const door = await startService({ ...from.settings, ROLE: 'ingest' });
  const push = async (
    path: string,
    request: { headers: Record<string, string>; body: string },
  ): Promise<void> => {
    expect((await fetch(door.url + path, { method: 'POST', ...request })).status).toBe(200);
  };
  // 64-bit ids, Chinese, and a NUL; the body in several lines.
  const plain = envelopeOf(
    approverEvent({ process_id: 7072306364927985196n.toString(), approver: PERSON, note: '已完成\u0000"\\' }),
    { event_id: 'feishu' },
  );
  const numbers = JSON.stringify(JSON.parse(plain), null, 2).replace(
    '"7072306364927985196"',
    '7072306364927985196',
  );
  await push('/webhook/event', pushOf(numbers));
  const cloud = new CloudEvent({ id: '1', source: '/s', type: 'a.b', data: { status: 3, 名: '值' } });
  await push('/webhook/mesh', {
    headers: {
      authorization: `Bearer ${SOURCE_SECRETS.TOKEN}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify(cloud, null, 2),
  });
  await push('/webhook/mesh', {
    headers: {
      authorization: `Bearer ${SOURCE_SECRETS.TOKEN}`,
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '2',
      'ce-source': '/s',
      'ce-type': 'a.b',
      'ce-subject': '%E6%B5%8B',
    },
    body: '{"big": 9007199254740993}',
  });
  await door.close();
  service = await startService({
    ...into.settings,
    ROLE: 'ingest,console',
    ADMIN_PASSWORD: 'correct horse battery',
  });
  token = (await commands.run(['users', 'token', 'admin', '--name', 't'], into.settings)).stdout.trim();
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await from.database.drop();
  await into.database.drop();
});

const here = (...parameters: string[]): Promise<Ended> => commands.run(parameters, from.settings);
const there = (parameters: string[], input = ''): Promise<Ended> =>
  commands.run(
    [...parameters, '--server', service.adminUrl],
    { AFTERSIGN_TOKEN: token, DATA_DIR: into.settings['DATA_DIR']! },
    input,
  );
const stored = async ({ rows }: Place): Promise<Map<string, StoredEvent>> => {
  const events = await rows.query<StoredEvent[]>(
    `select id, received_at as "receivedAt", origin, event_id as "eventId", event_type as "eventType", source,
            create_time as "createTime", root_entity as "rootEntity", raw, content, transport, erased_at as "erasedAt"
       from events`,
  );
  return new Map(events.map((event) => [`${event.origin} ${event.eventId}`, event]));
};
/** All that rules read, but for the way it came in. */
const readOf = (event: StoredEvent): Record<string, unknown> => {
  const facts = Object.fromEntries(factsOf(event));
  return { ...facts, source: null, app: event.rootEntity, time: event.createTime };
};

describe('events export and import', () => {
  it('carry events from one installation to another, so that rules read the same', async () => {
    const file = join(temporaryFolder('export'), 'all.ndjson');
    const exported = await here('events', 'export', '--output', file);
    expect(exported).toEqual({
      code: 0,
      stdout: '',
      stderr: `3 events exported to ${file}. 已导出 3 个事件。\n`,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4);
    expect((await here('events', 'export')).stdout).toBe(readFileSync(file, 'utf8'));
    const imported = await there(['events', 'import', file, '--only-store', '--json']);
    expect([imported.code, JSON.parse(imported.stdout)]).toEqual([
      0,
      { lines: 3, stored: 3, duplicates: 0, rejected: 0, complete: true },
    ]);
    expect(imported.stderr).toContain('The events are stored alone');
    const [before, after] = [await stored(from), await stored(into)];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [key, event] of before) expect(readOf(after.get(key)!)).toEqual(readOf(event));
    const feishu = [...after.values()].find(({ eventId }) => eventId === 'feishu')!;
    expect(factsOf(feishu).get('process_id')).toBe('7072306364927985196');
    expect(factsOf(feishu).get('note')).toBe('已完成\u0000"\\');
    // And out again by the API: the same lines.
    expect((await there(['events', 'export'])).stdout.split('\n').sort()).toEqual(
      readFileSync(file, 'utf8').split('\n').sort(),
    );
  });

  it('does not replace a file unless it is told to, and leaves none when it fails', async () => {
    const file = join(temporaryFolder('export'), 'all.ndjson');
    writeFileSync(file, 'mine');
    expect(await here('events', 'export', '--output', file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^FILE_EXISTS: /),
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await here('events', 'export', '--output', file, '--force', '--json')).stdout).toBe(
      `${JSON.stringify({ events: 3, output: file })}\n`,
    );
    const none = join(temporaryFolder('export'), 'none.ndjson');
    expect((await here('events', 'export', '--output', none, '--status', '没有')).code).toBe(2);
    expect([existsSync(none), existsSync(`${none}.unfinished`)]).toEqual([false, false]);
    expect(await here('events', 'export', '--output', '/nowhere/x')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^FILE_UNWRITABLE: /),
    });
  });

  it('never gives out half a line, and leaves no file, when an export breaks off', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"a":1}\n{"b":', () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const output = join(temporaryFolder('export'), 'half.ndjson');
    const exported = async (...parameters: string[]): Promise<Ended> =>
      await commands.run(['events', 'export', '--server', url, ...parameters], { AFTERSIGN_TOKEN: token });
    expect(await exported()).toMatchObject({
      code: 1,
      stdout: '{"a":1}\n',
      stderr: expect.stringMatching(/^EXPORT_STOPPED: after 1 event: /),
    });
    expect((await exported('--output', output)).code).toBe(1);
    expect([existsSync(output), existsSync(`${output}.unfinished`)]).toEqual([false, false]);
    server.close();
  });

  it('tells bad lines by number by the API too, takes lines as large as a push, and refuses alike', async () => {
    const line = (id: string, text: string): string => envelopeOf(approverEvent({ text }), { event_id: id });
    const large = line('large', '').replace(
      '"text":""',
      `"text":"${'x'.repeat(1024 * 1024 - line('large', '').length)}"`,
    );
    const file = join(temporaryFolder('lines'), 'lines.ndjson');
    writeFileSync(file, [line('a', ''), 'nonsense', large, line('b', ''), `${large}x`].join('\n'));
    expect(large).toHaveLength(1024 * 1024);
    const told = await there(['events', 'import', file, '--only-store']);
    expect(told).toMatchObject({ code: 1, stdout: '5 of 5 lines: 3 stored, 0 there already, 2 rejected\n' });
    expect(told.stderr.split('\n').filter((one) => one.startsWith('line '))).toEqual([
      'line 2: it is not JSON in UTF-8',
      'line 5: it is longer than 1048576 bytes',
    ]);
    expect(await there(['events', 'import', file, '--source', 'nobody'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'SOURCE_UNKNOWN: there is no source "nobody"; SOURCES_FILE declares mesh',
      ),
    });
  });

  it('go on by the API where an interrupted import stopped', async () => {
    const file = join(temporaryFolder('lines'), 'many.ndjson');
    const lines = Array.from({ length: 8000 }, (_, at) =>
      envelopeOf(approverEvent({}), { event_id: `many-${at}` }),
    );
    writeFileSync(file, lines.join('\n'));
    const command = ['events', 'import', file, '--only-store', '--json', '--server', service.adminUrl];
    const settings = { AFTERSIGN_TOKEN: token, DATA_DIR: into.settings['DATA_DIR']! };
    const many = async (): Promise<number> => {
      const [row] = await into.rows.query<{ n: number }[]>(
        `select count(*)::int as n from event_keys where event_id like 'many-%'`,
      );
      return row?.n ?? -1;
    };
    const first = new CommandProcess(command, settings);
    await until(async () => (await many()) >= 400, 20_000);
    first.kill('SIGINT');
    expect(await first.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('IMPORT_STOPPED') });
    expect(await many()).toBeLessThan(lines.length);
    const second = await commands.run(command, settings);
    expect(second.stderr).toMatch(/8000 lines, going on after line \d+\./);
    expect(JSON.parse(second.stdout)).toEqual({
      lines: 8000,
      stored: 8000,
      duplicates: 0,
      rejected: 0,
      complete: true,
    });
    expect(await many()).toBe(8000);
  }, 60_000);

  it('ends quietly when nobody reads to the end', async () => {
    const child = spawn('sh', ['-c', `"${process.execPath}" dist/cli.js events export | true`], {
      env: { PATH: process.env['PATH'], ...from.settings },
    });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    await new Promise((resolve) => child.on('close', resolve));
    expect(Buffer.concat(said).toString()).toBe('');
  });
});

describe('events erase', () => {
  it('counts first, then erases a person all the same both ways; values stand on standard input', async () => {
    const { settings } = into;
    const counted = await commands.run(['events', 'erase', '--dry-run', '--json'], settings, `${PERSON}\n`);
    const dry = JSON.parse(counted.stdout) as Record<string, unknown>;
    expect(dry).toMatchObject({ dryRun: true, events: 1, underWay: 0, complete: true });
    expect((await there(['events', 'erase', '--dry-run', '--json'], `${PERSON}\n`)).stdout).toBe(
      counted.stdout,
    );
    expect(await commands.run(['events', 'erase'], settings, PERSON)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--yes'),
    });
    expect(await commands.run(['events', 'erase', '--yes'], settings, 'ab\n')).toMatchObject({
      code: 2,
      stdout: '',
    });
    expect((await commands.run(['events', 'erase', '--yes'], settings, '\n')).code).toBe(2);
    const file = join(temporaryFolder('values'), 'person.txt');
    writeFileSync(file, `${PERSON}\r\n\n`);
    const erased = await there(['events', 'erase', '--values-file', file, '--yes']);
    expect(erased).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^erased 已抹除[^]*events 事件 +1\n/),
    });
    const told = counted.stdout + counted.stderr + erased.stdout + erased.stderr;
    expect(told).not.toContain(PERSON);
    const again = await commands.run(['events', 'erase', '--dry-run', '--json'], settings, PERSON);
    expect(JSON.parse(again.stdout)).toMatchObject({ events: 0, complete: true });
    const left = await stored(into);
    const feishu = [...left.values()].find(({ eventId }) => eventId === 'feishu')!;
    expect([feishu.raw.length, feishu.content, feishu.erasedAt !== null]).toEqual([0, null, true]);
    const shown = await there(['events', 'show', 'feishu']);
    expect(shown.stdout).toContain('What it said was erased. 内容已抹除。');
    expect(await there(['explain', 'feishu'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^EVENT_ERASED: /),
    });
    expect((await there(['events', 'export'])).stdout).not.toContain('"feishu"');
  });
});
