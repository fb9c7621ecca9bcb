// Real PostgreSQL; targets that answer as they are told; the clock is virtual.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { resultOf } from '../../src/action/attempt-meaning.js';
import type { NewDelivery } from '../../src/action/delivery-store.js';
import type { DeliveryWorker } from '../../src/action/delivery-worker.js';
import { releaseOverlooked } from '../../src/action/delivery-upkeep.js';
import { NOTICE_RULE } from '../../src/action/notice-store.js';
import type { AttemptResult } from '../../src/action/sender.js';
import { replaceTargetLimits, type TargetLimit } from '../../src/action/target-limits.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { acceptAll, deliveryTo, FakeSender, HANGS, workerOver } from '../support/delivery-workers.js';
import { until } from '../support/door.js';
import { TestLog } from '../support/log.js';

const HOUR = 3_600_000;
const many = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let sender: FakeSender;
let log: TestLog;
let worker: DeliveryWorker;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptied(
    dataSource,
    'action_keys, deliveries, attempts, targets, target_lanes, target_limits, notices',
  );
  clock = new TestClock();
  await withPartitions(dataSource, clock.now());
  sender = new FakeSender();
  log = new TestLog();
  worker = workerOver(dataSource, clock, sender, { log });
});

const accept = (...deliveries: NewDelivery[]): Promise<string[]> => acceptAll(dataSource, clock, deliveries);
const limit = (...limits: TargetLimit[]): Promise<void> =>
  dataSource.transaction((tx) => replaceTargetLimits(tx, limits));
const statesOf = async (ids: readonly string[]): Promise<string[]> => {
  const rows = await dataSource.query<{ id: string; state: string }[]>('select id, state from action_keys');
  return ids.map((id) => rows.find((row) => row.id === id)?.state ?? 'none');
};
const notices = (): Promise<{ kind: string; subject: string; rules: string[] }[]> =>
  dataSource.query('select kind, subject, rules from notices order by id');

/** A target that does not answer before it is told to. */
function hanging(host: string): { readonly answerAll: (result?: AttemptResult) => void } {
  const waiting: ((result: AttemptResult) => void)[] = [];
  sender.answers.set(
    host,
    () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
  );
  return {
    answerAll: (result = HANGS) => {
      sender.answers.set(host, () => result);
      for (const resolve of waiting.splice(0)) resolve(result);
    },
  };
}

