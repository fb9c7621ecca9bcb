// Real PostgreSQL, the real platform client on a real socket against the fake Feishu; the clock is virtual.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { DeliveryStore } from '../../src/action/delivery-store.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { EventStore } from '../../src/events/event-store.js';
import type { DecisionWorker } from '../../src/rules/decision-worker.js';
import type { EvaluationStore } from '../../src/rules/evaluation-store.js';
import type { LookupFetcher } from '../../src/rules/lookup-fetcher.js';
import type { LookupWorker } from '../../src/rules/lookup-worker.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSetStore } from '../../src/rules/rule-set-store.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { until } from '../support/door.js';
import { incomingApprover } from '../support/feishu.js';
import { TestLog } from '../support/log.js';
import { appAt, decidingInstance } from '../support/lookups.js';

const TYPE = 'corehr.process.approver.updated_v2';
const APP_ID = 'cli_9f5343c580712544';
const SECRET = 'a-secret-of-the-app';
const SERVICE = `feishu-process:${APP_ID}`;
const catalogue = loadBuiltInCatalogue();

const LOOKUPS = {
  process: { type: 'feishu-process', id: '{{ event.process_id }}', task: '{{ event.approver_id }}' },
  user: { type: 'feishu-user', id: '{{ lookup.process.task.operator_id }}' },
};
/** Matches tasks that are done, and writes to who did them. */
const MAIL = {
  name: 'mail',
  trigger: TYPE,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [
    {
      type: 'http',
      name: 'tell',
      url: 'https://a.example/',
      body: { who: '{{ lookup.user.name }}', what: '{{ lookup.process.process_name.zh_cn }}' },
    },
  ],
};
/** Needs the process for its conditions. */
const RENEWAL = {
  name: 'renewal',
  trigger: TYPE,
  conditions: {
    all: [
      { fact: 'status', operator: 'equal', value: 2 },
      { fact: 'lookup.process.status', operator: 'equal', value: 1 },
    ],
  },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
};

