// Pure: no Nest, no database.
import { describe, expect, it } from '@jest/globals';
import { actionKeyOf } from '../../src/action/delivery-store.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { decide, type Decision } from '../../src/rules/decide.js';
import { compileRuleSet, type RuleSet } from '../../src/rules/rule-set.js';
import { approverEvent } from '../support/feishu.js';

const TYPE = 'corehr.process.approver.updated_v2';
const INPUTS = { now: Date.UTC(2026, 10, 2, 9), timezone: 'Asia/Shanghai' };

function ruleSetOf(...rules: object[]): RuleSet {
  const files = new Map(rules.map((rule, index) => [`${index}.rule.json`, JSON.stringify(rule)]));
  const { ruleSet, findings } = compileRuleSet(files, loadBuiltInCatalogue());
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

const rule = (name: string, conditions: object, extra: object = {}): object => ({
  name,
  trigger: TYPE,
  conditions,
  actions: [
    { type: 'http', name: 'tell', url: 'https://a.example/', body: { status: '{{ event.status }}' } },
  ],
  ...extra,
});
const status = (value: unknown): object => ({ all: [{ fact: 'status', operator: 'equal', value }] });

const run = (ruleSet: RuleSet, event: Record<string, unknown>): Promise<Decision> =>
  decide(
    ruleSet,
    { key: 'feishu:cli_a/e1', eventType: TYPE, entity: 'process:1', facts: new Map(Object.entries(event)) },
    INPUTS,
  );

describe('decide', () => {
  it('gives a verdict for every rule that listens, and a delivery for every action of those that match', async () => {
    const ruleSet = ruleSetOf(
      rule('a-match', status(3)),
      rule('b-no', status(2)),
      rule('c-unknown', { all: [{ fact: 'absent', operator: 'notEqual', value: 1 }] }),
      rule('d-off', status(3), { enabled: false }),
      rule('e-error', { all: [{ fact: 'process_id', operator: 'everyFact:equal', value: 1 }] }),
      rule('f-deaf', status(3), { trigger: 'other.event' }),
    );
    const { verdicts, deliveries } = await run(ruleSet, approverEvent({ status: 3 }));
    expect(verdicts).toEqual([
      { rule: 'a-match', verdict: 'matched' },
      { rule: 'b-no', verdict: 'not matched' },
      { rule: 'c-unknown', verdict: 'unknown', missing: ['absent'] },
      { rule: 'd-off', verdict: 'skipped', cause: 'disabled' },
      expect.objectContaining({ rule: 'e-error' }),
    ]);
    expect(deliveries).toEqual([
      expect.objectContaining({
        rule: 'a-match',
        action: 'tell',
        kind: 'http',
        target: 'http:a.example',
        entity: 'process:1',
        cause: 'feishu:cli_a/e1',
        generation: 0,
        state: 'pending',
      }),
    ]);
  });

  it('records the error of one rule and goes on with the others', async () => {
    const throwing = { all: [{ fact: 'status', operator: 'swap:in', value: 3 }] };
    const { verdicts, deliveries } = await run(
      ruleSetOf(rule('a-throws', throwing), rule('b-good', status(3))),
      approverEvent({ status: 3 }),
    );
    expect(verdicts).toEqual([
      { rule: 'a-throws', verdict: 'error', error: expect.stringContaining('indexOf') },
      { rule: 'b-good', verdict: 'matched' },
    ]);
    expect(deliveries.map((one) => one.rule)).toEqual(['b-good']);
  });

  it('makes a delivery dead that cannot be rendered, with the reason', async () => {
    const { deliveries } = await run(
      ruleSetOf(
        rule('r', status(3), {
          trigger: '*',
          actions: [{ type: 'http', name: 'tell', url: 'https://a.example/{{ event.node_id }}' }],
        }),
      ),
      { status: 3 },
    );
    expect(deliveries).toEqual([
      expect.objectContaining({ state: 'dead', code: 'TEMPLATE_VALUE_MISSING', request: null }),
    ]);
  });

  it('answers the same for the same', async () => {
    const ruleSet = ruleSetOf(
      rule('a', status(3)),
      rule('b', { any: [{ fact: 'biz_type', operator: 'contains', value: 'x' }] }),
    );
    const [first, second] = [
      await run(ruleSet, approverEvent({ status: 3 })),
      await run(ruleSet, approverEvent({ status: 3 })),
    ];
    expect(first).toEqual(second);
    expect(first.deliveries.map(actionKeyOf)).toEqual(second.deliveries.map(actionKeyOf));
  });

  it('takes hostile names of fields as data', async () => {
    const event = JSON.parse(
      '{"status":3,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":1,"toString":"x"}',
    ) as Record<string, unknown>;
    const { verdicts } = await run(
      ruleSetOf(
        rule('r', {
          all: [
            { fact: 'constructor', operator: 'equal', value: 1, path: '$.prototype.polluted' },
            { fact: 'then', operator: 'equal', value: 1 },
          ],
        }),
      ),
      event,
    );
    expect(verdicts).toEqual([{ rule: 'r', verdict: 'matched' }]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('never evaluates a path or a rule that stands in an event', async () => {
    const { verdicts } = await run(
      ruleSetOf(rule('r', { all: [{ fact: 'biz_type', operator: 'equal', value: { fact: 'node_id' } }] })),
      approverEvent({ biz_type: { fact: 'status' }, node_id: { fact: 'status' } }),
    );
    expect(verdicts).toEqual([{ rule: 'r', verdict: 'not matched' }]);
  });
});

describe('action keys', () => {
  const base = { rule: 'r', action: 'a', entity: 'process:1', cause: 'feishu:x/e', generation: 0 };
  it('differ whenever one part differs', () => {
    const keys = [
      base,
      { ...base, rule: 's' },
      { ...base, action: 'b' },
      { ...base, entity: 'process:2' },
      { ...base, cause: 'feishu:x/f' },
      { ...base, generation: 1 },
    ].map(actionKeyOf);
    expect(new Set(keys).size).toBe(6);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{40}$/);
  });
});
