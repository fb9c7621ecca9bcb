// Real PostgreSQL: what was decided live is computed again after the rule set has changed.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { DeliveryStore } from '../../src/action/delivery-store.js';
import { Metrics } from '../../src/config/metrics.js';
import { Partitions } from '../../src/database/partitions.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { EventStore } from '../../src/events/event-store.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { judge } from '../../src/rules/decide.js';
import { DecisionWorker } from '../../src/rules/decision-worker.js';
import { EvaluationStore } from '../../src/rules/evaluation-store.js';
import { explainEvent } from '../../src/rules/explain.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { RuleStores, storesOf } from '../../src/rules/rule-stores.js';
import { RuleSetStore } from '../../src/rules/rule-set-store.js';
import { subjectOf } from '../../src/rules/subject.js';
import { TestClock } from '../support/clock.js';
import { facts, namedConditions, rootCondition, trigger } from '../support/condition-generator.js';
import { createTestDatabase, type TestDatabase, withPartitions } from '../support/database.js';
import { envelopeOf } from '../support/feishu.js';
import { TestLog } from '../support/log.js';
import { lookupsWith } from '../support/lookups.js';

const RULES = 150;
const EVENTS = 60;
const builtIn = loadBuiltInCatalogue();
const clock = new TestClock();
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe(`verdicts that are computed again (seed ${seed})`, () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let events: EventStore;
  const ids: string[] = [];
  const sets: string[] = [];

  const ruleSets = (): RuleSetStore =>
    new RuleSetStore(dataSource, builtIn, new LiveCatalogue(dataSource, builtIn), clock);

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    const wakeup = new Wakeup(dataSource);
    events = new EventStore(dataSource, await withPartitions(dataSource, clock.now()), wakeup, clock);
    const store = ruleSets();
    const log = new TestLog();
    const ways = lookupsWith(dataSource, {}, clock, log);
    const deliveries = new DeliveryStore(dataSource, wakeup);
    const worker = new DecisionWorker(
      dataSource,
      {
        ...storesOf(
          new RuleStores(dataSource, {
            builtIn,
            live: new LiveCatalogue(dataSource, builtIn),
            clock,
            deliveries,
            timezone: 'Asia/Shanghai',
          }),
        ),
        events,
        ruleSets: store,
        deliveries,
        partitions: new Partitions(dataSource),
      },
      ways,
      { timezone: 'Asia/Shanghai', wakeup, clock, log, metrics: new Metrics() },
    );
    const generated = fc.sample(facts, { numRuns: EVENTS, seed });
    // Two sets, one after the other; each decides half of the events.
    for (const half of [0, 1]) {
      const files = await soundFiles(seed + half);
      const { ruleSet, findings } = await compileRuleSet(files, builtIn);
      if (!ruleSet) throw new Error(JSON.stringify(findings.filter(({ severity }) => severity === 'error')));
      expect((await store.offer(ruleSet, files, 'change')).outcome).toBe('activated');
      sets.push(ruleSet.hash);
      for (const [at, given] of generated.entries()) {
        if (at % 2 !== half) continue;
        const { event_type: eventType, ...fields } = Object.fromEntries(given) as Record<string, unknown>;
        const eventId = `e${at}`;
        const { id } = await events.store({
          origin: 'feishu:cli_a',
          eventId,
          eventType: String(eventType),
          source: 'feishu-webhook',
          createTime: clock.now(),
          statusRank: 0,
          rootEntity: null,
          raw: Buffer.from(envelopeOf(fields, { event_id: eventId, event_type: eventType })),
          content: null,
          transport: null,
        });
        ids.push(id!);
      }
      await worker.drain();
      // The recorded time counts, not that of the question.
      clock.advance(36 * 3_600_000);
    }
  }, 60_000);
  afterAll(() => database.drop());

  /** Named conditions that the loader takes: without them, few of the rules would be left. */
  async function soundConditions(from: number): Promise<object> {
    for (const named of fc.sample(namedConditions, { numRuns: 20, seed: from })) {
      const files = new Map([['all.conditions.json', JSON.stringify(named)]]);
      const { findings } = await compileRuleSet(files, builtIn);
      if (!findings.some(({ severity }) => severity === 'error')) return named;
    }
    throw new Error('no sound conditions among 20');
  }

  /** Generated rules without those that the loader refuses. */
  async function soundFiles(from: number): Promise<Map<string, string>> {
    const named = await soundConditions(from);
    const rules = fc.sample(fc.tuple(rootCondition, trigger), { numRuns: RULES, seed: from });
    const files = new Map([['all.conditions.json', JSON.stringify(named)]]);
    for (const [at, [conditions, types]] of rules.entries()) {
      files.set(
        `${at}.rule.json`,
        JSON.stringify({
          name: `rule-${at}`,
          trigger: types,
          enabled: at % 10 !== 0,
          conditions,
          actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
        }),
      );
    }
    const { findings } = await compileRuleSet(files, builtIn);
    for (const { file, severity } of findings) if (severity === 'error') files.delete(file);
    return files;
  }

  it('are those that the ledger holds, for all rules and events', async () => {
    const evaluations = new EvaluationStore(dataSource);
    // Another process: nothing is known but what is stored.
    const store = ruleSets();
    const counts: Record<string, number> = {};
    for (const id of ids) {
      const [evaluation] = await evaluations.findAll(id);
      const event = await events.find(id);
      const ruleSet = await store.find(evaluation!.ruleSet);
      const { facts: given, eventType } = subjectOf(event!);
      const recorded = new Map(
        evaluation!.verdicts.flatMap((one) => ('verdict' in one ? [[one.rule, one] as const] : [])),
      );
      for (const rule of ruleSet.rules) {
        if (!rule.listensTo(eventType)) continue;
        const verdict = await judge(ruleSet, rule, given, evaluation!.inputs);
        expect(verdict).toEqual(recorded.get(rule.name) ?? { rule: rule.name, verdict: 'not matched' });
        counts[verdict.verdict] = (counts[verdict.verdict] ?? 0) + 1;
      }
      const told = await explainEvent(ruleSet, { eventType, facts: given }, evaluation!.inputs);
      expect(told.ruleSet).toBe(evaluation!.ruleSet);
      for (const { rule, verdict } of told.explanations)
        expect(verdict).toEqual(recorded.get(rule) ?? { rule, verdict: 'not matched' });
    }
    process.stdout.write(`recomputed: ${JSON.stringify(counts)}\n`);
    expect(new Set(sets).size).toBe(2);
    expect(Object.keys(counts).sort()).toEqual(['error', 'matched', 'not matched', 'skipped', 'unknown']);
  }, 60_000);
});