describe('events that need an answer from outside', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let fake: FakeFeishu;
  let log: TestLog;
  let events: EventStore;
  let ruleSets: RuleSetStore;
  let evaluations: EvaluationStore;
  let deliveries: DeliveryStore;
  let decisions: DecisionWorker;
  let lookups: LookupWorker;
  let fetcher: LookupFetcher;
  let close: () => Promise<void>;
  /** Sender's ids of events, as they were decided. */
  let order: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptied(
      dataSource,
      'event_keys, events, evaluations, action_keys, deliveries, decisions_begun, rule_set_activations, rule_sets, lookups, notices',
    );
    clock = new TestClock();
    log = new TestLog();
    order = [];
    fake = await FakeFeishu.start({ apps: [{ appId: APP_ID, appSecret: SECRET }], clock });
    instance();
  });
  afterEach(async () => {
    await close();
    await fake.stop();
  });

  /** A service with nothing in its memory. */
  function instance(): void {
    const apps = [appAt(fake.url, { appId: APP_ID, appSecret: SECRET })];
    const decided = (eventId: string): void => {
      order.push(eventId);
    };
    ({ events, ruleSets, evaluations, deliveries, decisions, lookups, fetcher, close } = decidingInstance(
      dataSource,
      catalogue,
      { apps, decided },
      clock,
      log,
    ));
  }

  async function activate(rules: readonly object[], declared: object = LOOKUPS): Promise<string> {
    const files = new Map([
      ['lookups.json', JSON.stringify(declared)],
      ...rules.map((rule, n): [string, string] => [`${n}.rule.json`, JSON.stringify(rule)]),
    ]);
    const { ruleSet, findings } = await compileRuleSet(files, catalogue);
    if (!ruleSet) throw new Error(JSON.stringify(findings, null, 1));
    await ruleSets.offer(ruleSet, files, 'change');
    return ruleSet.hash;
  }

  async function store(
    eventId: string,
    changes: Record<string, unknown> = {},
    createTime: number = clock.now(),
  ): Promise<string> {
    await withPartitions(dataSource, clock.now());
    const fields = { status: 3, approver_id: 't1', process_id: 'p1', ...changes };
    const { id } = await events.store(incomingApprover(catalogue, eventId, createTime, fields, APP_ID));
    return id ?? '';
  }

  /** The platform's knowledge of a process with one done task. */
  function process(id: string, task = 't1', operator = 'ou_1'): void {
    fake.processes.set(id, {
      process_id: id,
      status: 1,
      process_name: { zh_cn: `流程 ${id}` },
      done_list: [{ approver_id: task, operator_id: operator, status: 3 }],
    });
    fake.users.set(operator, { open_id: operator, name: `${operator} 的名字` });
  }

  /** Decides and asks until both have nothing more to do at this time. */
  async function settle(): Promise<void> {
    for (;;) {
      await decisions.drain();
      await lookups.drain();
      const [left] = await dataSource.query<[{ n: number }]>(
        `select (select count(*) from event_keys where state = 'undecided')::int
              + (select count(*) from lookups where state = 'pending' and due_at <= $1 and service <> all($2))::int as n`,
        [new Date(clock.now()), fetcher.pauseOf(SERVICE) > 0 ? [SERVICE] : []],
      );
      if (left.n === 0) return;
    }
  }

  const stateOf = async (eventId: string): Promise<string | undefined> =>
    (
      await dataSource.query<{ state: string }[]>('select state from event_keys where event_id = $1', [
        eventId,
      ])
    )[0]?.state;
  const asked = (api: 'process' | 'user'): string[] =>
    fake.calls.filter((call) => call.api === api).map(({ path }) => /[^/?]+(?=\?)/.exec(path)?.[0] ?? path);
  const rowsLeft = async (): Promise<number> =>
    (await dataSource.query<[{ n: number }]>('select count(*)::int as n from lookups'))[0].n;

  it('waits for the answers, decides with them, and records them with the evaluation', async () => {
    await activate([MAIL]);
    process('p1');
    const id = await store('e1');
    await decisions.drain();
    expect(await stateOf('e1')).toBe('waiting');
    expect(order).toEqual([]);
    await settle();
    expect(await stateOf('e1')).toBe('decided');
    const [delivery] = await deliveries.findOfEvent(id);
    expect(delivery?.request?.content).toMatchObject({ body: { who: 'ou_1 的名字', what: '流程 p1' } });
    const evaluation = await evaluations.find(id, 'live');
    expect(evaluation?.inputs.lookups).toMatchObject({
      process: { value: { status: 1, task: { operator_id: 'ou_1', list: 'done_list' } } },
      user: { value: { open_id: 'ou_1' } },
    });
    expect(JSON.stringify(evaluation)).not.toContain(SECRET);
    expect(await rowsLeft()).toBe(0);
  });

  it('asks nobody for events that no rule needs an answer for', async () => {
    await activate([MAIL, RENEWAL]);
    await store('e1', { status: 1 });
    await decisions.drain();
    expect(await stateOf('e1')).toBe('decided');
    expect(fake.calls).toEqual([]);
    expect(await rowsLeft()).toBe(0);
  });

  it('asks for conditions, and not what only an action would need that does not go out', async () => {
    await activate([{ ...RENEWAL, actions: MAIL.actions }]);
    process('p1');
    fake.processes.set('p1', { ...fake.processes.get('p1'), status: 9 });
    const id = await store('e1', { status: 2 });
    await settle();
    expect(asked('process')).toEqual(['p1']);
    expect(asked('user')).toEqual([]);
    expect((await evaluations.find(id, 'live'))?.verdicts).toEqual([]);
  });

  it('holds up later events of the same process, not earlier ones and not those of others', async () => {
    await activate([MAIL]);
    process('p1');
    fake.faults.api.set('process', [
      { status: 429, headers: { 'x-ogw-ratelimit-reset': '30' }, body: { code: 99991400, msg: 'slow' } },
    ]);
    const start = clock.now();
    await store('a2', {}, start + 2);
    await settle();
    await store('a3', { status: 1 }, start + 3);
    await store('a1', { status: 1 }, start + 1);
    await store('b1', { status: 1, process_id: 'p2' }, start + 4);
    await settle();
    expect(order).toEqual(expect.arrayContaining(['a1', 'b1']));
    expect([await stateOf('a2'), await stateOf('a3')]).toEqual(['waiting', 'waiting']);
    clock.advance(29_000);
    await settle();
    expect(asked('process')).toHaveLength(1);
    clock.advance(1_000);
    await settle();
    expect(order.slice(-2)).toEqual(['a2', 'a3']);
    expect(await rowsLeft()).toBe(0);
  });

  it('hundreds that wait behind one come in their order, and what comes meanwhile behind them', async () => {
    await activate([MAIL]);
    process('p1');
    fake.faults.api.set('process', [{ status: 503, headers: {}, body: {} }]);
    const start = clock.now();
    await store('e000', {}, start);
    await settle();
    const names = Array.from({ length: 450 }, (_, n) => `e${String(n + 1).padStart(3, '0')}`);
    await Promise.all(names.map((name, n) => store(name, { status: 1 }, start + n + 1)));
    await settle();
    expect(order).toEqual([]);
    clock.advance(60_000);
    await lookups.drain();
    await store('late', { status: 1 }, start + 1000);
    await settle();
    expect(order).toEqual(['e000', ...names, 'late']);
  });

  it('an earlier event that needs an answer too is decided first, whichever answer comes first', async () => {
    await activate([MAIL]);
    process('p1');
    fake.faults.api.set('process', [
      { status: 503, headers: {}, body: {} },
      { status: 503, headers: {}, body: {} },
    ]);
    const start = clock.now();
    await store('late', {}, start + 2);
    await settle();
    await store('early', { approver_id: 't0' }, start + 1);
    await settle();
    expect(order).toEqual([]);
    for (let n = 0; n < 20; n += 1) {
      clock.advance(5_000);
      await settle();
    }
    expect(order).toEqual(['early', 'late']);
  });

  it('one answer serves all events that had come in before it was asked for, and no later one', async () => {
    await activate([
      { ...RENEWAL, conditions: { all: [{ fact: 'lookup.process.status', operator: 'equal', value: 1 }] } },
    ]);
    process('p1');
    for (let n = 0; n < 30; n += 1) await store(`e${n}`);
    clock.advance(1000);
    await settle();
    expect(asked('process')).toEqual(['p1']);
    clock.advance(1000);
    await store('later');
    await settle();
    expect(asked('process')).toEqual(['p1', 'p1']);
    expect(order).toHaveLength(31);
  });

  it('the tasks of a process share its detail', async () => {
    await activate([MAIL]);
    fake.processes.set('p1', {
      done_list: [1, 2, 3].map((n) => ({ approver_id: `t${n}`, operator_id: `ou_${n}`, status: 3 })),
      process_name: { zh_cn: '流程' },
    });
    for (const n of [1, 2, 3]) fake.users.set(`ou_${n}`, { open_id: `ou_${n}`, name: `名字 ${n}` });
    const ids = await Promise.all([1, 2, 3].map((n) => store(`e${n}`, { approver_id: `t${n}` })));
    await settle();
    expect(asked('process')).toEqual(['p1']);
    const sent = await Promise.all(ids.map((id) => deliveries.findOfEvent(id)));
    expect(sent.map(([one]) => (one?.request?.content as { body: { who: string } }).body.who)).toEqual([
      '名字 1',
      '名字 2',
      '名字 3',
    ]);
  });

  it('names are asked for once a day', async () => {
    await activate([MAIL]);
    process('p1');
    await store('e1');
    await settle();
    clock.advance(3_600_000);
    await store('e2');
    await settle();
    expect(asked('user')).toEqual(['ou_1']);
    expect(asked('process')).toEqual(['p1', 'p1']);
    clock.advance(24 * 3_600_000);
    await store('e3');
    await settle();
    expect(asked('user')).toEqual(['ou_1', 'ou_1']);
  });

  it('what cannot be had is unknown, with the cause; it is told, and whoever waits behind goes on', async () => {
    await activate([RENEWAL]);
    fake.faults.api.set('process', [
      { status: 403, headers: {}, body: { code: 99991672, msg: 'no permission' } },
    ]);
    const id = await store('e1', { status: 2 });
    await store('e2', { status: 1 }, clock.now() + 1);
    await settle();
    const evaluation = await evaluations.find(id, 'live');
    expect(evaluation?.verdicts).toEqual([
      { rule: 'renewal', verdict: 'unknown', missing: ['lookup.process.status'] },
    ]);
    expect(evaluation?.inputs.lookups).toMatchObject({
      process: { failed: { detail: expect.stringContaining('99991672') } },
    });
    expect(order).toEqual(['e1', 'e2']);
    expect(log.lines.filter(({ fields }) => fields['event'] === 'lookup.failed')).toHaveLength(1);
    const notices = 'select kind, subject, rules, json_object_keys(detail) as key from notices';
    expect(await dataSource.query(notices)).toEqual([
      { kind: 'lookup-failing', subject: 'process', rules: ['renewal'], key: 'code' },
    ]);
  });

  it('waits no longer than the look-up says', async () => {
    await activate([RENEWAL], { process: { ...LOOKUPS.process, within: '10m' } });
    fake.faults.api.set(
      'process',
      Array.from({ length: 500 }, () => ({ status: 500, headers: {}, body: {} })),
    );
    const id = await store('e1', { status: 2 });
    for (let n = 0; n < 19; n += 1) {
      await settle();
      clock.advance(30_000);
    }
    expect(await stateOf('e1')).toBe('waiting');
    await lookups.sweep();
    const told = log.lines.filter(({ fields }) => fields['event'] === 'lookup.waiting');
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^1 events wait for look-ups, the first since 2.*Z: HTTP_500: /),
    ]);
    clock.advance(60_000);
    await settle();
    expect((await evaluations.find(id, 'live'))?.inputs.lookups).toMatchObject({
      process: { failed: { code: 'LOOKUP_TIME_UP', detail: expect.stringContaining('within 600 s') } },
    });
  });

  it('does not wait for hours when a code inside a 200 may mean that there is nothing to be had', async () => {
    await activate([RENEWAL]);
    fake.faults.api.set(
      'process',
      Array.from({ length: 500 }, () => ({ status: 200, headers: {}, body: { code: 1254000, msg: 'no' } })),
    );
    const id = await store('e1', { status: 2 });
    await settle();
    clock.advance(30_000);
    await settle();
    expect(await stateOf('e1')).toBe('waiting');
    for (let n = 0; n < 3; n += 1) {
      clock.advance(30_000);
      await settle();
    }
    expect((await evaluations.find(id, 'live'))?.inputs.lookups).toMatchObject({
      process: { failed: { code: 'LOOKUP_TIME_UP', detail: expect.stringContaining('1254000') } },
    });
  });

  it('a detail that lags behind its event is asked for again, and then taken as it is', async () => {
    await activate([MAIL]);
    process('p1', 'another-task');
    const id = await store('e1');
    await settle();
    expect(await stateOf('e1')).toBe('waiting');
    process('p1', 't1');
    clock.advance(2_000);
    await settle();
    expect((await deliveries.findOfEvent(id))[0]?.state).toBe('pending');

    process('p2', 'another-task');
    const never = await store('e2', { process_id: 'p2' });
    await store('e3', { process_id: 'p2', approver_id: 't3' });
    const before = asked('process').length;
    for (let n = 0; n < 20; n += 1) {
      await settle();
      clock.advance(2_000);
    }
    expect(asked('process').length - before).toBeLessThan(10);
    const [delivery] = await deliveries.findOfEvent(never);
    expect(delivery).toMatchObject({ state: 'dead', code: 'TEMPLATE_VALUE_MISSING' });
  });

  it('stays within the limit of the process API, and a service that is slow holds up no other', async () => {
    await activate([MAIL]);
    fake.limits.delete('process');
    for (let n = 0; n < 150; n += 1) {
      process(`p${n}`);
      await store(`e${n}`, { process_id: `p${n}` });
    }
    await settle();
    expect(asked('process')).toHaveLength(100);
    clock.advance(59_999);
    await settle();
    expect(asked('process')).toHaveLength(100);
    clock.advance(1);
    await settle();
    expect(asked('process')).toHaveLength(150);
    expect(order).toHaveLength(150);
    expect(fake.calls.filter(({ status }) => status === 429)).toEqual([]);
  });

  it('what an instance was asking when it died is asked again, with what it had learnt', async () => {
    await activate([MAIL]);
    process('p1');
    fake.faults.api.set('user', [{ status: 500, headers: {}, body: {} }]);
    await store('e1');
    await settle();
    // Killed between two tries of the second look-up, in the middle of the next.
    await dataSource.query(
      `update lookups set state = 'fetching', attempt = attempt + 1, lease_until = now() - interval '1 s'`,
    );
    await close();
    instance();
    await lookups.sweep();
    clock.advance(120_000);
    await settle();
    expect(await stateOf('e1')).toBe('decided');
    expect(asked('process')).toEqual(['p1']);
  });

  it('an answer that comes after another instance has taken over changes nothing', async () => {
    await activate([MAIL], { ...LOOKUPS, process: { ...LOOKUPS.process, timeout: '200ms' } });
    process('p1');
    await store('e1');
    await decisions.drain();
    fake.faults.api.set('process', ['hang']);
    const slow = lookups.drain();
    await until(() => asked('process').length > 0);
    await dataSource.query(`update lookups set attempt = attempt + 1, answers = '{"taken": "over"}'`);
    await slow;
    expect(await dataSource.query('select state, attempt, answers from lookups')).toEqual([
      { state: 'fetching', attempt: 2, answers: { taken: 'over' } },
    ]);
  });

  it('a rule set that is activated meanwhile decides, and asks only what it needs', async () => {
    await activate([MAIL]);
    fake.faults.api.set('process', [{ status: 500, headers: {}, body: {} }]);
    process('p1');
    const id = await store('e1');
    await settle();
    const hash = await activate([
      { ...MAIL, actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }] },
    ]);
    clock.advance(60_000);
    await settle();
    const evaluation = await evaluations.find(id, 'live');
    expect(evaluation).toMatchObject({ ruleSet: hash, verdicts: [{ rule: 'mail', verdict: 'matched' }] });
    expect(evaluation?.inputs.lookups).toBeUndefined();
    expect(asked('user')).toEqual([]);
  });

  it('whoever waits behind an event that was put aside by hand is let go', async () => {
    await activate([MAIL]);
    fake.faults.api.set('process', [{ status: 500, headers: {}, body: {} }]);
    await store('e1');
    await settle();
    await store('e2', { status: 1 });
    await settle();
    await dataSource.query(`update event_keys set state = 'quarantined' where event_id = 'e1'`);
    await lookups.sweep();
    await settle();
    expect(order).toEqual(['e2']);
    expect(await rowsLeft()).toBe(0);
  });
});