describe('a target lane', () => {
  it('has no more under way than its limit, over all instances', async () => {
    await limit({ lane: 'http:slow', concurrency: 3, rate: null });
    const slow = hanging('slow');
    const ids = await accept(...many(20, () => deliveryTo('slow')));
    const workers = [worker, workerOver(dataSource, clock, sender), workerOver(dataSource, clock, sender)];
    for (const one of workers) one.start();
    await until(() => sender.countOf('slow') === 3);
    await accept(...many(5, () => deliveryTo('other')));
    await until(() => sender.countOf('other') === 5);
    expect(sender.countOf('slow')).toBe(3);
    slow.answerAll({ ...HANGS, outcome: 'delivered', target: 'up' });
    await until(async () => (await statesOf(ids)).every((state) => state === 'delivered'));
    for (const one of workers) await one.stop(1000);
    expect(new Set(sender.sent.map(({ actionKey }) => actionKey)).size).toBe(25);
  });

  it('leaves room for the others, however many targets hang and whatever their limits', async () => {
    await limit({ lane: '*', concurrency: 1000, rate: null });
    const hosts = many(6, (n) => `hangs-${n}`);
    const hung = hosts.map((host) => hanging(host));
    for (const host of hosts) await accept(...many(300, () => deliveryTo(host)));
    worker.start();
    await until(() => hosts.every((host) => sender.countOf(host) > 0) && sender.sent.length > 400);
    const ids = await accept(...many(40, (n) => deliveryTo(`well-${n % 4}`)));
    await until(async () => (await statesOf(ids)).every((state) => state === 'delivered'));
    expect(sender.sent.length).toBeLessThan(512 + 40);
    const stopping = worker.stop(5000);
    for (const each of hung) each.answerAll();
    await stopping;
  });

  it('is not forgotten among hundreds of others, also those without a row', async () => {
    await accept(...many(450, (n) => deliveryTo(`host-${n}`)));
    await dataSource.query(`delete from target_lanes where lane like 'http:host-1%'`);
    await worker.drain();
    // What had no row has one by now.
    await worker.drain();
    expect(new Set(sender.sent.map(({ host }) => host)).size).toBe(450);
  });

  it('keeps to its rate, over all instances', async () => {
    await limit({ lane: 'http:slow', concurrency: null, rate: { max: 5, perMs: 1000 } });
    await accept(...many(12, () => deliveryTo('slow')));
    const other = workerOver(dataSource, clock, sender);
    const counts: number[] = [];
    for (let second = 0; second < 3; second += 1) {
      for (let n = 0; n < 50; n += 1) {
        await (n % 2 === 0 ? worker : other).drain();
        clock.advance(20);
      }
      counts.push(sender.countOf('slow'));
    }
    expect(counts).toEqual([5, 10, 12]);
  });

  it('is left alone after five failures in a row, tried by one at a time, and opened again slowly', async () => {
    sender.answers.set('down', () => HANGS);
    await limit({ lane: 'http:down', concurrency: 5, rate: null });
    await accept(...many(30, () => deliveryTo('down')), deliveryTo('well'));
    await worker.drain();
    expect([sender.countOf('down'), sender.countOf('well')]).toEqual([5, 1]);
    clock.advance(6000);
    await worker.drain();
    expect(sender.countOf('down')).toBe(6);
    sender.answers.delete('down');
    clock.advance(12_000);
    await worker.drain();
    expect(await dataSource.query(`select state, count(*)::int as n from action_keys group by 1`)).toEqual([
      { state: 'delivered', n: 31 },
    ]);
    expect(
      await dataSource.query(`select breaker, failures, ramp from target_lanes where lane = 'http:down'`),
    ).toEqual([{ breaker: 'closed', failures: 0, ramp: null }]);
  });

  it('is told of once when it begins to fail and once when it is reached again', async () => {
    sender.answers.set('down', () => HANGS);
    await accept(...many(6, (n) => deliveryTo('down', { rule: n < 3 ? 'a' : 'b' })));
    await worker.drain();
    const failing = { kind: 'target-failing', subject: 'http:down', rules: ['a', 'b'] };
    expect(await notices()).toEqual([failing]);
    for (let n = 0; n < 5; n += 1) {
      clock.advance(30_000);
      await worker.drain();
    }
    expect(await notices()).toEqual([failing]);
    sender.answers.delete('down');
    clock.advance(2 * 60_000);
    await worker.drain();
    expect(await notices()).toEqual([failing, { ...failing, kind: 'target-recovered' }]);
    expect(
      log.lines.map(({ fields }) => fields['event']).filter((event) => /^target/.test(String(event))),
    ).toEqual(['target.failing', 'target.recovered']);
  });

  it('tells within the hour of no second failure, and of one that lasts all the same', async () => {
    sender.answers.set('down', () => HANGS);
    await accept(...many(9, () => deliveryTo('down', { rule: 'a' })));
    await worker.drain();
    sender.answers.delete('down');
    clock.advance(2 * 60_000);
    await worker.drain();
    const told = ['target-failing', 'target-recovered'];
    expect((await notices()).map(({ kind }) => kind)).toEqual(told);
    sender.answers.set('down', () => HANGS);
    await accept(...many(9, () => deliveryTo('down', { rule: 'a' })));
    for (let minutes = 0; minutes < 50; minutes += 5) {
      clock.advance(5 * 60_000);
      await worker.drain();
    }
    expect((await notices()).map(({ kind }) => kind)).toEqual(told);
    for (let minutes = 0; minutes < 20; minutes += 5) {
      clock.advance(5 * 60_000);
      await worker.drain();
    }
    expect((await notices()).map(({ kind }) => kind)).toEqual([...told, 'target-failing']);
  });

  it('tells nobody of a target that only messages to owners go to', async () => {
    sender.answers.set('down', () => HANGS);
    sender.answers.set('gone', () => resultOf('HTTP_410', 'gone'));
    await accept(
      ...many(9, () => deliveryTo('down', { rule: NOTICE_RULE })),
      deliveryTo('gone', { rule: NOTICE_RULE }),
    );
    await worker.drain();
    expect(await dataSource.query(`select breaker from target_lanes where lane = 'http:down'`)).toEqual([
      { breaker: 'open' },
    ]);
    expect(await notices()).toEqual([]);
  });

  it('tells of deliveries that go dead, once for each target', async () => {
    sender.answers.set('gone', () => resultOf('HTTP_410', 'gone'));
    await accept(...many(4, (n) => deliveryTo('gone', { rule: `r${n}` })));
    await worker.drain();
    await accept(deliveryTo('gone'));
    await worker.drain();
    expect(await notices()).toEqual([
      { kind: 'deliveries-dead', subject: 'http:gone', rules: ['r0', 'r1', 'r2', 'r3'] },
    ]);
  });
});

