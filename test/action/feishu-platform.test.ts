import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FeishuPlatform, type PlatformCall } from '../../src/action/feishu-platform.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { TestClock } from '../support/clock.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { TestLog } from '../support/log.js';
import { type Received, startReceiver } from '../support/receiver.js';
import { appAt, platformOf } from '../support/senders.js';

// Real: the platform's client, HTTP over sockets. Fake: Feishu (our own fake, on 127.0.0.1), the clock.
const APP_ID = 'cli_9f5343c580712544';
const SECRET = 'the-secret-of-the-app';
const MINUTE = 60_000;

let fake: FakeFeishu;
let clock: TestClock;
let log: TestLog;
let platform: FeishuPlatform;
let closers: (() => Promise<void>)[] = [];

const made = (...arguments_: Parameters<typeof platformOf>): FeishuPlatform => {
  const one = platformOf(...arguments_);
  closers.unshift(() => one.close());
  return one;
};
const app = () => appAt(fake.url);
const process: PlatformCall = {
  api: 'process',
  method: 'GET',
  path: '/open-apis/corehr/v2/processes/6991230000000000001',
  query: { user_id_type: 'open_id' },
  timeoutMs: 5000,
};
const user = (id: string): PlatformCall => ({
  ...process,
  api: 'user',
  path: `/open-apis/contact/v3/users/${id}`,
});
const callsOf = (api: string) => fake.calls.filter((call) => call.api === api);

beforeEach(async () => {
  clock = new TestClock();
  log = new TestLog();
  fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: SECRET }], clock });
  closers = [() => fake.stop()];
  fake.processes.set('6991230000000000001', { process_id: '6991230000000000001', status: 9 });
  fake.users.set('ou_1', { open_id: 'ou_1', name: '张三' });
  platform = made({ apps: [app()], clock, log });
});
afterEach(async () => {
  for (const close of closers) await close();
});

describe('a call', () => {
  it('gets its answer with the tenant token of the app', async () => {
    expect(await platform.call(app(), process)).toMatchObject({
      ok: true,
      status: 200,
      data: { process_id: '6991230000000000001', status: 9 },
    });
    expect(await platform.call(app(), user('ou_1'))).toMatchObject({ data: { user: { name: '张三' } } });
    expect(fake.calls.map(({ api, path }) => `${api} ${path}`)).toEqual([
      'token /open-apis/auth/v3/tenant_access_token/internal',
      'process /open-apis/corehr/v2/processes/6991230000000000001?user_id_type=open_id',
      'user /open-apis/contact/v3/users/ou_1?user_id_type=open_id',
    ]);
  });

  it('says what the platform says of a failure', async () => {
    expect(await platform.call(app(), user('ou_nobody'))).toMatchObject({
      ok: false,
      kind: 'permanent',
      code: 'FEISHU_REFUSED',
      status: 400,
    });
    fake.faults.api.set('process', [
      { status: 200, body: { code: 1, msg: 'system busy' } },
      { status: 500, body: 'oh' },
    ]);
    expect(await platform.call(app(), process)).toMatchObject({ kind: 'transient', code: 'FEISHU_FAILED' });
    expect(await platform.call(app(), process)).toMatchObject({ kind: 'transient', code: 'HTTP_500' });
  });

  it('without an answer ends within its time', async () => {
    await platform.call(app(), process);
    fake.faults.api.set('process', ['hang']);
    expect(await platform.call(app(), { ...process, timeoutMs: 100 })).toMatchObject({
      ok: false,
      kind: 'transient',
      code: 'TARGET_TIMEOUT',
      status: null,
    });
  });

  it('reads answers that are longer than what a target may say', async () => {
    const comment_infos = Array.from({ length: 2000 }, (_, n) => ({
      comment_msg: `意见 ${n} ${'x'.repeat(200)}`,
    }));
    fake.processes.set('6991230000000000001', { comment_infos });
    const answer = await platform.call(app(), process);
    expect(answer).toMatchObject({ ok: true, data: { comment_infos } });
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(4096);
  });

  it.each(['@evil.example/x', '.evil.example/x', ':1/x', '//evil.example/x'])(
    'to the path %j does not leave the domain of the app',
    async (path) => {
      const answer = await platform.call(app(), { ...process, path });
      expect(answer.ok).toBe(false);
      expect(fake.calls.filter(({ api }) => api !== 'token')).toEqual([]);
      expect(answer).toMatchObject(
        path.startsWith('//') ? { code: 'HTTP_404' } : { kind: 'permanent', code: 'FEISHU_HOST_MISMATCH' },
      );
    },
  );

  it('goes through the proxy, which the address of the platform needs no allowance for', async () => {
    const proxy = await startConnectProxy();
    closers.push(() => proxy.close());
    const through = made({ apps: [app()], clock, proxy: proxy.url });
    expect(await through.call(app(), process)).toMatchObject({ ok: true });
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(fake.url).host]));
  });
});

