// The rules that come with the product, on real PostgreSQL and a virtual clock.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
const FOLDER = 'rules/corehr';

describe('the rules that come with the product', () => {
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
    await room.activate(
      readdirSync(FOLDER)
        .filter((file) => file.endsWith('.rule.json'))
        .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object),
    );
  });

  const mails = async (rule: string): Promise<{ subject: string; text: string; state: string }[]> =>
    await dataSource.query(
      `select request->'content'->>'subject' as subject, request->'content'->>'text' as text, state
         from deliveries join action_keys using (id) where deliveries.rule = $1 order by deliveries.id`,
      [rule],
    );
  const go = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await room.settle();
  };

  it('escalate a renewal that nobody answers, by working time, and stop when somebody does', async () => {
    await room.approver({ status: 1, approver_id: '1' });
    await room.approver({ status: 1, approver_id: '2' });
    await room.settle();
    // One hour of work is left today, seven follow tomorrow: 09:00 to 12:00 and 13:00 to 17:00.
    await go(24 * HOUR - 1);
    expect(await mails('renewal-unanswered')).toEqual([]);
    await go(1);
    expect(await mails('renewal-unanswered')).toHaveLength(2);
    await room.approver({ status: 3, approver_id: '2' });
    await go(24 * HOUR);
    const sent = await mails('renewal-unanswered');
    expect(sent.map(({ subject }) => subject.split(' ')[0])).toEqual([
      '续签待处理',
      '续签待处理',
      '续签仍待处理',
    ]);
    expect(sent[0]?.text).toContain('since 2026-11-02 17:00');
  });

  it('tell once when a node is complete, when the platform says so', async () => {
    const about = { process_id: '5', biz_type: 'offboarding' };
    for (const approver_id of ['1', '2'])
      await room.approver(
        { ...about, approver_id, status: 3, node_id: '7' },
        clock.now() + Number(approver_id),
      );
    await room.settle();
    expect(await mails('node-complete')).toEqual([]);
    await room.nodeEvent({ ...about, process_node_id: '7', node_status: 3 }, clock.now() + 5);
    await room.settle();
    const [mail, ...others] = await mails('node-complete');
    expect(mail?.text).toContain('2 approved, 0 rejected');
    expect(others).toEqual([]);
  });

  it("tell of a rejection after another's approval, and of no other", async () => {
    const about = { biz_type: 'job_change', node_id: '7' };
    await room.approver({ ...about, process_id: '5', approver_id: '1', status: 2 });
    await room.approver({ ...about, process_id: '6', approver_id: '1', status: 3 });
    await room.settle();
    clock.advance(1);
    await room.approver({ ...about, process_id: '6', approver_id: '2', status: 2 });
    await room.settle();
    expect(await mails('rejected-after-approval')).toEqual([
      expect.objectContaining({ subject: '意见不一致 Approvers disagree: 6' }),
    ]);
  });

  it('sum up in the morning what has been open for more than a day', async () => {
    await room.approver({ status: 1, approver_id: '1', process_id: '5' });
    await room.approver({ status: 1, approver_id: '2', process_id: '6' });
    await room.approver({ status: 3, approver_id: '2', process_id: '6' }, clock.now() + 1);
    await room.settle();
    // Tuesday 09:00: not yet a day old.
    await go(16 * HOUR);
    expect(await mails('morning-summary')).toEqual([]);
    await room.approver({ status: 1, approver_id: '3', process_id: '7' });
    await go(24 * HOUR);
    const [mail, ...others] = await mails('morning-summary');
    expect(mail?.subject).toBe('待办汇总 Open approvals: 1');
    expect(mail?.text).toContain('5  2026-11-02 17:00');
    expect(others).toEqual([]);
    // Thursday and Friday, and nothing on a Saturday.
    for (const total of [2, 3, 3]) {
      await go(24 * HOUR);
      expect(await mails('morning-summary')).toHaveLength(total);
    }
  });

  it('keep the news of a reopened task for the next working hours', async () => {
    await go(5 * HOUR);
    for (const [n, status] of [1, 3, 1].entries()) await room.approver({ status }, clock.now() + n);
    await room.settle();
    expect(await mails('task-reopened')).toMatchObject([{ state: 'deferred' }]);
    await go(11 * HOUR);
    expect(await mails('task-reopened')).toMatchObject([{ state: 'pending' }]);
  });
});
