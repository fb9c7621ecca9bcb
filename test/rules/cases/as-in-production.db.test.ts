// Real PostgreSQL and the real workers on a clock that the test holds, beside the virtual room: the same stories, the same
// rules, and what comes of them compared as a whole.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { releaseOrdered } from '../../../src/action/delivery-store.js';
import { readableRequest, shownRequest } from '../../../src/action/readable-request.js';
import type { RenderedRequest } from '../../../src/action/action.js';
import type { StoredEvent } from '../../../src/events/event-store.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { CaseRunner } from '../../../src/rules/cases/case-runner.js';
import { caseEvent } from '../../../src/rules/cases/case-event.js';
import { foundCase } from '../../../src/rules/cases/case-files.js';
import type { StepDocument } from '../../../src/rules/cases/case-document.js';
import type { CaseResult } from '../../../src/rules/cases/case-result.js';
import { VirtualRoom } from '../../../src/rules/cases/virtual-room.js';
import type { DecisionInputs } from '../../../src/rules/decide.js';
import type { RuleSet } from '../../../src/rules/rule-set.js';
import { stateThen } from '../../../src/rules/state/state-then.js';
import { TestClock } from '../../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../../support/database.js';
import { EVERY_GATE, EVERY_GATE_FILES } from '../../support/every-gate.js';
import { RulesRoom } from '../../support/rules.js';
import { incomingStory } from '../../support/story-events.js';
import { arrivalsOf, randomOf, type StoryEvent, taskStories } from '../../support/task-stories.js';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2, 1);
const END = BEGIN + 220 * HOUR;
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const TASKS = 60;
const catalogue = loadBuiltInCatalogue();

interface Arrival {
  readonly at: number;
  readonly story: StoryEvent;
}

/** Anything that came of the stories, as a text that can be compared. */
type Outcome = string;

/** The tasks of an entity come in no order when a schedule has its turn. */
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((one) => JSON.stringify(one)).sort()
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, sorted(one)]))
      : value;
const shownOf = (request: RenderedRequest | null): unknown => sorted(readableRequest(shownRequest(request)));
const iso = (at: number): string => new Date(at).toISOString();

/**
 * One after the other, each at a time of its own: which of two events of one millisecond is the later one, is told in the
 * database by the random part of their ids.
 */
function arrivals(): readonly Arrival[] {
  let last = 0;
  return arrivalsOf(taskStories(TASKS, BEGIN + 3 * HOUR, randomOf(seed), 60_000))
    .flatMap(({ at, events }) => events.map((story) => ({ at, story })))
    .map(({ at, story }) => ({ at: (last = Math.max(at, last + 1)), story }))
    .filter(({ at }) => at < END);
}

const bodyOf = (story: StoryEvent): Readonly<Record<string, unknown>> =>
  JSON.parse(incomingStory(catalogue, story).raw.toString()) as Readonly<Record<string, unknown>>;

