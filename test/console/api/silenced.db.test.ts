// From a silence to what is not sent, on the real service with all roles, its database and a real receiver.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestConsole } from '../../support/console.js';
import { until } from '../../support/door.js';
import { envelopeOf, pushOf } from '../../support/feishu.js';
import { folderWith } from '../../support/folder.js';
import { type Receiver, startReceiver } from '../../support/receiver.js';

interface Told {
  items: { id: string; eventId: string; state: string }[];
}
interface Event {
  suppressions: { rule: string; action: string; cause: string; by?: string }[];
  deliveries: { rule: string }[];
}

let receiver: Receiver;
let console: TestConsole;
let pushed = 0;
beforeAll(async () => {
  receiver = await startReceiver();
  const rule = (name: string): object => ({
    name,
    owner: 'people-ops',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'greaterThanInclusive', value: 1 }] },
    actions: [{ type: 'http', name: 'tell', url: receiver.url, body: { rule: name } }],
  });
  const rules = folderWith({ 'a.rule.json': JSON.stringify([rule('one'), rule('two')]) });
  console = await TestConsole.open({ RULES_DIR: rules, OUTBOUND_ALLOW: '127.0.0.1' });
}, 60_000);
afterAll(async () => {
  await console.close();
  await receiver.close();
});

/** What became of an event about a task that goes from one status to the next. */
async function push(status: number): Promise<Event> {
  pushed += 1;
  const eventId = `silenced-${pushed}`;
  const event = { process_id: '7', approver_id: '1', node_id: '5', type: 1, status, biz_type: 'leave' };
  const header = {
    event_id: eventId,
    event_type: 'corehr.process.approver.updated_v2',
    create_time: String(Date.UTC(2026, 10, 2) + pushed),
  };
  await console.push(pushOf(envelopeOf(event, header)));
  let id = '';
  await until(async () => {
    const { items } = await console.get<Told>('viewer', '/events?state=decided');
    id = items.find((one) => one.eventId === eventId)?.id ?? '';
    return id !== '';
  });
  return await console.get<Event>('operator', `/events/${id}`);
}

async function silence(
  matcher: object,
): Promise<{ id: string; warnings: string[]; end: () => Promise<void> }> {
  const added = await console.ask('operator', '/silences', {
    json: { matcher, for: '1h', reason: 'a test' },
  });
  expect(added.status).toBe(201);
  const { id, warnings } = added.body as { id: string; warnings: string[] };
  return {
    id,
    warnings,
    end: async () => {
      const ended = await console.ask('operator', `/silences/${id}/end`, { method: 'POST' });
      expect(ended.status).toBe(200);
    },
  };
}

describe('a silence', () => {
  it('keeps back what fits it while it lasts, and the ledger names it', async () => {
    const { id, warnings, end } = await silence({ rule: 'o*', action: 'tell', owner: 'people-ops' });
    expect(warnings).toEqual([]);
    const during = await push(1);
    expect(during.suppressions).toEqual([
      expect.objectContaining({ rule: 'one', action: 'tell', cause: 'silence', by: id }),
    ]);
    expect(during.deliveries.map(({ rule }) => rule)).toEqual(['two']);
    await end();
    const after = await push(1);
    expect(after.suppressions).toEqual([]);
    expect(after.deliveries.map(({ rule }) => rule)).toEqual(['one', 'two']);
    // What was kept back does not come later.
    const { items } = await console.get<Told>('viewer', '/deliveries?rule=one');
    expect(items).toHaveLength(1);
  });

  it('reads what the event says, and what is known of its task, though no rule does', async () => {
    const condition = (fact: string, value: unknown) => ({ fact, operator: 'equal', value });
    const { id, end } = await silence({
      conditions: { all: [condition('biz_type', 'leave'), condition('task.previousStatus', 1)] },
    });
    const { suppressions, deliveries } = await push(3);
    expect(suppressions.map(({ rule, by }) => [rule, by])).toEqual([
      ['one', id],
      ['two', id],
    ]);
    expect(deliveries).toEqual([]);
    await end();
  });

  it('of names that no live rule has is taken with a warning', async () => {
    const unknown = await silence({ rule: 'thre*' });
    expect(unknown.warnings).toEqual(['No rule of the live rule set is called "thre*".']);
    const owner = await silence({ rule: 'one', owner: 'payroll' });
    expect(owner.warnings).toEqual(['None of these rules has the owner "payroll".']);
    const action = await silence({ owner: 'people-ops', action: 'mail' });
    expect(action.warnings).toEqual(['None of these rules has an action called "mail".']);
  });
});

describe('what is known of an approval', () => {
  it('is what its events have told, with them and what was sent', async () => {
    const entity = await console.get<{
      tasks: object[];
      events: object[];
      deliveries: object[];
      history: object[];
    }>('viewer', '/entities/process:7');
    expect(entity).toMatchObject({
      tasks: [{ id: '1', node: '5', status: { value: 3, phase: 'done' } }],
      nodes: [{ id: '5', seen: 1, done: 1, status: null }],
      history: [{ to: 1 }, { from: 1, to: 1, kind: 'repeat' }, { from: 1, to: 3, kind: 'forward' }],
      masked: true,
    });
    expect(entity.events).toHaveLength(3);
    expect(entity.deliveries).toHaveLength(3);
  });
});
