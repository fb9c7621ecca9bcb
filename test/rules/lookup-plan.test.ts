// Pure: no Nest, no database, no network.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { decide, type DecisionInputs, judge, type Subject } from '../../src/rules/decide.js';
import { explainEvent } from '../../src/rules/explain.js';
import type { LookupAnswers } from '../../src/rules/lookup-document.js';
import { type LookupPlan, planLookups } from '../../src/rules/lookup-plan.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { approverEvent } from '../support/feishu.js';

const TYPE = 'corehr.process.approver.updated_v2';
const NOW = Date.UTC(2026, 10, 2, 9);
const INPUTS: DecisionInputs = { now: NOW, timezone: 'Asia/Shanghai' };
const CATALOGUE = loadBuiltInCatalogue();

const LOOKUPS = {
  process: { type: 'feishu-process', id: '{{ event.process_id }}', task: '{{ event.approver_id }}' },
  user: { type: 'feishu-user', id: '{{ lookup.process.task.operator_id }}' },
  employee: {
    type: 'http',
    url: 'https://hr.example.com/employees/{{ event.approver_id }}',
    headers: { Authorization: 'Bearer {{ secrets.HR }}', 'X-Process': '{{ event.process_id }}' },
  },
};

async function ruleSetOf(rules: readonly object[], lookups: object = LOOKUPS): Promise<RuleSet> {
  const files = new Map(rules.map((rule, index) => [`${index}.rule.json`, JSON.stringify(rule)]));
  files.set('lookups.json', JSON.stringify(lookups));
  const { ruleSet, findings } = await compileRuleSet(files, CATALOGUE);
  if (!ruleSet) throw new Error(JSON.stringify(findings, null, 2));
  return ruleSet;
}

const leaf = (fact: string, operator: string, value: unknown, path?: string): object => ({
  fact,
  operator,
  value,
  ...(path === undefined ? {} : { path }),
});
const all = (...leaves: object[]): object => ({ all: leaves });
const DONE = leaf('status', 'equal', 3);
const WAITING = leaf('status', 'equal', 1);

function rule(name: string, conditions: object, body: unknown = {}, extra: object = {}): object {
  return {
    name,
    trigger: TYPE,
    conditions,
    actions: [{ type: 'http', name: 'tell', url: 'https://a.example/', body }],
    ...extra,
  };
}

function subject(event: Record<string, unknown> = {}, eventType = TYPE): Subject {
  const facts = new Map(Object.entries({ event_type: eventType, ...approverEvent({ status: 3 }), ...event }));
  return { key: 'feishu:cli_a/e1', eventType, entity: 'process:1', appId: 'cli_a', facts };
}

function plan(ruleSet: RuleSet, lookups?: LookupAnswers, of = subject()): LookupPlan {
  return planLookups(ruleSet, of, { ...INPUTS, ...(lookups ? { lookups } : {}) });
}
const namesIn = ({ fetch }: LookupPlan): string[] => fetch.map(({ name }) => name);

/** Answers what is asked, look-up by look-up, and counts the rounds that it takes. */
function answerAll(
  ruleSet: RuleSet,
  values: Record<string, unknown>,
  of = subject(),
): { readonly answers: LookupAnswers; readonly rounds: string[][] } {
  let answers: LookupAnswers = {};
  const rounds: string[][] = [];
  for (;;) {
    const { fetch, failed } = plan(ruleSet, answers, of);
    answers = { ...answers, ...failed };
    if (fetch.length === 0) return { answers, rounds };
    rounds.push(fetch.map(({ name }) => name));
    for (const { name, key } of fetch) {
      const value = values[name];
      const failure = { code: 'HTTP_503', detail: 'it is down' };
      answers = {
        ...answers,
        [name]:
          value === undefined
            ? { request: key, failed: failure, fetchedAt: NOW }
            : { request: key, value, fetchedAt: NOW },
      };
    }
  }
}

const PROCESS = { status: 9, task: { operator_id: 'ou_1', list: 'done_list' } };
const USER = { name: '王芳', email: 'fang@example.com', status: { is_resigned: false } };

