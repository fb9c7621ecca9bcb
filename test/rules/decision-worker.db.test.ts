// Real PostgreSQL and json-rules-engine; the clock is virtual. Where a test needs a decision to fail, only that is replaced.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { DeliveryStore } from '../../src/action/delivery-store.js';
import { Metrics } from '../../src/config/metrics.js';
import { Partitions } from '../../src/database/partitions.js';
import { Catalogue, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { EventStore } from '../../src/events/event-store.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { decide } from '../../src/rules/decide.js';
import { DecisionWorker } from '../../src/rules/decision-worker.js';
import { MAX_CRASHES } from '../../src/rules/event-taker.js';
import { EvaluationStore } from '../../src/rules/evaluation-store.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { RuleStores, storesOf } from '../../src/rules/rule-stores.js';
import { RuleSetStore } from '../../src/rules/rule-set-store.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { incomingApprover } from '../support/feishu.js';
import { TestLog } from '../support/log.js';
import { lookupsWith } from '../support/lookups.js';

const TYPE = 'corehr.process.approver.updated_v2';
const clock = new TestClock();
const catalogue: Catalogue = loadBuiltInCatalogue();
const RULE = {
  name: 'tell',
  trigger: TYPE,
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 3 }] },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/{{ event.process_id }}' }],
};

