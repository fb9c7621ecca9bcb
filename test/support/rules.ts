import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { DeliveryStore } from '../../src/action/delivery-store.js';
import type { Clock } from '../../src/config/clock.js';
import type { RateBudget } from '../../src/config/config.js';
import { Metrics } from '../../src/config/metrics.js';
import type { FeishuApp } from '../../src/config/sources.js';
import { Partitions } from '../../src/database/partitions.js';
import { type Catalogue, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import type { IncomingEvent } from '../../src/events/event.js';
import { EventStore } from '../../src/events/event-store.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import type { decide } from '../../src/rules/decide.js';
import { DecisionWorker } from '../../src/rules/decision-worker.js';
import { RadarRoom } from '../../src/rules/radar/radar-room.js';
import { RadarWorker } from '../../src/rules/radar/radar-worker.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { RuleStores, storesOf } from '../../src/rules/rule-stores.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { TimeWorkers } from '../../src/rules/time-workers.js';
import { incomingApprover, incomingOf } from './feishu.js';
import { TestLog } from './log.js';
import { lookupsWith } from './lookups.js';

const DAY_MS = 86_400_000;

/** The rules room of one instance on a real database, with a clock that the test holds; nothing runs by itself. */
export class RulesRoom {
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly stores: RuleStores;
  readonly decisions: DecisionWorker;
  readonly time: TimeWorkers;
  readonly radarRoom: RadarRoom;
  readonly radar: RadarWorker;
  readonly log = new TestLog();
  readonly close: () => Promise<void>;
  private readonly partitions: Partitions;
  private readonly catalogue: Catalogue;

  constructor(
    readonly dataSource: DataSource,
    readonly clock: Clock,
    {
      catalogue = loadBuiltInCatalogue(),
      timezone = 'Asia/Shanghai',
      calendar,
      apps = [],
      stormBrake = null,
      decideWith,
    }: {
      readonly catalogue?: Catalogue;
      readonly timezone?: string;
      readonly calendar?: string;
      readonly apps?: readonly FeishuApp[];
      readonly stormBrake?: RateBudget | null;
      /** Replaced only by tests that need a decision to fail or to end the process. */
      readonly decideWith?: typeof decide;
    } = {},
  ) {
    const { log } = this;
    this.catalogue = catalogue;
    const wakeup = new Wakeup(dataSource);
    this.partitions = new Partitions(dataSource);
    this.events = new EventStore(dataSource, this.partitions, wakeup, clock);
    this.deliveries = new DeliveryStore(dataSource, wakeup);
    const live = new LiveCatalogue(dataSource, catalogue);
    this.stores = new RuleStores(dataSource, {
      builtIn: catalogue,
      live,
      clock,
      deliveries: this.deliveries,
      timezone,
      stormBrake,
    });
    const ways = lookupsWith(dataSource, { apps }, clock, log);
    this.close = ways.close;
    const options = { timezone, calendar, wakeup, clock, log, metrics: new Metrics() };
    const stores = {
      ...storesOf(this.stores),
      events: this.events,
      deliveries: this.deliveries,
      partitions: this.partitions,
    };
    this.decisions = new DecisionWorker(dataSource, stores, ways, {
      ...options,
      ...(decideWith ? { decide: decideWith } : {}),
    });
    this.time = new TimeWorkers(dataSource, stores, ways.fetcher, {
      ...options,
      instance: randomUUID(),
      retention: 90 * DAY_MS,
    });
    this.radarRoom = new RadarRoom(dataSource, stores, catalogue, {
      ...options,
      asks: apps.length > 0,
      way: { fetcher: ways.fetcher, log, metrics: options.metrics },
    });
    const { reconciler, radar, findings, scan } = this.radarRoom;
    this.radar = new RadarWorker(dataSource, radar, { ...stores, findings, scan }, reconciler, options);
  }

  /** Makes these rules the live ones; other files by their names. */
  async activate(rules: readonly object[], files: Readonly<Record<string, object>> = {}): Promise<RuleSet> {
    const texts = new Map([
      ...rules.map((rule, index) => [`${index}.rule.json`, JSON.stringify(rule)] as const),
      ...Object.entries(files).map(([file, content]) => [file, JSON.stringify(content)] as const),
    ]);
    const { ruleSet, findings } = await compileRuleSet(texts, this.catalogue);
    if (!ruleSet) throw new Error(JSON.stringify(findings));
    await this.stores.ruleSets.offer(ruleSet, texts, 'change');
    return ruleSet;
  }

  /** Stores an event of an approver's task; answers its stored id. */
  async approver(
    changes: Readonly<Record<string, unknown>>,
    createTime = this.clock.now(),
    eventId: string = randomUUID(),
  ): Promise<string> {
    return await this.store(incomingApprover(this.catalogue, eventId, createTime, changes, 'cli_a'));
  }

  /** Stores an event of the process itself; answers its stored id. */
  async processEvent(
    changes: Readonly<Record<string, unknown>>,
    createTime = this.clock.now(),
    eventId: string = randomUUID(),
  ): Promise<string> {
    return await this.ofType('corehr.process.updated_v2', changes, createTime, eventId);
  }

  /** Stores an event of a node; answers its stored id. */
  async nodeEvent(
    changes: Readonly<Record<string, unknown>>,
    createTime = this.clock.now(),
    eventId: string = randomUUID(),
  ): Promise<string> {
    return await this.ofType('corehr.process.node.updated_v2', changes, createTime, eventId);
  }

  private async ofType(
    eventType: string,
    changes: Readonly<Record<string, unknown>>,
    createTime: number,
    eventId: string,
  ): Promise<string> {
    const event = { ...this.catalogue.find(eventType)?.sample, ...changes };
    return await this.store(incomingOf(this.catalogue, eventType, eventId, createTime, event, 'cli_a'));
  }

  async store(event: IncomingEvent): Promise<string> {
    await this.partitions.ensure(this.clock.now());
    const { id } = await this.events.store(event);
    return id ?? '';
  }

  /** Decides all that can be decided now: events first, then whatever is due. */
  async settle(): Promise<void> {
    await this.decisions.drain();
    await this.time.drain();
  }
}
