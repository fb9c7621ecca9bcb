// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SCHEDULE_TYPE } from '../../src/rules/rule-timing.js';
import { ScheduleWorker } from '../../src/rules/schedule-worker.js';
import { storesOf } from '../../src/rules/rule-stores.js';
import { Metrics } from '../../src/config/metrics.js';
import { Partitions } from '../../src/database/partitions.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { RulesRoom } from '../support/rules.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const PENDING = { all: [{ fact: 'status', operator: 'equal', value: 1 }] };
const TELL = { type: 'http', name: 'tell', url: 'https://a.example/{{ event.approver_id }}' };

const daily = (trigger: object = {}, more: object = {}): object => ({
  name: 'morning',
  trigger: { schedule: '0 9 * * *', over: 'task', ...trigger },
  conditions: PENDING,
  actions: [TELL],
  ...more,
});

describe('a rule with a schedule', () => {
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
    at('2026-11-03T00:00:00Z');
    await withPartitions(dataSource, clock.now());
  });

  /** An instance with nothing in its memory, at a time. */
  function at(time: string): void {
    clock = new TestClock(Date.parse(time));
    room = new RulesRoom(dataSource, clock);
  }

  async function till(time: string): Promise<void> {
    clock.advance(Date.parse(time) - clock.now());
    await withPartitions(dataSource, clock.now());
    await room.settle();
  }

  const turns = async (): Promise<string[]> =>
    (
      await dataSource.query<{ id: string }[]>(
        `select event_id as id from event_keys where origin = 'aftersign:schedule' order by order_time`,
      )
    ).map(({ id }) => id);

  /** What each delivery is about: the part of the cause behind the turn. */
  const sent = async (): Promise<string[]> =>
    (await dataSource.query<{ cause: string }[]>('select cause from deliveries order by id')).map(
      ({ cause }) => cause.split('/')[1] ?? '',
    );

  const dueAt = async (rule = 'morning'): Promise<string | null> => {
    const row = (await room.stores.schedules.list()).find((one) => one.rule === rule);
    return row?.dueAt.toISOString() ?? null;
  };

  async function turnOf(eventId: string) {
    const found = await room.events.findByKey('aftersign:schedule', eventId);
    return await room.stores.evaluations.find(found?.id ?? '', 'live');
  }

  it('is evaluated over every open task, and nothing else, at nine in Shanghai', async () => {
    await room.activate([daily()]);
    expect(await dueAt()).toBe('2026-11-03T01:00:00.000Z');
    for (const [task, process, status] of [
      ['t1', 'p1', 1],
      ['t2', 'p1', 1],
      ['t3', 'p2', 1],
      ['t3', 'p2', 3],
      ['t4', 'p3', 1],
    ] as const)
      await room.approver(
        { approver_id: task, process_id: process, status },
        clock.now() + (status === 3 ? 1 : 0),
      );
    // Of a process that has ended, nobody waits for a task any more.
    await room.processEvent({ process_id: 'p3', status: 9 });
    await till('2026-11-03T00:59:59.999Z');
    expect(await turns()).toEqual([]);
    await till('2026-11-03T01:00:00Z');
    const turn = 'morning@2026-11-03T01:00:00.000Z';
    expect(await turns()).toEqual([turn]);
    expect((await sent()).sort()).toEqual([`${turn}#task:t1`, `${turn}#task:t2`]);
    const [row] = await dataSource.query<{ entity: string; url: string }[]>(
      `select entity, request->'content'->>'url' as url from deliveries order by cause limit 1`,
    );
    expect(row).toEqual({ entity: 'process:p1', url: 'https://a.example/t1' });
    expect(await turnOf(turn)).toMatchObject({
      verdicts: [{ rule: 'morning', verdict: 'matched' }],
      inputs: { now: clock.now(), turn: { entities: 2, matched: 2, unknown: 0, failed: 0 } },
    });
    expect(await dueAt()).toBe('2026-11-04T01:00:00.000Z');
  });

  it('is a stored event that is decided already', async () => {
    await room.activate([daily()]);
    await till('2026-11-03T01:00:00Z');
    const found = await room.events.findByKey('aftersign:schedule', 'morning@2026-11-03T01:00:00.000Z');
    expect(found?.state).toBe('decided');
    const event = await room.events.find(found?.id ?? '');
    expect(event).toMatchObject({
      eventType: SCHEDULE_TYPE,
      source: 'schedule',
      createTime: new Date('2026-11-03T01:00:00Z'),
      rootEntity: null,
    });
    expect(await turnOf('morning@2026-11-03T01:00:00.000Z')).toMatchObject({
      verdicts: [],
      inputs: { turn: { entities: 0, matched: 0, unknown: 0, failed: 0 } },
    });
  });

  it('leaves out the holiday of October and takes the Saturday that makes up for it', async () => {
    at('2026-09-30T02:00:00Z');
    await room.activate([daily({ calendar: 'cn' })]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    for (let day = 0; day < 12; day += 1) {
      clock.advance(DAY);
      await withPartitions(dataSource, clock.now());
      await room.settle();
    }
    expect((await turns()).map((id) => id.slice(8, 24))).toEqual([
      '2026-10-08T01:00',
      '2026-10-09T01:00',
      '2026-10-10T01:00',
      '2026-10-12T01:00',
    ]);
    expect(await sent()).toHaveLength(4);
  });

  it('has one turn a day where the clocks are changed', async () => {
    at('2026-10-30T12:00:00Z');
    await room.activate([daily({ schedule: '30 1 * * *', timezone: 'America/New_York' })]);
    for (let hour = 0; hour < 96; hour += 1) {
      clock.advance(HOUR);
      await room.time.drain();
    }
    expect((await turns()).map((id) => id.slice(8, 24))).toEqual([
      '2026-10-31T05:30',
      '2026-11-01T05:30',
      '2026-11-02T06:30',
      '2026-11-03T06:30',
    ]);
  });

  it('has one turn for all that were missed, by the time of the first', async () => {
    await room.activate([daily()]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await till('2026-11-06T05:00:00Z');
    expect(await sent()).toEqual(['morning@2026-11-03T01:00:00.000Z#task:t1']);
    expect(await dueAt()).toBe('2026-11-07T01:00:00.000Z');
  });

  it('has its turn once when several instances look at the same moment', async () => {
    await room.activate([daily()]);
    for (let task = 0; task < 30; task += 1)
      await room.approver({ approver_id: `t${task}`, process_id: `p${task}`, status: 1 });
    await room.decisions.drain();
    const others = [1, 2, 3].map(() => new RulesRoom(dataSource, clock));
    clock.advance(HOUR);
    await Promise.all([room, ...others].map((one) => one.time.schedules.drain()));
    expect(await turns()).toHaveLength(1);
    expect(await sent()).toHaveLength(30);
    expect(new Set(await sent()).size).toBe(30);
    const evaluations = await dataSource.query<unknown[]>(
      `select 1 from evaluations v join event_keys k on k.id = v.event_id where k.origin = 'aftersign:schedule'`,
    );
    expect(evaluations).toHaveLength(1);
  });

  it('does a turn again that broke off in the middle, and leaves nothing of the first try but its event', async () => {
    await room.activate([daily()]);
    for (let task = 0; task < 250; task += 1)
      await room.approver({ approver_id: `t${task}`, process_id: `p${task}`, status: 1 });
    await room.decisions.drain();
    clock.advance(HOUR);
    let reads = 0;
    const broken = scheduleWorker({
      // The first hundred are written when the connection is lost.
      gates: {
        pass: async (...args) => {
          reads += 1;
          if (reads === 2) throw new Error('the connection is lost');
          return await room.stores.gates.pass(...args);
        },
      },
    });
    await broken.drain();
    expect([reads, await turns()]).toEqual([2, ['morning@2026-11-03T01:00:00.000Z']]);
    expect(await sent()).toEqual([]);
    expect(room.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toMatchObject(
      [{ event: 'schedule.failed', rule: 'morning' }],
    );
    await room.settle();
    expect(await sent()).toHaveLength(250);
    expect(await turns()).toHaveLength(1);
    expect(await turnOf('morning@2026-11-03T01:00:00.000Z')).toMatchObject({
      inputs: { turn: { entities: 250, matched: 250 } },
    });
  });

  it('does not do a turn again that is done, when another instance has set it back', async () => {
    await room.activate([daily()]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await till('2026-11-03T01:00:00Z');
    await dataSource.query(`update schedules set due_at = '2026-11-03T01:00:00Z'`);
    await room.settle();
    expect([await sent(), await turns()].map((list) => list.length)).toEqual([1, 1]);
    expect(await dueAt()).toBe('2026-11-04T01:00:00.000Z');
  });

  it('that fails rests for a while and holds up no other', async () => {
    await room.activate([daily(), daily({ schedule: '1 9 * * *' }, { name: 'other' })]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await room.decisions.drain();
    clock.advance(HOUR + MINUTE);
    let fails = true;
    const worker = scheduleWorker({
      gates: {
        pass: async (tx, firings, context) => {
          if (fails && firings[0]?.rule.name === 'morning') throw new Error('not today');
          return await room.stores.gates.pass(tx, firings, context);
        },
      },
    });
    await worker.drain();
    expect(await sent()).toEqual(['other@2026-11-03T01:01:00.000Z#task:t1']);
    fails = false;
    await worker.drain();
    expect(await sent()).toHaveLength(1);
    clock.advance(5000);
    await worker.drain();
    expect(await sent()).toEqual([
      'other@2026-11-03T01:01:00.000Z#task:t1',
      'morning@2026-11-03T01:00:00.000Z#task:t1',
    ]);
  });

  it('waits for events that were stored before its time and are not decided yet', async () => {
    await room.activate([daily()]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await room.settle();
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 3 }, clock.now() + 1);
    clock.advance(HOUR);
    await room.time.drain();
    expect(await turns()).toEqual([]);
    await room.settle();
    expect([await turns(), await sent()]).toEqual([['morning@2026-11-03T01:00:00.000Z'], []]);
  });

  it('does not wait for them for ever', async () => {
    await room.activate([daily()]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    clock.advance(HOUR + 5 * MINUTE);
    await room.time.drain();
    expect(await turns()).toHaveLength(1);
  });

  it('reads the state and the clock at the moment of the turn', async () => {
    await room.activate([
      daily(
        {},
        {
          conditions: {
            all: [
              { fact: 'task.age', operator: 'greaterThanInclusive', value: 2 * DAY },
              { fact: 'now.weekday', operator: 'equal', value: 4 },
            ],
          },
          actions: [{ ...TELL, url: 'https://a.example/{{ task.firstSeen }}' }],
        },
      ),
    ]);
    const seen = clock.now();
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await room.approver({ approver_id: 't2', process_id: 'p2', status: 1 }, seen - 1);
    await till('2026-11-04T01:00:00Z');
    expect(await sent()).toEqual([]);
    await till('2026-11-05T01:00:00Z');
    const urls = await dataSource.query<{ url: string }[]>(
      `select request->'content'->>'url' as url from deliveries order by url`,
    );
    expect(urls.map(({ url }) => url)).toEqual([
      `https://a.example/${seen - 1}`,
      `https://a.example/${seen}`,
    ]);
  });

  it('is evaluated over processes, of which the last event of any part is read', async () => {
    await room.activate([
      daily(
        { over: 'process' },
        {
          conditions: { all: [{ fact: 'process.tasks', operator: 'greaterThan', value: 1 }] },
          actions: [{ ...TELL, url: 'https://a.example/{{ event.process_id }}' }],
        },
      ),
    ]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await room.approver({ approver_id: 't2', process_id: 'p1', status: 1 }, clock.now() + 1);
    await room.approver({ approver_id: 't3', process_id: 'p2', status: 1 });
    await till('2026-11-03T01:00:00Z');
    expect(await sent()).toEqual(['morning@2026-11-03T01:00:00.000Z#process:p1']);
  });

  it('knows nothing of an event whose content was erased, and goes on with the others', async () => {
    await room.activate([daily()]);
    const id = await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await room.approver({ approver_id: 't2', process_id: 'p2', status: 1 });
    await room.settle();
    await dataSource.query(
      `update events set raw = '', content = null, transport = null, erased_at = now() where id = $1`,
      [id],
    );
    await till('2026-11-03T01:00:00Z');
    expect(await sent()).toEqual(['morning@2026-11-03T01:00:00.000Z#task:t2']);
    expect(await turnOf('morning@2026-11-03T01:00:00.000Z')).toMatchObject({
      inputs: { turn: { entities: 2, matched: 1, unknown: 1 } },
    });
  });

  it('says what was missing when nothing could be decided', async () => {
    await room.activate([
      daily({}, { conditions: { all: [{ fact: 'node.complete', operator: 'equal', value: false }] } }),
    ]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await till('2026-11-03T01:00:00Z');
    const evaluation = await turnOf('morning@2026-11-03T01:00:00.000Z');
    expect([evaluation?.verdicts, evaluation?.inputs.turn?.entities]).toEqual([
      [{ rule: 'morning', verdict: 'unknown', missing: ['node.complete'] }],
      1,
    ]);
  });

  it('goes through the gates, and tells each different cause once', async () => {
    await room.activate([daily({}, { throttle: { max: 2, per: '1h' }, oncePer: 'task' })]);
    for (const task of ['t1', 't2', 't3', 't4'])
      await room.approver({ approver_id: task, process_id: `of-${task}`, status: 1 });
    await till('2026-11-03T01:00:00Z');
    expect(await sent()).toHaveLength(2);
    expect((await turnOf('morning@2026-11-03T01:00:00.000Z'))?.verdicts).toEqual([
      { rule: 'morning', verdict: 'matched' },
      { rule: 'morning', action: 'tell', cause: 'throttle', by: '', times: 2 },
    ]);
    await till('2026-11-04T01:00:00Z');
    // Once for each task: the two that were throttled have not been told of yet.
    expect((await sent()).map((cause) => cause.slice(-7)).sort()).toEqual([
      'task:t1',
      'task:t2',
      'task:t3',
      'task:t4',
    ]);
    await till('2026-11-05T01:00:00Z');
    expect(await sent()).toHaveLength(4);
  });

  it('follows the live rule set: other times date it anew, the same keep it, a rule that is gone or off has none', async () => {
    await room.activate([daily()]);
    clock.advance(2 * HOUR);
    // A missed turn stays missed when another part of the rule changes.
    await room.activate([daily({}, { description: 'another text' })]);
    expect(await dueAt()).toBe('2026-11-03T01:00:00.000Z');
    await room.activate([daily({ schedule: '30 9 * * *' })]);
    expect(await dueAt()).toBe('2026-11-04T01:30:00.000Z');
    await room.activate([daily({ schedule: '30 9 * * *' }, { enabled: false })]);
    expect(await dueAt()).toBeNull();
    await room.activate([daily({ timezone: 'Europe/Berlin' })]);
    expect(await dueAt()).toBe('2026-11-03T08:00:00.000Z');
    await room.activate([daily({}, { name: 'another' })]);
    expect([await dueAt(), await dueAt('another')]).toEqual([null, '2026-11-04T01:00:00.000Z']);
  });

  it('is dated anew by an installation with another time zone, without a turn', async () => {
    await room.activate([daily()]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await room.decisions.drain();
    room = new RulesRoom(dataSource, clock, { timezone: 'Europe/Berlin' });
    clock.advance(HOUR);
    await room.settle();
    expect([await turns(), await dueAt()]).toEqual([[], '2026-11-03T08:00:00.000Z']);
  });

  it('has no turn while it is not in effect', async () => {
    await room.activate([daily({}, { effective: { from: '2026-11-05' } })]);
    await room.approver({ approver_id: 't1', process_id: 'p1', status: 1 });
    await till('2026-11-03T01:00:00Z');
    await till('2026-11-04T01:00:00Z');
    expect(await turns()).toEqual([]);
    await till('2026-11-05T01:00:00Z');
    expect(await turns()).toHaveLength(1);
  });

  function scheduleWorker(replaced: {
    readonly gates: Pick<RulesRoom['stores']['gates'], 'pass'>;
  }): ScheduleWorker {
    return new ScheduleWorker(
      dataSource,
      {
        ...storesOf(room.stores),
        events: room.events,
        deliveries: room.deliveries,
        partitions: new Partitions(dataSource),
        ...replaced,
      },
      {
        timezone: 'Asia/Shanghai',
        calendar: null,
        wakeup: new Wakeup(dataSource),
        clock,
        log: room.log,
        metrics: new Metrics(),
      },
    );
  }
});
