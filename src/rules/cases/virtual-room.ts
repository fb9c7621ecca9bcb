import type { StoredEvent } from '../../events/event-store.js';
import { admit, type Admission, withSuppressions } from '../admission.js';
import { type Decision, type DecisionInputs, skipped, type Subject, timeDefaults } from '../decide.js';
import { type BatchEvaluation, DecisionBatch, LIVE, type RecalledEvent, SETTLE } from '../decision-batch.js';
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
import type { EventPlace, Level, RootState } from '../state/root-state.js';
import { stateFacts } from '../state/state-facts.js';
import { stateOf } from '../state-store.js';
import { type StepAnswers, stepOccasion } from '../timer-store.js';
import { TurnFindings } from '../turn-findings.js';
import { turnFirings, turnSubject } from '../turn-judgement.js';
import { isTouched, scopesTouchedBy, type Unsettled } from '../unsettled-store.js';
import { DueQueue } from './due-queue.js';
import { type VirtualDigest, VirtualDigests } from './virtual-digests.js';
import { VirtualGates } from './virtual-gates.js';
import { type LadderRow, VirtualLadders } from './virtual-ladders.js';
import { type VirtualDelivery, VirtualOutbox } from './virtual-outbox.js';

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

/** What others answer. */
export interface VirtualAnswers {
  /** Null: nobody was asked, and the look-up fails. */
  lookup(name: string, request: string, now: number): LookupAnswer | null;
  /** Whether somebody is still waited for, as the platform says before a step; null: it does not say. */
  pending(per: Level, holder: HolderEvent): boolean | null;
}

const NO_ANSWERS: VirtualAnswers = { lookup: () => null, pending: () => true };

export interface VirtualRoomOptions {
  /** Of rules that name none. */
  readonly timezone: string;
  readonly calendar?: string;
  readonly answers?: VirtualAnswers;
  /** Is told of everything that goes out, or is held. */
  readonly out?: (delivery: VirtualDelivery) => void;
  /** So many things may come due in all; more are an error. Absent: however many. */
  readonly most?: number;
}

