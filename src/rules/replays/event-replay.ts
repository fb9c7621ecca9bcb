import type { DataSource, EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { DeliveryStore } from '../../action/delivery-store.js';
import type { Clock } from '../../config/clock.js';
import type { EventStore } from '../../events/event-store.js';
import { waitForLanes } from '../../queue/lanes.js';
import { admit, type Admission, withSuppressions } from '../admission.js';
import { timeDefaults, type Verdict } from '../decide.js';
import type { Evaluation, EvaluationStore } from '../evaluation-store.js';
import type { GateStore } from '../gate-store.js';
import { REPLAY, replayed } from '../replay.js';
import type { RuleSet } from '../rule-set.js';
import type { RuleSetStore } from '../rule-set-store.js';
import { apart } from '../shadow.js';
import { lanesOf } from './lanes-of.js';
import { type NotRecorded, type RecordedEvent, RecordedEvents } from './recorded-events.js';

export interface ReplayOrder {
  /** Stored id. */
  readonly eventId: string;
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
  private readonly recorded: RecordedEvents;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly deliveries: DeliveryStore;
      readonly ruleSets: RuleSetStore;
      readonly gates: GateStore;
      readonly clock: Clock;
    },
  ) {
    this.recorded = new RecordedEvents(stores);
  }

  /**
   * `within`: what else belongs to the transaction; not called for a dry run. A text: why it cannot be evaluated again.
   */
  async run(
    ruleSet: RuleSet,
    order: ReplayOrder,
    within: (tx: EntityManager, occasion: string) => Promise<void>,
  ): Promise<ReplayOutcome | NotRecorded> {
    const { eventId, only, dryRun } = order;
    const found = await this.recorded.read(this.dataSource.manager, ruleSet, [eventId], only);
    const recorded = found.get(eventId) ?? 'gone';
    if (typeof recorded === 'string') return recorded;
    try {
      const outcome = await this.dataSource.transaction(async (tx) => {
        const written = await this.write(tx, ruleSet, recorded, only);
        if (dryRun || written.occasion === null) throw new DryRun({ ...written, occasion: null });
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
    { event, subject, live, then }: RecordedEvent,
    only: string | null,
  ): Promise<ReplayOutcome> {
    const { gates, evaluations, clock } = this.stores;
    // Two replays at once, or a decision about the same entity: one after the other, so that the second sees the first.
    await waitForLanes(tx, await lanesOf(tx, [event.id]));
    const now = clock.now();
    const { verdicts, matches, inputs } = await replayed(ruleSet, subject, live.inputs, then, only);
    const occasion = `${REPLAY}${uuidv7()}`;
    // What a rule in shadow mode would send is recorded of live events, and is no matter here.
    const firings = apart(matches).live.map((match) => ({ ...match, eventId: event.id, occasion }));
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
}
