// What the catalogue makes of the facts of the state. Pure.
import { describe, expect, it } from '@jest/globals';
import { Catalogue, type CatalogueEntry, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import { fieldOfFact, STATE_FACTS, stateFieldOf } from '../../../src/rules/state/fact-fields.js';
import { isStateFact } from '../../../src/rules/state/fact-names.js';
import { stateFacts } from '../../../src/rules/state/state-facts.js';
import { observe } from '../../../src/rules/state/observe.js';
import { NO_STATE } from '../../../src/rules/state/root-state.js';
import {
  CC_TYPE,
  NODE_TYPE,
  nodeEvent,
  PROCESS_TYPE,
  processEvent,
  TASK_TYPE,
  taskEvent,
} from '../../support/observed-events.js';

const catalogue = loadBuiltInCatalogue();
const known = (type: string): string[] => STATE_FACTS.filter((fact) => fieldOfFact(catalogue, type, fact));
const missing = (type: string): string[] =>
  STATE_FACTS.filter((fact) => fieldOfFact(catalogue, type, fact)?.optional);
const values = (type: string, fact: string): unknown =>
  fieldOfFact(catalogue, type, fact)?.enum?.map(({ value, label }) => `${value} ${label.en}`);

describe('the facts of the state', () => {
  it('have names that no field of an event can have, and labels in both languages', () => {
    expect(STATE_FACTS.filter((fact) => !isStateFact(fact))).toEqual([]);
    for (const name of ['late', 'event.status', 'tasks', 'task', 'now', 'nodes.seen', 'lookup.process'])
      expect([name, isStateFact(name)]).toEqual([name, false]);
    for (const name of ['task.anything', 'now.', 'process.__proto__', 'event.late'])
      expect([name, isStateFact(name)]).toEqual([name, true]);
    for (const fact of STATE_FACTS) {
      const { zh, en } = stateFieldOf(catalogue, null, fact)?.label ?? { zh: '', en: '' };
      expect(zh).toMatch(/\p{Script=Han}/u);
      expect(en).toMatch(/^[\w ,"'>:()-]+$/);
    }
  });

  it('are those that are computed', () => {
    const events = [taskEvent('a', 1, 1, '1', 'n'), nodeEvent('b', 1, 3), processEvent('c', 1, 9)];
    const state = events.reduce((before, event) => observe(before, event).after, NO_STATE);
    const place = taskEvent('a', 1, 1, '1', 'n').place;
    const computed = Object.keys(stateFacts(state, place, null, 2, false));
    expect(computed.sort()).toEqual(STATE_FACTS.filter((fact) => !fact.startsWith('now.')).sort());
  });

  it('are known where the events say whom they are about', () => {
    expect(known(TASK_TYPE)).toEqual(STATE_FACTS);
    const without = (type: string): Set<string> =>
      new Set(
        STATE_FACTS.filter((fact) => !known(type).includes(fact)).map((fact) => fact.split('.')[0] ?? ''),
      );
    expect([...without(NODE_TYPE)]).toEqual(['task']);
    expect([...without(PROCESS_TYPE)]).toEqual(['task', 'node']);
    expect([...without(CC_TYPE)]).toEqual(['task', 'node']);
    expect([...without('approval_task')]).toEqual(['node']);
    expect([...without('approval.approval.updated_v4')]).toEqual(['task', 'node', 'process']);
    expect(fieldOfFact(catalogue, TASK_TYPE, 'task.nothing')).toBeNull();
    expect(fieldOfFact(catalogue, TASK_TYPE, 'task.constructor')).toBeNull();
    expect(fieldOfFact(catalogue, TASK_TYPE, 'status')?.type).toBe('integer');
  });

  it('may be missing where an event does not bring what they need', () => {
    expect(missing(TASK_TYPE)).toEqual([
      'task.previousStatus',
      'task.transition',
      'node.complete',
      'process.status',
      'now.workday',
    ]);
    expect(missing(PROCESS_TYPE)).toEqual(['now.workday']);
    expect(missing(CC_TYPE)).toEqual(['process.status', 'process.age', 'now.workday']);
  });

  it('that are statuses have the type and the labels of their own', () => {
    expect(values(TASK_TYPE, 'task.previousStatus')).toEqual([
      '1 to do',
      '2 rejected',
      '3 done',
      '4 cancelled',
      '18 intervened',
    ]);
    expect(values(TASK_TYPE, 'process.status')).toEqual(values(PROCESS_TYPE, 'status'));
    expect(values(CC_TYPE, 'process.status')).toEqual(values(PROCESS_TYPE, 'status'));
    expect(fieldOfFact(catalogue, 'approval_task', 'process.status')?.type).toBe('string');
    expect(values('approval_task', 'process.status')).toContain('APPROVED approved');
    expect(values('leave_approvalV2', 'process.status')).toEqual(values('approval_instance', 'status'));
    expect(values(TASK_TYPE, 'now.weekday')).toContain('7 Sunday');
  });

  it('of another system follow its own words', () => {
    const label = { zh: '某', en: 'some' };
    const text = { type: 'string', label } as const;
    const order = (eventType: string, more: Partial<CatalogueEntry>): CatalogueEntry => ({
      eventType,
      label,
      entities: { order: 'id' },
      rootEntity: 'order',
      fields: {
        id: text,
        order_id: text,
        state: { ...text, personal: true },
        job: { ...text, optional: true },
      },
      ...more,
    });
    const own = new Catalogue([
      order('order.changed', { status: { field: 'state', order: ['a'] } }),
      order('order.seen', { entities: { order: 'order_id', task: 'job' } }),
    ]);
    const field = (type: string, fact: string) => fieldOfFact(own, type, fact);
    // Told by another type under another name of the id; and a personal status stays personal.
    expect(field('order.seen', 'process.status')).toMatchObject({
      type: 'string',
      personal: true,
      optional: true,
    });
    expect(field('order.changed', 'process.status')?.optional).toBe(false);
    // Nobody tells the status of its tasks.
    expect(field('order.seen', 'task.age')).toBeNull();
    expect(stateFieldOf(new Catalogue([]), null, 'process.status')).toBeNull();
  });
});

it('a status of an event type that nobody knows may be a number or a text', async () => {
  for (const value of [1, 'PENDING']) {
    const rule = {
      name: 'a',
      trigger: 'orders.changed',
      conditions: { all: [{ fact: 'task.previousStatus', operator: 'equal', value }] },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
    };
    const { findings } = await compileRuleSet(new Map([['a.rule.json', JSON.stringify(rule)]]), catalogue);
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  }
});
