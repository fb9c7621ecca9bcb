// Rule tests take a rule in shadow mode for a live one: what it would send can be tested before it is promoted.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { foundCase } from '../../../src/rules/cases/case-files.js';
import { CaseRunner } from '../../../src/rules/cases/case-runner.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';

const TYPE = 'corehr.process.approver.updated_v2';
const catalogue = loadBuiltInCatalogue();
const rule = (name: string, more: object = {}): object => ({
  name,
  trigger: TYPE,
  conditions: { all: [{ fact: 'lookup.user.name', operator: 'equal', value: 'Ann' }] },
  oncePer: 'task',
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
  escalate: {
    per: 'task',
    confirm: true,
    steps: [
      { name: 'late', after: '2h', actions: [{ type: 'http', name: 'nag', url: 'https://a.example/' }] },
    ],
  },
  ...more,
});

describe('a case about a rule in shadow mode', () => {
  it('has the deliveries, look-ups, steps and causes of a live one', async () => {
    const rules = [rule('old'), rule('new', { mode: 'shadow', shadowOf: 'old' })];
    const { ruleSet } = await compileRuleSet(
      new Map([
        ['a.rule.json', JSON.stringify(rules)],
        ['lookups.json', JSON.stringify({ user: { type: 'feishu-user', id: '{{ event.approver_id }}' } })],
      ]),
      catalogue,
    );
    if (!ruleSet) throw new Error('the rules are not sound');
    const event = { ...catalogue.find(TYPE)?.sample, status: 1, approver_id: '1', process_id: '7' };
    const envelope = (id: string) => ({
      schema: '2.0',
      header: { event_id: id, event_type: TYPE, create_time: '1761987600000' },
      event,
    });
    const steps = [
      { lookup: { user: { name: 'Ann' } } },
      { event: envelope('e1') },
      { advance: '1m' },
      { event: envelope('e2') },
      { advance: '3h' },
    ];
    const file = { now: '2025-11-01T09:00:00Z' };
    const one = foundCase({ name: 'all', steps, verdicts: {} }, file, {
      file: 'a.cases.json',
      line: 1,
      beside: [],
    });
    const result = await new CaseRunner(ruleSet, { timezone: 'Asia/Shanghai', calendar: null }).run(one);
    const of = (name: string) =>
      result.deliveries
        .filter((made) => made.rule === name)
        .map(({ action, at, state }) => [action, at, state]);
    expect(of('old').map(([action]) => action)).toEqual(['tell', 'nag']);
    expect(of('new')).toEqual(of('old'));
  });
});
