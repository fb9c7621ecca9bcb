// Real PostgreSQL.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { IncomingEvent } from '../../src/events/event.js';
import { EventStore } from '../../src/events/event-store.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';

const clock = new TestClock();

function eventOf(changes: Partial<IncomingEvent> = {}): IncomingEvent {
  return {
    origin: 'feishu:cli_a',
    eventId: randomUUID(),
    eventType: 'corehr.process.approver.updated_v2',
    source: 'feishu-webhook',
    createTime: clock.now(),
    statusRank: 1,
    rootEntity: 'process:1',
    raw: Buffer.from('{"a":1}'),
    content: null,
    transport: null,
    ...changes,
  };
}

describe('the event store', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let store: EventStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    store = new EventStore(
      dataSource,
      await withPartitions(dataSource, clock.now()),
      new Wakeup(dataSource),
      clock,
    );
  });
  afterAll(() => database.drop());
  beforeEach(() => emptied(dataSource, 'event_keys, events'));

  it('gives back the bytes it was given, also those that jsonb and text refuse', async () => {
    const raw = Buffer.concat([
      Buffer.from('{"a":"\\u0000\\ud800","b":1e999999,"c":'),
      Buffer.from([0, 255, 254]),
      Buffer.from('}'),
    ]);
    const content = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const { id } = await store.store(eventOf({ raw, content }));
    const stored = await store.find(id ?? '');
    expect(stored?.raw.equals(raw)).toBe(true);
    expect(stored?.content?.equals(content)).toBe(true);
  });

  it('stores one of fifty copies that come at once, and counts the others', async () => {
    const event = eventOf();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.store({ ...event })));
    expect(outcomes.filter(({ outcome }) => outcome === 'stored')).toHaveLength(1);
    // Counting happens after the answers: it is done when the next commit's count is.
    let counted = 0;
    while (counted < 49) {
      const [row] = await dataSource.query<{ duplicates: number }[]>('select duplicates from event_keys');
      counted = row?.duplicates ?? 0;
    }
    expect(counted).toBe(49);
  });

  it('takes the same event id of another origin as another event', async () => {
    const event = eventOf();
    expect((await store.store(event)).outcome).toBe('stored');
    expect((await store.store({ ...event, origin: 'feishu:cli_b' })).outcome).toBe('stored');
    expect((await store.store({ ...event, createTime: 1, raw: Buffer.from('other') })).outcome).toBe(
      'duplicate',
    );
  });

  it('fails only the sender of a row that PostgreSQL refuses', async () => {
    const bad = eventOf({ eventType: 'a\u0000b' });
    const results = await Promise.allSettled(
      [eventOf(), eventOf(), bad, eventOf()].map((event) => store.store(event)),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await dataSource.query('select count(*)::int as n from events')).toEqual([{ n: 3 }]);
  });

  it('writes into the day of the event, also after midnight', async () => {
    const tomorrow = new TestClock(clock.now() + 86_400_000);
    const later = new EventStore(
      dataSource,
      await withPartitions(dataSource, clock.now()),
      new Wakeup(dataSource),
      tomorrow,
    );
    await store.store(eventOf());
    await later.store(eventOf());
    const rows = await dataSource.query<{ place: string }[]>(
      'select tableoid::regclass::text as place from events order by 1',
    );
    expect(rows.map(({ place }) => place)).toEqual(['events_20261102', 'events_20261103']);
  });
});
