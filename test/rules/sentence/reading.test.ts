// What people read: the shipped rules, and each kind of condition, word for word.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import type { ConditionDocument } from '../../../src/rules/condition-document.js';
import { OPERATORS } from '../../../src/rules/operators.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import { readRuleFolder } from '../../../src/rules/rule-files.js';
import type { RuleSet } from '../../../src/rules/rule-set.js';
import { conditionOnOneLine } from '../../../src/rules/sentence/condition-form.js';
import { plainLabel } from '../../../src/rules/sentence/label.js';
import { type Language, LANGUAGES } from '../../../src/rules/sentence/language.js';
import { mainPartOf, readSentence, sentenceOf } from '../../../src/rules/sentence/rule-sentence.js';
import { documentOf } from '../../../src/rules/sentence/said-set.js';

const ruleSet: Promise<RuleSet> = (async () => {
  const { files } = await readRuleFolder('rules');
  const { ruleSet } = await compileRuleSet(files, loadBuiltInCatalogue());
  if (!ruleSet) throw new Error('the shipped rules have errors');
  return ruleSet;
})();

const TASK = ['corehr.process.approver.updated_v2'];

function phrase(condition: object, words: RuleSet, language: Language): string {
  return conditionOnOneLine.write(condition as ConditionDocument, { language, words, eventTypes: TASK });
}

async function said(name: string, language: Language): Promise<string> {
  const set = await ruleSet;
  const rule = set.ruleOf(name);
  if (!rule) throw new Error(`there is no rule ${name}`);
  return sentenceOf(documentOf(rule), set, language);
}

describe('the sentences of the shipped rules', () => {
  it('are read as those rules', async () => {
    const set = await ruleSet;
    expect(set.rules).toHaveLength(8);
    for (const rule of set.rules)
      for (const language of LANGUAGES)
        expect(readSentence(sentenceOf(documentOf(rule), set, language), language)).toEqual(documentOf(rule));
  });

  it('begin with when, if and then, and have the long texts in a paragraph of their own', async () => {
    expect(await said('approval-rejected', 'zh')).toBe(
      `规则 approval-rejected：当「审批任务状态变更」（corehr.process.approver.updated_v2）到达，
且状态（status）为「拒绝」（2），
且单据类型（type）为「审批单」（1），
且以下任一成立：
  - 业务类型（biz_type）为 "renewal_record"
  - 业务类型（biz_type）属于 "job_change"、"probation"，
则：
  - open-follow-up：向 "{{ secrets.TICKETS_URL }}" 发送 POST 请求，失败后隔 10 秒、1 分钟、10 分钟、1 小时重试。

负责人：people-ops。
说明："An approver rejects a renewal, a transfer or a probation review: open a follow-up for the HR partner"。
其中 open-follow-up 的请求体为 {"node": "{{ event.node_definition_id }}", "task": "{{ event.approver_id }}", "title": "审批被拒绝 Rejected: {{ event.biz_type }} {{ event.process_id }}"}。`,
    );
    expect(await said('approval-rejected', 'en')).toBe(
      `Rule approval-rejected: when “approval task changed status” (corehr.process.approver.updated_v2) arrives,
if \`status\` is “rejected” (2),
and document type (type) is “approval form” (1),
and any of these holds:
  - business type (biz_type) is "renewal_record"
  - business type (biz_type) is one of "job_change", "probation",
then:
  - open-follow-up: send a POST request to "{{ secrets.TICKETS_URL }}", tried again after 10 seconds, 1 minute, 10 minutes, 1 hour.

Owner: people-ops.
Description: "An approver rejects a renewal, a transfer or a probation review: open a follow-up for the HR partner".
The body of open-follow-up is {"node": "{{ event.node_definition_id }}", "task": "{{ event.approver_id }}", "title": "审批被拒绝 Rejected: {{ event.biz_type }} {{ event.process_id }}"}.`,
    );
  });

  it('say escalations, schedules, digests, limits and quiet hours', async () => {
    expect(mainPartOf(await said('renewal-unanswered', 'zh'))).toBe(
      `规则 renewal-unanswered：当「审批任务状态变更」（corehr.process.approver.updated_v2）到达，
且业务类型（biz_type）为 "renewal_record"，
且状态（status）为「待办」（1）；
若 8 个工作小时后仍如此（步骤 remind），则：
  - mail-partner：发邮件给 "hr@example.com"，主题为 "续签待处理 Renewal waits: {{ event.process_id }}"；
若 2 个工作日后仍如此（步骤 lead），则：
  - mail-lead：发邮件给 "hr-lead@example.com"，抄送 "hr@example.com"，主题为 "续签仍待处理 Renewal still waits: {{ event.process_id }}"。
升级：按审批任务分别计时，按日历 cn，按时区 Asia/Shanghai，每步之前先向平台确认仍待处理。`,
    );
    expect(mainPartOf(await said('morning-summary', 'en'))).toBe(
      `Rule morning-summary: on the schedule “every day at 09:00” ("0 9 * * *"), only on workdays of the calendar cn, in the time zone Asia/Shanghai, for each open approval task,
if time when the task was first seen (task.firstSeen) is longer ago than 24 hours,
then:
  - mail-open-tasks: send an e-mail to "hr@example.com", with the subject "待办汇总 Open approvals: {{ items.length }}".
Digest: one message, grouped by \`owner\`, each item written as "{{ event.process_id | default: '–' }}  {{ task.firstSeen | date: 'yyyy-MM-dd HH:mm' }}".`,
    );
    expect(mainPartOf(await said('task-reopened', 'zh'))).toContain(
      '\n限频：每 1 小时最多触发 3 次，按流程实例（process_id）分别计数。\n免打扰：09:00-19:00 之外的延后到时段内发送，按日历 cn，按时区 Asia/Shanghai。',
    );
    expect(mainPartOf(await said('job-change-mirrored', 'zh'))).toContain(
      '  - mail-on-call：若状态（status）为「拒绝」（2），且当前为工作日（now.workday）为「否」（false），则发邮件给 "hr-on-call@example.com"',
    );
    expect(mainPartOf(await said('node-complete', 'zh'))).toContain('\n频次：每个节点只触发一次。');
  });
});

