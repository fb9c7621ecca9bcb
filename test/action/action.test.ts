import { describe, expect, it } from '@jest/globals';
import { type Action, compileAction, type RenderedRequest } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { makeReady } from '../../src/action/ready-request.js';
import { RenderError } from '../../src/action/render-template.js';
import { scopeOf } from '../support/scope.js';

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
const request = (document: object, event: Record<string, unknown>): RenderedRequest =>
  compiled(document).render(scopeOf(event)).request;
const SECRETS = new Map([
  ['TOKEN', 's3cr3t&value'],
  ['HOOK', 'https://open.feishu.cn/open-apis/bot/v2/hook/abc'],
]);

describe('http actions', () => {
  it('keep the types of the body, nested', () => {
    const { content } = request(
      {
        type: 'http',
        url: 'https://a.example/x',
        body: { s: '{{ event.status }}', l: [{ t: 'is {{ event.status }}' }, 1, null, true] },
      },
      { status: 3 },
    );
    expect(content).toMatchObject({ method: 'POST', body: { s: 3, l: [{ t: 'is 3' }, 1, null, true] } });
  });

  it.each([
    ['/../admin', 'https://a.example/p/%2F..%2Fadmin/x?q=%2F..%2Fadmin'],
    ['a b?c#d&e', 'https://a.example/p/a%20b%3Fc%23d%26e/x?q=a%20b%3Fc%23d%26e'],
    ['@evil.example', 'https://a.example/p/%40evil.example/x?q=%40evil.example'],
    ['//evil.example', 'https://a.example/p/%2F%2Fevil.example/x?q=%2F%2Fevil.example'],
    ['%0d%0a', 'https://a.example/p/%250d%250a/x?q=%250d%250a'],
    ['审批', 'https://a.example/p/%E5%AE%A1%E6%89%B9/x?q=%E5%AE%A1%E6%89%B9'],
  ])('write %j into a URL without letting it out of its place', (text, expected) => {
    const { content } = request(
      { type: 'http', url: 'https://a.example/p/{{ event.x }}/x?q={{ event.x }}' },
      { x: text },
    );
    expect((content as { url: string }).url).toBe(expected);
  });

  it.each(['.', '..'])('refuse %j as a segment of the path', (text) => {
    expect(() => request({ type: 'http', url: 'https://a.example/p/{{ event.x }}/x' }, { x: text })).toThrow(
      RenderError,
    );
    expect(() =>
      request({ type: 'http', url: 'https://a.example/{{ secrets.TOKEN }}/{{ event.x }}' }, { x: text }),
    ).toThrow(RenderError);
  });

  it.each([
    ['{{ event.url }}', 'url URL_HOST_FROM_EVENT'],
    ['https://{{ event.host }}/x', 'url URL_HOST_FROM_EVENT'],
    ['https://a.example{{ event.x }}', 'url URL_HOST_FROM_EVENT'],
    ['https://user:pass@a.example/{{ event.x }}', 'url URL_INVALID'],
    ['ftp://a.example/', 'url URL_INVALID'],
    ['file:///etc/passwd', 'url URL_INVALID'],
    ['a.example/x', 'url URL_INVALID'],
    ['https://', 'url URL_INVALID'],
    ['https://a.example/{{ event.x', 'url TEMPLATE_INVALID'],
  ])('refuse the URL %s', (url, problem) => {
    expect(problems({ type: 'http', url })).toContain(problem);
  });

  it('refuse JSON written as text, which an event could break', () => {
    expect(problems({ type: 'http', url: 'https://a.example/', body: '{"a":"{{ event.x }}"}' })).toEqual([
      'body BODY_JSON_AS_TEXT',
    ]);
    expect(problems({ type: 'http', url: 'https://a.example/', body: 'Status: {{ event.x }}' })).toEqual([]);
  });

  it('get their secrets at the moment of sending, and hold none before', () => {
    const stored = request(
      {
        type: 'http',
        url: 'https://a.example/x?key={{ secrets.TOKEN }}&p={{ event.x }}',
        headers: { authorization: 'Bearer {{ secrets.TOKEN }}' },
        body: { deep: [{ token: '{{ secrets.TOKEN }}', typed: '{{ event.x }}' }] },
      },
      { x: '{{ secrets.TOKEN }}' },
    );
    expect(JSON.stringify(stored)).not.toContain('s3cr3t');
    const ready = makeReady(JSON.parse(JSON.stringify(stored)) as RenderedRequest, SECRETS);
    expect(ready).toMatchObject({
      kind: 'http',
      request: {
        url: 'https://a.example/x?key=s3cr3t%26value&p=%7B%7B%20secrets.TOKEN%20%7D%7D',
        headers: { authorization: 'Bearer s3cr3t&value', 'content-type': 'application/json; charset=utf-8' },
        body: '{"deep":[{"token":"s3cr3t&value","typed":"{{ secrets.TOKEN }}"}]}',
      },
    });
  });

  it('take a whole URL from a secret, and say which secret is missing', () => {
    const stored = request({ type: 'http', url: '{{ secrets.HOOK }}' }, {});
    expect(makeReady(stored, SECRETS)).toMatchObject({ request: { url: SECRETS.get('HOOK') } });
    expect(makeReady(stored, new Map())).toEqual({ missing: 'HOOK' });
  });

  it('keep an object of the event that looks like a reference as it is', () => {
    const stored = request(
      { type: 'http', url: 'https://a.example/', body: { x: '{{ event.x }}' } },
      { x: { secret: 'TOKEN', pieces: [{ secret: 'TOKEN' }] } },
    );
    expect(makeReady(stored, SECRETS)).toMatchObject({
      request: { body: '{"x":{"secret":"TOKEN","pieces":[{"secret":"TOKEN"}]}}' },
    });
  });
});

