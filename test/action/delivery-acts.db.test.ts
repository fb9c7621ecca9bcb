// Real PostgreSQL; what a person may do with a delivery, in each of its states.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import {
  act,
  actOnMany,
  DELIVERY_ACTS,
  type DeliveryAct,
  replaceDead,
  whyNot,
} from '../../src/action/delivery-acts.js';
import { type DeliveryState, DeliveryStore, type NewDelivery } from '../../src/action/delivery-store.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { newDelivery } from '../support/deliveries.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';

const POSSIBLE: Readonly<Record<DeliveryState, Partial<Record<DeliveryAct, DeliveryState>>>> = {
  held: { release: 'pending', discard: 'cancelled' },
  deferred: { cancel: 'cancelled' },
  pending: { cancel: 'cancelled' },
  delivering: {},
  delivered: {},
  dead: { redrive: 'pending', discard: 'cancelled' },
  cancelled: {},
};
const STATES = Object.keys(POSSIBLE) as DeliveryState[];

describe('acts on deliveries', () => {
  const clock = new TestClock();
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: DeliveryStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    store = new DeliveryStore(dataSource, new Wakeup(dataSource));
    await withPartitions(dataSource, clock.now());
  });
  afterAll(() => database.drop());
  beforeEach(() => emptied(dataSource, 'action_keys, deliveries, attempts'));

  async function deliveryIn(state: DeliveryState, more: Partial<NewDelivery> = {}): Promise<string> {
    const eventId = randomUUID();
    const delivery = newDelivery(eventId, more);
    await dataSource.transaction((tx) =>
      store.accept(tx, [{ delivery, eventId, occasion: 'live' }], clock.now()),
    );
    const [row] = await store.findOfEvent(eventId);
    const id = row?.id ?? '';
    await dataSource.query(
      `update action_keys set state = $2, attempt = 7, code = 'OLD', reason = 'old', due_at = '2030-01-01' where id = $1`,
      [id, state],
    );
    return id;
  }

  const acting = (id: string, what: DeliveryAct, reason: string | null = null, now = clock.now()) =>
    dataSource.transaction((tx) => act(tx, id, what, reason, now));
  const inOrder = async (...states: DeliveryState[]): Promise<string[]> => {
    const made: string[] = [];
    for (const state of states) made.push(await deliveryIn(state, { orderKey: 'process:7' }));
    return made;
  };
  const rowOf = async (id: string) => (await store.findMany([id]))[0];

  it.each(STATES.flatMap((state) => DELIVERY_ACTS.map((what) => [what, state] as const)))(
    '%s on one that is %s does what the table says, and nothing else',
    async (what, state) => {
      const id = await deliveryIn(state);
      const before = await rowOf(id);
      const next = POSSIBLE[state][what];
      expect(await acting(id, what, 'as agreed')).toEqual({ done: next !== undefined, state: next ?? state });
      const after = await rowOf(id);
      if (next === undefined) expect(after).toEqual(before);
      else expect(after?.state).toBe(next);
      if (next === 'cancelled') expect(after).toMatchObject({ reason: 'as agreed' });
      if (next === 'pending')
        expect(after).toMatchObject({ dueAt: new Date(clock.now()), code: null, reason: null, attempt: 7 });
    },
  );

  it('begins the retry schedule anew with a redrive, and goes on counting attempts', async () => {
    const id = await deliveryIn('dead');
    clock.advance(86_400_000);
    await acting(id, 'redrive');
    expect(await rowOf(id)).toMatchObject({
      attempt: 7,
      attemptsBefore: 7,
      redrivenAt: new Date(clock.now()),
    });
  });

  it('does not send again what could not be rendered or was erased', async () => {
    const id = await deliveryIn('dead', { request: null });
    expect(await acting(id, 'redrive')).toEqual({ done: false, state: 'dead' });
    const held = await deliveryIn('held', { request: null });
    expect(await acting(held, 'release')).toEqual({ done: false, state: 'held' });
    expect(await acting(held, 'discard')).toEqual({ done: true, state: 'cancelled' });
  });

  it('knows no delivery that is not there', async () => {
    expect(await acting(randomUUID(), 'redrive')).toBeNull();
  });

  it('lets one of two win who act at once', async () => {
    const id = await deliveryIn('dead');
    const ends = await Promise.all([acting(id, 'redrive'), acting(id, 'redrive'), acting(id, 'redrive')]);
    expect(ends.filter((end) => end?.done)).toHaveLength(1);
    expect(ends.every((end) => end?.state === 'pending')).toBe(true);
  });

  it('never cancels what a worker has taken a moment before', async () => {
    const rows = new LeasedRows(
      dataSource,
      { table: 'action_keys', ready: 'pending', taken: 'delivering' },
      randomUUID(),
      60,
    );
    for (let round = 0; round < 10; round += 1) {
      const id = await deliveryIn('pending');
      await dataSource.query('update action_keys set due_at = $2 where id = $1', [id, new Date(clock.now())]);
      const [end, claimed] = await Promise.all([acting(id, 'cancel'), rows.claim(1, clock.now())]);
      expect(end?.done).toBe(claimed.length === 0);
      expect((await rowOf(id))?.state).toBe(claimed.length === 0 ? 'cancelled' : 'delivering');
    }
  });

  it('gives a redriven one the whole time of its schedule again', async () => {
    const request = newDelivery('').request;
    const id = await deliveryIn('dead', { request: request && { ...request, retry: { over: 3_600_000 } } });
    clock.advance(5 * 86_400_000);
    await acting(id, 'redrive');
    const [row] = await dataSource.query<{ at: Date }[]>(
      'select give_up_at as at from action_keys where id = $1',
      [id],
    );
    expect(row?.at).toEqual(new Date(clock.now() + 3_600_000));
  });

  it('lets held ones of one order go one after the other', async () => {
    const ids = await inOrder('held', 'held', 'held');
    const ends = await dataSource.transaction((tx) => actOnMany(tx, ids, 'release', null, clock.now()));
    expect(ids.map((id) => ends.get(id))).toEqual([
      { done: true, state: 'pending' },
      { done: true, state: 'deferred' },
      { done: true, state: 'deferred' },
    ]);
    const rows = await dataSource.query<{ why: string | null }[]>(
      'select deferred_for as why from action_keys order by order_number',
    );
    expect(rows.map(({ why }) => why)).toEqual([null, 'order', 'order']);
  });

  it('does what it can with many, and tells why of the others', async () => {
    const able = await deliveryIn('dead');
    const empty = await deliveryIn('dead', { request: null });
    const done = await deliveryIn('delivered');
    const ends = await dataSource.transaction((tx) =>
      actOnMany(tx, [able, empty, done, randomUUID()], 'redrive', null, clock.now()),
    );
    expect(ends.size).toBe(3);
    expect(ends.get(able)).toEqual({ done: true, state: 'pending' });
    const why = [empty, done].map((id) => whyNot('redrive', ends.get(id) ?? { done: false, state: 'held' }));
    expect(why).toEqual(['DELIVERY_NOT_RENDERED', 'DELIVERY_STATE']);
  });

  it('puts an edited one in the place of a dead one once, under a key of its own', async () => {
    const id = await deliveryIn('dead');
    const old = await rowOf(id);
    const by = newDelivery(old?.eventId ?? '', { generation: 1, target: 'http:b.example' });
    const replace = () =>
      dataSource.transaction((tx) =>
        replaceDead(tx, [{ id, by, eventId: old?.eventId ?? '', occasion: 'live' }], store, clock.now()),
      );
    const [made, again] = [await replace(), await replace()];
    const next = made.get(id) ?? '';
    expect(again.size).toBe(0);
    expect(await rowOf(next)).toMatchObject({ state: 'pending', target: 'http:b.example', attempt: 0 });
    expect((await rowOf(next))?.actionKey).not.toBe(old?.actionKey);
    expect(await rowOf(id)).toMatchObject({
      state: 'cancelled',
      code: 'REPLACED',
      reason: `replaced by ${next}`,
    });
  });

  it('keeps a reason that holds what PostgreSQL does not take', async () => {
    const id = await deliveryIn('held');
    await acting(id, 'discard', 'a\u0000b');
    expect((await rowOf(id))?.reason).toBe('ab');
  });
});
