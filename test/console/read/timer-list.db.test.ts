// Real PostgreSQL.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { TimerList, type TimerFilter, type TimerRow } from '../../../src/console/read/timer-list.js';
import {
  UnsettledList,
  type UnsettledFilter,
  type UnsettledRow,
} from '../../../src/console/read/unsettled-list.js';
import { createTestDatabase, type TestDatabase, emptied } from '../../support/database.js';
import { insertTimer, insertUnsettled, type TimerChanges } from '../../support/state-rows.js';

const NOW = Date.UTC(2026, 10, 2, 9);
const HOUR = 3_600_000;

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open(2);
});
afterAll(() => database.drop());
beforeEach(() => emptied(dataSource, 'timers, unsettled'));

const timer = (changes: TimerChanges): Promise<string> => insertTimer(dataSource, NOW, changes);

/** All of a list, two at a time. */
async function walk<Row extends { readonly micros: string; readonly id: string }>(
  page: (slice: { limit: number; after: Row | null }) => Promise<Row[]>,
): Promise<Row[]> {
  const all: Row[] = [];
  for (let after: Row | null = null; ; after = all.at(-1) ?? null) {
    const rows = await page({ limit: 2, after });
    all.push(...rows.slice(0, 2));
    if (rows.length <= 2) return all;
  }
}

describe('the list of timers', () => {
  const all = (filter: TimerFilter = {}): Promise<TimerRow[]> =>
    walk<TimerRow>((slice) => new TimerList(dataSource).list(filter, slice));
  const ids = async (filter?: TimerFilter): Promise<string[]> => (await all(filter)).map(({ id }) => id);

  it('has those to come by the time that they are due, whether somebody is asked meanwhile or not', async () => {
    const third = await timer({ subject: 'task:3', dueAt: NOW + HOUR });
    const first = await timer({ subject: 'task:1', dueAt: NOW - HOUR, state: 'asking' });
    const second = await timer({ subject: 'task:2', dueAt: NOW - HOUR / 2, state: 'fetching' });
    await timer({ subject: 'task:4', state: 'finished' });
    await timer({ subject: 'task:5', state: 'cancelled', code: 'CANCEL_ON' });
    expect(await ids()).toEqual([first, second, third]);
    expect((await all()).map(({ state }) => state)).toEqual(['asking', 'asking', 'armed']);
    expect(await ids({ state: 'armed' })).toEqual([third]);
    expect(await ids({ state: 'asking' })).toEqual([first, second]);
  });

  it('has the others by when they ended, the latest first', async () => {
    const ended: string[] = [];
    for (let at = 0; at < 5; at += 1)
      ended.push(
        await timer({ subject: `task:${at}`, state: 'cancelled', updatedAt: NOW + at, code: 'RULE_GONE' }),
      );
    const finished = await timer({ state: 'finished', updatedAt: NOW + 2 });
    expect(await ids({ state: 'cancelled' })).toEqual([...ended].reverse());
    expect(await ids({ state: 'finished' })).toEqual([finished]);
  });

  it('leaves none out and has none twice where several are due at one moment', async () => {
    const made: string[] = [];
    for (let at = 0; at < 7; at += 1) made.push(await timer({ subject: `task:${at}` }));
    expect(await ids()).toEqual([...made].sort());
    await dataSource.query(`update timers set state = 'finished'`);
    expect(await ids({ state: 'finished' })).toEqual([...made].sort().reverse());
  });

  it('is narrowed by rule, root entity and due time', async () => {
    const one = await timer({ rule: 'a', entity: 'process:1', dueAt: NOW });
    const other = await timer({ rule: 'b', entity: 'process:2', dueAt: NOW + 1 });
    expect(await ids({ rule: 'a' })).toEqual([one]);
    expect(await ids({ entity: 'process:2' })).toEqual([other]);
    expect(await ids({ dueBefore: new Date(NOW + 1) })).toEqual([one]);
    expect(await ids({ rule: 'a', entity: 'process:2' })).toEqual([]);
  });

  it('tells all of a ladder', async () => {
    const id = await timer({
      state: 'cancelled',
      subject: 'node:5',
      holders: { 'task:2': 'x', 'task:1': 'y' },
      sent: ['24h', '48h'],
      code: 'CANCELLED_BY_PERSON',
      reason: '已电话处理',
    });
    expect(await new TimerList(dataSource).find(id)).toEqual({
      id,
      state: 'cancelled',
      rule: 'remind',
      per: 'node',
      subject: 'node:5',
      entity: 'process:7',
      step: '24h',
      dueAt: new Date(NOW),
      eventId: id,
      baseTime: new Date(NOW - 24 * HOUR),
      armedAt: new Date(NOW - 24 * HOUR),
      sent: ['24h', '48h'],
      holders: ['task:2', 'task:1'],
      code: 'CANCELLED_BY_PERSON',
      reason: '已电话处理',
      updatedAt: new Date(NOW),
      micros: String(NOW * 1000),
    });
    expect(await new TimerList(dataSource).find('0198c0de-0000-7000-8000-000000000000')).toBeNull();
  });

  it('of one root entity has those to come first, then the latest', async () => {
    const cancelled = await timer({ state: 'cancelled', updatedAt: NOW - HOUR });
    const finished = await timer({ subject: 'task:2', state: 'finished' });
    const second = await timer({ subject: 'task:3', dueAt: NOW + HOUR });
    const first = await timer({ subject: 'task:4', state: 'fetching' });
    await timer({ entity: 'process:8' });
    const of = async (limit: number): Promise<string[]> =>
      (await new TimerList(dataSource).ofEntity('process:7', limit)).map(({ id }) => id);
    expect(await of(50)).toEqual([first, second, finished, cancelled]);
    expect(await of(1)).toEqual([first]);
  });
});

