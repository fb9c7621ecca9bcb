// Real PostgreSQL, the real rules room and the services of the API, without HTTP; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Actor } from '../../../src/config/access.js';
import { AuditLog } from '../../../src/console/access/audit-log.js';
import { ACT_FILTER, type ManyActBody } from '../../../src/console/api/deliveries.schema.js';
import { DeliveryActs } from '../../../src/console/api/delivery-acts.js';
import { ReportService } from '../../../src/console/api/report.service.js';
import { EditedRedrive } from '../../../src/console/edited-redrive.js';
import { Balance } from '../../../src/console/read/balance.js';
import { DeliverySelection } from '../../../src/console/read/delivery-selection.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { TestClock } from '../../support/clock.js';
import {
  createTestDatabase,
  emptyRulesRoom,
  type TestDatabase,
  withPartitions,
  emptied,
} from '../../support/database.js';
import { RulesRoom } from '../../support/rules.js';

const TYPE = 'corehr.process.approver.updated_v2';
const HOUR = 3_600_000;
const BY: Actor = { name: 'ann', role: 'operator', means: 'token', userId: null, address: null };
const tell = (more: object = {}): object => ({
  type: 'http',
  name: 'tell',
  url: 'https://a.example/x',
  ...more,
});
const rule = (more: object = {}): object => ({
  name: 'tell',
  trigger: TYPE,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [tell()],
  ...more,
});

let database: TestDatabase;
let dataSource: DataSource;
let clock: TestClock;
let room: RulesRoom;
let acts: DeliveryActs;
let report: ReportService;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await database.open();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptyRulesRoom(dataSource);
  await emptied(dataSource, 'audit_log');
  // Monday 2 November 2026, 17:00 in Shanghai.
  clock = new TestClock();
  await withPartitions(dataSource, clock.now());
  room = new RulesRoom(dataSource, clock);
  const { events, deliveries, stores } = room;
  const parts = {
    deliveries,
    catalogue: new LiveCatalogue(dataSource, loadBuiltInCatalogue()),
    audit: new AuditLog(dataSource, clock),
    clock,
  };
  const edited = new EditedRedrive(dataSource, {
    events,
    evaluations: stores.evaluations,
    ruleSets: stores.ruleSets,
  });
  acts = new DeliveryActs(dataSource, new DeliverySelection(dataSource), edited, parts);
  report = new ReportService(new Balance(dataSource), clock);
});

const many = (what: Parameters<DeliveryActs['many']>[1], body: Partial<ManyActBody>) =>
  acts.many(BY, what, { filter: { rule: 'tell' }, dryRun: false, limit: 1000, ...body });
const rows = () =>
  dataSource.query<{ id: string; state: string; code: string | null; target: string; rule: string }[]>(
    'select id, state, code, target, rule from action_keys order by id',
  );
const audited = () =>
  dataSource.query<{ action: string; detail: Record<string, unknown> }[]>(
    'select action, detail from audit_log order by id',
  );
const setTo = (state: string, code: string | null = null, where = 'true'): Promise<unknown> =>
  dataSource.query(`update action_keys set state = $1, code = $2 where ${where}`, [state, code]);
const decide = async (count: number, changes: object = {}): Promise<void> => {
  for (let at = 0; at < count; at += 1)
    await room.approver({ status: 3, approver_id: `a${at}`, process_id: `p${at}`, ...changes });
  await room.settle();
};