describe('e-mail actions', () => {
  const mail = (changes: object): object => ({
    type: 'email',
    to: 'hr@example.com',
    subject: 's',
    text: 't',
    ...changes,
  });

  it('escape values in HTML and not in text', () => {
    const { content } = request(
      mail({ text: '{{ event.x }}', html: '<p>{{ event.x }}</p>{{ event.x | escape }}' }),
      { x: '<script>&' },
    );
    expect(content).toMatchObject({
      text: '<script>&',
      html: '<p>&lt;script&gt;&amp;</p>&lt;script&gt;&amp;',
    });
  });

  it('escape a value that is the whole HTML', () => {
    for (const html of ['{{ event.x }}', '{{ event.x | escape }}'])
      expect(request(mail({ html }), { x: '<script>&' }).content).toMatchObject({
        html: '&lt;script&gt;&amp;',
      });
  });

  it.each(['HR <hr@example.com>', 'a@b.example, c@d.example', 'nobody', 'a@b.example\r\nBcc: x@y.example'])(
    'refuse the address %j',
    (to) => {
      expect(problems(mail({ to }))).toEqual(['to.0 ADDRESS_INVALID']);
    },
  );

  it('take a recipient from an event only into the domains that the rule names', () => {
    expect(problems(mail({ to: '{{ event.who }}' }))).toEqual(['to.0 RECIPIENT_FROM_EVENT']);
    const allowed = mail({
      to: '{{ event.who }}@example.com',
      cc: ['{{ event.who }}@example.com'],
      allowRecipientFromEvent: ['example.com'],
    });
    expect(request(allowed, { who: 'zhang.san' }).content).toMatchObject({
      to: ['zhang.san@example.com'],
      cc: ['zhang.san@example.com'],
    });
    for (const who of [
      'a@evil.example,b',
      'a@evil.example\r\nBcc: b',
      'a@evil.example ',
      '"x" <a@evil.example>',
      '',
    ]) {
      expect(() => request(allowed, { who })).toThrow(RenderError);
    }
    const any = mail({ to: '{{ event.who }}', allowRecipientFromEvent: ['example.com'] });
    expect(() => request(any, { who: 'a@evil.example' })).toThrow(RenderError);
    expect(() => request(any, { who: 'a@sub.example.com' })).toThrow(RenderError);
  });
});

describe('action documents', () => {
  it.each([
    [{ type: 'sms' }],
    [{ type: 'http', url: 'https://a.example/', method: 'GET', body: {} }],
    [{ type: 'http', url: 'https://a.example/', headers: { Host: 'x' } }],
    [{ type: 'http', url: 'https://a.example/', headers: { 'bad name': 'x' } }],
    [{ type: 'http', url: 'https://a.example/', timeout: 30 }],
    [{ type: 'http', url: 'https://a.example/', timeout: '10m' }],
    [{ type: 'http', url: 'https://a.example/', retry: [] }],
    [{ type: 'http', url: 'https://a.example/', retry: ['soon'] }],
    [{ type: 'http', url: 'https://a.example/', success: { path: '$..x', equal: 0 } }],
    [{ type: 'http', url: 'https://a.example/', typo: 1 }],
    [{ type: 'http', url: 'https://a.example/', undo: {} }],
    [{ type: 'email', to: 'a@b.example', subject: 's' }],
    [{ type: 'email', to: [], subject: 's', text: 't' }],
    [{ type: 'email', to: 'a@b.example', subject: 's', text: 't', attachments: [{ path: '/etc/passwd' }] }],
    [{ type: 'email', to: 'a@b.example', subject: 's', html: { path: '/etc/passwd' } }],
  ])('refuse %j', (document) => {
    expect(ACTION_DOCUMENT.safeParse({ name: 'a', ...document }).success).toBe(false);
  });
});
