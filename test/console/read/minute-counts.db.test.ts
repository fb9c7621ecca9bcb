// Real PostgreSQL; the time is the test's, and what is counted is compared with a look at every row.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { MinuteCounts, type MinuteRow } from '../../../src/console/read/minute-counts.js';
import { createTestDatabase, type TestDatabase, emptied } from '../../support/database.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** So that the day before is in two partitions. */
const NOW = Date.UTC(2026, 10, 2, 9, 30, 20);

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(5);
  await dataSource.query('select ensure_partitions($1::date, $2::date)', ['2026-10-25', '2026-11-05']);
});
afterAll(() => database.drop());
beforeEach(() => emptied(dataSource, 'events, event_keys, evaluations, deliveries, attempts'));

async function event(at: number, matched: number | null = null, state = 'decided'): Promise<string> {
  const id = uuidv7({ msecs: at });
  await dataSource.query(
    `insert into events (id, received_at, origin, event_id, event_type, source, raw)
     values ($1, $2, 'o', $1::uuid::text, 'shop.order', 'webhook', '')`,
    [id, new Date(at)],
  );
  await dataSource.query(
    `insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state)
     values ('o', $1::uuid::text, $1, 0, 0, 0, $2)`,
    [id, state],
  );
  if (matched !== null) await decided(id, matched);
  return id;
}
async function decided(id: string, matched: number, occasion = 'live'): Promise<void> {
  await dataSource.query(
    `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, matched)
     values ($1, $2, now(), 'x', '[]', '{}', $3)`,
    [id, occasion, matched],
  );
}
async function delivery(at: number): Promise<string> {
  const id = uuidv7({ msecs: at });
  await dataSource.query(
    `insert into deliveries (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, created_at, request)
     values ($1, $1::uuid::text, $1, 'live', 'r', 'a', 'http', 'http:a', 'process:1', 'c', 0, $2, 'null')`,
    [id, new Date(at)],
  );
  return id;
}
async function attempt(of: string, at: number, outcome: string, number = 1): Promise<void> {
  await dataSource.query(
    `insert into attempts (delivery_id, attempt, started_at, outcome, detail, answer) values ($1, $2, $3, $4, '', '')`,
    [of, number, new Date(at), outcome],
  );
}

const shown = (rows: readonly MinuteRow[]): Record<string, readonly number[]> =>
  Object.fromEntries(
    rows
      .map(
        ({ at, events, matches, deliveries, delivered, failed }) =>
          [
            new Date(at).toISOString().slice(11, 16),
            [events, matches, deliveries, delivered, failed],
          ] as const,
      )
      .filter(([, counts]) => counts.some((count) => count > 0)),
  );

