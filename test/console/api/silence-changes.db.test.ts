// Real PostgreSQL and the real store; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { ChangeReader } from '../../../src/console/api/change-reader.js';
import { SilenceChanges } from '../../../src/console/api/silence-changes.js';
import { Catalogue } from '../../../src/events/catalogue.js';
import { SilenceStore } from '../../../src/rules/silence-store.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase, emptied } from '../../support/database.js';

const HOUR = 3_600_000;
const catalogue = new Catalogue([]);

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let store: SilenceStore;
let reader: ChangeReader;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptied(dataSource, 'silences');
  clock = new TestClock();
  const now = (): number => clock.now();
  store = new SilenceStore(dataSource, { current: catalogue });
  reader = new ChangeReader(new SilenceChanges(dataSource, now), now);
});

const add = async (from: number, to: number): Promise<string> => {
  const now = clock.now();
  const one = await store.add(
    dataSource.manager,
    {
      matcher: {
        rule: 'pay-*',
        conditions: { all: [{ fact: 'user_id', operator: 'equal', value: 'canary' }] },
      },
      startsAt: now + from,
      endsAt: now + to,
      author: 'lena',
      reason: 'upgrade',
    },
    now,
  );
  return one?.id ?? '';
};
const heard = async (): Promise<[string, string][]> =>
  (await reader.poll(catalogue)).messages.map(({ data }) => {
    if (!('what' in data)) throw new Error('no silence');
    return [data.id, data.what];
  });

describe('changes of silences', () => {
  it('are that they were added, begin, end soon and end, each told once', async () => {
    await add(0, 5 * HOUR);
    await reader.begin();
    expect(await heard()).toEqual([]);
    clock.advance(1);
    const id = await add(HOUR, 4 * HOUR);
    expect(await heard()).toEqual([[id, 'added']]);
    expect(await heard()).toEqual([]);
    clock.advance(HOUR);
    expect(await heard()).toEqual([[id, 'began']]);
    clock.advance(2 * HOUR);
    await store.takeNotices(dataSource.manager, clock.now());
    expect(await heard()).toEqual([[id, 'ends soon']]);
    clock.advance(HOUR);
    expect(await heard()).toEqual([[id, 'ended']]);
    expect(await heard()).toEqual([]);
  });

  it('of one that is ended before it began are no beginning', async () => {
    await reader.begin();
    const id = await add(HOUR, 2 * HOUR);
    clock.advance(1);
    await store.end(dataSource.manager, id, 'tom', clock.now());
    expect(await heard()).toEqual([
      [id, 'added'],
      [id, 'ended'],
    ]);
    clock.advance(3 * HOUR);
    expect(await heard()).toEqual([]);
  });

  it('name no person', async () => {
    await reader.begin();
    await add(0, HOUR);
    const { messages } = await reader.poll(catalogue);
    expect(messages).toEqual([
      {
        eventType: '',
        rules: null,
        data: {
          id: expect.any(String),
          what: 'added',
          at: new Date(clock.now()).toISOString(),
          rule: 'pay-*',
          action: null,
          owner: null,
          endsAt: new Date(clock.now() + HOUR).toISOString(),
          author: 'lena',
          reason: 'upgrade',
          endedBy: null,
        },
        masked: messages[0]?.data,
      },
    ]);
    expect(JSON.stringify(messages)).not.toContain('canary');
  });

  it('that are too many are counted, and the last are told', async () => {
    await reader.begin();
    for (let at = 0; at < 400; at += 1) await add(0, HOUR);
    const { messages, left } = await reader.poll(catalogue);
    expect([messages.length, left]).toEqual([100, 300]);
  });
});
