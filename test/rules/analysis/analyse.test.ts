// What the analysis says, where it points, and what it leaves alone. Nothing is faked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { analyse } from '../../../src/rules/analysis/analyse.js';
import { factsOfWitness, nowOfWitness } from '../../../src/rules/analysis/witness-event.js';
import { judge } from '../../../src/rules/decide.js';
import type { Finding } from '../../../src/rules/finding.js';
import { readRuleFolder } from '../../../src/rules/rule-files.js';
import { analysed } from '../../support/analysed.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { healthyRuleFiles } from '../../support/rule-generator.js';
import {
  all,
  any,
  EXPENSE,
  filesOf,
  type Json,
  type JsonObject,
  leaf,
  not,
  rule,
  TASK,
  tell,
} from '../../support/rule-parts.js';

const catalogue = expenseCatalogue();
const seed = Number(process.env['FC_SEED'] ?? Date.now());
const NODE = 'corehr.process.node.updated_v2';
const renewal = leaf('biz_type', 'equal', 'renewal_record');
const status = (value: Json) => leaf('status', Array.isArray(value) ? 'in' : 'equal', value);

async function found(
  rules: readonly JsonObject[],
  others: Readonly<Record<string, Json>> = {},
  ...codes: readonly string[]
): Promise<readonly Finding[]> {
  const { findings, ruleSet } = await analysed(filesOf(rules, others), catalogue);
  expect(ruleSet).not.toBeNull();
  return findings.filter(({ code }) => (codes.length > 0 ? codes.includes(code) : code !== 'ENUM_UNHANDLED'));
}

/** The text that a finding underlines. */
function marked(files: ReadonlyMap<string, string>, { file, line, column, length = 1 }: Finding): string {
  return (files.get(file)?.split('\n')[line - 1] ?? '').slice(column - 1, column - 1 + length);
}

describe('a rule that never matches', () => {
  it('is named with the conditions of which none can be left out, and an event that comes near', async () => {
    const rules = [rule('a', TASK, all(renewal, status(2), leaf('type', 'equal', 1), status([3, 4])))];
    const [finding, ...rest] = await found(rules);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({
      code: 'CONDITIONS_NEVER',
      severity: 'warning',
      rule: 'a',
      message:
        '"a" never matches: status is 2 (拒绝 rejected) and status is one of [3 (已完成 done), 4 (取消 cancelled)] exclude each other',
      witness: { event: { event: { biz_type: 'renewal_record', status: 2, type: 1 } } },
      sentence: { zh: expect.stringContaining('规则 a'), en: expect.stringContaining('Rule a') },
    });
    expect(marked(filesOf(rules), finding!)).toBe('"conditions"');
  });

  it('is one that no known event type can meet, whatever is not known', async () => {
    const conditions = all(status(2), status(3));
    const codes = ['CONDITIONS_NEVER'];
    expect(await found([rule('a', 'corehr.process.*', conditions)], {}, ...codes)).toHaveLength(1);
    expect(await found([rule('a', 'hr.unknown_v1', conditions)], {}, ...codes)).toHaveLength(1);
    // Of types that nobody has described a status may be 5.
    expect(await found([rule('a', 'hr.unknown_v1', all(status(5)))], {}, ...codes)).toEqual([]);
    expect(
      await found([rule('a', 'corehr.process.*', all(leaf('approver_id', 'exists', false)))], {}, ...codes),
    ).toEqual([]);
  });

  it('is told of once, and not of what follows from it', async () => {
    const escalate = {
      per: 'task',
      steps: [{ after: '8h', actions: [tell('x', { body: { a: '{{ event.biz_type }}' } })] }],
    };
    const rules = [
      rule('a', TASK, all(status(2), status(3)), { escalate }),
      rule('b', TASK, all(status(2), status(3)), { escalate }),
    ];
    expect((await found(rules)).map(({ code, rule: name }) => [code, name])).toEqual([
      ['CONDITIONS_NEVER', 'a'],
      ['CONDITIONS_NEVER', 'b'],
    ]);
  });

  it('of which conditions stand elsewhere is marked where it uses them; json-rules-engine’s own shape too', async () => {
    const own = {
      name: 'own',
      conditions: all({ condition: 'common' }, status(3)),
      event: { type: 'http', params: { name: 'tell', url: 'https://desk.example/', when: all(status(1)) } },
    };
    const others = { 'a.conditions.json': { common: all(status(2)) } };
    const [finding] = await found([{ ...own, trigger: TASK }], others, 'CONDITIONS_NEVER');
    expect(marked(filesOf([{ ...own, trigger: TASK }], others), finding!)).toBe('"conditions"');
    const sound = { ...own, trigger: TASK, conditions: all(status(3)) };
    const [when] = await found([sound], {}, 'CONDITIONS_NEVER');
    expect(when?.message).toBe(
      'the action "tell" of "own" is never sent: status is 3 (已完成 done) and status is 1 (待办 to do) exclude each other',
    );
    expect(marked(filesOf([sound]), when!)).toBe('"when"');
  });

  it('is not asked about when it is switched off', async () => {
    expect(await found([rule('a', TASK, all(status(2), status(3)), { enabled: false })])).toEqual([]);
  });
});

