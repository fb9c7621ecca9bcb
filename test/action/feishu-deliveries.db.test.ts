// Real PostgreSQL, the real worker and senders; Feishu is our own fake, on 127.0.0.1; the clock is virtual.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { compileAction } from '../../src/action/action.js';
import { ACTION_DOCUMENT } from '../../src/action/action-document.js';
import { type DeliveryRow, DeliveryStore, type NewDelivery } from '../../src/action/delivery-store.js';
import { DeliveryWorker } from '../../src/action/delivery-worker.js';
import type { FeishuPlatform } from '../../src/action/feishu-platform.js';
import { HttpSender } from '../../src/action/http-sender.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { Metrics } from '../../src/config/metrics.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { TestLog } from '../support/log.js';
import { scopeOf } from '../support/scope.js';
import { appAt, platformOf, sendersOver } from '../support/senders.js';

const APP_ID = 'cli_9f5343c580712544';
const HOOK = 'b7e0c2e1-8d3b-4c6a-9a61-1c1f2d3e4f50';

describe('deliveries to Feishu', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let store: DeliveryStore;
  let fake: FakeFeishu;
  let platform: FeishuPlatform;
  let log: TestLog;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptied(dataSource, 'action_keys, deliveries, attempts');
    clock = new TestClock();
    log = new TestLog();
    await withPartitions(dataSource, clock.now());
    store = new DeliveryStore(dataSource, new Wakeup(dataSource));
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'the-secret-of-the-app' }], clock });
    fake.bots.set(HOOK, { secret: 'sign-secret-1' });
    platform = platformOf({ apps: [appAt(fake.url)], clock, log });
  });
  afterEach(async () => {
    await platform.close();
    await fake.stop();
  });

  function worker(leaseSeconds = 60): DeliveryWorker {
    const instance = randomUUID();
    const table = { table: 'action_keys', ready: 'pending', taken: 'delivering' };
    return new DeliveryWorker(
      dataSource,
      new LeasedRows(dataSource, table, instance, leaseSeconds),
      store,
      sendersOver(new HttpSender(platform.http, platform, clock), platform, clock),
      {
        instance,
        secrets: new Map([
          ['HOOK', `${fake.url}/open-apis/bot/v2/hook/${HOOK}`],
          ['SIGN', 'sign-secret-1'],
        ]),
        wakeup: new Wakeup(dataSource),
        clock,
        log,
        metrics: new Metrics(),
      },
    );
  }

  function deliveryOf(document: object): NewDelivery {
    const action = compileAction(ACTION_DOCUMENT.parse({ name: 'tell', ...document }), (at, code) => {
      throw new Error(`${at.join('.')} ${code}`);
    });
    return {
      ...action.render(scopeOf({ app_id: APP_ID, status: 3 })),
      rule: 'r',
      action: 'tell',
      kind: action.kind,
      entity: 'process:1',
      cause: randomUUID(),
      generation: 0,
      state: 'pending',
      code: null,
      reason: null,
    };
  }

  async function accept(...documents: object[]): Promise<string> {
    const eventId = randomUUID();
    const deliveries = documents.map((one) => ({ delivery: deliveryOf(one), eventId, occasion: 'live' }));
    await dataSource.transaction((tx) => store.accept(tx, deliveries, clock.now()));
    return eventId;
  }
  const message = (changes: object = {}): object => ({
    type: 'feishu-message',
    to: { open_id: 'ou_1' },
    text: 'status {{ event.status }}',
    ...changes,
  });
  const counted = async (): Promise<unknown> =>
    await dataSource.query(
      `select state, attempt, (extract(epoch from due_at) * 1000 - $1)::int as due, count(*)::int as n
         from action_keys group by 1, 2, 3 order by 1, 2, 3`,
      [clock.now()],
    );

  it('are sent as each kind asks for, and keep no secret', async () => {
    const eventId = await accept(
      message(),
      { type: 'feishu-bot', url: '{{ secrets.HOOK }}', sign: 'SIGN', card: { n: '{{ event.status }}' } },
      {
        type: 'http',
        auth: 'feishu',
        url: '/open-apis/im/v1/messages?receive_id_type=chat_id',
        body: { receive_id: 'oc_1', msg_type: 'text', content: '{"text":"x"}' },
      },
    );
    await worker().drain();
    const rows = await store.findOfEvent(eventId);
    expect(rows.map(({ kind, state, target }) => [kind, state, target])).toEqual([
      ['feishu-message', 'delivered', 'feishu-message:open_id:ou_1'],
      ['feishu-bot', 'delivered', 'feishu-bot:HOOK'],
      ['http', 'delivered', 'http:feishu'],
    ]);
    expect(fake.botMessages).toMatchObject([{ body: { msg_type: 'interactive', card: { n: 3 } } }]);
    expect(fake.messages.map(({ receiveId }) => receiveId).sort()).toEqual(['oc_1', 'ou_1']);
    expect(fake.messages.find(({ receiveId }) => receiveId === 'ou_1')?.uuid).toBe(rows[0]?.actionKey);
    const kept = JSON.stringify([
      rows,
      ...(await Promise.all(rows.map(({ id }) => store.attemptsOf(id)))),
      log.lines,
    ]);
    expect(kept).not.toMatch(new RegExp(`${HOOK}|sign-secret|the-secret-of|t-[0-9a-f]{40}`));
  });

  it('above a limit wait for their turn, and it is no attempt: a short list of retries outlasts it', async () => {
    const eventId = await accept(...Array.from({ length: 12 }, () => message({ retry: ['10s'] })));
    const by = worker();
    await by.drain();
    expect(await counted()).toEqual([
      { state: 'delivered', attempt: 1, due: 0, n: 5 },
      { state: 'pending', attempt: 0, due: 1000, n: 5 },
      { state: 'pending', attempt: 0, due: 2000, n: 2 },
    ]);
    const [waiting] = (await store.findOfEvent(eventId)).filter(({ state }) => state === 'pending');
    expect(waiting).toMatchObject({
      code: 'FEISHU_THROTTLED',
      reason: expect.stringContaining('Nothing was sent'),
    });
    expect(await store.attemptsOf(waiting?.id ?? '')).toEqual([]);
    clock.advance(1000);
    await by.drain();
    // Its turn comes, and then it fails: that is the first attempt.
    fake.faults.api.set('message', [
      { status: 502, body: '' },
      { status: 502, body: '' },
    ]);
    clock.advance(1000);
    await by.drain();
    expect(await counted()).toEqual([
      { state: 'delivered', attempt: 1, due: -2000, n: 5 },
      { state: 'delivered', attempt: 1, due: -1000, n: 5 },
      { state: 'pending', attempt: 1, due: 10_000, n: 2 },
    ]);
    clock.advance(10_000);
    await by.drain();
    const rows = await store.findOfEvent(eventId);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['delivered']));
    const attempts = await Promise.all(rows.map(async ({ id }) => (await store.attemptsOf(id)).length));
    expect(attempts.sort()).toEqual([...Array<number>(10).fill(1), 2, 2]);
    expect(fake.messages).toHaveLength(12);
    expect(fake.calls.filter(({ status }) => status === 429)).toEqual([]);
  });

  it('of several instances keep their fence while they wait', async () => {
    await accept(...Array.from({ length: 8 }, () => message()));
    // Each counts for itself what a receiver gets.
    const instances = [worker(), worker()];
    for (let n = 0; n < 3; n += 1) {
      await Promise.all(instances.map((one) => one.drain()));
      clock.advance(1000);
    }
    expect(
      await dataSource.query('select state, attempt, count(*)::int as n from action_keys group by 1, 2'),
    ).toEqual([{ state: 'delivered', attempt: 1, n: 8 }]);
    expect(fake.messages).toHaveLength(8);
  });

  it('whose answer was lost show one message only', async () => {
    const eventId = await accept(message());
    const crashed = new LeasedRows(
      dataSource,
      { table: 'action_keys', ready: 'pending', taken: 'delivering' },
      randomUUID(),
      0,
    );
    const [row] = await store.findOfEvent(eventId);
    // As an instance that sent it and died before it could write that down.
    await sendersOver(new HttpSender(platform.http, platform, clock), platform, clock).feishuMessage.send(
      (row as DeliveryRow & { request: { content: never } }).request.content,
      row?.actionKey ?? '',
    );
    await crashed.claim(1, clock.now());
    const by = worker();
    await by.sweep();
    await by.drain();
    expect(await store.findOfEvent(eventId)).toMatchObject([{ state: 'delivered', attempt: 2 }]);
    expect(fake.calls.filter(({ api }) => api === 'message')).toHaveLength(2);
    expect(fake.messages).toHaveLength(1);
  });

  it('wait for as long as the platform says', async () => {
    fake.faults.api.set('message', [
      { status: 429, body: { code: 99991400 }, headers: { 'x-ogw-ratelimit-reset': '90' } },
    ]);
    const by = worker();
    await accept(message());
    await by.drain();
    await accept(message());
    await by.drain();
    expect(await counted()).toEqual([
      { state: 'pending', attempt: 0, due: 90_000, n: 1 },
      { state: 'pending', attempt: 1, due: 90_000, n: 1 },
    ]);
    clock.advance(89_000);
    await by.drain();
    expect(fake.messages).toEqual([]);
    clock.advance(1_000);
    await by.drain();
    expect(fake.messages).toHaveLength(2);
  });
});
