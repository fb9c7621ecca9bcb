// Real PostgreSQL. What a trial says of a file, edited or not, is held against what the rules room does in earnest with it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { RenderedRequest } from '../../../src/action/action.js';
import { readableRequest } from '../../../src/action/readable-request.js';
import { requestWithReferences } from '../../../src/action/request-with-references.js';
import { EventIndexer } from '../../../src/events/event-indexer.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { TrialEvents } from '../../../src/console/api/trial-events.js';
import { filesByRule, storedRuleFiles } from '../../../src/rules/trial/read-rule-files.js';
import { EventList } from '../../../src/console/read/event-list.js';
import { Wakeup } from '../../../src/queue/wakeup.js';
import { EvaluationStore } from '../../../src/rules/evaluation-store.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import { runOrder } from '../../../src/rules/trial/run-order.js';
import type { TrialAnswer } from '../../../src/rules/trial/trial.js';
import type { RuleSet } from '../../../src/rules/rule-set.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import {
  all,
  any,
  type Json,
  type JsonObject,
  leaf,
  not,
  rule,
  TASK,
  tell,
} from '../../support/rule-parts.js';
import { RulesRoom } from '../../support/rules.js';
import { SeededRandom } from '../../support/seeded-random.js';
import { incomingStory } from '../../support/story-events.js';
import { arrivalsOf, randomOf, taskStories } from '../../support/task-stories.js';

const BEGIN = Date.UTC(2026, 10, 2, 1);
const PROCESS = 'corehr.process.updated_v2';
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const catalogue = loadBuiltInCatalogue();

/** Of the event and of the state, so that some facts are read by an edit and by nobody before. */
function condition(random: SeededRandom, depth: number): JsonObject {
  if (depth > 0 && random.chance(0.5)) {
    const parts = Array.from({ length: 1 + random.below(3) }, () => condition(random, depth - 1));
    return random.pick([() => all(...parts), () => any(...parts), () => not(all(...parts))])();
  }
  return random.pick([
    () => leaf('status', 'equal', random.pick([1, 2, 3, 4, 9])),
    () => leaf('status', 'notEqual', random.pick([1, 3])),
    () => leaf('task.transition', 'equal', random.pick(['>1', '1>2', '1>3', '3>1'])),
    () => leaf('node.pending', 'greaterThan', random.below(2)),
    () => leaf('process.tasks', 'equal', 1 + random.below(3)),
    () => leaf('process.status', 'equal', random.pick([4, 9])),
    () => leaf('task.reopened', 'equal', random.chance(0.5)),
    () => leaf('event.late', 'equal', random.chance(0.5)),
    () => leaf('biz_type', 'exists', random.chance(0.5)),
  ])();
}

function madeRule(random: SeededRandom, name: string): JsonObject {
  const body = random.pick<JsonObject>([
    { task: '{{ event.process_id }}', to: name },
    { was: '{{ task.transition | default: "none" }}', status: '{{ event.status | label: "zh" }}' },
    { pending: '{{ node.pending | default: "0" }}', at: '{{ now }}' },
  ]);
  const headers = random.chance(0.3) ? { headers: { authorization: 'Bearer {{ secrets.DESK }}' } } : {};
  const when = random.chance(0.2) ? { when: all(condition(random, 0)) } : {};
  return rule(name, random.pick<Json>([TASK, [TASK, PROCESS], PROCESS]), all(condition(random, 2)), {
    ...(random.chance(0.1) ? { enabled: false } : {}),
    actions: [
      { ...tell(name, { body }), ...headers, ...when },
      ...(random.chance(0.3) ? [tell(`${name}/more`, { name: 'more' })] : []),
    ],
  });
}

/** One that the check takes. */
/** It listens to the events of tasks, of which the stories have the most. */
async function soundRule(random: SeededRandom, name: string): Promise<JsonObject> {
  for (let left = 100; left > 0; left -= 1) {
    const made = madeRule(random, name);
    const files = new Map([['a.rule.json', JSON.stringify(made)]]);
    const { ruleSet } = await compileRuleSet(files, catalogue);
    if (ruleSet?.rules.every((rule) => rule.listensTo('corehr.process.approver.updated_v2'))) return made;
  }
  throw new Error('no sound rule among 100');
}

interface World {
  readonly database: TestDatabase;
  readonly dataSource: DataSource;
  readonly room: RulesRoom;
  readonly live: RuleSet;
}

/** Everything that happens in the stories, decided by these rules. */
async function lived(files: Readonly<Record<string, JsonObject[]>>): Promise<World> {
  const database = await createTestDatabase();
  const dataSource = await database.open();
  const clock = new TestClock(BEGIN);
  const room = new RulesRoom(dataSource, clock);
  const live = await room.activate([], files);
  const stories = taskStories(25, BEGIN, randomOf(seed));
  for (const { at, events } of arrivalsOf(stories)) {
    clock.advance(at - clock.now());
    for (const event of events) await room.store(incomingStory(catalogue, event));
    await room.settle();
  }
  return { database, dataSource, room, live };
}

