import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  Catalogue,
  CATALOGUE_ENTRY,
  type CatalogueEntry,
  type FieldDefinition,
  loadBuiltInCatalogue,
  matchesPattern,
} from '../../src/events/catalogue.js';
import { ENVELOPE_FACTS } from '../../src/events/event-facts.js';

const builtIn = loadBuiltInCatalogue();
const APPROVER = 'corehr.process.approver.updated_v2';

function fits(value: unknown, { type, fields, items }: FieldDefinition): boolean {
  if (type === 'array') return Array.isArray(value) && value.every((one) => !items || fits(one, items));
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type !== 'object') return typeof value === type;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(([name, one]) => !fields?.[name] || fits(one, fields[name]))
  );
}

function deepFields(entry: CatalogueEntry): [string, FieldDefinition][] {
  const below = ([name, field]: [string, FieldDefinition]): [string, FieldDefinition][] => [
    [name, field],
    ...Object.entries(field.fields ?? {}).flatMap(below),
  ];
  return Object.entries(entry.fields).flatMap(below);
}

describe('the built-in catalogue', () => {
  it('has the event types of Feishu People and of native approvals, and the turns of schedules', () => {
    expect(builtIn.entries.map(({ eventType }) => eventType)).toEqual([
      'aftersign.schedule',
      'approval.approval.updated_v4',
      'approval.instance.status_changed_v4',
      'approval.task.status_changed_v4',
      'approval_cc',
      'approval_instance',
      'approval_task',
      'corehr.process.approver.updated_v2',
      'corehr.process.cc.updated_v2',
      'corehr.process.node.updated_v2',
      'corehr.process.status.update_v2',
      'corehr.process.updated_v2',
      'corehr.process_comment_info.updated_v2',
      'leave_approvalV2',
      'out_approval',
      'remedy_approval',
      'shift_approval',
      'trip_approval',
      'work_approval',
    ]);
  });

  it.each(builtIn.entries.map((entry) => [entry.eventType, entry] as const))(
    '%s: the sample has every field that is always there, and fits',
    (_, { sample = {}, fields }) => {
      const missing = Object.keys(fields).filter((name) => !fields[name]?.optional && !(name in sample));
      expect(missing).toEqual([]);
      const misfits = Object.entries(sample).filter(
        ([name, value]) => !fields[name] || !fits(value, fields[name]),
      );
      expect(misfits).toEqual([]);
    },
  );

  it.each(builtIn.entries.map((entry) => [entry.eventType, entry] as const))(
    '%s: people are personal, times have a format, labels are in both languages',
    (_, entry) => {
      for (const [name, field] of deepFields(entry)) {
        const isPerson = /^(?:open_id|user_id|union_id|employee_id|start_user|assigned_user)$/.test(name);
        expect([name, field.personal ?? false]).toEqual([name, isPerson]);
        expect([name, field.format !== undefined]).toEqual([name, /(?:_time|^due)$/.test(name)]);
        for (const { zh, en } of [field.label, ...(field.enum ?? []).map(({ label }) => label)]) {
          expect(en).not.toMatch(/\p{Script=Han}/u);
          if (zh !== en) expect(zh).toMatch(/\p{Script=Han}/u);
        }
      }
    },
  );

  it.each(builtIn.entries.flatMap((entry) => (entry.status ? [[entry.eventType, entry] as const] : [])))(
    '%s: every known status has its place in the order',
    (_, { status, fields }) => {
      const values = fields[status?.field ?? '']?.enum?.map(({ value }) => value);
      expect([...(status?.order ?? [])].sort()).toEqual([...(values ?? [])].sort());
    },
  );

  it('knows what ends a task, a node, a process and an instance', () => {
    const terminal = (type: string): unknown => builtIn.find(type)?.status?.terminal;
    expect(terminal(APPROVER)).toEqual([2, 3, 4, 18]);
    expect(terminal('corehr.process.status.update_v2')).toEqual([2, 4, 8, 9]);
    expect(terminal('corehr.process.updated_v2')).toEqual([2, 4, 8, 9]);
    expect(terminal('corehr.process.node.updated_v2')).toEqual([2, 3, 4, 6, 7]);
    for (const type of ['approval_instance', 'approval_task', 'approval.task.status_changed_v4']) {
      expect(terminal(type)).toContain('OVERTIME_CLOSE');
      expect(terminal(type)).not.toContain('OVERTIME_RECOVER');
      expect(terminal(type)).not.toContain('PENDING');
    }
  });

  it('knows what the end of a task, a node, a process and an instance means', () => {
    const status = (type: string): unknown => builtIn.find(type)?.status?.outcomes;
    expect(status(APPROVER)).toEqual({ done: [3], rejected: [2], cancelled: [4] });
    expect(status('corehr.process.node.updated_v2')).toEqual({ done: [3], rejected: [2], cancelled: [4] });
    for (const type of ['corehr.process.status.update_v2', 'corehr.process.updated_v2'])
      expect(status(type)).toEqual({ done: [9], rejected: [2], cancelled: [4, 8] });
    for (const type of ['approval_instance', 'approval.instance.status_changed_v4'])
      expect(status(type)).toEqual({
        done: ['APPROVED'],
        rejected: ['REJECTED'],
        cancelled: ['CANCELED', 'DELETED', 'REVERTED'],
      });
    for (const type of ['approval_task', 'approval.task.status_changed_v4'])
      expect(status(type)).toEqual({
        done: ['APPROVED', 'DONE'],
        rejected: ['REJECTED'],
        cancelled: ['REVERTED'],
      });
  });

  it('promises of the approver event what the first documents have, and marks what is newer or deprecated', () => {
    const fields = builtIn.find(APPROVER)?.fields ?? {};
    const optional = Object.keys(fields).filter((name) => fields[name]?.optional);
    expect(optional).toEqual(['node_id_str']);
    expect(fields['node_id']?.deprecated).toBe(true);
    expect(fields['node_id_str']?.newer).toBe(true);
    expect(fields['status']?.enum?.filter(({ newer }) => newer).map(({ value }) => value)).toEqual([18]);
  });
});