describe('a rule that matches everything', () => {
  it('is an info when it says that every event is meant, and a warning otherwise', async () => {
    const severityOf = async (conditions: Parameters<typeof rule>[2]): Promise<unknown> =>
      (await found([rule('a', TASK, conditions)], {}, 'CONDITIONS_ALWAYS')).map(({ severity }) => severity);
    expect(await severityOf(all(leaf('event_type', 'exists', true)))).toEqual(['info']);
    expect(await severityOf(all(leaf('approver_id', 'exists', true)))).toEqual(['warning']);
    expect(await severityOf(any(leaf('event_type', 'exists', true), status(3)))).toEqual(['warning']);
    expect(await severityOf({ not: leaf('event_type', 'exists', false) })).toEqual(['warning']);
  });
});

describe('a schedule', () => {
  const trigger = { schedule: '0 9 * * *', over: 'task' };

  it('reads what may be missing: nothing is always there', async () => {
    expect(
      await found([rule('a', trigger, any(status([1, 2, 3, 4, 18]), status('x')))], {}, 'CONDITIONS_ALWAYS'),
    ).toEqual([]);
    expect(await found([rule('a', trigger, all(status(2), status(3)))], {}, 'CONDITIONS_NEVER')).toHaveLength(
      1,
    );
  });

  it('sends the same as another of the same times, and never as a rule for events', async () => {
    const one = rule('a', trigger, all(status(1)), { actions: [tell('x')] });
    const codes = ['RULE_SAME', 'RULE_SUBSUMED', 'ACTION_TWICE'];
    expect(await found([one, { ...one, name: 'b' }], {}, ...codes)).toMatchObject([
      { code: 'RULE_SAME', rule: 'b' },
    ]);
    expect(
      await found([one, { ...one, name: 'b', trigger: { ...trigger, schedule: '0 8 * * *' } }], {}, ...codes),
    ).toEqual([]);
    expect(await found([one, { ...one, name: 'b', trigger: TASK }], {}, ...codes)).toEqual([]);
  });
});