describe('deliveries in order', () => {
  const orderKey = randomUUID();
  const ordered = (host: string): NewDelivery => deliveryTo(host, { orderKey });

  it('go out one after the other, the next when the one before has ended, delivered or dead', async () => {
    const order: string[] = [];
    for (const host of ['a', 'b', 'c'])
      sender.answers.set(host, () => {
        order.push(host);
        return host === 'a' && order.length < 3
          ? HANGS
          : host === 'b'
            ? resultOf('HTTP_404', 'no')
            : { ...HANGS, outcome: 'delivered' };
      });
    const ids = await accept(ordered('a'), ordered('b'), ordered('c'));
    await worker.drain();
    expect(await statesOf(ids)).toEqual(['pending', 'deferred', 'deferred']);
    for (let n = 0; n < 3; n += 1) {
      clock.advance(60_000);
      await worker.drain();
    }
    expect(order).toEqual(['a', 'a', 'a', 'b', 'c']);
    expect(await statesOf(ids)).toEqual(['delivered', 'dead', 'delivered']);
  });

  it('begin their retries when their turn comes', async () => {
    sender.answers.set('b', () => HANGS);
    const slow = hanging('a');
    const [, second] = await accept(ordered('a'), ordered('b'));
    const draining = worker.drain();
    await until(() => sender.countOf('a') === 1);
    clock.advance(80 * HOUR);
    slow.answerAll({ ...HANGS, outcome: 'delivered' });
    await draining;
    expect(await statesOf([second ?? ''])).toEqual(['pending']);
    expect(
      await dataSource.query('select due_at, give_up_at from action_keys where id = $1', [second]),
    ).toMatchObject([{ give_up_at: new Date(clock.now() + 72 * HOUR) }]);
  });

  it('are not left behind when two transactions have overlooked each other', async () => {
    const [first, second] = await accept(ordered('a'), ordered('b'));
    await dataSource.query(`update action_keys set state = 'delivered' where id = $1`, [first]);
    await worker.drain();
    expect(await statesOf([second ?? ''])).toEqual(['deferred']);
    expect(await releaseOverlooked(dataSource, clock.now())).toBe(1);
    await worker.drain();
    expect(await statesOf([second ?? ''])).toEqual(['delivered']);
    expect(await releaseOverlooked(dataSource, clock.now())).toBe(0);
  });
});

describe('deliveries to a target that is not tried', () => {
  it('are given up when their time is used up, and say since when it was not reached', async () => {
    sender.answers.set('down', () => HANGS);
    const began = clock.now();
    const ids = await accept(...many(5, () => deliveryTo('down')));
    await worker.drain();
    const waiting = await accept(
      ...many(3, (n) => deliveryTo('down', n < 2 ? {} : { orderKey: 'o' })),
      deliveryTo('down', { orderKey: 'o' }),
    );
    clock.advance(71 * HOUR);
    await worker.giveUp();
    expect(await statesOf(waiting)).toEqual(['pending', 'pending', 'pending', 'deferred']);
    clock.advance(HOUR);
    await worker.giveUp();
    expect(await statesOf([...ids, ...waiting])).toEqual([...many(8, () => 'dead'), 'pending']);
    const [row] = await dataSource.query<{ code: string; reason: string }[]>(
      'select code, reason from action_keys where id = $1',
      [ids[0]],
    );
    expect(row?.code).toBe('RETRIES_USED_UP');
    expect(row?.reason).toBe(
      `after 1 attempts: the target has not been reached since ${new Date(began).toISOString().replace('.000', '')}, and its time is used up (TARGET_TIMEOUT)`,
    );
    expect((await notices()).map(({ kind }) => kind)).toEqual(['target-failing', 'deliveries-dead']);
  });
});
