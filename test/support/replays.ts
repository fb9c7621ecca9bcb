import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { EventIndexer } from '../../src/events/event-indexer.js';
import type { Catalogue } from '../../src/events/catalogue.js';
import { Partitions } from '../../src/database/partitions.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { storesOf } from '../../src/rules/rule-stores.js';
import { ReplayOrders } from '../../src/rules/replays/replay-orders.js';
import { ReplayWorker } from '../../src/rules/replays/replay-worker.js';
import type { TestClock } from './clock.js';
import type { RulesRoom } from './rules.js';

const NOTHING = (): Promise<void> => Promise.resolve();

/** Orders as a person gives them, and workers that go through them, over a rules room. */
export class ReplayDesk {
  private readonly orders: ReplayOrders;

  constructor(
    private readonly room: RulesRoom,
    private readonly dataSource: DataSource,
    private readonly clock: TestClock,
  ) {
    this.orders = new ReplayOrders(dataSource, clock);
  }

  worker(dataSource = this.dataSource, room = this.room): ReplayWorker {
    return new ReplayWorker(
      dataSource,
      {
        ...storesOf(room.stores),
        events: room.events,
        deliveries: room.deliveries,
        partitions: new Partitions(dataSource),
      },
      { instance: randomUUID(), wakeup: new Wakeup(dataSource), clock: this.clock, log: room.log },
    );
  }

  /** Recalls what a rule sent in a time; answers the id. */
  async recall(
    rule: string,
    since: number,
    until: number,
    { ruleSets = null, replay = true }: { ruleSets?: readonly string[] | null; replay?: boolean } = {},
  ): Promise<string> {
    const ruleSet = await this.current();
    const choice = { rule, ruleSets, since: new Date(since), until: new Date(until) };
    const selection = await this.orders.choose(ruleSet, choice, replay);
    if (!Array.isArray(selection.deliveries)) throw new Error('there are too many');
    return await this.orders.recall(
      { createdBy: 'somebody', purpose: null, ruleSet: ruleSet.hash, onlyRule: rule, filter: {} },
      selection as Parameters<ReplayOrders['recall']>[1],
      NOTHING,
    );
  }

  async replay(eventIds: readonly string[], onlyRule: string | null = null): Promise<string> {
    const ruleSet = await this.current();
    return await this.orders.replay(
      { createdBy: 'somebody', purpose: null, ruleSet: ruleSet.hash, onlyRule, filter: {} },
      await this.orders.eventsOf(eventIds),
      NOTHING,
    );
  }

  /** What an instance leaves behind that has died is free at once, and not when its lease has run out. */
  async endLeases(): Promise<void> {
    await this.dataSource.query(
      `update replays set lease_until = now() - interval '1 s' where state = 'running'`,
    );
  }

  /** Finds by what is in events need them to be indexed. */
  async index(catalogue: Catalogue): Promise<void> {
    const indexer = new EventIndexer(
      this.dataSource,
      this.room.events,
      new LiveCatalogue(this.dataSource, catalogue),
      { wakeup: new Wakeup(this.dataSource), clock: this.clock, log: this.room.log },
    );
    await indexer.drain();
  }

  private async current() {
    const ruleSet = await this.room.stores.ruleSets.current();
    if (!ruleSet) throw new Error('no rule set is live');
    return ruleSet;
  }
}
