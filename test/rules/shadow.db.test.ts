// Real PostgreSQL and the real workers on a clock that the test holds: every rule has a twin in shadow mode, and what comes
// of both is compared.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { Suppression } from '../../src/rules/evaluation-store.js';
import { TestClock } from '../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
} from '../support/database.js';
import { EVERY_GATE, EVERY_GATE_FILES } from '../support/every-gate.js';
import { RulesRoom } from '../support/rules.js';
import { incomingStory } from '../support/story-events.js';
import { arrivalsOf, randomOf, taskStories } from '../support/task-stories.js';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2, 1);
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** More of them take longer: some 0.3 s each. */
const TASKS = Number(process.env['SHADOW_TASKS'] ?? 16);
const TYPE = 'corehr.process.approver.updated_v2';
const catalogue = loadBuiltInCatalogue();

const shadowOf = (rule: object): object => {
  const { name } = rule as { name: string };
  return { ...rule, name: `${name}-shadow`, mode: 'shadow', shadowOf: name };
};

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let room: RulesRoom;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
});
afterAll(() => database.drop());

const sent = async (): Promise<{ readonly rule: string; readonly line: string }[]> => {
  const rows = await dataSource.query<Row[]>(
    `select d.rule, d.action, d.target, d.entity, d.cause, d.occasion, d.created_at as decided, k.due_at as due,
            k.state, k.code, d.request::text as request
       from deliveries d join action_keys k on k.id = d.id`,
  );
  return rows.map((row) => ({ rule: row.rule, line: lineOf(row) }));
};
const recorded = async (): Promise<{ readonly rule: string; readonly line: string }[]> => {
  const rows = await dataSource.query<Row[]>(
    `select rule, action, target, entity, cause, occasion, decided_at as decided, due_at as due, state, code,
            request::text as request from shadow_deliveries`,
  );
  return rows.map((row) => ({ rule: row.rule, line: lineOf(row) }));
};
const linesOf = (rows: readonly { readonly rule: string; readonly line: string }[], rule: string): string[] =>
  rows.flatMap((one) => (one.rule === rule ? one.line : [])).sort();

interface Row {
  readonly rule: string;
  readonly action: string;
  readonly target: string;
  readonly entity: string;
  readonly cause: string;
  readonly occasion: string;
  readonly decided: Date;
  readonly due: Date;
  readonly state: string;
  readonly code: string | null;
  readonly request: string;
}

/** Everything but the name of the rule. Nothing is sent in between, so a delivery stands as it was decided. */
function lineOf({ rule, action, target, entity, cause, occasion, decided, due, state, code, request }: Row) {
  const own = (text: string): string => text.replaceAll('-shadow@', '@');
  // A second rule that is settled by one event has an occasion of its own.
  const step = occasion.replace(`step:${rule}:`, 'step:').replace(/^settle:.*/, 'settle');
  // What waits for its order or for the end of quiet hours would go then.
  const stands =
    state === 'deferred' || state === 'pending' ? 'goes' : state === 'gathering' ? 'goes' : state;
  const times = [decided.toISOString(), due.toISOString()];
  return JSON.stringify([action, target, entity, own(cause), step, ...times, stands, code, request]);
}

