// Real: HTTP, the command as a process (dist/). Fake: the platform, which is what is tested.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeFeishu } from '../../../src/cli/fake-feishu/fake-feishu.js';
import { FakePage } from '../../../src/cli/fake-feishu/page.js';
import { SAMPLE_APP, SAMPLE_BOT, SampleApprovals } from '../../../src/cli/fake-feishu/sample-approvals.js';
import { until } from '../../support/door.js';
import { startReceiver } from '../../support/receiver.js';
import { SdkClient } from './sdk-client.js';

interface State {
  readonly connections: readonly object[];
  readonly pushes: { readonly count: number; readonly newest: readonly { readonly eventId: string }[] };
  readonly botMessages: { readonly count: number; readonly newest: readonly { readonly body: unknown }[] };
}

const PUSH = { do: 'push', status: 1, via: 'long-connection', duplicates: 0, fragments: 1 };
let fake: FakeFeishu;

beforeEach(async () => {
  let page: FakePage | null = null;
  fake = await FakeFeishu.start({
    apps: [SAMPLE_APP],
    retryDelaysMs: [],
    other: async (asked, response) => (await page?.answer(asked, response)) ?? false,
  });
  page = new FakePage(fake, new SampleApprovals(fake));
});

afterEach(async () => {
  await fake.stop();
});

async function tell(
  order: object,
  headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' },
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${fake.url}/_fake/do`, {
    method: 'POST',
    headers,
    body: JSON.stringify(order),
  });
  return { status: answer.status, body: await answer.json() };
}

async function state(): Promise<State> {
  return (await (await fetch(`${fake.url}/_fake/state`)).json()) as State;
}

async function connected(): Promise<SdkClient> {
  const client = new SdkClient(fake, { app: SAMPLE_APP });
  await client.start();
  await until(() => fake.connections(SAMPLE_APP.appId) === 1);
  return client;
}

async function readProcess(id: string): Promise<Record<string, unknown>> {
  const asked = { app_id: SAMPLE_APP.appId, app_secret: SAMPLE_APP.appSecret };
  const answer = await fetch(`${fake.url}/open-apis/auth/v3/tenant_access_token/internal`, {
    method: 'POST',
    body: JSON.stringify(asked),
  });
  const { tenant_access_token: token } = (await answer.json()) as { tenant_access_token: string };
  const read = await fetch(`${fake.url}/open-apis/corehr/v2/processes/${id}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return ((await read.json()) as { data: Record<string, unknown> }).data;
}

describe('the page', () => {
  it('is whole, allows nothing from elsewhere and shows what came as text only', async () => {
    const page = await fetch(`${fake.url}/`);
    const html = await page.text();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const parts = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, part = '']) => part);
    expect(parts).toEqual(['/_fake/page.css', '/_fake/page-script.js']);
    for (const part of parts) expect((await fetch(fake.url + part)).status).toBe(200);
    expect(html).not.toMatch(/\son\w+=|style=/);
    const script = readFileSync('src/cli/fake-feishu/page/page-script.js', 'utf8');
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(/);
    // Each thing that the script looks for is there.
    for (const [, id = ''] of script.matchAll(/(?:find|fill)\(\s*'([\w-]+)'/g))
      expect(html).toContain(`id="${id}"`);
  });

  it.each<[string, Record<string, string>]>([
    ['of another name', { host: 'evil.example' }],
    ['of another origin', { origin: 'http://evil.example' }],
  ])('is not there for a page %s', async (_, headers) => {
    for (const [method, path] of [
      ['GET', '/_fake/state'],
      ['POST', '/_fake/do'],
    ] as const) {
      const status = await new Promise((resolve, reject) => {
        const asking = request(`${fake.url}${path}`, { method, headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        asking.on('error', reject).end();
      });
      expect(status).toBe(403);
    }
  });

  it.each<[string, object, Record<string, string>?]>([
    ['no JSON by its type', PUSH, { 'content-type': 'text/plain' }],
    ['unknown', { do: 'stop' }],
    ['too much', { ...PUSH, duplicates: 1000 }],
    ['more than it should be', { ...PUSH, more: 1 }],
  ])('takes no order that is %s', async (...[, order, headers]) => {
    expect((await tell(order, headers)).status).toBe(400);
    expect(fake.records).toEqual([]);
  });
});

