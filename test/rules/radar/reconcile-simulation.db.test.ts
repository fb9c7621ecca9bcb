// Real PostgreSQL, the real rules room and platform client on a real socket; the fake Feishu answers from the true story.
// The clock is virtual. RADAR_SEEDS runs more seeds for each rate.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { FakeFeishu } from '../../../src/cli/fake-feishu/fake-feishu.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { factsOf } from '../../../src/events/event-facts.js';
import { RulesRoom } from '../../support/rules.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, emptied, emptyRulesRoom, type TestDatabase } from '../../support/database.js';
import { appAt } from '../../support/lookups.js';
import { incomingStory, STORY_RULE } from '../../support/story-events.js';
import { arrivalsOf, randomOf, type StoryEvent } from '../../support/task-stories.js';
import { detailAt, inOrder, tasksOf, wholeStories } from '../../support/whole-stories.js';

const APP_ID = 'cli_a';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SEEDS = Number(process.env['RADAR_SEEDS'] ?? 1);
/** Everything that can be found is healed so long after the last event: three days of silence, and as long between questions. */
const HEALED_WITHIN = 8 * DAY;
const RADAR_EVERY = 12 * HOUR;
const TASK_TYPE = 'corehr.process.approver.updated_v2';
const PROCESS_TYPE = 'corehr.process.updated_v2';
const catalogue = loadBuiltInCatalogue();

