import type { StoredEvent } from '../events/event-store.js';
import {
  type Decision,
  type DecisionInputs,
  decide,
  settle,
  type Situation,
  type Subject,
  type Verdict,
} from './decide.js';
import type { Firing } from './firing.js';
import type { LadderBook } from './ladder-book.js';
import type { LookupAnswers } from './lookup-document.js';
import type { OrderKey } from './lookup-store.js';
import type { RuleSet } from './rule-set.js';
import { isStateFact } from './state/fact-names.js';
import { observe } from './state/observe.js';
import { NO_STATE, type EventPlace, type Observed, type RootState } from './state/root-state.js';
import { stateFacts } from './state/state-facts.js';
import type { Unsettled } from './unsettled-store.js';

/** An evaluation before the gates have said what comes of it. */
export interface BatchEvaluation {
  /** Of the stored event. */
  readonly eventId: string;
  readonly occasion: string;
  readonly verdicts: readonly Verdict[];
  readonly inputs: DecisionInputs;
}

/** What is read of the database before the batch, and for it. */
export interface BatchSources {
  readonly states: Map<string, RootState>;
  readonly book: LadderBook;
  readonly unsettled: readonly Unsettled[];
  /** Stored events and what their live evaluations have read, by id; and whether they were settled before. */
  readonly recall: (ids: readonly string[]) => Promise<ReadonlyMap<string, RecalledEvent>>;
}

export interface RecalledEvent {
  readonly subject: Subject;
  readonly lookups: LookupAnswers | undefined;
  readonly settled: boolean;
  /** As in the inputs of its evaluation. */
  readonly cause?: string | undefined;
}

/** An event, and what the state says of it before it is decided. */
export interface ObservedSubject {
  readonly subject: Subject;
  /** Null: no state is kept for it. */
  readonly observed: (Observed & { readonly entity: string; readonly place: EventPlace }) | null;
  readonly inputs: DecisionInputs;
}

export const LIVE = 'live';
export const SETTLE = 'settle';

/**
 * Decides the events of one transaction one after the other, in memory: each sees the state, the ladders and the open
 * verdicts as those before it have left them. What it has gathered is written at once at the end.
 */
