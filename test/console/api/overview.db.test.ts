// The real service, its database, a receiver that refuses; and the service alone on a clock that the test holds.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { SystemClock } from '../../../src/config/clock.js';
import { OVERVIEW, type Overview } from '../../../src/console/api/overview.schema.js';
import { OverviewService } from '../../../src/console/api/overview.service.js';
import { DepthGauge } from '../../../src/console/health/depths.js';
import { NextList } from '../../../src/console/read/next-list.js';
import { createTestDatabase } from '../../support/database.js';
import { until } from '../../support/door.js';
import {
  CANARIES,
  openSeeded,
  SEEDED_TYPE,
  type SeededConsole,
  visitPush,
} from '../../support/seeded-console.js';
import { insertTimer, insertUnsettled } from '../../support/state-rows.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { RuleSetStore } from '../../../src/rules/rule-set-store.js';
import { TestClock } from '../../support/clock.js';
import { TestLog } from '../../support/log.js';

const HOUR = 3_600_000;
const OPERATOR = { name: 'o', role: 'operator', means: 'token', userId: null, address: null } as const;

let seeded: SeededConsole;
/** The time as it is, and as much later as a test says. */
class AheadClock extends SystemClock {
  private ahead = 0;
  override now(): number {
    return super.now() + this.ahead;
  }
  advance(ms: number): void {
    this.ahead += ms;
  }
}
const clock = new AheadClock();
beforeAll(async () => {
  seeded = await openSeeded({}, clock);
}, 120_000);
afterAll(() => seeded.close());

async function overview(role: 'viewer' | 'operator' = 'operator'): Promise<Overview> {
  const answer = await seeded.console.get(role, '/overview');
  return OVERVIEW.parse(answer);
}
/** When everything is counted anew. */
async function later(ms = 61_000): Promise<Overview> {
  clock.advance(ms);
  return await overview();
}
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('the overview', () => {
  it('tells of what came in, what it led to, and which rules are live', async () => {
    const told = await overview();
    expect(told.minutes).toHaveLength(60);
    expect(sum(told.minutes.map(({ events }) => events))).toBe(1);
    const rows = await seeded.console.dataSource.query<{ matched: number; deliveries: number }[]>(
      `select (select sum(matched)::int from evaluations) as matched, (select count(*)::int from deliveries) as deliveries`,
    );
    expect(sum(told.minutes.map(({ matches }) => matches))).toBe(rows[0]?.matched);
    expect(sum(told.minutes.map(({ deliveries }) => deliveries))).toBe(rows[0]?.deliveries);
    expect(sum(told.minutes.map(({ failed }) => failed))).toBeGreaterThan(0);
    expect(told.ruleSet).toMatchObject({ number: 1, actor: null });
    expect(told.needsPerson).toMatchObject({ quarantined: 0, unknown: 0, findings: { error: 0 } });
    expect(told.needsPerson.dead).toBe(told.states.dead);
    expect(told.states.dead).toBeGreaterThan(0);
  });

  it('tells of the day and the rules as soon as they are counted', async () => {
    await until(async () => {
      const { lastDay, ruleSet } = await later(5000);
      return lastDay !== null && ruleSet?.rules !== null;
    });
    const { lastDay, minutes, states, ruleSet } = await overview();
    expect(ruleSet?.rules).toBe(5);
    expect(lastDay).toMatchObject({
      events: 1,
      matches: sum(minutes.map(({ matches }) => matches)),
      deliveries: sum(minutes.map(({ deliveries }) => deliveries)),
    });
    expect(states.delivered).toBe(lastDay?.delivered);
  });

  it('is counted once in some seconds, also when many ask at the same time', async () => {
    const { dataSource } = seeded.console;
    const still = new TestClock(Date.now());
    const catalogue = new LiveCatalogue(dataSource, loadBuiltInCatalogue());
    const alone = new OverviewService(dataSource, {
      clock: still,
      catalogue,
      ruleSets: new RuleSetStore(dataSource, loadBuiltInCatalogue(), catalogue, still),
      depths: new DepthGauge(dataSource, still, new TestLog()),
      findings: () => null,
    });
    const [one, ...others] = await Promise.all(Array.from({ length: 8 }, () => alone.show(OPERATOR)));
    for (const other of others) expect(other).toBe(one);
    still.advance(2999);
    expect(await alone.show(OPERATOR)).toBe(one);
    still.advance(1);
    expect(await alone.show(OPERATOR)).not.toBe(one);
    // A process that reads no rule files cannot say what is wrong with them.
    expect(one?.needsPerson.findings).toBeNull();
  });

  it('says so when the database does not say how much waits', async () => {
    const { dataSource } = seeded.console;
    const catalogue = new LiveCatalogue(dataSource, loadBuiltInCatalogue());
    const late = new OverviewService(dataSource, {
      clock,
      catalogue,
      ruleSets: new RuleSetStore(dataSource, loadBuiltInCatalogue(), catalogue, clock),
      depths: { now: () => Promise.resolve(null), known: () => Promise.resolve(null) },
      findings: () => [],
    });
    await expect(late.show(OPERATOR)).rejects.toMatchObject({ status: 503, code: 'OVERVIEW_LATE' });
  });

  it('counts what needs a person', async () => {
    const { dataSource } = seeded.console;
    const now = clock.now();
    const before = (await later()).needsPerson;
    await insertUnsettled(dataSource, now - HOUR);
    for (const age of [HOUR, 30 * HOUR]) {
      await dataSource.query(
        `insert into notices (id, kind, subject, rules, detail, state, created_at)
         values ($1, 'brake-held', 'rule:a', '{}', '{}', 'nobody', $2)`,
        [uuidv7({ msecs: now - age }), new Date(now - age)],
      );
      await dataSource.query('select ensure_partitions($1::date, $1::date)', [new Date(now - age)]);
      await dataSource.query(
        `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, errors)
         values ($1, 'live', now(), 'x', '[]', '{}', 1)`,
        [uuidv7({ msecs: now - age })],
      );
    }
    for (const state of ['held', 'cancelled'])
      await dataSource.query(
        `insert into action_keys (key, id, state, due_at, updated_at, rule, action, target)
         values ($1, $2, $3, now(), now(), 'r', 'a', 'http:a')`,
        [randomUUID(), uuidv7({ msecs: now }), state],
      );
    const { needsPerson, states } = await later();
    expect(needsPerson).toMatchObject({
      unknown: before.unknown + 1,
      // Of the last 24 hours.
      errors: before.errors + 1,
      untold: before.untold + 1,
      held: before.held + 1,
    });
    expect(states).toMatchObject({ held: 1, cancelled: 1 });
  });

  it('tells of drift: the shape of events that the catalogue does not know, never a personal value', async () => {
    const { console } = seeded;
    await console.push(
      visitPush({
        status: 18,
        extra: CANARIES.name,
        employee_id: 7,
        contact: { city: 'x', phone: 1, fax: 2 },
      }),
    );
    await console.push(visitPush({}, { event_type: 'hr.visit.moved_v1' }));
    const { drift } = (await later()).needsPerson;
    const told = drift.map(({ eventType, kind, field, value, count }) => [
      eventType,
      kind,
      field,
      value,
      count,
    ]);
    expect(told.sort()).toEqual(
      [
        [SEEDED_TYPE, 'unknown field', 'contact.fax', null, 1],
        [SEEDED_TYPE, 'unknown field', 'extra', null, 1],
        [SEEDED_TYPE, 'unknown value', 'status', '18', 1],
        [SEEDED_TYPE, 'wrong type', 'contact.phone', null, 1],
        [SEEDED_TYPE, 'wrong type', 'employee_id', null, 1],
        ['hr.visit.moved_v1', 'unknown type', null, null, 1],
      ].sort(),
    );
    expect(drift.find(({ field }) => field === 'status')?.label).toEqual({ zh: 'status', en: 'status' });
    expect(JSON.stringify(drift)).not.toContain('canary');
  });

  it('names no person of what goes out next to viewers', async () => {
    const id = await insertTimer(seeded.console.dataSource, clock.now(), {
      entity: `employee:${CANARIES.employee}`,
      dueAt: clock.now() + HOUR,
    });
    const next = (told: Overview) => told.next.find((one) => one.id === id);
    expect(next(await later())).toMatchObject({ what: 'step', entity: `employee:${CANARIES.employee}` });
    expect(next(await overview('viewer'))).toMatchObject({
      what: 'step',
      name: '24h',
      entity: 'employee:•••',
    });
    expect(JSON.stringify(await overview('viewer'))).not.toContain('canary');
  });

  it('is for those who are signed in', async () => {
    expect((await seeded.console.ask(null, '/overview')).status).toBe(401);
  });
});