describe('two rules', () => {
  const codes = ['RULE_SAME', 'RULE_SUBSUMED', 'ACTION_TWICE', 'CONDITIONS_SAME'];
  const one = rule('one', TASK, all(renewal, status(3)), { actions: [tell('x')] });
  const pair = async (other: JsonObject) =>
    (await found([one, { ...one, name: 'two', ...other }], {}, ...codes)).map(({ code }) => code);

  it('are the same when gates and what they send are', async () => {
    expect(await pair({})).toEqual(['RULE_SAME']);
    expect(await pair({ conditions: not(any(not(status(3)), not(renewal))) })).toEqual(['RULE_SAME']);
    expect(await pair({ owner: 'somebody', description: 'else', priority: 7, labels: { a: 'b' } })).toEqual([
      'RULE_SAME',
    ]);
    expect(await pair({ actions: [tell('x', { name: 'other', retry: ['1m'] })] })).toEqual(['RULE_SAME']);
    expect(await pair({ oncePer: 'process' })).toEqual(['ACTION_TWICE']);
    expect(await pair({ actions: [tell('y')] })).toEqual(['CONDITIONS_SAME']);
    expect(await pair({ trigger: [TASK, NODE], conditions: all(renewal) })).toEqual(['RULE_SUBSUMED']);
  });

  it('send different things when a text reads the rule', async () => {
    const actions = [tell('x', { body: { by: '{{ rule.name }}' } })];
    const rules = [
      { ...one, actions },
      { ...one, name: 'two', actions },
    ];
    expect(await found(rules, {}, ...codes)).toMatchObject([{ code: 'CONDITIONS_SAME' }]);
  });

  it('of which one takes the place of the other on a day are meant so', async () => {
    const rules = [
      { ...one, effective: { until: '2026-06-30' } },
      { ...one, name: 'two', effective: { from: '2026-07-01' } },
    ];
    expect(await found(rules, {}, ...codes)).toEqual([]);
  });

  it('that count what they send are superfluous only when the very same', async () => {
    for (const gate of [
      { oncePer: 'task' },
      { throttle: { max: 1, per: '1h' } },
      { budget: { max: 9, per: '1h' } },
    ]) {
      const rules = [
        { ...one, ...gate },
        { ...one, ...gate, name: 'two', conditions: all(renewal) },
      ];
      expect((await found(rules, {}, ...codes)).map(({ code }) => code)).toEqual(['ACTION_TWICE']);
      expect(
        (await found([rules[0]!, { ...rules[0]!, name: 'two' }], {}, ...codes)).map(({ code }) => code),
      ).toEqual(['RULE_SAME']);
    }
  });

  it('with escalations are superfluous only when the very same', async () => {
    const escalate = { per: 'task', steps: [{ after: '8h', actions: [tell('x')] }] };
    const wide = rule('wide', TASK, all(renewal, status([1, 4])), { escalate });
    const narrow = rule('narrow', TASK, all(renewal, status(1)), { escalate });
    expect((await found([wide, narrow], {}, 'RULE_SAME', 'RULE_SUBSUMED')).length).toBe(0);
    expect(await found([narrow, { ...narrow, name: 'copy' }], {}, 'RULE_SAME')).toHaveLength(1);
  });

  it('are named at the later one, once each, however many there are', async () => {
    const rules = Array.from({ length: 6 }, (_, at) => ({ ...one, name: `copy-${at}` }));
    const findings = await found(rules, {}, ...codes);
    expect(findings.map(({ code, rule: name }) => [code, name])).toEqual(
      [1, 2, 3, 4, 5].map((at) => ['RULE_SAME', `copy-${at}`]),
    );
    const apart = Array.from({ length: 6 }, (_, at) =>
      rule(
        `part-${at}`,
        EXPENSE,
        all(leaf('amount', 'greaterThan', at), leaf('amount', 'lessThan', at + 10)),
        { actions: [tell('x')] },
      ),
    );
    expect((await found(apart, {}, ...codes)).map(({ rule: name }) => name)).toEqual([
      'part-1',
      'part-2',
      'part-2',
      'part-3',
      'part-3',
      'part-3',
      'part-4',
      'part-4',
      'part-4',
      'part-5',
      'part-5',
      'part-5',
    ]);
  });
});

describe('an escalation', () => {
  const escalate = { per: 'task', steps: [{ after: '8h', actions: [tell('x')] }] };
  const endless = async (conditions: JsonObject, more: JsonObject = {}, trigger: Json = TASK) =>
    (
      await found(
        [rule('a', trigger, conditions, { escalate: { ...escalate, ...more } })],
        {},
        'LADDER_ENDLESS',
      )
    ).length > 0;

  it('has to end somehow', async () => {
    expect(await endless(all(renewal))).toBe(true);
    expect(await endless(all(renewal, leaf('event.late', 'equal', false)))).toBe(true);
    expect(await endless(all(renewal), { per: 'process' })).toBe(true);
    expect(await endless(all(renewal, status(1)))).toBe(false);
    expect(await endless(all(renewal, leaf('node.pending', 'greaterThan', 0)))).toBe(false);
    expect(await endless(all(renewal, leaf('create_time', 'newerThan', '2d')))).toBe(false);
    expect(await endless(all(renewal), { confirm: true })).toBe(false);
    expect(await endless(all(renewal), { cancelOn: all(status(3)) })).toBe(false);
    expect(await endless(all(renewal), { per: 'process' }, 'corehr.process.cc.updated_v2')).toBe(false);
  });
});

describe('a transition', () => {
  it('is marked at its value, also in a named condition', async () => {
    const rules = [rule('a', TASK, all(renewal, leaf('task.transition', 'in', ['1>3', '3>2'])))];
    const [finding] = await found(rules, {}, 'TRANSITION_FORBIDDEN');
    expect(marked(filesOf(rules), finding!)).toBe('"3>2"');
    const others = { 'a.conditions.json': { back: all(leaf('task.transition', 'equal', '3>1')) } };
    const named = [rule('a', TASK, all(renewal, { condition: 'back' }))];
    const [reopens] = await found(named, others, 'TRANSITION_REOPENS');
    expect(reopens).toMatchObject({
      severity: 'info',
      file: 'a.conditions.json',
      mend: expect.stringContaining('task.reopened'),
    });
    expect(marked(filesOf(named, others), reopens!)).toBe('"3>1"');
  });

  it('that happens is left alone', async () => {
    for (const value of ['>1', '1>2', '1>3', '1>18', '1>1', '3>3'])
      expect(await found([rule('a', TASK, all(renewal, leaf('task.transition', 'equal', value)))])).toEqual(
        [],
      );
    expect(await found([rule('a', TASK, all(leaf('task.previousStatus', 'equal', 1), status(3)))])).toEqual(
      [],
    );
  });
});

