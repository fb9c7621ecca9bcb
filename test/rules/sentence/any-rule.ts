import fc from 'fast-check';
import type { ActionDocument } from '../../../src/action/action-document.js';
import { Catalogue, type FieldDefinition, type Label } from '../../../src/events/catalogue.js';
import type { ConditionDocument } from '../../../src/rules/condition-document.js';
import { DECORATORS, OPERATORS } from '../../../src/rules/operators.js';
import type { RuleDocument } from '../../../src/rules/rule-document.js';
import type { SentenceWords } from '../../../src/rules/sentence/language.js';

/** Texts that would break a grammar, if they could: its own words and marks, and characters that cannot be seen. */
const MARKS = [
  '"',
  '\\',
  '`',
  "'",
  '(',
  ')',
  '（',
  '）',
  '「',
  '」',
  '“',
  '”',
  '〔',
  '〕',
  '[',
  ']',
  '{',
  '}',
  '<',
  '>',
  '，',
  ',',
  '、',
  '；',
  ';',
  '：',
  ':',
  '。',
  '.',
  '\n',
  '\r\n',
  '\t',
  ' ',
  '\u0000',
  '\ud800',
  '\udc00',
  '\u202e',
  '\u200d',
  '\u2028',
  '\ufeff',
  '\u00a0',
  '#2',
  '-',
  '  - ',
  '$',
  '*',
];
const WORDS = [
  ' is ',
  ' is not ',
  '为',
  '不为',
  '属于',
  '，且',
  '，或',
  ' and ',
  ' or ',
  'not [',
  '并非〔',
  'all of [',
  '全部满足〔',
  '以下任一成立：',
  'any of these holds:',
  '命名条件 "',
  'the condition "',
  '事实',
  'the fact ',
  '字面值 ',
  'the literal ',
  'exactly ',
  '存在',
  ' is there',
  '若',
  'if ',
  '，则',
  ', then ',
  '到达',
  ' arrives',
  '。\n',
  '.\n',
  '\n其中',
  '\nThe body of a is ',
  '24 小时',
  '24 hours',
  'true',
  'null',
  '3',
  '审批任务',
  '{{ secrets.X }}',
  '状态（status）为 3',
  'status (status) is 3',
];
export const hostile: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'status', 'biz_type', '状态', 'x.y', '') },
  {
    weight: 5,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...MARKS, ...WORDS), fc.string({ unit: 'binary', maxLength: 3 })), {
        maxLength: 4,
      })
      .map((parts) => parts.join('')),
  },
);

/**
 * Of an object. None is a lone backslash: once an object with that key was parsed, V8 13.6 (Node 24) takes every key that
 * begins with an escape for it.
 */
const hostileKey = hostile.filter((key) => key !== '\\');

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    hostile,
    fc.constantFrom<unknown>(null, true, false, 0, -0, 3, -1.5, 1e21, 5e-324),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(hostileKey, fc.constantFrom('__proto__', 'constructor', 'fact', 'literal')),
      tie('json'),
      {
        maxKeys: 3,
        noNullPrototype: true,
      },
    ),
  ),
}));

const name = fc.oneof(fc.constantFrom('tell', 'mail-hr', 'a.b_c'), hostile);
const duration = fc.oneof(
  fc.constantFrom(
    '24h',
    '1h',
    '1d',
    '2d',
    '30m',
    '1m',
    '5s',
    '250ms',
    'PT24H',
    '08h',
    '8 work hours',
    '8workhours',
  ),
  fc.constantFrom(
    '1 work hour',
    '1 work hours',
    '2 workdays',
    '1 workday',
    '2workdays',
    '30 work minutes',
    '0h',
    '24',
  ),
  hostile,
);
const ms = fc.oneof(
  fc.constantFrom(0, 1, 999, 1000, 15_000, 60_000, 90_000, 86_400_000, 3_600_001),
  fc.nat(),
);
const count = fc.integer({ min: 1, max: 1_000_000 });
const level = fc.constantFrom('task' as const, 'node' as const, 'process' as const);