const rule = (name: string, trigger: string, conditions: object): object => ({
  name,
  trigger,
  conditions: { all: [conditions] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
});
/** Each event of a story makes exactly one of the first three fire. */
const RULES = [
  rule('begun', TASK_TYPE, { fact: 'status', operator: 'equal', value: 1 }),
  rule('ended', TASK_TYPE, { fact: 'status', operator: 'notEqual', value: 1 }),
  rule('over', PROCESS_TYPE, { fact: 'status', operator: 'notEqual', value: 1 }),
  STORY_RULE,
];
const effectOf = ({ process, task, status, createTime }: StoryEvent): string =>
  `${task === null ? 'over' : status === 1 ? 'begun' : 'ended'} ${process} ${task ?? ''} ${status} ${createTime}`;

/** What may be lost without anybody being able to tell, by what survives. */
function canBeInferred(
  lost: StoryEvent,
  stories: readonly StoryEvent[],
  arrived: readonly StoryEvent[],
): boolean {
  const own = arrived.filter(({ process }) => process === lost.process);
  // All of it is lost: nothing is known of the process.
  if (own.length === 0) return false;
  const tasks = tasksOf(own, lost.process);
  const told = own.some(({ task }) => task === null);
  const shows = [...tasks.values()].some((seen) => seen[0]?.status !== 1 || seen.at(-1)?.status === 1);
  // It has ended, and nothing is odd about it: nobody asks.
  if (told && !shows) return false;
  if (lost.task === null) return true;
  const truth = tasksOf(stories, lost.process).get(lost.task) ?? [];
  const seen = tasks.get(lost.task) ?? [];
  // Opened again: an event says that it was to do, whenever.
  if (lost === truth[0]) return seen[0]?.status !== 1;
  // Neither its first status nor its last: the platform does not name it any more. The last can be told from an earlier one
  // of the same kind only if something was seen in between.
  return lost === truth.at(-1) && lost.status !== 1 && seen.at(-1)?.status !== lost.status;
}

describe('events that are lost at random', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let fake: FakeFeishu;
  let room: RulesRoom;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    clock = new TestClock();
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'app-secret' }], clock });
  });
  afterEach(async () => {
    await room.close();
    await fake.stop();
  });

  const begin = async (asks: boolean): Promise<void> => {
    await emptyRulesRoom(dataSource);
    await emptied(dataSource, 'radar_findings, radar_hours, radar_asked, reconciled_events');
    await dataSource.query('update radar_progress set computed_at = null, counted_until = null, looked = 0');
    room = new RulesRoom(dataSource, clock, { apps: asks ? [appAt(fake.url, { appId: APP_ID })] : [] });
    await room.activate(RULES, {
      'owners.json': { '*': { tell: [{ type: 'http', url: 'https://ops.example/' }] } },
    });
    // Aftersign listens already when the stories begin.
    await room.processEvent({ process_id: 'before', status: 9 });
    await room.settle();
  };
  /** Lets the stories happen as far as they arrive, and then some time pass. */
  const play = async (
    stories: readonly StoryEvent[],
    arriving: readonly StoryEvent[],
    asks: boolean,
  ): Promise<void> => {
    const names = [...new Set(stories.map(({ process }) => process))];
    const radar = async (): Promise<void> => {
      for (const name of asks ? names : []) {
        const detail = detailAt(stories, name, clock.now());
        if (detail) fake.processes.set(name, detail);
      }
      await room.radar.drain();
      await room.settle();
    };
    const arrivals = arrivalsOf(arriving);
    const end = (arrivals.at(-1)?.at ?? clock.now()) + HEALED_WITHIN;
    let next = 0;
    while (clock.now() < end) {
      const until = clock.now() + (arrivals[next] ? RADAR_EVERY : DAY);
      for (let due = arrivals[next]; due && due.at <= until; due = arrivals[next]) {
        // Together within the hour, as they come: what is decided in one batch is in order anyway.
        for (const event of due.events) await room.store(incomingStory(catalogue, event));
        clock.advance(Math.max(0, due.at - clock.now()));
        if (next % 16 === 0) await room.decisions.drain();
        next += 1;
      }
      clock.advance(until - clock.now());
      await room.settle();
      await radar();
    }
  };
  const effects = async (): Promise<string[]> => {
    const rows = await dataSource.query<{ rule: string; eventId: string }[]>(
      `select rule, event_id as "eventId" from deliveries where rule <> 'nag' and rule not like 'aftersign:%'`,
    );
    const events = new Map(
      (await room.events.findMany(rows.map(({ eventId }) => eventId))).map((one) => [one.id, factsOf(one)]),
    );
    return rows
      .map(({ rule: name, eventId }) => {
        const facts = events.get(eventId);
        const of = (field: string): string => JSON.stringify(facts?.get(field) ?? '').replaceAll('"', '');
        const task = name === 'over' ? '' : of('approver_id');
        return `${name} ${of('process_id')} ${task} ${of('status')} ${of('create_time')}`;
      })
      .filter((effect) => !effect.includes(' before '))
      .sort();
  };
  /** Of each process: the status of it and of each of its tasks, and what they come to. */
  const states = async (): Promise<Map<string, unknown>> => {
    const rows = await dataSource.query<
      { entity: string; process: unknown; tasks: unknown; counts: unknown }[]
    >(
      `select entity, (state->'process'->'seen'->-1->>3) as process, state->'tally'->'tasks' as counts,
              (select json_object_agg(task, t.state->'seen'->-1->>3 order by task) from entity_tasks t where t.entity = s.entity) as tasks
         from entity_states s`,
    );
    return new Map(rows.map(({ entity, ...state }) => [entity.slice('process:'.length), state]));
  };
  const findings = async (): Promise<{ kind: string; state: string; subject: string }[]> =>
    await dataSource.query(`select kind, state, subject from radar_findings where kind = 'lost-events'`);
  const repeated = (all: readonly string[]): string[] =>
    all.filter((one, index) => all.indexOf(one) !== index);

  const truth = (stories: readonly StoryEvent[], process: string): unknown => {
    const own = inOrder(stories.filter((one) => one.process === process));
    const end = own.findLast(({ task }) => task === null);
    const tasks = [...tasksOf(own, process)].map(([task, seen]) => [task, seen.at(-1)?.status] as const);
    const phases: Record<string, number> = {};
    for (const [, status] of tasks) {
      const phase = { 1: 'open', 2: 'rejected', 3: 'done', 4: 'cancelled' }[status ?? 0] ?? '';
      phases[phase] = (phases[phase] ?? 0) + 1;
    }
    return {
      process: end ? String(end.status) : null,
      tasks: Object.fromEntries(tasks.map(([task, status]) => [task, String(status)])),
      counts: phases,
    };
  };

  it.each(
    [0.01, 0.05, 0.2].flatMap((rate) =>
      Array.from({ length: SEEDS }, (_, seed) => ({ rate, seed: seed + 1 })),
    ),
  )('are found and made up for, each once, at a rate of $rate (seed $seed)', async ({ rate, seed }) => {
    await begin(true);
    const random = randomOf(seed * 1000 + rate * 100);
    const stories = wholeStories(rate < 0.1 ? 70 : 45, clock.now() + HOUR, random);
    // Some that are lost come all the same, long after everybody has given them up.
    const one = Math.floor(random() * stories.length);
    const fates = stories.map((event, index) => {
      if (random() >= rate && index !== one) return { event, lost: false, arriving: [event] };
      const late = event.createTime + 9 * HOUR + Math.floor(random() * 96) * HOUR;
      return random() < 0.3 && index !== one
        ? { event, lost: false, arriving: [{ ...event, arrivals: [late, late + HOUR] }] }
        : { event, lost: true, arriving: [] };
    });
    const arrived = fates.flatMap(({ event, lost }) => (lost ? [] : [event]));
    const gone = fates.filter(({ lost }) => lost).map(({ event }) => event);
    expect(gone.length).toBeGreaterThan(0);
    await play(
      stories,
      fates.flatMap(({ arriving }) => arriving),
      true,
    );

    const found = await effects();
    expect(repeated(found)).toEqual([]);
    const wanted = new Set(stories.map(effectOf));
    expect(found.filter((effect) => !wanted.has(effect))).toEqual([]);
    const missing = gone.filter((event) => !found.includes(effectOf(event)));
    // Whatever arrived has had its effect; of the lost only that is missing which nobody could tell.
    expect(found.length + missing.length).toBe(stories.length);
    expect(missing.filter((event) => canBeInferred(event, stories, arrived))).toEqual([]);
    const inferrable = gone.filter((event) => canBeInferred(event, stories, arrived));
    expect(inferrable.length).toBeGreaterThan(0);
    const known = await states();
    const blind = new Set(missing.map(({ process }) => process));
    for (const process of new Set(stories.map((one) => one.process)))
      if (!blind.has(process)) expect(known.get(process)).toEqual(truth(stories, process));
    expect(await findings()).toEqual([]);
    // No ladder was climbed twice.
    const steps = await dataSource.query<{ n: number }[]>(
      `select count(*)::int as n from deliveries d join timers t on t.entity = d.entity and t.rule = 'nag'
        where d.rule = 'nag' group by d.entity, d.cause, d.action having count(distinct d.id) > 1`,
    );
    expect(steps).toEqual([]);
    if (process.env['RADAR_SEEDS'] !== undefined) {
      const counts = { events: stories.length, lost: gone.length, inferrable: inferrable.length };
      process.stderr.write(
        `${JSON.stringify({ rate, seed, ...counts, healed: gone.length - missing.length })}\n`,
      );
    }
  });

  it('are none in streams that lose nothing: nothing is found and nobody is told, asked or not', async () => {
    for (const asks of [false, true]) {
      await begin(asks);
      const stories = wholeStories(25, clock.now() + HOUR, randomOf(asks ? 7 : 8));
      await play(stories, stories, asks);
      expect(await findings()).toEqual([]);
      expect(await effects()).toEqual(stories.map(effectOf).sort());
      expect(await dataSource.query(`select kind from notices where kind = 'lost-events'`)).toEqual([]);
      expect(
        await dataSource.query('select outcome from radar_asked where outcome <> $1', ['agrees']),
      ).toEqual([]);
      if (!asks) await room.close();
    }
  });
});
