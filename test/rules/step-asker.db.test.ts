// Real PostgreSQL, the real platform client on a real socket against the fake Feishu; the clock is virtual.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { appAt } from '../support/lookups.js';
import { RulesRoom } from '../support/rules.js';

const APP_ID = 'cli_a';
const SECRET = 'a-secret-of-the-app';
const HOUR = 3_600_000;
const MINUTE = 60_000;

const rule = (escalate: object, text = '{{ event.approver_id }}'): object => ({
  name: 'nag',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  escalate: {
    per: 'task',
    confirm: true,
    steps: [
      {
        after: '24h',
        actions: [{ type: 'http', name: 'tell', url: 'https://a.example/', body: { text } }],
      },
    ],
    ...escalate,
  },
});

describe('before a step of an escalation the platform', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let fake: FakeFeishu;
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
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: SECRET }], clock });
    room = instance();
  });
  afterEach(async () => {
    await room.close();
    await fake.stop();
  });

  const instance = (): RulesRoom =>
    new RulesRoom(dataSource, clock, { apps: [appAt(fake.url, { appId: APP_ID, appSecret: SECRET })] });
  const process = (status: number, lists: object): void => {
    fake.processes.set('7', { process_id: '7', status, ...lists });
  };
  /** Lets the step of a task come due. */
  const comeDue = async (rules: readonly object[], files: Record<string, object> = {}): Promise<void> => {
    await room.activate(rules, files);
    await room.approver({ status: 1, process_id: '7', approver_id: '1', node_definition_id: 'n' });
    await room.settle();
    clock.advance(24 * HOUR);
    await room.settle();
  };
  const bodies = async (): Promise<unknown[]> =>
    (
      await dataSource.query<{ body: unknown }[]>(
        `select request->'content'->'body'->'text' as body from deliveries order by id`,
      )
    ).map(({ body }) => body);
  const timer = async (): Promise<{ state: string; code: string | null; reason: string | null }> => {
    const [row] = await dataSource.query<{ state: string; code: string | null; reason: string | null }[]>(
      'select state, code, reason from timers',
    );
    return row ?? { state: 'none', code: null, reason: null };
  };

  it('is asked whether the task is still pending', async () => {
    process(1, { todos: [{ approver_id: '1', node_definition_id: 'n' }] });
    await comeDue([rule({})]);
    expect(await bodies()).toEqual(['1']);
    expect(await timer()).toMatchObject({ state: 'finished' });
  });

  it.each([
    ['the task is done', 'task', 1, { done_list: [{ approver_id: '1', status: 3 }] }],
    ['the process has ended', 'task', 9, { todos: [{ approver_id: '1' }] }],
    [
      'nobody of the node is waited for',
      'node',
      1,
      { todos: [{ approver_id: '2', node_definition_id: 'm' }] },
    ],
    ['the process was withdrawn', 'process', 4, {}],
  ] as const)('ends the ladder when %s', async (_, per, status, lists) => {
    process(status, lists);
    await comeDue([rule({ per })]);
    expect([await bodies(), await timer()]).toEqual([
      [],
      { state: 'cancelled', code: 'NOT_PENDING', reason: null },
    ]);
  });

  it('that does not name the task has not said that it is not pending', async () => {
    process(1, { todos: [{ approver_id: '9' }] });
    await comeDue([rule({})]);
    expect(await bodies()).toEqual(['1']);
  });

  it('is asked again when it has trouble, for ten minutes, and then the step is sent', async () => {
    fake.faults.api.set(
      'process',
      Array.from({ length: 200 }, () => ({ status: 503, headers: {}, body: {} })),
    );
    await comeDue([rule({})]);
    expect(await bodies()).toEqual([]);
    expect(await timer()).toMatchObject({ state: 'asking', reason: expect.stringContaining('503') });
    for (let minute = 0; minute < 9; minute += 1) {
      clock.advance(MINUTE);
      await room.settle();
    }
    expect(await bodies()).toEqual([]);
    clock.advance(2 * MINUTE);
    await room.settle();
    expect(await bodies()).toEqual(['1']);
    expect(room.log.lines.filter(({ fields }) => fields['event'] === 'timer.not-confirmed')).toHaveLength(1);
  });

  it('does not have to answer when the task is answered meanwhile', async () => {
    fake.faults.api.set('process', [{ status: 503, headers: {}, body: {} }]);
    await comeDue([rule({})]);
    await room.approver({ status: 3, process_id: '7', approver_id: '1' });
    clock.advance(MINUTE);
    await room.settle();
    expect([await bodies(), await timer()]).toMatchObject([
      [],
      { state: 'cancelled', code: 'CONDITIONS_FALSE' },
    ]);
  });

  it('is asked by another instance when the one that asked has died', async () => {
    process(1, { todos: [{ approver_id: '1' }] });
    await room.activate([rule({})]);
    await room.approver({ status: 1, process_id: '7', approver_id: '1' });
    await room.settle();
    clock.advance(24 * HOUR);
    await room.time.timers.drain();
    // As a claim leaves it whose process is gone.
    await dataSource.query(
      `update timers set state = 'fetching', attempt = attempt + 1, lease_until = clock_timestamp() - interval '1 s'`,
    );
    const other = instance();
    await other.time.questions.sweep();
    await other.settle();
    expect(await bodies()).toEqual(['1']);
    await other.close();
  });

  it('tells the templates of the step what their look-ups ask', async () => {
    process(1, { todos: [{ approver_id: '1', operator_id: 'ou_1' }] });
    const lookups = {
      process: { type: 'feishu-process', id: '{{ event.process_id }}', task: '{{ event.approver_id }}' },
    };
    await comeDue([rule({ confirm: false }, '{{ lookup.process.task.operator_id }}')], {
      'lookups.json': lookups,
    });
    expect(await bodies()).toEqual(['ou_1']);
  });

  it('is asked about the task that the step is for, when the one seen last is none of them any more', async () => {
    process(1, {
      todos: [
        { approver_id: '1', operator_id: 'ou_1' },
        { approver_id: '2', operator_id: 'ou_2' },
      ],
    });
    const files = {
      'lookups.json': {
        process: { type: 'feishu-process', id: '{{ event.process_id }}', task: '{{ event.approver_id }}' },
      },
    };
    const both = rule({ per: 'process' }, '{{ lookup.process.task.operator_id }}');
    await room.activate([both], files);
    for (const approver_id of ['1', '2'])
      await room.approver({ status: 1, process_id: '7', approver_id, node_definition_id: 'n' });
    await room.settle();
    const conditions = {
      all: [
        { fact: 'status', operator: 'equal', value: 1 },
        { fact: 'approver_id', operator: 'equal', value: '1' },
      ],
    };
    await room.activate([{ ...both, conditions }], files);
    clock.advance(24 * HOUR);
    await room.settle();
    expect([await bodies(), await timer()]).toMatchObject([['ou_1'], { state: 'finished' }]);
  });
});
