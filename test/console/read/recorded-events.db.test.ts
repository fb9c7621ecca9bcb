// Real PostgreSQL, with events and decisions as the service stores them.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { EventList } from '../../../src/console/read/event-list.js';
import { recordedWithin, StoredRecordedEvents } from '../../../src/console/read/recorded-events.js';
import { Catalogue } from '../../../src/events/catalogue.js';
import { EventStore } from '../../../src/events/event-store.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { Wakeup } from '../../../src/queue/wakeup.js';
import type { RecordedEvent } from '../../../src/rules/backtest/recorded-event.js';
import { EvaluationStore } from '../../../src/rules/evaluation-store.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, emptied, type TestDatabase, withPartitions } from '../../support/database.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TYPE = 'corehr.process.approver.updated_v2';
const answer = { request: 'GET /a', value: { a: 1 }, fetchedAt: 5 };

let database: TestDatabase;
let dataSource: DataSource;
let list: EventList;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
  list = new EventList(dataSource, new LiveCatalogue(dataSource, new Catalogue([])));
  await withPartitions(dataSource, new TestClock().now());
});
afterAll(() => database.drop());

let clock: TestClock;
let store: EventStore;
beforeEach(async () => {
  await emptied(dataSource, 'event_keys, events, evaluations, timers');
  clock = new TestClock();
  store = new EventStore(
    dataSource,
    await withPartitions(dataSource, clock.now()),
    new Wakeup(dataSource),
    clock,
  );
});
const closing = async (): Promise<void> => {
  await store.onApplicationShutdown();
};

/** Stores an event now, decided so long later; null: never. */
async function event(eventId: string, laterMs: number | null, more: object = {}): Promise<string> {
  const { id } = await store.store({
    origin: 'feishu:cli_a',
    eventId,
    eventType: TYPE,
    source: 'feishu-webhook',
    createTime: clock.now(),
    statusRank: 1,
    rootEntity: 'process:1',
    raw: Buffer.from(`{"of":"${eventId}"}`),
    content: null,
    transport: null,
    ...more,
  });
  if (id !== null && laterMs !== null) await evaluate(id, 'live', clock.now() + laterMs);
  return id ?? '';
}

async function evaluate(id: string, occasion: string, at: number, more: object = {}): Promise<void> {
  const inputs = { now: at, timezone: 'Asia/Shanghai', ...more };
  await dataSource.transaction((tx) =>
    new EvaluationStore(dataSource).record(
      tx,
      [{ eventId: id, occasion, ruleSet: 'h', verdicts: [], inputs: inputs }],
      at,
    ),
  );
}

async function read(events: StoredRecordedEvents): Promise<RecordedEvent[][]> {
  const slices: RecordedEvent[][] = [];
  for await (const slice of events.read()) slices.push([...slice]);
  return slices;
}
const idsIn = (slices: RecordedEvent[][]): string[] => slices.flat().map((one) => one.event.eventId);

describe('recorded events of the database', () => {
  it('come in the order of their decisions, however late these were', async () => {
    const begin = clock.now();
    await event('waited an hour', HOUR);
    clock.advance(MINUTE);
    await event('at once', 10);
    await event('never', null);
    clock.advance(30 * MINUTE);
    await event('waited half an hour', 30 * MINUTE);
    clock.advance(40 * MINUTE);
    await event('last', 0);
    const events = recordedWithin(dataSource, list, { from: begin, until: begin + 24 * HOUR });
    const slices = await read(events);
    expect(idsIn(slices)).toEqual(['at once', 'waited an hour', 'waited half an hour', 'last']);
    const times = slices.flat().map((one) => one.decidedAt ?? 0);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(times[1]).toBe(begin + HOUR);
    expect(slices.flat()[0]?.event.raw.toString()).toBe('{"of":"at once"}');
    expect(events.undecided).toBe(1);
    expect(await events.count()).toBe(5);
    await closing();
  });

  it('are the same read one by one, and those of one decision stay together', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 12; at += 1) {
      clock.advance(3 * MINUTE);
      // Three are decided together, long after the first of them came.
      await event(`e${at}`, at % 4 === 3 ? 0 : (3 - (at % 4)) * 3 * MINUTE);
      ids.push(`e${at}`);
    }
    const byOne = new StoredRecordedEvents(dataSource, {
      stretches: (after) => list.stretch({}, after, 1),
    });
    const slices = await read(byOne);
    expect(idsIn(slices)).toEqual(ids);
    for (const slice of slices.slice(1))
      expect(slice[0]?.decidedAt).not.toBe(slices[slices.indexOf(slice) - 1]?.at(-1)?.decidedAt);
    const whole = new StoredRecordedEvents(dataSource, {
      stretches: (after) => list.stretch({}, after, 500),
    });
    expect(idsIn(await read(whole))).toEqual(ids);
    // What waits long is let go, and read again when its turn has come.
    const spared = new StoredRecordedEvents(dataSource, {
      stretches: (after) => list.stretch({}, after, 2),
      heldBytes: 0,
    });
    expect((await read(spared)).flat()).toEqual(slices.flat());
    await closing();
  });

  it('are those decided within the window, of the types that are wanted, and no turns of schedules', async () => {
    await event('received and decided before', 0);
    await event('decided within', HOUR);
    clock.advance(HOUR);
    const from = clock.now();
    await event('of another type', 0, { eventType: 'com.example.other' });
    await event('a turn', 0, { source: 'schedule' });
    await event('decided after', HOUR);
    const within = recordedWithin(dataSource, list, { from, until: from + HOUR, types: ['corehr.*'] });
    expect(idsIn(await read(within))).toEqual(['decided within']);
    await closing();
  });

  it('have what look-ups answered, for the decision and before each step of their ladders', async () => {
    const id = await event('armed', null);
    const at = clock.now();
    await evaluate(id, 'live', at, { lookups: { person: answer }, cause: 'feishu:cli_a/the genuine one' });
    await evaluate(id, 'step:remind:24h after', at + 24 * HOUR, {
      lookups: { boss: answer },
      step: { subject: 'task:7', pending: true },
    });
    await evaluate(id, 'step:remind:36h', at + 36 * HOUR, { step: { subject: 'task:7' } });
    await evaluate(id, 'replay:1', at + HOUR);
    await dataSource.query(
      `insert into timers (id, rule, per, subject, entity, lane, state, event_id, cause, base_time, holders, step, due_at, plan,
                           code, created_at, updated_at)
       values ($1, 'remind', 'task', 'task:7', 'process:1', 0, 'cancelled', $2, 'c', $3, '{}', '48h', $4, 'p', 'NOT_PENDING', $3, $4)`,
      [randomUUID(), id, new Date(at), new Date(at + 48 * HOUR)],
    );
    const [[one] = []] = await read(recordedWithin(dataSource, list, { from: at, until: at + 96 * HOUR }));
    expect(one).toMatchObject({
      decidedAt: at,
      lookups: { person: answer },
      cause: 'feishu:cli_a/the genuine one',
      steps: [
        {
          rule: 'remind',
          subject: 'task:7',
          step: '24h after',
          at: at + 24 * HOUR,
          pending: true,
          lookups: { boss: answer },
        },
        { rule: 'remind', subject: 'task:7', step: '36h', at: at + 36 * HOUR, pending: null },
        { rule: 'remind', subject: 'task:7', step: '48h', at: at + 48 * HOUR, pending: false },
      ],
    });
    await closing();
  });
});
