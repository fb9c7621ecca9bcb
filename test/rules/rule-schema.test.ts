// Ajv plays the editor: with the keyword `enumDescriptions` it notes what an editor would show on hover.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';
import { ACTION_KEYS } from '../../src/action/action-document.js';
import { printRuleSchema } from '../../src/cli/rules-schema.js';
import { type CatalogueEntry, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { checkFiles } from '../../src/rules/check/check-files.js';
import { RULE_KEYS } from '../../src/rules/check/rule-check.js';
import { LOOKUP_KEYS } from '../../src/rules/lookup-document.js';
import { DECORATORS, OPERATORS } from '../../src/rules/operators.js';
import { SCHEDULE_TYPE } from '../../src/rules/rule-timing.js';
import { ruleSchema } from '../../src/rules/rule-schema.js';
import { temporaryFolder } from '../support/folder.js';

const catalogue = loadBuiltInCatalogue();
const hovers: string[] = [];

function validatorOf(schema: object): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addKeyword({
    keyword: 'enumDescriptions',
    schemaType: 'array',
    compile: (descriptions: string[], parent: AnySchemaObject) => (value: unknown) => {
      const description = descriptions[(parent['enum'] as readonly unknown[]).indexOf(value)];
      if (description !== undefined) hovers.push(description);
      return true;
    },
  });
  return ajv.compile(schema);
}
const validate = validatorOf(ruleSchema(catalogue));

interface Leaf {
  readonly fact: string;
  readonly operator: string;
  readonly value: unknown;
}
const APPROVER = 'corehr.process.approver.updated_v2';
const RULE = {
  name: 'good',
  trigger: APPROVER as unknown,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] } as unknown,
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }] as unknown,
};
const ESCALATE = { per: 'task', steps: [{ after: '24h', actions: RULE.actions }] };
const DAILY = { schedule: '0 9 * * *', over: 'task' };
const withLeaf = (leaf: object, trigger: unknown = APPROVER): object => ({
  ...RULE,
  trigger,
  conditions: { any: [{ not: leaf }] },
});
const isValid = (leaf: Leaf & Record<string, unknown>, trigger?: unknown): boolean =>
  validate(withLeaf(leaf, trigger));

/** What is shown for the value of a leaf that compares it with `equal`. */
function hoverOf(fact: string, value: unknown, trigger: unknown): string[] {
  hovers.length = 0;
  expect(isValid({ fact, operator: 'equal', value }, trigger)).toBe(true);
  const others = [...hovers];
  hovers.length = 0;
  // The same with a value that nobody has a label for: what is left over belongs to the value.
  expect(
    isValid(
      { fact, operator: 'equal', value: typeof value === 'string' ? 'no such value' : 987654 },
      trigger,
    ),
  ).toBe(true);
  for (const hover of hovers) others.splice(others.indexOf(hover), 1);
  return [...new Set(others)];
}