describe('statuses that no rule handles', () => {
  const rules = [
    rule('a', TASK, all(renewal, status(1))),
    rule('b', TASK, all(leaf('biz_type', 'in', ['renewal_record', 'probation']), status([2, 3]))),
    rule('c', TASK, all(status(18), leaf('type', 'equal', 1))),
  ];

  it('are told by business type, with an event that no rule matches', async () => {
    const findings = await found(rules, {}, 'ENUM_UNHANDLED');
    expect(findings).toMatchObject([
      {
        severity: 'info',
        message: `no rule matches ${TASK} with biz_type "renewal_record" and status 4 (取消, cancelled)`,
        witness: { event: { event: { biz_type: 'renewal_record', status: 4 } } },
      },
      {
        message: `no rule matches ${TASK} with biz_type "probation" and status 1 (待办, to do), 4 (取消, cancelled)`,
      },
    ]);
    expect(findings.map((finding) => marked(filesOf(rules), finding))).toEqual([
      '"renewal_record"',
      '"probation"',
    ]);
  });
});

describe('the budget', () => {
  const rules = Array.from({ length: 40 }, (_, at) =>
    rule(
      `rule-${at}`,
      EXPENSE,
      all(leaf('claim_id', 'startsWith', `${at}-`), leaf('amount', 'greaterThan', at)),
      {
        actions: [tell('x')],
      },
    ),
  );

  it('ends the analysis and says how much was left out', async () => {
    const { findings } = await analysed(filesOf(rules), catalogue, 1500);
    const [cut] = findings.filter(({ code }) => code === 'ANALYSIS_CUT');
    expect(cut).toMatchObject({
      severity: 'info',
      message: expect.stringMatching(/^the analysis has ended before its end: \d+ questions/),
    });
    const full = await analysed(filesOf(rules), catalogue);
    expect(full.findings.filter(({ code }) => code === 'ANALYSIS_CUT')).toEqual([]);
  });

  it('is for each rule by itself first: pairs do not use it up', async () => {
    const never = rule(
      'z-never',
      EXPENSE,
      all(leaf('amount', 'greaterThan', 2), leaf('amount', 'lessThan', 1)),
    );
    const { findings, questions } = await analysed(filesOf([...rules, never]), catalogue, 25_000);
    expect(findings.map(({ code }) => code)).toContain('CONDITIONS_NEVER');
    expect(questions['CONDITIONS_NEVER']).toEqual({ yes: 1, no: 40, undecided: 0 });
  });
});

describe('the analysis', () => {
  it('gives the same answer again, and tells how far it is', async () => {
    const { files } = await readRuleFolder('rules');
    const first = await analysed(files, catalogue);
    const steps: [number, number][] = [];
    const again = analyse(first.ruleSet!, files, { progress: (done, of) => steps.push([done, of]) });
    expect(again.findings).toEqual(first.findings);
    expect(again.questions).toEqual(first.questions);
    expect(steps.at(-1)).toEqual([8, 8]);
    expect(steps.map(([done]) => done)).toEqual([...steps.map(([done]) => done)].sort((a, b) => a - b));
  });

  it('has nothing above info against the example rules', async () => {
    const { files } = await readRuleFolder('rules');
    const { findings } = await analysed(files, catalogue);
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it('comes to an end with any sound rules, and its witnesses are some', async () => {
    await fc.assert(
      fc.asyncProperty(healthyRuleFiles(catalogue), async (files) => {
        const { findings, ruleSet } = await analysed(files, catalogue);
        for (const { code, rule: name = '', message, witness, file, line, column } of findings) {
          const lines = (files.get(file) ?? '').split(/\r\n|\r|\n/);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
          const one = ruleSet?.ruleOf(name);
          if (!witness || !one || message.startsWith('the action') || message.startsWith('"cancelOn"'))
            continue;
          const facts = factsOfWitness(witness);
          const inputs = { now: nowOfWitness(witness), timezone: 'Asia/Shanghai', calendar: 'cn' };
          const wanted = ['CONDITIONS_NEVER', 'ENUM_UNHANDLED'].includes(code) ? false : true;
          if (one.readsClock || ruleSet!.lookups.size > 0) continue;
          const { verdict } = await judge(ruleSet!, one, facts, inputs);
          expect([message, verdict === 'matched']).toEqual([message, wanted]);
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});
