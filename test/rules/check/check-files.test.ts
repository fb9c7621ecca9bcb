import { describe, expect, it } from '@jest/globals';
import { checkFiles, type CheckedFiles } from '../../../src/rules/check/check-files.js';
import { ruleSetHash } from '../../../src/rules/check/rule-set-hash.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';

const catalogue = expenseCatalogue();
const ACTION = { type: 'http', name: 'tell', url: 'https://books.example/' };
const GOOD = {
  name: 'good',
  trigger: 'expense.submitted_v1',
  conditions: { all: [{ fact: 'level', operator: 'equal', value: 2 }] },
  actions: [ACTION],
};
const check = (files: Readonly<Record<string, unknown>>): CheckedFiles =>
  checkFiles(
    new Map(
      Object.entries(files).map(([file, value]) => [
        file,
        typeof value === 'string' ? value : JSON.stringify(value, null, 2),
      ]),
    ),
    catalogue,
  );
const codes = (files: Readonly<Record<string, unknown>>): string[] =>
  check(files).findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);

describe('checked files', () => {
  it('are documents with their defaults, and where they stand', () => {
    const { rules, ruleCount } = check({
      'b.rule.json': [GOOD, { ...GOOD, name: 'other' }],
      'a.rule.json': 5,
    });
    expect(ruleCount).toBe(2);
    expect(rules).toEqual([
      {
        ...GOOD,
        trigger: ['expense.submitted_v1'],
        enabled: true,
        priority: 1,
        file: 'b.rule.json',
        line: 2,
        actions: [{ ...ACTION, method: 'POST', headers: {}, timeout: 15_000 }],
      },
      expect.objectContaining({ name: 'other', line: 22 }),
    ]);
  });

  it("take json-rules-engine's own shape: the type is the kind, the params are the keys of the action", () => {
    const { rules, findings } = check({
      'a.json': { ...GOOD, actions: undefined, event: { type: 'http', params: { url: ACTION.url } } },
    });
    expect(findings).toEqual([]);
    expect(rules[0]?.actions).toMatchObject([{ type: 'http', name: 'http', url: ACTION.url }]);
  });

  it('leave names and values as they are written, and drop what says nothing', () => {
    const conditions = {
      all: [
        { fact: 'tags', operator: 'someFact:equal', value: { literal: 'x' }, priority: 3, name: 'a tag' },
        { condition: 'Named', name: 'x' },
        { not: { fact: 'applicant', path: '$.name', operator: 'equal', value: { fact: 'claim_id' } } },
      ],
      name: 'all of it',
    };
    const named = { any: [{ fact: 'amount', operator: 'greaterThan', value: 5 }] };
    const checked = check({
      'a.rule.json': { ...GOOD, conditions },
      'x/y.conditions.json': { Named: named },
    });
    expect(checked.findings).toEqual([]);
    expect(checked.conditions).toEqual({ Named: named });
    expect(checked.rules[0]?.conditions).toEqual({
      all: [
        { fact: 'tags', operator: 'someFact:equal', value: { literal: 'x' }, name: 'a tag' },
        { condition: 'Named' },
        { not: { fact: 'applicant', path: '$.name', operator: 'equal', value: { fact: 'claim_id' } } },
      ],
      name: 'all of it',
    });
  });

  it('find the event types of the folder first', () => {
    const entry = {
      eventType: 'parcel.arrived',
      label: { zh: '包裹', en: 'parcel' },
      entities: {},
      fields: { weight: { type: 'number', label: { zh: '重量', en: 'weight' } } },
    };
    const rule = {
      ...GOOD,
      trigger: 'parcel.arrived',
      conditions: { all: [{ fact: 'weight', operator: 'equal', value: '5' }] },
    };
    const checked = check({ 'a.rule.json': rule, 'catalogue/parcel.event.json': entry });
    expect(checked.findings.map(({ code, mend }) => `${code} ${mend}`)).toEqual(['VALUE_TYPE Write 5.']);
    expect(checked.catalogue).toEqual([entry]);
  });

  it.each<[string, string, unknown]>([
    ['carriage returns', '\r', '3:14'],
    ['both', '\r\n', '3:14'],
    ['line feeds', '\n', '3:14'],
  ])('count lines that end with %s', (_, end) => {
    const text = [
      '{',
      '"name": "a",',
      '"enabled":   "no",',
      JSON.stringify(GOOD).slice(1).replace('"name":"good",', ''),
    ];
    expect(codes({ 'a.rule.json': text.join(end) })).toEqual(['a.rule.json:3:14 RULE_VALUE_INVALID']);
    expect(codes({ 'a.rule.json': `\ufeff${text.join(end)}` })).toEqual([
      'a.rule.json:3:14 RULE_VALUE_INVALID',
    ]);
  });

  it('name the rule that a finding is about, and the length of its token', () => {
    expect(check({ 'a.rule.json': { ...GOOD, enabled: 'no' } }).findings).toEqual([
      expect.objectContaining({ rule: 'good', length: 4, severity: 'error' }),
    ]);
  });

  it('take __proto__ and constructor for names like any', () => {
    const text = JSON.stringify(GOOD).replace(
      '{"name"',
      '{"__proto__":{"enabled":false},"constructor":1,"name"',
    );
    expect(codes({ 'a.rule.json': text })).toEqual([
      'a.rule.json:1:2 RULE_KEY_UNKNOWN',
      'a.rule.json:1:32 RULE_KEY_UNKNOWN',
    ]);
    expect(codes({ 'a.conditions.json': '{"__proto__": {"all": [{"condition": "toString"}]}}' })).toEqual([
      'a.conditions.json:1:2 RULE_KEY_INVALID',
      'a.conditions.json:1:2 CONDITION_UNUSED',
      'a.conditions.json:1:38 CONDITION_UNKNOWN',
    ]);
    expect(({} as { enabled?: boolean }).enabled).toBeUndefined();
  });

  it('accept what one of several event types accepts', () => {
    const rule = (trigger: unknown, value: unknown): unknown => ({
      'a.rule.json': {
        ...GOOD,
        trigger,
        conditions: { all: [{ fact: 'status', operator: 'equal', value }] },
      },
    });
    const both = ['corehr.process.approver.updated_v2', 'approval_task'];
    const found = (trigger: unknown, value: unknown): string[] =>
      check(rule(trigger, value) as Record<string, unknown>).findings.map(({ code }) => code);
    expect(found(both, 3)).toEqual([]);
    expect(found(both, 'APPROVED')).toEqual([]);
    expect(found(both, true)).toEqual(['VALUE_TYPE']);
    expect(found('corehr.process.approver.*', '3')).toEqual(['VALUE_TYPE']);
    expect(found('*', '3')).toEqual(['VALUE_NOT_IN_ENUM']);
    // Nothing is known of one of them: the value may be right there.
    expect(found([both[0], 'warehouse.parcel.arrived'], '3')).toEqual(['EVENT_TYPE_UNKNOWN']);
  });

  it('leave the events of rule tests as their senders write them', () => {
    const event = '{ "name": "a", "steps": [ { "event": { "id": 7072306364927985196 } } ], "expect": [] }';
    expect(codes({ 'a.cases.json': `{ "cases": [ ${event} ] }` })).toEqual([]);
  });

  it('propose the name that was meant', () => {
    const mends = (conditions: unknown): string[] =>
      check({ 'a.rule.json': { ...GOOD, conditions } }).findings.map(({ mend }) => mend);
    const leaf = (fact: string, operator: string, value: unknown): unknown => ({
      all: [{ fact, operator, value }],
    });
    expect(mends(leaf('amuont', 'equal', 1))).toEqual(['Did you mean "amount"?']);
    expect(mends(leaf('event.amount', 'equal', 1))).toEqual(['Did you mean "amount"?']);
    expect(mends(leaf('amount', 'gte', 1))).toEqual(['Did you mean "greaterThanInclusive"?']);
    expect(mends(leaf('amount', 'nott:equal', 1))).toEqual(['Did you mean "not"?']);
    expect(mends(leaf('level', 'equal', '紧急'))).toEqual(['Write 2.']);
    expect(mends(leaf('level', 'equal', 'high'))).toEqual(['Use one of 1 (普通, normal), 2 (紧急, urgent).']);
    expect(mends(leaf('claim_id', 'equal', 7))).toEqual(['Write "7".']);
    expect(mends(leaf('tags', 'equal', 'taxi'))).toEqual([
      'To look for an element of the list, use "contains".',
    ]);
    expect(mends({ or: [GOOD.conditions] })).toEqual(['Did you mean "any"?']);
    expect(mends(leaf('weekday', 'equal', 1))).toEqual(['Did you mean "now.weekday"?']);
    expect(mends(leaf('now.wekday', 'equal', 1))).toEqual(['Did you mean "now.weekday"?']);
    expect(mends(leaf('now.weekday', 'equal', '周日'))).toEqual(['Write 7.']);
  });

  it('know the facts of whom an event is about, of any number of event types', () => {
    const found = (trigger: unknown, fact: string, value: unknown): string[] =>
      check({
        'a.rule.json': { ...GOOD, trigger, conditions: { all: [{ fact, operator: 'equal', value }] } },
      }).findings.map(({ code }) => code);
    const [approver, node] = ['corehr.process.approver.updated_v2', 'corehr.process.node.updated_v2'];
    expect(found(approver, 'task.previousStatus', 1)).toEqual([]);
    expect(found(approver, 'task.previousStatus', null)).toEqual([]);
    expect(found([approver, 'approval_task'], 'task.previousStatus', 'PENDING')).toEqual([]);
    expect(found([approver, 'approval_task'], 'task.previousStatus', 1)).toEqual([]);
    expect(found([approver, 'approval_task'], 'task.previousStatus', true)).toEqual(['VALUE_TYPE']);
    expect(found([approver, node], 'task.reopened', true)).toEqual(['FACT_NOT_IN_ALL_TYPES']);
    expect(found('corehr.process.*', 'task.reopened', true)).toEqual([]);
    expect(found('corehr.process.node.*', 'task.reopened', true)).toEqual(['FACT_NEVER_THERE']);
    expect(found(node, 'task.reopened', true)).toEqual(['FACT_NEVER_THERE']);
    expect(found('leave_approvalV2', 'node.pending', 0)).toEqual(['FACT_NEVER_THERE']);
    // Of a type that is not in the catalogue nothing is known, but which facts there are.
    expect(found('unheard.of', 'task.reopened', true)).toEqual(['EVENT_TYPE_UNKNOWN']);
    expect(found('unheard.of', 'task.reopend', true)).toEqual(['EVENT_TYPE_UNKNOWN', 'FACT_UNKNOWN']);
    expect(found('*', 'event.late', 'no')).toEqual(['VALUE_TYPE']);
  });

  it('have a version that rule tests and the schema do not change', () => {
    const hash = (files: Record<string, string>): string =>
      ruleSetHash(new Map(Object.entries(files)), catalogue);
    const files = { 'a.rule.json': '{}', 'b/schema.json': '{}' };
    expect(hash({ ...files, 'schema.json': '1', 'a.cases.json': '2' })).toBe(hash(files));
    expect(hash({ 'b/schema.json': '{}', 'a.rule.json': '{}' })).toBe(hash(files));
    expect(hash({ ...files, 'b/schema.json': '{ }' })).not.toBe(hash(files));
  });
});

