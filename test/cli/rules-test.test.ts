// Real: rule files and cases on disk, the check, the runner; what needs a process of its own runs the built command.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type TestOptions, testRules } from '../../src/cli/rules-test.js';
import { type Captured, captured } from '../support/captured-output.js';
import { CommandProcess, runCommand } from '../support/command.js';
import { until } from '../support/door.js';
import { folderWith, put, temporaryFolder } from '../support/folder.js';

const RULE = {
  name: 'done',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: {
    all: [
      { fact: 'biz_type', operator: 'equal', value: 'renewal_record' },
      { fact: 'status', operator: 'equal', value: 3 },
    ],
  },
  actions: [
    {
      type: 'http',
      name: 'tell',
      url: 'https://books.example/tell',
      body: { process: '{{ event.process_id }}', note: 'line one\nstatus {{ event.status }}\nline three' },
    },
  ],
};
const SENT = { rule: 'done', action: 'tell' };
const GOOD = [
  { name: 'approved', steps: [{ event: { status: 3 } }], expect: [SENT] },
  { name: 'pending', steps: [{ event: { status: 1 } }], expect: [] },
  { name: 'another', steps: [{ event: { status: 3, biz_type: 'job_change' } }], expect: [] },
];
const PLAIN = { json: false, coverage: false, mutate: false, watch: false };

function folderOf(cases: readonly object[], more: Record<string, string> = {}): string {
  return folderWith({
    'topic/done.rule.json': JSON.stringify(RULE, null, 2),
    'topic/done.cases.json': JSON.stringify({ cases }, null, 2),
    ...more,
  });
}

async function run(folder: string | undefined, options: Partial<TestOptions> = {}): Promise<Captured> {
  return await captured(() => testRules(folder, { ...PLAIN, ...options }));
}

/** Without what differs from run to run. */
function lasting(text: string): string {
  return text.replace(/\(\d+\.\d s\); rule set [0-9a-f]{12}/, '(… s); rule set …');
}

afterEach(() => {
  delete process.env['RULES_DIR'];
});

