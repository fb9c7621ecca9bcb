// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { RulesRoom } from '../support/rules.js';

const TYPE = 'corehr.process.approver.updated_v2';
const HOUR = 3_600_000;
const is = (fact: string, value: unknown): object => ({ all: [{ fact, operator: 'equal', value }] });
const http = (name: string, more: object = {}): object => ({
  type: 'http',
  name,
  url: 'https://a.example/',
  ...more,
});
const rule = (name: string, more: object = {}): object => ({
  name,
  owner: 'people-ops',
  trigger: TYPE,
  conditions: is('status', 3),
  actions: [http('a'), http('b')],
  ...more,
});

/** Everything that a rule can say of what it sends. */
const RULES = [
  rule('plain'),
  rule('once', { oncePer: 'node' }),
  rule('throttled', { throttle: { max: 3, per: '1h' } }),
  rule('dropped', { quietHours: { outside: '09:00-10:00', then: 'drop' } }),
  rule('deferred', { quietHours: { outside: '09:00-10:00' } }),
  rule('budgeted', { budget: { max: 7, per: '1h' } }),
  rule('ordered', { actions: [http('a', { order: 'process' }), http('b', { order: 'task' })] }),
  rule('asking', {
    actions: [http('a', { when: is('node_id', '1') }), http('b', { when: is('node.complete', true) })],
  }),
  rule('unrendered', {
    actions: [
      http('a'),
      {
        type: 'email',
        name: 'b',
        to: ['{{ event.biz_type }}'],
        allowRecipientFromEvent: ['example.com'],
        subject: 'done',
        text: 'done',
      },
    ],
  }),
  rule('gathered', {
    digest: { window: '30m' },
    actions: [
      http('a', { body: '{{ items.length }}', when: is('node_id', '2') }),
      http('b', { body: '{{ items }}' }),
    ],
  }),
  rule('settled', { conditions: is('task.transition', '1>3') }),
  rule('climbing', {
    conditions: is('status', 1),
    actions: [http('a')],
    throttle: { max: 12, per: '1h' },
    escalate: {
      per: 'task',
      steps: [{ after: '1h', actions: [http('s'), http('t', { when: is('node_id', '1') })] }],
    },
  }),
  rule('each-evening', {
    trigger: { schedule: '0 19 * * *', over: 'task' },
    conditions: is('status', 1),
    oncePer: 'task',
    actions: [http('a'), http('b', { when: is('node_id', '1') })],
  }),
];

interface Balance {
  readonly rule: string;
  readonly asked: number;
  readonly sent: number;
  /** By cause. */
  readonly causes: Readonly<Record<string, number>> | null;
}

describe('the balance', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());

  it('is exact: what matches asked for is deliveries and causes, whatever stands between', async () => {
    // Monday 2 November 2026, 17:00 in Shanghai.
    const clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    const room = new RulesRoom(dataSource, clock, { stormBrake: { max: 150, perMs: 600_000 } });
    await room.activate(RULES);
    const silence = {
      matcher: { rule: 'pl*', conditions: is('node_id', '0') as never },
      startsAt: clock.now(),
      endsAt: clock.now() + HOUR,
      author: 'me',
      reason: 'move',
    };
    await dataSource.transaction((tx) => room.stores.silences.add(tx, silence, clock.now()));
    const task = (n: number, status: number, at = clock.now()): Promise<string> =>
      room.approver({ status, approver_id: `t${n}`, process_id: `p${n % 5}`, node_id: String(n % 3) }, at);
    // Of some, the event before comes after.
    for (let n = 0; n < 20; n += 1) await task(n, 3);
    await room.settle();
    for (let n = 0; n < 5; n += 1) await task(n, 1, clock.now() - HOUR);
    for (let n = 100; n < 240; n += 1) await task(n, 1);
    await room.settle();
    for (let hour = 0; hour < 27; hour += 1) {
      clock.advance(HOUR);
      await withPartitions(dataSource, clock.now());
      await room.settle();
    }
    const balance = await dataSource.query<Balance[]>(
      `with asked as (select a.key as rule, sum(a.value::int)::int as asked
                        from evaluations, json_each_text(asked) as a group by 1),
            causes as (select v->>'rule' as rule, v->>'cause' as cause, sum(coalesce((v->>'times')::int, 1))::int as count
                         from evaluations, json_array_elements(verdicts) as v where v->>'action' is not null group by 1, 2)
       select rule, asked, (select count(*)::int from deliveries d
                             where d.rule = asked.rule and not exists (select from digests where id = d.id)) as sent,
              (select json_object_agg(cause, count order by cause) from causes c where c.rule = asked.rule) as causes
         from asked order by rule`,
    );
    expect(balance.map(({ rule: name }) => name)).toEqual(
      RULES.map((one) => (one as { name: string }).name).sort(),
    );
    for (const { rule: name, asked, sent, causes } of balance) {
      const suppressed = Object.values(causes ?? {}).reduce((sum, count) => sum + count, 0);
      expect([name, sent + suppressed]).toEqual([name, asked]);
    }
    const causes = new Set(balance.flatMap((one) => Object.keys(one.causes ?? {})));
    expect([...causes].sort()).toEqual(['digest', 'once-per', 'quiet-hours', 'silence', 'throttle', 'when']);
    const ends = await dataSource.query<{ state: string }[]>(
      'select distinct state from action_keys order by 1',
    );
    expect(ends.map(({ state }) => state)).toEqual(['dead', 'deferred', 'held', 'pending']);
    // Of a turn, only so many different ones are told apart, and all are counted.
    const [turn] = await dataSource.query<{ times: number }[]>(
      `select max((v->>'times')::int) as times from evaluations, json_array_elements(verdicts) as v
        where v->>'rule' = 'each-evening' and v->>'cause' = 'once-per'`,
    );
    expect(turn?.times).toBeGreaterThan(1);
    await room.close();
  });
});
