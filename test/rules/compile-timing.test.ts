// Rules as files hold them, compiled with the catalogue and the calendars that ship with the product.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { loadShippedCalendars } from '../../src/rules/calendar/shipped-calendars.js';
import { FactView } from '../../src/rules/compiled-conditions.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { Rule, RuleSet } from '../../src/rules/rule-set.js';

const catalogue = loadBuiltInCatalogue();
const shipped = loadShippedCalendars();
const APPROVER = 'corehr.process.approver.updated_v2';
const ACTION = { type: 'http', name: 'tell', url: 'https://a.example/' };
const BASE = {
  name: 'good',
  trigger: APPROVER as unknown,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] } as unknown,
  actions: [ACTION],
};
const STEPS = [{ after: '24h', actions: [ACTION] }];
const DAILY = { schedule: '0 9 * * *', over: 'task' };

async function setOf(
  rule: object,
  files: Readonly<Record<string, unknown>> = {},
  calendars = shipped,
): Promise<RuleSet> {
  const texts = Object.entries({ 'a.rule.json': { ...BASE, ...rule }, ...files });
  const { findings, ruleSet } = await compileRuleSet(
    new Map(texts.map(([file, value]) => [file, JSON.stringify(value)])),
    catalogue,
    calendars,
  );
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

async function ruleOf(...given: Parameters<typeof setOf>): Promise<Rule> {
  const [rule] = (await setOf(...given)).rules;
  if (!rule) throw new Error('no rule');
  return rule;
}

/** Of a ladder. */
const planOf = async (...given: Parameters<typeof setOf>): Promise<string | undefined> =>
  (await ruleOf(...given)).escalation?.plan;

describe('what a rule says about state and time', () => {
  it('is nothing when it says nothing: once per event, unknown for a day', async () => {
    expect(await ruleOf({})).toMatchObject({
      oncePer: 'event',
      settleMs: 86_400_000,
      throttle: null,
      digest: null,
      quietHours: null,
      schedule: null,
      escalation: null,
      calendar: null,
      timezone: null,
      readsClock: false,
    });
  });

  it('is read in its units', async () => {
    const rule = await ruleOf({
      owner: 'people-ops',
      oncePer: 'node',
      settle: 'PT36H',
      throttle: { max: 5, per: '1h', key: 'process_id' },
      digest: { window: '15m', key: 'owner', item: 'task {{ event.approver_id }}' },
      quietHours: { outside: '22:00-06:30' },
      actions: [{ ...ACTION, body: '{{ items.length }}' }],
    });
    expect(rule).toMatchObject({
      oncePer: 'node',
      settleMs: 36 * 3_600_000,
      throttle: { max: 5, perMs: 3_600_000, key: 'process_id' },
      digest: {
        windowMs: 900_000,
        key: 'owner',
        item: ['task ', { path: ['event', 'approver_id'], filters: [] }],
      },
      quietHours: { from: 22 * 60, to: 6 * 60 + 30, then: 'defer', calendar: null, timezone: null },
    });
  });

  it('has ladders whose steps are called by their "after", unless they have a name', async () => {
    const { escalation } = await ruleOf({
      escalate: {
        per: 'task',
        calendar: 'cn',
        confirm: true,
        steps: [
          { after: '8 work hours', actions: [ACTION] },
          { after: '2 workdays', name: 'boss', actions: [ACTION, { ...ACTION, name: 'other' }] },
          { after: '30d', actions: [ACTION] },
        ],
      },
    });
    expect(escalation).toMatchObject({ per: 'task', confirm: true, cancelOn: null, calendar: 'cn' });
    expect(escalation?.steps.map(({ name, after }) => [name, after])).toEqual([
      ['8 work hours', { kind: 'work-time', minutes: 480 }],
      ['boss', { kind: 'workdays', days: 2 }],
      ['30d', { kind: 'time', ms: 30 * 86_400_000 }],
    ]);
    expect(escalation?.steps[1]?.actions.map(({ name }) => name)).toEqual(['tell', 'other']);
  });

  it('may be ladders alone', async () => {
    const rule = await ruleOf({ actions: undefined, escalate: { per: 'task', steps: STEPS } });
    expect(rule.actions).toEqual([]);
    expect(rule.escalation?.steps).toHaveLength(1);
  });

  it("may stand beside json-rules-engine's own shape", async () => {
    const rule = await ruleOf({
      actions: undefined,
      event: { type: 'http', params: { url: 'https://a.example/' } },
      oncePer: 'task',
      escalate: { per: 'task', steps: STEPS },
    });
    expect(rule).toMatchObject({ oncePer: 'task', actions: [{ name: 'http' }] });
    expect(rule.escalation?.steps).toHaveLength(1);
  });

  it('names its calendar and zone for all its parts; each part may have its own', async () => {
    const all = { calendar: 'cn', timezone: 'Asia/Tokyo' };
    const parts = {
      quietHours: { outside: '09:00-19:00' },
      escalate: { per: 'task', steps: STEPS },
    };
    const shared = await ruleOf({ ...all, ...parts });
    for (const part of [shared, shared.quietHours, shared.escalation]) expect(part).toMatchObject(all);
    const own = { calendar: 'weekdays', timezone: 'UTC' };
    const rule = await ruleOf({ ...all, ...parts, escalate: { ...parts.escalate, ...own } });
    expect([rule.calendar, rule.escalation?.calendar, rule.quietHours?.timezone]).toEqual([
      'cn',
      'weekdays',
      'Asia/Tokyo',
    ]);
    // What only a part names is good for the rest of the rule too.
    const part = await ruleOf({ ...parts, quietHours: { outside: '09:00-19:00', ...own } });
    expect([part.calendar, part.timezone, part.escalation?.calendar]).toEqual([
      'weekdays',
      'UTC',
      'weekdays',
    ]);
    expect(await ruleOf({ trigger: { ...DAILY, ...own } })).toMatchObject(own);
    // But a schedule has its turns on every day, unless it or the rule itself says otherwise.
    const quiet = { quietHours: { outside: '09:00-19:00', ...own } };
    const turns = async (rule: object): Promise<unknown> =>
      (await ruleOf({ trigger: DAILY, ...rule })).schedule;
    expect(await turns(quiet)).toMatchObject({ calendar: null, timezone: 'UTC' });
    expect(await turns({ ...quiet, calendar: 'cn' })).toMatchObject({ calendar: 'cn' });
  });

  it('says whether conditions, of the ladder too, read the clock', async () => {
    const clock = { fact: 'now.weekday', operator: 'in', value: [1, 2] };
    const cancelOn = { not: { any: [clock] } };
    const named = { conditions: { any: [{ condition: 'monday' }] } };
    const file = { 'c.conditions.json': { monday: { all: [clock] } } };
    const escalate = { per: 'task', steps: STEPS };
    expect((await ruleOf({ conditions: { all: [clock] } })).readsClock).toBe(true);
    expect((await ruleOf(named, file)).readsClock).toBe(true);
    expect((await ruleOf({ escalate: { ...escalate, cancelOn } })).readsClock).toBe(true);
    expect((await ruleOf({ escalate })).readsClock).toBe(false);
  });

  it('has times of the state in milliseconds', async () => {
    const { conditions } = await ruleOf({
      conditions: {
        all: [{ fact: 'task.firstSeen', operator: 'before', value: '2026-01-31T00:00:00+08:00' }],
      },
    });
    const at = (text: string): string =>
      conditions.evaluate(new Map([['task.firstSeen', Date.parse(text)]]), { now: 0 });
    expect([at('2026-01-30T15:59:59Z'), at('2026-01-30T16:00:01Z')]).toEqual(['yes', 'no']);
  });

  it('says whether conditions, keys or templates read the state', async () => {
    const fact = { fact: 'task.reopened', operator: 'equal', value: true };
    const reads = async (rule: object): Promise<boolean> => (await ruleOf(rule)).stateReads.size > 0;
    const withBody = (body: string): object => ({ actions: [{ ...ACTION, body }] });
    expect(await reads({})).toBe(false);
    expect(await reads({ conditions: { all: [fact] } })).toBe(true);
    expect(await reads({ throttle: { max: 1, per: '1h', key: 'node.pending' } })).toBe(true);
    expect(await reads(withBody('{{ task.age | default: 0 }}'))).toBe(true);
    expect(await reads(withBody('{{ task["age"] | default: 0 }}'))).toBe(true);
    // Only looks like it.
    expect(await reads(withBody('task.age {{ event.status | default: "task.age" }}'))).toBe(false);
    const steps = [{ after: '1h', actions: [{ ...ACTION, body: '{{ node.pending | default: 0 }}' }] }];
    expect(await reads({ escalate: { per: 'task', steps } })).toBe(true);
  });
});

describe('the plan of a ladder', () => {
  const ladder = (more: object = {}, steps: object[] = STEPS): object => ({
    escalate: { per: 'task', calendar: 'cn', steps, ...more },
  });
  const WORK = [{ after: '8 work hours', actions: [ACTION] }];
  const other = { ...shipped, cn: { ...shipped['cn'], holidays: ['2026-01-01'] } } as typeof shipped;

  it('is another one when what is counted changes', async () => {
    const plans = await Promise.all([
      planOf(ladder()),
      planOf(ladder({ per: 'node' })),
      planOf(ladder({}, [{ ...STEPS[0], after: '1d' }])),
      planOf(ladder({}, [{ ...STEPS[0], name: 'first' }])),
      planOf(ladder({}, [...STEPS, { ...STEPS[0], after: '2d' }])),
      planOf(ladder({}, WORK)),
      planOf(ladder({ calendar: 'weekdays' }, WORK)),
      planOf(ladder({ timezone: 'UTC' }, WORK)),
      planOf(ladder({}, WORK), {}, other),
    ]);
    expect(new Set(plans).size).toBe(plans.length);
    for (const plan of plans) expect(plan).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is the same when only what is sent or cancels it changes', async () => {
    const cancelOn = { all: [{ fact: 'status', operator: 'equal', value: 9 }] };
    const changed = ladder({ cancelOn, confirm: true }, [
      { ...STEPS[0], actions: [{ ...ACTION, body: 'x' }] },
    ]);
    expect(await planOf(changed)).toBe(await planOf(ladder()));
    // What is not counted does not matter.
    expect(await planOf(ladder(), {}, other)).toBe(await planOf(ladder()));
    expect(await planOf(ladder({ timezone: 'UTC' }))).toBe(await planOf(ladder()));
  });

  it('is another one for any change of a calendar when it names none, since any may be the default', async () => {
    const unnamed = { escalate: { per: 'task', steps: WORK } };
    expect(await planOf(unnamed, {}, other)).not.toBe(await planOf(unnamed));
  });

  it('follows a calendar of the rules folder', async () => {
    const office = (...holidays: string[]): Readonly<Record<string, unknown>> => ({
      'office.calendar.json': { name: 'office', holidays },
    });
    const rule = ladder({ calendar: 'office' }, WORK);
    expect(await planOf(rule, office('2026-01-01'))).toBe(await planOf(rule, office('2026-01-01')));
    expect(await planOf(rule, office('2026-01-01'))).not.toBe(await planOf(rule, office('2026-01-02')));
  });
});

describe('a schedule', () => {
  it('is no rule that events are picked for', async () => {
    const set = await setOf({
      trigger: DAILY,
      conditions: { any: [{ fact: 'status', operator: 'exists', value: true }] },
    });
    const [rule] = set.rules;
    expect(rule?.schedule).toMatchObject({ cron: '0 9 * * *', over: 'task', calendar: null, timezone: null });
    expect(rule?.trigger).toEqual(['aftersign.schedule']);
    expect(rule?.listensTo('aftersign.schedule')).toBe(true);
    expect(rule?.listensTo(APPROVER)).toBe(false);
    const facts = new Map<string, unknown>([
      ['event_type', APPROVER],
      ['status', 1],
    ]);
    expect(set.index.candidates(new FactView(set.places.places, facts))).toEqual([]);
  });

  it('is never meant by a pattern', async () => {
    for (const trigger of ['*', 'aftersign.*', [APPROVER, '*schedule']])
      expect((await ruleOf({ trigger })).listensTo('aftersign.schedule')).toBe(false);
    expect((await ruleOf({ trigger: '*' })).listensTo('aftersign.other')).toBe(true);
  });

  it('has another plan when it is due at other times', async () => {
    const other = { ...shipped, cn: { ...shipped['cn'], holidays: [] } } as typeof shipped;
    const planOfTrigger = async (trigger: object, calendars = shipped): Promise<string | undefined> =>
      (await ruleOf({ trigger: { ...DAILY, ...trigger } }, {}, calendars)).schedule?.plan;
    const plans = await Promise.all([
      planOfTrigger({}),
      planOfTrigger({ schedule: '0 10 * * *' }),
      planOfTrigger({ over: 'node' }),
      planOfTrigger({ timezone: 'UTC' }),
      planOfTrigger({ calendar: 'cn' }),
      planOfTrigger({ calendar: 'cn' }, other),
    ]);
    expect(new Set(plans).size).toBe(plans.length);
    expect(await planOfTrigger({}, other)).toBe(plans[0]);
  });
});

describe('the look-ups of a rule', () => {
  const lookups = {
    'lookups.json': {
      process: { type: 'feishu-process', id: '{{ event.process_id }}' },
      user: { type: 'feishu-user', id: 'ou_1' },
    },
  };
  const named = async (rule: object): Promise<Record<string, string[]> | null> => {
    const { lookups: found } = await ruleOf(rule, lookups);
    return (
      found &&
      Object.fromEntries(
        Object.entries(found).flatMap(([where, names]: [string, ReadonlySet<string>]) =>
          names.size > 0 ? [[where, [...names].sort()]] : [],
        ),
      )
    );
  };
  const mail = (text: string): object => ({ ...ACTION, body: text });

  it('stand where they are needed', async () => {
    const status = { fact: 'lookup.process.status', operator: 'equal', value: 9 };
    expect(await named({})).toBeNull();
    expect(await named({ conditions: { any: [status] } })).toEqual({ conditions: ['process'] });
    expect(await named({ actions: [mail('{{ lookup.user.name }}')] })).toEqual({ templates: ['user'] });
    expect(
      await named({
        escalate: {
          per: 'task',
          steps: [{ after: '1h', actions: [mail('{{ lookup.user.name }}')] }],
        },
      }),
    ).toEqual({ steps: ['user'] });
    expect(await named({ throttle: { max: 1, per: '1h', key: 'lookup.user.name' } })).toEqual({
      templates: ['user'],
    });
    expect(
      await named({
        digest: { window: '1m', item: '{{ lookup.user.name }}' },
        actions: [mail('{{ items[0].lookup.process.status }}')],
      }),
    ).toEqual({ templates: ['process', 'user'] });
  });
});

describe('what cancels a ladder', () => {
  it('reads what any event of the process has, in the form in which that event has it', async () => {
    const orders = ['submitted', 'closed'].map((name) => ({
      eventType: `order.${name}`,
      label: { zh: name, en: name },
      entities: { process: 'order_id' },
      rootEntity: 'process',
      fields: {
        order_id: { type: 'string', label: { zh: '编号', en: 'id' } },
        [`${name}_at`]: { type: 'integer', format: 'epoch-seconds', label: { zh: '时间', en: 'time' } },
      },
    }));
    const files = Object.fromEntries(orders.map((one, index) => [`catalogue/${index}.event.json`, one]));
    const { escalation } = await ruleOf(
      {
        trigger: 'order.submitted',
        conditions: { any: [{ fact: 'order_id', operator: 'exists', value: true }] },
        escalate: {
          per: 'process',
          steps: STEPS,
          cancelOn: { all: [{ fact: 'closed_at', operator: 'after', value: '2026-01-01T00:00:00Z' }] },
        },
      },
      files,
    );
    const closed = (seconds: number): string | undefined =>
      escalation?.cancelOn?.evaluate(new Map([['closed_at', seconds]]), { now: 0 });
    expect(closed(Date.UTC(2026, 0, 2) / 1000)).toBe('yes');
    expect(closed(Date.UTC(2025, 0, 2) / 1000)).toBe('no');
    expect(escalation?.cancelOn?.evaluate(new Map(), { now: 0 })).toBe('unknown');
  });
});
