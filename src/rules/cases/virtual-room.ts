import type { StoredEvent } from '../../events/event-store.js';
import { admit, type Admission, withSuppressions } from '../admission.js';
import { type Decision, type DecisionInputs, skipped, type Subject, timeDefaults } from '../decide.js';
import { type BatchEvaluation, DecisionBatch, LIVE } from '../decision-batch.js';
import { decideDue } from '../due-step.js';
import type { Evaluation } from '../evaluation-store.js';
import type { Firing } from '../firing.js';
import { holderIdsOf } from '../holder-events.js';
import type { OrderKey } from '../lookup-store.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { nextTurn, openEntities, timetableOf, turnEvent } from '../schedule-turn.js';
import { placeOf } from '../state/observe.js';
import { hasEnded } from '../state/phases.js';
import { NO_STATE, type RootState } from '../state/root-state.js';
import { stepOccasion } from '../timer-store.js';
import { TurnFindings } from '../turn-findings.js';
import { turnFirings, turnSubject } from '../turn-judgement.js';
import { AnswersGiven, type VirtualAnswers } from './answers-given.js';
import { DueQueue } from './due-queue.js';
import { type VirtualDigest, VirtualDigests } from './virtual-digests.js';
import { type EntityRecord, type LadderRow, VirtualEntities } from './virtual-entities.js';
import { VirtualGates } from './virtual-gates.js';
import { VirtualLadders } from './virtual-ladders.js';
import { PackedStates, type VirtualStates } from './virtual-states.js';
import { type VirtualDelivery, VirtualOutbox } from './virtual-outbox.js';
import { type EntityRecords, keepOpen, noteRead, openVerdicts, recalledOf } from './virtual-verdicts.js';

/** An event as it arrives in the virtual room. */
export interface VirtualEvent {
  /** Ids sort as the events arrive. */
  readonly id: string;
  /** The root entity; null: it belongs to none. */
  readonly entity: string | null;
  readonly subject: Subject;
  readonly order: OrderKey;
  /** The key of the event because of which things are sent, when that is another one; absent: its own. */
  readonly cause?: string;
}

/** An event that was decided, and by what. */
export interface DecidedEvent {
  readonly event: VirtualEvent;
  readonly decision: Decision;
  readonly inputs: DecisionInputs;
}

/** An evaluation as the ledger keeps it, and when it was made (ms). */
export interface VirtualEvaluation extends Evaluation {
  readonly at: number;
  readonly eventType: string;
  /** The rule whose schedule had its turn; null: it is of an event. */
  readonly turnOf: string | null;
}

/** Sees what happens, as it happens. */
export interface RoomObserver {
  /** A delivery was decided. */
  made(delivery: VirtualDelivery): void;
  /** It goes out, or is held. */
  out(delivery: VirtualDelivery): void;
  /** What was evaluated together at one time (ms), and what came of it; `turnOf`: the rule whose schedule had its turn. */
  concluded(
    now: number,
    evaluations: readonly BatchEvaluation[],
    admission: Admission | null,
    turnOf: string | null,
  ): void;
}

const NOTHING_ADMITTED: Pick<Admission, 'asked' | 'suppressions'> = { asked: [], suppressions: [] };

export interface VirtualRoomOptions {
  /** Of rules that name none. */
  readonly timezone: string;
  readonly calendar?: string;
  readonly answers?: VirtualAnswers;
  /** Is told of everything that goes out, or is held. */
  readonly out?: (delivery: VirtualDelivery) => void;
  /** Sees all that happens: then neither the ledger nor the deliveries are kept. */
  readonly observer?: RoomObserver;
  /** The states of root entities, when another room shares them. Absent: it has its own. */
  readonly states?: VirtualStates;
  /** So many things may come due in all; more are an error. Absent: however many. */
  readonly most?: number;
}

type DueItem =
  | { readonly kind: 'ladder'; readonly entity: string; readonly id: string }
  | { readonly kind: 'turn'; readonly rule: string }
  | { readonly kind: 'digest'; readonly digest: VirtualDigest }
  | { readonly kind: 'release'; readonly delivery: VirtualDelivery };

/** What comes first of all that is due at one time. */
const RANK = { ladder: 0, turn: 1, digest: 2, release: 3 } as const satisfies Record<DueItem['kind'], number>;

/** A step is asked for at most so often: what it asks changes with no answer. */
const MOST_QUESTIONS = 5;