describe('planLookups', () => {
  it('asks nothing for rules that say no, that are off, that listen to something else or that read no look-up', async () => {
    const asks = all(leaf('lookup.process.status', 'equal', 9));
    const ruleSet = await ruleSetOf([
      rule('no', all(WAITING, leaf('lookup.user.name', 'equal', 'a')), '{{ lookup.employee.x }}'),
      rule('off', asks, {}, { enabled: false }),
      rule('over', asks, {}, { effective: { until: '2020-01-01' } }),
      rule('deaf', asks, {}, { trigger: 'corehr.process.updated_v2' }),
      rule('plain', all(DONE)),
      rule('any', { any: [DONE, leaf('lookup.user.name', 'equal', 'a')] }),
    ]);
    expect(plan(ruleSet)).toEqual({ fetch: [], failed: {}, answers: {} });
  });

  it('asks what the templates of a rule that matches read, and what the conditions of an undecided one read', async () => {
    const templates = await ruleSetOf([
      rule('r', all(DONE), { who: ['x {{ lookup.employee.name | default: "-" }}'] }),
    ]);
    expect(namesIn(plan(templates))).toEqual(['employee']);
    const conditions = await ruleSetOf([
      rule('r', all(DONE, leaf('lookup.process.status', 'equal', 9)), '{{ lookup.employee.name }}'),
    ]);
    expect(namesIn(plan(conditions))).toEqual(['process']);
    const other = await ruleSetOf([
      rule('r', all(leaf('biz_type', 'equal', { fact: 'lookup.process.flow_template_id' }))),
    ]);
    expect(namesIn(plan(other))).toEqual(['process']);
  });

  it('asks under the templates of matched rules only when the conditions are decided', async () => {
    const ruleSet = await ruleSetOf([
      rule('r', all(DONE, leaf('lookup.process.status', 'equal', 9)), '{{ lookup.employee.name }}'),
    ]);
    expect(answerAll(ruleSet, { process: PROCESS, employee: { name: 'a' } }).rounds).toEqual([
      ['process'],
      ['employee'],
    ]);
    expect(answerAll(ruleSet, { process: { status: 1 } }).rounds).toEqual([['process']]);
  });

  it('asks a look-up whose templates read another one after that one', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.user.name', 'equal', '王芳')))]);
    const { rounds, answers } = answerAll(ruleSet, { process: PROCESS, user: USER });
    expect(rounds).toEqual([['process'], ['user']]);
    expect(answers['user']).toMatchObject({ value: USER });
    const { fetch } = plan(ruleSet, { process: answers['process']! });
    expect(fetch).toMatchObject([
      { request: { kind: 'feishu-user', app: null, id: 'ou_1', idType: 'open_id' } },
    ]);
  });

  it('fails what cannot be asked, with the reason, and asks it no more', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.user.name', 'equal', '王芳')))]);
    const { answers, rounds } = answerAll(ruleSet, { process: { status: 9 } });
    expect(rounds).toEqual([['process']]);
    expect(answers['user']).toEqual({
      request: '',
      failed: {
        code: 'TEMPLATE_VALUE_MISSING',
        detail:
          '{{ lookup.process.task.operator_id }} has no value: the answer of the look-up "process" has no "task.operator_id"',
      },
      fetchedAt: NOW,
    });
    expect(plan(ruleSet, answers)).toMatchObject({ fetch: [], failed: {} });
    const down = answerAll(ruleSet, {});
    expect(down.rounds).toEqual([['process']]);
    expect(down.answers['user']).toMatchObject({
      failed: { detail: expect.stringContaining('the look-up "process" failed: HTTP_503: it is down') },
    });
  });

  it.each([[''], [null], ['..'], ['a\u0000b'], ['a b'], ['x'.repeat(201)]])(
    'takes %j of an event for no id',
    async (id) => {
      const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.process.status', 'equal', 9)))]);
      const { fetch, failed } = plan(ruleSet, {}, subject({ process_id: id }));
      expect(fetch).toEqual([]);
      expect(failed['process']).toMatchObject({
        request: '',
        failed: { code: expect.stringMatching(/^TEMPLATE_VALUE_/) },
      });
    },
  );

  it('finds the process of an event that has no task', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.process.status', 'equal', 9)))]);
    const of = subject();
    const facts = new Map(of.facts);
    facts.delete('approver_id');
    const { fetch } = plan(ruleSet, {}, { ...of, facts });
    expect(fetch).toMatchObject([{ request: { kind: 'feishu-process', task: null } }]);
  });

  it('does not take an answer to another question for one to this', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.user.name', 'equal', '王芳')))]);
    const { answers } = answerAll(ruleSet, { process: PROCESS, user: USER });
    const edited = await ruleSetOf([rule('r', all(leaf('lookup.user.name', 'equal', '王芳')))], {
      ...LOOKUPS,
      user: { ...LOOKUPS.user, id: '{{ lookup.process.initiator_id }}' },
    });
    expect(namesIn(plan(edited, answers))).toEqual([]);
    expect(plan(edited, answers).failed['user']).toMatchObject({ request: '' });
    expect(plan(edited, answers).answers['process']).toEqual(answers['process']);
    const moved = subject({ process_id: '2' });
    expect(namesIn(plan(ruleSet, answers, moved))).toEqual(['process']);
    expect(plan(ruleSet, answers, moved).answers).toEqual({});
  });

  it('names what it asks without its secrets, and two different questions differently', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(DONE), '{{ lookup.employee.name }}')]);
    const [planned] = plan(ruleSet).fetch;
    expect(planned?.request).toMatchObject({
      kind: 'http',
      url: expect.stringMatching(/^https:\/\/hr\.example\.com\/employees\/\d+$/),
      content: { method: 'GET', timeoutMs: 5000 },
      secrets: [{ at: ['headers', 'authorization'], pieces: ['Bearer ', { secret: 'HR' }] }],
    });
    const [other] = plan(ruleSet, {}, subject({ process_id: '2' })).fetch;
    expect(other?.key).not.toBe(planned?.key);
    const [same] = plan(ruleSet, {}, subject({ note: 'x' })).fetch;
    expect(same?.key).toBe(planned?.key);
  });

  it('keeps a rule as a candidate that requires a value of an answer that is not there yet', async () => {
    const many = Array.from({ length: 40 }, (_, at) =>
      rule(`r-${at}`, all(DONE, leaf('lookup.process.status', 'equal', at))),
    );
    const ruleSet = await ruleSetOf(many);
    expect(namesIn(plan(ruleSet))).toEqual(['process']);
    const { answers } = answerAll(ruleSet, { process: { status: 9 } });
    const { verdicts } = await decide(ruleSet, subject(), { ...INPUTS, lookups: answers });
    expect(verdicts).toEqual([{ rule: 'r-9', verdict: 'matched' }]);
  });
});

