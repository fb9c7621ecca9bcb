import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressGuard } from '../../src/action/address-guard.js';
import { compileAction } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { botSign, FeishuBotSender } from '../../src/action/feishu-bot-sender.js';
import { FeishuMessageSender } from '../../src/action/feishu-message-sender.js';
import type { FeishuPlatform } from '../../src/action/feishu-platform.js';
import { HttpSender } from '../../src/action/http-sender.js';
import { OutboundHttp } from '../../src/action/outbound-http.js';
import { makeReady } from '../../src/action/ready-request.js';
import type { AttemptResult } from '../../src/action/sender.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { TestClock } from '../support/clock.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { scopeOf } from '../support/scope.js';
import { appAt, platformOf } from '../support/senders.js';

// Real: compiling, rendering, secrets, senders, HTTP over sockets. Fake: Feishu (our own fake, on 127.0.0.1), the clock.
const APP_ID = 'cli_9f5343c580712544';
const SECRET = 'the-secret-of-the-app';
const HOOK = 'b7e0c2e1-8d3b-4c6a-9a61-1c1f2d3e4f50';
const KEY = 'a'.repeat(40);

let fake: FakeFeishu;
let clock: TestClock;
let platform: FeishuPlatform;
let http: OutboundHttp;
let secrets: Map<string, string>;
let closers: (() => Promise<void>)[] = [];
let senders: { http: HttpSender; bot: FeishuBotSender; message: FeishuMessageSender };

const EVENT = {
  app_id: APP_ID,
  process_id: '6991230000000000001',
  note: 'say "hi"\n{{ secrets.HOOK }}',
  who: 'ou_1',
};

/** From a document as a rule file holds it to the end of one attempt. */
async function send(
  document: object,
  event: Record<string, unknown> = {},
  key = KEY,
): Promise<AttemptResult> {
  const action = compileAction(ACTION_DOCUMENT.parse({ name: 'a', ...document }), (at, code, message) => {
    throw new Error(`${at.join('.')} ${code} ${message}`);
  });
  const stored = action.render(scopeOf({ ...EVENT, ...event })).request;
  expect(JSON.stringify(stored)).not.toContain(HOOK);
  const ready = makeReady(JSON.parse(JSON.stringify(stored)) as typeof stored, secrets);
  if ('missing' in ready) throw new Error(`${ready.missing} is missing`);
  switch (ready.kind) {
    case 'feishu-bot':
      return await senders.bot.send(ready.request, key, ready.used);
    case 'feishu-message':
      return await senders.message.send(ready.request, key, ready.used);
    case 'http':
      return await senders.http.send(ready.request, key, ready.used);
    case 'email':
      throw new Error('no mail here');
  }
}
const bot = {
  type: 'feishu-bot',
  url: '{{ secrets.HOOK }}',
  text: 'Process {{ event.process_id }}: {{ event.note }}',
};
const message = { type: 'feishu-message', to: { open_id: '{{ event.who }}' }, text: 'Hello {{ event.who }}' };
const api = { type: 'http', auth: 'feishu', url: '/open-apis/im/v1/messages?receive_id_type=chat_id' };
const IM_BODY = { receive_id: 'oc_1', msg_type: 'text', content: '{"text":"x"}' };
const callsOf = (name: string) => fake.calls.filter((call) => call.api === name);
const receiver = async (answer?: Parameters<typeof startReceiver>[0]): Promise<Receiver> => {
  const one = await startReceiver(answer);
  closers.push(() => one.close());
  return one;
};

function connectTo(domain: string): void {
  platform = platformOf({ apps: [appAt(domain)], clock });
  http = new OutboundHttp({ guard: new AddressGuard([]), ca: undefined });
  senders = {
    http: new HttpSender(http, platform, clock),
    bot: new FeishuBotSender(http, platform, clock),
    message: new FeishuMessageSender(platform, clock),
  };
  closers.unshift(
    () => platform.close(),
    () => http.close(),
  );
}

