// What the analysis says of rules in shadow mode, and what it does not. Nothing is faked.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { analysed } from '../../support/analysed.js';
import {
  all,
  filesOf,
  type Json,
  type JsonObject,
  leaf,
  rule,
  TASK,
  tell,
} from '../../support/rule-parts.js';

const catalogue = loadBuiltInCatalogue();
const done = all(leaf('biz_type', 'equal', 'renewal_record'), leaf('status', 'equal', 3));
const LOOKUPS = { 'lookups.json': { user: { type: 'feishu-user', id: '{{ event.approver_id }}' } } };
const found = async (rules: readonly JsonObject[], others: Readonly<Record<string, Json>> = {}) => {
  const { findings, ruleSet } = await analysed(filesOf(rules, others), catalogue);
  expect([ruleSet === null, findings.filter(({ severity }) => severity === 'error')]).toEqual([false, []]);
  return findings.filter(({ code }) => code !== 'ENUM_UNHANDLED');
};
const SHADOW = { mode: 'shadow', shadowOf: 'old' };

describe('a rule in shadow mode', () => {
  it('is not the same as its twin, nor more or less of it: it sends nothing', async () => {
    const same = { actions: [tell('desk')] };
    const narrow = all(
      leaf('biz_type', 'equal', 'renewal_record'),
      leaf('status', 'equal', 3),
      leaf('type', 'equal', 1),
    );
    const twins = (more: JsonObject) => [
      rule('old', TASK, done, same),
      rule('new', TASK, done, { ...same, ...more }),
      rule('narrow', TASK, narrow, { ...same, ...more }),
    ];
    expect((await found(twins({}))).map(({ code }) => code)).toEqual(['RULE_SAME', 'RULE_SUBSUMED']);
    expect(await found(twins(SHADOW))).toEqual([]);
  });

  it('is told when it can never match, as any other', async () => {
    const never = all(leaf('status', 'equal', 3), leaf('status', 'equal', 4));
    const findings = await found([rule('old', TASK, done), rule('new', TASK, never, SHADOW)]);
    expect(findings.map(({ code, rule: name }) => [code, name])).toEqual([['CONDITIONS_NEVER', 'new']]);
  });

  it('leaves what no live rule matches unhandled', async () => {
    const of = async (more: JsonObject) => {
      const { findings } = await analysed(
        filesOf([
          rule('old', TASK, done),
          rule(
            'new',
            TASK,
            all(leaf('biz_type', 'equal', 'renewal_record'), leaf('status', 'in', [1, 2, 4])),
            more,
          ),
        ]),
        catalogue,
      );
      return findings.filter(({ code }) => code === 'ENUM_UNHANDLED').map(({ message }) => message);
    };
    const [live, shadow] = [await of({}), await of(SHADOW)];
    expect(shadow).not.toEqual(live);
    expect(shadow).toHaveLength(1);
  });

  it('reads no look-up that no live rule reads, and is told so at its mode', async () => {
    const reads = all(leaf('lookup.user.name', 'equal', 'Ann'));
    const step = { name: 'late', after: '2h', actions: [tell('{{ lookup.user.name }}')] };
    const alone = [rule('old', TASK, done), rule('new', TASK, reads, SHADOW)];
    expect(await found(alone, LOOKUPS)).toMatchObject([
      { code: 'SHADOW_LOOKUP', severity: 'info', rule: 'new', message: expect.stringContaining('"user"') },
    ]);
    const shared = [
      rule('old', TASK, all(leaf('lookup.user.name', 'equal', 'Bob'))),
      rule('new', TASK, reads, SHADOW),
    ];
    expect(await found(shared, LOOKUPS)).toEqual([]);
    const late = [
      ...shared.slice(0, 1),
      rule('new', TASK, done, { ...SHADOW, escalate: { per: 'task', steps: [step] } }),
    ];
    expect((await found(late, LOOKUPS)).map(({ code, message }) => [code, message])).toContainEqual([
      'SHADOW_LOOKUP',
      'in shadow mode nobody is asked before a step: the look-up "user" is missing there',
    ]);
  });
});