describe('an event type in a file', () => {
  const GOOD = {
    eventType: 'order.paid',
    label: { zh: '订单已付', en: 'order paid' },
    entities: { order: 'id' },
    rootEntity: 'order',
    status: { field: 'state', order: ['open', 'paid'], terminal: ['paid'] },
    sample: { id: '1', state: 'paid' },
    fields: {
      id: { type: 'string', label: { zh: '编号', en: 'id' } },
      state: {
        type: 'string',
        label: { zh: '状态', en: 'state' },
        enum: [
          { value: 'open', label: { zh: '未付', en: 'open' } },
          { value: 'paid', label: { zh: '已付', en: 'paid' } },
        ],
      },
      kind: {
        type: 'string',
        label: { zh: '种类', en: 'kind' },
        enum: ['a', 'b'].map((value) => ({ value, label: { zh: '种', en: value } })),
      },
      count: { type: 'integer', label: { zh: '数量', en: 'count' } },
      source: { type: 'string', label: { zh: '来源', en: 'source' }, fact: 'event.source' },
      paid_at: { type: 'string', format: 'date-time', label: { zh: '时间', en: 'time' } },
      lines: {
        type: 'array',
        label: { zh: '明细', en: 'lines' },
        items: {
          type: 'object',
          label: { zh: '行', en: 'line' },
          fields: { app_id: { type: 'string', label: { zh: '应用', en: 'app' } } },
        },
      },
    },
  };
  type Change = (entry: typeof GOOD & Record<string, never>) => unknown;
  const problemsWith = (change: Change): string[] => {
    const entry = structuredClone(GOOD) as Parameters<Change>[0];
    change(entry);
    const { error } = CATALOGUE_ENTRY.safeParse(entry);
    return (error?.issues ?? []).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  };
  const set =
    (path: string, value: unknown): Change =>
    (entry) => {
      const keys = path.split('.');
      const last = keys.pop() ?? '';
      let at = entry as unknown as Record<string, unknown>;
      for (const key of keys) at = at[key] as Record<string, unknown>;
      at[last] = value;
    };
  const FIELD = { type: 'string', label: { zh: '某', en: 'some' } };

  it('is taken when it is sound, also without entities and status', () => {
    expect(problemsWith(() => undefined)).toEqual([]);
    expect(problemsWith(set('status.outcomes', { done: ['paid'] }))).toEqual([]);
    expect(problemsWith(set('entities.order', ['count', 'id']))).toEqual([]);
    expect(problemsWith(set('status.entity', 'order'))).toEqual([]);
    const { eventType, label, fields } = GOOD;
    expect(CATALOGUE_ENTRY.safeParse({ eventType, label, entities: {}, fields }).success).toBe(true);
  });

  it.each([
    ['an event type with a blank', set('eventType', 'order paid'), 'eventType: must be an event type'],
    [
      'an event type of 129 characters',
      set('eventType', 'x'.repeat(129)),
      'eventType: must be an event type',
    ],
    ['an unknown key', set('titel', 'x'), 'Unrecognized key: "titel"'],
    ['an unknown key of a field', set('fields.id.required', true), 'fields.id: Unrecognized key: "required"'],
    ['a label in one language', set('label', { en: 'x' }), 'label.zh: '],
    [
      'a root entity that is none',
      set('rootEntity', 'process'),
      'rootEntity: must name an entity of this event type (order)',
    ],
    ['an entity of no field', set('entities.order', 'order_id'), 'entities.order: must name a field'],
    [
      'an entity of an inherited name',
      set('entities.order', 'constructor'),
      'entities.order: must name a field',
    ],
    ['a status of no field', set('status.field', 'stat'), 'status.field: must name a field'],
    [
      'an order with an unknown value',
      set('status.order', ['open', 'paid', 'gone']),
      'status.order.2: is "gone", which is no value of "state"',
    ],
    [
      'an order with a value twice',
      set('status.order', ['open', 'paid', 'open']),
      'status.order.2: is "open", which stands there twice',
    ],
    [
      'an order of another type',
      set('status', { field: 'count', order: ['1'] }),
      "status.order.0: must be of the field's type, integer",
    ],
    [
      'a terminal status outside the order',
      set('status.terminal', ['gone']),
      'status.terminal.0: is "gone", which is missing from "order"',
    ],
    [
      'an enum value of another type',
      set('fields.kind.enum.0.value', 1),
      "fields.kind.enum.0.value: must be of the field's type, string",
    ],
    [
      'an integer enum with a fraction',
      set('fields.count.enum', [{ value: 1.5, label: FIELD.label }]),
      'fields.count.enum.0.value: must be',
    ],
    [
      'an enum value twice',
      set('fields.kind.enum.1.value', 'a'),
      'fields.kind.enum.1.value: is "a", which stands there twice',
    ],
    [
      "an envelope fact's name without its own fact",
      set('fields.app_id', FIELD),
      'fields.app_id: has the name of an envelope fact and needs "fact": "event.app_id"',
    ],
    [
      "an envelope fact's name with another fact",
      set('fields.source.fact', 'event.app_id'),
      'fields.source: has the name of an envelope fact and needs "fact": "event.source"',
    ],
    [
      'a list of fields of which one is none',
      set('entities.order', ['id', 'order_id']),
      'entities.order.1: must name a field',
    ],
    [
      'a list of fields with one twice',
      set('entities.order', ['id', 'id']),
      'entities.order.1: is "id", which stands there twice',
    ],
    ['an empty list of fields', set('entities.order', []), 'entities.order: '],
    [
      'a status of an entity that is none',
      set('status.entity', 'line'),
      'status.entity: must name an entity of this event type (order)',
    ],
    [
      'an outcome that ends nothing',
      set('status.outcomes', { done: ['open'] }),
      'status.outcomes.done.0: is "open", which is missing from "terminal"',
    ],
    [
      'outcomes without an end',
      set('status', { field: 'state', order: ['open', 'paid'], outcomes: { done: ['paid'] } }),
      'status.outcomes.done.0: is "paid", which is missing from "terminal"',
    ],
    [
      'a status of two outcomes',
      set('status.outcomes', { done: ['paid'], cancelled: ['paid'] }),
      'status.outcomes.cancelled.0: is "paid", which stands in "outcomes" twice',
    ],
    [
      'an outcome that is none',
      set('status.outcomes', { finished: ['paid'] }),
      'status.outcomes: Unrecognized key: "finished"',
    ],
    ['a fact of another field', set('fields.id.fact', 'event.id'), 'fields.id.fact: '],
    [
      'a fact of a member',
      set('fields.lines.items.fields.app_id.fact', 'event.app_id'),
      'fields.lines.items.fields.app_id.fact: ',
    ],
    [
      'a number written as a date',
      set('fields.count.format', 'date-time'),
      'fields.count.format: no integer is written as date-time',
    ],
    [
      'members of a text',
      set('fields.id.fields', { a: FIELD }),
      'fields.id.fields: only an object has fields',
    ],
    ['elements of a text', set('fields.id.items', FIELD), 'fields.id.items: only an array has items'],
  ] as const)('is refused with %s', (_, change, problem) => {
    const problems = problemsWith(change);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.replace(/^: /, '').startsWith(problem)).toBe(true);
  });

  it('is refused with a field that could not be read', () => {
    const problems = problemsWith((entry) => {
      (entry.fields as Record<string, unknown>)['event.app_id'] = FIELD;
    });
    expect(problems).toEqual([
      'fields.event.app_id: could not be read: "event.app_id" means the field "app_id"',
    ]);
  });
});