describe('rules test', () => {
  it('exits 0 when all cases pass, and says so on two lines', async () => {
    const { code, out, err } = await run(folderOf(GOOD));
    expect({ code, out: lasting(out), err }).toEqual({
      code: 0,
      out: '✓ topic/done.cases.json  3 passed 通过\n\n3 passed 通过 in 1 file 文件 (… s); rule set …\n',
      err: '',
    });
  });

  it('shows what differs from what was expected, and the delivery that comes nearest', async () => {
    const { code, out } = await run(
      folderOf([
        {
          name: 'approved',
          steps: [{ event: { status: 3 } }, { advance: '2h' }],
          expect: [
            {
              ...SENT,
              at: '1h',
              with: { body: { process: '7', note: 'line one\nstatus 2\nline three' } },
            },
          ],
        },
      ]),
    );
    expect(code).toBe(1);
    expect(lasting(out)).toBe(
      [
        '✗ topic/done.cases.json  0 passed 通过, 1 failed 失败',
        '  ✗ approved  topic/done.cases.json:3',
        '    other than expected 与预期不符: done / tell, at 1h',
        '      closest 最接近: done / tell to http:books.example, at 0s (2026-01-05T09:00:00+08:00), sent 已发送',
        '      at',
        '        − "1h"',
        '        + "0s"',
        '      body.process',
        '        − "7"',
        '        + "7072306364927985196"',
        '      body.note',
        '          line one',
        '        − status 2',
        '        + status 3',
        '          line three',
        '',
        '− expected 预期   + got 实际',
        '',
        '0 passed 通过, 1 failed 失败 in 1 file 文件 (… s); rule set …',
        '',
      ].join('\n'),
    );
  });

  it('shows what is missing, what nobody expected, and why a verdict is another one', async () => {
    const { code, out } = await run(
      folderOf([
        { name: 'missing', steps: [{ event: { status: 1 } }], expect: [SENT], verdicts: { done: 'matched' } },
        { name: 'unexpected', steps: [{ event: { status: 3 } }], expect: [] },
        {
          name: 'because',
          steps: [
            { event: { status: 1 }, verdicts: { done: { verdict: 'not matched', because: ['biz_type'] } } },
          ],
          expect: [],
        },
        { name: 'broken', steps: [{ event: { statuss: 1 } }], expect: [] },
      ]),
    );
    expect(code).toBe(1);
    const text = lasting(out);
    expect(text).toContain(
      [
        '    verdict 判定 of done:',
        '      − matched 命中',
        '      + not matched 未命中',
        '      ✗ done',
        '        not matched 未命中, near miss 差一点命中  topic/done.rule.json:1',
        '        ✗ all of 全部',
        '          ✓ biz_type 业务类型: is 等于 "renewal_record"',
        '          ✗ status 状态: is 等于 3 已完成/done — but was 1 待办/to do',
      ].join('\n'),
    );
    expect(text).toContain('    missing 缺少: done / tell\n');
    expect(text).toContain('    unexpected 多余: done / tell to http:books.example, at 0s');
    expect(text).toContain(
      '      because\n          [\n        −   "biz_type"\n        +   "status"\n          ]\n',
    );
    expect(text).toContain(
      'cannot be run 无法运行 in step 步骤 1: "statuss" is no field of corehr.process.approver.updated_v2. Did you mean "status"?',
    );
  });

  it('prints one JSON document with the results, the coverage and the mutants', async () => {
    const { code, out } = await run(folderOf(GOOD), { json: true, coverage: true, mutate: true });
    const document = JSON.parse(out) as Record<string, unknown>;
    expect(code).toBe(0);
    expect(Object.keys(document)).toEqual(['ok', 'ruleSet', 'cases', 'results', 'coverage', 'mutation']);
    expect(document).toMatchObject({
      ok: true,
      cases: { passed: 3, failed: 0 },
      results: GOOD.map(({ name }) => ({ file: 'topic/done.cases.json', name, ok: true, failures: [] })),
      coverage: { percent: 100, rules: [{ rule: 'done', conditions: { seen: 4, of: 4 } }] },
      mutation: { percent: 100, killed: 8, survived: 0, equivalent: 0, notRunnable: 0 },
    });
    expect(Object.keys(JSON.parse((await run(folderOf(GOOD), { json: true })).out) as object)).toEqual([
      'ok',
      'ruleSet',
      'cases',
      'results',
    ]);
  });

  it('runs only the cases that are meant', async () => {
    const { out } = await run(folderOf(GOOD), { json: true, filter: 'PEND' });
    expect(JSON.parse(out)).toMatchObject({
      cases: { passed: 1, failed: 0 },
      results: [{ name: 'pending' }],
    });
    const { code, err } = await run(folderOf(GOOD), { filter: 'nothing of the kind' });
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^No case in .* is called anything with "nothing of the kind"\.\n$/),
    ]);
  });

  it('shows the coverage of each rule and what was never seen, with its line', async () => {
    const [approved] = GOOD;
    const { code, out } = await run(folderOf([approved!]), { coverage: true });
    expect(code).toBe(0);
    expect(out).toMatch(/done +2\/4 +1\/1 +– +60 %\n/);
    expect(out).toContain(
      '  done: never seen false 从未不成立: biz_type is "renewal_record"  topic/done.rule.json:6\n' +
        '  done: never seen false 从未不成立: status is 3 (已完成 done)  topic/done.rule.json:11\n',
    );
    expect(out).toContain('coverage 覆盖率: 60 % (3 of 5)\n');
  });

  it('shows the mutation score and says of each survivor what the tests do not notice', async () => {
    const { code, out } = await run(folderOf(GOOD.slice(0, 2)), { mutate: true });
    expect(code).toBe(0);
    expect(out).toMatch(/done +7 +1 +0 +0 +87\.5 %\n/);
    expect(out).toContain(
      '  done: the tests do not notice if 测试未察觉 the condition biz_type is "renewal_record" is left out  topic/done.rule.json:6\n',
    );
    const weak = [{ name: 'others', steps: [{ event: { status: 1 } }], expect: [] }];
    expect((await run(folderOf(weak), { mutate: true })).out).toContain(
      'done: the tests do not notice if 测试未察觉 status 3 (已完成 done) becomes 2 (拒绝 rejected)  topic/done.rule.json:14\n' +
        '    a case with this step would 加此步骤即可察觉: {"event":{"status":3}}\n',
    );
  });

  it('exits 1 below the threshold, of the mutation score too, and names the rules', async () => {
    const folder = folderOf(GOOD.slice(0, 2));
    const below = 'The coverage 覆盖率 is 80 %, below 81 %: done 80 %\n';
    expect(await run(folder, { threshold: 80 })).toMatchObject({ code: 0, err: '' });
    expect(await run(folder, { threshold: 81 })).toMatchObject({ code: 1, err: below });
    expect(await run(folderOf(GOOD), { threshold: 100, mutate: true })).toMatchObject({ code: 0 });
    const { code, err } = await run(folderOf([GOOD[0]!, GOOD[1]!]), { threshold: 88, mutate: true });
    expect(code).toBe(1);
    expect(err).toContain('The mutation score 变异得分 is 87.5 %, below 88 %: done 87.5 %\n');
  });

  it('counts a rule without a case as one of which nothing was seen, unless only some cases are meant', async () => {
    const other = { ...RULE, name: 'other' };
    const folder = folderOf(GOOD, { 'topic/other.rule.json': JSON.stringify(other) });
    const below = 'The coverage 覆盖率 is 50 %, below 51 %: other 0 %\n';
    expect(await run(folder, { threshold: 51 })).toMatchObject({ code: 1, err: below });
    expect(await run(folder, { threshold: 50 })).toMatchObject({ code: 0, err: '' });
    expect(await run(folder, { threshold: 100, filter: 'done' })).toMatchObject({ code: 0, err: '' });
  });

  it('says why nothing was sent: the conditions that do not hold, or the gate', async () => {
    const rejected = { name: 'rejected', steps: [{ event: { status: 2 } }], expect: [SENT] };
    const { out } = await run(folderOf([rejected]));
    expect(out).toContain('✗ status 状态: is 等于 3 已完成/done — but was 2 拒绝/rejected');
    const twice = {
      name: 'twice',
      steps: [{ event: { status: 3 } }, { event: { status: 3 } }],
      expect: [SENT, SENT],
    };
    const once = { 'topic/done.rule.json': JSON.stringify({ ...RULE, oncePer: 'task' }) };
    expect((await run(folderOf([twice], once))).out).toContain(
      '    missing 缺少: done / tell\n      not sent 未发送: tell: once-per\n',
    );
  });

  it('exits 1 when the rule files are broken, with the findings', async () => {
    const folder = folderOf(GOOD, { 'topic/wrong.rule.json': '{"name": "wrong"}' });
    const text = await run(folder);
    expect([text.code, text.out]).toEqual([1, '']);
    expect(text.err).toContain('topic/wrong.rule.json:1:1 error RULE_KEY_MISSING');
    const { code, out } = await run(folder, { json: true });
    const document = JSON.parse(out) as { findings: readonly { severity: string }[] };
    expect([code, document]).toMatchObject([
      1,
      { ok: false, ruleSet: null, cases: { passed: 0, failed: 0 } },
    ]);
    expect(document.findings.every(({ severity }) => severity === 'error')).toBe(true);
  });

  it('exits 1 when there is no case, and 2 on wrong use', async () => {
    const rules = { 'done.rule.json': JSON.stringify(RULE) };
    expect(await run(folderWith(rules))).toMatchObject({
      code: 1,
      err: expect.stringContaining('write some beside a rule, as <name>.cases.json') as unknown,
    });
    for (const [folder, options] of [
      [join(temporaryFolder('none'), 'none'), {}],
      [folderOf(GOOD), { json: true, junit: '-' }],
      [folderOf(GOOD), { json: true, watch: true }],
    ] as const)
      expect(await run(folder, options)).toMatchObject({ code: 2, out: '' });
  });

  it('takes the time zone and the calendar from the environment', async () => {
    const evening = {
      ...RULE,
      conditions: { all: [{ fact: 'now.time', operator: 'equal', value: '01:00' }] },
    };
    const folder = folderWith({
      'done.rule.json': JSON.stringify(evening),
      'done.cases.json': JSON.stringify({
        cases: [{ name: 'night', steps: [{ event: {} }], expect: [SENT] }],
      }),
    });
    expect((await run(folder)).code).toBe(1);
    process.env['DEFAULT_TIMEZONE'] = 'UTC';
    try {
      expect((await run(folder)).code).toBe(0);
    } finally {
      delete process.env['DEFAULT_TIMEZONE'];
    }
  });
});

