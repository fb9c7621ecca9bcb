// The real service with all roles, its database and a real receiver: a rule in shadow mode beside its live twin.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ShadowDelivery, ShadowRule, ShadowRules } from '../../../src/console/api/shadow.schema.js';
import { TestConsole } from '../../support/console.js';
import { until } from '../../support/door.js';
import { envelopeOf, pushOf } from '../../support/feishu.js';
import { folderWith } from '../../support/folder.js';
import { type Receiver, startReceiver } from '../../support/receiver.js';

const TYPE = 'corehr.process.approver.updated_v2';
let receiver: Receiver;
let console: TestConsole;
beforeAll(async () => {
  receiver = await startReceiver();
  const rule = (name: string, least: number, body: object, more: object = {}): object => ({
    name,
    trigger: TYPE,
    conditions: { all: [{ fact: 'status', operator: 'greaterThanInclusive', value: least }] },
    actions: [{ type: 'http', name: 'tell', url: `${receiver.url}/tell`, body }],
    ...more,
  });
  const rules = [
    rule('tell', 2, { status: '{{ event.status }}' }),
    rule(
      'tell-new',
      1,
      { status: '{{ event.status }}', kind: '{{ event.type }}' },
      { mode: 'shadow', shadowOf: 'tell' },
    ),
    rule('alone', 3, {}, { mode: 'shadow' }),
  ];
  // Each in a file of its own: twins need not stand together.
  const files = rules.map((one, at) => [`${at}.rule.json`, JSON.stringify(one)] as const);
  console = await TestConsole.open({
    RULES_DIR: folderWith(Object.fromEntries(files)),
    OUTBOUND_ALLOW: '127.0.0.1',
  });
  for (const status of [1, 2, 3]) {
    const event = {
      process_id: '7',
      approver_id: String(status),
      node_id: '5',
      type: 1,
      status,
      biz_type: 'leave',
    };
    const header = {
      event_id: `shadow-${status}`,
      event_type: TYPE,
      create_time: String(Date.UTC(2026, 10, 2) + status),
    };
    await console.push(pushOf(envelopeOf(event, header)));
  }
  await until(async () => {
    const [{ done }] = await console.dataSource.query<[{ done: boolean }]>(
      `select count(*) filter (where state = 'delivered') = 2 and (select count(*) from event_keys where state = 'decided') = 3 as done
         from action_keys`,
    );
    return done;
  });
}, 60_000);
afterAll(async () => {
  await console.close();
  await receiver.close();
});

interface Compared {
  items: { id: string; standing: string; live: { id: string } | null; shadow: { id: string } | null }[];
  next: string | null;
}

