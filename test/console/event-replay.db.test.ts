// A stored event evaluated again after its rules were mended, on the real service with its database and a real receiver.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestConsole } from '../support/console.js';
import { until } from '../support/door.js';
import { envelopeOf, pushOf } from '../support/feishu.js';
import { folderWith, put } from '../support/folder.js';
import { type Receiver, startReceiver } from '../support/receiver.js';

interface Replay {
  occasion: string | null;
  ruleSet: string;
  verdicts: { rule: string; verdict: string; missing?: string[] }[];
  deliveries: { rule: string; action: string; state: string }[];
  suppressions: { rule: string; action: string; cause: string }[];
}

const TYPE = 'corehr.process.approver.updated_v2';
const leaf = (fact: string, operator: string, value: unknown) => ({ fact, operator, value });

let receiver: Receiver;
let console: TestConsole;
let rules: string;
const ids = new Map<string, string>();

function rule(name: string, conditions: object[], more: object = {}): object {
  return {
    name,
    trigger: TYPE,
    conditions: { all: conditions },
    actions: [
      {
        type: 'http',
        name: 'tell',
        url: receiver.url,
        body: { rule: name, task: '{{ event.approver_id }}' },
      },
    ],
    ...more,
  };
}

/** Other rules become live, as an ops team does it. */
async function live(...documents: object[]): Promise<void> {
  const before = await console.get<{ ruleSet: string }>('viewer', '/rules');
  put(rules, { 'a.rule.json': JSON.stringify(documents) });
  await until(async () => {
    const now = await console.get<{ ruleSet: string }>('viewer', '/rules');
    return now.ruleSet !== before.ruleSet;
  }, 15_000);
}

async function push(name: string, approver: string, status: number, at: number): Promise<void> {
  const event = {
    process_id: '7',
    approver_id: approver,
    node_id: '5',
    type: 1,
    status,
    biz_type: 'renewal_record',
  };
  const header = { event_id: name, event_type: TYPE, create_time: String(Date.UTC(2026, 10, 2) + at) };
  await console.push(pushOf(envelopeOf(event, header)));
  await until(async () => {
    const { items } = await console.get<{ items: { id: string; eventId: string }[] }>(
      'viewer',
      '/events?state=decided',
    );
    const found = items.find(({ eventId }) => eventId === name);
    if (found) ids.set(name, found.id);
    return found !== undefined;
  });
}

async function replay(name: string, order: object = {}, role: 'operator' | 'viewer' = 'operator') {
  return await console.ask(role, `/events/${ids.get(name)}/replay`, { json: order });
}

async function replayed(name: string, order: object = {}): Promise<Replay> {
  const { status, body, text } = await replay(name, order);
  expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
  return body as Replay;
}

/** Everything of the state, the timers and the ledger that a replay may or may not touch. */
async function standing() {
  const [states, tasks, timers, evaluations, deliveries] = await Promise.all(
    [
      'select entity, state::text, updated_at from entity_states order by entity',
      'select entity, task, state::text from entity_tasks order by entity, task',
      'select id, state from timers order by id',
      'select event_id, occasion from evaluations order by event_id, occasion',
      'select id from deliveries order by id',
    ].map(async (sql) => await console.dataSource.query<object[]>(sql)),
  );
  return { states, tasks, timers, evaluations, deliveries };
}

beforeAll(async () => {
  receiver = await startReceiver();
  rules = folderWith({
    'a.rule.json': JSON.stringify([
      rule('done', [leaf('status', 'equal', 3), leaf('biz_type', 'equal', 'typo')]),
    ]),
  });
  console = await TestConsole.open({ RULES_DIR: rules, OUTBOUND_ALLOW: '127.0.0.1' });
  await push('first', '1', 3, 1);
  await push('second', '2', 3, 2);
  await push('third', '3', 3, 3);
}, 60_000);
afterAll(async () => {
  await console.close();
  await receiver.close();
});