describe(`${TASKS} tasks under rules with every gate, each with a twin in shadow mode (seed ${seed})`, () => {
  const names = EVERY_GATE.map((rule) => (rule as { name: string }).name);
  let live: { readonly rule: string; readonly line: string }[];
  let shadow: { readonly rule: string; readonly line: string }[];

  beforeAll(async () => {
    await emptyRulesRoom(dataSource);
    await withPartitions(dataSource, BEGIN);
    clock = new TestClock(BEGIN);
    room = new RulesRoom(dataSource, clock, { calendar: 'cn' });
    await room.activate([...EVERY_GATE, ...EVERY_GATE.map(shadowOf)], EVERY_GATE_FILES);
    const stories = taskStories(TASKS, BEGIN + 3 * HOUR, randomOf(seed), 60_000);
    for (const { at, events } of arrivalsOf(stories)) {
      await passUntil(at);
      for (const story of events) await room.store(incomingStory(catalogue, story));
      await room.settle();
    }
    await passUntil(clock.now() + 40 * HOUR);
    live = await sent();
    shadow = await recorded();
    await room.close();
  }, 300_000);

  async function passUntil(until: number): Promise<void> {
    for (;;) {
      const [{ next }] = await dataSource.query<[{ next: Date | null }]>(
        `select min(due_at) as next from (
           select due_at from timers where state = 'armed'
           union all select due_at from schedules
           union all select due_at from digests where state = 'open') as d`,
      );
      if (next === null || next.getTime() > until) break;
      clock.advance(Math.max(0, next.getTime() - clock.now()));
      await room.settle();
    }
    clock.advance(Math.max(0, until - clock.now()));
  }

  it.each(names)('%s: what is recorded is what its twin sends', (name) => {
    expect(linesOf(shadow, `${name}-shadow`)).toEqual(linesOf(live, name));
  });

  it('sends nothing of them, and makes nothing that could be sent', async () => {
    expect(live.length).toBeGreaterThan(60);
    expect(live.filter(({ rule }) => rule.endsWith('-shadow'))).toEqual([]);
    const [{ keys, notices }] = await dataSource.query<[{ keys: number; notices: number }]>(
      `select (select count(*)::int from action_keys where rule like '%-shadow') as keys,
              (select count(*)::int from notices where rules::text like '%-shadow%') as notices`,
    );
    expect([keys, notices]).toEqual([0, 0]);
  });

  it('has the same causes in the ledger, and as many of them as actions were asked for', async () => {
    const rows = await dataSource.query<
      { verdicts: (Suppression | { rule: string })[]; asked: Record<string, number> | null }[]
    >('select verdicts, asked from evaluations');
    const counts = new Map<string, number>();
    const note = (key: string, times = 1): void => void counts.set(key, (counts.get(key) ?? 0) + times);
    for (const { verdicts, asked } of rows) {
      for (const [rule, count] of Object.entries(asked ?? {})) note(`${rule} asked`, count);
      for (const one of verdicts)
        if ('cause' in one && 'action' in one) note(`${one.rule} ${one.cause}`, one.times);
    }
    const of = (rule: string, cause: string): number => counts.get(`${rule} ${cause}`) ?? 0;
    const OWN = ['when', 'once-per', 'throttle', 'quiet-hours', 'already-sent', 'silence'];
    for (const name of names) {
      const twin = `${name}-shadow`;
      const found = (rule: string): number[] => ['asked', ...OWN].map((cause) => of(rule, cause));
      expect([name, found(twin)]).toEqual([name, found(name)]);
      const others = OWN.reduce((sum, cause) => sum + of(twin, cause), 0);
      expect([name, of(twin, 'shadow')]).toEqual([name, of(twin, 'asked') - others]);
    }
    const suppressed = names.flatMap((name) => OWN.map((cause) => of(`${name}-shadow`, cause)));
    expect(suppressed.filter((count) => count > 0).length).toBeGreaterThan(3);
  });
});