describe('rules in shadow mode', () => {
  it('send nothing', () => {
    expect(
      receiver.received.map(({ body }) => (JSON.parse(body) as { status: number }).status).sort(),
    ).toEqual([2, 3]);
  });

  it('are listed with how they stand to their twins', async () => {
    const { items } = await console.get<ShadowRules>('viewer', '/shadow');
    expect(items).toMatchObject([
      { rule: 'alone', shadowOf: null, counts: { same: 0, live: 0, shadow: 1, different: 0 } },
      { rule: 'tell-new', shadowOf: 'tell', counts: { same: 0, live: 0, shadow: 1, different: 2 } },
    ]);
    const one = await console.get<ShadowRule>('viewer', '/shadow/tell-new?since=2026-01-01');
    expect(one).toMatchObject({ mode: 'shadow', counts: { shadow: 1, different: 2 }, gathering: 0 });
    expect(one.since).toBe('2026-01-01T00:00:00.000Z');
    // Rules that are what they seem have none.
    expect(await console.ask('viewer', '/shadow/tell')).toMatchObject({
      status: 404,
      body: { code: 'RULE_UNKNOWN' },
    });
    expect(await console.ask('viewer', '/shadow?since=2026-02-01&until=2026-01-01')).toMatchObject({
      status: 400,
      body: { code: 'SHADOW_WINDOW_EMPTY' },
    });
    const { items: rules } = await console.get<{
      items: { name: string; mode: string; shadowOf: string | null }[];
    }>('viewer', '/rules');
    expect(rules.map(({ name, mode, shadowOf }) => [name, mode, shadowOf])).toEqual([
      ['alone', 'shadow', null],
      ['tell', 'live', null],
      ['tell-new', 'shadow', 'tell'],
    ]);
  });

  it('are opened to what they would have sent, beside what was sent', async () => {
    const first = await console.get<Compared>(
      'operator',
      '/shadow/tell-new/deliveries?standing=different&limit=1',
    );
    expect([first.items.length, first.next === null]).toEqual([1, false]);
    const second = await console.get<Compared>(
      'operator',
      `/shadow/tell-new/deliveries?standing=different&limit=1&cursor=${first.next ?? ''}`,
    );
    expect(second.next).toBeNull();
    const [item] = second.items;
    const path = `/shadow-deliveries/${item?.shadow?.id ?? ''}`;
    const opened = await console.get<ShadowDelivery>('operator', path);
    expect(opened).toMatchObject({
      standing: 'different',
      state: 'pending',
      twin: { id: item?.live?.id, state: 'delivered' },
      changes: [{ path: 'body.kind', after: 1 }],
      masked: false,
    });
    expect(opened.request?.['body']).toEqual({ status: 2, kind: 1 });
    expect(opened.twin?.request?.['body']).toEqual({ status: 2 });
    expect(await console.get('viewer', path)).toMatchObject({
      request: null,
      changes: [],
      twin: { request: null },
      masked: true,
    });
    expect(await console.ask('viewer', `/shadow-deliveries/${item?.live?.id ?? ''}`)).toMatchObject({
      status: 404,
      body: { code: 'DELIVERY_UNKNOWN' },
    });
  });

  it('are read and tried without the file of their twin', async () => {
    const { versions } = await console.get<{ versions: { sentence: { en: string } | null }[] }>(
      'viewer',
      '/rules/tell-new/versions',
    );
    expect(versions.map(({ sentence }) => sentence?.en.split(':')[0])).toEqual([
      'Rule tell-new (in shadow mode, beside tell)',
    ]);
    const history = await console.ask('viewer', '/rules/tell-new/history');
    expect(history).toMatchObject({ status: 200, body: { rule: 'tell-new' } });
    const text = await console.ask('viewer', '/rule-sets/live/file?path=1.rule.json');
    const tried = async (from: string, to: string): Promise<unknown> => {
      const edited = (text.body as { text: string }).text.replace(from, to);
      const told = await console.ask('operator', '/trials', {
        json: { path: '1.rule.json', text: edited, events: 10 },
      });
      return told.body;
    };
    expect(await tried('"tell-new"', '"tell-newer"')).toMatchObject({ ok: true });
    expect(await tried('"shadowOf":"tell"', '"shadowOf":"tel"')).toMatchObject({
      ok: false,
      findings: [{ code: 'SHADOW_OF_UNKNOWN' }],
    });
  });

  it('have their own cause in the ledger of an event, and its sum comes out', async () => {
    const { items } = await console.get<{ items: { id: string; eventId: string }[] }>('viewer', '/events');
    const id = items.find(({ eventId }) => eventId === 'shadow-1')?.id ?? '';
    const { suppressions } = await console.get<{ suppressions: object[] }>('viewer', `/events/${id}`);
    expect(suppressions).toEqual([
      expect.objectContaining({ rule: 'tell-new', action: 'tell', cause: 'shadow' }),
    ]);
    const report = await console.get<{ balanced: boolean; rules: { rule: string; suppressed: object }[] }>(
      'viewer',
      '/report',
    );
    expect(report.balanced).toBe(true);
    expect(report.rules.find(({ rule }) => rule === 'tell-new')).toMatchObject({
      asked: 3,
      deliveries: 0,
      suppressed: { shadow: 3 },
    });
  });
});
