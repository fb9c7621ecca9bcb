import { RECEIVER_KINDS } from '../action/sender.js';
import { choices, refer, type Schema } from './condition-schema.js';

/** A duration of the wall calendar, as a regular expression has it. */
export const WALL_DURATION = String.raw`\d{1,9}(?:ms|s|m|h|d)|P(?=.)(?:\d{1,6}D)?(?:T(?=.)(?:\d{1,6}H)?(?:\d{1,6}M)?(?:\d{1,6}S)?)?`;

export const DURATION: Schema = {
  type: 'string',
  pattern: `^(?:${WALL_DURATION})$`,
  patternErrorMessage: '须为带单位的时长，如 "30s" / must be a duration with its unit, like "30s"',
};
const TEXT: Schema = { type: 'string', minLength: 1 };
const ADDRESSES: Schema = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, maxItems: 50 },
  ],
};

/** What names of rules and actions look like. */
export const NAME: Schema = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
  patternErrorMessage:
    '须为 1 到 64 个 a-z 0-9 . _ - 字符 / must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
};

const shared = (type: string): Record<string, Schema> => ({
  type: { description: '动作种类 / kind of action', const: type },
  name: { description: '动作名，规则内唯一 / name, unique in the rule', ...NAME },
  when: {
    description:
      '动作自己的条件：规则命中后仍须成立 / conditions of the action: it is left out of a match unless they hold too',
    type: 'object',
    allOf: [refer('condition')],
  },
  order: {
    description:
      '投递顺序，默认 none：同一任务或流程的前一条完成后才发下一条 / deliveries about the same task or process go out one after the other; none by default',
    ...choices([
      ['none', '不排序 / in no order'],
      ['task', '按审批任务 / for each approval task'],
      ['process', '按流程实例 / for each process'],
    ]),
  },
  undo: {
    description:
      '召回时用来撤销本动作的动作 / an action that takes back what this one did, for "aftersign recall"',
    ...refer('undo'),
  },
  retry: {
    description: '重试计划 / retry schedule: a list of delays, or {"over": "72h", "max": 10}',
    anyOf: [
      { type: 'array', items: DURATION, minItems: 1, maxItems: 50 },
      {
        type: 'object',
        properties: { over: DURATION, max: { type: 'integer', minimum: 1, maximum: 100 } },
        required: ['over'],
        additionalProperties: false,
      },
    ],
  },
});

const APP: Schema = {
  description:
    '应用：SOURCES_FILE 中的名称或应用编号；默认为事件来自的应用 / the app: its name in SOURCES_FILE or its id; by default the one the event came from',
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{1,64}$',
};

const SECRET_NAME: Schema = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]*$' };

const HTTP: Schema = {
  type: 'object',
  properties: {
    ...shared('http'),
    method: {
      description: '请求方法 / method, POST by default',
      enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    },
    url: { description: '地址，可用模板 / the address; templates like {{ event.process_id }} work', ...TEXT },
    headers: {
      description: '请求头 / headers; secrets as {{ secrets.NAME }}',
      type: 'object',
      propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$" },
      additionalProperties: { type: 'string' },
    },
    body: { description: '请求体：JSON 或文本 / body: JSON or text; templates work in every string' },
    timeout: { description: '超时，默认 15s / time limit from 100ms to 2m, 15s by default', ...DURATION },
    success: {
      description: '怎样算成功 / what counts as success: status codes, or a value in a JSON answer',
      anyOf: [
        {
          type: 'object',
          properties: {
            status: { type: 'array', items: { type: 'integer', minimum: 100, maximum: 599 }, minItems: 1 },
          },
          required: ['status'],
          additionalProperties: false,
        },
        {
          type: 'object',
          properties: {
            path: { type: 'string', pattern: String.raw`^[\w-]+(?:\.[\w-]+){0,15}$` },
            equal: { type: ['string', 'number', 'boolean', 'null'] },
          },
          required: ['path', 'equal'],
          additionalProperties: false,
        },
      ],
    },
    auth: {
      description:
        '飞书自家接口：带应用的 tenant token，地址以 /open-apis/ 开头，默认以 code 0 为成功 / an API of Feishu: sent with the tenant token of the app; the URL begins with /open-apis/, and code 0 is success by default',
      const: 'feishu',
    },
    app: APP,
    sign: {
      description:
        '签名密钥名（Standard Webhooks） / the name of the secret that requests are signed with (Standard Webhooks); without {{ }}',
      ...SECRET_NAME,
    },
  },
  required: ['url'],
  additionalProperties: false,
  dependencies: { app: ['auth'] },
  allOf: [
    { not: { required: ['auth', 'sign'] } },
    {
      if: { properties: { method: { enum: ['GET', 'HEAD'] } }, required: ['method'] },
      then: { properties: { body: false } },
    },
    {
      if: { required: ['auth'] },
      then: {
        properties: {
          headers: {
            propertyNames: { not: { pattern: '^[Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Aa][Tt][Ii][Oo][Nn]$' } },
          },
        },
      },
    },
  ],
};

