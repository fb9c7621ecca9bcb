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

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ACTION = { type: 'http', name: 'tell', url: 'https://a.example/' };
const RULE = {
  name: 'nag',
  trigger: 'corehr.process.approver.updated_v2',
  oncePer: 'task',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  actions: [ACTION],
  escalate: { per: 'task', steps: [{ after: '2d', actions: [ACTION] }] },
};

describe('what time itself does', () => {
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
    await room.activate([RULE]);
  });

  const left = async (): Promise<Record<string, number>> => {
    const tables = ['entity_states', 'entity_tasks', 'once_keys', 'timers'];
    const [row] = await dataSource.query<Record<string, number>[]>(
      `select ${tables.map((table) => `(select count(*)::int from ${table}) as ${table}`).join()}`,
    );
    return row ?? {};
  };
  const go = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await room.settle();
  };

  it('forgets a process that has ended, with all that belongs to it, after the configured time', async () => {
    await room.approver({ status: 1, process_id: '1', approver_id: '1' });
    await room.approver({ status: 1, process_id: '2', approver_id: '2' });
    await room.settle();
    await room.processEvent({ process_id: '1', status: 9 }, clock.now() + 1);
    await room.settle();
    expect(await left()).toEqual({ entity_states: 2, entity_tasks: 2, once_keys: 2, timers: 2 });
    await go(89 * DAY);
    expect(await left()).toMatchObject({ entity_states: 2, entity_tasks: 2 });
    await go(2 * DAY);
    // The other has not ended, and its ladder has sent all its steps.
    expect(await left()).toEqual({ entity_states: 1, entity_tasks: 1, once_keys: 1, timers: 1 });
    // What is heard of the first again begins anew.
    await room.approver({ status: 1, process_id: '1', approver_id: '1' });
    await room.settle();
    expect(await left()).toMatchObject({ entity_states: 2, once_keys: 2 });
  });

  it('forgets a process of whose end nobody has told once nothing was heard of it for 400 days', async () => {
    await room.approver({ status: 2, process_id: '1', approver_id: '1' });
    await room.settle();
    await go(399 * DAY);
    await room.approver({ status: 2, process_id: '1', approver_id: '2' });
    await room.settle();
    await go(399 * DAY);
    expect(await left()).toMatchObject({ entity_states: 1, entity_tasks: 2 });
    await go(2 * DAY);
    expect(await left()).toMatchObject({ entity_states: 0, entity_tasks: 0 });
  });

  it('gives notice of the end of a silence, once', async () => {
    const silence = {
      matcher: { rule: 'nag' },
      startsAt: clock.now(),
      endsAt: clock.now() + 8 * HOUR,
      author: 'me',
      reason: 'the office moves',
    };
    await dataSource.transaction((tx) => room.stores.silences.add(tx, silence, clock.now()));
    const notices = (): string[] =>
      room.log.lines.flatMap(({ fields, message }) => (fields['event'] === 'silence.ending' ? message : []));
    await go(7 * HOUR - 1);
    expect(notices()).toEqual([]);
    await go(1);
    await go(HOUR / 2);
    expect(notices()).toEqual([expect.stringContaining('the office moves')]);
    expect(await dataSource.query('select kind, rules, detail, state from notices')).toEqual([
      {
        kind: 'silence-ending',
        rules: ['nag'],
        detail: { author: 'me', reason: 'the office moves', until: new Date(silence.endsAt).toISOString() },
        state: 'nobody',
      },
    ]);
  });
});

it('a process of a thousand tasks costs each event no more than a small one: no other task is read or written', async () => {
  const database = await createTestDatabase();
  try {
    const dataSource = await database.open();
    const clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    const room = new RulesRoom(dataSource, clock);
    await room.activate([RULE]);
    const tell = (task: number): Promise<string> =>
      room.approver({ status: 1, process_id: '1', approver_id: String(task) }, clock.now() + task);
    await Promise.all(Array.from({ length: 1000 }, (_, task) => tell(task)));
    await room.decisions.drain();
    const [{ root }] = await dataSource.query<[{ root: number }]>(
      'select length(state::text)::int as root from entity_states',
    );
    expect(root).toBeLessThan(1000);
    // Which rows the next event writes, PostgreSQL itself can tell.
    const [{ xid }] = await dataSource.query<[{ xid: string }]>('select txid_current()::text as xid');
    await tell(7);
    await tell(1000);
    await room.decisions.drain();
    const written = await dataSource.query<{ task: string }[]>(
      'select task from entity_tasks where xmin::text::bigint > $1::bigint order by task',
      [xid],
    );
    expect(written.map(({ task }) => task)).toEqual(['1000', '7']);
    const { tasks, tally } =
      (await room.stores.states.load(dataSource.manager, new Map([['process:1', new Set(['7'])]]))).get(
        'process:1',
      ) ?? {};
    expect([Object.keys(tasks ?? {}), tally?.tasks]).toEqual([['7'], { open: 1001 }]);
    await room.close();
  } finally {
    await database.drop();
  }
});
