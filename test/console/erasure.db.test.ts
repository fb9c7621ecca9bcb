// Real PostgreSQL: a person's values planted in every place where the product keeps what came from outside.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { DeliveryStore, insertAttempts, type NewDelivery } from '../../src/action/delivery-store.js';
import { type ErasureAnswer, Erasures } from '../../src/console/erasure.js';
import type { IncomingEvent } from '../../src/events/event.js';
import { INDEX_LOCK } from '../../src/events/event-indexer.js';
import { EventStore } from '../../src/events/event-store.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { type DigestItem, DigestStore } from '../../src/rules/digest-store.js';
import type { ShadowDelivery } from '../../src/rules/admission.js';
import { EvaluationStore } from '../../src/rules/evaluation-store.js';
import { recordShadows } from '../../src/rules/shadow-store.js';
import { TestClock } from '../support/clock.js';
import { newDelivery } from '../support/deliveries.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { until } from '../support/door.js';

const PERSON = 'ou_canary_7d8a6e6df7621556ce0d';
const NAME = '张三丰canary';
const VALUES = [PERSON, NAME];

describe('the erasure of a person', () => {
  const clock = new TestClock(Date.parse('2026-11-02T09:00:00Z'));
  const day = '2026-11-02';
  let database: TestDatabase;
  let dataSource: DataSource;
  let events: EventStore;
  let deliveries: DeliveryStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    const wakeup = new Wakeup(dataSource);
    events = new EventStore(dataSource, await withPartitions(dataSource, clock.now()), wakeup, clock);
    deliveries = new DeliveryStore(dataSource, wakeup);
  });
  afterAll(async () => {
    await events.onApplicationShutdown();
    await database.drop();
  });
  beforeEach(async () => {
    await emptied(
      dataSource,
      'event_keys, events, event_search, evaluations, action_keys, deliveries, attempts, targets, lookups, shadow_deliveries, shadow_keys',
    );
  });

  const incoming = (eventId: string, raw: string, content: string | null = null): IncomingEvent => ({
    origin: 'feishu:cli_1',
    eventId,
    eventType: 'corehr.process.approver.updated_v2',
    source: 'feishu-webhook',
    createTime: clock.now(),
    statusRank: 0,
    rootEntity: 'process:7',
    raw: Buffer.from(raw),
    content: content === null ? null : Buffer.from(content),
    transport: null,
  });

  async function decided(eventId: string, raw: string, content: string | null = null): Promise<string> {
    const { id } = await events.store(incoming(eventId, raw, content));
    await dataSource.query(`update event_keys set state = 'decided' where id = $1`, [id]);
    await dataSource.query('insert into event_search values ($1, $2)', [
      id,
      ['type=x', ...(raw.includes('process_id') ? [] : [NAME.toLowerCase()])],
    ]);
    return id ?? '';
  }

  async function delivery(eventId: string, action: string, more: Partial<NewDelivery> = {}): Promise<string> {
    const made = newDelivery(eventId, { action, ...more });
    await dataSource.transaction((tx) =>
      deliveries.accept(tx, [{ delivery: made, eventId, occasion: 'live' }], clock.now()),
    );
    const [row] = await dataSource.query<{ id: string }[]>(
      'select id from deliveries where event_id = $1 and action = $2',
      [eventId, action],
    );
    return row?.id ?? '';
  }

  const erase = (dryRun = false, values: readonly string[] = VALUES): Promise<ErasureAnswer> =>
    dataSource.transaction((tx) => new Erasures(dataSource).erase(tx, { values, day, dryRun }, clock.now()));

  /** Every place of every table that holds one of the values, in any form. */
  async function placesOf(needles: readonly string[]): Promise<string[]> {
    const columns = await dataSource.query<{ place: string; relation: string; name: string; type: string }[]>(
      `select table_name || '.' || column_name as place, table_name as relation, column_name as name, data_type as type
         from information_schema.columns join pg_class on relname = table_name and relkind in ('r', 'p') and not relispartition
        where table_schema = 'public' and data_type in ('text', 'json', 'jsonb', 'bytea', 'ARRAY')`,
    );
    expect(columns.length).toBeGreaterThan(40);
    const found: string[] = [];
    for (const { place, relation, name, type } of columns) {
      for (const needle of needles) {
        const test =
          type === 'bytea'
            ? `position(convert_to($1, 'UTF8') in "${name}") > 0`
            : `strpos("${name}"::text, $1) > 0`;
        const rows = await dataSource.query<unknown[]>(`select 1 from "${relation}" where ${test} limit 1`, [
          needle,
        ]);
        if (rows.length > 0) found.push(place);
      }
    }
    return [...new Set(found)].sort();
  }
  const FORMS = [PERSON, NAME, NAME.toLowerCase(), String.raw`\u5f20`, String.raw`\u5F20`];

  it('takes a person out of what digests gather, and leaves the others in', async () => {
    await emptied(dataSource, 'digests, digest_items, throttles');
    const [hers, his] = [
      await decided('e1', `{"process_id":"${PERSON}"}`),
      await decided('e2', '{"process_id":"1"}'),
    ];
    const digests = new DigestStore();
    const item = (eventId: string, key: string, a: string): DigestItem => ({
      rule: 'gather',
      action: 'tell',
      kind: 'http',
      key,
      dueAt: clock.now() + 60_000,
      eventId,
      occasion: 'live',
      entity: `process:${eventId}${key}`,
      cause: `feishu:cli_1/${eventId}`,
      item: { event: { a }, task: {}, node: {}, process: {}, lookup: {} },
    });
    await dataSource.transaction((tx) =>
      digests.add(
        tx,
        [item(hers, '', PERSON), item(his, '', 'somebody'), item(his, PERSON, 'b')],
        clock.now(),
      ),
    );
    await dataSource.query(
      `insert into throttles values ('gather', $1, '{}', now()), ('gather', 'b', '{}', now())`,
      [PERSON],
    );
    expect(await placesOf(FORMS)).toEqual([
      'deliveries.entity',
      'digest_items.item',
      'digests.key',
      'events.raw',
      'throttles.key',
    ]);
    expect(await erase()).toMatchObject({ events: 1, deliveries: 0, cancelled: 0 });
    expect(await placesOf(FORMS)).toEqual([]);
    const due = await dataSource.transaction((tx) => digests.takeDue(tx, clock.now() + 60_000));
    const left = await dataSource.query<{ id: string }[]>(
      `select id from digests where key = '' and state = 'open'`,
    );
    const { items, total } = await digests.itemsOf(dataSource.manager, left[0]?.id ?? '');
    expect([due === null, items.map(({ event }) => event), total]).toEqual([false, [{ a: 'somebody' }], 1]);
    const states = await dataSource.query<{ state: string }[]>('select state from action_keys');
    expect(states.map(({ state }) => state)).toEqual(['deferred', 'deferred']);
    expect(await dataSource.query('select key from throttles')).toEqual([{ key: 'b' }]);
  });

  it('takes the message of a digest that tells of the person, whoever it was opened for', async () => {
    await emptied(dataSource, 'digests, digest_items');
    const [hers, his] = [
      await decided('e1', `{"process_id":"${PERSON}"}`),
      await decided('e2', '{"process_id":"1"}'),
    ];
    const id = await delivery(his, 'tell');
    await dataSource.query(`update deliveries set request = $2::json where id = $1`, [
      id,
      JSON.stringify({ content: { body: `1. ${PERSON}` } }),
    ]);
    await dataSource.query(
      `insert into digest_items (digest_id, item_key, event_id, item) values ($1, 'k1', $2, 'null'), ($1, 'k2', $3, 'null')`,
      [id, his, hers],
    );
    expect(await erase()).toMatchObject({ events: 1, deliveries: 1, cancelled: 1 });
    expect(await placesOf(FORMS)).toEqual([]);
  });

  it('takes the person out of what rules in shadow mode would have sent', async () => {
    const [hers, his] = [
      await decided('e1', `{"event":{"approver":"${PERSON}"}}`),
      await decided('e2', '{"process_id":"1"}'),
    ];
    const shadow = (eventId: string, action: string, more: Partial<NewDelivery>): ShadowDelivery => ({
      delivery: newDelivery(eventId, { action, rule: 'tell-new', ...more }),
      shadowOf: 'tell',
      eventId,
      occasion: 'live',
      dueAt: null,
    });
    const content = { method: 'POST', url: 'https://a.example/', headers: {}, timeoutMs: 1, success: null };
    const request = (body: string) =>
      ({ kind: 'http', content: { ...content, body }, secrets: [], retry: null }) as const;
    await dataSource.transaction((tx) =>
      recordShadows(
        tx,
        [
          shadow(hers, 'of-event', { request: request('no name in it') }),
          shadow(his, 'by-request', { request: request(`for ${PERSON}`) }),
          shadow(his, 'by-target', { target: `email:${PERSON}`, request: request('x') }),
          shadow(his, 'by-reason', { state: 'dead', code: 'X', reason: `${NAME} is missing`, request: null }),
          shadow(his, 'of-others', { request: request('y') }),
        ],
        clock.now(),
      ),
    );
    expect(await erase(true)).toMatchObject({ events: 1, deliveries: 4 });
    expect(await placesOf(FORMS)).toContain('shadow_deliveries.request');
    expect(await erase()).toMatchObject({ events: 1, deliveries: 4, cancelled: 0 });
    expect(await placesOf(FORMS)).toEqual([]);
    expect(
      await dataSource.query(
        `select action, target, state, request::text <> 'null' as kept, reason from shadow_deliveries order by action`,
      ),
    ).toEqual([
      { action: 'by-reason', target: 'http:a.example', state: 'dead', kept: false, reason: '[erased]' },
      { action: 'by-request', target: 'http:a.example', state: 'pending', kept: false, reason: null },
      { action: 'by-target', target: 'email:[erased]', state: 'pending', kept: false, reason: null },
      { action: 'of-event', target: 'http:a.example', state: 'pending', kept: false, reason: null },
      { action: 'of-others', target: 'http:a.example', state: 'pending', kept: true, reason: null },
    ]);
  });

  it('leaves the values nowhere, and keys, states and counts as they were', async () => {
    const plain = await decided('e1', `{"event":{"approver":"${PERSON}"}}`);
    await decided('e2', '{"encrypt":"…"}', String.raw`{"name":"\u5F20\u4E09\u4E30canary"}`);
    const [quarantined] = [await decided('e3', `{"note":"审批人${NAME}同意"}`)];
    await dataSource.query(`update event_keys set state = 'quarantined', reason = $2 where id = $1`, [
      quarantined,
      `FAILED: ${NAME}`,
    ]);
    const looked = await decided('e4', '{"event":{"process_id":"1"}}');
    const answers = { user: { request: `user ${PERSON}`, value: { name: NAME }, fetchedAt: clock.now() } };
    await dataSource.transaction((tx) =>
      new EvaluationStore(dataSource).record(
        tx,
        [plain, looked].map((eventId) => ({
          eventId,
          occasion: 'live',
          ruleSet: 'abc',
          verdicts: [
            { rule: 'tell', verdict: 'matched' as const },
            { rule: 'other', verdict: 'error' as const, error: `cannot read ${PERSON}` },
          ],
          inputs: { now: clock.now(), timezone: 'Asia/Shanghai', lookups: answers },
        })),
        clock.now(),
      ),
    );
    const mail = await delivery(looked, 'mail', {
      kind: 'email',
      target: `email:${PERSON}@example.com`,
      request: {
        kind: 'email',
        secrets: [],
        retry: null,
        content: {
          to: [`${PERSON}@example.com`],
          cc: [],
          bcc: [],
          replyTo: [],
          subject: NAME,
          text: 'x',
          html: null,
        },
      },
    });
    await dataSource.query(`insert into targets (target, rule, kind) values ($1, 'tell', 'email')`, [
      `email:${PERSON}@example.com`,
    ]);
    const sent = await delivery(plain, 'sent');
    await dataSource.query(`update action_keys set state = 'delivered', attempt = 1 where id = $1`, [sent]);
    const failed = await delivery(looked, 'failed', {
      state: 'dead',
      code: 'REFUSED',
      reason: `no ${PERSON}`,
    });
    await dataSource.transaction((tx) =>
      insertAttempts(
        tx,
        [sent, failed].map((deliveryId) => ({
          deliveryId,
          attempt: 1,
          startedAt: new Date(clock.now()),
          durationMs: 1,
          outcome: 'delivered' as const,
          code: null,
          detail: `told ${NAME}`,
          status: 200,
          answer: `{"hello":"${PERSON}"}`,
          instance: null,
          ambiguous: false,
        })),
      ),
    );
    expect((await placesOf(FORMS)).length).toBeGreaterThan(8);

    const counted = await erase(true);
    expect((await placesOf(FORMS)).length).toBeGreaterThan(8);
    const answer = await erase();
    expect(answer).toEqual({
      day,
      events: 3,
      evaluations: 2,
      deliveries: 3,
      attempts: 2,
      lookups: 0,
      cancelled: 1,
      underWay: 0,
    });
    expect(counted).toEqual(answer);
    expect(await placesOf(FORMS)).toEqual([]);

    expect(
      await dataSource.query(`select matched, errors from evaluations where event_id = $1`, [looked]),
    ).toEqual([{ matched: 1, errors: 1 }]);
    const states = await dataSource.query<{ id: string; state: string; code: string | null }[]>(
      'select id, state, code from action_keys',
    );
    expect(new Map(states.map(({ id, state, code }) => [id, [state, code]]))).toEqual(
      new Map([
        [mail, ['cancelled', 'ERASED']],
        [sent, ['delivered', null]],
        [failed, ['dead', 'REFUSED']],
      ]),
    );
    const [event] = await events.findMany([plain], dataSource.manager);
    expect(event).toMatchObject({ eventId: 'e1', erasedAt: new Date(clock.now()), content: null });
    const [found] = await dataSource.query<{ terms: string[] }[]>(
      'select terms from event_search where id = $1',
      [plain],
    );
    expect(found?.terms).toContain('type=corehr.process.approver.updated_v2');
    expect(found?.terms).toContain('verdict=matched');
    expect(await events.store(incoming('e1', `{"event":{"approver":"${PERSON}"}}`))).toEqual({
      outcome: 'duplicate',
      id: null,
    });
    expect(await erase()).toMatchObject({
      events: 0,
      evaluations: 0,
      deliveries: 0,
      attempts: 0,
      cancelled: 0,
    });
  });

  it('leaves events of others alone, also of one whose id begins in the same way', async () => {
    const other = await decided('e1', `{"event":{"approver":"${PERSON}2","other":"x${PERSON}"}}`);
    const escaped = await decided('e2', String.raw`{"note":"a\n${PERSON}"}`);
    expect(await erase()).toMatchObject({ events: 1 });
    expect((await events.find(other))?.erasedAt).toBeNull();
    expect((await events.find(escaped))?.erasedAt).not.toBeNull();
  });

  it('leaves what is still to be decided or being sent, and says so', async () => {
    await events.store(incoming('e1', `{"approver":"${PERSON}"}`));
    const sending = await decided('e2', `{"approver":"${PERSON}"}`);
    const id = await delivery(sending, 'sent');
    await dataSource.query(`update action_keys set state = 'delivering' where id = $1`, [id]);
    expect(await erase()).toMatchObject({ events: 0, deliveries: 0, underWay: 2 });
    await dataSource.query(`update action_keys set state = 'delivered' where id = $1`, [id]);
    expect(await erase()).toMatchObject({ events: 1, deliveries: 1, underWay: 1 });
  });

  it('looks at one day alone, and tells which days there are', async () => {
    expect(await new Erasures(dataSource).days()).toEqual({ first: null, last: null });
    await decided('e1', `{"approver":"${PERSON}"}`);
    expect(await new Erasures(dataSource).days()).toEqual({ first: day, last: day });
    const another = dataSource.transaction((tx) =>
      new Erasures(dataSource).erase(tx, { values: VALUES, day: '2026-11-03', dryRun: false }, clock.now()),
    );
    expect(await another).toMatchObject({ events: 0 });
  });

  it('waits for whoever is indexing, who might write down what is about to go', async () => {
    await decided('e1', `{"approver":"${PERSON}"}`);
    const indexing = dataSource.createQueryRunner();
    await indexing.startTransaction();
    await indexing.query('select pg_advisory_xact_lock($1)', [INDEX_LOCK]);
    expect(await erase(true)).toMatchObject({ events: 1 });
    const erased = erase();
    await until(async () => {
      const [row] = await dataSource.query<[{ waits: boolean }]>(
        `select exists (select from pg_locks where locktype = 'advisory' and objid = $1 and not granted
                           and database = (select oid from pg_database where datname = current_database())) as waits`,
        [INDEX_LOCK],
      );
      return row.waits;
    });
    expect(await dataSource.query('select 1 from events where erased_at is not null')).toEqual([]);
    await indexing.commitTransaction();
    await indexing.release();
    expect(await erased).toMatchObject({ events: 1 });
  });
});