describe(`${TASKS} tasks under rules with every gate (seed ${seed})`, () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let ruleSet: RuleSet;
  let inEarnest: { readonly deliveries: Outcome[]; readonly ledger: Outcome[] };

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    await emptyRulesRoom(dataSource);
    await withPartitions(dataSource, BEGIN);
    const clock = new TestClock(BEGIN);
    const room = new RulesRoom(dataSource, clock, { calendar: 'cn' });
    ruleSet = await room.activate(EVERY_GATE, EVERY_GATE_FILES);
    inEarnest = await new RealStory(dataSource, room, clock).run(arrivals());
    await room.close();
  }, 300_000);
  afterAll(() => database.drop());

  it('send, hold and put off in the virtual room what the workers do, each at its time', async () => {
    const virtual = await virtualStory(ruleSet);
    expect(inEarnest.deliveries.length).toBeGreaterThan(200);
    expect(virtual.deliveries).toEqual(inEarnest.deliveries);
  }, 60_000);

  it('have the same evaluations in the ledger, with the causes of what was not sent', async () => {
    const virtual = await virtualStory(ruleSet);
    expect(inEarnest.ledger.length).toBeGreaterThan(200);
    expect(virtual.ledger).toEqual(inEarnest.ledger);
    const causes = new Set(virtual.ledger.flatMap((one) => one.match(/"cause":"[a-z-]+"/g) ?? []));
    expect(causes.size).toBeGreaterThanOrEqual(7);
    for (const occasion of ['live', 'step:nag:soon', 'step:nag-at-work:work'])
      expect(virtual.ledger.some((one) => one.includes(`"occasion":"${occasion}"`))).toBe(true);
  }, 60_000);

  it('have for each event the state that its evaluation recorded, when it is made again of the stored events', async () => {
    const events = await dataSource.query<(StoredEvent & { inputs: DecisionInputs })[]>(
      `select e.id, e.received_at as "receivedAt", e.origin, e.event_id as "eventId", e.event_type as "eventType",
              e.create_time as "createTime", e.root_entity as "rootEntity", e.raw, e.content, e.transport,
              e.erased_at as "erasedAt", v.inputs
         from events e join evaluations v on v.event_id = e.id and v.occasion = 'live'
        where e.root_entity is not null`,
    );
    const decided = events.map((event) => ({ event, decidedAt: event.inputs.now }));
    const byEntity = Map.groupBy(decided, ({ event }) => event.rootEntity);
    let compared = 0;
    for (const about of decided) {
      const { facts } = stateThen(ruleSet.catalogue, about, byEntity.get(about.event.rootEntity) ?? []);
      const recorded = about.event.inputs.state ?? {};
      expect({ id: about.event.eventId, ...pick(facts, Object.keys(recorded)) }).toEqual({
        id: about.event.eventId,
        ...recorded,
      });
      compared += Object.keys(recorded).length;
    }
    expect(compared).toBeGreaterThan(200);
  }, 60_000);

  it('come out the same as one case of a file', async () => {
    const result = await asCase(ruleSet);
    expect(result.failures).toEqual([]);
    const sent = result.deliveries.map(({ rule, action, at, state, code, request }) =>
      JSON.stringify([rule, action, iso(at), state, code, sorted(request)]),
    );
    expect(sent.sort()).toEqual(inEarnest.deliveries);
    for (const state of ['sent', 'held'])
      expect(result.deliveries.some((one) => one.state === state)).toBe(true);
    // Every turn and every event was judged.
    const turns = result.judged.filter(({ eventType }) => eventType === 'aftersign.schedule');
    expect(turns.length).toBeGreaterThan(10);
    expect(result.judged.length - turns.length).toBe(arrivals().length);
  }, 60_000);
});

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

/** The workers, and a clock that goes from one thing that is due to the next. */
class RealStory {
  /** By id, when a delivery went out. */
  private readonly out = new Map<string, number>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly room: RulesRoom,
    private readonly clock: TestClock,
  ) {}

  async run(
    events: readonly Arrival[],
  ): Promise<{ readonly deliveries: Outcome[]; readonly ledger: Outcome[] }> {
    for (const { at, story } of events) {
      await this.passUntil(at);
      await this.room.store(incomingStory(catalogue, story));
      await this.happen();
    }
    await this.passUntil(END);
    return { deliveries: await this.deliveries(), ledger: await this.ledger() };
  }

  private async passUntil(until: number): Promise<void> {
    for (;;) {
      const [{ next }] = await this.dataSource.query<[{ next: Date | null }]>(
        `select min(due_at) as next from (
           select due_at from timers where state = 'armed'
           union all select due_at from schedules
           union all select due_at from digests where state = 'open'
           union all select due_at from action_keys where state = 'deferred' and deferred_for = 'quiet-hours') as d`,
      );
      if (next === null || next.getTime() > until) break;
      this.clock.advance(Math.max(0, next.getTime() - this.clock.now()));
      await this.happen();
    }
    this.clock.advance(until - this.clock.now());
  }

  /** All that is due, and everything that is sent arrives at once. */
  private async happen(): Promise<void> {
    const now = this.clock.now();
    await this.room.settle();
    await this.room.deliveries.releaseDeferred(now, 1000);
    for (;;) {
      const [sent] = await this.dataSource.query<[{ id: string; key: string | null }[], number]>(
        `update action_keys set state = 'delivered' where state = 'pending' returning id, order_key as key`,
      );
      if (sent.length === 0) return;
      for (const { id } of sent) this.out.set(id, now);
      await releaseOrdered(
        this.dataSource.manager,
        sent.flatMap(({ key }) => key ?? []),
        now,
      );
    }
  }

  private async deliveries(): Promise<Outcome[]> {
    const rows = await this.dataSource.query<
      {
        id: string;
        rule: string;
        action: string;
        state: string;
        code: string | null;
        created: Date;
        request: RenderedRequest;
      }[]
    >(
      `select k.id, d.rule, d.action, k.state, k.code, d.created_at as created, d.request
         from action_keys k join deliveries d on d.id = k.id where k.state in ('delivered', 'held', 'dead')`,
    );
    return rows
      .map(({ id, rule, action, state, code, created, request }) => {
        const at = this.out.get(id) ?? created.getTime();
        const outcome = state === 'delivered' ? 'sent' : state;
        return JSON.stringify([rule, action, iso(at), outcome, code, shownOf(request)]);
      })
      .sort();
  }

  private async ledger(): Promise<Outcome[]> {
    const rows = await this.dataSource.query<
      { event: string; occasion: string; at: Date; verdicts: unknown; asked: unknown; turn: unknown }[]
    >(
      `select e.event_id as event, v.occasion, v.decided_at as at, v.verdicts, v.asked, v.inputs->'turn' as turn
         from evaluations v join events e on e.id = v.event_id`,
    );
    return rows.map(({ at, ...row }) => outcomeOf({ ...row, at: at.getTime() })).sort();
  }
}

