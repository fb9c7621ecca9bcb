import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryState } from '../../action/delivery-states.js';
import type { Clock } from '../../config/clock.js';
import type { EventStore } from '../../events/event-store.js';
import { admit } from '../admission.js';
import type { DecisionInputs, Verdict } from '../decide.js';
import type { EvaluationStore } from '../evaluation-store.js';
import type { Firing } from '../firing.js';
import type { GateStore } from '../gate-store.js';
import type { RuleSet } from '../rule-set.js';
import type { RuleSetStore } from '../rule-set-store.js';
import { type AskedOutcome, outcomesOf } from './outcome-counts.js';
import type { Fate } from './recall-plan.js';
import { RecallStore } from './recall-store.js';
import { outcomeOf, type PlannedUnit, type RecallOrder, RecallUnits } from './recall-unit.js';
import { RecordedEvents } from './recorded-events.js';
import type { ChosenEvent } from './replay-store.js';
import { codeOf, contextOf, ReplayUnits } from './replay-unit.js';

/** Read and evaluated at once. */
const AT_ONCE = 200;
const NOWHERE = 'preview';

/** What would come of events. */
export interface ReplayPreview {
  /** One for each action that would be asked for, in the order of what happened. */
  readonly outcomes: readonly AskedOutcome[];
  readonly verdicts: readonly (Verdict & { readonly eventId: string })[];
  /** Code of why an event cannot be evaluated again. */
  readonly skipped: readonly { readonly eventId: string; readonly code: string }[];
}

/** What would become of deliveries, and what would be sent. */
export interface RecallPreview extends ReplayPreview {
  readonly deliveries: readonly {
    readonly id: string;
    readonly action: string;
    readonly target: string;
    readonly state: DeliveryState;
    readonly outcome: ReturnType<typeof outcomeOf>['outcome'];
    readonly code: string | null;
  }[];
}

/** Takes back what was done in a transaction. */
class TakenBack extends Error {}

/** Tells what a replay or a recall would do: evaluated by the same code, taken through the same gates, and not written. */
export class Previews {
  private readonly replayUnits: ReplayUnits;
  private readonly recalls: RecallStore;
  private readonly recallUnits: RecallUnits;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly ruleSets: RuleSetStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: ConstructorParameters<typeof RecallUnits>[2]['deliveries'];
      readonly gates: GateStore;
      readonly clock: Clock;
    },
  ) {
    const recorded = new RecordedEvents(stores);
    this.replayUnits = new ReplayUnits(recorded, stores);
    this.recalls = new RecallStore(dataSource);
    this.recallUnits = new RecallUnits(recorded, this.recalls, stores);
  }

  /** `ruleSet`: with `only` it may hold that rule alone. `eventIds`: in the order of what happened. */
  async replay(ruleSet: RuleSet, eventIds: readonly string[], only: string | null): Promise<ReplayPreview> {
    const firings: Firing[] = [];
    const evaluations: (Evaluated & { readonly verdicts: readonly Verdict[] })[] = [];
    const skipped: { eventId: string; code: string }[] = [];
    for (let at = 0; at < eventIds.length; at += AT_ONCE) {
      const some = eventIds.slice(at, at + AT_ONCE);
      const told = await this.replayUnits.evaluate(this.dataSource.manager, ruleSet, some, only, NOWHERE);
      firings.push(...told.firings);
      evaluations.push(...told.evaluations);
      for (const [eventId, why] of told.skipped) skipped.push({ eventId, code: codeOf(why) });
    }
    const outcomes = await this.throughGates(ruleSet, firings, evaluations, () => Promise.resolve());
    return { outcomes, verdicts: verdictsOf(evaluations), skipped };
  }

  /** `selected`: deliveries of each entity. */
  async recall(
    order: RecallOrder,
    events: readonly ChosenEvent[],
    selected: ReadonlyMap<string, ReadonlySet<string>>,
  ): Promise<RecallPreview> {
    const units: PlannedUnit[] = [];
    for (const [entity, rows] of Map.groupBy(events, (one) => one.entity)) {
      const unit = await this.recallUnits.plan(
        this.dataSource.manager,
        order,
        entity,
        rows,
        selected.get(entity) ?? new Set(),
        false,
      );
      if (unit) units.push(unit);
    }
    const told = units.flatMap((unit) => unit.events);
    const firings = units.flatMap(({ plan }) => plan.firings);
    const outcomes = await this.throughGates(order.ruleSet, firings, told, async (tx, now) => {
      for (const { entity, plan } of units)
        if (plan.claimed.length > 0)
          await this.recalls.replaceOnceKeys(tx, order.rule, entity, plan.freed, plan.claimed, now);
    });
    return {
      outcomes,
      verdicts: verdictsOf(told),
      skipped: units.flatMap((unit) =>
        [...unit.skipped].map(([eventId, why]) => ({ eventId, code: codeOf(why) })),
      ),
      deliveries: units.flatMap((unit) => [...unit.plan.fates].flatMap((one) => fatesOf(unit, one))),
    };
  }

  /** All firings together, so that each finds used up what those before it have used up. */
  private async throughGates(
    ruleSet: RuleSet,
    firings: readonly Firing[],
    evaluated: readonly Evaluated[],
    before: (tx: EntityManager, now: number) => Promise<void>,
  ): Promise<AskedOutcome[]> {
    const now = this.stores.clock.now();
    const targets = new Map(
      firings.flatMap(({ eventId, rule, deliveries }) =>
        deliveries.map(({ action, target }) => [keyOf(eventId, rule.name, action), target] as const),
      ),
    );
    let outcomes: AskedOutcome[] = [];
    try {
      await this.dataSource.transaction(async (tx) => {
        await before(tx, now);
        const gates = await this.stores.gates.read(tx, firings, now);
        const admission = admit(firings, gates, contextOf(ruleSet, evaluated, now));
        outcomes = outcomesOf(
          admission,
          [],
          (eventId, rule, action) => targets.get(keyOf(eventId, rule, action)) ?? null,
        );
        throw new TakenBack();
      });
    } catch (error) {
      if (!(error instanceof TakenBack)) throw error;
    }
    return outcomes;
  }
}

interface Evaluated {
  readonly eventId: string;
  readonly inputs: DecisionInputs;
}

function keyOf(eventId: string, rule: string, action: string): string {
  return JSON.stringify([eventId, rule, action]);
}

function verdictsOf(
  evaluated: readonly { readonly eventId: string; readonly verdicts: readonly Verdict[] }[],
): ReplayPreview['verdicts'] {
  return evaluated.flatMap(({ eventId, verdicts }) => verdicts.map((one) => ({ ...one, eventId })));
}

function fatesOf({ deliveries, undos }: PlannedUnit, [id, fate]: readonly [string, Fate]) {
  const delivery = deliveries.get(id);
  if (!delivery) return [];
  const { action, target, state } = delivery;
  return [{ id, action, target, state, ...outcomeOf(fate, undos.get(id)) }];
}