describe('an act on many deliveries', () => {
  it('takes those in its states that the filter finds, and writes one line for each batch', async () => {
    await room.activate([rule(), rule({ name: 'other' })]);
    await decide(3);
    await setTo('dead', 'HTTP_503', `rule = 'tell'`);
    expect(await many('redrive', { dryRun: true, filter: { code: 'HTTP_503' } })).toEqual({
      matched: 3,
      done: 0,
      skipped: [],
      next: null,
    });
    expect(await many('redrive', { filter: { code: 'HTTP_500' } })).toMatchObject({ matched: 0, done: 0 });
    expect(await audited()).toEqual([]);
    const filter = { code: 'HTTP_503', kind: 'http' as const, entity: 'process:p1' };
    expect(await many('redrive', { filter, reason: 'mended' })).toMatchObject({ matched: 1, done: 1 });
    expect(await audited()).toEqual([
      { action: 'delivery.redrive', detail: { count: 1, filter, reason: 'mended' } },
    ]);
    const states = (await rows()).map((one) => `${one.rule} ${one.state}`).sort();
    expect(states).toEqual([
      'other pending',
      'other pending',
      'other pending',
      'tell dead',
      'tell dead',
      'tell pending',
    ]);
  });

  it('takes only those in the state that the filter names', async () => {
    await room.activate([rule(), rule({ name: 'other' })]);
    await decide(2);
    await setTo('dead', 'HTTP_503', `rule = 'tell'`);
    await setTo('held', 'BRAKE_BUDGET', `rule = 'other'`);
    const filter = { kind: 'http' as const };
    const reason = 'not needed';
    expect(await many('discard', { filter, dryRun: true, reason })).toMatchObject({ matched: 4 });
    expect(await many('discard', { filter: { ...filter, state: 'pending' }, reason })).toMatchObject({
      matched: 0,
    });
    expect(await many('discard', { filter: { ...filter, state: 'held' }, reason })).toMatchObject({
      done: 2,
    });
    expect((await rows()).map((one) => `${one.rule} ${one.state}`).sort()).toEqual([
      'other cancelled',
      'other cancelled',
      'tell dead',
      'tell dead',
    ]);
    expect(ACT_FILTER.safeParse({ state: 'held' }).success).toBe(false);
    expect(ACT_FILTER.safeParse({ state: 'held', kind: 'http' }).success).toBe(true);
  });

  it('goes on behind what it has looked at, whatever became of that', async () => {
    await room.activate([rule()]);
    await decide(5);
    await setTo('dead');
    await dataSource.query(
      `update deliveries set request = 'null' where id = (select min(id::text)::uuid from deliveries)`,
    );
    const first = await many('redrive', { limit: 2 });
    expect(first).toMatchObject({
      matched: 5,
      done: 1,
      skipped: [{ code: 'DELIVERY_NOT_RENDERED', count: 1 }],
    });
    const rest = await many('redrive', { cursor: first.next ?? '' });
    expect(rest).toEqual({ matched: 3, done: 3, skipped: [], next: null });
    expect((await rows()).map(({ state }) => state)).toEqual(['dead', ...Array<string>(4).fill('pending')]);
  });
});

describe('an edited redrive', () => {
  const replaced = async (): Promise<[old: string, next: string]> => {
    const [old] = await rows();
    return [old?.id ?? '', await acts.one(BY, old?.id ?? '', 'redrive', { edited: true, reason: 'new url' })];
  };

  it("renders today's action from the facts of then, in a generation of its own", async () => {
    await room.activate([rule()]);
    await decide(1);
    await setTo('dead', 'HTTP_404');
    clock.advance(HOUR);
    await room.activate([
      rule({
        // Its conditions would not hold any more: nothing is evaluated again.
        conditions: { all: [{ fact: 'status', operator: 'equal', value: 4 }] },
        actions: [tell({ url: 'https://b.example/{{ event.approver_id }}', body: '{{ now }}' })],
      }),
    ]);
    const [old, next] = await replaced();
    const found = await room.deliveries.findMany([old, next]);
    expect(found.find(({ id }) => id === old)).toMatchObject({
      state: 'cancelled',
      code: 'REPLACED',
      reason: `replaced by ${next}`,
    });
    expect(found.find(({ id }) => id === next)).toMatchObject({
      state: 'pending',
      target: 'http:b.example',
      occasion: 'live',
      request: { content: { url: 'https://b.example/a0', body: '2026-11-02T09:00:00.000Z' } },
    });
    expect(await audited()).toEqual([
      { action: 'delivery.redrive', detail: { edited: true, by: next, reason: 'new url' } },
    ]);
    expect(await report.tell(BY, {})).toMatchObject({
      balanced: true,
      total: { asked: 1, deliveries: 1, states: { cancelled: 1 } },
      beside: { edited: { deliveries: 1, states: { pending: 1 } } },
    });
  });

  it('renders a step of an escalation by the time at which it was due', async () => {
    const ladder = (url: string): object =>
      rule({
        actions: undefined,
        escalate: { per: 'task', steps: [{ name: 'late', after: '1h', actions: [tell({ url })] }] },
      });
    await room.activate([ladder('https://a.example/x')]);
    await decide(1);
    clock.advance(HOUR);
    await room.settle();
    await setTo('dead');
    clock.advance(HOUR);
    await room.activate([ladder('https://b.example/{{ event.approver_id }}?{{ now }}')]);
    const [, next] = await replaced();
    const [made] = await room.deliveries.findMany([next]);
    expect(made).toMatchObject({ occasion: 'step:tell:late', target: 'http:b.example' });
    expect(JSON.stringify(made?.request)).toContain('https://b.example/a0?2026-11-02T10%3A00');
  });

  it('is refused when the action is gone, or what it was decided from, or a value is missing', async () => {
    await room.activate([rule()]);
    await decide(1);
    await setTo('dead');
    const [one] = await rows();
    const refused = (code: string) =>
      expect(acts.one(BY, one?.id ?? '', 'redrive', { edited: true })).rejects.toMatchObject({
        status: 409,
        code,
      });
    await room.activate([rule({ actions: [tell({ name: 'renamed' })] })]);
    await refused('REDRIVE_RULE_GONE');
    await room.activate(
      [
        rule({
          actions: [
            tell({ url: "https://b.example/{{ event.comment | default: '' }}", body: '{{ lookup.x.y }}' }),
          ],
        }),
      ],
      {
        'lookups.json': { x: { type: 'http', url: 'https://c.example/' } },
      },
    );
    await refused('REDRIVE_NOT_RENDERED');
    await room.activate([rule()]);
    await dataSource.query('update events set erased_at = now()');
    await refused('REDRIVE_FACTS_GONE');
    await setTo('pending');
    await refused('DELIVERY_STATE');
    expect(await audited()).toEqual([]);
    expect(await rows()).toHaveLength(1);
  });

  it('is for many too, and leaves those that have no facts', async () => {
    await room.activate([
      rule({ digest: { window: '1m' }, actions: [tell({ body: '{{ items }}' })], name: 'gathers' }),
      rule(),
    ]);
    await decide(2);
    clock.advance(HOUR);
    await room.settle();
    await setTo('dead', 'HTTP_404');
    expect(await many('redrive', { filter: { code: 'HTTP_404' }, edited: true })).toEqual({
      matched: 3,
      done: 2,
      skipped: [{ code: 'REDRIVE_FACTS_GONE', count: 1 }],
      next: null,
    });
    expect(await audited()).toMatchObject([{ detail: { count: 2, edited: true } }]);
  });
});

