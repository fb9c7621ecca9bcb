import type { Catalogue, FieldDefinition } from '../events/catalogue.js';
import { DURATION } from './action-schema.js';
import { bilingual, choices, refer, type Schema } from './condition-schema.js';
import { SUPPRESSION_CAUSES } from './firing.js';

const VERDICTS = [
  ['matched', '命中 / its conditions hold'],
  ['not matched', '未命中 / they do not'],
  ['unknown', '未知：缺少事实 / a fact is missing'],
  ['error', '出错 / something went wrong'],
  ['skipped', '跳过：停用或不在有效期 / off, or not in effect'],
] as const;

const MOMENT: Schema = {
  type: 'string',
  pattern: String.raw`^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?$`,
  patternErrorMessage:
    '须为带时区的时间，如 "2026-01-05T09:00:00+08:00" / must be a date-time with its zone, like "2026-01-05T09:00:00+08:00"',
};
const DESCRIPTION: Schema = { description: '说明 / what it is about', type: 'string' };
const NAMES: Schema = { type: 'array', items: { type: 'string' } };
const RULES: Schema = {
  description:
    '关注哪些规则，默认为同名规则文件中的规则，否则全部 / which rules are watched; those of the rule file of the same name, else all, by default',
  type: 'array',
  minItems: 1,
  items: { type: 'string', minLength: 1 },
};
const NOW: Schema = {
  description:
    '虚拟时钟的起点，默认 2026-01-05T09:00:00+08:00 / where the virtual clock starts, Monday 2026-01-05T09:00:00+08:00 by default',
  ...MOMENT,
};
const EXPECTED: Schema = {
  description:
    '被关注的规则应发出的全部投递 / everything that the watched rules send, and nothing else; []: nothing',
  type: 'array',
  items: refer('case.delivery'),
};
const EXPECTED_VERDICTS: Schema = {
  description: '规则名 → 判定 / verdicts by the names of rules',
  type: 'object',
  additionalProperties: refer('case.verdict'),
};

const CASE: Schema = {
  type: 'object',
  properties: {
    name: { description: '用例名，文件内唯一 / name, unique in the file', type: 'string', minLength: 1 },
    description: DESCRIPTION,
    rules: RULES,
    now: NOW,
    steps: {
      description: '依次发生：事件、时钟前进、查询的应答 / what happens: events, time, answers of look-ups',
      type: 'array',
      minItems: 1,
      items: refer('case.step'),
    },
    expect: EXPECTED,
    verdicts: {
      ...EXPECTED_VERDICTS,
      description:
        '最后一个相关事件的判定 / verdicts by the names of rules, of the last event that each listens to',
    },
  },
  required: ['name', 'steps'],
  additionalProperties: false,
  defaultSnippets: [
    {
      label: '新用例 / new case',
      body: {
        name: '${1:what happens}',
        steps: [{ event: { '${2:status}': '^${3:3}' } }],
        expect: [{ rule: '${4:rule}', action: '${5:action}' }],
      },
    },
  ],
};

const DELIVERY: Schema = {
  type: 'object',
  properties: {
    rule: { description: '规则 / rule', type: 'string' },
    action: { description: '动作 / action', type: 'string' },
    step: { description: '升级步骤 / step of the escalation', type: 'string' },
    at: {
      description:
        '何时发出：距用例开始的时长，或带时区的时间 / when it goes out: a duration since the start of the case, or a date-time with its zone',
      anyOf: [DURATION, MOMENT],
    },
    with: {
      description:
        '请求的一部分，如 rules try 所示；列表须完整 / a part of the request as `rules try` shows it; lists as a whole',
    },
    state: {
      description: '默认 sent / what becomes of it, sent by default',
      ...choices([
        ['sent', '发出 / nothing stands in its way'],
        ['held', '被刹车扣留 / held by a brake'],
        ['dead', '无法生成 / it cannot be rendered'],
      ]),
    },
    code: { description: '失败代码 / why it is dead', type: 'string' },
  },
  required: ['rule', 'action'],
  additionalProperties: false,
};

const VERDICT: Schema = {
  anyOf: [
    choices(VERDICTS),
    {
      type: 'object',
      properties: {
        verdict: { description: '判定 / verdict', ...choices(VERDICTS) },
        missing: { description: '缺失的事实 / the facts that are missing, all of them', ...NAMES },
        cause: {
          description: '跳过的原因 / why it is skipped',
          type: 'string',
        },
        error: { description: '错误文字的一部分 / a part of the error', type: 'string' },
        because: {
          description: '未命中的条件所读的事实 / facts that the failing conditions read, all of them',
          ...NAMES,
        },
        suppressed: {
          description: '动作 → 未发送的原因 / why actions were not sent, by their names',
          type: 'object',
          // To a test every rule is a live one.
          additionalProperties: { enum: SUPPRESSION_CAUSES.filter((cause) => cause !== 'shadow') },
        },
      },
      required: ['verdict'],
      additionalProperties: false,
    },
  ],
};