describe('the decision worker', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let events: EventStore;
  let ruleSets: RuleSetStore;
  let evaluations: EvaluationStore;
  let deliveries: DeliveryStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptied(
      dataSource,
      'entity_states, entity_tasks, timers, unsettled, once_keys, throttles, event_keys, events, evaluations, action_keys, deliveries, decisions_begun, rule_set_activations, rule_sets',
    );
    const wakeup = new Wakeup(dataSource);
    events = new EventStore(dataSource, await withPartitions(dataSource, clock.now()), wakeup, clock);
    ruleSets = new RuleSetStore(dataSource, catalogue, new LiveCatalogue(dataSource, catalogue), clock);
    evaluations = new EvaluationStore(dataSource);
    deliveries = new DeliveryStore(dataSource, wakeup);
  });

  const log = new TestLog();
  function workerOf(replaced?: typeof decide): DecisionWorker {
    const ways = lookupsWith(dataSource, {}, clock, log);
    const live = new LiveCatalogue(dataSource, catalogue);
    const rules = new RuleStores(dataSource, {
      builtIn: catalogue,
      live,
      clock,
      deliveries,
      timezone: 'Asia/Shanghai',
    });
    return new DecisionWorker(
      dataSource,
      { ...storesOf(rules), events, ruleSets, deliveries, partitions: new Partitions(dataSource) },
      ways,
      {
        timezone: 'Asia/Shanghai',
        wakeup: new Wakeup(dataSource),
        clock,
        log,
        metrics: new Metrics(),
        ...(replaced ? { decide: replaced } : {}),
      },
    );
  }

  async function activate(...rules: object[]): Promise<string> {
    const files = new Map(rules.map((rule, index) => [`${index}.rule.json`, JSON.stringify(rule)]));
    const { ruleSet, findings } = await compileRuleSet(files, catalogue);
    if (!ruleSet) throw new Error(JSON.stringify(findings));
    await ruleSets.offer(ruleSet, files, 'start');
    return ruleSet.hash;
  }

  async function store(
    changes: Record<string, unknown> = {},
    eventId: string = randomUUID(),
    createTime = clock.now(),
  ): Promise<string> {
    const { id } = await events.store(incomingApprover(catalogue, eventId, createTime, changes, 'cli_a'));
    return id ?? '';
  }

  const stateOf = async (id: string): Promise<unknown> =>
    (await dataSource.query<{ state: string }[]>('select state from event_keys where id = $1', [id]))[0]
      ?.state;

  it('writes the evaluation and the deliveries, and names the rule set and what it read', async () => {
    const hash = await activate(RULE, {
      ...RULE,
      name: 'unsure',
      conditions: { all: [{ fact: 'node_id_str', operator: 'equal', value: '1' }] },
    });
    const matched = await store({ status: 3 });
    const other = await store({ status: 1 });
    await workerOf().drain();
    expect(await evaluations.find(matched, 'live')).toEqual({
      eventId: matched,
      occasion: 'live',
      ruleSet: hash,
      verdicts: [
        { rule: 'tell', verdict: 'matched' },
        { rule: 'unsure', verdict: 'unknown', missing: ['node_id_str'] },
      ],
      inputs: { now: clock.now(), timezone: 'Asia/Shanghai' },
    });
    expect(await deliveries.findOfEvent(matched)).toEqual([
      expect.objectContaining({ rule: 'tell', action: 'tell', target: 'http:a.example', state: 'pending' }),
    ]);
    expect((await evaluations.find(other, 'live'))?.verdicts).toEqual([
      { rule: 'unsure', verdict: 'unknown', missing: ['node_id_str'] },
    ]);
    expect(await deliveries.findOfEvent(other)).toEqual([]);
    expect([await stateOf(matched), await stateOf(other)]).toEqual(['decided', 'decided']);
  });

  it('lets events wait while there is no rule set', async () => {
    const id = await store({ status: 3 });
    await workerOf().drain();
    expect(await stateOf(id)).toBe('undecided');
    await activate(RULE);
    await workerOf().drain();
    expect(await stateOf(id)).toBe('decided');
  });

  it('decides an event that has waited for a month', async () => {
    const id = await store({ status: 3 });
    await activate(RULE);
    clock.advance(31 * 86_400_000);
    await workerOf().drain();
    expect(await deliveries.findOfEvent(id)).toHaveLength(1);
  });

  it('decides the events of one entity by create time, then status order, then id, whatever the order of arrival', async () => {
    await activate(RULE);
    const t = clock.now();
    await store({ status: 3 }, 'e-late', t + 5);
    await store({ status: 3 }, 'e-done', t);
    await store({ status: 1 }, 'e-todo-b', t);
    await store({ status: 1 }, 'e-todo-a', t);
    await store({ status: 1 }, 'e-early', t - 5);
    const seen: string[] = [];
    await workerOf((ruleSet, subject, inputs) => {
      seen.push(subject.key);
      return decide(ruleSet, subject, inputs);
    }).drain();
    expect(seen.map((key) => key.replace('feishu:cli_a/', ''))).toEqual([
      'e-early',
      'e-todo-a',
      'e-todo-b',
      'e-done',
      'e-late',
    ]);
  });

  it('decides each event once, by several instances at the same time', async () => {
    await activate(RULE);
    await Promise.all(
      Array.from({ length: 600 }, (_, n) => store({ status: 3, process_id: String(n % 50) })),
    );
    const seen: string[] = [];
    const counting: typeof decide = (ruleSet, subject, inputs) => {
      seen.push(subject.key);
      return decide(ruleSet, subject, inputs);
    };
    await Promise.all(
      [workerOf(counting), workerOf(counting), workerOf(counting)].map((worker) => worker.drain()),
    );
    await workerOf(counting).drain();
    expect(seen).toHaveLength(600);
    expect(new Set(seen).size).toBe(600);
    expect(await dataSource.query('select count(*)::int as n from evaluations')).toEqual([{ n: 600 }]);
    expect(await dataSource.query('select count(*)::int as n from action_keys')).toEqual([{ n: 600 }]);
  });

  it('puts an event aside that cannot be decided, with the reason, and decides the others', async () => {
    await activate(RULE);
    const good = await store({ status: 3 });
    const bad = await store({ status: 3 }, 'poison');
    const after = await store({ status: 3 });
    await workerOf((ruleSet, subject, inputs) =>
      subject.key.endsWith('poison')
        ? Promise.reject(new Error('a bug of ours'))
        : decide(ruleSet, subject, inputs),
    ).drain();
    expect([await stateOf(good), await stateOf(bad), await stateOf(after)]).toEqual([
      'decided',
      'quarantined',
      'decided',
    ]);
    expect(await events.findByKey('feishu:cli_a', 'poison')).toMatchObject({
      reason: expect.stringContaining('a bug of ours'),
    });
  });

  it('halves a batch that PostgreSQL refuses, until only the bad event is put aside', async () => {
    await activate(RULE);
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        store({ status: 3, process_id: String(n) }, n === 7 ? 'poison' : `e${n}`),
      ),
    );
    await workerOf(async (ruleSet, subject, inputs) => {
      const decision = await decide(ruleSet, subject, inputs);
      // What text refuses, wherever it comes from: the transaction of the whole batch fails.
      return subject.key.endsWith('poison')
        ? {
            ...decision,
            matches: decision.matches.map((match) => ({
              ...match,
              deliveries: match.deliveries.map((one) => ({ ...one, target: 'a\u0000b' })),
            })),
          }
        : decision;
    }).drain();
    const states = await Promise.all(ids.map(stateOf));
    expect(states.filter((state) => state === 'decided')).toHaveLength(19);
    expect(states[7]).toBe('quarantined');
    expect(await dataSource.query('select count(*)::int as n from action_keys')).toEqual([{ n: 19 }]);
    expect(await dataSource.query('select count(*)::int as n from decisions_begun')).toEqual([{ n: 0 }]);
  });

  it('leaves everything as it was when the transaction fails for another reason', async () => {
    await activate(RULE);
    const id = await store({ status: 3 });
    const worker = workerOf(async (ruleSet, subject, inputs) => {
      await dataSource.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction'`);
      return decide(ruleSet, subject, inputs);
    });
    await expect(worker.drain()).rejects.toThrow();
    expect(await stateOf(id)).toBe('undecided');
    expect(await dataSource.query('select count(*)::int as n from evaluations')).toEqual([{ n: 0 }]);
    await workerOf().drain();
    expect(await stateOf(id)).toBe('decided');
  });

  it(`quarantines an event after it has ended the process ${MAX_CRASHES} times, and decides its neighbours`, async () => {
    await activate(RULE);
    const neighbours = await Promise.all(Array.from({ length: 5 }, (_, n) => store({ status: 3 }, `n${n}`)));
    const killer = await store({ status: 3 }, 'killer');
    for (let crash = 0; crash < MAX_CRASHES; crash += 1) {
      const child = spawn(
        process.execPath,
        ['test/support/crashing-decision.mjs', database.url, 'feishu:cli_a/killer'],
        { stdio: 'inherit' },
      );
      const signal = await new Promise((resolve) =>
        child.once('exit', (_, by) => {
          resolve(by);
        }),
      );
      expect(signal).toBe('SIGKILL');
    }
    await workerOf().drain();
    expect(await stateOf(killer)).toBe('quarantined');
    expect(await Promise.all(neighbours.map(stateOf))).toEqual(neighbours.map(() => 'decided'));
    expect(await dataSource.query('select count(*)::int as n from evaluations')).toEqual([{ n: 5 }]);
  });

  it('records a delivery that exists already as suppressed, and sends nothing twice', async () => {
    await activate(RULE);
    const first = await store({ status: 3 });
    await workerOf().drain();
    // The same decision again, as a restored backup would bring it.
    await dataSource.query(`update event_keys set state = 'undecided'`);
    await emptied(dataSource, 'evaluations');
    await workerOf().drain();
    expect((await evaluations.find(first, 'live'))?.verdicts).toEqual([
      { rule: 'tell', verdict: 'matched' },
      { rule: 'tell', action: 'tell', cause: 'already-sent' },
    ]);
    expect(await deliveries.findOfEvent(first)).toHaveLength(1);
  });
});

