// Real PostgreSQL, the real rules room and platform client on a real socket against the fake Feishu; the clock is virtual.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { FakeFeishu } from '../../../src/cli/fake-feishu/fake-feishu.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import type { Suppression } from '../../../src/rules/evaluation-store.js';
import type { MissingEvent } from '../../../src/rules/radar/missing-events.js';
import type { Reconciled } from '../../../src/rules/radar/reconciler.js';
import { syntheticEvent } from '../../../src/rules/radar/synthetic-event.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, emptied, emptyRulesRoom, type TestDatabase } from '../../support/database.js';
import { appAt } from '../../support/lookups.js';
import { RulesRoom } from '../../support/rules.js';

const APP_ID = 'cli_a';
const HOUR = 3_600_000;
const TASK_TYPE = 'corehr.process.approver.updated_v2';
const catalogue = loadBuiltInCatalogue();
const rule = (name: string, status: number, trigger = TASK_TYPE): object => ({
  name,
  trigger,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: status }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
});

describe('an event that is made up for a lost one', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let fake: FakeFeishu;
  let room: RulesRoom;
  /** When the stories begin, ms. */
  let t0: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    await emptied(dataSource, 'radar_findings, radar_hours, radar_asked, reconciled_events');
    await dataSource.query('update radar_progress set computed_at = null, counted_until = null, looked = 0');
    clock = new TestClock();
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'app-secret' }], clock });
    room = new RulesRoom(dataSource, clock, { apps: [appAt(fake.url, { appId: APP_ID })] });
    await room.activate([rule('begun', 1), rule('done', 3), rule('over', 9, 'corehr.process.*')], {
      'owners.json': { '*': { tell: [{ type: 'http', url: 'https://ops.example/' }] } },
    });
    await room.processEvent({ process_id: 'first', status: 9 });
    await room.settle();
    clock.advance(HOUR);
    t0 = clock.now();
  });
  afterEach(async () => {
    await room.close();
    await fake.stop();
  });

  const task = async (status: number, at: number, more: object = {}, eventId?: string): Promise<string> => {
    const id = await room.approver({ process_id: '7', approver_id: '71', status, ...more }, at, eventId);
    await room.settle();
    return id;
  };
  const detail = (more: object): void => {
    fake.processes.set('7', { process_id: '7', status: 1, todos: [], done_list: [], ...more });
  };
  const done = (at: number, more: object = {}): object => ({
    approver_id: '71',
    type: 1,
    status: 3,
    node_definition_id: 'n',
    create_time: String(t0),
    complete_time: String(at),
    ...more,
  });
  const ask = async (dryRun = false): Promise<Reconciled> => {
    const { scan, reconciler } = room.radarRoom;
    const suspect = await scan.find('process:7', catalogue);
    if (!suspect || !reconciler) throw new Error('there is nobody to ask');
    const result = await reconciler.run(suspect, catalogue, { dryRun });
    await room.settle();
    return result;
  };
  const sent = async (): Promise<string[]> =>
    (
      await dataSource.query<{ rule: string; cause: string }[]>(
        `select rule, cause from deliveries where entity = 'process:7'`,
      )
    )
      .map((row) => `${row.rule} ${row.cause.slice(row.cause.indexOf('/') + 1)}`)
      .sort();
  const causesOf = async (id: string): Promise<string[]> =>
    ((await room.stores.evaluations.find(id, 'live'))?.verdicts ?? [])
      .filter((one): one is Suppression => 'cause' in one && 'action' in one)
      .map(({ cause }) => cause);

  it('has the form of those around it, its time from the platform, and rules see it', async () => {
    await task(3, t0 + HOUR, { biz_type: 'transfer', node_id: '900', extra: 'kept' });
    detail({ done_list: [done(t0 + HOUR)] });
    clock.advance(2 * HOUR);
    const { outcome, made } = await ask();
    expect([outcome, made.map(({ eventId }) => eventId)]).toEqual(['healed', ['reconcile:7:71:1']]);
    const stored = await room.events.find(made[0]?.id ?? '');
    expect(JSON.parse(stored?.raw.toString() ?? '')).toMatchObject({
      schema: '2.0',
      header: {
        event_id: 'reconcile:7:71:1',
        event_type: TASK_TYPE,
        app_id: APP_ID,
        create_time: String(t0),
      },
      event: {
        process_id: '7',
        approver_id: '71',
        status: 1,
        biz_type: 'transfer',
        node_id: '900',
        extra: 'kept',
      },
    });
    expect([stored?.source, stored?.origin, stored?.rootEntity]).toEqual([
      'reconcile',
      `feishu:${APP_ID}`,
      'process:7',
    ]);
    expect(await sent()).toContain('begun reconcile:7:71:1');
    expect(await ask()).toMatchObject({ outcome: 'agrees', made: [] });
  });

  it('and the genuine one that comes after it are one cause', async () => {
    await task(1, t0, {}, 'e1');
    detail({ done_list: [done(t0 + HOUR)] });
    clock.advance(2 * HOUR);
    await ask();
    const genuine = await task(3, t0 + HOUR + 2000, {}, 'e3');
    expect(await sent()).toEqual(['begun e1', 'done reconcile:7:71:3']);
    expect(await causesOf(genuine)).toEqual(['already-sent']);
    // Opened again and done again within the hour: that is something new.
    await task(1, t0 + HOUR + 60_000, {}, 'e4');
    await task(3, t0 + HOUR + 120_000, {}, 'e5');
    expect(await sent()).toEqual(['begun e1', 'begun e4', 'done e5', 'done reconcile:7:71:3']);
  });

  it('and the genuine one that was decided before it are one cause, whichever comes again', async () => {
    const sibling = await task(1, t0, {}, 'e1');
    const missing: MissingEvent = {
      eventType: TASK_TYPE,
      task: {
        id: '71',
        status: 3,
        createdAt: t0,
        endedAt: t0 + HOUR,
        nodeDefinition: null,
        type: 1,
        system: false,
      },
      status: 3,
      at: t0 + HOUR,
    };
    const event = syntheticEvent(missing, await room.events.findMany([sibling]), catalogue);
    if (!event) throw new Error('nothing was made');
    clock.advance(2 * HOUR);
    // Between the question and the answer the genuine one comes in.
    await task(3, t0 + HOUR, {}, 'e3');
    const { origin, eventId } = event;
    await room.stores.reconciled.announce(
      dataSource.manager,
      [{ origin, eventId, entity: 'process:7' }],
      clock.now(),
    );
    const synthetic = await room.store(event);
    await room.settle();
    expect(await sent()).toEqual(['begun e1', 'done e3']);
    expect(await causesOf(synthetic)).toEqual(['already-sent']);
    expect((await room.stores.evaluations.find(synthetic, 'live'))?.inputs.cause).toBe(`feishu:${APP_ID}/e3`);
  });

  it('tells the end of a process once for each type of event about it that comes in', async () => {
    await task(1, t0, {}, 'e1');
    detail({ status: 9, complete_time: String(t0 + HOUR), done_list: [done(t0 + HOUR)] });
    clock.advance(2 * HOUR);
    await room.radarRoom.radar.hours.count(clock.now());
    const { made } = await ask();
    expect(made.map(({ eventId }) => eventId)).toEqual([
      'reconcile:7:71:3',
      'reconcile:7:corehr.process.updated_v2:9',
    ]);
    await room.processEvent({ process_id: '7', status: 9 }, t0 + HOUR, 'e9');
    await room.settle();
    expect(await sent()).toEqual([
      'begun e1',
      'done reconcile:7:71:3',
      'over reconcile:7:corehr.process.updated_v2:9',
    ]);
  });

  it('is only told of in a dry run, and not made of what is on its way or was before anybody listened', async () => {
    await task(3, t0 + HOUR);
    detail({ done_list: [done(t0 + HOUR)] });
    clock.advance(2 * HOUR);
    expect(await ask(true)).toMatchObject({ outcome: 'healed', made: [{ status: 1, id: null }] });
    expect(await dataSource.query('select 1 from radar_asked')).toEqual([]);
    detail({ done_list: [done(t0 + HOUR, { create_time: String(t0 - 24 * HOUR) })] });
    expect(await ask()).toMatchObject({ outcome: 'agrees', made: [] });
    detail({
      done_list: [done(t0 + HOUR)],
      todos: [{ approver_id: '72', create_time: String(clock.now() - 1000) }],
    });
    expect((await ask()).made.map(({ task: of }) => of)).toEqual(['71']);
  });

  it('is no finding; what the platform does not name is one, and the owners are told of it once', async () => {
    const found = async (): Promise<unknown[]> =>
      await dataSource.query(
        `select subject, state, told_at is not null as told, detail->'asked'->>'outcome' as asked from radar_findings where kind = 'lost-events'`,
      );
    await task(3, t0 + HOUR);
    detail({});
    clock.advance(9 * HOUR);
    await room.radar.drain();
    expect(await found()).toEqual([]);
    clock.advance(HOUR);
    await room.radar.drain();
    expect(await found()).toEqual([{ subject: 'process:7', state: 'open', told: true, asked: 'not-listed' }]);
    clock.advance(2 * HOUR);
    await room.radar.drain();
    await room.settle();
    expect(await dataSource.query('select kind, state from notices')).toEqual([
      { kind: 'lost-events', state: 'told' },
    ]);
    // Asked again after some hours, and now the platform knows.
    detail({ done_list: [done(t0 + HOUR)] });
    clock.advance(6 * HOUR);
    await room.radar.drain();
    await room.settle();
    clock.advance(HOUR);
    await room.radar.drain();
    expect(await found()).toEqual([{ subject: 'process:7', state: 'gone', told: true, asked: 'not-listed' }]);
  });

  it('is left for later when the platform takes no more questions, and told when nobody can ask', async () => {
    await task(3, t0 + HOUR);
    detail({ done_list: [done(t0 + HOUR)] });
    clock.advance(9 * HOUR);
    fake.limits.set('process', { max: 0, perMs: 60_000 });
    await room.radar.drain();
    expect(await dataSource.query('select 1 from radar_asked')).toEqual([]);
    const alone = new RulesRoom(dataSource, clock);
    clock.advance(HOUR);
    await alone.radar.drain();
    const [row] = await dataSource.query<{ detail: object }[]>('select detail from radar_findings');
    expect(row?.detail).toMatchObject({
      entity: 'process:7',
      signs: [{ sign: 'never-begun', of: 'task:71', status: 3 }],
      asked: null,
    });
    await alone.close();
  });
});
