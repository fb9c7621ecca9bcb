import type { EffectiveDocument } from '../effective.js';
import type {
  BudgetDocument,
  DigestDocument,
  EscalateDocument,
  QuietHoursDocument,
  RuleDocument,
  ScheduleDocument,
  ThrottleDocument,
} from '../rule-document.js';
import { conditionOnOneLine } from './condition-form.js';
import { cronGloss } from './cron-gloss.js';
import { duration, level, levelOrEvent } from './duration-form.js';
import { choice, type Clause, clausesOf, type Form, record } from './form.js';
import { number, object, text, word } from './json-form.js';
import { labelled, place } from './place-form.js';

/** A fact, or `owner`. */
const key: Form<string> = {
  write: (fact, by) => place.write({ fact }, by),
  read: (from) => {
    const { fact, path } = place.read(from);
    return path === undefined ? fact : from.fail('before this a fact without a path belongs');
  },
};

const scheduled = clausesOf<ScheduleDocument>();

/** Of a schedule; not said of it that it is one. */
export const schedule: Form<ScheduleDocument> = record([
  scheduled.sure(
    { zh: '{schedule}', en: '{schedule}' },
    { schedule: labelled(text, (cron, { language }) => cronGloss(cron, language)) },
  ),
  scheduled.said(
    { zh: '，只在日历 {calendar} 的工作日', en: ', only on workdays of the calendar {calendar}' },
    { calendar: word },
  ),
  scheduled.said({ zh: '，按时区 {timezone}', en: ', in the time zone {timezone}' }, { timezone: word }),
  scheduled.sure({ zh: '，对每个未结束的{over}', en: ', for each open {over}' }, { over: level }),
]);

const limited = clausesOf<ThrottleDocument>();
const throttle: Form<ThrottleDocument> = record([
  limited.sure(
    { zh: '每 {per}最多触发 {max} 次', en: 'at most {max} times within {per}' },
    { max: number, per: duration },
  ),
  limited.said({ zh: '，按{key}分别计数', en: ', counted by {key}' }, { key }),
]);

const braked = clausesOf<BudgetDocument>();
const budget: Form<BudgetDocument> = record([
  braked.sure(
    {
      zh: '每 {per}最多 {max} 次投递，超出的扣下待人放行',
      en: 'at most {max} deliveries within {per}, and what is beyond is held for a person',
    },
    { max: number, per: duration },
  ),
]);

const gathered = clausesOf<DigestDocument>();
const digest: Form<DigestDocument> = record([
  gathered.said({ zh: '，满 {window}发一条', en: ' for what comes within {window}' }, { window: duration }),
  gathered.said({ zh: '，按{key}分组', en: ', grouped by {key}' }, { key }),
  gathered.said({ zh: '，每项写作 {item}', en: ', each item written as {item}' }, { item: text }),
]);

const quiet = clausesOf<QuietHoursDocument>();
const quietHours: Form<QuietHoursDocument> = record([
  quiet.sure(
    { zh: '{outside} 之外的{then}', en: 'what falls outside {outside} is {then}' },
    {
      outside: word,
      then: choice<QuietHoursDocument['then']>([
        ['defer', { zh: '延后到时段内发送', en: 'deferred' }],
        ['drop', { zh: '不再发送', en: 'dropped' }],
        ['send', { zh: '照常发送', en: 'sent all the same' }],
      ]),
    },
  ),
  quiet.said({ zh: '，按日历 {calendar}', en: ', by the calendar {calendar}' }, { calendar: word }),
  quiet.said({ zh: '，按时区 {timezone}', en: ', in the time zone {timezone}' }, { timezone: word }),
]);

const inEffect = clausesOf<EffectiveDocument>();
const effective: Form<EffectiveDocument> = record([
  inEffect.said({ zh: '，自 {from} 起', en: ', from {from}' }, { from: word }),
  inEffect.said({ zh: '，至 {until} 止', en: ', until {until}' }, { until: word }),
]);

/** How an escalation goes on; its steps stand in the sentence itself. */
export type EscalationManner = Omit<EscalateDocument, 'steps'>;

const escalated = clausesOf<EscalationManner>();
const manner: Form<EscalationManner> = record([
  escalated.sure({ zh: '按{per}分别计时', en: 'one for each {per}' }, { per: level }),
  escalated.said({ zh: '，按日历 {calendar}', en: ', by the calendar {calendar}' }, { calendar: word }),
  escalated.said({ zh: '，按时区 {timezone}', en: ', in the time zone {timezone}' }, { timezone: word }),
  escalated.when('confirm', true, {
    zh: '，每步之前先向平台确认仍待处理',
    en: ', and before each step the platform is asked whether it still waits',
  }),
  escalated.when('confirm', false, {
    zh: '，各步之前不向平台确认',
    en: ', and before the steps the platform is not asked',
  }),
  escalated.said(
    { zh: '，一旦{cancelOn}即取消', en: ', cancelled as soon as {cancelOn}' },
    { cancelOn: conditionOnOneLine },
  ),
]);

/** A rule's document, with the manner of its escalation apart. */
export type SaidRule = Omit<RuleDocument, 'escalate'> & { readonly manner?: EscalationManner };

const said = clausesOf<SaidRule>();

/** How, how often and when: behind the main sentence, each on a line. */
export const mannerClauses: readonly Clause<SaidRule>[] = [
  said.said({ zh: '\n升级：{manner}。', en: '\nEscalation: {manner}.' }, { manner }),
  said.said(
    { zh: '\n频次：每个{oncePer}只触发一次。', en: '\nFires once per {oncePer}.' },
    { oncePer: levelOrEvent },
  ),
  said.said({ zh: '\n限频：{throttle}。', en: '\nThrottle: {throttle}.' }, { throttle }),
  said.said({ zh: '\n预算：{budget}。', en: '\nBudget: {budget}.' }, { budget }),
  said.said({ zh: '\n汇总：合并发送{digest}。', en: '\nDigest: one message{digest}.' }, { digest }),
  said.said({ zh: '\n免打扰：{quietHours}。', en: '\nQuiet hours: {quietHours}.' }, { quietHours }),
  said.said(
    {
      zh: '\n补判：缺失的事实在 {settle}内到达即补判。',
      en: '\nSettling: a missing fact may still come within {settle}.',
    },
    { settle: duration },
  ),
  said.said({ zh: '\n有效期{effective}。', en: '\nIn effect{effective}.' }, { effective }),
  said.unless(
    'priority',
    1,
    said.said({ zh: '\n优先级：{priority}。', en: '\nPriority: {priority}.' }, { priority: number }),
  ),
  said.said({ zh: '\n工作日历：{calendar}。', en: '\nCalendar: {calendar}.' }, { calendar: word }),
  said.said({ zh: '\n时区：{timezone}。', en: '\nTime zone: {timezone}.' }, { timezone: word }),
];

/** Whose it is, and what its author says of it. */
export const aboutClauses: readonly Clause<SaidRule>[] = [
  said.said({ zh: '\n负责人：{owner}。', en: '\nOwner: {owner}.' }, { owner: word }),
  said.said({ zh: '\n说明：{description}。', en: '\nDescription: {description}.' }, { description: text }),
  said.said({ zh: '\n标签：{labels}。', en: '\nLabels: {labels}.' }, { labels: object() }),
];
