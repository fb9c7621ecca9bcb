// Real PostgreSQL, real store and the record that the worker writes.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Ended } from '../../../src/action/delivery-end.js';
import { DeliveryStore, type NewDelivery } from '../../../src/action/delivery-store.js';
import { replaceTargetLimits } from '../../../src/action/target-limits.js';
import { recordTargets } from '../../../src/action/target-record.js';
import { TargetList } from '../../../src/console/read/target-list.js';
import { Wakeup } from '../../../src/queue/wakeup.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../../support/database.js';

const CALM = {
  breaker: 'closed',
  failures: 0,
  probeAt: null,
  failingSince: null,
  concurrency: 50,
  underWay: 0,
  rateMax: null,
  ratePerMs: null,
};

describe('the list of targets', () => {
  const clock = new TestClock();
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: DeliveryStore;
  let list: TargetList;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    await withPartitions(dataSource, clock.now());
    store = new DeliveryStore(dataSource, new Wakeup(dataSource));
    list = new TargetList(dataSource);
  });
  afterAll(() => database.drop());
  beforeEach(() => emptied(dataSource, 'action_keys, deliveries, attempts, targets'));

  async function deliveryIn(state: string, target: string, rule = 'r', at = clock.now()): Promise<void> {
    const cause = randomUUID();
    const delivery: NewDelivery = {
      rule,
      action: 'tell',
      kind: 'http',
      target,
      entity: 'process:7',
      cause,
      generation: 0,
      state: 'pending',
      code: null,
      reason: null,
      request: null,
    };
    await dataSource.transaction((tx) =>
      store.accept(tx, [{ delivery, eventId: randomUUID(), occasion: 'live' }], at),
    );
    await dataSource.query(
      `update action_keys set state = $1 where id = (select id from deliveries where cause = $2)`,
      [state, cause],
    );
  }
  async function record(
    ...ended: [target: string, rule: string, outcome: string, at: number][]
  ): Promise<void> {
    await dataSource.transaction((tx) =>
      recordTargets(
        tx,
        ended.map(([target, rule, outcome, startedAt]) => ({
          delivery: { target, rule, kind: 'http' },
          result: { outcome, code: outcome === 'delivered' ? null : `${outcome.toUpperCase()}_${startedAt}` },
          startedAt,
          durationMs: 0,
        })) as unknown as Ended[],
      ),
    );
  }

  it('counts what stands still at each target, over all its rules', async () => {
    for (const state of [
      'dead',
      'dead',
      'held',
      'deferred',
      'pending',
      'delivering',
      'delivered',
      'cancelled',
    ])
      await deliveryIn(state, 'http:a', state === 'held' ? 's' : 'r');
    await deliveryIn('delivered', 'http:b');
    await record(['http:a', 'r', 'delivered', 5000], ['http:b', 't', 'permanent', 7000]);
    expect(await list.list(clock.now())).toEqual([
      {
        target: 'http:a',
        kind: 'http',
        pending: 1,
        delivering: 1,
        deferred: 1,
        held: 1,
        dead: 2,
        lastDeliveredAt: new Date(5000),
        lastFailedAt: null,
        lastCode: null,
        oldestPendingAt: new Date(clock.now()),
        rules: ['r', 's'],
        ...CALM,
        lane: 'http:a',
        underWay: 1,
      },
      {
        target: 'http:b',
        kind: 'http',
        pending: 0,
        delivering: 0,
        deferred: 0,
        held: 0,
        dead: 0,
        lastDeliveredAt: null,
        lastFailedAt: new Date(7000),
        lastCode: 'PERMANENT_7000',
        oldestPendingAt: null,
        rules: ['t'],
        ...CALM,
        lane: 'http:b',
      },
    ]);
  });

  it('puts first where something stands still, then what waits longest', async () => {
    await record(['http:quiet', 'r', 'delivered', 1]);
    await deliveryIn('pending', 'http:waits', 'r', clock.now() - 1000);
    await deliveryIn('pending', 'http:waits-long', 'r', clock.now() - 5000);
    await deliveryIn('held', 'http:stands');
    expect((await list.list(clock.now())).map(({ target }) => target)).toEqual([
      'http:stands',
      'http:waits-long',
      'http:waits',
      'http:quiet',
    ]);
    expect((await list.list(clock.now()))[1]?.oldestPendingAt).toEqual(new Date(clock.now() - 5000));
  });

  it('keeps the latest of what several instances write in any order', async () => {
    await record(
      ['http:a', 'r', 'retry', 3000],
      ['http:a', 'r', 'permanent', 2000],
      ['http:a', 'r', 'delivered', 100],
    );
    await record(
      ['http:a', 'r', 'lost', 1000],
      ['http:a', 'r', 'deferred', 9000],
      ['http:a', 'r', 'delivered', 50],
    );
    await record(['http:a', 's', 'permanent', 2500]);
    expect(await list.list(clock.now())).toMatchObject([
      {
        lastDeliveredAt: new Date(100),
        lastFailedAt: new Date(3000),
        lastCode: 'RETRY_3000',
        rules: ['r', 's'],
      },
    ]);
  });

  it('tells the limits and the breaker of the lane of each', async () => {
    await deliveryIn('delivering', 'email:a@example.com');
    await deliveryIn('pending', 'email:b@example.com');
    await deliveryIn('pending', 'http:open');
    await deliveryIn('pending', 'http:tried');
    const at = (ms: number): Date => new Date(clock.now() + ms);
    await dataSource.query(
      `update target_lanes set breaker = 'open', failures = 7, failing_since = $1,
              probe_at = case lane when 'http:open' then $2::timestamptz else $1 end where lane in ('http:open', 'http:tried')`,
      [at(-1000), at(1000)],
    );
    await dataSource.transaction((tx) =>
      replaceTargetLimits(tx, [
        { lane: '*', concurrency: 9, rate: { max: 3, perMs: 1000 } },
        { lane: 'email', concurrency: null, rate: { max: 5, perMs: 60_000 } },
      ]),
    );
    const rows = new Map((await list.list(clock.now())).map((row) => [row.target, row]));
    const mail = {
      lane: 'email',
      breaker: 'closed',
      concurrency: 9,
      underWay: 1,
      rateMax: 5,
      ratePerMs: 60_000,
    };
    expect(rows.get('email:a@example.com')).toMatchObject(mail);
    expect(rows.get('email:b@example.com')).toMatchObject(mail);
    const failing = { failures: 7, failingSince: at(-1000), rateMax: 3, ratePerMs: 1000 };
    expect(rows.get('http:open')).toMatchObject({ ...failing, breaker: 'open', probeAt: at(1000) });
    expect(rows.get('http:tried')).toMatchObject({ ...failing, breaker: 'half-open', probeAt: at(-1000) });
  });
});