describe('the counts by minute', () => {
  it('are of 60 minutes, the one under way as the last', async () => {
    const rows = await new MinuteCounts(dataSource).lastHour(NOW);
    expect(rows).toHaveLength(60);
    expect(rows[0]?.at).toBe(Date.UTC(2026, 10, 2, 8, 31));
    expect(rows.at(-1)?.at).toBe(Date.UTC(2026, 10, 2, 9, 30));
    expect(shown(rows)).toEqual({});
  });

  it('are each of their own time', async () => {
    await event(NOW, 2);
    await event(NOW - 25_000, 1);
    // The beginning of a minute belongs to it.
    await event(Date.UTC(2026, 10, 2, 9, 0), 0);
    await event(Date.UTC(2026, 10, 2, 9, 0) - 1, 3);
    await event(Date.UTC(2026, 10, 2, 8, 31) - 1, 5);
    await delivery(NOW - 10 * MINUTE);
    // Sent days after it was made.
    const late = await delivery(NOW - 5 * 24 * HOUR);
    await attempt(late, NOW - 3 * MINUTE, 'retry');
    await attempt(late, NOW - 2 * MINUTE, 'delivered', 2);
    expect(shown(await new MinuteCounts(dataSource).lastHour(NOW))).toEqual({
      '08:59': [1, 3, 0, 0, 0],
      '09:00': [1, 0, 0, 0, 0],
      '09:20': [0, 0, 1, 0, 0],
      '09:27': [0, 0, 0, 0, 1],
      '09:28': [0, 0, 0, 1, 0],
      '09:29': [1, 1, 0, 0, 0],
      '09:30': [1, 2, 0, 0, 0],
    });
  });

  it('are of the first decision: a replay counts nothing again', async () => {
    await decided(await event(NOW, 1), 7, 'replay:1');
    expect(shown(await new MinuteCounts(dataSource).lastHour(NOW))).toEqual({ '09:30': [1, 1, 0, 0, 0] });
  });

  it('see what is decided later, as long as it waits', async () => {
    const counts = new MinuteCounts(dataSource);
    const waiting = await event(NOW - 30 * MINUTE, null, 'waiting');
    await event(NOW - 20 * MINUTE, 1);
    expect(shown(await counts.lastHour(NOW))).toMatchObject({ '09:00': [1, 0, 0, 0, 0] });
    await decided(waiting, 4);
    await dataSource.query(`update event_keys set state = 'decided'`);
    expect(shown(await counts.lastHour(NOW + 5000))).toMatchObject({ '09:00': [1, 4, 0, 0, 0] });
  });

  it('count what is long over once', async () => {
    const counts = new MinuteCounts(dataSource);
    await event(NOW - 30 * MINUTE, 1);
    await counts.lastHour(NOW);
    await emptied(dataSource, 'events, evaluations');
    await event(NOW - 2 * MINUTE, 1);
    expect(shown(await counts.lastHour(NOW))).toEqual({
      '09:00': [1, 1, 0, 0, 0],
      '09:28': [1, 1, 0, 0, 0],
    });
  });

  it('go on with the time, and begin anew when nobody has asked for an hour', async () => {
    const counts = new MinuteCounts(dataSource);
    await event(NOW, 1);
    await counts.lastHour(NOW);
    await event(NOW + 20 * MINUTE, 1);
    expect(shown(await counts.lastHour(NOW + 30 * MINUTE))).toEqual({
      '09:30': [1, 1, 0, 0, 0],
      '09:50': [1, 1, 0, 0, 0],
    });
    await event(NOW + 200 * MINUTE, 2);
    expect(shown(await counts.lastHour(NOW + 210 * MINUTE))).toEqual({ '12:50': [1, 2, 0, 0, 0] });
  });

  it('sum up a day, once it is counted', async () => {
    const counts = new MinuteCounts(dataSource);
    await event(NOW - 24 * HOUR + MINUTE, 2);
    await event(NOW - 24 * HOUR - MINUTE, 50);
    await event(NOW - 12 * HOUR, 1);
    await event(NOW, 1);
    await attempt(uuidv7({ msecs: NOW - 3 * HOUR }), NOW - 2 * HOUR, 'delivered');
    await counts.lastHour(NOW);
    expect(counts.lastDay(NOW)).toBeNull();
    await counts.counted(NOW);
    const day = { events: 3, matches: 4, deliveries: 0, delivered: 1, failed: 0 };
    expect(counts.lastDay(NOW)).toEqual(day);
    // It goes on with the time: what is more than a day ago is out.
    await counts.lastHour(NOW + 3 * MINUTE);
    expect(counts.lastDay(NOW + 3 * MINUTE)).toEqual({ ...day, events: 2, matches: 2 });
  });

  it('of a database that is away are counted when it is back', async () => {
    let away = false;
    const query = async (sql: string, parameters: unknown[]): Promise<unknown> => {
      if (away) throw new Error('away');
      return await dataSource.query(sql, parameters);
    };
    const counts = new MinuteCounts({ query } as unknown as DataSource);
    await event(NOW - 2 * HOUR, 1);
    await counts.lastHour(NOW);
    away = true;
    await counts.counted(NOW);
    expect(counts.lastDay(NOW)).toBeNull();
    await expect(counts.lastHour(NOW)).rejects.toThrow('away');
    away = false;
    await counts.lastHour(NOW);
    await counts.counted(NOW);
    expect(counts.lastDay(NOW)).toMatchObject({ events: 1, matches: 1 });
  });
});
