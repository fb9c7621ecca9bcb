// Facts of the state and the clock on their way through index, conditions, json-rules-engine and templates, with rules
// as files hold them. Pure.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { FactView } from '../../../src/rules/compiled-conditions.js';
import { decide, type Decision } from '../../../src/rules/decide.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../../src/rules/rule-set.js';
import { observe } from '../../../src/rules/state/observe.js';
import { NO_STATE } from '../../../src/rules/state/root-state.js';
import { stateFacts } from '../../../src/rules/state/state-facts.js';
import { TASK_TYPE, taskEvent } from '../../support/observed-events.js';

/** A Monday in Shanghai. */
const MONDAY = Date.UTC(2026, 10, 2, 1, 30);
const DAY = 86_400_000;

async function ruleSetOf(leaf: object, body: unknown = 'x'): Promise<RuleSet> {
  const rule = {
    name: 'one',
    trigger: TASK_TYPE,
    conditions: { all: [leaf] },
    actions: [{ type: 'http', name: 'tell', url: 'https://a.example/', body }],
  };
  const files = new Map([['a.rule.json', JSON.stringify(rule)]]);
  const { findings, ruleSet } = await compileRuleSet(files, loadBuiltInCatalogue());
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

/** A task goes from to do to done, a day later; what is decided of the second event. `more`: what its sender adds. */
async function decided(
  ruleSet: RuleSet,
  more: Readonly<Record<string, unknown>> = {},
  now = MONDAY,
): Promise<Decision> {
  const events = [taskEvent('a', now - DAY, 1, '1', 'n'), taskEvent('b', now, 3, '1', 'n')];
  const state = events.reduce((before, event) => observe(before, event).after, NO_STATE);
  const [, event] = events;
  if (!event) throw new Error('no event');
  const facts = {
    event_type: TASK_TYPE,
    process_id: 'p',
    approver_id: '1',
    node_id: 'n',
    status: 3,
    ...more,
  };
  const subject = {
    key: 'o/b',
    eventType: TASK_TYPE,
    entity: 'process:p',
    appId: null,
    facts: new Map<string, unknown>(Object.entries(facts)),
  };
  return await decide(ruleSet, subject, {
    now,
    timezone: 'Asia/Shanghai',
    state: stateFacts(state, event.place, event, event.orderTime, false),
  });
}

describe('facts of the state', () => {
  it.each([
    [{ fact: 'task.transition', operator: 'equal', value: '1>3' }, 'matched'],
    [{ fact: 'task.transition', operator: 'equal', value: '1>2' }, undefined],
    [{ fact: 'task.previousStatus', operator: 'in', value: [1, 2] }, 'matched'],
    [{ fact: 'task.age', operator: 'greaterThanInclusive', value: DAY }, 'matched'],
    [{ fact: 'task.firstSeen', operator: 'olderThan', value: '23h' }, 'matched'],
    [{ fact: 'task.firstSeen', operator: 'olderThan', value: '25h' }, undefined],
    [{ fact: 'node.done', operator: 'equal', value: { fact: 'node.seen' } }, 'matched'],
    [{ fact: 'event.late', operator: 'equal', value: false }, 'matched'],
    [{ fact: 'node.complete', operator: 'equal', value: true }, 'unknown'],
    [{ fact: 'node.complete', operator: 'exists', value: false }, 'matched'],
  ])('%j', async (leaf, verdict) => {
    const { verdicts } = await decided(await ruleSetOf(leaf));
    expect(verdicts.map((one) => one.verdict)).toEqual(verdict === undefined ? [] : [verdict]);
  });

  it('are never what a sender writes under their names', async () => {
    const claims = { 'task.transition': '1>2', 'event.late': true, 'node.complete': true, 'now.weekday': 7 };
    for (const [fact, value] of Object.entries(claims)) {
      const { verdicts } = await decided(await ruleSetOf({ fact, operator: 'equal', value }), claims);
      expect([fact, verdicts.filter((one) => one.verdict === 'matched')]).toEqual([fact, []]);
    }
  });

  it('stand in templates, with their labels', async () => {
    const body = {
      moved: '{{ task.previousStatus | label: "zh" | default: "?" }} > {{ event.status | label: "zh" }}',
      was: '{{ task.previousStatus | default: null }}',
      node: '{{ node.done }}/{{ node.seen }}',
      decided: '{{ node.complete | default: "not known" }}',
      age: '{{ process.age }}',
    };
    const ruleSet = await ruleSetOf({ fact: 'status', operator: 'equal', value: 3 }, body);
    const { deliveries } = await decided(ruleSet);
    const was = { moved: '待办 > 已完成', was: 1, node: '1/1', decided: 'not known', age: DAY };
    expect(deliveries).toMatchObject([{ state: 'pending', request: { content: { body: was } } }]);
  });
});

describe('the facts of the clock', () => {
  it('are those of the rule, whatever the event brings under their names', async () => {
    const ruleSet = await ruleSetOf({ fact: 'now.weekday', operator: 'equal', value: 1 });
    const matches = async (weekday: number, now: number): Promise<boolean> =>
      (await decided(ruleSet, { 'now.weekday': weekday }, now)).verdicts.some(
        (one) => one.verdict === 'matched',
      );
    expect([await matches(3, MONDAY), await matches(1, MONDAY + DAY)]).toEqual([true, false]);
  });

  it('rule nothing out before the rule is looked at', async () => {
    const { index, places } = await ruleSetOf({ fact: 'now.time', operator: 'in', value: ['09:30'] });
    const facts = new Map<string, unknown>([
      ['event_type', TASK_TYPE],
      ['now.time', '10:00'],
    ]);
    expect(index.candidates(new FactView(places.places, facts))).toEqual([0]);
  });
});
