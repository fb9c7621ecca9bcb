// Real PostgreSQL and the real workers that decide, wait and recall. Nothing is sent: what has arrived is written into
// the rows. The clock stands still until it is told to go on.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TestClock } from '../../support/clock.js';
import {
  createTestDatabase,
  emptied,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../../support/database.js';
import { ReplayDesk } from '../../support/replays.js';
import { RulesRoom } from '../../support/rules.js';

const BEGIN = Date.UTC(2026, 10, 2, 9);
const HOUR = 3_600_000;

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let room: RulesRoom;
let desk: ReplayDesk;

const leaf = (fact: string, operator: string, value: unknown) => ({ fact, operator, value });
const tell = (name: string, more: object = {}): object => ({
  type: 'http',
  name,
  url: `https://books.example/${name}`,
  body: '{{ event.approver_id }}',
  ...more,
});
const UNDO = {
  undo: { type: 'http', method: 'DELETE', url: 'https://books.example/{{ event.approver_id }}' },
};
const rule = (status: number, more: object): object => ({
  name: 'r',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [leaf('status', 'equal', status)] },
  ...more,
});

async function task(approver: string, status: number): Promise<void> {
  await room.approver({ process_id: '7', approver_id: approver, node_id: '9', status, biz_type: 'leave' });
  await room.settle();
}
async function arrived(): Promise<void> {
  await dataSource.query(`update action_keys set state = 'delivered' where state in ('pending', 'deferred')`);
}
async function recalled(options: { replay?: boolean } = {}): Promise<void> {
  await desk.recall('r', BEGIN - HOUR, BEGIN + 100 * HOUR, options);
  await desk.worker().drain();
  expect(await dataSource.query('select state from replays')).toEqual([{ state: 'done' }]);
  expect(await dataSource.query(`select code, reason from replay_events where state <> 'done'`)).toEqual([]);
}
const outcomes = async (): Promise<object[]> =>
  await dataSource.query(
    `select d.action, r.outcome, r.code from recall_deliveries r join deliveries d on d.id = r.delivery_id order by d.id`,
  );
/** What the recall has made, in the order in which it goes out. */
const made = async (): Promise<object[]> =>
  await dataSource.query(
    `select d.action, d.generation, k.state, k.deferred_for as waits from deliveries d join action_keys k on k.id = d.id
      where d.occasion like 'recall:%' order by k.order_number, d.id`,
  );

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
  await withPartitions(dataSource, BEGIN);
}, 60_000);
afterAll(() => database.drop());
beforeEach(async () => {
  await emptied(dataSource, 'recall_deliveries, replay_events, replays');
  await emptyRulesRoom(dataSource);
  clock = new TestClock(BEGIN);
  room = new RulesRoom(dataSource, clock);
  desk = new ReplayDesk(room, dataSource, clock);
});

describe('a recall', () => {
  it('sends what takes something back before what goes in its place', async () => {
    await room.activate([rule(3, { actions: [tell('one', UNDO)] })]);
    await task('81', 3);
    await arrived();
    await room.activate([rule(3, { actions: [tell('one', { ...UNDO, body: 'mended' })] })]);
    await recalled();
    expect(await outcomes()).toEqual([{ action: 'one', outcome: 'undone', code: null }]);
    expect(await made()).toEqual([
      { action: 'one-undo', generation: 0, state: 'pending', waits: null },
      { action: 'one', generation: 1, state: 'deferred', waits: 'order' },
    ]);
    const [undo] = await dataSource.query<{ request: { content: Record<string, unknown> } }[]>(
      `select request from deliveries where action = 'one-undo'`,
    );
    const [undone] = await dataSource.query<{ key: string }[]>(
      `select action_key as key from deliveries where occasion = 'live'`,
    );
    expect(undo?.request.content).toMatchObject({
      method: 'DELETE',
      url: 'https://books.example/81',
      headers: { 'aftersign-undoes': undone?.key },
    });
  });

  it('leaves to a person what nobody can take back, and sends the right thing all the same', async () => {
    await room.activate([rule(3, { actions: [tell('one')] })]);
    await task('81', 3);
    await arrived();
    await room.activate([rule(3, { actions: [tell('one', { body: 'mended' })] })]);
    await recalled();
    expect(await outcomes()).toEqual([{ action: 'one', outcome: 'person', code: 'RECALL_NO_UNDO' }]);
    expect(await made()).toEqual([{ action: 'one', generation: 1, state: 'pending', waits: null }]);
  });

  it('takes everything back when there is no such rule any more, by the undo of then', async () => {
    await room.activate([rule(3, { actions: [tell('one', UNDO), tell('two', UNDO)] })]);
    await task('81', 3);
    await dataSource.query(`update action_keys set state = 'delivered' where action = 'one'`);
    await room.activate([{ ...rule(3, { actions: [tell('one')] }), name: 'other' }]);
    await recalled();
    expect(await outcomes()).toEqual([
      { action: 'one', outcome: 'undone', code: null },
      { action: 'two', outcome: 'cancelled', code: null },
    ]);
    expect(await made()).toMatchObject([{ action: 'one-undo' }]);
  });

  it('sends what the rule has missed, unless that is not wanted', async () => {
    for (const replay of [true, false]) {
      await emptied(dataSource, 'recall_deliveries, replay_events, replays');
      await emptyRulesRoom(dataSource);
      await room.activate([rule(3, { actions: [tell('one', UNDO)] })]);
      await task('81', 3);
      await task('82', 1);
      await room.activate([rule(1, { actions: [tell('one', UNDO)] })]);
      await recalled({ replay });
      expect(await outcomes()).toEqual([{ action: 'one', outcome: 'cancelled', code: null }]);
      expect(await made()).toEqual(
        replay ? [{ action: 'one', generation: 0, state: 'pending', waits: null }] : [],
      );
    }
  });

  it('keeps the steps that the mended rule would have sent too, and takes back the others', async () => {
    const ladder = (body: string, status: number): object =>
      rule(status, {
        escalate: { per: 'task', steps: [{ after: '1h', actions: [tell('remind', { ...UNDO, body })] }] },
      });
    await room.activate([ladder('wait', 1)]);
    await task('81', 1);
    clock.advance(2 * HOUR);
    await room.settle();
    await arrived();
    await room.activate([ladder('wait', 1)].map((one) => ({ ...one, description: 'mended' })));
    await recalled();
    expect(await outcomes()).toEqual([{ action: 'remind', outcome: 'kept', code: null }]);
    expect(await made()).toEqual([]);

    await emptied(dataSource, 'recall_deliveries, replay_events, replays');
    await room.activate([ladder('wait', 3)]);
    await recalled();
    expect(await outcomes()).toEqual([{ action: 'remind', outcome: 'undone', code: null }]);
    expect(await made()).toMatchObject([{ action: 'remind-undo', generation: 0 }]);
  });

  it('leaves digests to a person', async () => {
    const gathers = (status: number): object =>
      rule(status, { digest: { window: '15m' }, actions: [tell('one', { body: '{{ items.length }}' })] });
    await room.activate([gathers(3)]);
    await task('81', 3);
    clock.advance(HOUR);
    await room.settle();
    await arrived();
    await room.activate([gathers(1)]);
    await recalled();
    expect(await outcomes()).toEqual([{ action: 'one', outcome: 'person', code: 'RECALL_DIGEST' }]);
  });
});
