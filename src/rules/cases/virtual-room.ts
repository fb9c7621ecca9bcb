import type { StoredEvent } from '../../events/event-store.js';
import { admit, type Admission, withSuppressions } from '../admission.js';
import { type Decision, type DecisionInputs, skipped, type Subject, timeDefaults } from '../decide.js';
import { type BatchEvaluation, DecisionBatch, LIVE } from '../decision-batch.js';
import { decideDue, type HolderEvent } from '../due-step.js';
import type { Evaluation } from '../evaluation-store.js';
import type { Firing } from '../firing.js';
import { answerAll } from '../given-answers.js';
import { holderIdsOf } from '../holder-events.js';
import type { LookupAnswer, LookupAnswers } from '../lookup-document.js';
import { planLookups, planNamedLookups } from '../lookup-plan.js';
import type { OrderKey } from '../lookup-store.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { nextTurn, openEntities, timetableOf, turnEvent } from '../schedule-turn.js';
import { placeOf } from '../state/observe.js';
import { hasEnded } from '../state/phases.js';
import { type Level, NO_STATE, type RootState } from '../state/root-state.js';
import { stateFacts } from '../state/state-facts.js';
import { type StepAnswers, stepOccasion } from '../timer-store.js';
import { TurnFindings } from '../turn-findings.js';
import { turnFirings, turnSubject } from '../turn-judgement.js';
import { DueQueue } from './due-queue.js';
import { type VirtualDigest, VirtualDigests } from './virtual-digests.js';
import { type EntityRecord, type LadderRow, VirtualEntities } from './virtual-entities.js';
import { VirtualGates } from './virtual-gates.js';
import { VirtualLadders } from './virtual-ladders.js';
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

/** What asks for an answer: the decision about an event, or a step of a ladder that the event armed. */
export interface Asking {
  readonly eventId: string;
  readonly step: Pick<LadderRow, 'rule' | 'subject' | 'step'> | null;
}

/** What others answer. */
export interface VirtualAnswers {
  /** Null: nobody was asked, and the look-up fails. */
  lookup(name: string, request: string, now: number, asking: Asking): LookupAnswer | null;
  /** Whether somebody is still waited for, as the platform says before a step; null: it does not say. */
  pending(per: Level, holder: HolderEvent, asking: Asking, now: number): boolean | null;
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

const NO_ANSWERS: VirtualAnswers = { lookup: () => null, pending: () => true };
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
  private readonly entities: VirtualEntities;
  /** Root entities that have not ended, when a schedule asks for them; null: none does. */
  private readonly open: Set<string> | null;
  private readonly ladders: VirtualLadders;
  private readonly gates: VirtualGates;
  private readonly digests = new VirtualDigests();
  private readonly outbox: VirtualOutbox;
  private readonly due = new DueQueue<DueItem>();
  private happened = 0;
  private readonly defaults: Pick<DecisionInputs, 'timezone' | 'calendar'>;
  private readonly answers: VirtualAnswers;
  private readonly observer: RoomObserver | null;
  private readonly most: number;
  private turns = 0;

