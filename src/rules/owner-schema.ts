import { RECEIVER_KINDS } from '../action/sender.js';
import { DURATION } from './action-schema.js';
import { choices, refer, type Schema } from './condition-schema.js';

const TEXT: Schema = { type: 'string', minLength: 1 };
const ADDRESSES: Schema = {
  anyOf: [TEXT, { type: 'array', items: TEXT, minItems: 1, maxItems: 50 }],
};
const RETRY: Schema = {
  description: '重试计划 / retry schedule, as in actions',
  type: ['array', 'object'],
};
const APP: Schema = {
  description: '用哪个飞书应用 / name or id of the Feishu app',
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{1,64}$',
};
const SECRET: Schema = {
  description: '密钥名，不带 {{ }} / name of a secret, without {{ }}',
  type: 'string',
  pattern: '^[A-Za-z][A-Za-z0-9_]*$',
};

const channel = (type: string, properties: Readonly<Record<string, Schema>>, required: string): Schema => ({
  type: 'object',
  properties: { type: { const: type }, ...properties, retry: RETRY },
  required: ['type', required],
  additionalProperties: false,
});

const CHANNELS: readonly (readonly [string, string, Schema])[] = [
  [
    'email',
    '邮件 / a mail',
    channel('email', { to: ADDRESSES, cc: ADDRESSES, bcc: ADDRESSES, replyTo: ADDRESSES }, 'to'),
  ],
  ['feishu-bot', '群自定义机器人 / a custom bot', channel('feishu-bot', { url: TEXT, sign: SECRET }, 'url')],
  [
    'feishu-message',
    '飞书应用消息 / a message of a Feishu app',
    channel(
      'feishu-message',
      {
        to: {
          type: 'object',
          properties: Object.fromEntries(RECEIVER_KINDS.map((kind) => [kind, TEXT])),
          minProperties: 1,
          maxProperties: 1,
          additionalProperties: false,
        },
        app: APP,
      },
      'to',
    ),
  ],
  [
    'http',
    'HTTP POST',
    channel(
      'http',
      {
        url: TEXT,
        headers: { type: 'object', additionalProperties: { type: 'string' } },
        timeout: DURATION,
        success: { type: 'object' },
        auth: { const: 'feishu' },
        app: APP,
        sign: SECRET,
      },
      'url',
    ),
  ],
];

/** `owners` and `targets`: what `owners.json` and `targets.json` hold. */
export const OWNER_DEFINITIONS: Readonly<Record<string, Schema>> = {
  channel: {
    type: 'object',
    properties: {
      type: {
        description: '通知方式 / way to tell the owner',
        ...choices(CHANNELS.map(([kind, label]) => [kind, label] as const)),
      },
    },
    required: ['type'],
    allOf: CHANNELS.map(([kind, , schema]) => ({
      if: { properties: { type: { const: kind } }, required: ['type'] },
      then: schema,
    })),
  },
  owners: {
    description: '规则负责方如何得到通知 / how owners of rules are told; "*": all others',
    type: 'object',
    properties: { $schema: { type: 'string' } },
    additionalProperties: {
      type: 'object',
      properties: { tell: { type: 'array', items: refer('channel'), minItems: 1, maxItems: 10 } },
      required: ['tell'],
      additionalProperties: false,
    },
  },
  targets: {
    description: '目标的限制 / limits of targets; "*": all others',
    type: 'object',
    properties: { $schema: { type: 'string' } },
    propertyNames: { pattern: String.raw`^(?:\$schema|\*|email|feishu|(?:http|feishu-bot):[^\s/]{1,190})$` },
    additionalProperties: {
      type: 'object',
      properties: {
        concurrency: {
          description: '同时进行的投递数，所有实例合计 / deliveries under way at once, over all instances',
          type: 'integer',
          minimum: 1,
          maximum: 1000,
        },
        rate: {
          description: '每段时间最多开始多少 / how many may begin in a time',
          type: 'object',
          properties: { max: { type: 'integer', minimum: 1, maximum: 100_000 }, per: DURATION },
          required: ['max', 'per'],
          additionalProperties: false,
        },
      },
      minProperties: 1,
      additionalProperties: false,
    },
  },
};

/** An object one of whose members is an object with one of these keys. */
const someMemberHas = (...keys: readonly string[]): Schema => ({
  type: 'object',
  not: {
    additionalProperties: {
      not: { type: 'object', anyOf: keys.map((key) => ({ required: [key] })) },
    },
  },
});

/** Whether a document is `owners.json`, or `targets.json`: no member of a rule or look-up has such keys. */
export const IS_OWNERS: Schema = someMemberHas('tell');
export const IS_TARGETS: Schema = someMemberHas('concurrency', 'rate');
