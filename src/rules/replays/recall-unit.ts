import type { EntityManager } from 'typeorm';
import { recallWaiting } from '../../action/delivery-acts.js';
import { actionKeyOf, type DeliveryStore, type NewDelivery } from '../../action/delivery-store.js';
import type { EventStore } from '../../events/event-store.js';
import { admit, withSuppressions } from '../admission.js';
import type { EvaluationStore } from '../evaluation-store.js';
import { type GateStore, tellsSomebody } from '../gate-store.js';
import type { RuleSet } from '../rule-set.js';
import type { RuleSetStore } from '../rule-set-store.js';
import { RuleSetError } from '../rules.errors.js';
import { SCHEDULE_ORIGIN } from '../schedule-turn.js';
import { subjectOf } from '../subject.js';
import { mendedEvent } from './mended-event.js';
import { outcomesOf } from './outcome-counts.js';
import type { Fate, StandingDelivery } from './recall-plan.js';
import type { RecalledOutcome, RecallStore } from './recall-store.js';
import { type MendedEvent, planUnit, type UnitPlan } from './recall-unit-plan.js';
import { type DeliveryFacts, type NotUndone, stepIn, todaysDelivery, undoOfDelivery } from './recall-undo.js';
import { type DatedEvaluation, type NotRecorded, RecordedEvents } from './recorded-events.js';
import type { UnitRow } from './replay-store.js';
import { contextOf, doneOf, type Written } from './replay-unit.js';

/** What a recall is: by which rules, and of which. */
export interface RecallOrder {
  readonly occasion: string;
  readonly rule: string;
  /** The mended rules. */
  readonly ruleSet: RuleSet;
  /** The same with that rule alone; null: there is none. */
  readonly mended: RuleSet | null;
}

/** What is done about one entity, before the gates. */
export interface PlannedUnit {
  readonly entity: string;
  readonly events: readonly MendedEvent[];
  readonly skipped: ReadonlyMap<string, NotRecorded>;
  readonly plan: UnitPlan;
  readonly deliveries: ReadonlyMap<string, StandingDelivery>;
  /** By the id of each delivery that is to be taken back: by what, or why by nothing. */
  readonly undos: ReadonlyMap<string, NewDelivery | NotUndone>;
}

interface RecordedFacts {
  /** That decided. */
  readonly ruleSet: string;
  /** Null: they are not kept, or were erased. */
  readonly read: DeliveryFacts | null;
}