describe('decide with look-ups', () => {
  const decided = async (
    ruleSet: RuleSet,
    values: Record<string, unknown>,
    of = subject(),
  ): Promise<Awaited<ReturnType<typeof decide>>> => {
    const { answers } = answerAll(ruleSet, values, of);
    return decide(ruleSet, of, { ...INPUTS, lookups: answers });
  };

  it('reads answers by dots, numbers and paths, in conditions and in templates', async () => {
    const ruleSet = await ruleSetOf([
      rule(
        'r',
        all(
          leaf('lookup.process.task.operator_id', 'equal', 'ou_1'),
          leaf('lookup.process', 'equal', 'ou_1', '$.task.operator_id'),
          leaf('lookup.process.task', 'equal', 'ou_1', 'operator_id'),
          leaf('lookup.process.todos.0.node_name.zh_cn', 'equal', '终审'),
          leaf('lookup.process.todos.length', 'equal', 1),
          leaf('lookup.process.create_time', 'before', '2026-11-01T00:00:00Z'),
          leaf('lookup.user', 'exists', true),
        ),
        {
          name: '{{ lookup.user.name }}',
          whole: '{{ lookup.user }}',
          status: '{{ lookup.process.status | label: "zh" }}',
        },
      ),
    ]);
    const process = {
      ...PROCESS,
      create_time: String(Date.UTC(2026, 9, 31)),
      todos: [{ node_name: { zh_cn: '终审' } }],
    };
    const { verdicts, deliveries } = await decided(ruleSet, { process, user: USER });
    expect(verdicts).toEqual([{ rule: 'r', verdict: 'matched' }]);
    expect(deliveries[0]?.request).toMatchObject({
      content: { body: { name: '王芳', whole: USER, status: '已完成' } },
    });
  });

  it('leaves a rule undecided when a look-up failed, also one that asks whether something is there', async () => {
    const ruleSet = await ruleSetOf([
      rule('a-equal', all(leaf('lookup.process.status', 'equal', 9))),
      rule('b-absent', all(leaf('lookup.process.task', 'exists', false))),
      rule('c-not', { not: leaf('lookup.process.task', 'exists', true) }),
      rule('d-any', { any: [DONE, leaf('lookup.process.task', 'exists', false)] }),
    ]);
    const { verdicts } = await decided(ruleSet, {});
    expect(verdicts).toEqual([
      { rule: 'a-equal', verdict: 'unknown', missing: ['lookup.process.status'] },
      { rule: 'b-absent', verdict: 'unknown', missing: ['lookup.process.task'] },
      { rule: 'c-not', verdict: 'unknown', missing: ['lookup.process.task'] },
      { rule: 'd-any', verdict: 'matched' },
    ]);
    const there = await decided(ruleSet, { process: { status: 1 } });
    expect(there.verdicts.map(({ rule: name, verdict }) => [name, verdict])).toEqual([
      ['b-absent', 'matched'],
      ['c-not', 'matched'],
      ['d-any', 'matched'],
    ]);
  });

  it('makes a delivery dead that needs a value of a look-up that failed, and says why', async () => {
    const ruleSet = await ruleSetOf([
      rule('r', all(DONE), '{{ lookup.user.email }}'),
      rule('s', all(DONE), '{{ lookup.user.email | default: "nobody" }}'),
    ]);
    const { deliveries } = await decided(ruleSet, { process: PROCESS });
    expect(deliveries).toMatchObject([
      {
        rule: 'r',
        state: 'dead',
        code: 'TEMPLATE_VALUE_MISSING',
        reason: '{{ lookup.user.email }} has no value: the look-up "user" failed: HTTP_503: it is down',
      },
      { rule: 's', state: 'pending', request: { content: { body: 'nobody' } } },
    ]);
  });

  it('never takes what an event brings for an answer', async () => {
    const ruleSet = await ruleSetOf([
      rule('r', all(leaf('lookup.process.status', 'equal', 9)), '{{ lookup.process.status }}'),
    ]);
    const forged = subject({
      'lookup.process': PROCESS,
      'lookup.process.status': 9,
      lookup: { process: PROCESS },
    });
    expect(namesIn(plan(ruleSet, {}, forged))).toEqual(['process']);
    const { verdicts } = await decided(ruleSet, {}, forged);
    expect(verdicts).toMatchObject([{ verdict: 'unknown' }]);
    expect((await decided(ruleSet, { process: { status: 1 } }, forged)).verdicts).toEqual([]);
  });

  it('lets the second key see the answers', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.process.status', 'equal', 9)))]);
    const [only] = ruleSet.rules;
    const facts = subject().facts;
    const lookups = { process: { request: 'x', value: { status: 9 }, fetchedAt: NOW } };
    expect(await judge(ruleSet, only!, facts, { ...INPUTS, lookups })).toEqual({
      rule: 'r',
      verdict: 'matched',
    });
  });

  it('takes a look-up of a name that all objects have for what it is', async () => {
    const ruleSet = await ruleSetOf([rule('r', all(leaf('lookup.constructor.name', 'exists', true)))], {
      constructor: { type: 'http', url: 'https://a.example/x' },
    });
    expect(namesIn(plan(ruleSet))).toEqual(['constructor']);
    const { verdicts } = await decide(ruleSet, subject(), { ...INPUTS, lookups: {} });
    expect(verdicts).toMatchObject([{ verdict: 'unknown', missing: ['lookup.constructor.name'] }]);
  });
});

