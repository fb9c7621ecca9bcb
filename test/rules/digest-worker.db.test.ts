// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { act } from '../../src/action/delivery-acts.js';
import type { DigestItem } from '../../src/rules/digest-store.js';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { RulesRoom } from '../support/rules.js';

const TYPE = 'corehr.process.approver.updated_v2';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const rule = (digest: object = {}, more: object = {}): object => ({
  name: 'gather',
  owner: 'hr',
  trigger: TYPE,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  digest: { window: '15m', item: '{{ event.process_id }}/{{ event.approver_id }}', ...digest },
  actions: [
    { type: 'http', name: 'tell', url: 'https://a.example/', body: '{{ items.length }}: {{ items }}' },
  ],
  ...more,
});

interface Sent {
  readonly id: string;
  readonly state: string;
  readonly code: string | null;
  readonly reason: string | null;
  readonly target: string;
  readonly entity: string;
  readonly cause: string;
  readonly body: string | null;
  readonly dueAt: Date;
}

describe('a digest', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let room: RulesRoom;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    clock = new TestClock(Date.parse('2026-11-03T02:00:00Z'));
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
  });

  /** Stores a task of a process that is waited for, and decides it. */
  async function pending(process: string, task: string, changes: object = {}): Promise<string> {
    const id = await room.approver({ process_id: process, approver_id: task, status: 1, ...changes });
    await room.settle();
    return id;
  }

  const after = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await withPartitions(dataSource, clock.now());
    await room.settle();
  };

  const sent = async (): Promise<Sent[]> =>
    await dataSource.query<Sent[]>(
      `select d.id, k.state, k.code, k.reason, k.target, d.entity, d.cause, k.due_at as "dueAt",
              case when json_typeof(d.request) = 'object' then d.request->'content'->>'body' end as body
         from deliveries d join action_keys k on k.id = d.id order by d.id`,
    );
  const bodies = async (): Promise<(string | null)[]> => (await sent()).map(({ body }) => body);

  it('is one deferred delivery that tells of everything within its window, counted from the first', async () => {
    await room.activate([rule()]);
    const opened = clock.now();
    const first = await pending('p1', 't1');
    await after(10 * MINUTE);
    await pending('p2', 't2');
    const [waiting, ...others] = await sent();
    expect(others).toEqual([]);
    expect(waiting).toMatchObject({
      state: 'deferred',
      target: 'http:',
      entity: 'digest:',
      body: null,
      dueAt: new Date(opened + 15 * MINUTE),
    });
    await after(5 * MINUTE - 1);
    expect((await sent()).map(({ state }) => state)).toEqual(['deferred']);
    await after(1);
    expect(await sent()).toMatchObject([
      { state: 'pending', target: 'http:a.example', body: '2: p1/t1\np2/t2', dueAt: new Date(clock.now()) },
    ]);
    expect(waiting?.cause).toBe(`feishu:cli_a/${(await room.events.find(first))?.eventId ?? ''}`);
    // What comes now begins another one.
    await pending('p3', 't3');
    await after(15 * MINUTE);
    expect(await bodies()).toEqual(['2: p1/t1\np2/t2', '1: p3/t3']);
  });

  it('says at each event that its action waits in the digest', async () => {
    await room.activate([rule({ key: 'process_id' })]);
    const id = await pending('p1', 't1');
    expect((await room.stores.evaluations.find(id, 'live'))?.verdicts).toEqual([
      { rule: 'gather', verdict: 'matched' },
      { rule: 'gather', action: 'tell', cause: 'digest', by: 'p1' },
    ]);
  });

  it('is one for each key and action', async () => {
    const actions = ['one', 'two'].map((name) => ({
      type: 'http',
      name,
      url: `https://${name}.example/`,
      body: `${name} {{ items }}`,
    }));
    await room.activate([rule({ key: 'process_id' }, { actions })]);
    await pending('p1', 't1');
    await pending('p2', 't2');
    await pending('p1', 't3');
    await after(15 * MINUTE);
    expect((await bodies()).sort()).toEqual([
      'one p1/t1\np1/t3',
      'one p2/t2',
      'two p1/t1\np1/t3',
      'two p2/t2',
    ]);
    expect((await sent()).map(({ entity }) => entity).sort()).toEqual([
      'digest:p1',
      'digest:p1',
      'digest:p2',
      'digest:p2',
    ]);
  });

  it('takes an item once, however often and wherever it is offered', async () => {
    await room.activate([rule()]);
    const id = await pending('p1', 't1');
    const again = async (): Promise<void> => {
      await dataSource.query(`delete from evaluations where event_id = $1`, [id]);
      await dataSource.query(`update event_keys set state = 'undecided' where id = $1`, [id]);
      await room.settle();
    };
    await again();
    await after(15 * MINUTE);
    await again();
    await after(15 * MINUTE);
    expect(await bodies()).toEqual(['1: p1/t1']);
    expect((await room.stores.evaluations.find(id, 'live'))?.verdicts).toEqual([
      { rule: 'gather', verdict: 'matched' },
      { rule: 'gather', action: 'tell', cause: 'already-sent' },
    ]);
  });

  it('takes what several instances add at the same moment, and is closed once', async () => {
    const items = (from: number): DigestItem[] =>
      Array.from({ length: 40 }, (_, n): DigestItem => ({
        rule: 'gather',
        action: 'tell',
        kind: 'http',
        key: `k${n % 4}`,
        dueAt: clock.now() + MINUTE,
        eventId: '01890000-0000-7000-8000-000000000001',
        occasion: 'live',
        entity: `process:${from + n}`,
        cause: 'feishu:cli_a/e',
        item: {
          event: { process_id: `p${from + n}`, approver_id: 't' },
          task: {},
          node: {},
          process: {},
          lookup: {},
        },
      })).sort(() => (from % 200 === 0 ? 1 : -1));
    await room.activate([rule({ key: 'process_id' })]);
    await Promise.all(
      [0, 100, 200, 300].map((from) =>
        dataSource.transaction((tx) => room.stores.digests.add(tx, items(from), clock.now())),
      ),
    );
    expect(await sent()).toHaveLength(4);
    clock.advance(MINUTE);
    const others = [1, 2].map(() => new RulesRoom(dataSource, clock));
    await Promise.all([room, ...others].map((one) => one.time.digests.drain()));
    const counted = (await bodies()).map((body) => body?.split(':')[0]);
    expect(counted).toEqual(['40', '40', '40', '40']);
    const lines = (await bodies()).flatMap((body) => body?.slice(4).split('\n') ?? []);
    expect(new Set(lines).size).toBe(160);
  });

  it('keeps of what it has told only the keys', async () => {
    await room.activate([rule()]);
    await pending('p1', 't1');
    await after(15 * MINUTE);
    expect(await dataSource.query('select item, length(item_key) as key from digest_items')).toEqual([
      { item: null, key: 40 },
    ]);
  });

  it('waits for the end of quiet hours and gathers on, so that they end with one message', async () => {
    const quietHours = { outside: '09:00-19:00', then: 'defer' };
    await room.activate([rule({ window: '1h' }, { quietHours })]);
    // 18:30 in Shanghai.
    clock.advance(Date.parse('2026-11-03T10:30:00Z') - clock.now());
    await pending('p1', 't1');
    await after(HOUR);
    expect(await sent()).toMatchObject([{ state: 'deferred', dueAt: new Date('2026-11-04T01:00:00Z') }]);
    await pending('p2', 't2');
    await after(Date.parse('2026-11-04T00:59:59Z') - clock.now());
    expect((await sent()).map(({ state }) => state)).toEqual(['deferred']);
    await after(1000);
    expect(await sent()).toMatchObject([{ state: 'pending', body: '2: p1/t1\np2/t2' }]);
  });

  it('does not lose to quiet hours what it had before them, also of a rule that drops', async () => {
    const quietHours = { outside: '09:00-19:00', then: 'drop' };
    await room.activate([rule({ window: '1h' }, { quietHours })]);
    clock.advance(Date.parse('2026-11-03T10:30:00Z') - clock.now());
    await pending('p1', 't1');
    await after(HOUR);
    await pending('p2', 't2');
    await after(Date.parse('2026-11-04T01:00:00Z') - clock.now());
    expect(await bodies()).toEqual(['1: p1/t1']);
  });

  it('is rendered by the rule as it is when it is due', async () => {
    await room.activate([rule()]);
    await pending('p1', 't1');
    await room.activate([rule({ item: 'now {{ event.process_id }} by {{ rule.owner }}' })]);
    await after(15 * MINUTE);
    expect(await bodies()).toEqual(['1: now p1 by hr']);
  });

  it.each<[string, object[], string]>([
    ['is gone', [rule({}, { name: 'another' })], 'the rule "gather" is gone'],
    ['is switched off', [rule({}, { enabled: false })], 'the rule "gather" is switched off'],
    [
      'has no digest any more',
      [
        {
          ...rule({}, { actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }] }),
          digest: undefined,
        },
      ],
      'the rule "gather" has no digest any more',
    ],
    [
      'has no such action any more',
      [rule({}, { actions: [{ type: 'http', name: 'other', url: 'https://a.example/' }] })],
      'the rule "gather" has no action "tell" any more',
    ],
  ])('is cancelled when its rule %s', async (_, rules, reason) => {
    await room.activate([rule()]);
    await pending('p1', 't1');
    await room.activate(rules);
    await after(15 * MINUTE);
    expect(await sent()).toMatchObject([{ state: 'cancelled', code: 'RULE_GONE', reason, body: null }]);
    expect(room.log.lines.filter(({ fields }) => fields['event'] === 'digest.closed')).toMatchObject([
      { level: 'warn', fields: { rule: 'gather', code: 'RULE_GONE', items: 1 } },
    ]);
  });

  it('is dead when an item lacks what its line reads, and keeps what it has gathered', async () => {
    await room.activate([rule()]);
    await pending('p1', 't1');
    // By an event of another version of the platform.
    await dataSource.query(
      `update digest_items set item = '{"event": {}, "task": {}, "node": {}, "process": {}, "lookup": {}}'`,
    );
    await after(15 * MINUTE);
    expect(await sent()).toMatchObject([
      { state: 'dead', code: 'TEMPLATE_VALUE_MISSING', target: 'http:', body: null },
    ]);
    const [kept] = await dataSource.query<{ kind: string }[]>(
      'select json_typeof(item) as kind from digest_items',
    );
    expect(kept?.kind).toBe('object');
    await after(HOUR);
    expect(await sent()).toHaveLength(1);
  });

  it('that a person has cancelled is not sent, and what comes then begins another one', async () => {
    await room.activate([rule()]);
    await pending('p1', 't1');
    const [open] = await sent();
    await dataSource.transaction((tx) => act(tx, open?.id ?? '', 'cancel', 'not needed', clock.now()));
    await after(MINUTE);
    await pending('p2', 't2');
    await pending('p3', 't3');
    await after(15 * MINUTE);
    expect(await sent()).toMatchObject([
      { state: 'cancelled', code: 'CANCELLED', body: null },
      { state: 'pending', body: '2: p2/t2\np3/t3' },
    ]);
  });

  it('stays cancelled when nothing comes any more', async () => {
    await room.activate([rule()]);
    await pending('p1', 't1');
    const [open] = await sent();
    await dataSource.transaction((tx) => act(tx, open?.id ?? '', 'cancel', 'not needed', clock.now()));
    await after(15 * MINUTE);
    expect(await sent()).toMatchObject([{ state: 'cancelled', code: 'CANCELLED' }]);
    expect(await dataSource.query('select state from digests')).toEqual([{ state: 'closed' }]);
  });

  it('tells of a thousand, and counts the others', async () => {
    await room.activate([rule()]);
    const items = Array.from({ length: 1003 }, (_, n): DigestItem => ({
      rule: 'gather',
      action: 'tell',
      kind: 'http',
      key: '',
      dueAt: clock.now(),
      eventId: '01890000-0000-7000-8000-000000000001',
      occasion: 'live',
      entity: `process:${n}`,
      cause: 'feishu:cli_a/e',
      item: { event: { process_id: `p${n}`, approver_id: 't' }, task: {}, node: {}, process: {}, lookup: {} },
    }));
    await dataSource.transaction((tx) => room.stores.digests.add(tx, items, clock.now()));
    await room.settle();
    const lines = (await bodies())[0]?.split('\n') ?? [];
    expect([lines[0], lines[999], lines[1000], lines.length]).toEqual([
      '1003: p0/t',
      'p999/t',
      '… and 3 more / 另有 3 条',
      1001,
    ]);
  });

  it('of a schedule is one message for each key at once', async () => {
    await room.activate([
      rule({ window: undefined, key: 'process_id' }, { trigger: { schedule: '0 9 * * *', over: 'task' } }),
    ]);
    for (const [process, task] of [
      ['p1', 't1'],
      ['p2', 't2'],
      ['p1', 't3'],
    ] as const)
      await pending(process, task);
    await after(Date.parse('2026-11-04T01:00:00Z') - clock.now());
    expect((await bodies()).sort()).toEqual(['1: p2/t2', '2: p1/t1\np1/t3']);
    expect((await sent()).map(({ state }) => state)).toEqual(['pending', 'pending']);
    // Done again after a crash, the turn has nothing left to tell.
    await dataSource.query(`delete from evaluations where rule_set is not null`);
    await dataSource.query(`update schedules set due_at = '2026-11-04T01:00:00Z'`);
    await room.settle();
    expect(await sent()).toHaveLength(2);
    await after(24 * HOUR);
    expect(await sent()).toHaveLength(4);
  });

  it('takes every character that an event may hold', async () => {
    await room.activate([rule()]);
    await pending('p\u0000\ud800', 't"\\');
    await after(15 * MINUTE);
    const [one] = await dataSource.query<{ text: string }[]>('select request::text as text from deliveries');
    expect(JSON.parse(one?.text ?? '')).toMatchObject({ content: { body: '1: p\u0000\ud800/t"\\' } });
  });
});