describe('a condition on one line', () => {
  const status = (operator: string, value: unknown) => ({ fact: 'status', operator, value });
  it.each<[object, string, string]>([
    [status('equal', 3), '状态（status）为「已完成」（3）', '`status` is “done” (3)'],
    [status('not:equal', 3), '状态（status）不等于「已完成」（3）', '`status` does not equal “done” (3)'],
    [
      status('in', [2, 4]),
      '状态（status）属于「拒绝」（2）、「取消」（4）',
      '`status` is one of “rejected” (2), “cancelled” (4)',
    ],
    [status('exists', false), '状态（status）不存在', '`status` is missing'],
    [
      status('equal', { literal: 3 }),
      '状态（status）为字面值 「已完成」（3）',
      '`status` is the literal “done” (3)',
    ],
    [
      { fact: 'biz_type', operator: 'equal', value: { fact: 'start_user', path: '$.dept' } },
      '业务类型（biz_type）为事实`start_user $.dept`',
      'business type (biz_type) is the fact `start_user $.dept`',
    ],
    [
      { fact: 'task.transition', operator: 'equal', value: '1>3' },
      '任务的状态变迁（task.transition）为「待办→已完成」（"1>3"）',
      'transition of the task (task.transition) is “to do→done” ("1>3")',
    ],
    [
      { fact: 'create_time', operator: 'olderThan', value: '2d' },
      '事件发生时间（create_time）距今超过 2 天',
      'time of the event (create_time) is longer ago than 2 days',
    ],
    [
      { fact: 'tags', operator: 'someFact:not:equal', value: 'a' },
      '`tags` 中任一元素不等于 "a"',
      '`tags`, some element does not equal "a"',
    ],
    [
      { fact: 'biz_type', operator: 'matches', value: '^renewal' },
      '业务类型（biz_type）匹配正则 "^renewal"',
      'business type (biz_type) matches the pattern "^renewal"',
    ],
    [
      {
        any: [
          status('equal', 3),
          { not: { condition: 'is-renewal' } },
          { all: [status('equal', 1), status('equal', 2)] },
        ],
      },
      '状态（status）为「已完成」（3），或并非〔命名条件 "is-renewal" 成立〕，或〔状态（status）为「待办」（1），且状态（status）为「拒绝」（2）〕',
      '`status` is “done” (3) or not [the condition "is-renewal" holds] or [`status` is “to do” (1) and `status` is “rejected” (2)]',
    ],
    [
      { ...status('equal', 3), name: 'is done' },
      '"is done"：状态（status）为「已完成」（3）',
      '"is done": `status` is “done” (3)',
    ],
  ])('%j', async (condition, zh, en) => {
    const set = await ruleSet;
    expect(phrase(condition, set, 'zh')).toBe(zh);
    expect(phrase(condition, set, 'en')).toBe(en);
  });

  it('says every operator, and every operator turned round, in words of its own', async () => {
    const set = await ruleSet;
    for (const language of LANGUAGES) {
      const phrases = OPERATORS.flatMap(({ name }) =>
        [name, `not:${name}`].map((operator) => phrase(status(operator, 'x'), set, language)),
      );
      expect(new Set(phrases).size).toBe(2 * OPERATORS.length);
      for (const one of phrases) expect(one).not.toMatch(/"(?:not:)?[a-zA-Z]{3,}"/);
    }
  });
});

describe('a label', () => {
  it.each([
    ['当前为工作日（需要日历）', '当前为工作日'],
    ['transition of the task, like "1>3"', 'transition of the task'],
    ['  a\n\tb\u0000c  ', 'a b c'],
    ['」（x）', null],
    ['', null],
    ['`status` is 3', 'status is 3'],
    ['a "b" [c] {d}', 'a b c d'],
    ['x'.repeat(100), `${'x'.repeat(39)}…`],
  ])('%j is said as %j', (label, plain) => {
    expect(plainLabel(label)).toBe(plain);
  });
});
