// Two real processes on one real PostgreSQL, killed with SIGKILL at random; the time is told by the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { until } from '../support/door.js';
import { CHILD_ENVIRONMENT } from '../support/process.js';
import { RulesRoom } from '../support/rules.js';
import { incomingStory, STEPS, STORY_RULE } from '../support/story-events.js';
import { arrivalsOf, expectedSteps, randomOf, stepTexts, taskStories } from '../support/task-stories.js';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2, 1);
const GRAIN = 8 * HOUR;
const END = BEGIN + 300 * HOUR;
const TASKS = Number(process.env['KILLED_TASKS'] ?? 250);
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const catalogue = loadBuiltInCatalogue();

describe(`escalations of ${TASKS} tasks, with two instances that are killed (seed ${seed})`, () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  afterAll(() => database.drop());

  async function start(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['test/support/rules-instance.mjs', database.url], {
      env: CHILD_ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.add(child);
    child.on('exit', () => children.delete(child));
    // A line to one that was just killed.
    child.stdin.on('error', () => undefined);
    await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', () => {
        reject(new Error('the instance ended before it was ready'));
      });
    });
    return child;
  }

  /** Nothing is decided at an old time any more. */
  async function hold(child: ChildProcess): Promise<void> {
    const { stdin, stdout } = child;
    if (!stdin || !stdout) return;
    await new Promise<void>((resolve) => {
      const lines = createInterface({ input: stdout });
      const done = (): void => {
        lines.close();
        child.off('exit', done);
        resolve();
      };
      lines.on('line', (line) => {
        if (line === 'held') done();
      });
      child.once('exit', done);
      stdin.write('hold\n');
    });
  }

  const isIdle = async (now: number): Promise<boolean> => {
    const [row] = await dataSource.query<[{ open: number }]>(
      `select (select count(*) from event_keys where state = 'undecided')::int
              + (select count(*) from timers where state = 'armed' and due_at <= $1)::int as open`,
      [new Date(now)],
    );
    return row.open === 0;
  };

  it('send every step once and none after a cancel that came before', async () => {
    const random = randomOf(seed);
    const events = taskStories(TASKS, BEGIN, random, GRAIN);
    const clock = new TestClock(BEGIN);
    await withPartitions(dataSource, BEGIN);
    const door = new RulesRoom(dataSource, clock);
    await door.activate([STORY_RULE]);
    const pair = [await start(), await start()];
    let spare = start();
    let kills = 0;
    const arrivals = new Map(arrivalsOf(events).map(({ at, events: arriving }) => [at, arriving]));
    for (let now = BEGIN; now <= END; now += GRAIN) {
      clock.advance(now - clock.now());
      // While nobody works: what arrives at a time comes before what is due at it.
      await Promise.all(pair.map(hold));
      await Promise.all(
        (arrivals.get(now) ?? []).map((event) => door.store(incomingStory(catalogue, event))),
      );
      for (const child of pair) child.stdin?.write(`${now}\n`);
      if (random() < 0.4) {
        const at = random() < 0.5 ? 0 : 1;
        const wait = random() * 25;
        await new Promise((resolve) => setTimeout(resolve, wait));
        pair[at]?.kill('SIGKILL');
        kills += 1;
        const next = await spare;
        pair[at] = next;
        next.stdin?.write(`${now}\n`);
        spare = start();
      }
      await until(() => isIdle(now), 20_000);
    }
    const expected = stepTexts(expectedSteps(events, STEPS, END));
    const rows = await dataSource.query<{ cause: string; at: Date; url: string }[]>(
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
    await spare;
    expect(kills).toBeGreaterThan(4);
    expect(stepTexts(sent)).toEqual(expected);
  }, 300_000);
});