function optional<Value extends object>(keys: {
  readonly [Key in keyof Value]: fc.Arbitrary<Value[Key]>;
}): fc.Arbitrary<Partial<Value>> {
  return fc.record(keys, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<Value>>;
}

const place = fc.record(
  {
    fact: fc.oneof(fc.constantFrom('status', 'biz_type', 'task.transition', 'owner'), hostile),
    path: fc.oneof(fc.constantFrom('$.a', 'a.b', '[0]', '$["a b"]'), hostile),
  },
  { requiredKeys: ['fact'], noNullPrototype: true },
);
const operator = fc
  .tuple(
    fc.array(fc.constantFrom(...DECORATORS.map((one) => one.name)), { maxLength: 3 }),
    fc.constantFrom(...OPERATORS.map((one) => one.name)),
  )
  .map(([decorators, base]) => [...decorators, base].join(':'));
const leaf = fc
  .tuple(
    place,
    fc.oneof({ weight: 9, arbitrary: operator }, hostile),
    fc.oneof(
      json,
      place,
      json.map((literal) => ({ literal })),
      duration,
      fc.array(fc.oneof(hostile, fc.constantFrom(1, 2, 3, true, null)), { maxLength: 3 }),
      fc.constantFrom<unknown>(1, 3, true, false, '1>3', '3>1'),
    ),
  )
  .map(([at, operator, value]) => ({ ...at, operator, value }));

const titled = <One extends object>(one: fc.Arbitrary<One>): fc.Arbitrary<One> =>
  fc.oneof(
    { weight: 3, arbitrary: one },
    {
      weight: 1,
      arbitrary: fc.tuple(one, hostile).map(([condition, title]) => ({ ...condition, name: title })),
    },
  );

export const { condition } = fc.letrec<{ condition: ConditionDocument }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 4, arbitrary: titled(leaf) },
    { weight: 1, arbitrary: hostile.map((condition) => ({ condition })) },
    { weight: 2, arbitrary: titled(fc.array(tie('condition'), { maxLength: 3 }).map((all) => ({ all }))) },
    { weight: 2, arbitrary: titled(fc.array(tie('condition'), { maxLength: 3 }).map((any) => ({ any }))) },
    { weight: 1, arbitrary: titled(tie('condition').map((not) => ({ not }))) },
  ),
}));

const shared = {
  when: condition,
  order: fc.constantFrom('none' as const, 'task' as const, 'process' as const),
  retry: fc.oneof(
    fc.array(ms, { minLength: 1, maxLength: 3 }),
    fc.record({ over: ms, max: count }, { requiredKeys: ['over'], noNullPrototype: true }),
  ),
};
const list = fc.array(hostile, { minLength: 1, maxLength: 3 });

const alone: fc.Arbitrary<ActionDocument> = fc
  .oneof(
    fc.tuple(
      fc.record({
        type: fc.constant('http'),
        name,
        method: fc.constantFrom('GET', 'POST', 'DELETE'),
        url: hostile,
        headers: fc.oneof(
          fc.constant({}),
          fc.dictionary(fc.oneof(hostileKey, fc.constant('__proto__')), hostile, {
            maxKeys: 2,
            noNullPrototype: true,
          }),
        ),
        timeout: fc.oneof(fc.constant(15_000), ms),
      }),
      optional({
        ...shared,
        body: json,
        auth: fc.constant('feishu'),
        app: name,
        sign: name,
        success: fc.oneof(
          fc.record({ status: fc.array(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 }) }),
          fc.record({ path: name, equal: fc.oneof(hostile, fc.constantFrom(0, -0, true, null)) }),
        ),
      }),
    ),
    fc.tuple(
      fc.record({ type: fc.constant('email'), name, to: list, subject: hostile }),
      optional({
        ...shared,
        cc: list,
        bcc: list,
        replyTo: list,
        text: hostile,
        html: hostile,
        allowRecipientFromEvent: list,
      }),
    ),
    fc.tuple(
      fc.record({ type: fc.constant('feishu-bot'), name, url: hostile }),
      optional({
        ...shared,
        sign: name,
        text: hostile,
        card: fc.dictionary(hostileKey, json, { noNullPrototype: true }),
      }),
    ),
    fc.tuple(
      fc.record({
        type: fc.constant('feishu-message'),
        name,
        to: fc
          .tuple(fc.constantFrom('open_id', 'user_id', 'union_id', 'email', 'chat_id'), hostile)
          .map(([kind, id]) => ({ [kind]: id })),
      }),
      optional({
        ...shared,
        app: name,
        text: hostile,
        card: fc.dictionary(hostileKey, json, { noNullPrototype: true }),
      }),
    ),
  )
  .map(([sure, more]) => ({ ...sure, ...more }) as unknown as ActionDocument);

