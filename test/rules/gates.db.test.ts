// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Suppression } from '../../src/rules/evaluation-store.js';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { RulesRoom } from '../support/rules.js';

const TYPE = 'corehr.process.approver.updated_v2';
const HOUR = 3_600_000;
const done = { all: [{ fact: 'status', operator: 'equal', value: 3 }] };
const rule = (more: object = {}): object => ({
  name: 'tell',
  owner: 'people-ops',
  trigger: TYPE,
  conditions: done,
  actions: [{ type: 'http', name: 'a', url: 'https://a.example/{{ event.approver_id }}' }],
  ...more,
});

describe('between a match and its deliveries', () => {
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
    // Monday 2 November 2026, 17:00 in Shanghai.
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
  });

  const causesOf = async (...ids: string[]): Promise<(string | null)[]> => {
    const found: (string | null)[] = [];
    for (const id of ids) {
      const evaluation = await room.stores.evaluations.find(id, 'live');
      const causes = (evaluation?.verdicts ?? []).filter(
        (one): one is Suppression => 'cause' in one && 'action' in one,
      );
      expect(causes.length).toBeLessThanOrEqual(1);
      found.push(causes[0]?.cause ?? null);
    }
    return found;
  };
  const deliveries = async (): Promise<{ state: string; due: string }[]> =>
    await dataSource.query(
      `select state, to_char(due_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') as due from action_keys order by id`,
    );
  const task = (approver_id: string, more: object = {}): Promise<string> => {
    clock.advance(1);
    return room.approver({ status: 3, approver_id, ...more });
  };

  it('fires once for a node, a process or a task, however many events match', async () => {
    await room.activate([
      rule({ name: 'task', oncePer: 'task' }),
      rule({ name: 'node', oncePer: 'node' }),
      rule({ name: 'process', oncePer: 'process' }),
      rule({ name: 'event' }),
    ]);
    const first = await task('1', { node_id: '7' });
    const again = await task('1', { node_id: '7' });
    const other = await task('2', { node_id: '7' });
    const elsewhere = await task('3', { node_id: '8' });
    const otherProcess = await task('1', { node_id: '7', process_id: '99' });
    await room.settle();
    const causes = async (id: string): Promise<string[]> =>
      ((await room.stores.evaluations.find(id, 'live'))?.verdicts ?? [])
        .filter((one): one is Suppression => 'action' in one)
        .map(({ rule: name, cause, by }) => `${name} ${cause} ${by ?? ''}`);
    expect(await causes(first)).toEqual([]);
    expect(await causes(again)).toEqual([
      'node once-per node:7',
      'process once-per process:7072306364927985196',
      'task once-per task:1',
    ]);
    expect(await causes(other)).toEqual([
      'node once-per node:7',
      'process once-per process:7072306364927985196',
    ]);
    expect(await causes(elsewhere)).toEqual(['process once-per process:7072306364927985196']);
    expect(await causes(otherProcess)).toEqual([]);
    expect(await deliveries()).toHaveLength(4 + 1 + 2 + 3 + 4);
  });

  it('lets a throttled rule fire so often in a period for each key, over all entities and instances', async () => {
    await room.activate([rule({ throttle: { max: 2, per: '1h', key: 'biz_type' } })]);
    const there = new RulesRoom(dataSource, clock);
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1)
      ids.push(await task(String(n), { process_id: String(n), biz_type: n % 3 === 2 ? 'b' : 'a' }));
    await Promise.all([room.decisions.drain(), there.decisions.drain()]);
    const causes = await causesOf(...ids);
    expect(causes.filter((cause) => cause === 'throttle')).toHaveLength(2);
    expect([causes[2], causes[5]]).toEqual([null, null]);
    expect(await deliveries()).toHaveLength(4);
    clock.advance(HOUR);
    const later = [await task('7', { process_id: '7' }), await task('8', { process_id: '8', biz_type: 'a' })];
    await room.settle();
    expect(await causesOf(...later)).toEqual([null, null]);
    await there.close();
  });

  it('keeps the causes in their order, and what is silenced uses up no throttle', async () => {
    await room.activate([rule({ throttle: { max: 1, per: '1h' }, oncePer: 'task' })]);
    await dataSource.transaction((tx) =>
      room.stores.silences.add(
        tx,
        {
          matcher: {
            rule: 'te*',
            conditions: { all: [{ fact: 'task.transition', operator: 'equal', value: '1>3' }] },
          },
          startsAt: clock.now(),
          endsAt: clock.now() + HOUR,
          author: 'me',
          reason: 'move',
        },
        clock.now(),
      ),
    );
    await room.approver({ status: 1, approver_id: '1' });
    await room.settle();
    const silenced = await task('1');
    const sent = await task('2');
    const once = await task('2');
    const throttled = await task('3');
    await room.settle();
    expect(await causesOf(silenced, sent, once, throttled)).toEqual([
      'silence',
      null,
      'once-per',
      'throttle',
    ]);
    // The state is read by the silence alone: no rule asks for it.
    expect(await deliveries()).toHaveLength(1);
  });

  it('puts off what comes in quiet hours, and lets it go when they are over', async () => {
    await room.activate([
      rule({ name: 'later', quietHours: { calendar: 'cn', outside: '09:00-19:00', then: 'defer' } }),
      rule({ name: 'never', quietHours: { outside: '09:00-19:00', then: 'drop' } }),
      rule({ name: 'always', quietHours: { outside: '09:00-19:00', then: 'send' } }),
    ]);
    const inHours = await task('1');
    await room.settle();
    expect(await deliveries()).toMatchObject([
      { state: 'pending' },
      { state: 'pending' },
      { state: 'pending' },
    ]);
    // Friday 20:30, before a weekend.
    clock.advance(4 * 24 * HOUR + 3.5 * HOUR);
    const inQuiet = await task('2');
    await room.settle();
    expect((await deliveries()).slice(3)).toEqual([
      { state: 'pending', due: '11-06 20:30' },
      { state: 'deferred', due: '11-09 09:00' },
    ]);
    expect(await causesOf(inHours, inQuiet)).toEqual([null, 'quiet-hours']);
    clock.advance(2.5 * 24 * HOUR);
    await room.settle();
    expect((await deliveries()).at(-1)).toMatchObject({ state: 'deferred' });
    clock.advance(HOUR);
    await room.settle();
    expect((await deliveries()).at(-1)).toMatchObject({ state: 'pending' });
  });

  it('gathers a digest: each item has the digest as its cause, and one message tells of all', async () => {
    await room.activate([
      rule({
        digest: { window: '15m', key: 'biz_type', item: '{{ event.approver_id }}' },
        actions: [
          {
            type: 'email',
            name: 'a',
            to: ['hr@example.com'],
            subject: '{{ items.length }} done',
            text: '{{ items }}',
          },
        ],
      }),
    ]);
    const ids = [await task('1'), await task('2'), await task('3', { biz_type: 'other' })];
    await room.settle();
    expect(await causesOf(...ids)).toEqual(['digest', 'digest', 'digest']);
    expect(await deliveries()).toMatchObject([{ state: 'deferred' }, { state: 'deferred' }]);
    clock.advance(HOUR);
    await room.settle();
    const sent = await dataSource.query<{ subject: string; text: string }[]>(
      `select request->'content'->>'subject' as subject, request->'content'->>'text' as text
         from deliveries join action_keys using (id) where state = 'pending' order by id`,
    );
    expect(sent.sort((a, b) => (a.subject < b.subject ? -1 : 1))).toEqual([
      { subject: '1 done', text: '3' },
      { subject: '2 done', text: '1\n2' },
    ]);
  });

  describe('a verdict that was not known', () => {
    const transition = rule({
      conditions: { all: [{ fact: 'task.transition', operator: 'equal', value: '1>3' }] },
    });

    it('is settled once, for its rule alone, when the missing event arrives', async () => {
      await room.activate([transition, rule({ name: 'other' })]);
      const t = clock.now();
      const id = await room.approver({ status: 3 }, t);
      await room.settle();
      expect((await room.stores.evaluations.find(id, 'live'))?.verdicts).toEqual([
        { rule: 'other', verdict: 'matched' },
        { rule: 'tell', verdict: 'unknown', missing: ['task.transition'] },
      ]);
      await room.approver({ status: 1 }, t - HOUR);
      await room.approver({ status: 1 }, t - 2 * HOUR);
      await room.settle();
      const all = await room.stores.evaluations.findAll(id);
      expect(all.map(({ occasion, verdicts }) => [occasion, verdicts])).toEqual([
        ['live', expect.anything()],
        ['settle', [{ rule: 'tell', verdict: 'matched' }]],
      ]);
      expect(await deliveries()).toHaveLength(2);
      expect(await dataSource.query('select * from unsettled')).toEqual([]);
    });

    it('is not settled after its time, and then stays for a person', async () => {
      await room.activate([{ ...transition, settle: '2h' }]);
      const t = clock.now();
      await room.approver({ status: 3 }, t);
      await room.settle();
      clock.advance(2 * HOUR);
      await room.approver({ status: 1 }, t - HOUR);
      await room.settle();
      expect(await deliveries()).toEqual([]);
      expect(await dataSource.query('select rule, missing from unsettled')).toEqual([
        { rule: 'tell', missing: ['task.transition'] },
      ]);
    });

    it('"the node is complete" fires once per node, and never on a guess', async () => {
      const conditions = { all: [{ fact: 'node.complete', operator: 'equal', value: true }] };
      await room.activate([
        rule({
          name: 'complete',
          conditions,
          oncePer: 'node',
          trigger: [TYPE, 'corehr.process.node.updated_v2'],
          actions: [{ type: 'http', name: 'a', url: 'https://a.example/' }],
        }),
      ]);
      const process = { process_id: '5' };
      for (const approver_id of ['1', '2', '3']) await task(approver_id, { ...process, node_id: '7' });
      await room.settle();
      clock.advance(1);
      await room.nodeEvent({ ...process, process_node_id: '7', node_status: 1 });
      await room.settle();
      expect(await deliveries()).toEqual([]);
      clock.advance(1);
      await room.nodeEvent({ ...process, process_node_id: '7', node_status: 3 });
      await room.settle();
      await room.nodeEvent({ ...process, process_node_id: '7', node_status: 3 });
      await task('4', { ...process, node_id: '7' });
      await room.settle();
      expect(await deliveries()).toHaveLength(1);
    });
  });

  it('has exactly one cause for each action that was not sent', async () => {
    await room.activate([
      rule({ name: 'a', oncePer: 'node' }),
      rule({ name: 'b', throttle: { max: 1, per: '1h' } }),
      rule({ name: 'c', quietHours: { outside: '09:00-10:00', then: 'drop' } }),
    ]);
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push(await task(String(n), { node_id: String(n % 3) }));
    await room.settle();
    let matched = 0;
    let suppressed = 0;
    for (const id of ids) {
      for (const one of (await room.stores.evaluations.find(id, 'live'))?.verdicts ?? []) {
        if ('action' in one) suppressed += 1;
        else if (one.verdict === 'matched') matched += 1;
      }
    }
    expect(matched).toBe(60);
    expect(matched - suppressed).toBe((await deliveries()).length);
  });
});
