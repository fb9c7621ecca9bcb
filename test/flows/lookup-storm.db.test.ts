// 5000 events that all need the process detail, two instances, a platform that throttles and fails: all of them are
// decided, once, in order per process, and the platform's limit is kept. The clock is virtual.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { incomingApprover } from '../support/feishu.js';
import { TestLog } from '../support/log.js';
import { appAt, type DecidingInstance, decidingInstance } from '../support/lookups.js';

const TYPE = 'corehr.process.approver.updated_v2';
const APP_ID = 'cli_9f5343c580712544';
const EVENTS = 5000;
const PROCESSES = 250;
const WAVES = 4;
const catalogue = loadBuiltInCatalogue();

const FILES = new Map([
  ['lookups.json', JSON.stringify({ process: { type: 'feishu-process', id: '{{ event.process_id }}' } })],
  [
    'tell.rule.json',
    JSON.stringify({
      name: 'tell',
      trigger: TYPE,
      conditions: { all: [{ fact: 'lookup.process.flow_template_id', operator: 'equal', value: 'renewal' }] },
      actions: [
        { type: 'http', name: 'tell', url: 'https://a.example/', body: '{{ lookup.process.process_id }}' },
      ],
    }),
  ],
]);

describe('a storm of events that all need the process detail', () => {
  const clock = new TestClock();
  const log = new TestLog();
  const order: string[] = [];
  let database: TestDatabase;
  let dataSource: DataSource;
  let fake: FakeFeishu;
  let instances: DecidingInstance[];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: 'app-secret' }], clock });
    for (let n = 0; n < PROCESSES; n += 1)
      fake.processes.set(`p${n}`, { process_id: `p${n}`, status: 1, flow_template_id: 'renewal' });
    const decided = (eventId: string): void => {
      order.push(eventId);
    };
    instances = [0, 1].map(() =>
      decidingInstance(
        dataSource,
        catalogue,
        { apps: [appAt(fake.url, { appId: APP_ID })], decided },
        clock,
        log,
      ),
    );
    const { ruleSet } = await compileRuleSet(FILES, catalogue);
    await instances[0]!.ruleSets.offer(ruleSet!, FILES, 'change');
  });
  afterAll(async () => {
    await Promise.all(instances.map((one) => one.close()));
    await fake.stop();
    await database.drop();
  });

  async function push(numbers: readonly number[]): Promise<void> {
    await withPartitions(dataSource, clock.now());
    await Promise.all(
      numbers.map((n) => {
        const fields = { process_id: `p${n % PROCESSES}`, approver_id: `t${n}`, status: 3 };
        // The order of the numbers is that of the events of a process, whenever they arrive.
        return instances[n % 2]!.events.store(
          incomingApprover(catalogue, `e${n}`, START + n, fields, APP_ID),
        );
      }),
    );
  }
  const START = clock.now() - EVENTS;

  it('ends complete and in order per process, within the limit', async () => {
    const wave = EVENTS / WAVES;
    for (let at = 0; at < WAVES; at += 1) {
      // Backwards: within a wave no event arrives in the order in which it happened.
      await push(Array.from({ length: wave }, (_, n) => (at + 1) * wave - 1 - n));
      fake.faults.api.set('process', [
        { status: 500, headers: {}, body: {} },
        { status: 429, headers: { 'x-ogw-ratelimit-reset': '7' }, body: { code: 99991400, msg: 'slow' } },
        { status: 200, headers: {}, body: { code: 99991400, msg: 'slow, said in a 200' } },
      ]);
      for (let minute = 0; minute < 200 && order.length < (at + 1) * wave; minute += 1) {
        await Promise.all(
          instances.map(async ({ decisions, lookups }) => {
            for (let round = 0; round < 3; round += 1) {
              await decisions.drain();
              await lookups.drain();
            }
            await decisions.drain();
          }),
        );
        clock.advance(10_000);
      }
    }
    expect(order).toHaveLength(EVENTS);
    expect(new Set(order).size).toBe(EVENTS);
    const [counts] = await dataSource.query<Record<string, number>[]>(
      `select (select count(*)::int from event_keys where state = 'decided') as decided,
              (select count(*)::int from evaluations) as evaluations,
              (select count(*)::int from action_keys where state = 'pending') as deliveries,
              (select count(*)::int from lookups) as waiting`,
    );
    expect(counts).toEqual({ decided: EVENTS, evaluations: EVENTS, deliveries: EVENTS, waiting: 0 });

    const wrong: string[] = [];
    const last = new Map<number, number>();
    for (const eventId of order) {
      const n = Number(eventId.slice(1));
      if ((last.get(n % PROCESSES) ?? -1) > n) wrong.push(eventId);
      last.set(n % PROCESSES, n);
    }
    expect(wrong).toEqual([]);

    // Each of the two instances keeps to the limit; what both together have too much, the platform throttles.
    const asked = fake.calls.filter(({ api }) => api === 'process');
    const served = asked.filter(({ status, code }) => status === 200 && code === 0);
    for (const [index, { at }] of served.entries())
      expect((served[index + 100]?.at ?? Infinity) - at).toBeGreaterThanOrEqual(60_000);
    expect(served.length).toBeGreaterThanOrEqual(PROCESSES);
    expect(served.length).toBeLessThanOrEqual(2 * WAVES * PROCESSES);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
