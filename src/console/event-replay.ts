import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { DeliveryStore } from '../action/delivery-store.js';
import type { Clock } from '../config/clock.js';
import type { EventStore, StoredEvent } from '../events/event-store.js';
import { waitForLanes } from '../queue/lanes.js';
import { admit, type Admission, withSuppressions } from '../rules/admission.js';
import { timeDefaults, type Verdict } from '../rules/decide.js';
import { LIVE } from '../rules/decision-batch.js';
import type { Evaluation, EvaluationStore } from '../rules/evaluation-store.js';
import type { GateStore } from '../rules/gate-store.js';
import { REPLAY, replayed } from '../rules/replay.js';
import type { RuleSet } from '../rules/rule-set.js';
import type { RuleSetStore } from '../rules/rule-set-store.js';
import { stateThen, type StateThen } from '../rules/state/state-then.js';
import { subjectOf } from '../rules/subject.js';
import type { EventList } from './read/event-list.js';

/** Of a root entity with more events, the state is taken as far as it was recorded. */
const MOST_EVENTS = 500;

export interface ReplayOrder {
  readonly event: StoredEvent;
  /** The live evaluation of the event. */
  readonly live: Evaluation;
  /** One rule; null: all that listen. */
  readonly only: string | null;
  /** Nothing is written. */
  readonly dryRun: boolean;
}

/** What a replay has done, or would do. */
export interface ReplayOutcome {
  /** Null: nothing was written. */
  readonly occasion: string | null;
  readonly verdicts: readonly Verdict[];
  readonly deliveries: readonly Admission['deliveries'][number]['delivery'][];
  readonly suppressions: Evaluation['verdicts'];
}

/** Takes back what was done in a transaction, and brings out what it would have been. */
class DryRun extends Error {
  constructor(readonly outcome: ReplayOutcome) {
    super('nothing is written');
  }
}

/**
 * Evaluates a stored event again with today's rules, by what was recorded of it, and sends what was not sent yet: what has
 * the action key of a delivery that is there already is a suppression. The state of its entity stays as it is, and no
 * ladder is armed.
 */
export class EventReplay {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: EventList,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly ruleSets: RuleSetStore;
      readonly gates: GateStore;
      readonly clock: Clock;
    },
  ) {}

  /** `within`: what else belongs to the transaction; not called for a dry run. */
  async run(
    ruleSet: RuleSet,
    order: ReplayOrder,
    within: (tx: EntityManager, occasion: string) => Promise<void>,
  ): Promise<ReplayOutcome> {
    const then = await this.stateThen(ruleSet, order);
    try {
      const outcome = await this.dataSource.transaction(async (tx) => {
        const written = await this.write(tx, ruleSet, order, then);
        if (order.dryRun || written.occasion === null) throw new DryRun({ ...written, occasion: null });
        await within(tx, written.occasion);
        return written;
      });
      this.stores.deliveries.wake();
      return outcome;
    } catch (error) {
      if (error instanceof DryRun) return error.outcome;
      throw error;
    }
  }

  private async write(
    tx: EntityManager,
    ruleSet: RuleSet,
    { event, live, only }: ReplayOrder,
    then: StateThen | null,
  ): Promise<ReplayOutcome> {
    const { gates, evaluations, clock } = this.stores;
    const [key] = await tx.query<{ lane: number }[]>('select lane from event_keys where id = $1', [event.id]);
    // Two replays at once, or a decision about the same entity: one after the other, so that the second sees the first.
    await waitForLanes(tx, key ? [key.lane] : []);
    const now = clock.now();
    const { verdicts, matches, inputs } = await replayed(ruleSet, subjectOf(event), live.inputs, then, only);
    const occasion = `${REPLAY}${uuidv7()}`;
    const firings = matches.map((match) => ({ ...match, eventId: event.id, occasion }));
    const admission = admit(firings, await gates.read(tx, firings, now), {
      now,
      ...timeDefaults(inputs),
      calendars: ruleSet.calendars,
    });
    const again = await gates.write(tx, admission, now);
    const [evaluation] = withSuppressions(
      ruleSet,
      [{ eventId: event.id, occasion, verdicts, inputs }],
      admission,
      again,
    );
    if (evaluation) await evaluations.record(tx, [evaluation], now);
    return {
      occasion,
      verdicts,
      deliveries: admission.deliveries.filter((one) => !again.includes(one)).map(({ delivery }) => delivery),
      suppressions: evaluation?.verdicts.filter((one) => 'action' in one) ?? [],
    };
  }

  /** Null: the event belongs to no root entity, or to one with too many events. */
  private async stateThen({ catalogue }: RuleSet, { event, live }: ReplayOrder): Promise<StateThen | null> {
    if (event.rootEntity === null) return null;
    const { rootEntity } = event;
    const rows = await this.rows.list(
      { entity: rootEntity },
      { limit: MOST_EVENTS, after: null },
      { personal: true },
    );
    const about = { event, decidedAt: live.inputs.now };
    if (rows.length > MOST_EVENTS) return stateThen(catalogue, about, []);
    const ids = rows
      .filter((row) => row.rootEntity === rootEntity && row.id !== event.id && !row.erased)
      .map(({ id }) => id);
    const decidedAt = new Map(
      (await this.stores.evaluations.findMany(this.dataSource.manager, ids, [LIVE])).map((one) => [
        one.eventId,
        one.inputs.now,
      ]),
    );
    const others = await this.stores.events.findMany([...decidedAt.keys()]);
    return stateThen(
      catalogue,
      about,
      others.map((one) => ({ event: one, decidedAt: decidedAt.get(one.id) ?? 0 })),
    );
  }
}