beforeEach(async () => {
  clock = new TestClock();
  fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: SECRET }], clock });
  fake.bots.set(HOOK, {});
  closers = [() => fake.stop()];
  secrets = new Map([
    ['HOOK', `${fake.url}/open-apis/bot/v2/hook/${HOOK}`],
    ['SIGN', 'sign-secret-密钥'],
  ]);
  connectTo(fake.url);
});
afterEach(async () => {
  for (const close of closers) await close();
});

describe('a message to a custom bot', () => {
  it('is its text, in which nothing of the event is a template again', async () => {
    const result = await send(bot);
    expect(result).toMatchObject({ outcome: 'delivered', status: 200, code: null });
    expect(fake.botMessages).toEqual([
      {
        hook: HOOK,
        body: {
          msg_type: 'text',
          content: { text: 'Process 6991230000000000001: say "hi"\n{{ secrets.HOOK }}' },
        },
      },
    ]);
    expect(JSON.stringify(result)).not.toContain(HOOK);
  });

  it('is its card, with templates in every string and values that keep their types', async () => {
    const card = {
      schema: '2.0',
      header: { title: { tag: 'plain_text', content: '{{ event.process_id }}' }, template: 'blue' },
      body: {
        elements: [{ tag: 'markdown', content: '**{{ event.note }}**', n: '{{ event.n }}', ok: true }],
      },
    };
    expect(await send({ ...bot, text: undefined, card }, { n: 3 })).toMatchObject({ outcome: 'delivered' });
    expect(fake.botMessages[0]?.body).toEqual({
      msg_type: 'interactive',
      card: {
        schema: '2.0',
        header: { title: { tag: 'plain_text', content: '6991230000000000001' }, template: 'blue' },
        body: {
          elements: [{ tag: 'markdown', content: '**say "hi"\n{{ secrets.HOOK }}**', n: 3, ok: true }],
        },
      },
    });
  });

  it('is signed as the platform documents it', () => {
    const { custom_bot_sign: vectors } = JSON.parse(
      readFileSync('test/fixtures/feishu-vectors.json', 'utf8'),
    ) as { custom_bot_sign: { timestamp: string; secret: string; sign_base64: string }[] };
    expect(vectors.length).toBeGreaterThan(1);
    for (const { timestamp, secret, sign_base64 } of vectors)
      expect(botSign(timestamp, secret)).toBe(sign_base64);
  });

  it('is taken by a bot that asks for a signature, and not with another secret or a clock that is off', async () => {
    fake.bots.set(HOOK, { secret: 'sign-secret-密钥' });
    expect(await send({ ...bot, sign: 'SIGN' })).toMatchObject({ outcome: 'delivered' });
    expect(fake.botMessages[0]?.body).toMatchObject({ timestamp: String(clock.now() / 1000) });
    expect(await send(bot)).toMatchObject({ outcome: 'permanent', code: 'FEISHU_SIGN_REFUSED' });
    secrets.set('SIGN', 'another');
    expect(await send({ ...bot, sign: 'SIGN' })).toMatchObject({ code: 'FEISHU_SIGN_REFUSED' });
  });

  it('that a bot refuses is dead, with what to mend', async () => {
    fake.bots.set(HOOK, { keyword: 'Aftersign' });
    expect(await send(bot)).toMatchObject({
      outcome: 'permanent',
      code: 'FEISHU_KEYWORD_MISSING',
      status: 200,
      detail: expect.stringContaining('keyword'),
    });
    fake.bots.clear();
    const unknown = await send(bot);
    expect(unknown).toMatchObject({ outcome: 'permanent', code: 'FEISHU_BOT_UNKNOWN' });
    expect(JSON.stringify(unknown)).not.toContain(HOOK);
  });

  it('that is too large is not sent', async () => {
    const tooLarge = await send(bot, { note: '审'.repeat(7000) });
    expect(tooLarge).toMatchObject({ outcome: 'permanent', code: 'FEISHU_MESSAGE_TOO_LARGE', status: null });
    expect(fake.calls).toEqual([]);
    expect(await send(bot, { note: '审'.repeat(6700) })).toMatchObject({ outcome: 'delivered' });
  });

  it('waits for the limit of the bot, and that is no attempt', async () => {
    const results: AttemptResult[] = [];
    for (let n = 0; n < 12; n += 1) results.push(await send(bot, {}, `key-${n}`));
    expect(results.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(5).fill('delivered'),
      ...Array<string>(7).fill('deferred'),
    ]);
    // Behind each other, five a second.
    expect(results.slice(5).map(({ retryAfterMs }) => retryAfterMs)).toEqual([
      ...Array<number>(5).fill(1000),
      2000,
      2000,
    ]);
    expect(fake.botMessages).toHaveLength(5);
    // Another bot has its own limit.
    fake.bots.set('other', {});
    secrets.set('HOOK', `${fake.url}/open-apis/bot/v2/hook/other`);
    expect(await send(bot)).toMatchObject({ outcome: 'delivered' });
  });

  it('that the platform throttles is tried again, and the bot is left alone until then', async () => {
    fake.faults.api.set('bot', [{ status: 200, body: { code: 11232, msg: 'frequency limited' } }]);
    expect(await send(bot)).toMatchObject({
      outcome: 'retry',
      code: 'FEISHU_THROTTLED',
      status: 200,
      retryAfterMs: 1000,
    });
    expect(await send(bot)).toMatchObject({ outcome: 'deferred', retryAfterMs: 1000 });
    clock.advance(1000);
    expect(await send(bot)).toMatchObject({ outcome: 'delivered' });
    expect(callsOf('bot')).toHaveLength(2);
  });

  it('goes to the address of the platform, and to no other private one', async () => {
    const inside = await receiver();
    secrets.set('HOOK', `${inside.url}/open-apis/bot/v2/hook/x`);
    expect(await send(bot)).toMatchObject({ outcome: 'permanent', code: 'ADDRESS_FORBIDDEN' });
    expect(inside.received).toEqual([]);
  });
});