describe('the report over a database', () => {
  it('is even over deliveries, steps, digests and suppressions, and sees what is missing', async () => {
    await room.activate([
      rule({
        escalate: { per: 'task', steps: [{ after: '1h', actions: [tell(), tell({ name: 'again' })] }] },
      }),
      rule({ name: 'gathers', digest: { window: '1m' }, actions: [tell({ body: '{{ items }}' })] }),
      rule({ name: 'once', oncePer: 'process', actions: [tell(), tell({ name: 'b' })] }),
      rule({ name: 'rare', throttle: { max: 1, per: '1d' } }),
    ]);
    await decide(3, { process_id: 'p' });
    clock.advance(2 * HOUR);
    await room.settle();
    const told = await report.tell(BY, { since: new Date(clock.now() - 3 * HOUR) });
    expect(told.rules).toMatchObject([
      { rule: 'gathers', asked: 3, deliveries: 0, suppressed: { digest: 3 }, difference: 0 },
      { rule: 'once', asked: 6, deliveries: 2, suppressed: { 'once-per': 4 }, difference: 0 },
      { rule: 'rare', asked: 3, deliveries: 1, suppressed: { throttle: 2 }, difference: 0 },
      { rule: 'tell', asked: 9, deliveries: 9, suppressed: {}, difference: 0 },
    ]);
    expect(told).toMatchObject({ balanced: true, beside: { digests: { deliveries: 1 } } });
    expect(told.uncounted).toEqual({ evaluations: 0, deliveries: 0 });
    const one = (await rows()).find((row) => row.rule === 'tell');
    await dataSource.query(
      `insert into attempts (delivery_id, attempt, started_at, outcome, detail, answer, ambiguous)
       values ($1, 1, now(), 'lost', '', '', true), ($1, 2, now(), 'retry', '', '', true), ($1, 3, now(), 'delivered', '', '', false)`,
      [one?.id],
    );
    expect((await report.tell(BY, {})).attempts).toEqual({ total: 3, ambiguous: 2, lost: 1 });
    await dataSource.query('delete from deliveries where id = $1', [one?.id]);
    expect(await report.tell(BY, {})).toMatchObject({ balanced: false, total: { difference: 1 } });
    // Of before it was counted nothing is claimed.
    await dataSource.query('update evaluations set asked = null');
    expect(await report.tell(BY, {})).toMatchObject({ balanced: true, total: { asked: 0, deliveries: 0 } });
    const outside = { since: new Date(clock.now() - HOUR), until: new Date(clock.now()) };
    expect(await report.tell(BY, outside)).toMatchObject({ rules: [], attempts: { total: 0 } });
  });
});