/** The pure core on a virtual clock, in memory: what the workers do around it on the database, without one. */
export class VirtualRoom {
  /** In the order in which they were made. */
  readonly ledger: VirtualEvaluation[] = [];
  /** All that was decided, also what waits still. */
  readonly deliveries: VirtualDelivery[] = [];
  private readonly states: VirtualStates;
  private readonly entities: VirtualEntities;
  /** Root entities that have not ended, when a schedule asks for them; null: none does. */
  private readonly open: Set<string> | null;
  private readonly ladders: VirtualLadders;
  private readonly gates: VirtualGates;
  private readonly digests = new VirtualDigests();
  private readonly outbox: VirtualOutbox;
  private readonly due = new DueQueue<DueItem>();
  private happened = 0;
  private readonly ruleSet: RuleSet;
  private readonly defaults: Pick<DecisionInputs, 'timezone' | 'calendar'>;
  private readonly answers: AnswersGiven;
  private readonly observer: RoomObserver | null;
  private readonly most: number;
  private turns = 0;

  constructor(
    /** Those in shadow mode are live ones here: nothing is sent anyway. */
    ruleSet: RuleSet,
    {
      timezone,
      calendar,
      answers,
      out,
      observer,
      states = new PackedStates(),
      most = Infinity,
    }: VirtualRoomOptions,
  ) {
    this.ruleSet = ruleSet.withShadowsLive();
    this.defaults = { timezone, ...(calendar === undefined ? {} : { calendar }) };
    this.answers = new AnswersGiven(this.ruleSet, this.defaults, answers);
    this.observer = observer ?? null;
    this.most = most;
    const scheduled = ruleSet.rules.some(({ schedule }) => schedule !== null);
    this.states = states;
    this.entities = new VirtualEntities(states, scheduled);
    this.open = scheduled ? new Set() : null;
    this.ladders = new VirtualLadders(this.entities);
    this.gates = new VirtualGates(this.entities);
    this.outbox = observer
      ? new VirtualOutbox(
          (made) => {
            observer.made(made);
          },
          (sent) => {
            observer.out(sent);
          },
        )
      : new VirtualOutbox((made) => this.deliveries.push(made), out);
  }

  /** What is known still of an event of a root entity; null: nothing. */
  subjectOf(entity: string, eventId: string): Subject | null {
    return this.entities.find(entity)?.holders.get(eventId)?.subject ?? null;
  }

  /** What was decided and has not gone out. */
  get waiting(): Iterable<VirtualDelivery> {
    return this.outbox.waiting;
  }

  /** Makes the rule set the live one, at a time in ms: from then on its schedules have their turns. */
  begin(now: number): void {
    for (const rule of this.ruleSet.rules) this.dateTurn(rule, now);
  }

  /** Decides events that arrive at one time (ms), in the order of their entities. */
  async receive(now: number, events: readonly VirtualEvent[]): Promise<readonly DecidedEvent[]> {
    const { ruleSet } = this;
    const base = { now, ...this.defaults };
    const placed = events.map((event) => ({
      event,
      place: placeOf(ruleSet.catalogue, event.subject.eventType, event.subject.facts),
    }));
    const records = this.recordsOf(events);
    const states = new Map<string, RootState>();
    for (const entity of records.keys()) {
      const state = this.states.get(entity);
      if (state) states.set(entity, state);
    }
    const book = this.ladders.bookOf(records.values());
    const batch = new DecisionBatch(ruleSet, base, {
      states,
      book,
      unsettled: openVerdicts(placed, records, now),
      recall: (ids) => Promise.resolve(recalledOf(ids, records)),
    });
    const decided: DecidedEvent[] = [];
    for (const { event, place } of placed) {
      const { id, entity, subject, order } = event;
      const stored = { id, eventType: subject.eventType, rootEntity: entity } as StoredEvent;
      const observed = batch.observe(stored, subject, place, order);
      const lookups = this.answers.ofEvent(event, observed.inputs);
      const inputs = {
        ...observed.inputs,
        ...(Object.keys(lookups).length === 0 ? {} : { lookups }),
        ...(event.cause === undefined ? {} : { cause: event.cause }),
      };
      if (entity !== null)
        records.get(entity)?.holders.set(id, { id, subject, place, at: order, receivedAt: now });
      const decision = await batch.decide(stored, order, observed, inputs);
      decided.push({ event, decision, inputs });
    }
    for (const [entity, state] of batch.changed) this.keepState(entity, state);
    for (const row of this.ladders.write(book)) this.dateLadder(row);
    keepOpen(batch, records);
    this.conclude(
      now,
      batch.evaluations,
      batch.firings,
      (id) => this.eventTypeOf(id, records, decided),
      records,
    );
    for (const [entity, record] of records) this.entities.thin(entity, record);
    return decided;
  }

