// Real PostgreSQL, the real workers that decide, replay and send, and real receivers that keep book. The clock stands
// still until it is told to go on. A rule that is wrong in one way sends for a while, to targets that refuse, hang up or
// are not reached yet; then it is mended and what it sent is recalled, by workers that are cut off in between.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { AddressGuard } from '../../../src/action/address-guard.js';
import { actOnMany } from '../../../src/action/delivery-acts.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { TestClock } from '../../support/clock.js';
import { CrashingPool } from '../../support/crashing-pool.js';
import {
  createTestDatabase,
  emptied,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../../support/database.js';
import { workerOver } from '../../support/delivery-workers.js';
import { RecallBook, shareOf } from '../../support/recall-book.js';
import { ReplayDesk } from '../../support/replays.js';
import { RulesRoom } from '../../support/rules.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { ClosableHttpSender } from '../../support/senders.js';

const CASES = Number(process.env['RECALL_CASES'] ?? 8);
const SEED = Number(process.env['RECALL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const BEGIN = Date.UTC(2026, 10, 2, 9);
const HOUR = 3_600_000;
const MINUTE = 60_000;

let database: TestDatabase;
let dataSource: DataSource;
let books: readonly [RecallBook, RecallBook];
let sender: ClosableHttpSender;

type Leaf = { fact: string; operator: string; value: unknown };

/** What a rule of this test is made of. */
interface Plan {
  readonly conditions: readonly Leaf[];
  readonly book: 0 | 1;
  readonly field: string;
  readonly when: Leaf | null;
  readonly second: boolean;
  readonly oncePer: 'event' | 'task' | 'process';
  readonly order: 'none' | 'task';
  readonly budget: number | null;
}

const leaf = (fact: string, operator: string, value: unknown): Leaf => ({ fact, operator, value });

function ruleOf({ conditions, book, field, when, second, oncePer, order, budget }: Plan): object {
  const { url } = books[book];
  const undo = { type: 'http', method: 'DELETE', url: `${url}/done/{{ event.approver_id }}` };
  const action = (name: string, to: string, more: object = {}): object => ({
    type: 'http',
    name,
    url: `${to}/${name}`,
    body: { task: '{{ event.approver_id }}', said: `{{ event.${field} }}`, tasks: '{{ process.tasks }}' },
    retry: ['1s'],
    order,
    undo,
    ...more,
  });
  return {
    name: 'approvals',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: conditions },
    oncePer,
    ...(budget === null ? {} : { budget: { max: budget, per: '1d' } }),
    actions: [
      action('tell', url, when ? { when: { all: [when] } } : {}),
      ...(second ? [action('copy', books[0].url)] : []),
    ],
  };
}

function rightPlan(random: SeededRandom): Plan {
  return {
    conditions: [
      leaf('status', 'in', random.some([1, 2, 3, 4], 2)),
      ...(random.chance(0.5) ? [leaf('process.tasks', 'greaterThan', random.below(3))] : []),
    ],
    book: 0,
    field: 'node_id',
    when: random.chance(0.3) ? leaf('biz_type', 'equal', 'leave') : null,
    second: random.chance(0.4),
    oncePer: random.pick(['event', 'event', 'task', 'process']),
    order: random.pick(['none', 'task']),
    budget: random.chance(0.3) ? 4 : null,
  };
}

/** The same rule with one mistake in it. */
function wrongPlan(right: Plan, random: SeededRandom): Plan {
  return random.pick<() => Plan>([
    () => ({
      ...right,
      conditions: [leaf('status', 'in', random.some([1, 2, 3, 4], 2)), ...right.conditions.slice(1)],
    }),
    () => ({ ...right, conditions: [leaf('process.tasks', 'greaterThan', random.below(4))] }),
    () => ({ ...right, conditions: [...right.conditions, leaf('biz_type', 'equal', 'leave')] }),
    () => ({ ...right, book: 1 }),
    () => ({ ...right, field: 'process_id' }),
    () => ({ ...right, when: leaf('biz_type', 'notEqual', 'leave') }),
    () => ({ ...right, second: !right.second }),
    () => ({ ...right, oncePer: right.oncePer === 'event' ? 'process' : 'event' }),
  ])();
}

interface Happened {
  readonly id: string;
  readonly at: number;
  readonly event: Readonly<Record<string, unknown>>;
}

function stream(random: SeededRandom): Happened[] {
  const count = 16 + random.below(14);
  return Array.from({ length: count }, (_, index) => {
    const process = String(1 + random.below(4));
    const task = `${process}${random.below(2)}`;
    const event = {
      process_id: `7${process}`,
      approver_id: `8${task}`,
      node_id: `9${process}`,
      type: 1,
      status: 1 + random.below(4),
      biz_type: random.pick(['leave', 'transfer']),
    };
    return { id: `e${index}`, at: BEGIN + index * MINUTE, event };
  });
}

class Stage {
  readonly clock = new TestClock(BEGIN + HOUR);
  readonly room = new RulesRoom(dataSource, this.clock);
  readonly desk = new ReplayDesk(this.room, dataSource, this.clock);

  static async begin(): Promise<Stage> {
    await emptied(dataSource, 'recall_deliveries, replay_events, replays, event_search, attempts');
    await emptyRulesRoom(dataSource);
    await dataSource.query(
      `update event_search_progress set through = '00000000-0000-0000-0000-000000000000'`,
    );
    return new Stage();
  }

  /** They come in and are decided. */
  async happen(events: readonly Happened[]): Promise<void> {
    for (const { id, at, event } of events) await this.room.approver(event, at, id);
    await this.room.decisions.drain();
  }

  async send(): Promise<void> {
    await workerOver(dataSource, this.clock, sender).drain();
  }

  /** A person lets go what brakes hold and sends again what is dead, until all is done. */
  async finish(): Promise<void> {
    for (const book of books) book.manner = () => 'takes';
    for (let round = 0; round < 20; round += 1) {
      await this.send();
      const open = await dataSource.query<{ id: string; state: 'held' | 'dead' | 'pending' | 'deferred' }[]>(
        `select id, state from action_keys where state in ('held', 'dead', 'pending', 'deferred') and rule = 'approvals'`,
      );
      if (open.length === 0) return;
      await dataSource.transaction(async (tx) => {
        for (const [state, act] of [
          ['held', 'release'],
          ['dead', 'redrive'],
        ] as const)
          await actOnMany(
            tx,
            open.filter((one) => one.state === state).map(({ id }) => id),
            act,
            null,
            this.clock.now(),
          );
      });
      this.clock.advance(10_000);
    }
    throw new Error('it does not end');
  }

  async close(): Promise<void> {
    await this.room.close();
  }
}

/** The pool has a connection from before anybody counted its statements. */
async function renewed(one: DataSource): Promise<void> {
  const { master } = one.driver as unknown as { master: pg.Pool };
  (await master.connect()).release(true);
}

const net = (): readonly string[] => books.flatMap((book, at) => book.net.map((one) => `${at} ${one}`));
const made = async (): Promise<number> =>
  (await dataSource.query<[{ n: number }]>('select count(*)::int as n from deliveries'))[0].n;

/** What the right rule does when it is there from the beginning. */
async function rightly(plan: Plan, events: readonly Happened[]): Promise<readonly string[]> {
  for (const book of books) book.clear();
  const stage = await Stage.begin();
  await stage.room.activate([ruleOf(plan)]);
  await stage.happen(events);
  await stage.finish();
  await stage.close();
  return net();
}

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
  await withPartitions(dataSource, BEGIN);
  books = [await RecallBook.open(), await RecallBook.open()];
  const guard = new AddressGuard(
    books.map(({ port }) => ({ kind: 'cidr', address: '127.0.0.1', prefix: 32, port })),
  );
  sender = new ClosableHttpSender({ guard, ca: undefined }, new TestClock(BEGIN));
}, 60_000);
afterAll(async () => {
  await sender.close();
  for (const book of books) await book.close();
  await database.drop();
});

