// Real: HTTP. Fake: the platform, which is what is tested, and its clock.
import { readFileSync } from 'node:fs';
import { Client, LoggerLevel } from '@larksuiteoapi/node-sdk';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { botSign } from '../../../src/cli/fake-feishu/bot-api.js';
import { FakeFeishu } from '../../../src/cli/fake-feishu/fake-feishu.js';
import { TestClock } from '../../support/clock.js';
import { APP } from './sdk-client.js';

const HOUR = 3_600_000;
let fake: FakeFeishu;
let clock: TestClock;

beforeEach(async () => {
  clock = new TestClock();
  fake = await FakeFeishu.start({ apps: [APP], clock });
});

afterEach(async () => {
  await fake.stop();
});

interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, token?: string): Promise<Told> {
  const answer = await fetch(`${fake.url}/open-apis${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    body: (await answer.json()) as Record<string, unknown>,
  };
}

async function askToken(secret = APP.appSecret): Promise<Record<string, unknown>> {
  const asked = { app_id: APP.appId, app_secret: secret };
  return (await call('POST', '/auth/v3/tenant_access_token/internal', asked)).body;
}

async function token(): Promise<string> {
  return String((await askToken())['tenant_access_token']);
}

describe('the access token', () => {
  it('stands at the top of the answer and is the same until half an hour is left', async () => {
    const first = await askToken();
    expect(first).toEqual({
      code: 0,
      msg: 'ok',
      tenant_access_token: expect.stringMatching(/^t-[0-9a-f]{40}$/),
      expire: 7200,
    });
    clock.advance(1.4 * HOUR);
    expect(await askToken()).toEqual({ ...first, expire: 2160 });
    clock.advance(0.2 * HOUR);
    const second = await askToken();
    expect(second['tenant_access_token']).not.toBe(first['tenant_access_token']);
    fake.processes.set('1', {});
    for (const { tenant_access_token: text } of [first, second])
      expect((await call('GET', '/corehr/v2/processes/1', undefined, String(text))).status).toBe(200);
    clock.advance(0.5 * HOUR);
    expect(
      (await call('GET', '/corehr/v2/processes/1', undefined, String(first['tenant_access_token']))).body,
    ).toMatchObject({ code: 99991663 });
  });

  it('is refused for a wrong secret, in a status 200', async () => {
    expect(await askToken('wrong')).toMatchObject({ code: 10014 });
    expect(fake.calls).toMatchObject([{ api: 'token', status: 200, code: 10014 }]);
  });

  it('is needed, and can be revoked', async () => {
    expect(await call('GET', '/corehr/v2/processes/1')).toMatchObject({
      status: 401,
      body: { code: 99991663 },
    });
    const given = await token();
    fake.revokeTokens();
    expect((await call('GET', '/contact/v3/users/1', undefined, given)).status).toBe(401);
    expect(await token()).not.toBe(given);
  });
});

describe('reading', () => {
  it('answers processes by id', async () => {
    const process = { process_id: '7072306364927985196', status: 1, todos: [] };
    fake.processes.set('7072306364927985196', process);
    const given = await token();
    const path = '/corehr/v2/processes/7072306364927985196?user_id_type=people_corehr_id';
    expect(await call('GET', path, undefined, given)).toMatchObject({
      status: 200,
      body: { code: 0, msg: 'success', data: process },
    });
    expect(fake.calls.at(-1)).toEqual({
      api: 'process',
      at: clock.now(),
      status: 200,
      code: 0,
      path: `/open-apis${path}`,
    });
    expect((await call('GET', '/corehr/v2/processes/2', undefined, given)).body).toMatchObject({
      code: 1161001,
    });
    expect((await call('GET', '/corehr/v2/processes/2?user_id_type=x', undefined, given)).body).toMatchObject(
      { code: 9499 },
    );
  });

  it('answers users by the kind of id that is asked for', async () => {
    const user = {
      open_id: 'ou_1',
      union_id: 'on_1',
      user_id: 'u1',
      name: '张三',
      email: 'zhang@example.com',
    };
    fake.users.set('ou_1', user);
    fake.users.set('anything', { name: 'by key' });
    const given = await token();
    const ask = async (id: string): Promise<unknown> =>
      (await call('GET', `/contact/v3/users/${id}`, undefined, given)).body['data'];
    expect(await ask('ou_1?user_id_type=open_id')).toEqual({ user });
    expect(await ask('on_1?user_id_type=union_id')).toEqual({ user });
    expect(await ask('anything?user_id_type=user_id')).toEqual({ user: { name: 'by key' } });
    expect(await ask('ou_1?user_id_type=user_id')).toBeUndefined();
    expect(await ask('ou_1?user_id_type=people_corehr_id')).toBeUndefined();
  });

  it('answers ids by e-mail address and mobile number, without an id when not found', async () => {
    fake.users.set('ou_1', {
      open_id: 'ou_1',
      union_id: 'on_1',
      email: 'a@example.com',
      mobile: '+8613800000000',
      enterprise_email: 'a@corp.example',
    });
    const { body } = await call(
      'POST',
      '/contact/v3/users/batch_get_id?user_id_type=union_id',
      { emails: ['a@example.com', 'a@corp.example'], mobiles: ['+8613800000000', 7] },
      await token(),
    );
    expect(body['data']).toEqual({
      user_list: [
        { user_id: 'on_1', email: 'a@example.com' },
        { email: 'a@corp.example' },
        { user_id: 'on_1', mobile: '+8613800000000' },
      ],
    });
  });

  it('knows no other address', async () => {
    for (const path of ['/open-apis/other', '/nowhere', '//'])
      expect((await fetch(fake.url + path)).status).toBe(404);
    expect((await call('GET', '/corehr/v2/processes/%E0%A4%A', undefined, await token())).status).toBe(500);
  });
});

describe('messages', () => {
  const text = { receive_id: 'ou_1', msg_type: 'text', content: '{"text":"done"}' };
  const send = async (body: unknown, type = 'open_id'): Promise<Told> =>
    await call('POST', `/im/v1/messages?receive_id_type=${type}`, body, await token());

  it('are kept and numbered', async () => {
    const { body } = await send(text);
    const { message_id: messageId } = body['data'] as { message_id: string };
    expect(messageId).toMatch(/^om_[0-9a-f]{32}$/);
    expect(fake.messages).toEqual([
      {
        appId: APP.appId,
        receiveIdType: 'open_id',
        receiveId: 'ou_1',
        msgType: 'text',
        content: '{"text":"done"}',
        messageId,
      },
    ]);
  });

  it('with a uuid that was seen within the hour are the same message', async () => {
    const first = await send({ ...text, uuid: 'key' });
    clock.advance(0.9 * HOUR);
    expect((await send({ ...text, uuid: 'key' })).body).toEqual(first.body);
    await send({ ...text, uuid: 'other' });
    expect(fake.messages).toHaveLength(2);
    clock.advance(0.2 * HOUR);
    expect((await send({ ...text, uuid: 'key' })).body).not.toEqual(first.body);
    expect(fake.messages.map(({ uuid }) => uuid)).toEqual(['key', 'other', 'key']);
  });

  it.each<[string, object, string]>([
    ['a kind of receiver that is none', {}, 'name'],
    ['no receiver', { receive_id: '' }, 'open_id'],
    ['no type', { msg_type: undefined }, 'open_id'],
    ['content that is an object', { content: { text: 'x' } }, 'open_id'],
    ['content that is no JSON', { content: 'x' }, 'open_id'],
    ['a uuid of 51 characters', { uuid: 'x'.repeat(51) }, 'open_id'],
  ])('refuses %s', async (_, changes, type) => {
    expect((await send({ ...text, ...changes }, type)).body).toMatchObject({ code: 230001 });
    expect(fake.messages).toEqual([]);
  });

  it('refuses a text over 150 KB and a card over 30 KB', async () => {
    const content = (kilobytes: number): string => JSON.stringify({ text: 'x'.repeat(kilobytes * 1024) });
    expect((await send({ ...text, content: content(149) })).body).toMatchObject({ code: 0 });
    expect((await send({ ...text, content: content(150) })).body).toMatchObject({ code: 230025 });
    const card = { ...text, msg_type: 'interactive' };
    expect((await send({ ...card, content: content(29) })).body).toMatchObject({ code: 0 });
    expect((await send({ ...card, content: content(30) })).body).toMatchObject({ code: 230025 });
    expect(fake.messages).toHaveLength(2);
  });

  it('refuses no body', async () => {
    expect((await send(undefined)).body).toMatchObject({ code: 230001 });
  });
});

describe('custom bots', () => {
  const text = { msg_type: 'text', content: { text: 'approved 续签' } };
  const { custom_bot_sign: vectors } = JSON.parse(
    readFileSync('test/fixtures/feishu-vectors.json', 'utf8'),
  ) as { custom_bot_sign: { timestamp: string; secret: string; sign_base64: string }[] };

  it('take a message, and an unknown token is refused in a status 200', async () => {
    fake.bots.set('hook', {});
    expect(await call('POST', '/bot/v2/hook/hook', text)).toMatchObject({
      status: 200,
      body: { code: 0, msg: 'success', data: {}, StatusCode: 0 },
    });
    expect(fake.botMessages).toEqual([{ hook: 'hook', body: text }]);
    expect(await call('POST', '/bot/v2/hook/other', text)).toMatchObject({
      status: 200,
      body: { code: 19001 },
    });
  });

  it.each(vectors)(
    'the signature of $timestamp is the published one',
    async ({ timestamp, secret, sign_base64: sign }) => {
      expect(botSign(timestamp, secret)).toBe(sign);
      clock.advance(Number(timestamp) * 1000 + HOUR - clock.now());
      fake.bots.set('hook', { secret });
      const ask = async (changes: object): Promise<unknown> =>
        (await call('POST', '/bot/v2/hook/hook', { ...text, timestamp, sign, ...changes })).body['code'];
      expect(await ask({})).toBe(0);
      expect(await ask({ sign: botSign(timestamp, 'other') })).toBe(19021);
      expect(await ask({ sign: undefined })).toBe(19021);
      expect(await ask({ timestamp: Number(timestamp) })).toBe(19021);
      clock.advance(1);
      expect(await ask({})).toBe(19021);
      expect(fake.botMessages).toHaveLength(1);
    },
  );

  it('look for their keyword in texts and cards', async () => {
    fake.bots.set('hook', { keyword: '续签' });
    const ask = async (body: unknown): Promise<unknown> =>
      (await call('POST', '/bot/v2/hook/hook', body)).body['code'];
    expect(await ask(text)).toBe(0);
    expect(await ask({ ...text, content: { text: 'other' } })).toBe(19024);
    expect(await ask({ msg_type: 'interactive', card: { title: '续签' } })).toBe(0);
  });

  it.each<[string, unknown]>([
    ['over 20 KB', { ...text, more: 'x'.repeat(20 * 1024) }],
    ['without content', { msg_type: 'text' }],
    ['with a card as text', { msg_type: 'interactive', card: '{}' }],
    ['that is no object', 'text'],
  ])('refuse a message %s', async (_, body) => {
    fake.bots.set('hook', {});
    expect(await call('POST', '/bot/v2/hook/hook', body)).toMatchObject({
      status: 400,
      body: { code: 9499 },
    });
  });
});

describe('limits and faults', () => {
  it('over the limit of a sliding window the answer is 429 and says how long to wait', async () => {
    fake.limits.set('process', { max: 2, perMs: 60_000 });
    fake.processes.set('1', {});
    const given = await token();
    const ask = async (): Promise<Told> => await call('GET', '/corehr/v2/processes/1', undefined, given);
    expect((await ask()).status).toBe(200);
    clock.advance(20_000);
    expect((await ask()).status).toBe(200);
    const over = await ask();
    expect(over).toMatchObject({ status: 429, body: { code: 99991400 } });
    expect(over.headers.get('x-ogw-ratelimit-limit')).toBe('2');
    expect(over.headers.get('x-ogw-ratelimit-reset')).toBe('40');
    clock.advance(39_999);
    expect((await ask()).headers.get('x-ogw-ratelimit-reset')).toBe('1');
    clock.advance(1);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    expect(fake.calls.filter(({ code }) => code === 99991400)).toHaveLength(3);
  });

  it('has the limits of the platform', () => {
    expect(Object.fromEntries(fake.limits)).toEqual({
      process: { max: 100, perMs: 60_000 },
      user: { max: 1000, perMs: 60_000 },
      message: { max: 1000, perMs: 60_000 },
      bot: { max: 100, perMs: 60_000 },
    });
  });

  it('counts each bot by itself', async () => {
    fake.limits.set('bot', { max: 1, perMs: 1000 });
    for (const hook of ['one', 'two']) fake.bots.set(hook, {});
    const ask = async (hook: string): Promise<number> =>
      (await call('POST', `/bot/v2/hook/${hook}`, { msg_type: 'text', content: { text: 'x' } })).status;
    expect([await ask('one'), await ask('two'), await ask('one')]).toEqual([200, 200, 429]);
  });

  it('answers what it is told to, once each', async () => {
    fake.faults.api.set('token', [
      { status: 429, body: { code: 99991400 }, headers: { 'x-ogw-ratelimit-reset': '7' } },
      { status: 502, body: 'bad gateway' },
      'hang',
    ]);
    const ask = async (ms = 5000): Promise<Response> =>
      await fetch(`${fake.url}/open-apis/auth/v3/tenant_access_token/internal`, {
        method: 'POST',
        signal: AbortSignal.timeout(ms),
      });
    expect((await ask()).headers.get('x-ogw-ratelimit-reset')).toBe('7');
    expect(await (await ask()).text()).toBe('bad gateway');
    await expect(ask(100)).rejects.toThrow(/timeout/i);
    expect((await askToken())['code']).toBe(0);
    expect(fake.calls.map(({ status, code }) => [status, code])).toEqual([
      [429, 99991400],
      [502, 502],
      [0, 0],
      [200, 0],
    ]);
  });

  it('refuses a body over 1 MiB', async () => {
    const answer = await fetch(`${fake.url}/open-apis/im/v1/messages`, {
      method: 'POST',
      body: 'x'.repeat(1024 * 1024 + 1),
    });
    expect(answer.status).toBe(413);
  });
});

it('the SDK reads a process and a user, and sends a message', async () => {
  const { appId, appSecret } = APP;
  const client = new Client({ appId, appSecret, domain: fake.url, loggerLevel: LoggerLevel.error });
  fake.processes.set('1', { process_id: '1' });
  fake.users.set('ou_1', { open_id: 'ou_1', name: '张三' });
  const params = { user_id_type: 'open_id' } as const;
  const process = await client.corehr.v2.process.get({ path: { process_id: '1' }, params });
  expect(process.data).toEqual({ process_id: '1' });
  const user = await client.contact.v3.user.get({ path: { user_id: 'ou_1' }, params });
  expect(user.data?.user?.name).toBe('张三');
  const sent = await client.im.v1.message.create({
    params: { receive_id_type: 'open_id' },
    data: { receive_id: 'ou_1', msg_type: 'text', content: '{"text":"done"}' },
  });
  expect(sent.data?.message_id).toBe(fake.messages[0]?.messageId);
});