  private recordsOf(events: readonly VirtualEvent[]): EntityRecords {
    const records = new Map<string, EntityRecord>();
    for (const { entity } of events)
      if (entity !== null && !records.has(entity)) records.set(entity, this.entities.of(entity));
    return records;
  }

  private keepState(entity: string, state: RootState): void {
    this.states.set(entity, state);
    if (hasEnded(state)) this.open?.delete(entity);
    else this.open?.add(entity);
  }

  /** Everything that is due until a time happens, each at its due time or at `from`, whichever is later. All in ms. */
  async advance(from: number, until: number): Promise<void> {
    let now = from;
    for (let next = this.due.take(until); next; next = this.due.take(until)) {
      now = Math.max(now, next.at);
      if ((this.happened += 1) > this.most)
        throw new Error(`more than ${this.most} things come due: let less time pass`);
      await this.happen(next.item, next.at, now);
    }
  }

  private async happen(item: DueItem, at: number, now: number): Promise<void> {
    switch (item.kind) {
      case 'ladder':
        await this.ladder(item, at, now);
        return;
      case 'turn':
        await this.turn(item.rule, at, now);
        return;
      case 'digest':
        this.endDigest(item.digest, now);
        return;
      case 'release':
        this.outbox.release(item.delivery, now);
        return;
    }
  }

  private async ladder(
    { entity, id }: { readonly entity: string; readonly id: string },
    at: number,
    now: number,
  ): Promise<void> {
    const record = this.entities.of(entity);
    const row = this.ladders.find(entity, id);
    // It was dated anew meanwhile, or has ended.
    if (row?.state === 'armed' && row.dueAt === at) await this.step(row, record, now);
    this.entities.thin(entity, record);
  }

  private async step(row: LadderRow, record: EntityRecord, now: number): Promise<void> {
    const records = new Map([[row.entity, record]]);
    for (let questions = 0; questions < MOST_QUESTIONS; questions += 1) {
      const holders = holderIdsOf(row).flatMap((id) => record.holders.get(id) ?? []);
      const due = {
        ladder: { ...row, state: 'armed' as const },
        state: this.states.get(row.entity) ?? NO_STATE,
        holders,
      };
      const { outcome, match, evaluation } = await decideDue(this.ruleSet, due, { now, ...this.defaults });
      this.ladders.settle(row, outcome);
      if (outcome.state === 'asking') {
        const holder = holders.find(({ id }) => id === outcome.answers?.about);
        const answers = this.answers.ofStep(row, due.state, holder, now);
        this.ladders.settle(row, { ...outcome, state: 'armed', dueAt: now, answers });
        continue;
      }
      if (outcome.state === 'armed') this.dateLadder(row);
      if (!evaluation) return;
      const occasion = stepOccasion(row.rule, evaluation.step);
      const inputs = { ...evaluation.inputs, about: evaluation.about };
      const evaluated = { eventId: row.eventId, occasion, verdicts: [evaluation.verdict], inputs };
      const firings = match ? [{ ...match, eventId: row.eventId, occasion }] : [];
      this.conclude(now, [evaluated], firings, (id) => this.eventTypeOf(id, records), records);
      return;
    }
    throw new Error(`the step "${row.step}" of "${row.rule}" asks for look-ups without end`);
  }