describe('the list of unsettled verdicts', () => {
  const all = async (filter: UnsettledFilter = {}): Promise<[string, string][]> =>
    (await walk<UnsettledRow>((slice) => new UnsettledList(dataSource).list(filter, slice, NOW))).map(
      ({ rule, state }) => [rule, state],
    );
  const unsettled = (rule: string, until: number, entity?: string, eventId?: string): Promise<string> =>
    insertUnsettled(dataSource, until, {
      rule,
      ...(entity === undefined ? {} : { entity }),
      ...(eventId === undefined ? {} : { eventId }),
    });

  it('has the open ones by how long they can wait, and those that need a person the latest first', async () => {
    await unsettled('c', NOW + 2);
    await unsettled('b', NOW + 1);
    await unsettled('a', NOW);
    await unsettled('z', NOW - HOUR);
    await unsettled('y', NOW - 1);
    expect(await all({ state: 'open' })).toEqual([
      ['b', 'open'],
      ['c', 'open'],
    ]);
    expect(await all({ state: 'expired' })).toEqual([
      ['a', 'expired'],
      ['y', 'expired'],
      ['z', 'expired'],
    ]);
    expect((await all()).map(([rule]) => rule)).toEqual(['c', 'b', 'a', 'y', 'z']);
  });

  it('leaves none out where one event has several', async () => {
    const event = '0198c0de-0000-7000-8000-000000000000';
    for (const rule of ['b', 'a-b', 'a', 'ab', 'a.b']) await unsettled(rule, NOW + 5, 'process:7', event);
    expect((await all({ state: 'open' })).map(([rule]) => rule)).toEqual(['a', 'a-b', 'a.b', 'ab', 'b']);
    expect((await all()).map(([rule]) => rule)).toEqual(['b', 'ab', 'a.b', 'a-b', 'a']);
  });

  it('is narrowed by rule and root entity', async () => {
    await unsettled('a', NOW + 1, 'process:1');
    await unsettled('b', NOW + 1, 'process:2');
    expect(await all({ rule: 'a' })).toEqual([['a', 'open']]);
    expect(await all({ entity: 'process:2' })).toEqual([['b', 'open']]);
  });

  it('names what was missing, and no type of an event that is not stored', async () => {
    const eventId = await unsettled('a', NOW + 1);
    expect(await new UnsettledList(dataSource).list({}, { limit: 5, after: null }, NOW)).toMatchObject([
      { eventId, missing: ['task.previousStatus'], eventType: null, until: new Date(NOW + 1) },
    ]);
  });
});
