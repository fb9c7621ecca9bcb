import { DURATION, NAME, WALL_DURATION } from './action-schema.js';
import { choices, refer, type Schema } from './condition-schema.js';

/** Of the wall calendar, or of working time. */
const ANY_DURATION: Schema = {
  type: 'string',
  pattern: String.raw`^(?:${WALL_DURATION}|\d{1,5} ?(?:work ?(?:hours?|minutes?)|workdays?))$`,
  patternErrorMessage:
    '须为带单位的时长，如 "24h"、"8 work hours"、"2 workdays" / must be a duration with its unit, like "24h", "8 work hours" or "2 workdays"',
};

const LEVELS = [
  ['task', '审批任务 / the approval task'],
  ['node', '节点 / the node'],
  ['process', '流程实例 / the process'],
] as const;

/** Of the rule, or of a part of it. */
const CALENDAR: Schema = {
  description:
    '工作日历：cn、weekdays，或 calendars/ 中的名称 / work calendar: cn, weekdays, or one of calendars/',
  anyOf: [
    choices([
      ['cn', '中国法定节假日与调休 / public holidays and make-up workdays of China'],
      ['weekdays', '周一至周五 / Monday to Friday'],
    ]),
    NAME,
  ],
};
const TIMEZONE: Schema = {
  description: '时区（IANA 名称） / time zone, an IANA name',
  anyOf: [{ enum: ['Asia/Shanghai'] }, { type: 'string', pattern: '^[A-Za-z]' }],
};
/** What is counted or gathered by. */
const KEY: Schema = {
  description: '按哪个事实分组；owner 为规则负责人 / by which fact, or owner: who looks after the rule',
  anyOf: [{ enum: ['owner', 'process_id'] }, { type: 'string', minLength: 1, maxLength: 200 }],
};

/** `trigger` as a schedule. */
const SCHEDULE: Schema = {
  description:
    '定时：对每个未结束的实体求值 / a schedule: evaluated over every open entity of a kind, by the fields of its last event',
  type: 'object',
  properties: {
    schedule: {
      description:
        'cron 五段：分 时 日 月 周 / cron: minute, hour, day of month, month, day of week, like "0 9 * * 1-5"',
      type: 'string',
      pattern: String.raw`^\s*\S+(?:\s+\S+){4}\s*$`,
      patternErrorMessage: '须为五段 / must have five fields',
    },
    over: { description: '对哪种实体 / over what', ...choices(LEVELS) },
    calendar: refer('calendar'),
    timezone: refer('timezone'),
  },
  required: ['schedule', 'over'],
  additionalProperties: false,
};

const STEP: Schema = {
  type: 'object',
  properties: {
    name: { description: '步骤名，默认为 after / name of the step, by default its "after"', ...NAME },
    after: {
      description:
        '自触发事件起多久 / how long after the event that began it: "24h", "8 work hours", "2 workdays"',
      ...ANY_DURATION,
    },
    actions: {
      description: '到时的动作 / what is sent then',
      type: 'array',
      minItems: 1,
      items: refer('action'),
    },
  },
  required: ['after', 'actions'],
  additionalProperties: false,
};

const ESCALATE: Schema = {
  description:
    '升级：条件成立后，到时仍未取消则逐步发送 / escalation: steps that are sent when due, unless something cancels them before',
  type: 'object',
  properties: {
    per: { description: '按什么计 / one for each', ...choices(LEVELS) },
    steps: { description: '步骤 / steps', type: 'array', minItems: 1, maxItems: 20, items: refer('step') },
    cancelOn: {
      description: '除条件不再成立之外，何时取消 / when it is cancelled besides: by any event of the process',
      ...refer('condition'),
    },
    confirm: {
      description:
        '每步之前向平台确认任务仍待办 / whether the platform is asked before each step if the task is still pending',
      type: 'boolean',
    },
    calendar: refer('calendar'),
    timezone: refer('timezone'),
  },
  required: ['per', 'steps'],
  additionalProperties: false,
};

/** `schedule`, `escalate` and `step`, and what several keys share. */
export const TIMING_DEFINITIONS: Readonly<Record<string, Schema>> = {
  calendar: CALENDAR,
  timezone: TIMEZONE,
  key: KEY,
  schedule: SCHEDULE,
  step: STEP,
  escalate: {
    ...ESCALATE,
    defaultSnippets: [
      {
        label: '升级 / escalation',
        body: {
          per: '${1:task}',
          calendar: '${2:cn}',
          steps: [{ after: '${3:8 work hours}', actions: ['$4'] }],
        },
      },
    ],
  },
};

/** The keys of a rule that say when, how often and how bundled it sends. */
export const TIMING_PROPERTIES: Readonly<Record<string, Schema>> = {
  calendar: refer('calendar'),
  timezone: refer('timezone'),
  oncePer: {
    description: '每个实体至多触发一次，默认 event / fires at most once for each, event by default',
    ...choices([['event', '事件 / the event'], ...LEVELS]),
  },
  settle: {
    description:
      '“未知”判定可由后续事件确定的期限，默认 24h / how long an unknown verdict may be settled by a later event, 24h by default',
    ...DURATION,
  },
  throttle: {
    description: '限频：期限内至多若干次 / at most so many times within a period',
    type: 'object',
    properties: {
      max: { description: '次数 / how many times', type: 'integer', minimum: 1, maximum: 1000 },
      per: { description: '期限 / within how long', ...DURATION },
      key: refer('key'),
    },
    required: ['max', 'per'],
    additionalProperties: false,
  },
  budget: {
    description:
      '预算：期限内至多投递若干，超出的由人放行或丢弃 / so many deliveries within a time; what comes beyond is held until a person releases or discards it',
    type: 'object',
    properties: {
      max: { description: '投递数 / how many deliveries', type: 'integer', minimum: 1, maximum: 1000000 },
      per: { description: '期限 / within how long', ...DURATION },
    },
    required: ['max', 'per'],
    additionalProperties: false,
  },
  digest: {
    description: '汇总：多次匹配合成一条消息 / several matches become one message',
    type: 'object',
    properties: {
      window: { description: '自第一项起收集多久 / how long after the first item', ...DURATION },
      key: refer('key'),
      item: {
        description:
          '每项的模板，用于 {{ items }} / template of one item, by which {{ items }} stands in texts',
        type: 'string',
        maxLength: 2000,
      },
    },
    additionalProperties: false,
  },
  quietHours: {
    description: '安静时段 / quiet hours',
    type: 'object',
    properties: {
      outside: {
        description: '此时段之外为安静时段 / when it is not quiet, like "09:00-19:00"',
        type: 'string',
        pattern: String.raw`^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$`,
        patternErrorMessage: '须为 "09:00-19:00" 形式 / must be like "09:00-19:00"',
      },
      then: {
        description: '安静时段内，默认 defer / what happens meanwhile, defer by default',
        ...choices([
          ['defer', '延后到时段结束 / put off until it is over'],
          ['drop', '不发送 / not sent'],
          ['send', '照常发送 / sent all the same'],
        ]),
      },
      calendar: refer('calendar'),
      timezone: refer('timezone'),
    },
    required: ['outside'],
    additionalProperties: false,
  },
  escalate: refer('escalate'),
};

/** A schedule has no ladder; what gathers by time needs a time, but beside a schedule. */
export const TIMING_CONSTRAINT: Schema = {
  if: { required: ['trigger'], properties: { trigger: { type: 'object' } } },
  then: { properties: { escalate: false } },
  else: { properties: { digest: { required: ['window'] } } },
};