describe('the JSON Schema of rule files', () => {
  it('takes the rules that ship with the product', () => {
    const files = readdirSync('rules', { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.rule.json'),
    );
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const valid = validate(JSON.parse(readFileSync(join('rules', file), 'utf8')));
      expect([file, valid, validate.errors]).toEqual([file, true, null]);
    }
  });

  it.each<[string, unknown]>([
    ['a list of rules', [RULE, { ...RULE, name: 'other' }]],
    [
      "json-rules-engine's own shape",
      {
        name: 'own',
        conditions: RULE.conditions,
        event: { type: 'http', params: { url: 'https://a.example/' } },
      },
    ],
    [
      'every key of a rule',
      {
        ...RULE,
        $schema: '../schema.json',
        description: 'x',
        owner: 'y',
        labels: { a: 'b' },
        enabled: false,
        priority: 3,
      },
    ],
    ['a rule in shadow mode', { ...RULE, mode: 'shadow', shadowOf: 'other' }],
    ['a rule in shadow mode beside none', { ...RULE, mode: 'shadow' }],
    ['a live rule that says so', { ...RULE, mode: 'live' }],
    [
      'every key that says when, how often and how bundled',
      {
        ...RULE,
        calendar: 'office',
        timezone: 'America/New_York',
        oncePer: 'node',
        settle: 'PT36H',
        throttle: { max: 5, per: '1h', key: 'lookup.user.name' },
        digest: { window: '15m', key: 'owner', item: '{{ event.process_id }}' },
        quietHours: { outside: '22:00-06:00', then: 'drop', calendar: 'cn', timezone: 'Asia/Shanghai' },
        escalate: {
          per: 'task',
          calendar: 'cn',
          timezone: 'UTC',
          confirm: true,
          cancelOn: { any: [{ condition: 'is-done' }] },
          steps: [
            { after: '8 work hours', actions: RULE.actions },
            { after: '2workdays', name: 'boss', actions: RULE.actions },
            { after: 'P3D', actions: RULE.actions },
          ],
        },
      },
    ],
    ['an escalation alone', { ...RULE, actions: undefined, escalate: ESCALATE }],
    [
      'a schedule with a digest that is sent at once',
      { ...RULE, trigger: { schedule: '*/5 8-18 * * MON-FRI', over: 'node', calendar: 'cn' }, digest: {} },
    ],
    ['a list of triggers and a pattern', { ...RULE, trigger: [APPROVER, 'corehr.process.*'] }],
    [
      'an event type and a fact that nobody knows',
      withLeaf({ fact: 'anything', operator: 'equal', value: { a: 1 } }, 'unheard.of'),
    ],
    ['a value that the catalogue has not got', withLeaf({ fact: 'status', operator: 'equal', value: 99 })],
    [
      'a list that is never found equal, of which the loader only warns',
      withLeaf({ fact: 'status', operator: 'equal', value: [1] }),
    ],
    ['null', withLeaf({ fact: 'status', operator: 'notEqual', value: null })],
    [
      'another fact as the value',
      withLeaf({ fact: 'process_id', operator: 'equal', value: { fact: 'approver_id', path: '$.a' } }),
    ],
    ['a literal', withLeaf({ fact: 'process_id', operator: 'equal', value: { literal: { fact: 1 } } })],
    ['decorated operators', withLeaf({ fact: 'list', operator: 'everyFact:not:lessThan', value: 3 })],
    [
      'a path, whose values the catalogue does not know',
      withLeaf({ fact: 'status', path: '$.a["b c"][0]', operator: 'equal', value: 'x' }),
    ],
    ['a named condition', { ...RULE, conditions: { all: [{ condition: 'is-done' }] } }],
    [
      'names and priorities of conditions',
      {
        ...RULE,
        conditions: { not: { fact: 'a', operator: 'exists', value: true, name: 'b', priority: 2 } },
      },
    ],
    [
      'a duration and a time',
      {
        ...RULE,
        conditions: {
          all: [
            { fact: 'create_time', operator: 'olderThan', value: '2d' },
            { fact: 'create_time', operator: 'after', value: '2026-11-01T00:00:00+08:00' },
          ],
        },
      },
    ],
    [
      'e-mail',
      {
        ...RULE,
        actions: [
          {
            type: 'email',
            name: 'a',
            to: 'a@example.com',
            subject: 's',
            html: '<p>',
            retry: { over: '72h', max: 3 },
          },
        ],
      },
    ],
    [
      'GET without a body',
      {
        ...RULE,
        actions: [
          {
            type: 'http',
            name: 'a',
            method: 'GET',
            url: 'https://a.example',
            timeout: 'PT30S',
            retry: ['10s'],
            success: { status: [200] },
          },
        ],
      },
    ],
  ])('takes %s', (_, rule) => {
    expect([validate(rule), validate.errors]).toEqual([true, null]);
  });

  it.each<[string, unknown]>([
    ['no object', 'rule'],
    ['an unknown key', { ...RULE, prioritty: 1 }],
    ['a mode that there is not', { ...RULE, mode: 'dark' }],
    ['a live rule in shadow of another', { ...RULE, shadowOf: 'other' }],
    ['a live rule in shadow of another, said aloud', { ...RULE, mode: 'live', shadowOf: 'other' }],
    ['an escalation without steps', { ...RULE, escalate: { per: 'task' } }],
    ['an escalation per what does not exist', { ...RULE, escalate: { ...ESCALATE, per: 'approver' } }],
    ['an unknown key of an escalation', { ...RULE, escalate: { ...ESCALATE, when: {} } }],
    ['a step without actions', { ...RULE, escalate: { ...ESCALATE, steps: [{ after: '24h' }] } }],
    [
      'a step after a bare number',
      { ...RULE, escalate: { ...ESCALATE, steps: [{ after: 24, actions: RULE.actions }] } },
    ],
    [
      'an unknown operator in what cancels',
      {
        ...RULE,
        escalate: { ...ESCALATE, cancelOn: { all: [{ fact: 'status', operator: 'is', value: 1 }] } },
      },
    ],
    ['an escalation beside a schedule', { ...RULE, trigger: DAILY, escalate: ESCALATE }],
    ['a schedule with seconds', { ...RULE, trigger: { ...DAILY, schedule: '0 0 9 * * *' } }],
    ['a schedule over nothing', { ...RULE, trigger: { schedule: '0 9 * * *' } }],
    ['the type of the turns of schedules', { ...RULE, trigger: 'aftersign.schedule' }],
    ['a digest without a window', { ...RULE, digest: { key: 'owner' } }],
    ['a throttle without a period', { ...RULE, throttle: { max: 5 } }],
    ['work hours that settle', { ...RULE, settle: '8 work hours' }],
    ['quiet hours without minutes', { ...RULE, quietHours: { outside: '9-19' } }],
    ['quiet hours that wait', { ...RULE, quietHours: { outside: '09:00-19:00', then: 'wait' } }],
    ['once per something else', { ...RULE, oncePer: 'approver' }],
    ['a calendar with capitals', { ...RULE, calendar: 'CN' }],
    ['no name', { ...RULE, name: undefined }],
    ['a name with capitals', { ...RULE, name: 'Good' }],
    ['no trigger', { ...RULE, trigger: undefined }],
    ['an empty list of triggers', { ...RULE, trigger: [] }],
    ['priority 0', { ...RULE, priority: 0 }],
    ['labels that are no texts', { ...RULE, labels: { a: 1 } }],
    ['no actions', { ...RULE, actions: undefined }],
    ['an empty list of actions', { ...RULE, actions: [] }],
    ['event beside actions', { ...RULE, event: { type: 'http', params: { url: 'https://a.example' } } }],
    ['an unknown action', { ...RULE, actions: [{ type: 'sms', name: 'a' }] }],
    ['an action without a name', { ...RULE, actions: [{ type: 'http', url: 'https://a.example' }] }],
    [
      'an unknown key of an action',
      { ...RULE, actions: [{ type: 'http', name: 'a', uri: 'https://a.example', url: 'x' }] },
    ],
    [
      'a mail without text',
      { ...RULE, actions: [{ type: 'email', name: 'a', to: 'a@example.com', subject: 's' }] },
    ],
    [
      'GET with a body',
      { ...RULE, actions: [{ type: 'http', name: 'a', method: 'GET', url: 'https://a.example', body: {} }] },
    ],
    [
      'a bare number as a duration',
      { ...RULE, actions: [{ type: 'http', name: 'a', url: 'https://a.example', timeout: 30 }] },
    ],
    ['any beside all', { ...RULE, conditions: { all: [], any: [] } }],
    ['an empty all', { ...RULE, conditions: { all: [] } }],
    [
      'a group with a fact',
      { ...RULE, conditions: { all: [{ fact: 'a', operator: 'equal', value: 1, any: [] }] } },
    ],
    ['a leaf without an operator', withLeaf({ fact: 'status', value: 3 })],
    ['a leaf without a value', withLeaf({ fact: 'status', operator: 'equal' })],
    ['an unknown key of a condition', withLeaf({ fact: 'status', operator: 'equal', value: 3, values: 3 })],
    ['an unknown operator', withLeaf({ fact: 'status', operator: 'equals', value: 3 })],
    ['an unknown decorator', withLeaf({ fact: 'status', operator: 'eachFact:equal', value: 3 })],
    ['a text where a number stands', withLeaf({ fact: 'status', operator: 'equal', value: '3' })],
    ['a number where a text stands', withLeaf({ fact: 'process_id', operator: 'in', value: [7] })],
    ['"in" with a text', withLeaf({ fact: 'biz_type', operator: 'in', value: 'renewal_record' })],
    [
      '"in" with a text, in an unknown fact',
      withLeaf({ fact: 'x', operator: 'not:in', value: 'y' }, 'unheard.of'),
    ],
    [
      'a reference with another key',
      withLeaf({ fact: 'a', operator: 'equal', value: { fact: 'b', pth: '$.a' } }),
    ],
    ['a path with a filter', withLeaf({ fact: 'a', path: '$[?(@.b)]', operator: 'equal', value: 1 })],
    ['exists with a number', withLeaf({ fact: 'a', operator: 'exists', value: 1 })],
    ['a duration without a unit', withLeaf({ fact: 'create_time', operator: 'olderThan', value: 24 })],
    ['one bad rule in a list', [RULE, { ...RULE, name: 'B' }]],
  ])('refuses %s', (_, rule) => {
    const text = JSON.stringify(rule);
    expect(validate(JSON.parse(text))).toBe(false);
    // An editor must not refuse what the loader takes.
    const { findings } = checkFiles(new Map([['a.rule.json', text]]), catalogue);
    expect(findings.map(({ severity }) => severity)).toContain('error');
  });

  it('takes the look-ups that ship with the product, and one of each kind with all its keys', () => {
    const shared = { timeout: '2s', within: '1h' };
    const every = {
      $schema: './schema.json',
      process: {
        type: 'feishu-process',
        id: '{{ event.process_id }}',
        task: '{{ event.approver_id }}',
        userIdType: 'union_id',
        app: 'default',
        ...shared,
      },
      user: { type: 'feishu-user', id: 'ou_1', idType: 'user_id', app: 'default', cache: '2d', ...shared },
      employee: {
        type: 'http',
        url: 'https://hr.example.com/{{ event.process_id }}',
        headers: { authorization: 'Bearer {{ secrets.HR }}' },
        success: { path: 'code', equal: 0 },
        cache: 'PT1H',
        fields: {
          grade: {
            type: 'object',
            label: { zh: '职级', en: 'grade' },
            fields: {
              level: {
                type: 'integer',
                label: { zh: '级', en: 'level' },
                enum: [{ value: 1, label: { zh: '一', en: 'one' } }],
              },
            },
          },
        },
        ...shared,
      },
    };
    for (const kind of Object.values(every).filter((one) => typeof one !== 'string'))
      expect(Object.keys(kind).sort()).toEqual([...LOOKUP_KEYS[kind.type as 'http'].known].sort());
    for (const text of [readFileSync('rules/lookups.json', 'utf8'), JSON.stringify(every), '{}']) {
      const { findings } = checkFiles(new Map([['lookups.json', text]]), catalogue);
      expect(findings).toEqual([]);
      if (text === '{}') continue;
      expect([validate(JSON.parse(text)), validate.errors]).toEqual([true, null]);
    }
  });

  it.each<[string, object]>([
    ['a kind', { process: { type: 'feishu-proces', id: 'a' } }],
    ['a key that is missing', { process: { type: 'feishu-process' } }],
    ['a key of another kind', { process: { type: 'feishu-process', id: 'a', cache: '1h' } }],
    ['a duration', { user: { type: 'feishu-user', id: 'a', cache: 1 } }],
    ['a name', { 'My-User': { type: 'feishu-user', id: 'a' } }],
    ['a field', { hr: { type: 'http', url: 'https://a.example/', fields: { grade: 'integer' } } }],
  ])('refuses a look-up for %s', (_, lookups) => {
    expect(validate(lookups)).toBe(false);
    const { findings } = checkFiles(new Map([['lookups.json', JSON.stringify(lookups)]]), catalogue);
    expect(findings.map(({ severity }) => severity)).toContain('error');
  });

  it('completes and explains facts of look-ups, whatever the rule listens to', () => {
    for (const trigger of [APPROVER, 'unheard.of', 'corehr.process.*']) {
      expect(hoverOf('lookup.process.status', 9, trigger)).toEqual(['已完成 / completed']);
      expect(isValid({ fact: 'lookup.process.status', operator: 'equal', value: '9' }, trigger)).toBe(false);
      hovers.length = 0;
      expect(isValid({ fact: 'lookup.user.email', operator: 'exists', value: true }, trigger)).toBe(true);
      expect(hovers).toContain('邮箱 / e-mail (string, 可能缺失 may be missing, 个人信息 personal)');
      expect(isValid({ fact: 'lookup.other.todos.0.x', operator: 'equal', value: [1] }, trigger)).toBe(true);
    }
  });

  it('completes and explains the facts of the state and the clock', () => {
    expect(hoverOf('task.previousStatus', 1, APPROVER)).toEqual(['待办 / to do']);
    expect(hoverOf('process.status', 9, APPROVER)).toEqual(['已完成 / completed']);
    expect(hoverOf('process.status', 'APPROVED', 'approval_task')).toEqual(['已通过 / approved']);
    expect(hoverOf('now.weekday', 7, 'unheard.of')).toEqual(['周日 / Sunday']);
    hovers.length = 0;
    expect(isValid({ fact: 'node.complete', operator: 'equal', value: true }, APPROVER)).toBe(true);
    expect(hovers).toContain('节点已有结论 / the node is decided (boolean, 可能缺失 may be missing)');
    expect(isValid({ fact: 'task.previousStatus', operator: 'equal', value: '1' }, APPROVER)).toBe(false);
    expect(isValid({ fact: 'task.previousStatus', operator: 'equal', value: null }, APPROVER)).toBe(true);
    expect(isValid({ fact: 'event.late', operator: 'equal', value: 'no' }, 'unheard.of')).toBe(false);
    const { definitions } = ruleSchema(catalogue) as { definitions: Record<string, unknown> };
    const node = JSON.stringify(definitions['fact.corehr.process.node.updated_v2']);
    expect([node.includes('"node.seen"'), node.includes('"task.age"')]).toEqual([true, false]);
  });

  it('says what a value means where the trigger says which event type is meant', () => {
    expect(hoverOf('status', 1, APPROVER)).toEqual(['待办 / to do']);
    expect(hoverOf('status', 2, [APPROVER])).toEqual(['拒绝 / rejected']);
    expect(hoverOf('status', 9, 'corehr.process.status.update_v2')).toEqual(['已完成 / completed']);
    expect(hoverOf('status', 3, 'corehr.process.status.update_v2')).toEqual([]);
    expect(hoverOf('status', 'PENDING', 'approval_instance')).toEqual(['审批中 / pending']);
    expect(hoverOf('source', 'reconcile', 'unheard.of')).toEqual(['对账补取 / reconciliation']);
  });

  it('says what a value means in each event type where the trigger means several', () => {
    for (const trigger of ['corehr.process.*', [APPROVER, 'corehr.process.updated_v2']]) {
      const [text, ...more] = hoverOf('status', 2, trigger);
      expect(more).toEqual([]);
      expect(text?.split('\n')).toEqual([
        `拒绝 / rejected: ${APPROVER}`,
        '已拒绝 / rejected: corehr.process.status.update_v2, corehr.process.updated_v2',
      ]);
    }
  });

  it('explains event types, facts, operators and kinds of action', () => {
    hovers.length = 0;
    validate(withLeaf({ fact: 'node_id', operator: 'in', value: ['x'] }));
    expect(hovers).toEqual(
      expect.arrayContaining([
        '审批任务状态变更 / approval task changed status',
        '节点实例 / node (string, 已废弃 deprecated)',
        '属于 / is one of',
        'HTTP 请求 / an HTTP request',
      ]),
    );
  });

  it('has every label of the catalogue, every operator and every decorator', () => {
    const text = JSON.stringify(ruleSchema(catalogue));
    const labels = (entry: CatalogueEntry): string[] =>
      [entry, ...Object.values(entry.fields)].flatMap((one) => [
        one.label.zh,
        one.label.en,
        ...('enum' in one ? (one.enum ?? []) : []).flatMap(({ label }) => [label.zh, label.en]),
      ]);
    // The turns of schedules are no events that a rule listens to.
    const words = catalogue.entries.filter(({ eventType }) => eventType !== SCHEDULE_TYPE).flatMap(labels);
    expect(words.length).toBeGreaterThan(300);
    expect(words.filter((word) => !text.includes(word))).toEqual([]);
    const values = {
      any: 'x',
      list: ['x'],
      number: 1,
      string: 'x',
      pattern: '^x$',
      time: '2026-11-01',
      duration: '2d',
      boolean: false,
    };
    for (const { name, value } of OPERATORS) {
      expect([name, isValid({ fact: 'x', operator: name, value: values[value] })]).toEqual([name, true]);
      expect(isValid({ fact: 'x', operator: `${name}x`, value: values[value] })).toBe(false);
    }
    for (const { name } of DECORATORS) {
      expect(isValid({ fact: 'x', operator: `${name}:equal`, value: 1 })).toBe(true);
    }
  });

  it('knows the keys of rules that the loader knows', () => {
    const { definitions } = ruleSchema(catalogue) as { definitions: { rule: { properties: object } } };
    expect(Object.keys(definitions.rule.properties).sort()).toEqual([...RULE_KEYS, 'event'].sort());
  });

  it('explains and completes what the new keys may be', () => {
    const shown = (rule: object): string[] => {
      hovers.length = 0;
      expect(validate({ ...RULE, ...rule })).toBe(true);
      return [...hovers];
    };
    expect(shown({ oncePer: 'task' })).toContain('审批任务 / the approval task');
    expect(shown({ trigger: DAILY })).toContain('审批任务 / the approval task');
    expect(shown({ calendar: 'cn' })).toContain(
      '中国法定节假日与调休 / public holidays and make-up workdays of China',
    );
    expect(shown({ quietHours: { outside: '09:00-19:00', then: 'defer' } })).toContain(
      '延后到时段结束 / put off until it is over',
    );
  });

  it('knows the keys of actions that the loader knows', () => {
    const { definitions } = ruleSchema(catalogue) as { definitions: Record<string, { properties: object }> };
    for (const [kind, { known }] of Object.entries(ACTION_KEYS))
      expect(Object.keys(definitions[`action.${kind}`]?.properties ?? {}).sort()).toEqual([...known].sort());
  });

  it('takes facts of any name', () => {
    const field = {
      type: 'string',
      label: { zh: '某', en: 'some' },
      enum: [{ value: 'x', label: { zh: '甲', en: 'first' } }],
    } as const;
    const names = ['a/b~c %41', '订单', 'null-string', `${APPROVER}.status`, 'constructor'];
    const fields = Object.fromEntries(names.map((name) => [name, field]));
    const own = validatorOf(
      ruleSchema(catalogue.with([{ eventType: 'a:b', label: field.label, entities: {}, fields }])),
    );
    for (const fact of names) {
      hovers.length = 0;
      expect(own(withLeaf({ fact, operator: 'equal', value: 'x' }, 'a:b'))).toBe(true);
      expect(hovers).toContain('甲 / first');
      expect(own(withLeaf({ fact, operator: 'equal', value: 1 }, 'a:b'))).toBe(false);
    }
  });

  it('stays small', () => {
    expect(Buffer.byteLength(JSON.stringify(ruleSchema(catalogue), null, 2))).toBeLessThan(460_000);
  });
});