describe('explain with look-ups', () => {
  it('says what came of each look-up that the rule reads, and labels its facts', async () => {
    const ruleSet = await ruleSetOf([
      rule(
        'r',
        all(leaf('lookup.process.status', 'equal', 9), leaf('lookup.user.name', 'equal', '王芳')),
        '{{ lookup.employee.name }}',
      ),
    ]);
    const { answers } = answerAll(ruleSet, { process: PROCESS });
    const { explanations } = await explainEvent(ruleSet, subject(), { ...INPUTS, lookups: answers });
    expect(explanations).toMatchObject([
      {
        verdict: { verdict: 'unknown', missing: ['lookup.user.name'] },
        missing: ['lookup.user.name'],
        lookups: [
          { name: 'employee', state: 'not asked' },
          { name: 'process', state: 'answered', fetchedAt: NOW },
          { name: 'user', state: 'failed', code: 'HTTP_503', detail: 'it is down' },
        ],
        tree: {
          children: [
            {
              fact: 'lookup.process',
              path: ['status'],
              actual: 9,
              personal: false,
              labels: { field: { en: 'process status' }, actual: { en: 'completed' } },
            },
            { fact: 'lookup.user', path: ['name'], personal: true, outcome: 'unknown' },
          ],
        },
        repair: { kind: 'changes', changes: [{ fact: 'lookup.user', path: ['name'], to: '王芳' }] },
      },
    ]);
  });
});