  constructor(
    private readonly ruleSet: RuleSet,
    { timezone, calendar, answers = NO_ANSWERS, out, observer, most = Infinity }: VirtualRoomOptions,
  ) {
    this.defaults = { timezone, ...(calendar === undefined ? {} : { calendar }) };
    this.answers = answers;
    this.observer = observer ?? null;
    this.most = most;
    const scheduled = ruleSet.rules.some(({ schedule }) => schedule !== null);
    this.entities = new VirtualEntities(scheduled);
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
    for (const [entity, { state }] of records) if (state) states.set(entity, state);
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
      const lookups = this.lookupsFor(event, observed.inputs);
      const inputs = Object.keys(lookups).length === 0 ? observed.inputs : { ...observed.inputs, lookups };
      if (entity !== null)
        records.get(entity)?.holders.set(id, { id, subject, place, at: order, receivedAt: now });
      const decision = await batch.decide(stored, order, observed, inputs);
      decided.push({ event, decision, inputs });
    }
    for (const [entity, state] of batch.changed) this.keepState(entity, state, records.get(entity));
    for (const row of this.ladders.write(book)) this.dateLadder(row);
    keepOpen(batch, records);
    this.conclude(
      now,
      batch.evaluations,
      batch.firings,
      (id) => this.eventTypeOf(id, records, decided),
      records,
    );
    for (const record of records.values()) this.entities.thin(record);
    return decided;
  }

  private recordsOf(events: readonly VirtualEvent[]): EntityRecords {
    const records = new Map<string, EntityRecord>();
    for (const { entity } of events)
      if (entity !== null && !records.has(entity)) records.set(entity, this.entities.of(entity));
    return records;
  }

  private keepState(entity: string, state: RootState, record: EntityRecord | undefined): void {
    if (record) record.state = state;
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
    const row = this.ladders.find(entity, id);
    // It was dated anew meanwhile, or has ended.
    if (row?.state === 'armed' && row.dueAt === at) await this.step(row, this.entities.of(entity), now);
  }

  private async step(row: LadderRow, record: EntityRecord, now: number): Promise<void> {
    const records = new Map([[row.entity, record]]);
    for (let questions = 0; questions < MOST_QUESTIONS; questions += 1) {
      const holders = holderIdsOf(row).flatMap((id) => record.holders.get(id) ?? []);
      const due = {
        ladder: { ...row, state: 'armed' as const },
        state: record.state ?? NO_STATE,
        holders,
      };
      const { outcome, match, evaluation } = await decideDue(this.ruleSet, due, { now, ...this.defaults });
      this.ladders.settle(row, outcome);
      if (outcome.state === 'asking') {
        const holder = holders.find(({ id }) => id === outcome.answers?.about);
        const answers = this.answersOf(row, record, holder, now);
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

  /** What a step needs to know before it is sent. */
  private answersOf(
    row: LadderRow,
    record: EntityRecord,
    holder: HolderEvent | undefined,
    now: number,
  ): StepAnswers {
    const asking = { eventId: row.eventId, step: row };
    const rule = this.ruleSet.ruleOf(row.rule);
    const answers: StepAnswers = { ...row.answers, askedSince: now };
    if (!rule?.escalation || !holder) return answers;
    const pending = rule.escalation.confirm ? this.answers.pending(row.per, holder, asking, now) : null;
    const confirm = rule.escalation.confirm ? { confirm: { pending, at: now } } : {};
    if (pending === false) return { ...answers, ...confirm };
    const state = stateFacts(record.state ?? NO_STATE, holder.place, null, now, false);
    const inputs = { now, ...this.defaults, state };
    const names = rule.lookups?.steps ?? new Set<string>();
    const plan = (lookups: LookupAnswers): ReturnType<typeof planLookups> =>
      planNamedLookups(this.ruleSet, names, holder.subject, { ...inputs, lookups });
    return { ...answers, ...confirm, lookups: this.answered(plan, row.answers?.lookups ?? {}, now, asking) };
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
        const { state, holders } = this.entities.find(entity) ?? { state: null };
        if (!state) return [];
        return openEntities(entity, state, over).map((one) => {
          const known = one.latest && (holders.get(one.latest.id)?.subject ?? null);
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
    this.outbox.accept(delivery, { step: null, eventId: null }, now, null);
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
      const of = { step: steps.get(occasion) ?? null, eventId };
      const deferred = this.outbox.accept(delivery, of, now, dueAt);
      if (deferred) this.due.add(dueAt ?? now, { kind: 'release', delivery: deferred }, RANK.release);
    }
    for (const digest of this.digests.add(admission.items))
      this.due.add(digest.dueAt, { kind: 'digest', digest }, RANK.digest, digest.number);
    return admission;
  }

  private lookupsFor({ id: eventId, subject }: VirtualEvent, inputs: DecisionInputs): LookupAnswers {
    const { ruleSet } = this;
    if (ruleSet.lookups.size === 0) return {};
    const plan = (lookups: LookupAnswers): ReturnType<typeof planLookups> =>
      planLookups(ruleSet, subject, { ...inputs, lookups });
    return this.answered(plan, {}, inputs.now, { eventId, step: null });
  }

  private answered(
    plan: (lookups: LookupAnswers) => ReturnType<typeof planLookups>,
    known: LookupAnswers,
    now: number,
    asking: Asking,
  ): LookupAnswers {
    const give = (name: string, request: string): LookupAnswer | null =>
      // What could not even be asked has failed, whatever the answer would have been.
      request === '' ? null : this.answers.lookup(name, request, now, asking);
    return answerAll(plan, known, { give, now });
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