describe('aftersign rules schema', () => {
  const written = { stdout: '', stderr: '' };
  const print = async (folder?: string): Promise<{ code: number; stdout: string; stderr: string }> => {
    Object.assign(written, { stdout: '', stderr: '' });
    for (const name of ['stdout', 'stderr'] as const) {
      jest.spyOn(process[name], 'write').mockImplementation((text) => {
        written[name] += String(text);
        return true;
      });
    }
    const code = await printRuleSchema(folder);
    jest.restoreAllMocks();
    return { code, ...written };
  };
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const ENTRY = {
    eventType: 'order.paid',
    label: { zh: '订单已付', en: 'order paid' },
    entities: {},
    fields: {
      state: {
        type: 'integer',
        label: { zh: '状态', en: 'state' },
        enum: [{ value: 1, label: { zh: '已付', en: 'paid' } }],
      },
    },
  };
  const folderWith = (files: Record<string, string>): string => {
    const folder = temporaryFolder('schema');
    mkdirSync(join(folder, 'catalogue'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'catalogue', name), text);
    return folder;
  };

  it('prints what rules/schema.json is', async () => {
    const { code, stdout, stderr } = await print('rules');
    expect([code, stderr]).toEqual([0, '']);
    // After a change: node dist/cli.js rules schema > rules/schema.json
    expect(readFileSync('rules/schema.json', 'utf8') === stdout).toBe(true);
  });

  it("has the event types of a team's own catalogue", async () => {
    const folder = folderWith({
      'order.paid.event.json': `\ufeff${JSON.stringify(ENTRY)}`,
      'notes.json': '{',
    });
    const { code, stdout } = await print(folder);
    expect(code).toBe(0);
    const own = validatorOf(JSON.parse(stdout) as object);
    hovers.length = 0;
    expect(own(withLeaf({ fact: 'state', operator: 'in', value: [1] }, 'order.paid'))).toBe(true);
    expect(hovers).toContain('已付 / paid');
    expect(own(withLeaf({ fact: 'state', operator: 'in', value: ['1'] }, 'order.paid'))).toBe(false);
  });

  it("has the facts of a folder's own look-ups", async () => {
    const folder = folderWith({});
    const lookups = (type: string): string =>
      JSON.stringify({
        process: {
          type: 'http',
          url: 'https://a.example/',
          fields: { status: { type, label: { zh: '状', en: 'state' } } },
        },
      });
    writeFileSync(join(folder, 'lookups.json'), lookups('string'));
    const own = validatorOf(JSON.parse((await print(folder)).stdout) as object);
    const leaf = (value: unknown): object =>
      withLeaf({ fact: 'lookup.process.status', operator: 'equal', value });
    hovers.length = 0;
    expect([own(leaf('done')), own(leaf(9))]).toEqual([true, false]);
    expect(hovers).toContain('状 / state (string)');
    writeFileSync(join(folder, 'lookups.json'), '{}');
    expect(validatorOf(JSON.parse((await print(folder)).stdout) as object)(leaf(9))).toBe(true);
    writeFileSync(join(folder, 'lookups.json'), lookups('text'));
    const { code, stdout, stderr } = await print(folder);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('lookups.json:1:81 error LOOKUP_VALUE_INVALID: "type"');
  });

  it('reports what is wrong in a catalogue, with its place, and prints no schema', async () => {
    const broken = JSON.stringify({ ...ENTRY, rootEntity: 'order' }, null, 2);
    const folder = folderWith({
      'a.event.json': broken,
      'b.event.json': '{\n  "eventType": }',
      'c.event.json': '[]',
    });
    const { code, stdout, stderr } = await print(folder);
    expect([code, stdout]).toEqual([1, '']);
    const line = broken.split('\n').findIndex((text) => text.includes('"rootEntity"')) + 1;
    expect(stderr).toContain(
      `catalogue/a.event.json:${line}:17 error CATALOGUE_INVALID: "rootEntity" must name`,
    );
    expect(stderr).toContain('catalogue/b.event.json:2:');
    expect(stderr).toContain('catalogue/c.event.json:1:1 error CATALOGUE_INVALID: ');
  });

  it('prints the built-in catalogue when there is no folder', async () => {
    const { stdout } = await print(temporaryFolder('schema'));
    expect(stdout === `${JSON.stringify(ruleSchema(catalogue), null, 2)}\n`).toBe(true);
    expect((await print()).stdout === stdout).toBe(true);
  });
});