type DueItem =
  | { readonly kind: 'ladder'; readonly row: LadderRow }
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
  private readonly states = new Map<string, RootState>();
  private readonly ladders = new VirtualLadders();
  private readonly gates = new VirtualGates();
  private readonly digests = new VirtualDigests();
  private readonly outbox: VirtualOutbox;
  private readonly due = new DueQueue<DueItem>();
  private readonly holders = new Map<string, HolderEvent>();
  private readonly recalled = new Map<string, RecalledEvent>();
  /** By root entity, then by event and rule. */
  private readonly unsettled = new Map<string, Map<string, Unsettled>>();
  private happened = 0;
  private readonly defaults: Pick<DecisionInputs, 'timezone' | 'calendar'>;
  private readonly answers: VirtualAnswers;
  private readonly most: number;
  private turns = 0;

  constructor(
    private readonly ruleSet: RuleSet,
    { timezone, calendar, answers = NO_ANSWERS, out, most = Infinity }: VirtualRoomOptions,
  ) {
    this.defaults = { timezone, ...(calendar === undefined ? {} : { calendar }) };
    this.answers = answers;
    this.most = most;
    this.outbox = new VirtualOutbox(out);
  }

  /** All that was decided, also what waits still. */
  get deliveries(): readonly VirtualDelivery[] {
    return this.outbox.all;
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
    const entities = [...new Set(events.flatMap(({ entity }) => entity ?? []))];
    const book = this.ladders.bookOf(entities);
    const batch = new DecisionBatch(ruleSet, base, {
      states: this.states,
      book,
      unsettled: this.openVerdicts(placed, now),
      recall: (ids) => Promise.resolve(new Map(ids.flatMap((id) => this.recalledOf(id)))),
    });
    const decided: DecidedEvent[] = [];
    for (const { event, place } of placed) {
      const { id, entity, subject, order } = event;
      const stored = { id, eventType: subject.eventType, rootEntity: entity } as StoredEvent;
      const observed = batch.observe(stored, subject, place, order);
      const lookups = this.lookupsFor(subject, observed.inputs);
      const inputs = Object.keys(lookups).length === 0 ? observed.inputs : { ...observed.inputs, lookups };
      if (entity !== null) this.holders.set(id, { id, subject, place, at: order, receivedAt: now });
      const decision = await batch.decide(stored, order, observed, inputs);
      decided.push({ event, decision, inputs });
    }
    for (const row of this.ladders.write(book)) this.dateLadder(row);
    this.keepOpen(batch);
    this.conclude(now, batch.evaluations, batch.firings, (id) => this.eventTypeOf(id, decided));
    return decided;
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
        // It was dated anew meanwhile, or has ended.
        if (item.row.state === 'armed' && item.row.dueAt === at) await this.step(item.row, now);
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

  private async step(row: LadderRow, now: number): Promise<void> {
    for (let questions = 0; questions < MOST_QUESTIONS; questions += 1) {
      const holders = holderIdsOf(row).flatMap((id) => this.holders.get(id) ?? []);
      const due = {
        ladder: { ...row, state: 'armed' as const },
        state: stateOf(this.states, row.entity),
        holders,
      };
      const { outcome, match, evaluation } = await decideDue(this.ruleSet, due, { now, ...this.defaults });
      this.ladders.settle(row, outcome);
      if (outcome.state === 'asking') {
        const holder = holders.find(({ id }) => id === outcome.answers?.about);
        const answers = this.answersOf(row, holder, now);
        this.ladders.settle(row, { ...outcome, state: 'armed', dueAt: now, answers });
        continue;
      }
      if (outcome.state === 'armed') this.dateLadder(row);
      if (!evaluation) return;
      const occasion = stepOccasion(row.rule, evaluation.step);
      const inputs = { ...evaluation.inputs, about: evaluation.about };
      const evaluated = { eventId: row.eventId, occasion, verdicts: [evaluation.verdict], inputs };
      const firings = match ? [{ ...match, eventId: row.eventId, occasion }] : [];
      this.conclude(now, [evaluated], firings, (id) => this.eventTypeOf(id));
      return;
    }
    throw new Error(`the step "${row.step}" of "${row.rule}" asks for look-ups without end`);
  }

  /** What a step needs to know before it is sent. */
  private answersOf(row: LadderRow, holder: HolderEvent | undefined, now: number): StepAnswers {
    const rule = this.ruleSet.ruleOf(row.rule);
    const answers: StepAnswers = { ...row.answers, askedSince: now };
    if (!rule?.escalation || !holder) return answers;
    const pending = rule.escalation.confirm ? this.answers.pending(row.per, holder) : null;
    const confirm = rule.escalation.confirm ? { confirm: { pending, at: now } } : {};
    if (pending === false) return { ...answers, ...confirm };
    const state = stateFacts(stateOf(this.states, row.entity), holder.place, null, now, false);
    const inputs = { now, ...this.defaults, state };
    const names = rule.lookups?.steps ?? new Set<string>();
    const plan = (lookups: LookupAnswers): ReturnType<typeof planLookups> =>
      planNamedLookups(this.ruleSet, names, holder.subject, { ...inputs, lookups });
    return { ...answers, ...confirm, lookups: this.answered(plan, row.answers?.lookups ?? {}, now) };
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
    const open = [...this.states]
      .filter(([, state]) => !hasEnded(state))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([entity, state]) =>
        openEntities(entity, state, over).map((one) => ({ ...one, entity, state })),
      );
    const subjects = open.map((one) => ({
      ...one,
      subject: turnSubject(turn, one, (one.latest && this.holders.get(one.latest.id)?.subject) ?? null),
    }));
    const admission = this.admit(now, await turnFirings(turn, subjects, findings));
    findings.admitted(admission, []);
    const { verdicts, counts, askedByRule: asked } = findings;
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
    this.outbox.accept(delivery, null, now, null);
  }

  /** Through the gates, and into the ledger. */
  private conclude(
    now: number,
    evaluations: readonly BatchEvaluation[],
    firings: readonly Firing[],
    eventTypeOf: (eventId: string) => string,
  ): void {
    const admission = this.admit(now, firings);
    for (const one of withSuppressions(this.ruleSet, evaluations, admission, []))
      this.ledger.push({ ...one, at: now, eventType: eventTypeOf(one.eventId), turnOf: null });
    for (const { eventId, occasion, inputs } of evaluations) this.noteRead(eventId, occasion, inputs);
  }

  private admit(now: number, firings: readonly Firing[]): Admission {
    const { calendars } = this.ruleSet;
    const context = { now, calendars, ...timeDefaults({ now, ...this.defaults }) };
    const admission = admit(firings, this.gates.read(firings, now), context);
    this.gates.write(admission, now);
    const steps = new Map(firings.map(({ occasion, step }) => [occasion, step]));
    for (const { delivery, occasion, dueAt } of admission.deliveries) {
      const deferred = this.outbox.accept(delivery, steps.get(occasion) ?? null, now, dueAt);
      if (deferred) this.due.add(dueAt ?? now, { kind: 'release', delivery: deferred }, RANK.release);
    }
    for (const digest of this.digests.add(admission.items))
      this.due.add(digest.dueAt, { kind: 'digest', digest }, RANK.digest, digest.number);
    return admission;
  }

  private lookupsFor(subject: Subject, inputs: DecisionInputs): LookupAnswers {
    const { ruleSet } = this;
    if (ruleSet.lookups.size === 0) return {};
    return this.answered((lookups) => planLookups(ruleSet, subject, { ...inputs, lookups }), {}, inputs.now);
  }

  private answered(
    plan: (lookups: LookupAnswers) => ReturnType<typeof planLookups>,
    known: LookupAnswers,
    now: number,
  ): LookupAnswers {
    const give = (name: string, request: string): LookupAnswer | null =>
      // What could not even be asked has failed, whatever the answer would have been.
      request === '' ? null : this.answers.lookup(name, request, now);
    return answerAll(plan, known, { give, now });
  }

  private dateLadder(row: LadderRow): void {
    this.due.add(row.dueAt, { kind: 'ladder', row }, RANK.ladder, row.number);
  }

  private dateTurn(rule: Rule, after: number): void {
    const timetable = timetableOf(rule, this.ruleSet, this.defaults.timezone);
    const dueAt = timetable && nextTurn(timetable, after);
    if (dueAt !== null) this.due.add(dueAt, { kind: 'turn', rule: rule.name }, RANK.turn);
  }

  /** The verdicts that some events may settle. */
  private openVerdicts(
    placed: readonly { readonly event: VirtualEvent; readonly place: EventPlace }[],
    now: number,
  ): readonly Unsettled[] {
    const found = new Set<Unsettled>();
    for (const { event, place } of placed) {
      const touched = scopesTouchedBy(place);
      for (const row of this.unsettled.get(event.entity ?? '')?.values() ?? [])
        if (row.until > now && isTouched(row, touched)) found.add(row);
    }
    return [...found];
  }

  private keepOpen({ added, removed }: Pick<DecisionBatch, 'added' | 'removed'>): void {
    for (const one of removed) {
      const entity = this.holders.get(one.eventId)?.subject.entity ?? '';
      this.unsettled.get(entity)?.delete(keyOf(one));
    }
    for (const row of added) {
      const rows = this.unsettled.get(row.entity) ?? new Map<string, Unsettled>();
      this.unsettled.set(row.entity, rows.set(keyOf(row), row));
    }
  }

  private recalledOf(id: string): [string, RecalledEvent][] {
    const known = this.recalled.get(id);
    return known ? [[id, known]] : [];
  }

  /** What was read for an event, for verdicts that are settled later. */
  private noteRead(id: string, occasion: string, { lookups }: DecisionInputs): void {
    const holder = this.holders.get(id);
    if (!holder) return;
    if (occasion === LIVE) this.recalled.set(id, { subject: holder.subject, lookups, settled: false });
    const known = this.recalled.get(id);
    if (occasion === SETTLE && known) this.recalled.set(id, { ...known, settled: true });
  }

  private eventTypeOf(id: string, decided: readonly DecidedEvent[] = []): string {
    const known = this.holders.get(id) ?? decided.find(({ event }) => event.id === id)?.event;
    return known?.subject.eventType ?? '';
  }
}

function keyOf({ eventId, rule }: Pick<Unsettled, 'eventId' | 'rule'>): string {
  return `${eventId} ${rule}`;
}