describe('bombs', () => {
  const many = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index));

  it.each<[string, () => Record<string, unknown>, string]>([
    ['deep lists', () => ({ 'a.rule.json': '['.repeat(2_000_000) }), 'JSON_INVALID'],
    ['deep objects', () => ({ 'a.rule.json': '{"a":'.repeat(1_000_000) }), 'JSON_INVALID'],
    ['quotes', () => ({ 'a.rule.json': '"'.repeat(5_000_000) }), 'JSON_INVALID'],
    ['missing commas', () => ({ 'a.rule.json': `[${'1 '.repeat(500_000)}]` }), 'JSON_INVALID'],
    [
      'unknown keys',
      () => ({ 'a.rule.json': Object.fromEntries(many(100_000, (n) => [`k${n}`, 1])) }),
      'RULE_KEY_UNKNOWN',
    ],
    [
      'conditions that double',
      () => ({
        'a.conditions.json': {
          c0: GOOD.conditions,
          ...Object.fromEntries(
            many(99, (n) => [
              `c${n + 1}`,
              { any: [{ condition: `c${n}` }, { not: { condition: `c${n}` } }] },
            ]),
          ),
        },
        'a.rule.json': { ...GOOD, conditions: { condition: 'c99' } },
      }),
      'CONDITIONS_TOO_LARGE',
    ],
    [
      'a long chain of names',
      () => ({
        'a.conditions.json': {
          ...Object.fromEntries(many(30_000, (n) => [`c${n}`, { condition: `c${n + 1}` }])),
          c30000: GOOD.conditions,
        },
      }),
      'CONDITIONS_TOO_LARGE',
    ],
    [
      'a great circle with many short ones',
      () => ({
        'a.conditions.json': Object.fromEntries(
          many(20_000, (n) => [
            `c${n}`,
            { all: [{ condition: 'c0' }, { condition: `c${(n + 1) % 20_000}` }] },
          ]),
        ),
      }),
      'CONDITIONS_CIRCULAR',
    ],
    [
      'names that do not exist',
      () => ({
        'a.conditions.json': Object.fromEntries(many(20_000, (n) => [`name${n}`, { condition: `nmae${n}` }])),
      }),
      'CONDITION_UNKNOWN',
    ],
    [
      'leaves',
      () => ({
        'a.rule.json': {
          ...GOOD,
          conditions: { all: many(30_000, (n) => ({ fact: 'level', operator: 'equal', value: `x${n}` })) },
        },
      }),
      'CONDITIONS_TOO_LARGE',
    ],
    [
      'event types',
      () => ({ 'a.rule.json': { ...GOOD, trigger: many(20_000, (n) => `corehr.proces.approver.${n}*`) } }),
      'EVENT_TYPE_NEAR_MISS',
    ],
  ])('are taken apart without stalling: %s', (_, files, code) => {
    // Each would take for ever if it grew with more than the size of the files.
    const { findings } = check(files());
    expect(findings.map((finding) => finding.code)).toContain(code);
    expect(findings.length).toBeLessThanOrEqual(1001);
  });

  it('that are only long say so, as severely as what is left out', () => {
    const rules = many(1500, (n) => ({
      ...GOOD,
      name: `r${n}`,
      trigger: 'warehouse.parcel.arrived',
      conditions: { all: [{ fact: 'x', operator: 'equal', value: 1 }] },
    }));
    const { findings, rules: sound } = check({ 'a.rule.json': rules });
    expect(findings).toHaveLength(1001);
    expect(findings.at(-1)).toMatchObject({ code: 'FINDINGS_CUT', severity: 'info' });
    expect(sound).toHaveLength(1500);
    const last = { ...GOOD, name: 'Wrong' };
    expect(check({ 'a.rule.json': [...rules, last] }).findings.at(-1)).toMatchObject({ severity: 'error' });
  });

  it('ten thousand rules of twenty lines take seconds', () => {
    const files = Object.fromEntries(
      many(10_000, (n) => [
        `topic${n % 50}/${n}.rule.json`,
        {
          ...GOOD,
          name: `r${n}`,
          conditions: {
            all: [...GOOD.conditions.all, { fact: 'claim_id', operator: 'startsWith', value: `C-${n}` }],
          },
        },
      ]),
    );
    expect(check(files).findings).toEqual([]);
  });
});