  private async turn(name: string, dueAt: number, now: number): Promise<void> {
    const { ruleSet } = this;
    const rule = ruleSet.ruleOf(name);
    const timetable = rule && timetableOf(rule, ruleSet, this.defaults.timezone);
    if (!rule || !timetable) return;
    this.dateTurn(rule, Math.max(now, dueAt));
    const inputs = { now, ...this.defaults };
    if (skipped(rule, inputs)) return;
    const { over } = timetable.schedule;
    const { origin, eventId: turnId } = turnEvent(name, dueAt, over);
    const eventId = `turn-${(this.turns += 1)}`;
    const turn = { rule, over, ruleSet, eventId, key: `${origin}/${turnId}`, inputs };
    const findings = new TurnFindings(name);
    const subjects = [...(this.open ?? [])]
      .sort((a, b) => (a < b ? -1 : 1))
      .flatMap((entity) => {
        const state = this.states.get(entity);
        if (!state) return [];
        const holders = this.entities.find(entity)?.holders;
        return openEntities(entity, state, over).map((one) => {
          const known = one.latest && (holders?.get(one.latest.id)?.subject ?? null);
          return { ...one, entity, state, subject: turnSubject(turn, { ...one, entity, state }, known) };
        });
      });
    const admission = this.admit(now, await turnFirings(turn, subjects, findings));
    findings.admitted(admission, []);
    const { verdicts, counts, askedByRule: asked } = findings;
    if (this.observer) {
      const own = verdicts.filter((one) => 'verdict' in one);
      this.observer.concluded(now, [{ eventId, occasion: LIVE, verdicts: own, inputs }], admission, name);
      return;
    }
    const evaluation = { eventId, occasion: LIVE, ruleSet: ruleSet.hash, verdicts, asked };
    this.ledger.push({
      ...evaluation,
      inputs: { ...inputs, turn: counts },
      at: now,
      eventType: SCHEDULE_TYPE,
      turnOf: name,
    });
  }

  private endDigest(digest: VirtualDigest, now: number): void {
    const outcome = this.digests.end(digest, this.ruleSet, { now, ...this.defaults });
    if ('until' in outcome) {
      this.due.add(outcome.until, { kind: 'digest', digest }, RANK.digest, digest.number);
      return;
    }
    const [first] = digest.items;
    if (outcome.state === 'cancelled' || !first) return;
    const { rule, action, kind, cause } = first;
    const about = { rule, action, kind, entity: `digest:${digest.key}`, cause, generation: 0 };
    const delivery =
      outcome.state === 'pending'
        ? { ...about, ...outcome, code: null, reason: null }
        : { ...about, ...outcome, state: 'dead' as const, target: `${kind}:`, request: null };
    const gathered = digest.items.map(({ eventId }) => eventId);
    this.outbox.accept(delivery, { step: null, eventId: null, gathered }, now, null);
  }

  /** Through the gates, and into the ledger. */
  private conclude(
    now: number,
    evaluations: readonly BatchEvaluation[],
    firings: readonly Firing[],
    eventTypeOf: (eventId: string) => string,
    records: EntityRecords,
  ): void {
    const admission = firings.length === 0 ? null : this.admit(now, firings);
    if (this.observer) this.observer.concluded(now, evaluations, admission, null);
    else
      for (const one of withSuppressions(this.ruleSet, evaluations, admission ?? NOTHING_ADMITTED, []))
        this.ledger.push({ ...one, at: now, eventType: eventTypeOf(one.eventId), turnOf: null });
    for (const evaluation of evaluations) noteRead(evaluation, records);
  }

  private admit(now: number, firings: readonly Firing[]): Admission {
    const { calendars } = this.ruleSet;
    const context = { now, calendars, ...timeDefaults({ now, ...this.defaults }) };
    const admission = admit(firings, this.gates.read(firings, now), context);
    this.gates.write(admission, now);
    const steps = new Map(firings.map(({ occasion, step }) => [occasion, step]));
    for (const { delivery, eventId, occasion, dueAt } of admission.deliveries) {
      const of = { step: steps.get(occasion) ?? null, eventId, gathered: null };
      const deferred = this.outbox.accept(delivery, of, now, dueAt);
      if (deferred) this.due.add(dueAt ?? now, { kind: 'release', delivery: deferred }, RANK.release);
    }
    for (const digest of this.digests.add(admission.items))
      this.due.add(digest.dueAt, { kind: 'digest', digest }, RANK.digest, digest.number);
    return admission;
  }

  private dateLadder(row: LadderRow): void {
    this.due.add(row.dueAt, { kind: 'ladder', entity: row.entity, id: row.id }, RANK.ladder, row.number);
  }

  private dateTurn(rule: Rule, after: number): void {
    const timetable = timetableOf(rule, this.ruleSet, this.defaults.timezone);
    const dueAt = timetable && nextTurn(timetable, after);
    if (dueAt !== null) this.due.add(dueAt, { kind: 'turn', rule: rule.name }, RANK.turn);
  }

  private eventTypeOf(id: string, records: EntityRecords, decided: readonly DecidedEvent[] = []): string {
    const own = decided.find(({ event }) => event.id === id)?.event.subject;
    if (own) return own.eventType;
    for (const { holders } of records.values()) {
      const holder = holders.get(id);
      if (holder) return holder.subject.eventType;
    }
    return '';
  }
}