describe('rules test --junit', () => {
  it('writes a suite for each file, failures and errors apart', async () => {
    const report = join(temporaryFolder('junit'), 'deep', 'report.xml');
    const folder = folderOf([
      GOOD[0]!,
      { name: 'wrong & <odd> "name"\u0001', steps: [{ event: { status: 3 } }], expect: [] },
      { name: 'broken', steps: [{ event: { statuss: 1 } }], expect: [] },
    ]);
    const { code, out } = await run(folder, { junit: report });
    expect([code, out]).toEqual([1, expect.stringContaining('✗ topic/done.cases.json')]);
    const xml = readFileSync(report, 'utf8');
    expect(wellFormed(xml)).toEqual([
      'testsuites',
      'testsuite',
      'testcase',
      'testcase',
      'failure',
      'testcase',
      'error',
    ]);
    expect(xml).toMatch(/<testsuites name="aftersign rules test" tests="3" failures="1" errors="1" time="\d/);
    expect(xml).toContain('<testsuite name="topic/done.cases.json" tests="3" failures="1" errors="1"');
    expect(xml).toContain(
      'name="wrong &amp; &lt;odd&gt; &quot;name&quot;\\u{1}" classname="topic/done" file="topic/done.cases.json"',
    );
    expect(xml).toContain('message="unexpected: done / tell" type="unexpected"');
  });

  it('writes to standard output and nothing else there, and of broken rule files each mistake', async () => {
    const good = await run(folderOf(GOOD), { junit: '-' });
    expect([good.code, wellFormed(good.out)]).toEqual([
      0,
      ['testsuites', 'testsuite', 'testcase', 'testcase', 'testcase'],
    ]);
    const broken = await run(folderOf(GOOD, { 'wrong.rule.json': '{' }), { junit: '-' });
    expect(broken.code).toBe(1);
    expect(wellFormed(broken.out)).toEqual(['testsuites', 'testsuite', 'testcase', 'error']);
  });
});

describe('the command', () => {
  it('runs without database and service', async () => {
    const { code, stdout, stderr } = await runCommand(['rules', 'test', folderOf(GOOD)]);
    expect([code, lasting(stdout), stderr]).toEqual([
      0,
      '✓ topic/done.cases.json  3 passed 通过\n\n3 passed 通过 in 1 file 文件 (… s); rule set …\n',
      '',
    ]);
    for (const wrong of [['--threshold', '101'], ['--threshold', 'most'], ['--what']])
      expect((await runCommand(['rules', 'test', folderOf(GOOD), ...wrong])).code).toBe(2);
  });

  it('runs again at every change with --watch, until it is interrupted', async () => {
    const folder = folderOf(GOOD);
    const command = new CommandProcess(['rules', 'test', folder, '--watch']);
    const waits = (times: number) => (): boolean =>
      command.stderr.split('Waiting for changes').length > times;
    await until(waits(1), 20_000);
    put(folder, {
      'topic/done.cases.json': JSON.stringify({ cases: [{ ...GOOD[0], expect: [] }] }),
    });
    await until(waits(2), 20_000);
    writeFileSync(join(folder, 'topic', 'done.rule.json'), '{');
    await until(waits(3), 20_000);
    command.kill('SIGINT');
    const { code, stdout, stderr } = await command.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('✓ topic/done.cases.json  3 passed 通过\n');
    expect(stdout).toContain('✗ topic/done.cases.json  0 passed 通过, 1 failed 失败\n');
    expect(stderr).toContain('topic/done.rule.json:1:2 error JSON_INVALID');
  });
});

/** The elements in their order; throws when the text is no XML: unclosed, unescaped, or with impossible characters. */
function wellFormed(xml: string): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(xml))
    throw new Error('it holds a character that XML has not');
  const rest = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  const token =
    /<(\/?)([a-z]+)((?: [a-z]+="(?:[^<>&"]|&(?:[a-z]+|#\d+);)*")*)(\/?)>|((?:[^<>&]|&(?:[a-z]+|#\d+);)+)/y;
  while (token.lastIndex < rest.length) {
    const at = token.lastIndex;
    const [, closes, name = '', , empty] = token.exec(rest) ?? [];
    if (token.lastIndex === 0) throw new Error(`this is no XML: ${rest.slice(at, at + 80)}`);
    if (name === '') continue;
    if (closes === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    names.push(name);
    if (empty !== '/') open.push(name);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join()}`);
  return names;
}