function outcomeOf(one: {
  readonly event: string;
  readonly occasion: string;
  readonly at: number;
  readonly verdicts: unknown;
  readonly asked: unknown;
  readonly turn: unknown;
}): Outcome {
  const { event, occasion, at, verdicts, asked, turn } = one;
  return JSON.stringify({ event, occasion, at: iso(at), verdicts, asked: asked ?? null, turn: turn ?? null });
}

async function virtualStory(
  ruleSet: RuleSet,
): Promise<{ readonly deliveries: Outcome[]; readonly ledger: Outcome[] }> {
  const room = new VirtualRoom(ruleSet, { timezone: 'Asia/Shanghai', calendar: 'cn' });
  const names = new Map<string, string>();
  const seen = new Set<string>();
  let now = BEGIN;
  room.begin(now);
  for (const [index, { at, story }] of arrivals().entries()) {
    await room.advance(now, at);
    now = at;
    const event = caseEvent({ event: bodyOf(story) }, { catalogue, number: index + 1, now, eventTypes: [] });
    if (seen.has(event.subject.key)) continue;
    seen.add(event.subject.key);
    names.set(event.id, story.eventId);
    await room.receive(now, [event]);
    await room.advance(now, now);
  }
  await room.advance(now, END);
  const deliveries = room.deliveries.flatMap(({ at, delivery: { rule, action, state, code, request } }) => {
    const outcome = state === 'pending' ? 'sent' : state;
    return at === null ? [] : JSON.stringify([rule, action, iso(at), outcome, code, shownOf(request)]);
  });
  const ledger = room.ledger.map(({ eventId, occasion, at, verdicts, asked, inputs, turnOf }) => {
    const event = turnOf === null ? (names.get(eventId) ?? '') : `${turnOf}@${iso(at)}`;
    return outcomeOf({ event, occasion, at, verdicts, asked, turn: inputs.turn });
  });
  return { deliveries: deliveries.sort(), ledger: ledger.sort() };
}

async function asCase(ruleSet: RuleSet): Promise<CaseResult> {
  const steps: StepDocument[] = [
    ...arrivals().flatMap(({ at, story }): StepDocument[] => [
      { advance: iso(at) },
      { event: bodyOf(story) },
    ]),
    { advance: iso(END) },
  ];
  const file = { now: iso(BEGIN), calendar: 'cn' };
  const one = foundCase({ name: 'all', steps, verdicts: {} }, file, {
    file: 'a.cases.json',
    line: 1,
    beside: [],
  });
  return await new CaseRunner(ruleSet, { timezone: 'Asia/Shanghai', calendar: null }).run(one);
}