/** Whether a document is a `*.cases.json`: no other kind has such a key. */
export const IS_CASES: Schema = { type: 'object', required: ['cases'] };

/** `cases`: what a `*.cases.json` holds. Events are completed by the catalogue. `lookups`: their names. */
export function caseDefinitions(
  catalogue: Catalogue,
  lookups: Iterable<string>,
): Readonly<Record<string, Schema>> {
  const types = catalogue.entries.map(({ eventType }) => eventType);
  const special = catalogue.entries.flatMap((entry) => {
    const fields = Object.entries(entry.fields).filter(([name]) => meansMore(catalogue, name));
    return fields.length === 0 ? [] : [[entry.eventType, eventOf(fields)] as const];
  });
  return {
    cases: {
      description: '规则测试 / tests of rules',
      type: 'object',
      properties: {
        $schema: { type: 'string' },
        description: DESCRIPTION,
        rules: RULES,
        now: NOW,
        timezone: { description: '代替 DEFAULT_TIMEZONE / instead of DEFAULT_TIMEZONE', type: 'string' },
        calendar: { description: '代替 DEFAULT_CALENDAR / instead of DEFAULT_CALENDAR', type: 'string' },
        cases: { description: '用例 / cases', type: 'array', items: refer('case') },
      },
      required: ['cases'],
      additionalProperties: false,
    },
    case: CASE,
    'case.step': {
      type: 'object',
      anyOf: [{ required: ['event'] }, { required: ['advance'] }, { required: ['lookup'] }],
      properties: {
        event: {
          description:
            '整个事件，或与目录样例不同的字段 / a whole event, or the fields that differ from the sample of the catalogue',
          ...refer('case.event'),
        },
        type: {
          description:
            '部分事件的类型，默认为规则监听的类型 / type of an event in part; the one that the rules listen to by default',
          anyOf: [{ enum: types }, { type: 'string' }],
        },
        verdicts: EXPECTED_VERDICTS,
        advance: {
          description:
            '时钟前进：时长，或到某一时间 / the clock goes on: so long, or to a date-time with its zone',
          anyOf: [DURATION, MOMENT],
        },
        lookup: {
          description: '查询的应答，null 表示失败 / what look-ups answer from here on; null: they fail',
          type: 'object',
          properties: {
            confirm: {
              description:
                '升级步骤前平台的答复：是否仍待处理 / what the platform says before a step with "confirm": whether somebody is waited for',
            },
            ...Object.fromEntries([...lookups].map((name) => [name, {}])),
          },
        },
      },
      additionalProperties: false,
      allOf: [
        { if: { required: ['advance'] }, then: { propertyNames: { const: 'advance' } } },
        { if: { required: ['lookup'] }, then: { propertyNames: { const: 'lookup' } } },
        ...special.map(([type]) => ({
          if: { required: ['type'], properties: { type: { const: type } } },
          then: { properties: { event: refer(`case.event.${type}`) } },
        })),
      ],
      defaultSnippets: [
        { label: '事件 / event', body: { event: { '${1:status}': '^${2:3}' } } },
        { label: '时钟前进 / time', body: { advance: '${1:8h}' } },
        { label: '查询的应答 / answers of look-ups', body: { lookup: { '${1:process}': {} } } },
      ],
    },
    'case.delivery': DELIVERY,
    'case.verdict': VERDICT,
    'case.event': eventOf(catalogue.entries.flatMap(({ fields: known }) => Object.entries(known))),
    ...Object.fromEntries(special.map(([type, fields]) => [`case.event.${type}`, fields])),
  };
}

/** Whether the values of a field mean one thing in one event type and another in another. */
function meansMore({ entries }: Catalogue, name: string): boolean {
  return (
    new Set(
      entries.flatMap(
        ({ fields }) => listOf(Object.hasOwn(fields, name) ? (fields[name] ?? null) : null) ?? [],
      ),
    ).size > 1
  );
}

function listOf(field: FieldDefinition | null): string | null {
  return field && JSON.stringify(field.enum ?? []);
}

/**
 * Completes the fields of an event in part. It refuses none: a whole event has other keys, and values may be wrong on
 * purpose. What means one thing here and another there is not proposed.
 */
function eventOf(fields: readonly (readonly [string, FieldDefinition])[]): Schema {
  const byName = new Map<string, FieldDefinition[]>();
  for (const [name, field] of fields) byName.set(name, [...(byName.get(name) ?? []), field]);
  const properties = [...byName].map(([name, known]) => {
    const description = [...new Set(known.map(({ label }) => bilingual(label)))].join('\n');
    const [first, ...others] = known;
    const values = others.every((other) => listOf(other) === listOf(first ?? null)) ? first?.enum : undefined;
    const listed = values?.map(({ value, label }) => [value, bilingual(label)] as const);
    return [name, { description, ...(listed ? { anyOf: [choices(listed), {}] } : {}) }] as const;
  });
  return { type: 'object', properties: Object.fromEntries(properties) };
}