async function tried({ dataSource, room, live }: World, path: string, text: string): Promise<TrialAnswer> {
  const catalogueNow = new LiveCatalogue(dataSource, catalogue);
  const stores = {
    events: room.events,
    evaluations: new EvaluationStore(dataSource),
    catalogue: catalogueNow,
  };
  const events = new TrialEvents(dataSource, new EventList(dataSource, catalogueNow), stores);
  const stored = await storedRuleFiles(dataSource, live.hash, catalogue);
  return await runOrder(
    { kind: 'trial', stored, path, text, files: filesByRule(live) },
    async function* (wants) {
      yield* events.read(await events.latest(wants.trigger, 500), live, wants);
    },
  );
}

/** By the sender's event id: the verdict of each rule that is in the ledger, and what was made for each action. */
async function recorded({ dataSource }: World, rules: ReadonlySet<string>) {
  const rows = await dataSource.query<
    { eventId: string; verdicts: { rule: string; verdict?: string }[]; made: unknown[] }[]
  >(
    `select e.event_id as "eventId", v.verdicts,
            (select coalesce(json_agg(json_build_object('rule', d.rule, 'action', d.action, 'target', d.target, 'request', d.request)), '[]')
               from deliveries d where d.event_id = e.id and d.occasion = 'live') as made
       from events e join evaluations v on v.event_id = e.id and v.occasion = 'live'`,
  );
  return new Map(
    rows.map(({ eventId, verdicts, made }) => [
      eventId,
      {
        verdicts: new Map(
          verdicts.flatMap(({ rule: name, verdict }) =>
            verdict !== undefined && rules.has(name) ? [[name, verdict] as const] : [],
          ),
        ),
        made: (made as { rule: string; action: string; target: string; request: RenderedRequest | null }[])
          .filter((one) => rules.has(one.rule))
          .map(({ request, ...one }) => ({
            ...one,
            request: request === null ? null : readableRequest(requestWithReferences(request)),
          })),
      },
    ]),
  );
}

function sortedByAction<T extends { rule: string; action: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (`${a.rule} ${a.action}` < `${b.rule} ${b.action}` ? -1 : 1));
}

/** What a side of the trial says is what that world has recorded. */
function expectAsRecorded(
  answer: TrialAnswer,
  side: 'now' | 'before',
  ledger: Awaited<ReturnType<typeof recorded>>,
): void {
  for (const event of answer.events) {
    const known = ledger.get(event.eventId);
    for (const told of event.rules) {
      const verdict = told[side] === 'not listening' ? 'not matched' : told[side];
      expect([event.eventId, told.rule, verdict]).toEqual([
        event.eventId,
        told.rule,
        known?.verdicts.get(told.rule) ?? 'not matched',
      ]);
    }
    const asked = event.deliveries.flatMap((one) =>
      (side === 'now' ? one.change === 'removed' : one.change === 'added')
        ? []
        : {
            rule: one.rule,
            action: one.action,
            // The target of what has changed is that of now.
            ...(side === 'now' ? { target: one.target } : {}),
            request: side === 'now' ? one.request : one.before,
          },
    );
    const made = (known?.made ?? []).map(({ target, ...one }) => (side === 'now' ? { ...one, target } : one));
    expect(sortedByAction(asked)).toEqual(sortedByAction(made));
  }
}

describe(`a trial says what happens in earnest (seed ${seed})`, () => {
  const random = new SeededRandom(seed);
  let before: Record<string, JsonObject[]>;
  let edited: JsonObject[];
  let then: World;
  let later: World;

  beforeAll(async () => {
    const make = (name: string): Promise<JsonObject> => soundRule(random, name);
    before = { 'a.rule.json': [await make('a'), await make('b')], 'c.rule.json': [await make('c')] };
    edited = [await make('a'), await make('d')];
    then = await lived(before);
    const { dataSource, room } = then;
    const options = { wakeup: new Wakeup(dataSource), clock: room.clock, log: room.log };
    await new EventIndexer(
      dataSource,
      room.events,
      new LiveCatalogue(dataSource, catalogue),
      options,
    ).drain();
    later = await lived({ ...before, 'a.rule.json': edited });
  }, 120_000);
  afterAll(async () => {
    for (const { room, database } of [then, later]) {
      await room.close();
      await database.drop();
    }
  });

  it('of the file as it is: nothing changes', async () => {
    const answer = await tried(then, 'a.rule.json', JSON.stringify(before['a.rule.json']));
    expect(answer).toMatchObject({ ok: true, ruleSet: then.live.hash, left: 0, untold: 0 });
    expect(answer.looked).toBeGreaterThan(10);
    expect(answer.deliveries).toMatchObject({ added: 0, removed: 0, changed: 0 });
    for (const { change, now, before: was } of answer.rules) expect([change, now]).toEqual(['same', was]);
    const ledger = await recorded(then, new Set(['a', 'b']));
    expectAsRecorded(answer, 'now', ledger);
    expectAsRecorded(answer, 'before', ledger);
  });

  it('of an edit: what a service with it has done with the same events', async () => {
    const answer = await tried(then, 'a.rule.json', JSON.stringify(edited));
    expect(answer).toMatchObject({ ok: true, ruleSet: later.live.hash, left: 0 });
    expectAsRecorded(answer, 'now', await recorded(later, new Set(['a', 'd'])));
    expectAsRecorded(answer, 'before', await recorded(then, new Set(['a', 'b'])));
  });
});
