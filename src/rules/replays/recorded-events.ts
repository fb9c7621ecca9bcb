import type { EntityManager } from 'typeorm';
import type { EventStore, StoredEvent } from '../../events/event-store.js';
import { idsOfEntity } from '../../events/events-of-entity.js';
import type { Subject } from '../decide.js';
import { LIVE } from '../decision-batch.js';
import type { Evaluation, EvaluationStore } from '../evaluation-store.js';
import type { RuleSet } from '../rule-set.js';
import type { RuleSetStore } from '../rule-set-store.js';
import { RuleSetError } from '../rules.errors.js';
import { SCHEDULE_ORIGIN } from '../schedule-turn.js';
import { placeOf } from '../state/observe.js';
import { NO_STATE } from '../state/root-state.js';
import { stateThen, type StateThen } from '../state/state-then.js';
import { subjectOf } from '../subject.js';

/** Of a root entity with more events, the state is taken as far as it was recorded. */
const MOST_EVENTS = 500;
/** Rule sets of which it is remembered what they read. */
const MOST_SETS = 200;

export type DatedEvaluation = Evaluation & { readonly decidedAt: Date };

/** A stored event, and all that was recorded of it when it was decided. */
export interface RecordedEvent {
  readonly event: StoredEvent;
  readonly subject: Subject;
  readonly live: DatedEvaluation;
  /** All of it, that one too, the earliest first. */
  readonly evaluations: readonly DatedEvaluation[];
  /** What the state said of it then; null: it belongs to no root entity. */
  readonly then: StateThen | null;
}

/** Why an event cannot be evaluated again. */
export type NotRecorded = 'gone' | 'erased' | 'turn' | 'undecided' | 'unreadable';

/** Reads what was recorded of stored events. Nothing that has happened since is in it. */
export class RecordedEvents {
  private readonly reads = new Map<string, ReadonlySet<string> | null>();

  constructor(
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly ruleSets: RuleSetStore;
    },
  ) {}

  /** `only`: the facts of the state are needed for this rule alone; null: for all. */
  async read(
    tx: EntityManager,
    ruleSet: RuleSet,
    ids: readonly string[],
    only: string | null,
  ): Promise<ReadonlyMap<string, RecordedEvent | NotRecorded>> {
    const events = new Map((await this.stores.events.findMany(ids, tx)).map((one) => [one.id, one]));
    const evaluations = Map.groupBy(await this.stores.evaluations.findAllOf(ids, tx), (one) => one.eventId);
    const found = new Map<string, RecordedEvent | NotRecorded>();
    for (const id of ids)
      found.set(id, await this.readOne(tx, ruleSet, events.get(id), evaluations.get(id) ?? [], only));
    return found;
  }

  private async readOne(
    tx: EntityManager,
    ruleSet: RuleSet,
    event: StoredEvent | undefined,
    evaluations: readonly DatedEvaluation[],
    only: string | null,
  ): Promise<RecordedEvent | NotRecorded> {
    if (!event) return 'gone';
    if (event.erasedAt !== null) return 'erased';
    if (event.origin === SCHEDULE_ORIGIN) return 'turn';
    const live = evaluations.find(({ occasion }) => occasion === LIVE);
    if (!live) return 'undecided';
    let subject: Subject;
    try {
      subject = subjectOf(event);
    } catch {
      return 'unreadable';
    }
    const then = await this.then(tx, ruleSet, event, live, only);
    return { event, subject, live, evaluations, then };
  }

  /** The state as it was then, which the events of the entity tell, unless all that is read of it was recorded. */
  private async then(
    tx: EntityManager,
    ruleSet: RuleSet,
    event: StoredEvent,
    live: DatedEvaluation,
    only: string | null,
  ): Promise<StateThen | null> {
    const { rootEntity } = event;
    if (rootEntity === null) return null;
    const { catalogue } = ruleSet;
    const needed = only === null ? ruleSet.stateReads : (ruleSet.ruleOf(only)?.stateReads ?? new Set());
    if (await this.wasRead(live.ruleSet, needed))
      return {
        place: placeOf(catalogue, event.eventType, subjectOf(event).facts),
        state: NO_STATE,
        facts: {},
        orderTime: (event.createTime ?? event.receivedAt).getTime(),
      };
    const about = { event, decidedAt: live.inputs.now };
    const ids = (await idsOfEntity(tx, rootEntity, MOST_EVENTS)) ?? [];
    const decidedAt = new Map(
      (await this.stores.evaluations.findMany(tx, ids, [LIVE])).map((one) => [one.eventId, one.inputs.now]),
    );
    const others = await this.stores.events.findMany([...decidedAt.keys()], tx);
    return stateThen(
      catalogue,
      about,
      others.map((one) => ({ event: one, decidedAt: decidedAt.get(one.id) ?? 0 })),
    );
  }

  /** Whether the set that decided has read all these facts, so that they were recorded as far as they were known. */
  private async wasRead(hash: string, needed: ReadonlySet<string>): Promise<boolean> {
    if (needed.size === 0) return true;
    let read = this.reads.get(hash);
    if (read === undefined) {
      read = await this.readsOf(hash);
      if (this.reads.size >= MOST_SETS) this.reads.clear();
      this.reads.set(hash, read);
    }
    return [...needed].every((fact) => read?.has(fact));
  }

  private async readsOf(hash: string): Promise<ReadonlySet<string> | null> {
    try {
      return (await this.stores.ruleSets.find(hash)).stateReads;
    } catch (error) {
      if (error instanceof RuleSetError) return null;
      throw error;
    }
  }
}
