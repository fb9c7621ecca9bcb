// Pure: what the gates make of firings of rules in shadow mode.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { actionKeyOf } from '../../src/action/delivery-store.js';
import { admit, type AdmissionContext, type Gates, itemKeyOf } from '../../src/rules/admission.js';
import { NO_BRAKES } from '../../src/rules/brake.js';
import type { Firing } from '../../src/rules/firing.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { CompiledSilence } from '../../src/rules/silence.js';

const HOUR = 3_600_000;
/** A Monday, 20:00 in Shanghai. */
const NOW = Date.UTC(2026, 10, 2, 12);
const CONTEXT: AdmissionContext = {
  now: NOW,
  timezone: 'Asia/Shanghai',
  calendar: null,
  calendars: new Map(),
};
const OPEN: Gates = {
  sent: new Set(),
  once: new Set(),
  silences: [],
  throttles: new Map(),
  brakes: NO_BRAKES,
};

/** A live rule `tell` and `tell-new` in shadow of it, which say the same. */
async function twins(more: object = {}): Promise<RuleSet> {
  const rule = {
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
    actions: [{ type: 'http', name: 'a', url: 'https://a.example/' }],
    ...more,
  };
  const files = {
    ...rule,
    name: 'tell',
  };
  const shadow = { ...rule, name: 'tell-new', mode: 'shadow', shadowOf: 'tell' };
  const { ruleSet, findings } = await compileRuleSet(
    new Map([['all.rule.json', JSON.stringify([files, shadow])]]),
    loadBuiltInCatalogue(),
  );
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

function firing(ruleSet: RuleSet, name: string, number: number, more: Partial<Firing> = {}): Firing {
  const rule = ruleSet.ruleOf(name);
  if (!rule) throw new Error(`there is no rule "${name}"`);
  const cause = `feishu:a/${number}`;
  const about = { rule: name, action: 'a', kind: 'http' as const, entity: 'process:1', cause };
  const request = { kind: 'http', method: 'POST', url: 'https://a.example/', headers: {}, body: null };
  return {
    rule,
    step: null,
    entity: 'process:1',
    cause,
    subject: 'task:1',
    facts: new Map(),
    deliveries: rule.digest
      ? []
      : [
          {
            ...about,
            generation: 0,
            target: 'http:a.example',
            state: 'pending',
            code: null,
            reason: null,
            request: request as never,
          },
        ],
    items: rule.digest
      ? [
          {
            action: 'a',
            kind: 'http',
            item: { event: { n: number }, task: {}, node: {}, process: {}, lookup: {} },
          },
        ]
      : [],
    withheld: [],
    eventId: `event-${number}`,
    occasion: 'live',
    ...more,
  };
}

const causes = ({ suppressions }: ReturnType<typeof admit>): string[] =>
  suppressions.map(({ suppression: { rule, cause } }) => `${rule} ${cause}`);

describe('a rule in shadow mode', () => {
  it('goes out nowhere: what its live twin sends is recorded of it, with the cause shadow', async () => {
    const set = await twins();
    const admission = admit([firing(set, 'tell', 1), firing(set, 'tell-new', 1)], OPEN, CONTEXT);
    expect(admission.deliveries.map(({ delivery }) => delivery.rule)).toEqual(['tell']);
    expect(admission.shadows).toMatchObject([
      { delivery: { rule: 'tell-new', state: 'pending' }, shadowOf: 'tell', dueAt: null, eventId: 'event-1' },
    ]);
    expect(causes(admission)).toEqual(['tell-new shadow']);
    expect(admission.asked).toMatchObject([
      { rule: 'tell', count: 1 },
      { rule: 'tell-new', count: 1 },
    ]);
  });

  it('has a throttle and a budget of its own, and is told to nobody when it is held', async () => {
    const set = await twins({ throttle: { max: 3, per: '1h' }, budget: { max: 2, per: '1h' } });
    const firings = [1, 2, 3, 4].flatMap((one) => [firing(set, 'tell-new', one), firing(set, 'tell', one)]);
    const gates = { ...OPEN, brakes: { budgets: new Map(), storm: { max: 2, perMs: HOUR, through: 0 } } };
    const admission = admit(firings, gates, CONTEXT);
    const states = (all: readonly { readonly delivery: { readonly state: string } }[]): string[] =>
      all.map(({ delivery }) => delivery.state);
    expect(states(admission.deliveries)).toEqual(['pending', 'pending', 'held']);
    expect(states(admission.shadows)).toEqual(['pending', 'pending', 'held']);
    expect(admission.shadows.at(-1)?.delivery.code).toBe('BRAKE_BUDGET');
    expect(causes(admission).filter((one) => one.endsWith('throttle'))).toEqual([
      'tell-new throttle',
      'tell throttle',
    ]);
    expect(new Set(admission.hits.map(({ rule }) => rule))).toEqual(new Set(['shadow:tell-new', 'tell']));
    expect(admission.counts).toEqual([
      { scope: 'rule:shadow:tell-new', perMs: HOUR, count: 2 },
      { scope: 'rule:tell', perMs: HOUR, count: 2 },
      { scope: '*', perMs: HOUR, count: 2 },
    ]);
    expect(admission.holds.map(({ rule }) => rule)).toEqual(['tell']);
  });

  it('is never held by the storm brake, nor counted by it', async () => {
    const set = await twins();
    const brakes = { budgets: new Map(), storm: { max: 1, perMs: HOUR, through: 1 } };
    const admission = admit(
      [firing(set, 'tell-new', 1), firing(set, 'tell', 1)],
      { ...OPEN, brakes },
      CONTEXT,
    );
    expect(admission.shadows[0]?.delivery.state).toBe('pending');
    expect(admission.deliveries[0]?.delivery.code).toBe('BRAKE_STORM');
    expect(admission.counts).toEqual([]);
  });

  it('fires once by a key of its own', async () => {
    const set = await twins({ oncePer: 'task' });
    const admission = admit(
      [1, 2].flatMap((one) => [firing(set, 'tell', one), firing(set, 'tell-new', one)]),
      // The live rule has fired for this task before.
      { ...OPEN, once: new Set([JSON.stringify(['process:1', 'task:1', 'tell'])]) },
      CONTEXT,
    );
    expect(admission.deliveries).toEqual([]);
    expect(admission.shadows).toHaveLength(1);
    expect(causes(admission)).toEqual([
      'tell once-per',
      'tell-new shadow',
      'tell once-per',
      'tell-new once-per',
    ]);
    expect(admission.once).toMatchObject([{ rule: 'shadow:tell-new', subject: 'task:1' }]);
  });

  it('is silenced by its own name and by that of its twin', async () => {
    const set = await twins();
    const silenced = (rule: string): string[] => {
      const silence = new CompiledSilence({
        id: 'quiet',
        matcher: { rule },
        startsAt: NOW - HOUR,
        endsAt: NOW + HOUR,
        author: 'a',
        reason: 'r',
      });
      return causes(
        admit(
          [firing(set, 'tell', 1), firing(set, 'tell-new', 1)],
          { ...OPEN, silences: [silence] },
          CONTEXT,
        ),
      );
    };
    expect(silenced('tell')).toEqual(['tell silence', 'tell-new silence']);
    expect(silenced('tell-new')).toEqual(['tell-new silence']);
    expect(silenced('other')).toEqual(['tell-new shadow']);
  });

  it('is deferred and dropped by quiet hours as a live one', async () => {
    const deferring = await twins({ quietHours: { outside: '09:00-19:00', then: 'defer' } });
    const deferred = admit([firing(deferring, 'tell-new', 1)], OPEN, CONTEXT);
    expect(deferred.shadows[0]?.dueAt).toBe(Date.UTC(2026, 10, 3, 1));
    const dropping = await twins({ quietHours: { outside: '09:00-19:00', then: 'drop' } });
    const dropped = admit([firing(dropping, 'tell-new', 1)], OPEN, CONTEXT);
    expect([dropped.shadows, causes(dropped)]).toEqual([[], ['tell-new quiet-hours']]);
  });

  it('gathers into digests of its own, which take nothing of those that go out', async () => {
    const set = await twins({ digest: { window: '30m' } });
    const firings = [firing(set, 'tell', 1), firing(set, 'tell-new', 1)];
    const admission = admit(firings, OPEN, CONTEXT);
    expect(admission.items.map(({ rule, shadowOf }) => [rule, shadowOf])).toEqual([
      ['tell', undefined],
      ['shadow:tell-new', 'tell'],
    ]);
    expect(causes(admission)).toEqual(['tell digest', 'tell-new shadow']);
    const keys = firings.map((one) => itemKeyOf(one, 'a'));
    expect(new Set(keys).size).toBe(2);
    const again = admit(firings, { ...OPEN, sent: new Set(keys) }, CONTEXT);
    expect([again.items, causes(again)]).toEqual([[], ['tell already-sent', 'tell-new already-sent']]);
  });

  it('records nothing twice, and what could not be rendered as it is', async () => {
    const set = await twins();
    const one = firing(set, 'tell-new', 1);
    const known = new Set(one.deliveries.map(actionKeyOf));
    expect(causes(admit([one], { ...OPEN, sent: known }, CONTEXT))).toEqual(['tell-new already-sent']);
    const [delivery] = one.deliveries;
    if (!delivery) throw new Error('it sends nothing');
    const dead = {
      ...one,
      deliveries: [{ ...delivery, state: 'dead' as const, code: 'TEMPLATE_VALUE_MISSING', request: null }],
    };
    const admission = admit([dead], OPEN, CONTEXT);
    expect(admission.shadows[0]?.delivery).toMatchObject({ state: 'dead', code: 'TEMPLATE_VALUE_MISSING' });
    expect(admission.counts).toEqual([]);
  });

  it('uses none of the names of the rule that it may become: promoted, it begins anew', async () => {
    const set = await twins({ oncePer: 'task', throttle: { max: 1, per: '1h' } });
    const shadow = admit([firing(set, 'tell-new', 1)], OPEN, CONTEXT);
    const promoted = set.withShadowsLive();
    const gates = {
      ...OPEN,
      once: new Set(shadow.once.map(({ entity, subject, rule }) => JSON.stringify([entity, subject, rule]))),
      throttles: new Map(shadow.hits.map(({ rule, key, at }) => [JSON.stringify([rule, key]), [at]])),
    };
    const admission = admit([firing(promoted, 'tell-new', 2)], gates, CONTEXT);
    expect(admission.deliveries).toHaveLength(1);
    expect(admission.shadows).toEqual([]);
  });
});
