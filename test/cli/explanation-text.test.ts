// Pure: no Nest, no database.
import { describe, expect, it } from '@jest/globals';
import { formatExplanation } from '../../src/cli/explanation-text.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { ConditionDocument, LeafDocument } from '../../src/rules/condition-document.js';
import { explainRule } from '../../src/rules/explain.js';
import type { LookupAnswers, LookupDocument } from '../../src/rules/lookup-document.js';
import { buildRuleSet } from '../../src/rules/rule-set.js';
import { approverEvent } from '../support/feishu.js';

const TYPE = 'corehr.process.approver.updated_v2';
const INPUTS = { now: Date.UTC(2026, 10, 24, 10), timezone: 'Asia/Shanghai' };
const CATALOGUE = loadBuiltInCatalogue();

const waiting = { timeout: 5000, within: 60_000 };
const LOOKUPS: Readonly<Record<string, LookupDocument>> = {
  process: { type: 'feishu-process', id: '{{ event.process_id }}', userIdType: 'open_id', ...waiting },
  user: { type: 'feishu-user', id: '{{ event.x }}', idType: 'open_id', cache: 0, ...waiting },
};

interface Given {
  readonly event?: Readonly<Record<string, unknown>>;
  readonly named?: Readonly<Record<string, ConditionDocument>>;
  readonly trigger?: string;
  readonly enabled?: boolean;
  readonly name?: string;
  readonly description?: string;
  readonly lookups?: LookupAnswers;
  readonly colour?: boolean;
  readonly width?: number;
}

async function textOf(conditions: ConditionDocument, given: Given = {}): Promise<readonly string[]> {
  const rule = {
    name: given.name ?? 'renewal-done',
    description: given.description ?? 'Tell payroll 通知薪资',
    enabled: given.enabled ?? true,
    priority: 1,
    trigger: [given.trigger ?? TYPE],
    conditions,
    actions: [],
    file: 'corehr/renewal-done.rule.json',
    line: 2,
  };
  const checked = {
    findings: [],
    catalogue: [],
    lookups: LOOKUPS,
    calendars: {},
    owners: null,
    targetLimits: [],
    conditions: given.named ?? {},
    rules: [rule],
    ruleCount: 1,
  };
  const ruleSet = await buildRuleSet('hash', checked, CATALOGUE);
  const facts = new Map(
    Object.entries({ event_type: TYPE, ...approverEvent({ status: 1 }), ...given.event }),
  );
  const inputs = { ...INPUTS, ...(given.lookups ? { lookups: given.lookups } : {}) };
  const explanation = await explainRule(ruleSet, ruleSet.rules[0]!, { eventType: TYPE, facts }, inputs);
  return formatExplanation(explanation, { colour: given.colour ?? false, width: given.width ?? 120 }).split(
    '\n',
  );
}

const leaf = (
  fact: string,
  operator: string,
  value: unknown,
  more: Partial<LeafDocument> = {},
): LeafDocument => ({
  fact,
  operator,
  value,
  ...more,
});