const action = fc.oneof(
  { weight: 4, arbitrary: alone },
  { weight: 1, arbitrary: fc.tuple(alone, alone).map(([one, undo]): ActionDocument => ({ ...one, undo })) },
);

const step = fc
  .tuple(fc.record({ after: duration, actions: fc.array(action, { maxLength: 2 }) }), optional({ name }))
  .map(([sure, more]) => ({ ...sure, ...more }));

const placed = { calendar: name, timezone: fc.oneof(fc.constantFrom('Asia/Shanghai', 'UTC'), hostile) };
const SCHEDULED = ['aftersign.schedule'];

/** Any document that has the type of one, whatever the loader would say of it. */
export const anyRule: fc.Arbitrary<RuleDocument> = fc
  .tuple(
    fc.record({
      name,
      enabled: fc.boolean(),
      priority: fc.oneof(fc.constant(1), count),
      trigger: fc.array(
        fc.oneof(fc.constantFrom('*', 'a.b_v1', 'a.*', 'corehr.process.approver.updated_v2'), hostile),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      conditions: condition,
      actions: fc.array(action, { maxLength: 3 }),
    }),
    optional({
      ...placed,
      description: hostile,
      owner: name,
      labels: fc.dictionary(fc.oneof(hostileKey, fc.constant('__proto__')), hostile, {
        noNullPrototype: true,
      }),
      effective: optional({
        from: fc.constantFrom('2026-01-01', '2026-01-01T00:00:00+08:00'),
        until: hostile,
      }),
      oncePer: fc.constantFrom('event', 'task', 'node', 'process'),
      settle: duration,
      throttle: fc.tuple(fc.record({ max: count, per: duration }), optional({ key: hostile })).map(merged),
      budget: fc.record({ max: count, per: duration }),
      digest: optional({ window: duration, key: name, item: hostile }),
      quietHours: fc
        .tuple(
          fc.record({
            outside: fc.oneof(fc.constant('09:00-19:00'), hostile),
            then: fc.constantFrom('defer', 'drop', 'send'),
          }),
          optional(placed),
        )
        .map(merged),
      escalate: fc
        .tuple(
          fc.record({ per: level, steps: fc.array(step, { maxLength: 3 }) }),
          optional({ ...placed, cancelOn: condition, confirm: fc.boolean() }),
        )
        .map(merged),
    }),
    fc.option(
      fc
        .tuple(
          fc.record({
            schedule: fc.oneof(fc.constantFrom('0 9 * * *', '30 8 * * 1-5'), hostile),
            over: level,
          }),
          optional(placed),
        )
        .map(merged),
      { nil: null, freq: 4 },
    ),
    fc.option(optional({ shadowOf: name }), { nil: null, freq: 2 }),
  )
  .map(
    ([sure, more, schedule, shadow]) =>
      plain({
        ...sure,
        ...more,
        ...(schedule ? { schedule, trigger: SCHEDULED } : {}),
        ...(shadow ? { mode: 'shadow', ...shadow } : {}),
      }) as RuleDocument,
  );

/** With the prototypes of object literals all through. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

function merged<One extends object, Other extends object>([one, other]: [One, Other]): One & Other {
  return { ...one, ...other };
}

const label: fc.Arbitrary<Label> = fc.record({ zh: hostile, en: hostile });

/** A catalogue whose labels would mean something else, if labels meant anything. */
export const hostileWords: fc.Arbitrary<SentenceWords> = fc
  .record({ fact: label, value: label, event: label, member: label })
  .map(({ fact, value, event, member }): SentenceWords => {
    const values = ['', 'a', 'b', 1, 3, '3'].map((one) => ({ value: one, label: value }));
    const field: FieldDefinition = {
      type: 'object',
      label: fact,
      enum: values,
      fields: { a: { type: 'string', label: member, enum: values } },
    };
    const entry = { eventType: 'corehr.process.approver.updated_v2', label: event, entities: {}, fields: {} };
    return { catalogue: new Catalogue([entry]), fieldOf: () => field };
  });
