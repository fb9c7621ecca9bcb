// What really happened, by the real workers on real PostgreSQL and a virtual clock: each event is made a case of.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { EventCases } from '../../../src/console/api/event-cases.js';
import type { EventCaseAnswer } from '../../../src/console/api/event-cases.schema.js';
import { EventList } from '../../../src/console/read/event-list.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { EventIndexer } from '../../../src/events/event-indexer.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { Wakeup } from '../../../src/queue/wakeup.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../../support/database.js';
import { incomingOf } from '../../support/feishu.js';
import { RulesRoom } from '../../support/rules.js';
import { incomingStory, STORY_RULE } from '../../support/story-events.js';
import { arrivalsOf, randomOf, taskStories } from '../../support/task-stories.js';

const HOUR = 3_600_000;
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const FOLDER = 'rules/corehr';

describe(`cases of what happened (seed ${seed})`, () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let room: RulesRoom;
  let clock: TestClock;
  let cases: EventCases;
  let list: EventList;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
    const builtIn = loadBuiltInCatalogue();
    const catalogue = new LiveCatalogue(dataSource, builtIn);
    list = new EventList(dataSource, catalogue);
    cases = new EventCases(list, {
      events: room.events,
      evaluations: room.stores.evaluations,
      deliveries: room.deliveries,
      ruleSets: room.stores.ruleSets,
      catalogue,
    });
    const examples = readdirSync(FOLDER)
      .filter((file) => file.endsWith('.rule.json'))
      .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object);
    await room.activate([...examples, STORY_RULE]);
    const stories = taskStories(60, clock.now(), randomOf(seed));
    const end = clock.now() + 160 * HOUR;
    const tick = async (until: number): Promise<void> => {
      while (clock.now() < until) {
        clock.advance(Math.min(HOUR, until - clock.now()));
        await room.settle();
      }
    };
    for (const { at, events } of arrivalsOf(stories)) {
      await tick(at);
      for (const event of events) await room.store(incomingStory(builtIn, event));
      await room.settle();
    }
    // Of a kind that no rule listens to, whatever the stories hold.
    await room.store(
      incomingOf(builtIn, 'corehr.process.updated_v2', 'e-end', clock.now(), {
        process_id: 'p-end',
        status: 9,
      }),
    );
    await tick(end);
    const wakeup = new Wakeup(dataSource);
    const indexer = new EventIndexer(dataSource, room.events, catalogue, { wakeup, clock, log: room.log });
    await indexer.drain();
  }, 300_000);
  afterAll(async () => {
    await room.close();
    await room.events.onApplicationShutdown();
    await database.drop();
  });

  const caseOf = async (id: string, rule?: string): Promise<EventCaseAnswer> => {
    const row = await list.find(id);
    const event = row && (await room.events.find(row.id));
    if (!row || !event) throw new Error(`no event ${id}`);
    return await cases.make(row, event, { rule });
  };

  /** Ids of the events of tasks, the earliest first. */
  const taskEvents = async (): Promise<string[]> =>
    (
      await dataSource.query<{ id: string }[]>(
        `select e.id from evaluations v join events e on e.id = v.event_id
          where v.occasion = 'live' and e.event_type like '%.approver.%' order by e.id`,
      )
    ).map(({ id }) => id);

  it('run on the set that decided as they were recorded, each of them', async () => {
    const ids = await taskEvents();
    const made: EventCaseAnswer[] = [];
    for (const id of ids) made.push(await caseOf(id));
    const failed = made.filter(({ passed }) => !passed);
    const sending = made.filter(({ document }) => (document.cases[0]?.expect ?? []).length > 0);
    const shown = `${made.length} cases, ${sending.length} of them send something, ${failed.length} do not run`;
    expect([shown, failed.slice(0, 2).map(({ document, failures }) => [document, failures])]).toEqual([
      expect.stringMatching(/, 0 do not run$/),
      [],
    ]);
    expect(made.length).toBeGreaterThan(60);
    expect(sending.length).toBeGreaterThan(15);
    // All of tasks could be said with the fields that differ from the sample, and whole seconds.
    const whole = /"event_type":"corehr.process.approver/;
    expect(made.filter(({ document }) => whole.test(JSON.stringify(document)))).toEqual([]);
    expect(made.flatMap(({ notes }) => notes)).toEqual([]);
  }, 300_000);

  it('watch one rule when it is asked for', async () => {
    const [id = ''] = await taskEvents();
    const { document, passed } = await caseOf(id, 'renewal-done');
    expect([document.rules, passed]).toEqual([['renewal-done'], true]);
    await expect(caseOf(id, 'renewal')).rejects.toMatchObject({
      status: 404,
      code: 'RULE_UNKNOWN',
      detail: 'in the rule set that decided, the rule "renewal" was not there.',
    });
    await expect(caseOf(id, 'morning-summary')).rejects.toMatchObject({
      code: 'RULE_UNKNOWN',
      detail: expect.stringContaining('did not listen to corehr.process.approver.updated_v2'),
    });
  });

  it('are refused of events that no rule listened to, and of turns of schedules', async () => {
    const first = async (condition: string): Promise<string> => {
      const [row] = await dataSource.query<{ id: string }[]>(
        `select e.id from evaluations v join events e on e.id = v.event_id where ${condition} limit 1`,
      );
      return row?.id ?? '';
    };
    await expect(caseOf(await first(`e.event_type = 'corehr.process.updated_v2'`))).rejects.toMatchObject({
      status: 409,
      code: 'CASE_OF_NO_RULE',
    });
    await expect(caseOf(await first(`e.source = 'schedule'`))).rejects.toMatchObject({
      status: 409,
      code: 'CASE_OF_A_TURN',
    });
  });

  it('say where the record is another, and show what is recorded', async () => {
    const [row] = await dataSource.query<{ id: string; rule: string }[]>(
      `select event_id as id, rule from deliveries where occasion = 'live' and kind = 'email' order by id limit 1`,
    );
    const { id = '', rule = '' } = row ?? {};
    expect((await caseOf(id, rule)).passed).toBe(true);
    const swap = async (from: string, to: string): Promise<void> => {
      await dataSource.query(
        `update deliveries set request = replace(request::text, $3, $4)::json where event_id = $1 and rule = $2`,
        [id, rule, from, to],
      );
    };
    await swap('@example.com', '@elsewhere.example');
    const { passed, failures, document } = await caseOf(id, rule);
    expect(passed).toBe(false);
    expect(failures).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'missing',
          differences: [{ path: 'to[0]', expected: 'hr@elsewhere.example', actual: 'hr@example.com' }],
        }),
      ]),
    );
    expect(JSON.stringify(document.cases[0]?.expect)).toContain('hr@elsewhere.example');
    await swap('@elsewhere.example', '@example.com');
  });
});
