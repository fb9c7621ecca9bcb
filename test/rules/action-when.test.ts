// Pure: no Nest, no database.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { decide, type Decision } from '../../src/rules/decide.js';
import { planLookups } from '../../src/rules/lookup-plan.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { NO_STATE } from '../../src/rules/state/root-state.js';
import { approverEvent } from '../support/feishu.js';

const TYPE = 'corehr.process.approver.updated_v2';
const INPUTS = { now: Date.UTC(2026, 10, 2, 9), timezone: 'Asia/Shanghai' };
const http = (name: string, more: object = {}): object => ({
  type: 'http',
  name,
  url: 'https://a.example/',
  ...more,
});
const is = (fact: string, value: unknown, operator = 'equal'): object => ({
  all: [{ fact, operator, value }],
});

async function ruleSetOf(
  actions: readonly object[],
  more: object = {},
  files: object = {},
): Promise<RuleSet> {
  const rule = { name: 'r', trigger: TYPE, conditions: is('status', 3), actions, ...more };
  const texts = Object.entries({ 'r.rule.json': rule, ...files }).map(
    ([file, content]) => [file, JSON.stringify(content)] as const,
  );
  const { ruleSet, findings } = await compileRuleSet(new Map(texts), loadBuiltInCatalogue());
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

const subjectOf = (event: Record<string, unknown>): Parameters<typeof decide>[1] => ({
  key: 'feishu:cli_a/e1',
  eventType: TYPE,
  entity: 'process:1',
  appId: 'cli_a',
  facts: new Map(Object.entries(event)),
});
const run = (ruleSet: RuleSet, event: Record<string, unknown>, inputs: object = {}): Promise<Decision> =>
  decide(ruleSet, subjectOf(approverEvent({ status: 3, ...event })), { ...INPUTS, ...inputs });

describe('an action with conditions of its own', () => {
  it('is left out of a match unless they hold, and it is said why', async () => {
    const ruleSet = await ruleSetOf(
      [
        http('always'),
        http('yes', { when: is('biz_type', 'renewal_record') }),
        http('no', { when: is('biz_type', 'probation') }),
        http('lacking', { when: { not: is('node_id_str', '1') } }),
        http('failing', { when: is('note', { fact: 'tag' }, 'in') }),
        http('named', { when: { condition: 'monday' } }),
      ],
      { calendar: 'cn', trigger: '*' },
      { 'all.conditions.json': { monday: is('now.weekday', 1) } },
    );
    const { verdicts, matches, deliveries } = await run(ruleSet, {
      biz_type: 'renewal_record',
      note: 'a',
      tag: 'abc',
    });
    expect(verdicts).toEqual([{ rule: 'r', verdict: 'matched' }]);
    expect(deliveries.map(({ action }) => action)).toEqual(['always', 'yes', 'named']);
    expect(matches[0]?.withheld).toEqual([
      { action: 'no', by: null },
      { action: 'lacking', by: 'unknown: node_id_str' },
      { action: 'failing', by: expect.stringMatching(/^error: .*need a list/) },
    ]);
  });

  it('is not asked for when json-rules-engine does not agree', async () => {
    const ruleSet = await ruleSetOf([http('a', { when: is('status', 3) }), http('b')]);
    const confirmation = ruleSet.rules[0]?.actions[0]?.when?.confirmation ?? {};
    Object.assign(confirmation, { holds: () => Promise.resolve(false) });
    const { matches, deliveries } = await run(ruleSet, {});
    expect(deliveries.map(({ action }) => action)).toEqual(['b']);
    expect(matches[0]?.withheld[0]?.by).toMatch(/^error: .*json-rules-engine does not/);
  });

  it('reads look-ups, which are asked when the rule matches, and facts of the state', async () => {
    const ruleSet = await ruleSetOf(
      [http('a', { when: { all: [is('lookup.user.name', 'Li'), is('task.reopened', true)] } })],
      {},
      { 'lookups.json': { user: { type: 'feishu-user', id: '{{ event.approver_id }}' } } },
    );
    const subject = subjectOf(approverEvent({ status: 3 }));
    expect(planLookups(ruleSet, subject, INPUTS).fetch.map(({ name }) => name)).toEqual(['user']);
    expect(planLookups(ruleSet, subjectOf(approverEvent({ status: 1 })), INPUTS).fetch).toEqual([]);
    expect([...ruleSet.stateReads]).toEqual(['task.reopened']);
    const { matches } = await run(ruleSet, {});
    expect(matches[0]?.withheld).toEqual([{ action: 'a', by: 'unknown: lookup.user.name, task.reopened' }]);
  });

  it('has an order key that is the same for all about its task or process, and no other', async () => {
    const ruleSet = await ruleSetOf([
      http('t', { order: 'task' }),
      http('p', { order: 'process' }),
      http('n'),
    ]);
    const keys = async (task: string, process: string): Promise<(string | null | undefined)[]> => {
      const subject = { ...subjectOf(approverEvent({ status: 3 })), entity: `process:${process}` };
      const place = { tells: 'task', task, node: null, process, status: 3, phase: 'done' } as const;
      const situation = { id: 'x', place, late: false, orderTime: 0, state: NO_STATE, ladders: [] };
      const { deliveries } = await decide(ruleSet, subject, INPUTS, situation);
      return deliveries.map(({ orderKey }) => orderKey);
    };
    const [one, again, other] = await Promise.all([keys('1', '1'), keys('1', '1'), keys('2', '1')]);
    expect(again).toEqual(one);
    expect(one[2]).toBeUndefined();
    expect(other[0]).not.toBe(one[0]);
    expect(other[1]).toBe(one[1]);
    expect(one[0]).not.toBe(one[1]);
  });
});
