import { describe, expect, it } from '@jest/globals';
import { type Action, compileAction } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { makeReady } from '../../src/action/ready-request.js';
import { RenderError } from '../../src/action/render-template.js';
import { scopeOf } from '../support/scope.js';

// Pure functions only: nothing here is faked.
const problems = (document: object): string[] => {
  const found: string[] = [];
  compileAction(ACTION_DOCUMENT.parse({ name: 'a', ...document }), (at, code) =>
    found.push(`${at.join('.')} ${code}`),
  );
  return found;
};
const compiled = (document: object): Action =>
  compileAction(ACTION_DOCUMENT.parse({ name: 'a', ...document }), (at, code, message) => {
    throw new Error(`${at.join('.')} ${code} ${message}`);
  });
const render = (document: object, event: Record<string, unknown> = {}) =>
  compiled(document).render(scopeOf(event));
const bot = (changes: object = {}): object => ({
  type: 'feishu-bot',
  url: 'https://open.feishu.cn/open-apis/bot/v2/hook/abc',
  text: 'hi',
  ...changes,
});
const message = (to: object, changes: object = {}): object => ({
  type: 'feishu-message',
  to,
  text: 'hi',
  ...changes,
});
const api = (changes: object): object => ({ type: 'http', auth: 'feishu', url: '/open-apis/x', ...changes });

describe('a message to a custom bot', () => {
  it.each([
    ['{{ event.url }}', 'url URL_HOST_FROM_EVENT'],
    ['https://{{ event.host }}/x', 'url URL_HOST_FROM_EVENT'],
    ['https://open.feishu.cn{{ event.x }}', 'url URL_HOST_FROM_EVENT'],
    ['/open-apis/bot/v2/hook/abc', 'url URL_INVALID'],
    ['abc', 'url URL_INVALID'],
    ['{{ secrets.HOOK', 'url TEMPLATE_INVALID'],
  ])('refuses the URL %s', (url, problem) => {
    expect(problems(bot({ url }))).toContain(problem);
  });

  it('reports a broken template where it stands in the card', () => {
    expect(problems(bot({ text: undefined, card: { a: [{ b: '{{ event.x | nothing }}' }] } }))).toEqual([
      'card.a.0.b TEMPLATE_INVALID',
    ]);
  });

  it('names its host or the secret that holds its address as the target', () => {
    expect(render(bot()).target).toBe('feishu-bot:open.feishu.cn');
    expect(render(bot({ url: '{{ secrets.HR_HOOK }}' })).target).toBe('feishu-bot:HR_HOOK');
    expect(render(bot({ url: 'https://a.example/{{ secrets.HOOK }}' })).target).toBe('feishu-bot:a.example');
  });

  it('names the secrets it needs, also that of its signature, and holds none before it is sent', () => {
    const action = compiled(
      bot({ url: '{{ secrets.HOOK }}', sign: 'SIGN', text: 'x {{ secrets.NOTE }} {{ event.x }}' }),
    );
    expect(action.secretNames).toEqual(['HOOK', 'NOTE', 'SIGN']);
    expect(action.reads.map(({ path }) => path.join('.'))).toEqual(['event.x']);
    const { request } = action.render(scopeOf({ x: '{{ secrets.SIGN }}' }));
    const secrets = new Map([
      ['HOOK', 'https://a.example/h'],
      ['SIGN', 'sig-1234'],
      ['NOTE', 'note-1234'],
    ]);
    expect(JSON.stringify(request)).not.toMatch(/a\.example|1234/);
    expect(makeReady(request, secrets)).toEqual({
      kind: 'feishu-bot',
      used: expect.arrayContaining(['https://a.example/h', 'sig-1234', 'note-1234']),
      request: {
        url: 'https://a.example/h',
        signSecret: 'sig-1234',
        text: 'x note-1234 {{ secrets.SIGN }}',
        card: null,
      },
    });
    secrets.delete('SIGN');
    expect(makeReady(request, secrets)).toEqual({ missing: 'SIGN' });
  });

  it('without what its text reads is not half a message', () => {
    expect(() => render(bot({ text: 'x {{ event.y }}' }))).toThrow(RenderError);
    expect(() => render(bot({ text: undefined, card: { a: { b: '{{ event.y }}' } } }))).toThrow(RenderError);
  });
});