describe('the tenant token', () => {
  it('is asked for once, however many calls begin at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => platform.call(app(), process)));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(callsOf('token')).toHaveLength(1);
  });

  it('is kept until three minutes before its end', async () => {
    await platform.call(app(), process);
    clock.advance(7200_000 - 3 * MINUTE - 1);
    await platform.call(app(), process);
    expect(callsOf('token')).toHaveLength(1);
    clock.advance(1);
    await platform.call(app(), process);
    expect(callsOf('token')).toHaveLength(2);
  });

  it('that the platform takes no more is replaced, and the call made again, once', async () => {
    await platform.call(app(), process);
    fake.revokeTokens();
    expect(await platform.call(app(), process)).toMatchObject({ ok: true });
    expect(callsOf('token')).toHaveLength(2);
    expect(callsOf('process').map(({ status }) => status)).toEqual([200, 401, 200]);

    const refusal = { status: 401, body: { code: 99991663, msg: 'Invalid access token' } };
    fake.faults.api.set('process', [refusal, refusal, refusal]);
    expect(await platform.call(app(), process)).toMatchObject({
      ok: false,
      kind: 'transient',
      code: 'FEISHU_TOKEN_REFUSED',
    });
    expect(fake.faults.api.get('process')).toHaveLength(1);
  });

  it('that twenty calls at once find refused is replaced once', async () => {
    await platform.call(app(), process);
    fake.revokeTokens();
    const answers = await Promise.all(Array.from({ length: 20 }, () => platform.call(app(), process)));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(callsOf('token')).toHaveLength(2);
  });

  it('that an app gets none of, for a wrong secret, may come later; the platform is not asked all the time', async () => {
    const wrong = appAt(fake.url, { appSecret: 'hunter2-hunter2' });
    const other = made({ apps: [wrong], clock, log });
    const refused = await other.call(wrong, process);
    expect(refused).toMatchObject({ ok: false, kind: 'transient', code: 'FEISHU_APP_REFUSED' });
    expect(refused).toMatchObject({ detail: expect.stringMatching(/code 10014.*FEISHU_APP_SECRET\.$/) });
    await other.call(wrong, process);
    expect(callsOf('token')).toHaveLength(1);
    clock.advance(5_000);
    await other.call(wrong, process);
    expect(callsOf('token')).toHaveLength(2);
    expect(callsOf('process')).toEqual([]);
    expect(JSON.stringify([refused, log.lines])).not.toContain('hunter2');
  });

  it('needs an id and a secret', async () => {
    const bare = appAt(fake.url, { name: 'second', appSecret: undefined });
    expect(await made({ apps: [bare], clock }).call(bare, process)).toMatchObject({
      kind: 'permanent',
      code: 'FEISHU_APP_SECRET_MISSING',
      detail: expect.stringContaining('apps.second.appSecret of SOURCES_FILE'),
    });
    expect(fake.calls).toEqual([]);
  });

  it('is neither asked for nor used while the platform throttles it', async () => {
    fake.faults.api.set('token', [
      { status: 429, body: { code: 99991400 }, headers: { 'x-ogw-ratelimit-reset': '30' } },
    ]);
    expect(await platform.call(app(), process)).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 });
    clock.advance(29_000);
    expect(await platform.call(app(), process)).toMatchObject({ kind: 'throttled' });
    expect(callsOf('token')).toHaveLength(1);
    clock.advance(1_000);
    expect(await platform.call(app(), process)).toMatchObject({ ok: true });
  });

  it('and the secret stay inside, whatever a platform answers', async () => {
    const received: Received[] = [];
    const echo = await startReceiver((request, response) => {
      received.push(request);
      if (request.path.includes('/auth/')) {
        response.end(JSON.stringify({ code: 0, tenant_access_token: 't-g1044ghj', expire: 7200 }));
      } else
        response
          .writeHead(400)
          .end(
            JSON.stringify({ code: 5, msg: `refused ${String(request.headers.authorization)} ${SECRET}` }),
          );
    });
    closers.push(() => echo.close());
    const at = appAt(echo.url);
    const answer = await made({ apps: [at], clock, log }).call(at, process);
    expect(received[1]?.headers.authorization).toBe('Bearer t-g1044ghj');
    expect(answer).toMatchObject({ ok: false, code: 'FEISHU_REFUSED' });
    expect(JSON.stringify([answer, log.lines])).not.toMatch(/t-g1044ghj|the-secret/);
    expect(answer.text).toContain('[redacted]');
  });

  it.each([
    ['no token', { code: 0, msg: 'ok' }],
    ['a token with a line break', { code: 0, tenant_access_token: 't-1\r\nX-Evil: 1', expire: 7200 }],
    ['a token without its time', { code: 0, tenant_access_token: 't-1' }],
  ])('is none when the platform answers %s', async (_what, body) => {
    fake.faults.api.set('token', [{ status: 200, body }]);
    expect(await platform.call(app(), process)).toMatchObject({ kind: 'transient', code: 'ANSWER_BROKEN' });
    expect(callsOf('process')).toEqual([]);
  });
});

