// Real PostgreSQL; the clock is a number.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { Catalogue, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { SilenceMatcher } from '../../src/rules/silence.js';
import { MOST_SILENCES, SilenceStore, type StoredSilence } from '../../src/rules/silence-store.js';
import { createTestDatabase, type TestDatabase, emptied } from '../support/database.js';

const NOW = Date.UTC(2026, 10, 2, 9);
const HOUR = 3_600_000;

let database: TestDatabase;
let dataSource: DataSource;
let catalogue: { current: Catalogue };
let store: SilenceStore;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(3);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptied(dataSource, 'silences');
  catalogue = { current: loadBuiltInCatalogue() };
  store = new SilenceStore(dataSource, catalogue);
});

const add = async (
  from: number,
  to: number,
  matcher: SilenceMatcher = { rule: 'r' },
  now = NOW,
): Promise<StoredSilence> => {
  const one = await store.add(
    dataSource.manager,
    { matcher, startsAt: NOW + from, endsAt: NOW + to, author: 'lena', reason: 'upgrade' },
    now,
  );
  if (!one) throw new Error('too many');
  return one;
};
const active = async (now: number): Promise<string[]> =>
  (await store.active(dataSource.manager, now)).map(({ id }) => id);
const about = (facts: Record<string, unknown>) => ({
  rule: 'r',
  owner: null,
  action: 'a',
  facts: new Map(Object.entries(facts)),
});

describe('silences', () => {
  it('are in force between their times, the oldest first', async () => {
    const first = await add(0, HOUR);
    const second = await add(HOUR, 2 * HOUR);
    expect(await active(NOW - 1)).toEqual([]);
    expect(await active(NOW)).toEqual([first.id]);
    expect(await active(NOW + HOUR)).toEqual([second.id]);
    expect(await active(NOW + 2 * HOUR)).toEqual([]);
    const third = await add(0, 3 * HOUR);
    expect(await active(NOW)).toEqual([first.id, third.id]);
  });

  it('come back as they went in, whatever their conditions compare with', async () => {
    const matcher: SilenceMatcher = {
      rule: 'pay-*',
      owner: '人事',
      conditions: { any: [{ fact: '__proto__', operator: 'equal', value: 'a\u0000b' }] },
    };
    const added = await add(0, HOUR, matcher);
    expect(added).toEqual({
      id: expect.any(String),
      matcher,
      author: 'lena',
      reason: 'upgrade',
      startsAt: NOW,
      endsAt: NOW + HOUR,
      state: 'active',
      createdAt: NOW,
      endedBy: null,
    });
    const [one] = await store.active(dataSource.manager, NOW);
    expect(one?.silence.matcher).toEqual(matcher);
  });

  it('are compiled once, until they end or the catalogue says something else', async () => {
    const { id } = await add(0, HOUR);
    const [first] = await store.active(dataSource.manager, NOW);
    const [again] = await store.active(dataSource.manager, NOW + 1);
    expect(again).toBe(first);
    await store.end(dataSource.manager, id, 'tom', NOW + 2);
    expect(await active(NOW + 2)).toEqual([]);
    // Decided before, though asked later: as it was then.
    const [before] = await store.active(dataSource.manager, NOW + 1);
    expect(before?.silence.endsAt).toBe(NOW + 2);
    catalogue.current = new Catalogue([]);
    expect((await store.active(dataSource.manager, NOW + 1))[0]).not.toBe(before);
  });

  it('read times as the catalogue says that events of the type write them', async () => {
    await add(0, HOUR, {
      conditions: { all: [{ fact: 'start_time', operator: 'before', value: '2026-01-01T00:00:00Z' }] },
    });
    const [one] = await store.active(dataSource.manager, NOW);
    const [entry] = catalogue.current.entries.filter(
      ({ eventType }) => catalogue.current.fieldOf(eventType, 'start_time')?.format === 'epoch-seconds',
    );
    expect(entry).toBeDefined();
    const at = (event_type: string): boolean | undefined =>
      one?.silences(about({ event_type, start_time: 1_700_000_000 }), NOW);
    expect([at(entry?.eventType ?? ''), at('unknown.type')]).toEqual([true, false]);
  });

  it('end at once, and one that has not begun never begins', async () => {
    const running = await add(0, HOUR);
    const coming = await add(HOUR, 2 * HOUR);
    for (const { id } of [running, coming]) {
      const ended = await store.end(dataSource.manager, id, 'tom', NOW + 5);
      expect(ended).toMatchObject({
        ended: true,
        silence: { id, state: 'ended', endedBy: 'tom', endsAt: NOW + 5 },
      });
      expect(await store.end(dataSource.manager, id, 'ann', NOW + 6)).toMatchObject({
        ended: false,
        silence: { endedBy: 'tom', endsAt: NOW + 5 },
      });
    }
    expect(await active(NOW + 5)).toEqual([]);
    expect(await active(NOW + HOUR)).toEqual([]);
    expect(
      await store.end(dataSource.manager, '0198c0de-0000-7000-8000-000000000000', 'tom', NOW),
    ).toBeNull();
  });

  it('one that ran out by itself was ended by nobody', async () => {
    const { id } = await add(0, HOUR);
    expect(await store.end(dataSource.manager, id, 'tom', NOW + HOUR)).toMatchObject({
      ended: false,
      silence: { endedBy: null, endsAt: NOW + HOUR },
    });
  });

  it('are listed by how they stand, the newest first, a page at a time', async () => {
    const ended = await add(0, HOUR);
    const running = await add(0, 3 * HOUR);
    const coming = await add(2 * HOUR, 3 * HOUR);
    const list = async (state?: 'active' | 'pending' | 'ended'): Promise<[string, string][]> =>
      (await store.list({ state }, { limit: 50, after: null }, NOW + HOUR)).map((one) => [one.id, one.state]);
    expect(await list()).toEqual([
      [coming.id, 'pending'],
      [running.id, 'active'],
      [ended.id, 'ended'],
    ]);
    expect(await list('active')).toEqual([[running.id, 'active']]);
    expect(await list('pending')).toEqual([[coming.id, 'pending']]);
    expect(await list('ended')).toEqual([[ended.id, 'ended']]);
    const page = await store.list({}, { limit: 1, after: coming.id }, NOW);
    expect(page.map(({ id }) => id)).toEqual([running.id, ended.id]);
  });

  it('are not more than can be overseen', async () => {
    await dataSource.query(
      `insert into silences (id, matcher, author, reason, starts_at, ends_at, created_at)
       select gen_random_uuid(), '{"rule": "r"}', 'a', 'b', $1, $2, $1 from generate_series(1, $3)`,
      [new Date(NOW), new Date(NOW + HOUR), MOST_SILENCES],
    );
    await expect(add(0, HOUR)).rejects.toThrow('too many');
    // Those that have ended do not count.
    expect(await add(HOUR, 2 * HOUR, { rule: 'r' }, NOW + HOUR)).toMatchObject({ state: 'active' });
  });
});