describe('a message of an app', () => {
  it('goes to its receiver, with the action key against repetition', async () => {
    expect(await send(message)).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(await send(message)).toMatchObject({ outcome: 'delivered' });
    expect(callsOf('message')).toHaveLength(2);
    expect(fake.messages).toEqual([
      {
        appId: APP_ID,
        receiveIdType: 'open_id',
        receiveId: 'ou_1',
        msgType: 'text',
        content: '{"text":"Hello ou_1"}',
        uuid: KEY,
        messageId: expect.any(String),
      },
    ]);
  });

  it.each([
    [{ user_id: 'u{{ event.n }}' }, 'user_id', 'u7'],
    [{ union_id: '{{ event.who }}' }, 'union_id', 'ou_1'],
    [{ email: '{{ event.name }}@example.com' }, 'email', 'zhang.san@example.com'],
    [{ chat_id: 'oc_1' }, 'chat_id', 'oc_1'],
    [{ chat_id: '{{ secrets.CHAT }}' }, 'chat_id', 'oc_2'],
  ])('to %j goes there', async (to, kind, id) => {
    secrets.set('CHAT', 'oc_2');
    expect(await send({ ...message, to }, { n: 7, name: 'zhang.san' })).toMatchObject({
      outcome: 'delivered',
    });
    expect(fake.messages).toMatchObject([{ receiveIdType: kind, receiveId: id }]);
  });

  it('holds a card as a text of JSON', async () => {
    const card = { schema: '2.0', body: { elements: [{ tag: 'markdown', content: '{{ event.note }}' }] } };
    await send({ ...message, text: undefined, card });
    expect(fake.messages[0]).toMatchObject({ msgType: 'interactive' });
    expect(JSON.parse(fake.messages[0]?.content ?? '')).toEqual({
      schema: '2.0',
      body: { elements: [{ tag: 'markdown', content: 'say "hi"\n{{ secrets.HOOK }}' }] },
    });
  });

  it('that is too large is not sent: a card of 30 kB, a text of 150 kB', async () => {
    const card = { body: { content: '{{ event.note }}' } };
    const large = { note: 'x'.repeat(31_000) };
    expect(await send({ ...message, text: undefined, card }, large)).toMatchObject({
      outcome: 'permanent',
      code: 'FEISHU_MESSAGE_TOO_LARGE',
    });
    expect(await send({ ...message, text: '{{ event.note }}' }, large)).toMatchObject({
      outcome: 'delivered',
    });
    expect(await send({ ...message, text: '{{ event.note }}' }, { note: 'x'.repeat(154_000) })).toMatchObject(
      {
        code: 'FEISHU_MESSAGE_TOO_LARGE',
      },
    );
    expect(callsOf('message')).toHaveLength(1);
  });

  it('goes through the app of the rule, else that of the event', async () => {
    expect(await send({ ...message, app: 'second' })).toMatchObject({
      outcome: 'permanent',
      code: 'FEISHU_APP_UNKNOWN',
    });
    expect(await send({ ...message, app: 'default' }, { app_id: null })).toMatchObject({
      outcome: 'delivered',
    });
    const second = appAt(fake.url, { name: 'second', appId: 'cli_0123456789abcdef', appSecret: 'other' });
    platform = platformOf({ apps: [appAt(fake.url), second], clock });
    closers.unshift(() => platform.close());
    senders.message = new FeishuMessageSender(platform, clock);
    await send(message, {}, 'key-2');
    expect(await send(message, { app_id: null }, 'key-3')).toMatchObject({ code: 'FEISHU_APP_UNKNOWN' });
    expect(await send(message, { app_id: 'cli_0123456789abcdef' })).toMatchObject({
      outcome: 'retry',
      code: 'FEISHU_APP_REFUSED',
    });
    expect(fake.messages).toHaveLength(2);
  });

  it('waits for the limit of its receiver, and for that of the app', async () => {
    const to = (who: string, key: string) => send(message, { who }, key);
    const first = [];
    for (let n = 0; n < 6; n += 1) first.push(await to('ou_1', `key-1-${n}`));
    expect(first.map(({ outcome }) => outcome)).toEqual([...Array<string>(5).fill('delivered'), 'deferred']);
    const others = [];
    for (let n = 0; n < 50; n += 1) others.push(await to(`ou_x${n}`, `key-2-${n}`));
    expect(others.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(45);
    expect(others.at(-1)).toMatchObject({
      outcome: 'deferred',
      code: 'FEISHU_THROTTLED',
      retryAfterMs: 1000,
    });
    clock.advance(1000);
    expect(await to('ou_1', 'key-1-5')).toMatchObject({ outcome: 'delivered' });
    expect(fake.calls.filter(({ status }) => status === 429)).toEqual([]);
  });

  it('that the platform throttles is tried again when the platform says, and the others wait without asking', async () => {
    fake.faults.api.set('message', [
      { status: 429, body: { code: 99991400 }, headers: { 'x-ogw-ratelimit-reset': '17' } },
    ]);
    expect(await send(message)).toMatchObject({ outcome: 'retry', status: 429, retryAfterMs: 17_000 });
    expect(await send(message, {}, 'key-2')).toMatchObject({ outcome: 'deferred', retryAfterMs: 17_000 });
    expect(callsOf('message')).toHaveLength(1);
    clock.advance(17_000);
    expect(await send(message)).toMatchObject({ outcome: 'delivered' });
  });

  it('that the platform refuses is dead, and what may pass is tried again', async () => {
    fake.faults.api.set('message', [
      { status: 400, body: { code: 230002, msg: 'Bot can NOT be out of the chat' } },
      { status: 200, body: { code: 230099, msg: 'odd' } },
      { status: 502, body: '' },
    ]);
    expect(await send(message)).toMatchObject({
      outcome: 'permanent',
      code: 'FEISHU_REFUSED',
      detail: expect.stringContaining('code 230002 (Bot can NOT be out of the chat)'),
    });
    expect(await send(message)).toMatchObject({ outcome: 'retry', code: 'FEISHU_FAILED' });
    expect(await send(message)).toMatchObject({ outcome: 'retry', code: 'HTTP_502' });
    await fake.stop();
    clock.advance(1000);
    expect(await send(message)).toMatchObject({
      outcome: 'retry',
      code: expect.stringMatching(/^TARGET_(?:RESET|REFUSED)$/),
    });
  });
});

describe('an HTTP action with the token of an app', () => {
  it('goes to the domain of the app, by a path or by the whole URL', async () => {
    const result = await send({ ...api, body: IM_BODY });
    expect(result).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(await send({ ...api, url: fake.url + api.url, body: IM_BODY })).toMatchObject({
      outcome: 'delivered',
    });
    secrets.set('API', fake.url + api.url);
    expect(await send({ ...api, url: '{{ secrets.API }}', body: IM_BODY })).toMatchObject({
      outcome: 'delivered',
    });
    expect(fake.messages).toHaveLength(3);
    expect(fake.messages[0]).toMatchObject({ receiveId: 'oc_1', content: '{"text":"x"}' });
  });

  it('goes nowhere else, and takes the token nowhere', async () => {
    const elsewhere = await receiver();
    secrets.set('ELSEWHERE', elsewhere.url);
    for (const url of [
      elsewhere.url,
      'https://open.feishu.cn/open-apis/x',
      '{{ secrets.ELSEWHERE }}',
      `http://localhost:${new URL(fake.url).port}/open-apis/x`,
    ]) {
      const result = await send({ ...api, url });
      expect(result).toMatchObject({ outcome: 'permanent', code: 'FEISHU_HOST_MISMATCH', status: null });
      expect(result.detail).toContain(fake.url);
    }
    expect([elsewhere.received, fake.calls]).toEqual([[], []]);
  });

  it('is a success by code 0, unless the rule says otherwise', async () => {
    const answers = [
      { status: 200, body: { code: 5, msg: 'no' } },
      { status: 200, body: { code: 5, data: { state: 'there' } } },
      { status: 200, body: { code: 0, data: { state: 'gone' } } },
      { status: 202, body: { code: 0 } },
      { status: 404, body: { code: 7, msg: 'nothing there' } },
    ];
    fake.faults.api.set('process', answers);
    const get = (success?: object) =>
      send({ ...api, method: 'GET', url: '/open-apis/corehr/v2/processes/1', ...(success && { success }) });
    expect(await get()).toMatchObject({ outcome: 'retry', code: 'FEISHU_FAILED' });
    expect(await get({ path: 'data.state', equal: 'there' })).toMatchObject({ outcome: 'delivered' });
    expect(await get({ path: 'data.state', equal: 'there' })).toMatchObject({ code: 'ANSWER_NOT_SUCCESS' });
    expect(await get({ status: [200] })).toMatchObject({ outcome: 'retry', code: 'ANSWER_NOT_SUCCESS' });
    expect(await get({ status: [200] })).toMatchObject({ outcome: 'permanent', code: 'FEISHU_REFUSED' });
  });

  it('shares the limit of the API that it asks', async () => {
    for (let n = 0; n < 50; n += 1) await send(message, { who: `ou_${n}` }, `key-${n}`);
    expect(await send({ ...api, body: IM_BODY })).toMatchObject({ outcome: 'deferred', retryAfterMs: 1000 });
    expect(fake.messages).toHaveLength(50);
    clock.advance(1000);
    expect(await send({ ...api, body: IM_BODY })).toMatchObject({ outcome: 'delivered' });
  });

  it('has the headers of the rule, but not for what belongs to the app', async () => {
    const echo = await receiver((request, response) => {
      if (request.path.includes('/auth/'))
        response.end(JSON.stringify({ code: 0, tenant_access_token: 't-g1044ghj', expire: 7200 }));
      else response.end(JSON.stringify({ code: 0, headers: request.headers }));
    });
    connectTo(echo.url);
    const document = {
      ...api,
      headers: { 'X-One': '1', 'Content-Type': 'application/json' },
      body: { a: 1 },
    };
    const result = await send(document);
    expect(result.outcome).toBe('delivered');
    expect(echo.received[1]?.headers).toMatchObject({
      authorization: 'Bearer t-g1044ghj',
      'x-one': '1',
      'content-type': 'application/json',
      'idempotency-key': KEY,
    });
    expect(result.answer).not.toContain('t-g1044ghj');
  });

  it('is never sent without an app that can be used', async () => {
    expect(await send({ ...api, app: 'nobody' })).toMatchObject({ code: 'FEISHU_APP_UNKNOWN' });
    expect(fake.calls).toEqual([]);
  });
});