describe('a replay', () => {
  it('sends what the mended rule asks for, once, however often and from however many sides it is asked', async () => {
    expect(receiver.received).toHaveLength(0);
    await live(rule('done', [leaf('status', 'equal', 3)]));
    const before = await standing();
    const preview = await replayed('first', { dryRun: true });
    expect(preview).toMatchObject({
      occasion: null,
      verdicts: [{ rule: 'done', verdict: 'matched' }],
      deliveries: [{ rule: 'done', action: 'tell', state: 'pending' }],
      suppressions: [],
    });
    expect(await standing()).toEqual(before);

    const answers = await Promise.all([1, 2, 3, 4].map(() => replayed('first', { reason: 'a typo' })));
    expect(answers.flatMap(({ deliveries }) => deliveries)).toHaveLength(1);
    expect(answers.flatMap(({ suppressions }) => suppressions.map(({ cause }) => cause))).toEqual([
      'already-sent',
      'already-sent',
      'already-sent',
    ]);
    await until(() => receiver.received.length > 0);
    const after = await standing();
    expect(after.states).toEqual(before.states);
    expect(after.tasks).toEqual(before.tasks);
    expect(after.timers).toEqual([]);
    expect(after.evaluations).toHaveLength((before.evaluations?.length ?? 0) + 4);
    expect(new Set(answers.map(({ occasion }) => occasion)).size).toBe(4);
    const report = await console.get<{ balanced: boolean; total: { asked: number } }>('viewer', '/report');
    expect(report).toMatchObject({ balanced: true, total: { asked: 4 } });
  });

  it('knows the state as it was then, though nobody read it and it has gone on', async () => {
    await live(
      rule('one-signed', [leaf('node.done', 'equal', 1)]),
      rule('two-signed', [leaf('node.done', 'equal', 2)]),
    );
    const names = async (event: string) =>
      (await replayed(event, { dryRun: true })).verdicts.map((one) => `${one.rule} ${one.verdict}`);
    expect(await names('first')).toEqual(['one-signed matched']);
    expect(await names('second')).toEqual(['two-signed matched']);
    expect(await names('third')).toEqual([]);
  });

  it('arms no ladder', async () => {
    await live(
      rule('ladder', [leaf('status', 'equal', 3)], {
        actions: undefined,
        escalate: {
          per: 'task',
          steps: [{ after: '1h', actions: [{ type: 'http', name: 'remind', url: receiver.url, body: {} }] }],
        },
      }),
    );
    const { verdicts, deliveries } = await replayed('third');
    expect(verdicts).toEqual([{ rule: 'ladder', verdict: 'matched' }]);
    expect(deliveries).toEqual([]);
    expect(await console.dataSource.query('select id from timers')).toEqual([]);
  });

  it('goes through the gates of now', async () => {
    await live(rule('silent', [leaf('status', 'equal', 3)]), rule('loud', [leaf('status', 'equal', 3)]));
    const added = await console.ask('operator', '/silences', {
      json: { matcher: { rule: 'silent' }, for: '1h', reason: 'a test' },
    });
    expect(added.status).toBe(201);
    const { deliveries, suppressions } = await replayed('second');
    expect(deliveries.map((one) => one.rule)).toEqual(['loud']);
    expect(suppressions).toMatchObject([{ rule: 'silent', cause: 'silence' }]);
  });

  it('of one rule leaves the others alone, and can be explained', async () => {
    await live(rule('left', [leaf('status', 'equal', 3)]), rule('right', [leaf('status', 'equal', 3)]));
    const { verdicts, occasion } = await replayed('second', { rule: 'right' });
    expect(verdicts).toEqual([{ rule: 'right', verdict: 'matched' }]);
    const { items } = await console.get<{
      items: { occasion: string; explanations: { rule: string }[]; differing: string[] }[];
    }>('operator', `/events/${ids.get('second')}/evaluations`);
    const told = items.find((one) => one.occasion === occasion);
    expect(told).toMatchObject({ explanations: [{ rule: 'right' }], differing: [] });
    expect(items.every(({ differing }) => differing.length === 0)).toBe(true);
  });

  it('stands in the audit log, with who, why and what was made', async () => {
    const { items } = await console.get<{ items: { subject: string; detail: object; actor: string }[] }>(
      'admin',
      '/audit?action=event.replay',
    );
    expect(items.at(-1)).toMatchObject({
      subject: `event:${ids.get('first')}`,
      actor: 'operator/test',
      detail: { reason: 'a typo', occasion: expect.stringMatching(/^replay:/) },
    });
  });

  it('is not for viewers, nor of what no rule or event is', async () => {
    expect(await replay('first', {}, 'viewer')).toMatchObject({
      status: 403,
      body: { code: 'ROLE_MISSING' },
    });
    expect(await replay('first', { rule: 'nobody' })).toMatchObject({
      status: 404,
      body: { code: 'RULE_UNKNOWN' },
    });
    expect(await replay('nothing')).toMatchObject({ status: 404, body: { code: 'EVENT_UNKNOWN' } });
  });
});
