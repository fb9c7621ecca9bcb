// Real PostgreSQL, real HTTP servers, the real sender; the clock is virtual.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { compileAction } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { AddressGuard } from '../../src/action/address-guard.js';
import {
  actionKeyOf,
  DeliveryStore,
  type DeliveryRow,
  type NewDelivery,
} from '../../src/action/delivery-store.js';
import { DeliveryWorker } from '../../src/action/delivery-worker.js';
import { Metrics } from '../../src/config/metrics.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { ClosableHttpSender, platformOf, sendersOver } from '../support/senders.js';
import { TestLog } from '../support/log.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { scopeOf } from '../support/scope.js';

const MINUTE = 60_000;
const SECRET = 'tok-3n-of-payroll';

describe('the delivery worker', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let store: DeliveryStore;
  let receiver: Receiver;
  let answers: ((response: Parameters<NonNullable<Parameters<typeof startReceiver>[0]>>[1]) => void)[] = [];
  const senders: ClosableHttpSender[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    receiver = await startReceiver((_, response) => {
      const answer = answers.shift();
      if (answer) answer(response);
      else response.end('{"code":0}');
    });
  });
  afterAll(async () => {
    await receiver.close();
    await database.drop();
  });
  beforeEach(async () => {
    await emptied(
      dataSource,
      'action_keys, deliveries, attempts, targets, target_lanes, target_limits, notices',
    );
    receiver.received.length = 0;
    answers = [];
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    store = new DeliveryStore(dataSource, new Wakeup(dataSource));
  });
  afterEach(async () => {
    for (const sender of senders.splice(0)) await sender.close();
  });

  function workerOf(leaseSeconds = 60, sender?: ClosableHttpSender): DeliveryWorker {
    const http =
      sender ??
      new ClosableHttpSender(
        {
          guard: new AddressGuard([{ kind: 'cidr', address: '127.0.0.1', prefix: 32, port: receiver.port }]),
          ca: undefined,
        },
        clock,
      );
    senders.push(http);
    const instance = randomUUID();
    return new DeliveryWorker(
      dataSource,
      new LeasedRows(
        dataSource,
        { table: 'action_keys', ready: 'pending', taken: 'delivering' },
        instance,
        leaseSeconds,
      ),
      store,
      sendersOver(http, platformOf({ apps: [], clock }), clock),
      {
        instance,
        secrets: new Map([['TOKEN', SECRET]]),
        wakeup: new Wakeup(dataSource),
        clock,
        log: new TestLog(),
        metrics: new Metrics(),
      },
    );
  }

  function deliveryOf(document: object = {}, cause: string = randomUUID()): NewDelivery {
    const http = {
      type: 'http',
      url: `${receiver.url}/x`,
      headers: { authorization: 'Bearer {{ secrets.TOKEN }}' },
      body: { s: '{{ event.status }}' },
    };
    const action = compileAction(
      ACTION_DOCUMENT.parse({
        name: 'tell',
        ...('type' in document ? {} : http),
        ...document,
      }),
      (at, code) => {
        throw new Error(`${at.join('.')} ${code}`);
      },
    );
    return {
      ...action.render(scopeOf({ status: 3 })),
      rule: 'r',
      action: 'tell',
      kind: action.kind,
      entity: 'process:1',
      cause,
      generation: 0,
      state: 'pending',
      code: null,
      reason: null,
    };
  }

  async function accept(...deliveries: NewDelivery[]): Promise<string[]> {
    const eventId = randomUUID();
    await dataSource.transaction((tx) =>
      store.accept(
        tx,
        deliveries.map((delivery) => ({ delivery, eventId, occasion: 'live' })),
        clock.now(),
      ),
    );
    return (await store.findOfEvent(eventId)).map(({ id }) => id);
  }

  async function one(id: string | undefined): Promise<DeliveryRow> {
    const [row] = await store.findMany([id ?? '']);
    if (!row) throw new Error('no such delivery');
    return row;
  }

  it('sends what was rendered, with the secret in place, the key, and a record of the attempt', async () => {
    const delivery = deliveryOf();
    const [id] = await accept(delivery);
    await workerOf().drain();
    expect(receiver.received).toEqual([
      expect.objectContaining({ method: 'POST', path: '/x', body: '{"s":3}' }),
    ]);
    expect(receiver.received[0]?.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'idempotency-key': actionKeyOf(delivery),
      'content-type': 'application/json; charset=utf-8',
    });
    expect(await one(id)).toMatchObject({ state: 'delivered', attempt: 1, reason: null });
    expect(await store.attemptsOf(id ?? '')).toEqual([
      expect.objectContaining({
        attempt: 1,
        outcome: 'delivered',
        status: 200,
        answer: '{"code":0}',
        durationMs: expect.any(Number),
      }),
    ]);
  });

  it('keeps secrets out of every table, also when a target echoes them', async () => {
    answers.push((response) => response.writeHead(400).end(`you sent Bearer ${SECRET}`));
    await accept(deliveryOf());
    await workerOf().drain();
    for (const table of ['action_keys', 'deliveries', 'attempts']) {
      const rows = await dataSource.query<unknown[]>(`select * from ${table}`);
      expect(rows.length).toBeGreaterThan(0);
      expect(JSON.stringify(rows)).not.toContain(SECRET);
    }
  });

  it('has no second effect for a delivery that exists', async () => {
    const delivery = deliveryOf();
    await accept(delivery);
    expect(await accept(delivery)).toEqual([]);
    await workerOf().drain();
    expect(receiver.received).toHaveLength(1);
  });

  it('tries again after its delays with the same key, and keeps every attempt', async () => {
    answers.push(
      (response) => response.writeHead(503).end(),
      (response) => response.destroy(),
    );
    const [id] = await accept(deliveryOf({ retry: ['1m', '2m'] }));
    const worker = workerOf();
    await worker.drain();
    expect(await one(id)).toMatchObject({
      state: 'pending',
      attempt: 1,
      dueAt: new Date(clock.now() + MINUTE),
      code: 'HTTP_503',
    });
    clock.advance(MINUTE - 1);
    await worker.drain();
    expect(receiver.received).toHaveLength(1);
    clock.advance(1);
    await worker.drain();
    expect(await one(id)).toMatchObject({ state: 'pending', attempt: 2, code: 'TARGET_RESET' });
    clock.advance(2 * MINUTE);
    await worker.drain();
    expect(await one(id)).toMatchObject({ state: 'delivered', attempt: 3 });
    expect((await store.attemptsOf(id ?? '')).map(({ outcome }) => outcome)).toEqual([
      'retry',
      'retry',
      'delivered',
    ]);
    expect(new Set(receiver.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('goes dead with the reason when the schedule is used up', async () => {
    answers.push(
      (response) => response.writeHead(500).end('no'),
      (response) => response.writeHead(500).end('no'),
    );
    const [id] = await accept(deliveryOf({ retry: ['1s'] }));
    const worker = workerOf();
    await worker.drain();
    clock.advance(1000);
    await worker.drain();
    expect(await one(id)).toMatchObject({
      state: 'dead',
      attempt: 2,
      code: 'RETRIES_USED_UP',
      reason: expect.stringContaining('500'),
    });
  });

  it('keeps Retry-After in the row, so that another instance honours it', async () => {
    answers.push((response) => response.writeHead(429, { 'retry-after': '120' }).end());
    const [id] = await accept(deliveryOf());
    await workerOf().drain();
    expect((await one(id)).dueAt).toEqual(new Date(clock.now() + 2 * MINUTE));
    clock.advance(2 * MINUTE - 1);
    await workerOf().drain();
    expect(receiver.received).toHaveLength(1);
    clock.advance(1);
    await workerOf().drain();
    expect(await one(id)).toMatchObject({ state: 'delivered', attempt: 2 });
  });

  it.each([
    [400, 'dead'],
    [401, 'dead'],
    [404, 'dead'],
    [302, 'dead'],
    [408, 'pending'],
    [502, 'pending'],
  ])('after %s is %s', async (status, state) => {
    answers.push((response) => response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end());
    const [id] = await accept(deliveryOf());
    await workerOf().drain();
    expect((await one(id)).state).toBe(state);
    expect(receiver.received).toHaveLength(1);
  });

  it('takes a failure inside a 200 for a failure, where the rule says what success is', async () => {
    answers.push((response) => response.end('{"code":19021,"msg":"bad sign"}'));
    const [id] = await accept(deliveryOf({ success: { path: 'code', equal: 0 } }));
    const worker = workerOf();
    await worker.drain();
    expect(await one(id)).toMatchObject({ state: 'pending', code: 'ANSWER_NOT_SUCCESS' });
    clock.advance(10_000);
    await worker.drain();
    expect((await one(id)).state).toBe('delivered');
  });

  it('says which secret or setting is missing, and sends nothing', async () => {
    const [id] = await accept(deliveryOf({ headers: { authorization: '{{ secrets.OTHER }}' } }));
    const [mail] = await accept(
      deliveryOf({
        type: 'email',
        to: 'hr@example.com',
        subject: 's',
        text: 't',
      }),
    );
    await workerOf().drain();
    expect(await one(id)).toMatchObject({
      state: 'dead',
      code: 'SECRET_MISSING',
      reason: expect.stringContaining('SECRET_OTHER'),
    });
    expect(await one(mail)).toMatchObject({ state: 'dead', code: 'SMTP_NOT_CONFIGURED' });
    expect(receiver.received).toEqual([]);
  });

  it('refuses private addresses that the settings do not name', async () => {
    const [id] = await accept(
      deliveryOf({ url: `http://127.0.0.2:${receiver.port}/` }),
      deliveryOf({ url: 'http://169.254.169.254/latest' }),
    );
    await workerOf().drain();
    expect(await one(id)).toMatchObject({
      state: 'dead',
      code: 'ADDRESS_FORBIDDEN',
      reason: expect.stringContaining('OUTBOUND_ALLOW'),
    });
    expect(receiver.received).toEqual([]);
  });

  it('takes over what a dead instance was sending, and records the lost attempt', async () => {
    const [id] = await accept(deliveryOf());
    const dead = new LeasedRows(
      dataSource,
      { table: 'action_keys', ready: 'pending', taken: 'delivering' },
      randomUUID(),
      0,
    );
    expect(await dead.claim(10, clock.now())).toHaveLength(1);
    const worker = workerOf();
    await worker.sweep();
    await worker.drain();
    expect(await one(id)).toMatchObject({ state: 'delivered', attempt: 2 });
    expect((await store.attemptsOf(id ?? '')).map(({ outcome }) => outcome)).toEqual(['lost', 'delivered']);
  });

  it('of a paused instance does not overwrite what another has recorded', async () => {
    const [id] = await accept(deliveryOf());
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      answers.push((response) => {
        release = () => response.writeHead(500).end();
        resolve();
      });
    });
    const paused = workerOf(0);
    const slow = paused.drain();
    await asked;
    const other = workerOf();
    await other.sweep();
    await other.drain();
    expect((await one(id)).state).toBe('delivered');
    release();
    await slow;
    expect(await one(id)).toMatchObject({ state: 'delivered', attempt: 2 });
  });

  it('sends each of many once, by several instances at the same time', async () => {
    await accept(...Array.from({ length: 300 }, () => deliveryOf()));
    const workers = [workerOf(), workerOf(), workerOf()];
    await Promise.all(workers.map((worker) => worker.drain()));
    expect(receiver.received).toHaveLength(300);
    expect(new Set(receiver.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(300);
    expect(
      await dataSource.query(`select state, count(*)::int as n from action_keys group by state`),
    ).toEqual([{ state: 'delivered', n: 300 }]);
  });

  it('started in the background is woken, and stopping lets the request under way end', async () => {
    const worker = workerOf();
    worker.start();
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      answers.push((response) => {
        release = () => response.end('late but fine');
        resolve();
      });
    });
    const [id] = await accept(deliveryOf());
    await asked;
    const stopped = worker.stop(10_000);
    release();
    await stopped;
    expect(await one(id)).toMatchObject({ state: 'delivered', attempt: 1 });
  });
});
