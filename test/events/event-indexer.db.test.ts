// Real PostgreSQL; the clock is virtual and the indexer is driven by hand, but for the last test.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { IncomingEvent } from '../../src/events/event.js';
import { EventIndexer, INDEX_LOCK } from '../../src/events/event-indexer.js';
import { EventStore } from '../../src/events/event-store.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { leastIdOf } from '../../src/events/received-at.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { EvaluationStore } from '../../src/rules/evaluation-store.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { until } from '../support/door.js';
import { TestLog } from '../support/log.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe('the indexer of events', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let store: EventStore;
  let log: TestLog;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptied(dataSource, 'event_keys, events, event_search, event_search_open, evaluations, lookups');
    await dataSource.query(`update event_search_progress set through = '${leastIdOf(0)}'`);
    clock = new TestClock();
    log = new TestLog();
    store = new EventStore(
      dataSource,
      await withPartitions(dataSource, clock.now()),
      new Wakeup(dataSource),
      clock,
    );
  });

  afterEach(() => store.onApplicationShutdown());

  const indexer = (over = dataSource): EventIndexer =>
    new EventIndexer(over, store, new LiveCatalogue(over, loadBuiltInCatalogue()), {
      wakeup: new Wakeup(over),
      clock,
      log,
    });
  /** One round of the worker, as its loop makes it. */
  const round = async (one: EventIndexer): Promise<number> =>
    await (one as unknown as { round(patience: number, again: boolean): Promise<number> }).round(2000, true);

  const eventOf = (changes: Partial<IncomingEvent> = {}): IncomingEvent => ({
    origin: 'webhook:shop',
    eventId: randomUUID(),
    eventType: 'shop.order',
    source: 'webhook',
    createTime: null,
    statusRank: 0,
    rootEntity: null,
    raw: Buffer.from('{"word":"apple"}'),
    content: null,
    transport: { format: 'json', fields: [] },
    ...changes,
  });
  async function stored(changes: Partial<IncomingEvent> = {}): Promise<string> {
    return (await store.store(eventOf(changes))).id ?? '';
  }
  /** An event with an id of another time than now, as of another clock or a commit that came late. */
  async function storedAt(ms: number): Promise<string> {
    const id = uuidv7({ msecs: ms });
    await dataSource.query(
      `with key as (insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state)
                    values ('o', $1::uuid::text, $1, 0, 0, 0, 'decided'))
       insert into events (id, received_at, origin, event_id, event_type, source, raw)
       values ($1, now(), 'o', $1::uuid::text, 'shop.order', 'webhook', '{"a":1}')`,
      [id],
    );
    return id;
  }
  async function decide(id: string, counts = { matched: 1, unknown: 0, errors: 0 }): Promise<void> {
    await dataSource.query(`update event_keys set state = 'decided' where id = $1`, [id]);
    await dataSource.query(
      `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, matched, unknown, errors)
       values ($1, 'live', now(), 'x', '[]', '{}', $2, $3, $4)`,
      [id, counts.matched, counts.unknown, counts.errors],
    );
  }
  async function termsOf(id: string): Promise<string[] | null> {
    const [row] = await dataSource.query<{ terms: string[] }[]>(
      'select terms from event_search where id = $1',
      [id],
    );
    return row?.terms ?? null;
  }
  async function indexed(): Promise<string[]> {
    const rows = await dataSource.query<{ id: string }[]>('select id from event_search order by id');
    return rows.map(({ id }) => id);
  }
  async function watermark(): Promise<string> {
    const [row] = await dataSource.query<[{ through: string }]>('select through from event_search_progress');
    return row.through;
  }

  it('writes an event once, with its verdict, when it is decided soon', async () => {
    const one = indexer();
    const id = await stored();
    await round(one);
    expect(await termsOf(id)).toBeNull();
    await decide(id);
    await round(one);
    expect(await termsOf(id)).toEqual(
      expect.arrayContaining(['apple', 'type=shop.order', 'state=decided', 'verdict=matched']),
    );
    expect(await dataSource.query('select * from event_search_open')).toEqual([]);
  });

  it('writes an event that waits for its decision, and adds how it ended when it has', async () => {
    const one = indexer();
    const [early, put, late] = [await stored(), await stored(), await stored()];
    clock.advance(3 * SECOND);
    await round(one);
    for (const id of [early, put, late]) expect(await termsOf(id)).toContain('state=open');
    await decide(early, { matched: 0, unknown: 1, errors: 0 });
    await dataSource.query(`update event_keys set state = 'quarantined' where id = $1`, [put]);
    await round(one);
    const terms = await termsOf(early);
    expect(terms).toEqual(
      expect.arrayContaining(['apple', 'state=decided', 'verdict=not matched', 'verdict=unknown']),
    );
    expect(terms).not.toContain('state=open');
    expect(await termsOf(put)).toContain('state=quarantined');
    expect(await termsOf(late)).toContain('state=open');
    expect(await dataSource.query('select id from event_search_open')).toEqual([{ id: late }]);
  });

  it('finds events whose commits end after those of later ids', async () => {
    const one = indexer();
    const late = dataSource.createQueryRunner();
    await late.startTransaction();
    const hidden = uuidv7({ msecs: clock.now() });
    await late.query(
      `insert into events (id, received_at, origin, event_id, event_type, source, raw)
       values ($1, now(), 'o', 'late', 'shop.order', 'webhook', '{}')`,
      [hidden],
    );
    await late.query(
      `insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state)
       values ('o', 'late', $1, 0, 0, 0, 'decided')`,
      [hidden],
    );
    clock.advance(10 * SECOND);
    const seen = await storedAt(clock.now());
    await round(one);
    await round(one);
    expect(await indexed()).toEqual([seen]);
    await late.commitTransaction();
    await late.release();
    await round(one);
    expect(await indexed()).toEqual([hidden, seen]);
    expect((await watermark()) < hidden).toBe(true);
    clock.advance(20 * SECOND);
    await round(one);
    expect((await watermark()) > seen).toBe(true);
  });

  it('finds events of a clock that goes wrong, ahead or behind', async () => {
    const one = indexer();
    const ahead = await storedAt(clock.now() + 10 * MINUTE);
    await one.drain();
    clock.advance(MINUTE);
    await one.drain();
    expect((await watermark()) < ahead).toBe(true);
    const behind = await storedAt(clock.now() - 17 * MINUTE);
    for (let step = 0; step < 13; step += 1) {
      clock.advance(5 * SECOND);
      await round(one);
    }
    expect(await indexed()).toEqual([behind, ahead]);
  });

  it('indexes an old database from its beginning, and what is new before that', async () => {
    const old = await dataSource.query<{ id: string }[]>(
      `insert into events (id, received_at, origin, event_id, event_type, source, raw)
       select (lpad(to_hex($1::bigint + n), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid, now(), 'o', n, 'shop.order', 'webhook', '{"a":1}'
         from generate_series(1, 1700) as n returning id`,
      [clock.now() - 3 * 3_600_000],
    );
    await dataSource.query(
      `insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state)
       select origin, event_id, id, 0, 0, 0, 'decided' from events`,
    );
    const one = indexer();
    const fresh = await storedAt(clock.now());
    await round(one);
    expect(await termsOf(fresh)).not.toBeNull();
    expect(await indexed()).toHaveLength(501);
    expect(one.lag).toBeGreaterThan(2 * 3_600_000);
    // Another instance goes on where this one has got to.
    await indexer().drain();
    expect(await indexed()).toHaveLength(old.length + 1);
    await one.drain();
    expect(one.lag).toBe(0);
    expect(await round(one)).toBe(0);
  });

  it('is done by one of several instances at a time, and no event twice or never', async () => {
    const other = await database.open(4);
    const both = [indexer(), indexer(other)];
    const ids: string[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      await Promise.all([
        ...Array.from({ length: 40 }, async () => ids.push(await stored())),
        ...both.map((one) => one.drain()),
      ]);
    }
    await both[0]?.drain();
    expect(await indexed()).toEqual(ids.sort());
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('writes nothing while another holds its lock', async () => {
    const other = dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query('select pg_advisory_xact_lock($1)', [INDEX_LOCK]);
    const id = await stored();
    await indexer().drain();
    expect(await indexed()).toEqual([]);
    await other.rollbackTransaction();
    await other.release();
    await indexer().drain();
    expect(await indexed()).toEqual([id]);
  });

  it('is not stopped by what is no event, cannot be stored as text, or is without end', async () => {
    const hostile = [
      '{"a"',
      '[]',
      '{"a":"\\u0000\\ud800","\\u0000k":"v","__proto__":{"x":"y"},"constructor":"c"}',
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      JSON.stringify({ long: 'x'.repeat(900_000), ['n'.repeat(5000)]: 1 }),
      '{"a":"😀😀😀","b":1e999999,"c":-0}',
    ].map((text) => Buffer.from(text));
    const ids: string[] = [];
    for (const raw of [...hostile, Buffer.from([0, 255, 254, 123])]) ids.push(await stored({ raw }));
    ids.push(await stored({ eventType: 'x'.repeat(128), eventId: `${'é'.repeat(60)}\u0001` }));
    const pear = await stored({ raw: Buffer.from('{"word":"pear"}') });
    ids.push(pear);
    await indexer().drain();
    expect(await indexed()).toEqual(ids.sort());
    expect(await termsOf(pear)).toContain('pear');
    for (const id of ids) expect(await termsOf(id)).toContain('source=webhook');
  });

  it('writes nothing of an erased event but its envelope', async () => {
    const id = await stored();
    await dataSource.query(`update events set raw = '', transport = null, erased_at = now() where id = $1`, [
      id,
    ]);
    await indexer().drain();
    expect(await termsOf(id)).toEqual([
      'type=shop.order',
      'type=shop.*',
      'source=webhook',
      'origin=webhook:shop',
      'state=open',
    ]);
  });

  it('reads by the catalogue and with the evaluation that the product itself has written', async () => {
    const id = await stored({
      eventType: 'approval_instance',
      source: 'feishu-webhook',
      transport: null,
      rootEntity: 'process:P-1',
      raw: Buffer.from(
        JSON.stringify({
          uuid: 'u',
          ts: '1',
          event: { type: 'approval_instance', instance_code: 'P-1', status: 'APPROVED' },
        }),
      ),
    });
    await dataSource.transaction((tx) =>
      new EvaluationStore(dataSource).record(
        tx,
        [
          {
            eventId: id,
            occasion: 'live',
            ruleSet: 'x',
            verdicts: [
              { rule: 'a', verdict: 'matched' },
              { rule: 'a', action: 'tell', cause: 'already-sent' },
              { rule: 'b', verdict: 'error', error: 'e' },
              { rule: 'c', verdict: 'error', error: 'e' },
              { rule: 'd', verdict: 'unknown', missing: [] },
              { rule: 'e', verdict: 'skipped', cause: 'disabled' },
            ],
            inputs: { now: 0, timezone: 'UTC' },
          },
        ],
        clock.now(),
      ),
    );
    await dataSource.query(`update event_keys set state = 'decided'`);
    expect(await dataSource.query('select matched, unknown, errors from evaluations')).toEqual([
      { matched: 1, unknown: 1, errors: 2 },
    ]);
    await indexer().drain();
    expect(await termsOf(id)).toEqual(
      expect.arrayContaining([
        'status=approval_instance=approved',
        'entity=process:p-1',
        'verdict=matched',
        'verdict=unknown',
        'verdict=error',
      ]),
    );
  });

  it('runs by itself until it is stopped', async () => {
    const one = indexer();
    one.start();
    const id = await storedAt(clock.now());
    await until(async () => (await termsOf(id)) !== null, 10_000);
    await one.stop();
    await storedAt(clock.now());
    expect(await indexed()).toEqual([id]);
  });
});
