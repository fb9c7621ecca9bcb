import type { NewDelivery } from '../../action/delivery-store.js';
import { onceKeyOf } from '../admission.js';
import type { DecisionInputs, Verdict } from '../decide.js';
import type { Firing } from '../firing.js';
import { orderKeyOf } from '../rule-action.js';
import { chainKeyOf, type ChainPlan, type Fate, planChain, type StandingDelivery } from './recall-plan.js';

/** What the mended rule says of one event. */
export interface MendedEvent {
  readonly eventId: string;
  /** What it asks for is sent; else it is only looked at, for the steps that it armed. */
  readonly sends: boolean;
  /** Null: there is no such rule any more. */
  readonly verdict: Verdict['verdict'] | null;
  readonly verdicts: readonly Verdict[];
  readonly inputs: DecisionInputs;
  /** What it asks for, if it matches. */
  readonly firing: Firing | null;
}

/** Everything about one entity that a recall looks at. */
export interface RecallSituation {
  /** In the order of what happened. */
  readonly events: readonly MendedEvent[];
  /** All deliveries of the rule about the entity; none that is selected is being sent. */
  readonly deliveries: readonly StandingDelivery[];
  /** By delivery of a step: what today's step makes of the same facts. */
  readonly steps: ReadonlyMap<string, NewDelivery>;
  /** Whom the rule has fired for once, and by which event. */
  readonly once: readonly { readonly subject: string; readonly eventId: string }[];
}

export interface UnitPlan {
  /** For the gates. What is kept has the generation that is there already, all else one that is free. */
  readonly firings: readonly Firing[];
  /** By the id of each delivery that the recall is about. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** By the id of one that is taken back: the order that what takes it back shares with what goes in its place. */
  readonly orders: ReadonlyMap<string, string>;
  /** By the id of one that is taken back: what the mended rule asks for in its place. */
  readonly replacing: ReadonlyMap<string, NewDelivery>;
  /** Events that have not used up what the rule may do once, and those that have. */
  readonly freed: readonly string[];
  readonly claimed: readonly { readonly subject: string; readonly eventId: string }[];
}

/**
 * What a recall does about one entity: as if the mended rule had decided its events in their order. Pure.
 */
export function planUnit(situation: RecallSituation): UnitPlan {
  return new UnitPlanner(situation).plan();
}

class UnitPlanner {
  private readonly fates = new Map<string, Fate>();
  private readonly orders = new Map<string, string>();
  private readonly replacing = new Map<string, NewDelivery>();
  private readonly chains: ReadonlyMap<string, readonly StandingDelivery[]>;
  private readonly byEvent: ReadonlyMap<string, MendedEvent>;
  private readonly wanted = new Set<string>();

  constructor(private readonly situation: RecallSituation) {
    this.chains = Map.groupBy(situation.deliveries, chainKeyOf);
    this.byEvent = new Map(situation.events.map((event) => [event.eventId, event]));
  }

  plan(): UnitPlan {
    const { events, once } = this.situation;
    const sending = events.filter(({ sends }) => sends);
    const freed = new Set(sending.map(({ eventId }) => eventId));
    // Other events of the entity have fired before, or will not be looked at.
    const taken = new Set(once.filter(({ eventId }) => !freed.has(eventId)).map(({ subject }) => subject));
    const claimed: { subject: string; eventId: string }[] = [];
    const firings = sending.flatMap(({ eventId, firing }): Firing[] => {
      if (!firing) return [];
      const subject = onceKeyOf(firing) === null ? null : firing.subject;
      if (subject !== null && taken.has(subject)) return [this.notOnce(firing)];
      const placed = this.placed(firing);
      if (subject !== null && placed.deliveries.length + placed.items.length > 0) {
        taken.add(subject);
        claimed.push({ subject, eventId });
      }
      // It has been looked at here, with the order of the events.
      return [{ ...placed, subject: null }];
    });
    for (const [key, chain] of this.chains) if (!this.wanted.has(key)) this.leave(chain);
    const { fates, orders, replacing } = this;
    return { firings, fates, orders, replacing, freed: [...freed], claimed };
  }

  /** What the mended rule asks for, with the generation that each delivery has or gets. */
  private placed(firing: Firing): Firing {
    return {
      ...firing,
      deliveries: firing.deliveries.map((delivery) => {
        const key = chainKeyOf(delivery);
        this.wanted.add(key);
        const chain = this.chains.get(key) ?? [];
        const plan = planChain(chain, delivery);
        const placed = { ...delivery, generation: plan.generation };
        return this.note(chain, plan, placed);
      }),
    };
  }

  /** It has fired for the same task, node or process already: the gates say so, for a key that nobody has. */
  private notOnce(firing: Firing): Firing {
    return {
      ...firing,
      deliveries: firing.deliveries.map((delivery) => {
        const chain = this.chains.get(chainKeyOf(delivery)) ?? [];
        const latest = Math.max(-1, ...chain.map(({ generation }) => generation));
        return { ...delivery, generation: latest + 1 };
      }),
    };
  }

  /** The deliveries of one action for one cause that no event asks for now. */
  private leave(chain: readonly StandingDelivery[]): void {
    const [one] = chain;
    const event = one && this.byEvent.get(one.eventId);
    // What cannot be evaluated says nothing against what was sent.
    if (event?.verdict === 'error') {
      for (const { id, selected } of chain)
        if (selected) this.fates.set(id, { kind: 'person', code: 'RECALL_RULE_ERROR' });
      return;
    }
    const last = [...chain].sort((a, b) => a.generation - b.generation).at(-1);
    const step = last && this.situation.steps.get(last.id);
    // A ladder that the mended rule would have armed too keeps its steps.
    const wanted = step && event?.verdict === 'matched' ? step : null;
    const plan = planChain(chain, wanted);
    this.note(chain, plan, null);
  }

  private note(chain: readonly StandingDelivery[], plan: ChainPlan, placed: NewDelivery): NewDelivery;
  private note(chain: readonly StandingDelivery[], plan: ChainPlan, placed: null): null;
  private note(
    chain: readonly StandingDelivery[],
    plan: ChainPlan,
    placed: NewDelivery | null,
  ): NewDelivery | null {
    let next = placed;
    for (const one of chain) {
      const fate = plan.fates.get(one.id);
      if (!fate) continue;
      this.fates.set(one.id, fate);
      if (fate.kind !== 'taken') continue;
      if (fate.undo) {
        const order = placed?.orderKey ?? one.orderKey ?? orderOf(one);
        this.orders.set(one.id, order);
        if (next) next = { ...next, orderKey: order };
      }
      if (next) this.replacing.set(one.id, next);
    }
    return next;
  }
}

/** What takes a delivery back goes before what goes in its place. */
function orderOf({ rule, action, entity, cause }: StandingDelivery): string {
  return orderKeyOf(rule, action, entity, `recall ${cause}`);
}