describe('notices', () => {
  const take = async (now: number): Promise<string[]> =>
    (await store.takeNotices(dataSource.manager, now)).map(({ id }) => id);

  it('are given once, an hour before the end', async () => {
    const { id } = await add(0, 5 * HOUR);
    expect(await take(NOW + 4 * HOUR - 1)).toEqual([]);
    expect(await take(NOW + 4 * HOUR)).toEqual([id]);
    expect(await take(NOW + 4 * HOUR)).toEqual([]);
  });

  it('are not given of what is no longer than the notice, has not begun, or is over', async () => {
    await add(0, HOUR);
    await add(2 * HOUR, 3 * HOUR + 1);
    const { id } = await add(0, 2 * HOUR);
    await store.end(dataSource.manager, id, 'tom', NOW + 1);
    expect(await take(NOW + 30 * 60_000)).toEqual([]);
    expect(await take(NOW + 9 * HOUR)).toEqual([]);
  });

  it('come in the order of the ends', async () => {
    const later = await add(0, 5 * HOUR);
    const sooner = await add(0, 4.5 * HOUR);
    expect(await take(NOW + 4.2 * HOUR)).toEqual([sooner.id, later.id]);
  });

  it('two who take them at once do not both get one', async () => {
    const all: string[] = [];
    for (let at = 0; at < 20; at += 1) all.push((await add(0, 5 * HOUR)).id);
    const takers = await Promise.all(
      [1, 2].map(() =>
        dataSource.transaction(async (tx) =>
          (await store.takeNotices(tx, NOW + 4 * HOUR)).map(({ id }) => id),
        ),
      ),
    );
    expect(takers.flat().sort()).toEqual(all.sort());
  });
});