describe('a limit', () => {
  it('is kept without asking: 100 processes in a minute, and not one more', async () => {
    const answers = [];
    for (let n = 0; n < 105; n += 1) answers.push(await platform.call(app(), process));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(100);
    expect(answers.at(-1)).toMatchObject({
      ok: false,
      kind: 'throttled',
      code: 'FEISHU_THROTTLED',
      status: null,
      retryAfterMs: MINUTE,
    });
    expect(callsOf('process')).toHaveLength(100);
    expect([platform.pauseOf(app(), 'process'), platform.pauseOf(app(), 'user')]).toEqual([MINUTE, 0]);
    clock.advance(MINUTE);
    expect(await platform.call(app(), process)).toMatchObject({ ok: true });
    expect(fake.calls.filter(({ status }) => status === 429)).toEqual([]);
  });

  it('holds for calls that begin at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => platform.call(app(), user('ou_1'))));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(50);
    expect(callsOf('user')).toHaveLength(50);
  });

  it('that others have used up pauses that API of that app for as long as the platform says', async () => {
    const second = appAt(fake.url, { name: 'second', appId: 'cli_0123456789abcdef' });
    const two = made({ apps: [app(), second], clock, log });
    fake.faults.api.set('process', [
      { status: 429, body: { code: 99991400, msg: 'slow down' }, headers: { 'x-ogw-ratelimit-reset': '20' } },
    ]);
    expect(await two.call(app(), process)).toMatchObject({
      kind: 'throttled',
      status: 429,
      retryAfterMs: 20_000,
    });
    clock.advance(5_000);
    expect(await two.call(app(), process)).toMatchObject({
      kind: 'throttled',
      status: null,
      retryAfterMs: 15_000,
    });
    expect(callsOf('process')).toHaveLength(1);
    expect([two.pauseOf(second, 'process'), two.pauseOf(app(), 'user')]).toEqual([0, 0]);
    expect(await two.call(app(), user('ou_1'))).toMatchObject({ ok: true });
    clock.advance(15_000);
    expect(await two.call(app(), process)).toMatchObject({ ok: true });
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        fields: { event: 'feishu.throttled', app: 'default', api: 'process', ms: 20_000 },
      }),
    );
  });

  it('of an API that is not known here is told by the start of its path', async () => {
    const busy = await startReceiver((request, response) => {
      if (request.path.includes('/auth/'))
        response.end(JSON.stringify({ code: 0, tenant_access_token: 't-1234', expire: 7200 }));
      else if (request.path.includes('/calendar/'))
        response.writeHead(429, { 'x-ogw-ratelimit-reset': '20' }).end('{"code":99991400}');
      else response.end('{"code":0}');
    });
    closers.push(() => busy.close());
    const at = appAt(busy.url);
    const by = made({ apps: [at], clock });
    const other = (path: string): PlatformCall => ({ api: 'other', method: 'POST', path, timeoutMs: 5000 });
    expect(await by.call(at, other('/open-apis/calendar/v4/calendars/1/events'))).toMatchObject({
      status: 429,
    });
    expect(await by.call(at, other('/open-apis/calendar/v4/calendars/2'))).toMatchObject({ status: null });
    expect(await by.call(at, other('/open-apis/calendar/v4/freebusy'))).toMatchObject({ status: 429 });
    expect(await by.call(at, other('/open-apis/task/v2/tasks'))).toMatchObject({ ok: true });
  });
});

describe('an app', () => {
  it('is found by its name or id, or because it is the only one that can be used', () => {
    const [first, second] = [app(), appAt(fake.url, { name: 'second', appId: 'cli_0123456789abcdef' })];
    const bare = appAt(fake.url, { name: 'bare', appId: 'cli_fedcba9876543210', appSecret: undefined });
    const two = made({ apps: [first, second, bare], clock });
    const one = made({ apps: [first, bare], clock });
    expect(two.appOf('second')).toBe(second);
    expect(two.appOf('cli_0123456789abcdef')).toBe(second);
    expect(two.appOf('cli_fedcba9876543210')).toBe(bare);
    expect([two.appOf('third'), two.appOf(null)]).toEqual([null, null]);
    expect(one.appOf(null)).toBe(first);
    expect(two.appFor({ app: 'second', eventApp: APP_ID })).toBe(second);
    expect(two.appFor({ app: null, eventApp: APP_ID })).toBe(first);
    expect(two.appFor({ app: null, eventApp: 'cli_of_others' })).toMatchObject({
      code: 'FEISHU_APP_UNKNOWN',
    });
    expect(one.appFor({ app: null, eventApp: 'cli_of_others' })).toBe(first);
    expect(one.appFor({ app: 'third', eventApp: APP_ID })).toMatchObject({
      kind: 'permanent',
      code: 'FEISHU_APP_UNKNOWN',
      detail: expect.stringContaining('"third"'),
    });
  });
});