describe('the live rule set', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());

  const compiled = async (description: string): Promise<{ files: Map<string, string>; ruleSet: RuleSet }> => {
    const files = new Map([['a.rule.json', JSON.stringify({ ...RULE, description })]]);
    const { ruleSet } = await compileRuleSet(files, catalogue);
    if (!ruleSet) throw new Error('unsound');
    return { files, ruleSet };
  };

  it('is the newest one never seen; an earlier one comes back only by a person, and for all instances', async () => {
    const here = new RuleSetStore(dataSource, catalogue, new LiveCatalogue(dataSource, catalogue), clock);
    const there = new RuleSetStore(dataSource, catalogue, new LiveCatalogue(dataSource, catalogue), clock);
    const [one, two] = [await compiled('one'), await compiled('two')];
    expect(await here.current()).toBeNull();
    expect(await here.offer(one.ruleSet, one.files, 'start')).toMatchObject({
      outcome: 'activated',
      number: 1,
    });
    expect(await there.offer(one.ruleSet, one.files, 'start')).toEqual({ outcome: 'unchanged', number: 1 });
    expect((await there.current())?.hash).toBe(one.ruleSet.hash);
    expect(await there.offer(two.ruleSet, two.files, 'start')).toMatchObject({
      outcome: 'activated',
      number: 2,
    });
    expect((await here.current())?.hash).toBe(two.ruleSet.hash);
    expect(await here.offer(one.ruleSet, one.files, 'start')).toEqual({
      outcome: 'superseded',
      number: 2,
      active: two.ruleSet.hash,
    });
    expect(await there.activate(one.ruleSet.hash.slice(0, 12))).toMatchObject({
      hash: one.ruleSet.hash,
      number: 3,
    });
    expect((await here.current())?.rules[0]?.description).toBe('one');
    await expect(here.activate('ffffff')).rejects.toMatchObject({ code: 'RULE_SET_UNKNOWN' });
    await expect(here.activate(`' or 1=1 --`)).rejects.toMatchObject({ code: 'RULE_SET_UNKNOWN' });
  });
});