describe('a message of an app', () => {
  it.each([
    [{ chat_id: '{{ event.chat }}' }, ['to.chat_id CHAT_FROM_EVENT']],
    [{ chat_id: 'oc_{{ event.chat | default: "1" }}' }, ['to.chat_id CHAT_FROM_EVENT']],
    [{ chat_id: '{{ lookup.user.chat }}' }, ['to.chat_id CHAT_FROM_EVENT']],
    [{ chat_id: '{{ now }}' }, ['to.chat_id CHAT_FROM_EVENT']],
    [{ chat_id: '{{ secrets.CHAT }}' }, []],
    [{ chat_id: '{{ rule.labels.chat }}' }, []],
    [{ chat_id: 'oc_1' }, []],
    [{ open_id: '{{ event.who }}' }, []],
    [{ email: 'HR <hr@example.com>' }, ['to.email ADDRESS_INVALID']],
    [{ email: 'hr@example.com' }, []],
    [{ email: '{{ event.who }}@example.com' }, []],
    [{ open_id: '{{ event.who' }, ['to.open_id TEMPLATE_INVALID']],
  ])('to %j has the problems %j', (to, expected) => {
    expect(problems(message(to))).toEqual(expected);
  });

  it.each<[object, unknown]>([
    [{ open_id: '{{ event.who }}' }, ''],
    [{ open_id: '{{ event.who }}' }, null],
    [{ open_id: '{{ event.who }}' }, 'ou_1\nou_2'],
    [{ open_id: '{{ event.who }}' }, 'ou 1'],
    [{ open_id: '{{ event.who }}' }, { a: 'ou 1' }],
    [{ open_id: '{{ event.who }}' }, 'x'.repeat(201)],
    [{ email: '{{ event.who }}' }, 'a@b.example, c@d.example'],
    [{ email: '{{ event.who }}' }, 'nobody'],
  ])('to %j is dead when the event says %j', (to, who) => {
    expect(() => render(message(to), { who })).toThrow(RenderError);
  });

  it('names its receiver as the target, and the app that the event came from', () => {
    expect(render(message({ open_id: '{{ event.who }}' }), { who: 'ou_1', app_id: 'cli_1' })).toMatchObject({
      target: 'feishu-message:open_id:ou_1',
      request: {
        kind: 'feishu-message',
        content: {
          app: null,
          eventApp: 'cli_1',
          to: { kind: 'open_id', id: 'ou_1' },
          text: 'hi',
          card: null,
        },
      },
    });
    expect(render(message({ chat_id: '{{ secrets.CHAT }}' }, { app: 'hr' }), { app_id: null })).toMatchObject(
      {
        target: 'feishu-message:chat_id:CHAT',
        request: { content: { app: 'hr', eventApp: null } },
      },
    );
  });

  it('has the text of its template, whatever the value is', () => {
    const { request } = render(message({ open_id: 'ou_1' }, { text: '{{ event.n }}' }), { n: 3 });
    expect(request.content).toMatchObject({ text: '3' });
  });
});

describe('an HTTP action with the token of an app', () => {
  it('may begin with /open-apis/, and is held to it', () => {
    expect(problems(api({ url: '/open-apis/corehr/v2/processes/{{ event.id }}' }))).toEqual([]);
    expect(problems(api({ url: 'https://open.feishu.cn/open-apis/x' }))).toEqual([]);
    expect(problems(api({ url: '/other/x' }))).toEqual(['url URL_INVALID']);
    expect(problems(api({ url: '{{ event.x }}' }))).toEqual(['url URL_HOST_FROM_EVENT']);
    expect(problems({ type: 'http', url: '/open-apis/x' })).toEqual(['url URL_INVALID']);
  });

  it('writes values into its path without letting them out of their place', () => {
    const url = '/open-apis/corehr/v2/processes/{{ event.id }}/approvers?q={{ event.id }}';
    expect(render(api({ url }), { id: '/../x?y#z', app_id: 'cli_1' })).toMatchObject({
      target: 'http:feishu',
      request: {
        content: {
          url: '/open-apis/corehr/v2/processes/%2F..%2Fx%3Fy%23z/approvers?q=%2F..%2Fx%3Fy%23z',
          auth: { app: null, eventApp: 'cli_1' },
        },
      },
    });
    for (const id of ['.', '..']) expect(() => render(api({ url }), { id })).toThrow(RenderError);
  });

  it('says nothing of an app when it asks none', () => {
    expect(
      render({ type: 'http', url: 'https://a.example/' }, { app_id: 'cli_1' }).request.content,
    ).not.toHaveProperty('auth');
  });
});

describe('action documents', () => {
  it.each([
    [{ type: 'feishu-bot' }],
    [bot({ text: undefined })],
    [bot({ card: {} })],
    [bot({ text: undefined, card: '{}' })],
    [bot({ text: undefined, card: [] })],
    [bot({ text: '' })],
    [bot({ sign: '{{ secrets.SIGN }}' })],
    [bot({ sign: '' })],
    [bot({ body: {} })],
    [message({})],
    [message({ open_id: 'ou_1', chat_id: 'oc_1' })],
    [message({ phone: '1' })],
    [message({ open_id: '' })],
    [message({ open_id: 1 })],
    [message({ open_id: 'ou_1' }, { to: 'ou_1' })],
    [message({ open_id: 'ou_1' }, { card: {} })],
    [message({ open_id: 'ou_1' }, { app: 'a b' })],
    [api({ auth: 'lark' })],
    [api({ auth: undefined, url: 'https://a.example/', app: 'hr' })],
    [api({ headers: { Authorization: 'x' } })],
  ])('refuse %j', (document) => {
    expect(ACTION_DOCUMENT.safeParse({ name: 'a', ...document }).success).toBe(false);
  });

  it.each([
    [bot({ sign: 'SIGN', retry: ['10s'] })],
    [bot({ text: undefined, card: { schema: '2.0', body: {} } })],
    [message({ open_id: 'ou_1' }, { app: 'cli_9f5343c580712544', retry: { over: '1h' } })],
    [api({ app: 'hr-app', success: { status: [200] } })],
  ])('take %j', (document) => {
    expect(ACTION_DOCUMENT.safeParse({ name: 'a', ...document })).toMatchObject({ success: true });
  });
});