describe(`a recall (seed ${SEED})`, () => {
  it.each(Array.from({ length: CASES }, (_, at) => at))(
    'leaves what the right rule would have done from the beginning: %d',
    async (at) => {
      const random = new SeededRandom(SEED, at);
      const right = rightPlan(random);
      const wrong = wrongPlan(right, random);
      const all = stream(random);
      // The last ones come when everything is mended.
      const [events, later] = [all.slice(0, -5), all.slice(-5)];
      const expected = await rightly(right, all);

      for (const book of books) book.clear();
      const stage = await Stage.begin();
      const { clock, desk, room } = stage;
      await room.activate([ruleOf(wrong)]);
      const rough = random.chance(0.8);
      for (const book of books)
        book.manner = (key) => {
          const share = rough ? shareOf(key, String(at)) : 1;
          return share < 0.2 ? 'refuses' : share < 0.4 ? 'takes and breaks off' : 'takes';
        };
      const sentOf = random.below(events.length + 1);
      await stage.happen(events.slice(0, sentOf));
      await stage.send();
      if (random.chance(0.5)) {
        clock.advance(MINUTE);
        await stage.send();
      }
      await stage.happen(events.slice(sentOf));
      await room.activate([ruleOf(right)]);
      await desk.index(loadBuiltInCatalogue());

      const recall = () => desk.recall('approvals', BEGIN, BEGIN + 3 * HOUR);
      await recall();
      for (let cut = 0; cut < 2; cut += 1) {
        const crashing = await database.open(4);
        const pool = new CrashingPool(crashing);
        await renewed(crashing);
        pool.crashBefore(5 + random.below(90));
        const dying = new RulesRoom(crashing, clock);
        await desk
          .worker(crashing, dying)
          .drain()
          .catch(() => undefined);
        await crashing.destroy().catch(() => undefined);
        await dying.close();
        await desk.endLeases();
        await desk.worker().sweep();
        clock.advance(6000);
      }
      const worker = desk.worker();
      for (let round = 0; round < 4; round += 1) {
        await worker.sweep();
        await worker.drain();
        clock.advance(6000);
      }
      const states = await dataSource.query<object[]>('select state, code, reason from replays');
      expect(states).toEqual([{ state: 'done', code: null, reason: null }]);
      expect(
        await dataSource.query(`select state, code, reason from replay_events where state <> 'done'`),
      ).toEqual([]);

      const after = await made();
      await recall();
      await desk.replay(
        (await dataSource.query<{ id: string }[]>('select id from events')).map(({ id }) => id),
      );
      await worker.drain();
      expect(await made()).toBe(after);

      await stage.happen(later);
      await stage.finish();
      await stage.close();
      expect({ at, net: net() }).toEqual({ at, net: expected });
      expect(books.flatMap(({ again }) => again)).toEqual([]);
    },
    60_000,
  );
});