describe('an explanation on a terminal', () => {
  it('shows the tree, what was instead, and what would have fired the rule', async () => {
    const conditions = {
      all: [
        leaf('biz_type', 'equal', 'renewal_record'),
        { condition: 'is-done' },
        { not: { any: [leaf('type', 'in', [1, 5]), leaf('node_id_str', 'startsWith', 'x')] } },
      ],
    };
    const named = { 'is-done': { any: [leaf('status', 'equal', 3), leaf('status', 'equal', 18)] } };
    expect(await textOf(conditions, { named })).toEqual([
      '✗ renewal-done  Tell payroll 通知薪资',
      '  not matched 未命中  corehr/renewal-done.rule.json:2',
      '  ✗ all of 全部',
      '    ✓ biz_type 业务类型: is 等于 "renewal_record"',
      '    ✗ any of 任一 "is-done"',
      '      ✗ status 状态: is 等于 3 已完成/done — but was 1 待办/to do',
      '      ✗ status 状态: is 等于 18 已干预/intervened — but was 1 待办/to do',
      '    ✗ not 非',
      '      ✓ any of 任一',
      '        ✓ type 单据类型: is one of 属于 [1 审批单/approval form, 5 表单/form]',
      '            — was 1 审批单/approval form, and must not be 不应成立',
      '        ? node_id_str 节点实例（新）: begins with 开头是 "x" — but is missing 缺失',
      '  would have fired with 若如此则命中:',
      '    status 状态 1 待办/to do → 3 已完成/done',
      '    type 单据类型 1 审批单/approval form → 2',
      '    node_id_str 节点实例（新） missing 缺失 → "other"',
    ]);
  });

  it('puts one change on one line, and says that it was a near miss', async () => {
    const lines = await textOf({ all: [leaf('status', 'equal', 3)] });
    expect(lines[1]).toBe('  not matched 未命中, near miss 差一点命中  corehr/renewal-done.rule.json:2');
    expect(lines.at(-1)).toBe(
      '  would have fired with 若如此则命中: status 状态 1 待办/to do → 3 已完成/done',
    );
  });

  it('shows what came of the look-ups, and nothing of what was not needed', async () => {
    const conditions = {
      all: [leaf('lookup.process.status', 'equal', 9), leaf('lookup.user', 'equal', 'a', { path: '$.name' })],
    };
    const fetchedAt = Date.UTC(2026, 10, 24, 9);
    const process = { request: 'p', value: { status: 9 }, fetchedAt };
    const failed = { code: 'HTTP_503', detail: 'it said\u001b[2J no' };
    const lookups = { process, user: { request: 'u', failed, fetchedAt } };
    expect((await textOf(conditions, { lookups })).slice(1)).toEqual([
      '  unknown 未知: lookup.user.name missing 缺失  corehr/renewal-done.rule.json:2',
      '  ? all of 全部',
      '    ✓ lookup.process.status 流程状态: is 等于 9 已完成/completed',
      '    ? lookup.user.name 姓名: is 等于 "a" — but is missing 缺失',
      '  look-up 查询 process: answered 已应答 2026-11-24T09:00:00.000Z',
      '  look-up 查询 user: failed 失败: HTTP_503: it said\\u{1b}[2J no',
      '  would have fired with 若如此则命中: lookup.user.name 姓名 missing 缺失 → "a"',
    ]);
    const lines = (await textOf(conditions)).join('\n');
    expect(lines).toContain('look-up 查询 user: not asked 未查询');
    const no = await textOf({ all: [leaf('status', 'equal', 3), leaf('lookup.user.name', 'equal', 'a')] });
    expect(no.join('\n')).not.toContain('look-up');
  });

  it.each<[string, ConditionDocument, Given, readonly RegExp[]]>([
    [
      'matched',
      { all: [leaf('status', 'lessThan', 3)] },
      {},
      [
        /^✓ renewal-done/,
        /^ {2}matched 命中 /,
        /✓ status 状态: is less than 小于 3 已完成\/done — was 1 待办\/to do$/,
      ],
    ],
    [
      'unknown',
      { all: [leaf('node_id_str', 'equal', 'x')] },
      {},
      [/^\? renewal-done/, /unknown 未知: node_id_str missing 缺失/],
    ],
    [
      'error',
      { all: [leaf('status', 'in', { fact: 'approver_id' })] },
      {},
      [
        /^! renewal-done/,
        /error 错误: "in" and "notIn" need a list/,
        /! status 状态: is one of 属于 approver_id 审批任务 \("7072306364927985187"\)\n {8}! "in"/,
      ],
    ],
    [
      'skipped',
      { all: [leaf('status', 'equal', 3)] },
      { enabled: false },
      [/^– renewal-done/, /skipped 跳过: disabled/],
    ],
    [
      'not listening',
      { all: [leaf('status', 'equal', 3)] },
      { trigger: 'other.*' },
      [/^– renewal-done/, /not listening 未监听: it listens to 监听 other\.\*/],
    ],
    [
      'undecided',
      { all: [leaf('status', 'equal', 3), leaf('status', 'equal', 2)] },
      {},
      [/undecided: no change of facts was found/],
    ],
    [
      'another fact',
      { all: [leaf('node_id', 'equal', { fact: 'node_id_str' })] },
      {},
      [/\? node_id 节点实例: is 等于 node_id_str 节点实例（新） — but node_id_str is missing 缺失/],
    ],
    [
      'a path and decorators',
      { all: [leaf('who', 'someFact:not:equal', 'x', { path: '$.names', name: 'others' })] },
      { event: { who: { names: ['x'] } } },
      [/✗ "others" who \$\.names: some element: not: is 任一元素：非：等于 "x" — but was \["x"\]/],
    ],
  ])('%s', async (_, conditions, given, expected) => {
    const text = (await textOf(conditions, given)).join('\n');
    for (const one of expected) expect(text).toMatch(new RegExp(one.source, 'm'));
  });

  it('never writes what an event or a rule file could do to the terminal', async () => {
    const evil = '\u001b]0;title\u0007\u001b[2J\r\n✓ all good \u202e\u200b\u009b31m\ud800\u2028"';
    const lines = await textOf(
      { all: [leaf('status', 'equal', evil), leaf(evil, 'equal', 1), leaf('o', 'equal', 2, { name: evil })] },
      { event: { status: { [evil]: [evil] }, [evil]: evil, o: [evil] }, name: evil, description: evil },
    );
    const text = lines.join('\n');
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(text).toContain('\\u{1b}]0;title\\u{7}\\u{1b}[2J\\r\\n✓ all good \\u{202e}');
    expect(lines.filter((line) => line.startsWith('✓'))).toEqual([]);
  });

  it('cuts what is long', async () => {
    const list = Array.from({ length: 5000 }, (_, at) => `id-${at}`);
    const [, , , first, second, third] = await textOf(
      { all: [leaf('status', 'in', list), leaf('t', 'equal', 1), leaf('o', 'equal', 1)] },
      {
        event: {
          t: '审'.repeat(1_000_000),
          o: Object.fromEntries(list.map((name) => [name, { deep: [1, 2] }])),
        },
        width: 300,
      },
    );
    expect(first).toMatch(/is one of 属于 \["id-0", "id-1", .*, … 5000 in all\] — but was 1 待办\/to do$/);
    expect(second).toBe(`    ✗ t: is 等于 1 — but was "${'审'.repeat(38)}…" (1000000 characters)`);
    expect(third).toMatch(/but was \{"id-0": \{"deep": \[1, 2\]\}, .*… 5000 in all\}$/);
    for (const line of [first, second, third]) expect(line!.length).toBeLessThan(200);
  });

  it('breaks a line before what was instead when the terminal is narrow, counting two columns for 中', async () => {
    const conditions = { all: [leaf('biz_type', 'equal', '续签'.repeat(5))] };
    const wide = await textOf(conditions, { width: 82 });
    expect(wide[3]).toBe(
      '    ✗ biz_type 业务类型: is 等于 "续签续签续签续签续签" — but was "renewal_record"',
    );
    const narrow = await textOf(conditions, { width: 81 });
    expect(narrow.slice(3, 5)).toEqual([
      '    ✗ biz_type 业务类型: is 等于 "续签续签续签续签续签"',
      '        — but was "renewal_record"',
    ]);
    const [heading] = await textOf(conditions, {
      width: 40,
      description: '合同续签审批通过后通知薪资系统并发邮件',
    });
    expect(heading).toBe('✗ renewal-done  合同续签审批通过后通知…');
  });

  it('colours when it is asked to', async () => {
    const conditions = { all: [leaf('status', 'equal', 3)] };
    expect((await textOf(conditions, { colour: true })).join()).toContain('\u001b[31m✗\u001b[39m');
    expect((await textOf(conditions)).join()).not.toContain('\u001b');
  });
});