describe('what is wrong with a rule in shadow mode', () => {
  const done = { all: [{ fact: 'status', operator: 'equal', value: 3 }] };
  const rule = (name: string, more: object = {}): object => ({
    name,
    trigger: TYPE,
    conditions: done,
    actions: [{ type: 'http', name: 'a', url: 'https://a.example/{{ event.approver_id }}' }],
    ...more,
  });
  const shadow = (name: string, more: object = {}): object =>
    rule(name, { mode: 'shadow', shadowOf: 'tell', ...more });

  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    clock = new TestClock();
    await withPartitions(dataSource, clock.now());
    room = new RulesRoom(dataSource, clock);
  });

  const suppressions = async (id: string): Promise<object[]> =>
    ((await room.stores.evaluations.find(id, 'live'))?.verdicts ?? []).filter((one) => 'action' in one);

  it('keeps no other from being sent when it cannot be rendered', async () => {
    // A mailbox that may not come from an event.
    const far = [
      {
        type: 'email',
        name: 'a',
        to: ['{{ event.biz_type }}'],
        allowRecipientFromEvent: ['example.com'],
        subject: 'done',
        text: 'done',
      },
    ];
    await room.activate([rule('tell'), shadow('tell-new', { actions: far })]);
    const id = await room.approver({ approver_id: 't1', status: 3, biz_type: 'mallory@elsewhere.example' });
    await room.settle();
    expect(await sent()).toHaveLength(1);
    const [one] = await dataSource.query<{ state: string; code: string; request: unknown }[]>(
      'select state, code, request from shadow_deliveries',
    );
    expect(one).toMatchObject({ state: 'dead', request: null });
    expect(one?.code).toMatch(/^[A-Z_]+$/);
    expect(await suppressions(id)).toEqual([{ rule: 'tell-new', action: 'a', cause: 'shadow' }]);
    // Nobody is told of it.
    expect(await dataSource.query('select 1 from notices')).toEqual([]);
  });

  it('keeps no other from being sent when the database refuses its rows, and the ledger says so', async () => {
    await room.activate([
      rule('tell'),
      shadow('good'),
      shadow('refused', { throttle: { max: 5, per: '1h' }, oncePer: 'task' }),
    ]);
    // Stands for whatever the database may not take.
    await dataSource.query(`alter table shadow_keys add constraint refused check (rule <> 'refused')`);
    try {
      const ids = [
        await room.approver({ approver_id: 't1', status: 3 }),
        await room.approver({ approver_id: 't2', status: 3 }),
      ];
      await room.settle();
      expect((await sent()).map((one) => one.rule)).toEqual(['tell', 'tell']);
      expect((await recorded()).map((one) => one.rule)).toEqual(['good', 'good']);
      for (const id of ids) {
        expect(await suppressions(id)).toEqual(
          expect.arrayContaining([
            { rule: 'good', action: 'a', cause: 'shadow' },
            { rule: 'refused', action: 'a', cause: 'shadow', by: 'not recorded' },
          ]),
        );
      }
      // What it would have used up was taken back with it.
      expect(await dataSource.query('select rule from throttles')).toEqual([]);
      expect(await dataSource.query('select rule from once_keys')).toEqual([]);
    } finally {
      await dataSource.query('alter table shadow_keys drop constraint refused');
    }
  });

  it('keeps no other from being sent when the table is not there at all', async () => {
    await room.activate([rule('tell'), shadow('tell-new')]);
    await dataSource.query('alter table shadow_keys rename to elsewhere');
    try {
      await room.approver({ approver_id: 't1', status: 3 });
      await room.settle();
      expect(await sent()).toHaveLength(1);
    } finally {
      await dataSource.query('alter table elsewhere rename to shadow_keys');
    }
    expect(await recorded()).toEqual([]);
  });

  it('waits for nobody longer than a moment: what others hold of it is given up, and the live rule sends', async () => {
    await room.activate([rule('tell'), shadow('tell-new', { throttle: { max: 5, per: '1h' } })]);
    const other = dataSource.createQueryRunner();
    await other.startTransaction();
    try {
      await other.query('lock table shadow_keys in access exclusive mode');
      await room.approver({ approver_id: 't1', status: 3 });
      await room.settle();
      expect(await sent()).toHaveLength(1);
    } finally {
      await other.rollbackTransaction();
      await other.release();
    }
    expect([await recorded(), await dataSource.query('select 1 from throttles')]).toEqual([[], []]);
  });

  it('asks for no look-up that live rules do not need, and says which it lacks', async () => {
    const files = { 'lookups.json': { user: { type: 'feishu-user', id: '{{ event.approver_id }}' } } };
    const asks = { all: [{ fact: 'lookup.user.name', operator: 'equal', value: 'Ann' }] };
    const told = [{ type: 'http', name: 'a', url: 'https://a.example/', body: '{{ lookup.user.name }}' }];
    await room.activate(
      [rule('tell'), shadow('by-conditions', { conditions: asks }), shadow('by-template', { actions: told })],
      files,
    );
    const id = await room.approver({ approver_id: 't1', status: 3 });
    await room.decisions.drain();
    expect(await dataSource.query('select 1 from lookups')).toEqual([]);
    expect(await sent()).toHaveLength(1);
    expect((await room.stores.evaluations.find(id, 'live'))?.verdicts).toEqual([
      { rule: 'by-conditions', verdict: 'unknown', missing: ['lookup.user.name'] },
      { rule: 'by-template', verdict: 'unknown', missing: ['lookup.user'] },
      { rule: 'tell', verdict: 'matched' },
    ]);
  });

  it('begins with clean gates when it becomes a live one, and keeps its ladders', async () => {
    const more = {
      oncePer: 'process',
      escalate: {
        per: 'task',
        steps: [{ after: '2h', actions: [{ type: 'http', name: 's', url: 'https://a.example/' }] }],
      },
    };
    await room.activate([rule('tell'), shadow('tell-new', more)]);
    await room.approver({ approver_id: 't1', status: 3 });
    await room.settle();
    await room.activate([rule('tell', { enabled: false }), rule('tell-new', more)]);
    clock.advance(1);
    await room.approver({ approver_id: 't2', status: 3 });
    await room.settle();
    clock.advance(3 * HOUR);
    await room.settle();
    const rows = await dataSource.query<{ rule: string; action: string; cause: string }[]>(
      'select rule, action, entity from deliveries order by id',
    );
    expect(rows.map(({ rule: name, action }) => `${name} ${action}`)).toEqual([
      'tell a',
      'tell-new a',
      'tell-new s',
      'tell-new s',
    ]);
  });

  it('gathers nothing that is sent when it becomes a live one', async () => {
    const gathers = {
      digest: { window: '1h' },
      actions: [{ type: 'http', name: 'a', url: 'https://a.example/', body: '{{ items }}' }],
    };
    await room.activate([rule('tell'), shadow('tell-new', gathers)]);
    await room.approver({ approver_id: 't1', status: 3 });
    await room.settle();
    expect((await recorded()).map(({ line }) => line.includes('digest:'))).toEqual([true]);
    await room.activate([rule('tell', { enabled: false }), rule('tell-new', gathers)]);
    clock.advance(2 * HOUR);
    await room.settle();
    expect(await dataSource.query('select state, code from shadow_deliveries')).toEqual([
      { state: 'cancelled', code: 'RULE_GONE' },
    ]);
    expect(await sent()).toHaveLength(1);
  });
});
