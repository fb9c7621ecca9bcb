// The schema that editors use and the loader agree about actions of Feishu.
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { checkFiles } from '../../src/rules/check/check-files.js';
import { ruleSchema } from '../../src/rules/rule-schema.js';

const catalogue = loadBuiltInCatalogue();
const validate = new Ajv({ strict: false }).compile(ruleSchema(catalogue));
const rule = (action: object, changes: object = {}): object => ({
  name: 'good',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ name: 'a', ...action }],
  ...changes,
});
const loaderTakes = (one: object): boolean =>
  checkFiles(new Map([['a.rule.json', JSON.stringify(one)]]), catalogue).findings.every(
    ({ severity }) => severity !== 'error',
  );
const bot = (changes: object = {}): object => ({
  type: 'feishu-bot',
  url: '{{ secrets.HOOK }}',
  text: 'hi',
  ...changes,
});
const message = (changes: object = {}): object => ({
  type: 'feishu-message',
  to: { open_id: 'ou_1' },
  text: 'hi',
  ...changes,
});
const api = (changes: object = {}): object => ({
  type: 'http',
  auth: 'feishu',
  url: '/open-apis/x',
  ...changes,
});

describe('an action of Feishu', () => {
  it.each<[string, object]>([
    ['a text to a bot', bot()],
    [
      'a signed card to a bot',
      bot({ text: undefined, card: { schema: '2.0' }, sign: 'SIGN', retry: ['10s'] }),
    ],
    ['a message to an id of the event', message({ to: { user_id: '{{ event.approver_id }}' } })],
    [
      'a card to a chat, by a named app',
      message({ to: { chat_id: 'oc_1' }, text: undefined, card: {}, app: 'hr' }),
    ],
    ['a call with the token of an app', api({ app: 'cli_9f5343c580712544', success: { status: [200] } })],
    ['a call to the whole URL', api({ url: 'https://open.feishu.cn/open-apis/x', headers: { 'x-a': '1' } })],
  ])('that is %s is right for both', (_what, action) => {
    expect([validate(rule(action)), loaderTakes(rule(action))]).toEqual([true, true]);
  });

  it.each<[string, object]>([
    ['a bot without an address', bot({ url: undefined })],
    ['a bot that says nothing', bot({ text: undefined })],
    ['a bot that says two things', bot({ card: {} })],
    ['a card that is a text', bot({ text: undefined, card: '{}' })],
    ['a secret as a template in "sign"', bot({ sign: '{{ secrets.SIGN }}' })],
    ['a bot with a body', bot({ body: {} })],
    ['a message to nobody', message({ to: {} })],
    ['a message to two', message({ to: { open_id: 'ou_1', email: 'a@example.com' } })],
    ['a message to an unknown kind of id', message({ to: { phone: '1' } })],
    ['a message to a text', message({ to: 'ou_1' })],
    ['a message that says two things', message({ card: {} })],
    ['an app that is no name', message({ app: 'a b' })],
    ['another auth', api({ auth: 'lark' })],
    ['an app without auth', { type: 'http', url: 'https://a.example/', app: 'hr' }],
    ['auth beside an authorization', api({ headers: { Authorization: 'x' } })],
  ])('that is %s is wrong for both', (_what, action) => {
    expect([validate(rule(action)), loaderTakes(rule(action))]).toEqual([false, false]);
  });

  it("is right in json-rules-engine's own shape too", () => {
    const own = (params: object): object =>
      rule({}, { actions: undefined, event: { type: 'feishu-message', params } });
    const right = own({ to: { open_id: 'ou_1' }, text: 'hi' });
    expect([validate(JSON.parse(JSON.stringify(right))), loaderTakes(right)]).toEqual([true, true]);
    const wrong = own({ to: { open_id: 'ou_1' } });
    expect([validate(JSON.parse(JSON.stringify(wrong))), loaderTakes(wrong)]).toEqual([false, false]);
  });
});