describe('what rules say about state and time', () => {
  const APPROVER = 'corehr.process.approver.updated_v2';
  const TASK = {
    ...GOOD,
    trigger: APPROVER,
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  };
  const STEP = { after: '24h', actions: [{ ...ACTION, name: 'remind' }] };

  it('stands in the document as it is written, with what is the same for all rules left out', () => {
    const given = {
      owner: 'people-ops',
      calendar: 'cn',
      timezone: 'Asia/Shanghai',
      oncePer: 'task',
      settle: '2h',
      throttle: { max: 5, per: '1h', key: 'process_id' },
      quietHours: { outside: '09:00-19:00', then: 'drop' },
      escalate: {
        per: 'task',
        calendar: 'weekdays',
        timezone: 'UTC',
        confirm: false,
        cancelOn: { any: [{ fact: 'status', operator: 'equal', value: 9 }] },
        steps: [
          { ...STEP, name: 'first' },
          { ...STEP, after: '2 workdays' },
        ],
      },
    };
    const { rules, findings } = check({ 'a.rule.json': { ...TASK, ...given } });
    expect(findings).toEqual([]);
    const action = { ...ACTION, name: 'remind', method: 'POST', headers: {}, timeout: 15_000 };
    expect(rules[0]).toMatchObject({
      ...given,
      escalate: {
        ...given.escalate,
        steps: given.escalate.steps.map((one) => ({ ...one, actions: [action] })),
      },
    });
    const [plain] = check({ 'a.rule.json': TASK }).rules;
    expect(Object.keys(plain ?? {}).sort()).toEqual(
      ['actions', 'conditions', 'enabled', 'file', 'line', 'name', 'priority', 'trigger'].sort(),
    );
  });

  it('is a trigger of its own when it is a schedule', () => {
    const trigger = { schedule: '0 9 * * 1-5', over: 'task', calendar: 'cn', timezone: 'Asia/Shanghai' };
    const { rules, findings } = check({
      'a.rule.json': {
        ...TASK,
        trigger,
        digest: { item: '{{ event.process_id | default: "-" }}' },
        actions: [{ ...ACTION, body: '{{ items.length }}' }],
      },
    });
    expect(findings).toEqual([]);
    expect(rules[0]).toMatchObject({
      trigger: ['aftersign.schedule'],
      schedule: trigger,
      digest: { item: '{{ event.process_id | default: "-" }}' },
    });
  });

  it('makes a file a rule file, with an escalation alone', () => {
    const { rules, findings } = check({
      'topic/a.json': { ...TASK, actions: undefined, escalate: { per: 'task', steps: [STEP] } },
    });
    expect(findings).toEqual([]);
    expect(rules[0]?.actions).toEqual([]);
  });

  it('has calendars of the rules folder at hand', () => {
    const { findings } = check({
      'a.rule.json': [
        { ...TASK, calendar: 'office' },
        { ...TASK, name: 'other', calendar: 'ofice' },
      ],
      'office.calendar.json': { name: 'office', from: '2026-01-01', until: '2026-12-31' },
    });
    expect(findings).toMatchObject([
      { code: 'CALENDAR_UNKNOWN', rule: 'other', mend: 'Did you mean "office"?' },
    ]);
  });

  it('uses named conditions to cancel, whose mistakes break the rule', () => {
    const rule = {
      ...TASK,
      escalate: { per: 'task', cancelOn: { any: [{ condition: 'over' }] }, steps: [STEP] },
    };
    const withCondition = (leaf: object): CheckedFiles =>
      check({ 'a.rule.json': rule, 'a.conditions.json': { over: { all: [leaf] } } });
    // A fact of another event of the same process is none of a mistake.
    const sound = withCondition({ fact: 'node_status', operator: 'equal', value: 2 });
    expect([sound.findings, sound.rules.length]).toEqual([[], 1]);
    const broken = withCondition({ fact: 'node_status', operator: 'equal', value: '2' });
    expect(broken.findings).toMatchObject([{ file: 'a.conditions.json', code: 'VALUE_TYPE' }]);
    expect(broken.rules).toEqual([]);
  });

  it('counts the size of what cancels by itself', () => {
    const any = Array.from({ length: 1001 }, (_, index) => ({
      fact: 'process_id',
      operator: 'equal',
      value: `${index}`,
    }));
    const { findings } = check({
      'a.rule.json': { ...TASK, escalate: { per: 'task', cancelOn: { any }, steps: [STEP] } },
    });
    expect(findings).toMatchObject([{ code: 'CONDITIONS_TOO_LARGE' }]);
    expect(findings[0]?.message).toContain('"cancelOn" has 1001 leaves');
  });

  it('says once per rule that no calendar is named for working time, and not at all when one is anywhere', () => {
    const steps = ['8 work hours', '1 workday'].map((after) => ({ ...STEP, after }));
    const escalate = { per: 'task', steps };
    const found = (more: object): string[] =>
      check({ 'a.rule.json': { ...TASK, escalate, ...more } }).findings.map(({ code }) => code);
    expect(found({})).toEqual(['CALENDAR_NOT_NAMED']);
    expect(found({ calendar: 'cn' })).toEqual([]);
    expect(found({ escalate: { ...escalate, calendar: 'cn' } })).toEqual([]);
    expect(found({ quietHours: { outside: '09:00-19:00', calendar: 'cn' } })).toEqual([]);
    // One mistake, not two.
    expect(found({ calendar: 'nc' })).toEqual(['CALENDAR_UNKNOWN']);
  });

  it('may count by what one type of a pattern names', () => {
    const found = (trigger: unknown, oncePer: string): string[] =>
      check({
        'a.rule.json': {
          ...TASK,
          trigger,
          oncePer,
          conditions: { any: [{ fact: 'event_id', operator: 'exists', value: true }] },
        },
      }).findings.map(({ severity, code }) => `${severity} ${code}`);
    expect(found('corehr.process.*', 'task')).toEqual([]);
    expect(found('expense.*', 'task')).toEqual(['warning ENTITY_IN_NO_TYPE']);
    expect(found(['expense.submitted_v1', 'unheard.of'], 'task')).toEqual([
      'info EVENT_TYPE_UNKNOWN',
      'warning ENTITY_IN_NO_TYPE',
    ]);
    expect(found('expense.*', 'process')).toEqual([]);
  });
});