export class DecisionBatch {
  readonly evaluations: BatchEvaluation[] = [];
  readonly firings: Firing[] = [];
  readonly changed = new Map<string, RootState>();
  /** Of the changed ones, the tasks that have changed. */
  readonly changedTasks = new Map<string, Set<string>>();
  readonly added: Unsettled[] = [];
  readonly removed: Pick<Unsettled, 'eventId' | 'rule'>[] = [];
  private readonly open = new Map<string, Unsettled[]>();
  /** Of events of this batch: what was read for them. */
  private readonly decided = new Map<string, RecalledEvent>();

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly base: DecisionInputs,
    private readonly sources: BatchSources,
    private readonly decideWith: typeof decide = decide,
  ) {
    for (const one of sources.unsettled) this.openOf(one.entity).push(one);
  }

  /**
   * What the state says of an event, and what its conditions will read of it. `place`: as `placeOf` has it. Changes
   * nothing yet.
   */
  observe(event: StoredEvent, subject: Subject, place: EventPlace, order: OrderKey): ObservedSubject {
    const { base } = this;
    const entity = event.rootEntity;
    if (entity === null)
      return { subject, observed: null, inputs: { ...base, state: { 'event.late': false } } };
    const observed = observe(this.sources.states.get(entity) ?? NO_STATE, {
      id: event.id,
      eventType: event.eventType,
      ...at(order),
      place,
    });
    const state = stateFacts(observed.after, place, at(order), order.orderTime, observed.late);
    return { subject, observed: { ...observed, entity, place }, inputs: { ...base, state } };
  }

  /** Decides an event and takes it into the state. `inputs`: those of `observe` with the answers of the look-ups. */
  async decide(
    event: StoredEvent,
    order: OrderKey,
    { subject, observed }: ObservedSubject,
    inputs: DecisionInputs,
  ): Promise<Decision> {
    const { ruleSet, sources } = this;
    const { id } = event;
    const situation: Situation | undefined = observed
      ? {
          id,
          place: observed.place,
          late: observed.late,
          orderTime: order.orderTime,
          state: observed.after,
          ladders: sources.book.of(observed.entity),
        }
      : undefined;
    const decision = await this.decideWith(ruleSet, subject, inputs, situation);
    this.evaluations.push({ eventId: id, occasion: LIVE, verdicts: decision.verdicts, inputs });
    for (const match of decision.matches) this.firings.push({ ...match, eventId: id, occasion: LIVE });
    if (!observed) return decision;
    const { entity, before, after } = observed;
    if (after !== before) {
      sources.states.set(entity, after);
      this.changed.set(entity, after);
      this.noteTask(entity, observed.place);
    }
    sources.book.apply({ id, key: inputs.cause ?? subject.key, entity }, decision.ladders, this.base.now);
    if (after !== before) await this.settleOthers(entity);
    this.leaveOpen(event, order, subject, observed, inputs, decision);
    return decision;
  }

  /** Verdicts that lacked a fact of the state may be settled by a later event. */
  private leaveOpen(
    event: StoredEvent,
    order: OrderKey,
    subject: Subject,
    observed: NonNullable<ObservedSubject['observed']>,
    { lookups, cause }: DecisionInputs,
    { verdicts }: Decision,
  ): void {
    const { entity, place, late } = observed;
    for (const one of verdicts) {
      if (one.verdict !== 'unknown' || !one.missing.some(isStateFact)) continue;
      const rule = this.ruleSet.ruleOf(one.rule);
      if (!rule) continue;
      const row: Unsettled = {
        eventId: event.id,
        rule: one.rule,
        entity,
        missing: one.missing,
        situation: { place, at: at(order), late },
        until: this.base.now + rule.settleMs,
      };
      this.added.push(row);
      this.openOf(entity).push(row);
      this.decided.set(event.id, { subject, lookups, settled: false, cause });
    }
  }

  /** Decides again what was left open for other events of a root entity, as far as something has become known. */
  private async settleOthers(entity: string): Promise<void> {
    const open = this.openOf(entity);
    if (open.length === 0) return;
    const state = this.sources.states.get(entity) ?? NO_STATE;
    const ripe = open.flatMap((row) => {
      const { place, at: position, late } = row.situation;
      const facts = stateFacts(state, place, position, position.orderTime, late);
      return row.missing.some((name) => Object.hasOwn(facts, name)) ? { row, facts } : [];
    });
    if (ripe.length === 0) return;
    const unknown = [...new Set(ripe.map(({ row }) => row.eventId))].filter((id) => !this.decided.has(id));
    if (unknown.length > 0)
      for (const [id, recalled] of await this.sources.recall(unknown)) this.decided.set(id, recalled);
    for (const { row, facts } of ripe) {
      if (!(await this.settleOne(entity, state, row, facts))) continue;
      open.splice(open.indexOf(row), 1);
      const fresh = this.added.indexOf(row);
      if (fresh >= 0) this.added.splice(fresh, 1);
      else this.removed.push({ eventId: row.eventId, rule: row.rule });
    }
  }

  /** Decides one rule for one older event. False: it is still not known. */
  private async settleOne(
    entity: string,
    state: RootState,
    { eventId, rule: name, situation: { place, at: position, late } }: Unsettled,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const rule = this.ruleSet.ruleOf(name);
    const recalled = this.decided.get(eventId);
    if (!rule || !recalled || !rule.listensTo(recalled.subject.eventType)) return false;
    const { subject, lookups, settled, cause } = recalled;
    const inputs = {
      ...this.base,
      ...(lookups ? { lookups } : {}),
      ...(cause === undefined ? {} : { cause }),
      state: facts,
    };
    const isLate =
      late || observe(state, { id: eventId, eventType: subject.eventType, ...position, place }).late;
    const outcome = await settle(this.ruleSet, rule, subject, inputs, {
      id: eventId,
      place,
      late: isLate,
      orderTime: position.orderTime,
      state,
      ladders: this.sources.book.of(entity),
    });
    if (outcome.verdict.verdict === 'unknown') return false;
    // An event is settled once; further rules of it have an occasion of their own.
    const occasion = settled ? `${SETTLE}:${name}` : SETTLE;
    this.decided.set(eventId, { ...recalled, settled: true });
    this.evaluations.push({ eventId, occasion, verdicts: [outcome.verdict], inputs });
    if (outcome.match) this.firings.push({ ...outcome.match, eventId, occasion });
    this.sources.book.apply(
      { id: eventId, key: cause ?? subject.key, entity },
      outcome.ladders,
      this.base.now,
    );
    return true;
  }

  private noteTask(entity: string, { tells, task }: EventPlace): void {
    if (tells !== 'task' || task === null) return;
    const tasks = this.changedTasks.get(entity);
    if (tasks) tasks.add(task);
    else this.changedTasks.set(entity, new Set([task]));
  }

  private openOf(entity: string): Unsettled[] {
    let found = this.open.get(entity);
    if (!found) this.open.set(entity, (found = []));
    return found;
  }
}

function at({ orderTime, statusRank, eventId }: OrderKey): {
  readonly orderTime: number;
  readonly statusRank: number;
  readonly eventId: string;
} {
  return { orderTime, statusRank, eventId };
}
