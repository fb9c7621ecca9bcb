import { Catalogue } from '../events/catalogue.js';
import { ACTION_DEFINITIONS, NAME } from './action-schema.js';
import { caseDefinitions, IS_CASES } from './case-schema.js';
import { bilingual, choices, conditionDefinitions, refer, type Schema } from './condition-schema.js';
import type { AnswerShape } from './lookup-fields.js';
import { IS_OWNERS, IS_TARGETS, OWNER_DEFINITIONS } from './owner-schema.js';
import { SCHEDULE_TYPE } from './rule-timing.js';
import { TIMING_CONSTRAINT, TIMING_DEFINITIONS, TIMING_PROPERTIES } from './timing-schema.js';
import { IS_LOOKUPS, LOOKUP_DEFINITIONS, SHIPPED_LOOKUPS } from './lookup-schema.js';

/**
 * A JSON Schema (draft-07) of rule files, `*.cases.json`, `lookups.json`, `owners.json` and `targets.json`, for editors: it
 * completes and explains facts, operators and values by the catalogue and by what the look-ups answer. It refuses what
 * is surely no rule; what needs more than a schema is for the loader to judge, so whatever the loader takes is valid
 * here too.
 */
export function ruleSchema(
  all: Catalogue,
  lookups: ReadonlyMap<string, AnswerShape> = SHIPPED_LOOKUPS,
): object {
  // The turns of a schedule are no events that rules listen to.
  const catalogue = new Catalogue(all.entries.filter(({ eventType }) => eventType !== SCHEDULE_TYPE));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Generated: aftersign rules schema > rules/schema.json',
    title: 'Aftersign 规则文件 / rule file',
    type: ['object', 'array'],
    defaultSnippets: [NEW_RULE],
    if: { type: 'array' },
    then: { items: refer('rule') },
    else: {
      if: IS_CASES,
      then: refer('cases'),
      else: {
        if: IS_OWNERS,
        then: refer('owners'),
        else: {
          if: IS_TARGETS,
          then: refer('targets'),
          else: { if: IS_LOOKUPS, then: refer('lookups'), else: refer('rule') },
        },
      },
    },
    definitions: {
      rule: ruleOf(catalogue),
      ...ACTION_DEFINITIONS,
      ...TIMING_DEFINITIONS,
      ...LOOKUP_DEFINITIONS,
      ...OWNER_DEFINITIONS,
      ...caseDefinitions(catalogue, lookups.keys()),
      ...conditionDefinitions(catalogue, lookups),
    },
  };
}

const NEW_RULE: Schema = {
  label: '新规则 / new rule',
  body: {
    name: '${1:new-rule}',
    description: '$2',
    trigger: '${3:corehr.process.approver.updated_v2}',
    conditions: { all: [{ fact: '${4:status}', operator: '${5:equal}', value: '^${6:3}' }] },
    actions: [{ type: 'http', name: '${7:tell-system}', method: 'POST', url: '${8:https://}' }],
  },
};

function ruleOf(catalogue: Catalogue): Schema {
  const types = catalogue.entries.map(({ eventType, label }) => [eventType, bilingual(label)] as const);
  const eventType: readonly Schema[] = [
    choices(types),
    {
      type: 'string',
      pattern: String.raw`^(?!${SCHEDULE_TYPE.replaceAll('.', String.raw`\.`)}$)[\w.:*-]{1,128}$`,
      patternErrorMessage:
        '须为事件类型或 corehr.process.* 这样的模式 / must be an event type or a pattern like corehr.process.*',
    },
  ];
  /** The trigger is one event type alone, which decides what the values mean. */
  const triggeredBy = (type: Schema): Schema => ({
    required: ['trigger'],
    properties: {
      trigger: { anyOf: [type, { type: 'array', minItems: 1, maxItems: 1, items: type }] },
    },
  });
  return {
    type: 'object',
    properties: {
      $schema: { description: '本 JSON Schema 的位置 / where this JSON Schema is', type: 'string' },
      name: { description: '规则名，规则集内唯一 / name, unique in the rule set', ...NAME },
      description: { description: '说明 / what the rule is for', type: 'string', maxLength: 2000 },
      owner: { description: '负责人 / who looks after it', type: 'string', maxLength: 200 },
      labels: {
        description: '标签 / labels: an object of texts',
        type: 'object',
        additionalProperties: { type: 'string' },
      },
      enabled: { description: '是否启用，默认 true / whether it applies, true by default', type: 'boolean' },
      mode: {
        description:
          '运行模式，默认 live；shadow 影子模式照常求值，只记录、不发送 / live by default; shadow: evaluated and recorded, never sent',
        enum: ['live', 'shadow'],
      },
      shadowOf: {
        description: '影子模式下与之对照的正式规则 / in shadow mode: the live rule that it is compared with',
        ...NAME,
      },
      effective: {
        description:
          '生效时间：日期或带时区的时间 / when it applies: dates (both days included), or date-times with their zone',
        type: 'object',
        properties: { from: { type: 'string' }, until: { type: 'string' } },
        minProperties: 1,
        additionalProperties: false,
      },
      trigger: {
        description:
          '触发器：事件类型、列表、模式或定时 / event type, a list of them, a pattern like corehr.process.*, or a schedule',
        anyOf: [...eventType, { type: 'array', minItems: 1, items: { anyOf: eventType } }, refer('schedule')],
      },
      conditions: { description: '条件 / conditions: all, any, not, nested', type: 'object' },
      priority: {
        description: '优先级，默认 1 / priority, 1 by default; higher ones come first',
        type: 'integer',
        minimum: 1,
      },
      actions: {
        description: '动作 / what is sent when the conditions hold',
        type: 'array',
        minItems: 1,
        items: refer('action'),
      },
      event: refer('event'),
      ...TIMING_PROPERTIES,
    },
    required: ['name', 'conditions'],
    additionalProperties: false,
    allOf: [
      {
        if: { required: ['event'] },
        then: { properties: { actions: false } },
        else: {
          required: ['trigger'],
          anyOf: [{ required: ['actions'] }, { required: ['escalate'] }],
        },
      },
      TIMING_CONSTRAINT,
      {
        if: { required: ['shadowOf'] },
        then: { required: ['mode'], properties: { mode: { const: 'shadow' } } },
      },
      ...types.map(([type]) => ({
        if: triggeredBy({ const: type }),
        then: { properties: { conditions: refer(`condition.${type}`) } },
      })),
      {
        if: { not: triggeredBy({ enum: types.map(([type]) => type) }) },
        then: { properties: { conditions: refer('condition') } },
      },
    ],
    defaultSnippets: [NEW_RULE],
  };
}