describe('what goes out next', () => {
  it('is by time whatever it is, without what waits for another of its order', async () => {
    // Of its own: a service at work would let go what is overdue.
    const database = await createTestDatabase();
    const dataSource = await database.open();
    const now = clock.now();
    const deferred = async (waits: string, due: number): Promise<string> => {
      const id = uuidv7({ msecs: now });
      await dataSource.query(
        `insert into action_keys (key, id, state, deferred_for, due_at, updated_at, rule, action, target)
         values ($1, $2, 'deferred', $3, $4, now(), 'r', 'tell', 'http:a')`,
        [randomUUID(), id, waits, new Date(now + due)],
      );
      return id;
    };
    for (let n = 0; n < 30; n += 1) await deferred('order', -n * 1000);
    const digest = await deferred('digest', 2 * HOUR);
    const quiet = await deferred('quiet-hours', 4 * HOUR);
    const overdue = await deferred('quiet-hours', -HOUR);
    const step = await insertTimer(dataSource, now, { dueAt: now + HOUR, step: 'remind' });
    await insertTimer(dataSource, now, { dueAt: now + HOUR, state: 'finished', subject: 'task:2' });
    await dataSource.query(`insert into schedules (rule, plan, due_at) values ('daily', 'p', $1)`, [
      new Date(now + 3 * HOUR),
    ]);
    const list = new NextList(dataSource);
    const rows = (await list.list(now, 12)).map(({ what, rule, name, id }) => [what, rule, name, id]);
    expect(rows).toEqual([
      ['delivery', 'r', 'tell', overdue],
      ['step', 'remind', 'remind', step],
      ['digest', 'r', 'tell', digest],
      ['schedule', 'daily', null, null],
      ['delivery', 'r', 'tell', quiet],
    ]);
    expect(await list.list(now, 2)).toHaveLength(2);
    await database.drop();
  });
});