describe('the catalogue', () => {
  const label = { zh: '某', en: 'some' };
  const own: CatalogueEntry = {
    eventType: 'order.paid',
    label,
    entities: {},
    fields: {
      source: {
        type: 'integer',
        label,
        fact: 'event.source',
        enum: [{ value: 1, label: { zh: '门店', en: 'shop' } }],
      },
    },
  };

  it('finds a field by the name of its fact, and envelope facts for every event type', () => {
    const catalogue = builtIn.with([own]);
    expect(catalogue.fieldOf(APPROVER, 'status')?.type).toBe('integer');
    expect(catalogue.fieldOf('approval_task', 'event.app_id')?.label.en).toBe('app named in the event');
    expect(catalogue.fieldOf('order.paid', 'event.source')?.type).toBe('integer');
    for (const name of ENVELOPE_FACTS) expect(catalogue.fieldOf('unheard.of', name)?.label.zh).toBeDefined();
    expect(catalogue.fieldOf('order.paid', 'source')?.type).toBe('string');
    expect(catalogue.fieldOf('unheard.of', 'create_time')).toMatchObject({
      type: 'integer',
      format: 'epoch-milliseconds',
    });
    for (const name of ['nothing', 'constructor', '__proto__', 'event.app_id', 'event.nothing'])
      expect(catalogue.fieldOf(APPROVER, name)).toBeNull();
    expect(catalogue.fieldOf('unheard.of', 'status')).toBeNull();
  });

  it('labels values by the event type: 3 is done for a task and means nothing for a process', () => {
    expect(builtIn.labelOf(APPROVER, 'status', 3, 'zh')).toBe('已完成');
    expect(builtIn.labelOf('corehr.process.node.updated_v2', 'node_status', 3, 'en')).toBe('passed');
    expect(builtIn.labelOf('corehr.process.updated_v2', 'status', 3, 'en')).toBeNull();
    expect(builtIn.labelOf('corehr.process.updated_v2', 'status', 9, 'en')).toBe('completed');
    expect(builtIn.labelOf('unheard.of', 'source', 'reconcile', 'en')).toBe('reconciliation');
    expect(builtIn.with([own]).labelOf('order.paid', 'event.source', 1, 'zh')).toBe('门店');
    expect(builtIn.labelOf(APPROVER, 'toString', 3, 'zh')).toBeNull();
  });

  it('ranks a status by its place in the order', () => {
    const rank = (type: string, status: unknown): number =>
      builtIn.statusRankOf(type, new Map([['status', status]]));
    expect(rank(APPROVER, 1)).toBeLessThan(rank(APPROVER, 3));
    expect(rank('corehr.process.updated_v2', 9)).toBeLessThan(rank('corehr.process.updated_v2', 15));
    expect(rank('corehr.process.updated_v2', 15)).toBeLessThan(rank('corehr.process.updated_v2', 8));
    expect(rank('approval_instance', 'OVERTIME_CLOSE')).toBeLessThan(
      rank('approval_instance', 'OVERTIME_RECOVER'),
    );
    expect([rank(APPROVER, 99), rank(APPROVER, '1'), rank('order.paid', 1)]).toEqual([0, 0, 0]);
  });

  it('names the root entity: a process, an approval instance, or none', () => {
    const root = (type: string, fields: object): string | null =>
      builtIn.rootEntityOf(type, new Map(Object.entries(fields)));
    expect(root('corehr.process.cc.updated_v2', { process_id: '7' })).toBe('process:7');
    expect(root('approval_task', { instance_code: 'A-B', task_id: '1' })).toBe('process:A-B');
    expect(root('approval.instance.status_changed_v4', { instance_code: 'A-B' })).toBe('process:A-B');
    expect(root('approval.approval.updated_v4', { object: {} })).toBeNull();
    expect(root('approval_task', { instance_code: '' })).toBeNull();
    const entities = { order: ['number', 'id'] };
    const several = builtIn.with([{ ...own, entities, rootEntity: 'order' }]);
    const first = (fields: object): string | null =>
      several.rootEntityOf('order.paid', new Map(Object.entries(fields)));
    expect(first({ number: 7, id: 'x' })).toBe('order:7');
    expect(first({ number: '', id: 'x' })).toBe('order:x');
    expect(first({ number: {}, id: 'x'.repeat(201) })).toBeNull();
  });

  it('replaces an event type by a later one; its version is its content, whatever the order', () => {
    const replaced = builtIn.with([{ ...own, eventType: APPROVER }]);
    expect(replaced.entries).toHaveLength(builtIn.entries.length);
    expect(replaced.fieldOf(APPROVER, 'status')).toBeNull();
    expect(replaced.version).not.toBe(builtIn.version);
    expect(new Catalogue([...builtIn.entries].reverse()).version).toBe(builtIn.version);
    expect(builtIn.with([own]).entries.map(({ eventType }) => eventType)).toEqual(
      [...builtIn.entries.map(({ eventType }) => eventType), 'order.paid'].sort(),
    );
  });

  it('finds the event types of a pattern', () => {
    const types = (pattern: string): string[] => builtIn.matching(pattern).map(({ eventType }) => eventType);
    expect(types('corehr.process.*')).toEqual([
      APPROVER,
      'corehr.process.cc.updated_v2',
      'corehr.process.node.updated_v2',
      'corehr.process.status.update_v2',
      'corehr.process.updated_v2',
    ]);
    expect(types('approval_task')).toEqual(['approval_task']);
    expect(types('*')).toHaveLength(builtIn.entries.length);
    expect(types('nothing.*')).toEqual([]);
  });

  it('matches patterns as the regular expression that says the same', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 }).map((parts) => parts.join(''));
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '.', '*'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (glob, type) => {
        const expression = new RegExp(`^${glob.replaceAll('.', '[.]').replaceAll('*', '.*')}$`);
        expect(matchesPattern(glob, type)).toBe(expression.test(type));
      }),
      { numRuns: 3000 },
    );
  });

  it('matches a pattern of many stars in no time', () => {
    const start = performance.now();
    for (let n = 0; n < 1000; n += 1)
      expect(matchesPattern('*a'.repeat(63) + '*b', 'a'.repeat(128))).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