/** Takes back what a rule has sent about one entity, and sends what the mended rule asks for. */
export class RecallUnits {
  constructor(
    private readonly recorded: RecordedEvents,
    private readonly recalls: RecallStore,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly ruleSets: RuleSetStore;
      readonly gates: GateStore;
    },
  ) {}

  /**
   * What is to be done; writes nothing. Null: one of the deliveries is being sent at this moment, and what comes of that
   * is to be waited for. `lock`: they stay as they are until the end of the transaction; else what is being sent counts
   * as sent.
   */
  async plan(
    tx: EntityManager,
    order: RecallOrder,
    entity: string,
    rows: readonly Pick<UnitRow, 'eventId' | 'sends'>[],
    selected: ReadonlySet<string>,
    lock: boolean,
  ): Promise<PlannedUnit | null> {
    const { rule, mended, occasion, ruleSet } = order;
    const standing = await this.recalls.standing(tx, rule, entity, selected, lock);
    if (lock && standing.some((one) => one.selected && one.state === 'delivering')) return null;
    const deliveries = standing.map((one) =>
      one.state === 'delivering' ? { ...one, effective: true } : one,
    );
    const ids = rows.map(({ eventId }) => eventId);
    const found = await this.recorded.read(tx, mended ?? ruleSet, ids, rule);
    const skipped = new Map<string, NotRecorded>();
    const events: MendedEvent[] = [];
    for (const { eventId, sends } of rows) {
      const recorded = found.get(eventId) ?? 'gone';
      if (typeof recorded === 'string') skipped.set(eventId, recorded);
      else events.push(await mendedEvent(mended, rule, recorded, sends, occasion));
    }
    const facts = await this.factsOf(
      tx,
      deliveries.filter((one) => one.selected),
    );
    const steps = new Map(
      deliveries.flatMap((one): [string, NewDelivery][] => {
        if (!one.selected || stepIn(one) === null) return [];
        const made = todaysDelivery(ruleSet, one, facts.get(one.id)?.read ?? null);
        return made ? [[one.id, made]] : [];
      }),
    );
    const once = await this.recalls.onceKeys(tx, rule, entity);
    const plan = planUnit({ events, deliveries, steps, once });
    const undos = new Map<string, NewDelivery | NotUndone>();
    const byId = new Map(deliveries.map((one) => [one.id, one]));
    for (const [id, orderKey] of plan.orders) {
      const delivery = byId.get(id);
      const known = facts.get(id);
      if (!delivery) continue;
      const decided = known ? await this.setOf(known.ruleSet) : null;
      undos.set(id, undoOfDelivery({ ...delivery, orderKey }, ruleSet, decided, known?.read ?? null));
    }
    return { entity, events, skipped, plan, deliveries: byId, undos };
  }

  /** Does it. The lanes of the entity are locked. `now` in ms. */
  async write(
    tx: EntityManager,
    recallId: string,
    order: RecallOrder,
    unit: PlannedUnit,
    now: number,
  ): Promise<Written> {
    const { occasion, rule } = order;
    const { plan, undos, deliveries, entity } = unit;
    const taken = [...plan.fates].flatMap(([id, fate]) => (fate.kind === 'taken' && fate.cancel ? [id] : []));
    const { deliveries: store, gates, evaluations } = this.stores;
    await recallWaiting(tx, taken, `by the recall ${recallId}`, now);
    // First in its order: what goes in the place waits for it.
    const made = [...undos].flatMap(([id, undo]) => {
      const undone = deliveries.get(id);
      return undone && 'request' in undo ? [{ delivery: undo, eventId: undone.eventId, occasion }] : [];
    });
    await store.accept(tx, made, now);
    await this.recalls.replaceOnceKeys(tx, rule, entity, plan.freed, plan.claimed, now);
    const ruleSet = order.mended ?? order.ruleSet;
    const ledger = ledgerOf(unit, occasion);
    const context = contextOf(ruleSet, ledger, now);
    const admission = admit(plan.firings, await gates.read(tx, plan.firings, now), context);
    const again = await gates.write(tx, admission, now);
    await evaluations.record(tx, withSuppressions(ruleSet, ledger, admission, again), now);
    await this.recalls.record(tx, recallId, await this.outcomes(tx, unit));
    const outcomes = outcomesOf(admission, again, () => null);
    return { tells: tellsSomebody(admission), done: doneOf(unit.events, unit.skipped, outcomes) };
  }

  private async outcomes(
    tx: EntityManager,
    { plan, undos }: Pick<PlannedUnit, 'plan' | 'undos'>,
  ): Promise<RecalledOutcome[]> {
    const keyOf = (delivery: NewDelivery | NotUndone | undefined): string | null =>
      delivery && 'request' in delivery ? actionKeyOf(delivery) : null;
    const keys = [...undos.values(), ...plan.replacing.values()].flatMap((one) => keyOf(one) ?? []);
    const rows = await tx.query<{ key: string; id: string }[]>(
      'select key, id from action_keys where key = any($1::text[])',
      [keys],
    );
    const idOf = new Map(rows.map(({ key, id }) => [key, id]));
    return [...plan.fates].map(([deliveryId, fate]) => ({
      deliveryId,
      ...outcomeOf(fate, undos.get(deliveryId)),
      undoId: idOf.get(keyOf(undos.get(deliveryId)) ?? '') ?? null,
      newId: idOf.get(keyOf(plan.replacing.get(deliveryId)) ?? '') ?? null,
    }));
  }

  /** What the decisions about some deliveries have read. */
  private async factsOf(
    tx: EntityManager,
    deliveries: readonly StandingDelivery[],
  ): Promise<ReadonlyMap<string, RecordedFacts>> {
    const { evaluations, events } = this.stores;
    const all = await evaluations.findAllOf([...new Set(deliveries.map(({ eventId }) => eventId))], tx);
    const byPlace = new Map(all.map((one) => [placeOf(one), one]));
    const about = new Set(deliveries.flatMap((one) => aboutOf(byPlace.get(placeOf(one))) ?? []));
    const stored = new Map((await events.findMany([...about], tx)).map((one) => [one.id, one]));
    return new Map(
      deliveries.flatMap((one): [string, RecordedFacts][] => {
        const evaluation = byPlace.get(placeOf(one));
        if (!evaluation) return [];
        const event = stored.get(aboutOf(evaluation) ?? '');
        const { ruleSet, decidedAt } = evaluation;
        if (!event || event.erasedAt !== null || event.origin === SCHEDULE_ORIGIN)
          return [[one.id, { ruleSet, read: null }]];
        const inputs =
          stepIn(one) === null
            ? evaluation.inputs
            : // A step is judged by the time of its event, and rendered by its own.
              { ...evaluation.inputs, now: decidedAt.getTime() };
        return [[one.id, { ruleSet, read: { subject: subjectOf(event), inputs } }]];
      }),
    );
  }

  private async setOf(hash: string): Promise<RuleSet | null> {
    try {
      return await this.stores.ruleSets.find(hash);
    } catch (error) {
      if (error instanceof RuleSetError) return null;
      throw error;
    }
  }
}

/** What became of a delivery, as people are told. */
export function outcomeOf(
  fate: Fate,
  undo: NewDelivery | NotUndone | undefined,
): Pick<RecalledOutcome, 'outcome' | 'code'> {
  if (fate.kind === 'kept') return { outcome: 'kept', code: null };
  if (fate.kind !== 'taken') return { outcome: fate.kind, code: fate.code };
  if (!fate.undo) return { outcome: 'cancelled', code: null };
  if (undo && 'request' in undo) return { outcome: 'undone', code: null };
  return { outcome: 'person', code: undo?.code ?? 'RECALL_NO_UNDO' };
}

/** What the ledger keeps of it: of each event that was evaluated again. */
function ledgerOf({ events }: Pick<PlannedUnit, 'events'>, occasion: string) {
  return events
    .filter(({ sends, verdict }) => sends && verdict !== null)
    .map(({ eventId, verdicts, inputs }) => ({ eventId, occasion, verdicts, inputs }));
}

function placeOf({ eventId, occasion }: Pick<StandingDelivery, 'eventId' | 'occasion'>): string {
  return `${eventId} ${occasion}`;
}

function aboutOf(evaluation: DatedEvaluation | undefined): string | null {
  return evaluation ? (evaluation.inputs.about ?? evaluation.eventId) : null;
}
