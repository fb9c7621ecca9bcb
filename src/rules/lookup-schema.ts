import { choices, refer, type Schema } from './condition-schema.js';
import { type AnswerShape, shapeOf } from './lookup-fields.js';
import { LOOKUP_NAME } from './lookup-name.js';

const ONE = { id: 'a', timeout: 0, within: 0 };

/** What the answers of the look-ups hold that ship with the product. */
export const SHIPPED_LOOKUPS: ReadonlyMap<string, AnswerShape> = new Map([
  ['process', shapeOf('process', { type: 'feishu-process', userIdType: 'open_id', ...ONE })],
  ['user', shapeOf('user', { type: 'feishu-user', idType: 'open_id', cache: 0, ...ONE })],
]);

const DURATION: Schema = {
  type: 'string',
  pattern: String.raw`^(?:\d{1,9}(?:ms|s|m|h|d)|P(?=.)(?:\d{1,6}D)?(?:T(?=.)(?:\d{1,6}H)?(?:\d{1,6}M)?(?:\d{1,6}S)?)?)$`,
  patternErrorMessage: '须为带单位的时长，如 "30s" / must be a duration with its unit, like "30s"',
};
const TEXT: Schema = { type: 'string', minLength: 1 };

const shared = (type: string): Record<string, Schema> => ({
  type: { description: '查询种类 / kind of look-up', const: type },
  timeout: {
    description: '单次超时，默认 5s / limit of one try, from 100ms to 30s, 5s by default',
    ...DURATION,
  },
  within: {
    description:
      '事件最多等待多久，默认 4h / how long an event may wait for the answer, from 1s to 24h, 4h by default',
    ...DURATION,
  },
});
const APP: Schema = {
  description:
    '用哪个飞书应用，默认事件所属应用 / name or id of the Feishu app; that of the event by default',
  type: 'string',
  pattern: '^[A-Za-z0-9_-]{1,64}$',
};
const CACHE: Schema = {
  description: '结果可供其他事件使用多久 / how long an answer may serve other events, up to 30d',
  ...DURATION,
};

const PROCESS: Schema = {
  type: 'object',
  properties: {
    ...shared('feishu-process'),
    id: { description: '流程实例 / process, like {{ event.process_id }}', ...TEXT },
    task: { description: '本事件的任务 / task of the event, like {{ event.approver_id }}', ...TEXT },
    userIdType: {
      description: '用户编号类型，默认 open_id / kind of the ids in the answer, open_id by default',
      enum: ['open_id', 'union_id', 'user_id', 'people_corehr_id'],
    },
    app: APP,
  },
  required: ['type', 'id'],
  additionalProperties: false,
};

const USER: Schema = {
  type: 'object',
  properties: {
    ...shared('feishu-user'),
    id: { description: '用户 / user, like {{ lookup.process.task.operator_id }}', ...TEXT },
    idType: {
      description: '用户编号类型，默认 open_id / kind of the id, open_id by default',
      enum: ['open_id', 'union_id', 'user_id'],
    },
    app: APP,
    cache: { ...CACHE, description: `${String(CACHE['description'])}, 1d by default` },
  },
  required: ['type', 'id'],
  additionalProperties: false,
};

const HTTP: Schema = {
  type: 'object',
  properties: {
    ...shared('http'),
    url: {
      description:
        '地址，用 GET 请求，主机须写明 / the address, asked with GET; the host stands here, not in an event',
      ...TEXT,
    },
    headers: {
      description: '请求头 / headers; secrets as {{ secrets.NAME }}',
      type: 'object',
      propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$" },
      additionalProperties: { type: 'string' },
    },
    success: { description: '怎样算成功 / what counts as success, as in actions', type: 'object' },
    cache: { ...CACHE, description: `${String(CACHE['description'])}, 0s by default` },
    fields: {
      description:
        '应答的成员 / members of the answer: {"grade": {"type": "integer", "label": {"zh": "…", "en": "…"}}}',
      type: 'object',
      additionalProperties: refer('lookup.field'),
    },
  },
  required: ['type', 'url'],
  additionalProperties: false,
};

const FIELD: Schema = {
  type: 'object',
  properties: {
    type: { enum: ['string', 'integer', 'number', 'boolean', 'object', 'array'] },
    label: {
      type: 'object',
      properties: { zh: TEXT, en: TEXT },
      required: ['zh', 'en'],
      additionalProperties: false,
    },
    format: { enum: ['epoch-milliseconds', 'epoch-seconds', 'date-time'] },
    enum: { type: 'array', minItems: 1 },
    optional: { type: 'boolean' },
    newer: { type: 'boolean' },
    deprecated: { type: 'boolean' },
    personal: { type: 'boolean' },
    fields: { type: 'object', additionalProperties: refer('lookup.field') },
    items: refer('lookup.field'),
  },
  required: ['type', 'label'],
  additionalProperties: false,
};

const KINDS = [
  ['feishu-process', '飞书人事流程详情 / detail of a Feishu HR process'],
  ['feishu-user', '飞书用户 / a Feishu user'],
  ['http', 'HTTP GET 查询 / any HTTP GET'],
] as const;

/** `lookups`: what `lookups.json` holds. */
export const LOOKUP_DEFINITIONS: Readonly<Record<string, Schema>> = {
  'lookup.feishu-process': PROCESS,
  'lookup.feishu-user': USER,
  'lookup.http': HTTP,
  'lookup.field': FIELD,
  lookup: {
    type: 'object',
    properties: { type: { description: '查询种类 / kind of look-up', ...choices(KINDS) } },
    required: ['type'],
    allOf: KINDS.map(([kind]) => ({
      if: { properties: { type: { const: kind } }, required: ['type'] },
      then: refer(`lookup.${kind}`),
    })),
    defaultSnippets: [
      {
        label: '流程 / process',
        body: { type: 'feishu-process', id: '{{ event.process_id }}', task: '{{ event.approver_id }}' },
      },
      { label: '用户 / user', body: { type: 'feishu-user', id: '{{ lookup.process.task.operator_id }}' } },
    ],
  },
  lookups: {
    type: 'object',
    properties: {
      $schema: { description: '本 JSON Schema 的位置 / where this JSON Schema is', type: 'string' },
    },
    patternProperties: { [LOOKUP_NAME.source]: refer('lookup') },
    additionalProperties: false,
  },
};

const OBJECT: Schema = { type: 'object' };

/** Whether a document is `lookups.json` rather than a rule: an object stands under a key that rules do not have. */
export const IS_LOOKUPS: Schema = {
  type: 'object',
  not: {
    anyOf: [
      { required: ['conditions'] },
      { required: ['actions'] },
      { required: ['name'], properties: { name: { not: OBJECT } } },
      { required: ['trigger'], properties: { trigger: { not: OBJECT } } },
      {
        properties: { labels: true, effective: true, event: true },
        additionalProperties: { not: OBJECT },
      },
    ],
  },
};