const EMAIL: Schema = {
  type: 'object',
  properties: {
    ...shared('email'),
    to: { description: '收件人 / receivers', ...ADDRESSES },
    cc: { description: '抄送 / copies', ...ADDRESSES },
    bcc: { description: '密送 / blind copies', ...ADDRESSES },
    replyTo: { description: '回复地址 / where answers go', ...ADDRESSES },
    subject: { description: '主题 / subject', ...TEXT },
    text: { description: '纯文本正文 / the text', type: 'string' },
    html: { description: 'HTML 正文 / the HTML text', type: 'string' },
    allowRecipientFromEvent: {
      description:
        '收件人可取自事件的域名 / domains to which receivers taken from the event may belong, in lower case',
      type: 'array',
      items: { type: 'string', pattern: String.raw`^[a-z0-9-]+(?:\.[a-z0-9-]+)+$` },
      minItems: 1,
    },
  },
  required: ['to', 'subject'],
  anyOf: [{ required: ['text'] }, { required: ['html'] }],
  additionalProperties: false,
};

/** What a Feishu message says. */
const SAYS: Readonly<Record<string, Schema>> = {
  text: { description: '文本消息，可用模板 / a text; templates work', ...TEXT },
  card: {
    description: '卡片 JSON，字符串中可用模板 / the JSON of a card; templates work in every string',
    type: 'object',
  },
};
const ONE_OF_THEM = [{ required: ['text'] }, { required: ['card'] }];

const FEISHU_BOT: Schema = {
  type: 'object',
  properties: {
    ...shared('feishu-bot'),
    url: {
      description:
        '自定义机器人的 webhook 地址，宜取自密钥 / the webhook address of a custom bot, best as {{ secrets.NAME }}',
      ...TEXT,
    },
    sign: {
      description:
        '签名校验的密钥名 / the name of the secret for the signature, when the bot asks for one; without {{ }}',
      ...SECRET_NAME,
    },
    ...SAYS,
  },
  required: ['url'],
  oneOf: ONE_OF_THEM,
  additionalProperties: false,
};

const FEISHU_MESSAGE: Schema = {
  type: 'object',
  properties: {
    ...shared('feishu-message'),
    to: {
      description:
        '接收者，只写一种编号；chat_id 不可取自事件 / the receiver, by one kind of id; a chat_id never comes from the event',
      type: 'object',
      properties: Object.fromEntries(RECEIVER_KINDS.map((kind) => [kind, TEXT])),
      minProperties: 1,
      maxProperties: 1,
      additionalProperties: false,
    },
    ...SAYS,
    app: APP,
  },
  required: ['to'],
  oneOf: ONE_OF_THEM,
  additionalProperties: false,
};

const KINDS = [
  ['http', 'HTTP 请求 / an HTTP request'],
  ['email', '邮件 / an e-mail'],
  ['feishu-bot', '飞书自定义机器人消息 / a message to a Feishu custom bot'],
  ['feishu-message', '飞书应用消息 / a message of a Feishu app'],
] as const;
const ofKind = (then: (kind: string) => Schema): Schema[] =>
  KINDS.map(([kind]) => ({
    if: { properties: { type: { const: kind } }, required: ['type'] },
    then: then(kind),
  }));

/** `action`, and `event`: the action of a rule in json-rules-engine's own shape. */
export const ACTION_DEFINITIONS: Readonly<Record<string, Schema>> = {
  'action.http': HTTP,
  'action.email': EMAIL,
  'action.feishu-bot': FEISHU_BOT,
  'action.feishu-message': FEISHU_MESSAGE,
  action: {
    type: 'object',
    properties: {
      type: { description: '动作种类 / kind of action', ...choices(KINDS) },
      name: { description: '动作名，规则内唯一 / name, unique in the rule', ...NAME },
    },
    required: ['type', 'name'],
    allOf: ofKind((kind) => refer(`action.${kind}`)),
    defaultSnippets: [
      {
        label: 'HTTP 请求 / HTTP request',
        body: {
          type: 'http',
          name: '${1:tell-system}',
          method: 'POST',
          url: '${2:https://}',
          body: { process: '{{ event.process_id }}' },
        },
      },
      {
        label: '邮件 / e-mail',
        body: { type: 'email', name: '${1:mail-someone}', to: ['$2'], subject: '$3', text: '$4' },
      },
      {
        label: '飞书机器人 / Feishu bot',
        body: { type: 'feishu-bot', name: '${1:tell-group}', url: '{{ secrets.${2:HOOK} }}', text: '$3' },
      },
      {
        label: '飞书消息 / Feishu message',
        body: { type: 'feishu-message', name: '${1:tell-someone}', to: { open_id: '$2' }, text: '$3' },
      },
    ],
  },
  undo: {
    type: 'object',
    properties: {
      type: { description: '动作种类 / kind of action', ...choices(KINDS) },
      name: { description: '动作名，默认加 -undo / name; that of the action with -undo by default', ...NAME },
      when: false,
      order: false,
      undo: false,
    },
    required: ['type'],
    allOf: ofKind((kind) => refer(`action.${kind}`)),
  },
  event: {
    description:
      "json-rules-engine 的写法：type 为动作种类 / json-rules-engine's own shape: the kind of action and its keys",
    type: 'object',
    properties: {
      type: { description: '动作种类 / kind of action', ...choices(KINDS) },
      params: { description: '动作的键 / the keys of the action', type: 'object' },
    },
    required: ['type', 'params'],
    additionalProperties: false,
    allOf: ofKind((kind) => ({ properties: { params: refer(`action.${kind}`) } })),
  },
};
