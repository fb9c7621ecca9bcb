// Pure: no Nest, no database.
import { describe, expect, it } from '@jest/globals';
import { actionKeyOf } from '../../src/action/delivery-store.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { Confirmation } from '../../src/rules/confirmation.js';
import { decide, type Decision, judge } from '../../src/rules/decide.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { RuleSet } from '../../src/rules/rule-set.js';
import { approverEvent } from '../support/feishu.js';

const TYPE = 'corehr.process.approver.updated_v2';
const INPUTS = { now: Date.UTC(2026, 10, 2, 9), timezone: 'Asia/Shanghai' };

async function ruleSetOf(...rules: object[]): Promise<RuleSet> {
  const files = new Map(rules.map((rule, index) => [`${index}.rule.json`, JSON.stringify(rule)]));
  const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
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

const run = async (ruleSet: RuleSet | Promise<RuleSet>, event: Record<string, unknown>): Promise<Decision> =>
  decide(
    await ruleSet,
    {
      key: 'feishu:cli_a/e1',
      eventType: TYPE,
      entity: 'process:1',
      appId: null,
      facts: new Map(Object.entries(event)),
    },
    INPUTS,
  );

describe('decide', () => {
  it('tells the verdicts of rules that listen, and counts those that did not match, and a delivery for every action of those that match', async () => {
    const ruleSet = await ruleSetOf(
      rule('a-match', status(3)),
      rule('b-no', status(2)),
      rule('c-unknown', { all: [{ fact: 'node_id_str', operator: 'notEqual', value: '1' }] }),
      rule('d-off', status(3), { enabled: false }),
      rule('e-error', { all: [{ fact: 'note', operator: 'in', value: { fact: 'tag' } }] }, { trigger: '*' }),
      rule('f-deaf', status(3), { trigger: 'other.event' }),
    );
    const { verdicts, deliveries, listening } = await run(
      ruleSet,
      approverEvent({ status: 3, note: 'a', tag: 'abc' }),
    );
    expect(verdicts).toEqual([
      { rule: 'a-match', verdict: 'matched' },
      { rule: 'c-unknown', verdict: 'unknown', missing: ['node_id_str'] },
      { rule: 'd-off', verdict: 'skipped', cause: 'disabled' },
      { rule: 'e-error', verdict: 'error', error: expect.stringContaining('need a list') },
    ]);
    expect(listening).toBe(5);
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

  it('skips a rule outside the time in which it is effective, and says so', async () => {
    const during = (effective: object): Promise<RuleSet> => ruleSetOf(rule('r', status(3), { effective }));
    const verdictAt = async (ruleSet: RuleSet, now: string): Promise<unknown> => {
      const inputs = { now: Date.parse(now), timezone: 'Asia/Shanghai' };
      const facts = new Map(Object.entries(approverEvent({ status: 3 })));
      const decision = await decide(
        ruleSet,
        { key: 'k', eventType: TYPE, entity: 'e', appId: null, facts },
        inputs,
      );
      const [verdict] = decision.verdicts;
      expect(await judge(ruleSet, ruleSet.rules[0]!, facts, inputs)).toEqual(verdict);
      expect(decision.deliveries).toHaveLength(verdict?.verdict === 'matched' ? 1 : 0);
      return verdict?.verdict === 'skipped' ? verdict.cause : verdict?.verdict;
    };
    const days = await during({ from: '2026-12-01', until: '2026-12-31' });
    // Days as they are counted in Shanghai.
    expect(await verdictAt(days, '2026-11-30T15:59:59Z')).toBe('not-yet-effective');
    expect(await verdictAt(days, '2026-11-30T16:00:00Z')).toBe('matched');
    expect(await verdictAt(days, '2026-12-31T15:59:59Z')).toBe('matched');
    expect(await verdictAt(days, '2026-12-31T16:00:00Z')).toBe('no-longer-effective');
    const moments = await during({ from: '2026-12-01T09:00:00+08:00', until: '2026-12-02T09:00:00+08:00' });
    expect(await verdictAt(moments, '2026-12-01T00:59:59Z')).toBe('not-yet-effective');
    expect(await verdictAt(moments, '2026-12-01T01:00:00Z')).toBe('matched');
    expect(await verdictAt(moments, '2026-12-02T00:59:59Z')).toBe('matched');
    expect(await verdictAt(moments, '2026-12-02T01:00:00Z')).toBe('no-longer-effective');
    const off = await ruleSetOf(rule('r', status(3), { effective: { from: '2030-01-01' }, enabled: false }));
    expect(await verdictAt(off, '2026-12-01T00:00:00Z')).toBe('disabled');
  });

  it('sends nothing when the two keys disagree', async () => {
    const sound = await ruleSetOf(rule('r', status(3)));
    const other = { all: [{ fact: 'status', operator: 'equal', value: 4 }] };
    const rules = sound.rules.map((one) => ({
      ...one,
      confirmation: new Confirmation(other, new Map(), () => 'date-time'),
    }));
    const { hash, catalogue, conditions, index, places } = sound;
    const torn = new RuleSet(hash, rules, catalogue, conditions, index, places, new Map());
    const { verdicts, deliveries } = await run(torn, approverEvent({ status: 3 }));
    expect(verdicts).toEqual([
      { rule: 'r', verdict: 'error', error: expect.stringContaining('json-rules-engine does not') },
    ]);
    expect(deliveries).toEqual([]);
  });

  it('records the error of one rule and goes on with the others', async () => {
    const throwing = { all: [{ fact: 'note', operator: 'in', value: { fact: 'tag' } }] };
    const { verdicts, deliveries } = await run(
      ruleSetOf(rule('a-throws', throwing, { trigger: '*' }), rule('b-good', status(3))),
      approverEvent({ status: 3, note: 'a', tag: 'abc' }),
    );
    expect(verdicts).toEqual([
      { rule: 'a-throws', verdict: 'error', error: expect.stringContaining('need a list') },
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
    const ruleSet = await ruleSetOf(
      rule('a', status(3)),
      rule('b', { any: [{ fact: 'biz_type', operator: 'containsText', value: 'x' }] }),
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
        rule(
          'r',
          {
            all: [
              { fact: 'constructor', operator: 'equal', value: 1, path: '$.prototype.polluted' },
              { fact: 'then', operator: 'equal', value: 1 },
            ],
          },
          { trigger: '*' },
        ),
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
    expect(verdicts).toEqual([]);
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