describe('its buttons', () => {
  it('push a task to do and then done; its process can be looked up', async () => {
    const client = await connected();
    expect(await tell(PUSH)).toEqual({ status: 200, body: { done: true } });
    await fake.settled();
    const { process_id: id, approver_id: task } = client.got[0]?.event as Record<string, string>;
    expect(await readProcess(id ?? '')).toMatchObject({
      process_id: id,
      status: 1,
      todos: [{ approver_id: task }],
      done_list: [],
    });
    await tell({ ...PUSH, status: 3, fragments: 3, duplicates: 1 });
    await fake.settled();
    expect(client.got.map(({ event }) => event['status'])).toEqual([1, 3, 3]);
    expect(await readProcess(id ?? '')).toMatchObject({
      status: 9,
      todos: [],
      done_list: [{ approver_id: task, status: 3 }],
    });
    await tell({ ...PUSH, status: '1-3' });
    await fake.settled();
    expect(client.got.slice(3).map(({ event }) => event['status'])).toEqual([1, 3]);
    client.close();
  });

  it('say what is in the way', async () => {
    expect(await tell({ ...PUSH, status: 2 })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('no task is waiting') },
    });
    expect(await tell({ ...PUSH, via: 'both' })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('--webhook URL') },
    });
    expect(await tell({ do: 'drop', how: 'close' })).toMatchObject({ status: 409 });
  });

  it('drop connections, refuse a discovery and throttle', async () => {
    const client = await connected();
    await tell({ do: 'refuse-next-discovery' });
    expect((await tell({ do: 'drop', how: 'terminate' })).status).toBe(200);
    await until(() => client.fatal.length === 1);
    const usual = Object.fromEntries(fake.limits);
    await tell({ do: 'throttle', on: true });
    expect(fake.limits.get('process')).toEqual({ max: 0, perMs: 10_000 });
    await tell({ do: 'throttle', on: false });
    expect(Object.fromEntries(fake.limits)).toEqual(usual);
    client.close();
  });
});

describe('its state', () => {
  it('is what happened, the newest first', async () => {
    const client = await connected();
    for (let i = 0; i < 40; i++) await tell(PUSH);
    await fake.settled();
    fake.bots.set('open', {});
    const body = { msg_type: 'text', content: { text: '<img src=x onerror=alert(1)>' } };
    await fetch(`${fake.url}/open-apis/bot/v2/hook/open`, { method: 'POST', body: JSON.stringify(body) });
    const { connections, pushes, botMessages } = await state();
    expect(connections).toEqual([
      { id: 1, appId: SAMPLE_APP.appId, state: 'ready', pings: expect.any(Number) },
    ]);
    expect([pushes.count, pushes.newest.length]).toEqual([40, 30]);
    expect(pushes.newest[0]).toEqual(fake.records.at(-1));
    expect(botMessages.newest).toEqual([{ hook: 'open', body }]);
    client.close();
  });
});

describe('aftersign fake-feishu', () => {
  let child: ChildProcess;
  let out: string;

  function run(...options: string[]): Promise<number | null> {
    out = '';
    child = spawn(process.execPath, ['dist/cli.js', 'fake-feishu', ...options], {
      env: { PATH: process.env['PATH'] },
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
    return new Promise((resolve) => child.once('exit', resolve));
  }

  it('prints the settings that lead to it, checks the webhook and ends when it is told to', async () => {
    const receiver = await startReceiver((_, response) => {
      response.writeHead(404).end();
    });
    const ended = run('--port', '0', '--webhook', `${receiver.url}/webhook/event`);
    await until(() => out.includes('check of the address'), 15_000);
    const [, url = ''] = /FEISHU_DOMAIN='(http:\/\/127\.0\.0\.1:\d+)'/.exec(out) ?? [];
    expect(out).toContain("export FEISHU_MODE='both'\n");
    for (const value of [SAMPLE_APP.appId, SAMPLE_APP.appSecret, SAMPLE_APP.encryptKey, SAMPLE_BOT.secret])
      expect(out).toContain(`='${value}'\n`);
    expect((await fetch(`${url}/`)).status).toBe(200);
    expect(receiver.received).toHaveLength(1);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await receiver.close();
  });

  it('refuses a port that is taken', async () => {
    expect(await run('--port', new URL(fake.url).port)).toBe(1);
    expect(out).toMatch(/^FAKE_FEISHU_PORT: port \d+ of 127\.0\.0\.1 cannot be had/);
  });

  it.each([
    ['--port', '70000'],
    ['--webhook', 'ftp://x'],
  ])('refuses %s %s as wrong use', async (...options) => {
    expect(await run(...options)).toBe(2);
  });
});
