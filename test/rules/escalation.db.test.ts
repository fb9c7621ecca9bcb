// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
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
const ACTION = { type: 'http', name: 'tell', url: 'https://a.example/{{ event.approver_id }}' };

const ladder = (escalate: object = {}, more: object = {}): object => ({
  name: 'nag',
  trigger: TYPE,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  escalate: {
    per: 'task',
    steps: [
      { after: '24h', actions: [ACTION] },
      { after: '48h', name: 'boss', actions: [ACTION] },
    ],
    ...escalate,
  },
  ...more,
});

describe('an escalation', () => {
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
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
  });

  const sent = async (): Promise<string[]> =>
    (
      await dataSource.query<{ cause: string }[]>(
        `select split_part(cause, '#', 2) || ' ' || rule as cause from deliveries order by id`,
      )
    ).map(({ cause }) => cause);
  const timers = async (): Promise<[string, string | null][]> =>
    (
      await dataSource.query<{ state: string; code: string | null }[]>(
        'select state, code from timers order by subject, code nulls last',
      )
    ).map(({ state, code }) => [state, code]);
  const after = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await room.settle();
  };

  it('sends each step when it is due, and the steps are evaluations of the event that armed it', async () => {
    await room.activate([ladder()]);
    const id = await room.approver({ status: 1 });
    await room.settle();
    expect(await sent()).toEqual([]);
    await after(24 * HOUR - 1);
    expect(await sent()).toEqual([]);
    await after(1);
    expect(await sent()).toEqual(['24h nag']);
    await after(100 * HOUR);
    expect(await sent()).toEqual(['24h nag', 'boss nag']);
    expect(await timers()).toEqual([['finished', null]]);
    const evaluations = await room.stores.evaluations.findAll(id);
    expect(evaluations.map(({ occasion, verdicts }) => [occasion, verdicts])).toEqual([
      ['live', [{ rule: 'nag', verdict: 'matched' }]],
      ['step:nag:24h', [{ rule: 'nag', verdict: 'matched' }]],
      ['step:nag:boss', [{ rule: 'nag', verdict: 'matched' }]],
    ]);
  });

  it('counts from the create time of the event, not from its arrival', async () => {
    await room.activate([ladder()]);
    await room.approver({ status: 1 }, clock.now() - 30 * HOUR);
    await room.settle();
    expect(await sent()).toEqual(['24h nag']);
    await after(18 * HOUR);
    expect(await sent()).toEqual(['24h nag', 'boss nag']);
  });

  it('is cancelled by the first event after which the conditions are false', async () => {
    await room.activate([ladder()]);
    await room.approver({ status: 1 });
    await room.settle();
    await after(30 * HOUR);
    await room.approver({ status: 3 });
    await after(30 * HOUR);
    expect(await sent()).toEqual(['24h nag']);
    expect(await timers()).toEqual([['cancelled', 'CONDITIONS_FALSE']]);
  });

  it('is cancelled by an event that is committed and not yet decided when the step is due', async () => {
    await room.activate([ladder()]);
    await room.approver({ status: 1 });
    await room.settle();
    clock.advance(24 * HOUR);
    await room.approver({ status: 3 });
    // The worker of timers is the first to come round.
    await room.time.drain();
    expect(await sent()).toEqual([]);
    await room.settle();
    expect([await sent(), await timers()]).toEqual([[], [['cancelled', 'CONDITIONS_FALSE']]]);
  });

  it('is armed once, and again after it was cancelled', async () => {
    await room.activate([ladder()]);
    await room.approver({ status: 1 });
    await room.approver({ status: 1 }, clock.now() + 1);
    await room.settle();
    expect(await timers()).toEqual([['armed', null]]);
    await room.approver({ status: 4 }, clock.now() + 2);
    await room.approver({ status: 1 }, clock.now() + 3);
    await room.settle();
    expect(await timers()).toEqual([
      ['cancelled', 'CONDITIONS_FALSE'],
      ['armed', null],
    ]);
  });

  it('is neither armed nor cancelled by a late event', async () => {
    await room.activate([ladder()]);
    const t = clock.now();
    await room.approver({ status: 3, approver_id: '1' }, t);
    await room.settle();
    await room.approver({ status: 1, approver_id: '1' }, t - HOUR);
    await room.approver({ status: 1, approver_id: '2' }, t);
    await room.settle();
    await room.approver({ status: 3, approver_id: '2' }, t - HOUR);
    await room.settle();
    expect(await timers()).toEqual([['armed', null]]);
    await after(24 * HOUR);
    expect(await sent()).toEqual(['24h nag']);
  });

  it('per node: stands while one of its tasks satisfies the conditions', async () => {
    await room.activate([ladder({ per: 'node' })]);
    const task = (approver_id: string, status: number): Promise<string> =>
      room.approver({ approver_id, status, node_id: '9' }, clock.now());
    await task('1', 1);
    await task('2', 1);
    await room.settle();
    expect(await timers()).toEqual([['armed', null]]);
    clock.advance(HOUR);
    await task('1', 3);
    await room.settle();
    expect(await timers()).toEqual([['armed', null]]);
    await after(23 * HOUR);
    expect(await sent()).toEqual(['24h nag']);
    await task('2', 2);
    await after(30 * HOUR);
    expect([await sent(), await timers()]).toEqual([['24h nag'], [['cancelled', 'CONDITIONS_FALSE']]]);
  });

  it('ends with its process, whatever the trigger says', async () => {
    await room.activate([ladder()]);
    await room.approver({ status: 1 });
    await room.settle();
    await room.processEvent({ status: 9 }, clock.now() + 1);
    await after(48 * HOUR);
    expect([await sent(), await timers()]).toEqual([[], [['cancelled', 'PROCESS_ENDED']]]);
    // Nor is it armed any more.
    await room.approver({ status: 1, approver_id: '5' });
    await room.settle();
    expect(await timers()).toHaveLength(1);
  });

  it('is cancelled by "cancelOn", read from where the ladder stands', async () => {
    const cancelOn = { all: [{ fact: 'node.done', operator: 'greaterThan', value: 0 }] };
    await room.activate([ladder({ cancelOn })]);
    await room.approver({ status: 1, approver_id: '1' });
    await room.approver({ status: 1, approver_id: '2' });
    await room.settle();
    await room.approver({ status: 3, approver_id: '2' }, clock.now() + 1);
    await room.settle();
    // The other task is told by the state when its own step is due; its sibling's event is not its own.
    expect(await timers()).toEqual([
      ['armed', null],
      ['cancelled', 'CANCEL_ON'],
    ]);
  });

  describe('when rules change', () => {
    it('ends with its rule, once, in the transaction that activates the new set', async () => {
      await room.activate([ladder()]);
      await room.approver({ status: 1 });
      await room.settle();
      await room.activate([{ ...ladder(), name: 'other' }]);
      expect(await timers()).toEqual([['cancelled', 'RULE_GONE']]);
      await room.activate([ladder()]);
      await after(48 * HOUR);
      expect(await sent()).toEqual([]);
    });

    it('ends when the rule is switched off', async () => {
      await room.activate([ladder()]);
      await room.approver({ status: 1 });
      await room.settle();
      await room.activate([ladder({}, { enabled: false })]);
      expect(await timers()).toEqual([['cancelled', 'RULE_OFF']]);
    });

    it('follows new steps: earlier, later, and what was sent is not sent again', async () => {
      await room.activate([ladder()]);
      await room.approver({ status: 1 });
      await room.settle();
      await after(2 * HOUR);
      await room.activate([
        ladder({
          steps: [
            { after: '1h', actions: [ACTION] },
            { after: '24h', actions: [ACTION] },
          ],
        }),
      ]);
      await after(0);
      expect(await sent()).toEqual(['1h nag']);
      await room.activate([
        ladder({
          steps: [
            { after: '1h', actions: [ACTION] },
            { after: '72h', actions: [ACTION] },
          ],
        }),
      ]);
      await after(30 * HOUR);
      expect(await sent()).toEqual(['1h nag']);
      await after(40 * HOUR);
      expect(await sent()).toEqual(['1h nag', '72h nag']);
    });

    it('is decided at due time by the conditions of the day', async () => {
      await room.activate([ladder()]);
      await room.approver({ status: 1, biz_type: 'renewal_record' });
      await room.settle();
      const conditions = {
        all: [
          { fact: 'status', operator: 'equal', value: 1 },
          { fact: 'biz_type', operator: 'equal', value: 'job_change' },
        ],
      };
      await room.activate([ladder({}, { conditions })]);
      await after(24 * HOUR);
      expect([await sent(), await timers()]).toEqual([[], [['cancelled', 'CONDITIONS_FALSE']]]);
    });

    it('does not end because time has gone by: the clock of the conditions is that of the event', async () => {
      const conditions = {
        all: [
          { fact: 'status', operator: 'equal', value: 1 },
          { fact: 'create_time', operator: 'newerThan', value: '1h' },
        ],
      };
      await room.activate([ladder({}, { conditions })]);
      await room.approver({ status: 1 });
      await room.settle();
      await after(24 * HOUR);
      expect(await sent()).toEqual(['24h nag']);
    });
  });

  it('ends alone when the database refuses what comes of it, and the others are sent', async () => {
    await room.activate([ladder()]);
    for (const n of [1, 2, 3, 4, 5])
      await room.approver({ status: 1, approver_id: String(n), process_id: String(n) });
    await room.settle();
    // What a step sends must have an action key of its own; here another has the id of its evaluation already.
    await dataSource.query(
      `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs)
       select event_id, 'step:nag:24h', now(), '', '[]', '{}' from timers where subject = 'task:3'`,
    );
    await after(24 * HOUR);
    expect(await sent()).toEqual(['24h nag', '24h nag', '24h nag', '24h nag']);
    expect((await timers()).filter(([state]) => state === 'cancelled')).toEqual([['cancelled', 'FAILED']]);
  });

  it('is an error, not a guess, when working time is counted and there is no calendar', async () => {
    await room.activate([ladder({ steps: [{ after: '24 work hours', actions: [ACTION] }] })]);
    const id = await room.approver({ status: 1 });
    await room.settle();
    expect((await room.stores.evaluations.find(id, 'live'))?.verdicts).toEqual([
      { rule: 'nag', verdict: 'error', error: expect.stringContaining('no work calendar') },
    ]);
    expect(await timers()).toEqual([]);
  });

  it('counts working time by the calendar', async () => {
    // Monday 2 November 2026, 17:00 in Shanghai.
    await room.activate([ladder({ calendar: 'cn', steps: [{ after: '9 work hours', actions: [ACTION] }] })]);
    await room.approver({ status: 1 });
    await room.settle();
    const [row] = await dataSource.query<{ due_at: Date }[]>('select due_at from timers');
    expect(row?.due_at.toISOString()).toBe('2026-11-03T10:00:00.000Z');
  });
});
