// Real PostgreSQL; instances that die between any two statements; the clock is virtual.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { TestClock } from '../support/clock.js';
import { CrashingPool } from '../support/crashing-pool.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { RulesRoom } from '../support/rules.js';
import { incomingStory, STEPS, STORY_RULE } from '../support/story-events.js';
import { arrivalsOf, expectedSteps, randomOf, stepTexts, taskStories } from '../support/task-stories.js';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2, 1);
const GRAIN = 2 * HOUR;
const END = BEGIN + 300 * HOUR;
const TASKS = Number(process.env['CRASHED_TASKS'] ?? 800);
/** Of the times at which something is done, so many are cut off by a crash, up to twice. */
const CRASHING = 0.6;
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const catalogue = loadBuiltInCatalogue();

describe(`escalations of ${TASKS} tasks with crashes between any two statements (seed ${seed})`, () => {
  let database: TestDatabase;
  let healthy: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    healthy = await database.open();
  });
  afterAll(() => database.drop());

  it('send every step once and none after a cancel that came before', async () => {
    const random = randomOf(seed);
    const events = taskStories(TASKS, BEGIN, random, GRAIN);
    const clock = new TestClock(BEGIN);
    await withPartitions(healthy, BEGIN);
    const door = new RulesRoom(healthy, clock);
    await door.activate([STORY_RULE]);
    let crashes = 0;
    /** Of a time at which nothing is cut off. */
    let statements = 20;
    let room: RulesRoom | null = null;
    let pool: CrashingPool | null = null;
    let dataSource: DataSource | null = null;
    const settle = async (): Promise<void> => {
      for (let cut = 0; ; cut += 1) {
        if (!room || !pool) {
          dataSource = await database.open(4);
          pool = new CrashingPool(dataSource);
          room = new RulesRoom(dataSource, clock);
        }
        const crashing = cut < 2 && random() < CRASHING;
        pool.crashBefore(crashing ? 1 + Math.floor(random() * statements) : Number.POSITIVE_INFINITY);
        const failure = await room.settle().then(
          () => null,
          (error: unknown) => error,
        );
        if (!pool.hasCrashed) {
          if (failure !== null) throw failure as Error;
          statements = pool.used;
          return;
        }
        crashes += 1;
        await dataSource?.destroy().catch(() => undefined);
        room = null;
      }
    };
    const arrivals = new Map(arrivalsOf(events).map(({ at, events: arriving }) => [at, arriving]));
    for (let now = BEGIN; now <= END; now += GRAIN) {
      clock.advance(now - clock.now());
      await Promise.all(
        (arrivals.get(now) ?? []).map((event) => door.store(incomingStory(catalogue, event))),
      );
      await settle();
    }
    const expected = stepTexts(expectedSteps(events, STEPS, END));
    const rows = await healthy.query<{ cause: string; at: Date; url: string }[]>(
      `select cause, created_at as at, request->'content'->>'url' as url from deliveries`,
    );
    const sent = rows.map(({ cause, at, url }) => {
      const [key = '', step = ''] = cause.split('#');
      return {
        armedBy: key.slice(key.indexOf('/') + 1),
        step,
        at: at.getTime(),
        task: url.slice('https://a.example/'.length),
      };
    });
    expect(crashes).toBeGreaterThan(30);
    expect(stepTexts(sent)).toEqual(expected);
    // Nothing is left over, and the ledger has each step.
    const [{ undecided, steps }] = await healthy.query<[{ undecided: number; steps: number }]>(
      `select (select count(*)::int from event_keys where state <> 'decided') as undecided,
              (select count(*)::int from evaluations where occasion like 'step:%') as steps`,
    );
    expect({ undecided, steps }).toEqual({ undecided: 0, steps: expected.length });
  }, 170_000);
});
