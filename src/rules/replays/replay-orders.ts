import type { DataSource, EntityManager } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import type { RuleSet } from '../rule-set.js';
import { type RecallSelection, recallSelection, type TooMany } from './recall-selection.js';
import { type RecallChoice, RecallStore } from './recall-store.js';
import { type ChosenEvent, MOST_REPLAYED, type NewReplay, ReplayStore } from './replay-store.js';

type Ordered = Omit<NewReplay, 'kind'>;

/** The door for whoever orders a replay or a recall: chooses what it is about, and hands it to the workers. */
export class ReplayOrders {
  private readonly orders: ReplayStore;
  private readonly recalls: RecallStore;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {
    this.orders = new ReplayStore(dataSource);
    this.recalls = new RecallStore(dataSource);
  }

  /** What a recall is about: `replay`: also events for which the rule sent nothing. */
  async choose(ruleSet: RuleSet, choice: RecallChoice, replay: boolean): Promise<RecallSelection | TooMany> {
    const rule = ruleSet.ruleOf(choice.rule);
    const mended = rule?.mode === 'live' ? rule : null;
    return await recallSelection(this.recalls, choice, { mended, replay, most: MOST_REPLAYED });
  }

  /** The events with their entities. Those that are not there are left out. */
  async eventsOf(ids: readonly string[]): Promise<readonly ChosenEvent[]> {
    return await this.orders.entitiesOf(ids);
  }

  /** Answers the id. `within`: what else belongs to the transaction. */
  async replay(
    order: Ordered,
    events: readonly ChosenEvent[],
    within: (tx: EntityManager, id: string) => Promise<void>,
  ): Promise<string> {
    return await this.dataSource.transaction(async (tx) => {
      const id = await this.orders.create(tx, { ...order, kind: 'replay' }, events, this.clock.now());
      await within(tx, id);
      return id;
    });
  }

  /** Answers the id. `within`: what else belongs to the transaction. */
  async recall(
    order: Ordered,
    { deliveries, events }: RecallSelection,
    within: (tx: EntityManager, id: string) => Promise<void>,
  ): Promise<string> {
    return await this.dataSource.transaction(async (tx) => {
      const id = await this.orders.create(tx, { ...order, kind: 'recall' }, events, this.clock.now());
      await this.recalls.choose(tx, id, deliveries);
      await within(tx, id);
      return id;
    });
  }
}
