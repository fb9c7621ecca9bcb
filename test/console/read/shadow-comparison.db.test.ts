// Real PostgreSQL, the real rules room; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import {
  type ComparedRow,
  ShadowComparison,
  type Standing,
} from '../../../src/console/read/shadow-comparison.js';
import { TestClock } from '../../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../../support/database.js';
import { RulesRoom } from '../../support/rules.js';

const HOUR = 3_600_000;
const WITHIN_MS = 10_000;
const is = (status: number[]): object => ({ all: [{ fact: 'status', operator: 'in', value: status }] });
const rule = (name: string, more: object = {}): object => ({
  name,
  trigger: 'corehr.process.approver.updated_v2',
  conditions: is([2, 3]),
  actions: [
    { type: 'http', name: 'a', url: 'https://a.example/', body: { task: '{{ event.approver_id }}' } },
  ],
  ...more,
});
const shadow = (more: object = {}): object => rule('tell-new', { mode: 'shadow', shadowOf: 'tell', ...more });

describe('a rule in shadow mode beside its live twin', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let room: RulesRoom;
  let comparison: ShadowComparison;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    comparison = new ShadowComparison(dataSource);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
  });

  const tell = async (approver_id: string, status: number): Promise<void> => {
    clock.advance(1);
    await room.approver({ approver_id, status });
    await room.settle();
  };
  const window = () => ({ since: new Date(0), until: new Date(clock.now() + 1) });
  const counts = async () => {
    const twins = (await comparison.twinsOf('tell-new')) ?? [];
    return (await comparison.count('tell-new', twins, window(), WITHIN_MS)).counts;
  };
  const list = async (
    standing?: Standing,
    slice = { limit: 50, after: null as string | null },
  ): Promise<readonly ComparedRow[]> =>
    await comparison.list(
      'tell-new',
      (await comparison.twinsOf('tell-new')) ?? [],
      { ...window(), standing },
      slice,
      WITHIN_MS,
    );

  it('is the same, or only one sends, or both differ; each is counted once and listed with what it is', async () => {
    const body = { task: '{{ event.approver_id }}', status: '{{ event.status }}' };
    await room.activate([
      rule('tell', {
        actions: [
          { type: 'http', name: 'a', url: 'https://a.example/', body: { task: '{{ event.approver_id }}' } },
          { type: 'http', name: 'b', url: 'https://a.example/' },
        ],
      }),
      shadow({
        conditions: is([3, 4]),
        actions: [
          { type: 'http', name: 'a', url: 'https://a.example/', body: { task: '{{ event.approver_id }}' } },
          { type: 'http', name: 'b', url: 'https://a.example/', body },
        ],
      }),
    ]);
    await tell('t1', 2);
    await tell('t2', 3);
    await tell('t3', 4);
    await tell('t4', 3);
    expect(await counts()).toEqual({ same: 2, live: 2, shadow: 2, different: 2 });
    const rows = await list();
    const shown = rows.map(({ standing, action, shadow: own, live }) => [
      standing,
      action,
      own !== null,
      live !== null,
    ]);
    expect(shown).toEqual([
      ['different', 'b', true, true],
      ['same', 'a', true, true],
      ['shadow', 'b', true, false],
      ['shadow', 'a', true, false],
      ['different', 'b', true, true],
      ['same', 'a', true, true],
      ['live', 'b', false, true],
      ['live', 'a', false, true],
    ]);
    for (const standing of ['same', 'live', 'shadow', 'different'] as const)
      expect(await list(standing)).toEqual(rows.filter((row) => row.standing === standing));
    // Page after page, each is there once.
    const paged: ComparedRow[] = [];
    for (let after: string | null = null; ; after = paged.at(-1)?.id ?? null) {
      const page: readonly ComparedRow[] = await list(undefined, { limit: 3, after });
      paged.push(...page.slice(0, 3));
      if (page.length <= 3) break;
    }
    expect(paged).toEqual(rows);
  });

  it("is not missed where it was not there yet, nor where it was another rule's", async () => {
    await room.activate([rule('tell')]);
    await tell('t1', 3);
    await room.activate([rule('tell'), rule('other'), shadow({ shadowOf: 'other' })]);
    await tell('t2', 3);
    await room.activate([rule('tell'), rule('other'), shadow()]);
    await tell('t3', 3);
    await room.activate([rule('tell'), shadow({ enabled: false })]);
    await tell('t4', 3);
    expect(await counts()).toEqual({ same: 2, live: 0, shadow: 0, different: 0 });
    expect(await comparison.twinsOf('tell-new')).toEqual(['tell', 'other']);
    // Promoted, it is compared no more, and what was stays.
    await room.activate([rule('tell-new')]);
    await tell('t5', 3);
    expect(await counts()).toEqual({ same: 2, live: 0, shadow: 0, different: 0 });
    expect(await comparison.twinsOf('never')).toBeNull();
  });

  it('counts a pair by when the shadow delivery was decided', async () => {
    await room.activate([rule('tell'), shadow()]);
    await tell('t1', 3);
    const between = clock.now() + 1;
    await tell('t2', 3);
    const count = async (since: number, until: number): Promise<number> =>
      (
        await comparison.count(
          'tell-new',
          ['tell'],
          { since: new Date(since), until: new Date(until) },
          WITHIN_MS,
        )
      ).counts.same;
    expect([await count(0, between), await count(between, between + HOUR)]).toEqual([1, 1]);
  });

  it('waits with a digest until it is due, and then compares the messages of one window', async () => {
    const gathers = (subject: string): object => ({
      digest: { window: '1h', key: 'process_id' },
      actions: [
        { type: 'http', name: 'a', url: 'https://a.example/', body: { subject, all: '{{ items }}' } },
      ],
    });
    await room.activate([rule('tell', gathers('x')), shadow(gathers('x'))]);
    await tell('t1', 3);
    await tell('t2', 3);
    const { gathering } = await comparison.count('tell-new', ['tell'], window(), WITHIN_MS);
    expect([await counts(), gathering]).toEqual([{ same: 0, live: 0, shadow: 0, different: 0 }, 1]);
    clock.advance(2 * HOUR);
    await room.settle();
    expect(await counts()).toEqual({ same: 1, live: 0, shadow: 0, different: 0 });
    await room.activate([rule('tell', gathers('x')), shadow(gathers('y'))]);
    await tell('t3', 3);
    clock.advance(2 * HOUR);
    await room.settle();
    expect(await counts()).toEqual({ same: 1, live: 0, shadow: 0, different: 1 });
  });

  it('opens to both requests', async () => {
    await room.activate([
      rule('tell'),
      shadow({ actions: [{ type: 'http', name: 'a', url: 'https://b.example/', body: { task: 'none' } }] }),
    ]);
    await tell('t1', 3);
    const [one] = await list('different');
    expect(one).toMatchObject({
      shadow: { target: 'http:b.example', state: 'pending' },
      live: { target: 'http:a.example', state: 'pending' },
    });
    const found = await comparison.find(one?.shadow?.id ?? '');
    expect(found).toMatchObject({
      rule: 'tell-new',
      shadowOf: 'tell',
      liveId: one?.live?.id,
      request: { content: { body: { task: 'none' } } },
      liveRequest: { content: { body: { task: 't1' } } },
    });
    // One that only the live rule has sent is opened as any delivery.
    expect(await comparison.find(one?.live?.id ?? '')).toBeNull();
  });
});
