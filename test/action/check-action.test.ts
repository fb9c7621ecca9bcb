import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACTION_DOCUMENT, ACTION_KEYS, type ActionDocument } from '../../src/action/action-document.js';
import { checkAction } from '../../src/action/check-action.js';

// Pure functions only: nothing here is faked.
const KINDS = Object.keys(ACTION_KEYS) as ActionDocument['type'][];

function problems(kind: ActionDocument['type'], given: Record<string, unknown>): string[] {
  const found: string[] = [];
  checkAction(kind, given, (at, code) => found.push(`${at.join('.')} ${code}`));
  return found;
}

describe('an action that is otherwise broken', () => {
  it('is told what its keys say together', () => {
    expect(problems('feishu-bot', { url: 1 })).toEqual([' ACTION_KEY_MISSING']);
    expect(problems('feishu-bot', { text: 'a', card: {} })).toEqual(['card ACTION_VALUE_INVALID']);
    expect(problems('feishu-message', { to: 'ou_1' })).toEqual([' ACTION_KEY_MISSING']);
    expect(problems('http', { url: '/open-apis/x', app: 'a' })).toEqual([
      'app ACTION_VALUE_INVALID',
      'url URL_INVALID',
    ]);
    expect(
      problems('http', {
        url: 'https://a.example/',
        sign: 'S',
        auth: 'feishu',
        headers: { 'Webhook-Id': 'x' },
      }),
    ).toEqual(['sign ACTION_VALUE_INVALID', 'headers.Webhook-Id ACTION_VALUE_INVALID']);
    // Whatever stands there, the author means a token of the platform.
    expect(problems('http', { url: '/open-apis/x', auth: 'lark' })).toEqual([]);
    expect(
      problems('http', { url: '/open-apis/x', auth: 'feishu', headers: { AUTHORIZATION: 'x' } }),
    ).toEqual(['headers ACTION_VALUE_INVALID']);
  });

  it('has its templates checked where they stand', () => {
    expect(
      problems('feishu-message', { to: { chat_id: '{{ event.x }}' }, card: { a: ['{{ x }}'] } }),
    ).toEqual(['to.chat_id CHAT_FROM_EVENT', 'card.a.0 TEMPLATE_INVALID']);
    expect(problems('feishu-bot', { url: '{{ event.x }}', sign: 3, text: '{{' })).toEqual([
      'url URL_HOST_FROM_EVENT',
      'text TEMPLATE_INVALID',
    ]);
  });

  it('never brings the check down, whatever JSON it is, and what is sound is told nothing of form', () => {
    const key = fc.constantFrom(
      ...['type', 'name', 'url', 'to', 'text', 'card', 'sign', 'auth', 'app', 'headers', 'body', 'subject'],
      ...['html', 'open_id', 'chat_id', 'email', 'cc', '__proto__', 'constructor', 'Authorization'],
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, '', 'a', '{{ event.x }}', '{{ secrets.X }}', '{{', '/open-apis/x'),
        fc.constantFrom('https://a.example/', 'feishu', 'hr@example.com', '{{ rule.labels.x }}'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((all) => Object.fromEntries(all)),
      ),
    }));
    const given = fc
      .array(fc.tuple(key, value), { maxLength: 8 })
      .map((all) => Object.fromEntries(all) as Record<string, unknown>);
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), given, (kind, action) => {
        const found = problems(kind, action);
        const parsed = ACTION_DOCUMENT.safeParse({ ...action, type: kind });
        if (parsed.success) expect(found.filter((one) => /ACTION_/.test(one))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});
