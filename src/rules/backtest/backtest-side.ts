import type { NewDelivery } from '../../action/delivery-store.js';
import type { Admission, AdmittedSuppression } from '../admission.js';
import type { DecisionInputs, Subject } from '../decide.js';
import { type BatchEvaluation, SETTLE } from '../decision-batch.js';
import type { SuppressionCause } from '../firing.js';
import type { LookupAnswers } from '../lookup-document.js';
import type { RuleSet } from '../rule-set.js';
import type { VirtualDelivery } from '../cases/virtual-outbox.js';
import { type RoomObserver, type VirtualEvent, VirtualRoom } from '../cases/virtual-room.js';
import type { RoundStates } from '../cases/virtual-states.js';
import type { BacktestSet, BacktestVerdicts } from './backtest-report.js';
import { type AnswerRecords, CONFIRMATION, RecordedAnswers } from './recorded-answers.js';

/** So many ids of events are told of one look-up that nobody had recorded. */
const MOST_UNRECORDED = 5;

export interface SideOptions {
  readonly ruleSet: RuleSet;
  /** The other set, when the recorded answers are its own. */
  readonly against: RuleSet | null;
  readonly answers: AnswerRecords;
  /** Shared with the other side, when both make the same of an event. */
  readonly states: RoundStates;
  readonly timezone: string;
  readonly calendar: string | null;
  /** What is decided from here on counts, ms since 1970. */
  readonly from: number;
}

/** What one rule set read of an event in the present round. */
export interface RoundInputs {
  readonly subject: Subject | null;
  readonly inputs: DecisionInputs | null;
}

type VerdictCounts = { -readonly [verdict in keyof BacktestVerdicts]: number };

/** One of the two rule sets in its virtual room, and what is counted of it. */
export class BacktestSide implements RoomObserver {
  readonly room: VirtualRoom;
  private readonly sending: RuleSet;
  /** Of each rule, how its verdicts came out. */
  readonly verdicts = new Map<string, VerdictCounts>();
  readonly unrecorded = new Map<string, { count: number; readonly events: string[] }>();
  /** What went out in the present round, or is held or dead. */
  private gone: VirtualDelivery[] = [];
  /** Of the present round. */
  private evaluations: BatchEvaluation[] = [];
  private suppressions: AdmittedSuppression[] = [];
  /** Events and rules of which it cannot be told what they send. */
  private readonly undecidable = new Set<string>();
  /** Steps that were sent though nobody had recorded whether somebody was still waited for. */
  private readonly unconfirmed = new Set<string>();
  private readonly deliveries = { sent: 0, held: 0, dead: 0, waiting: 0 };
  private readonly suppressed = new Map<SuppressionCause, number>();
  private digests = 0;
  private events: readonly VirtualEvent[] = [];

  constructor(private readonly options: SideOptions) {
    const { ruleSet, answers, against, states, timezone, calendar } = options;
    this.sending = sendingOf(ruleSet);
    this.room = new VirtualRoom(this.sending, {
      timezone,
      ...(calendar === null ? {} : { calendar }),
      observer: this,
      states,
      answers: new RecordedAnswers(answers, ruleSet, against, (lookup, { eventId, step }, now) => {
        if (this.counts(now)) this.noteUnrecorded(lookup, eventId);
        if (lookup === CONFIRMATION && step) this.unconfirmed.add(stepKey(eventId, step.rule, step.step));
      }),
    });
  }

  get ruleSet(): RuleSet {
    return this.options.ruleSet;
  }

  /** Without rules nothing is sent, whatever happens. */
  get isEmpty(): boolean {
    return this.sending.rules.length === 0;
  }

  /** Lets time pass from one round to the next, both in ms. */
  async pass(from: number, until: number): Promise<void> {
    await this.room.advance(from, until);
  }

  async receive(now: number, events: readonly VirtualEvent[]): Promise<void> {
    if (this.isEmpty) return;
    this.events = events;
    await this.room.receive(now, events);
    await this.room.advance(now, now);
  }

  /** What has gone out since the last round. */
  take(): readonly VirtualDelivery[] {
    const { gone } = this;
    this.gone = [];
    for (const { delivery, decidedAt } of gone) if (this.counts(decidedAt)) this.count(delivery.state);
    return gone;
  }

  /** What waits still at the end. */
  takeWaiting(): readonly VirtualDelivery[] {
    const waiting = [...this.room.waiting];
    for (const { decidedAt } of waiting) if (this.counts(decidedAt)) this.deliveries.waiting += 1;
    return waiting;
  }

  /** A new round begins: what was read in the last one is not needed any more. */
  forget(): void {
    this.options.states.endRound();
    if (this.evaluations.length > 0) this.evaluations = [];
    if (this.suppressions.length > 0) this.suppressions = [];
  }

  /** What was read of an event in this round, or is known of it still. */
  readOf(eventId: string, entity: string): RoundInputs {
    const own = this.events.find(({ id }) => id === eventId)?.subject;
    const read = this.evaluations.findLast((one) => one.eventId === eventId);
    return { subject: own ?? this.room.subjectOf(entity, eventId), inputs: read?.inputs ?? null };
  }

  /** What stood in the way of an action in this round; null: nothing did. */
  causeOf(eventId: string, rule: string, action: string): SuppressionCause | null {
    const found = this.suppressions.findLast(
      (one) => one.eventId === eventId && one.suppression.rule === rule && one.suppression.action === action,
    );
    return found?.suppression.cause ?? null;
  }

  isUndecidable(eventId: string | null, rule: string): boolean {
    return eventId !== null && this.undecidable.has(`${eventId} ${rule}`);
  }

  isUnconfirmed(eventId: string | null, rule: string, step: string | null): boolean {
    return eventId !== null && step !== null && this.unconfirmed.has(stepKey(eventId, rule, step));
  }

  /** How it is told. */
  get report(): BacktestSet {
    const { ruleSet } = this.options;
    return {
      ruleSet: ruleSet.hash,
      rules: ruleSet.rules.length,
      deliveries: { ...this.deliveries },
      suppressed: Object.fromEntries([...this.suppressed].sort(([a], [b]) => (a < b ? -1 : 1))),
      digests: this.digests,
    };
  }

  made(delivery: VirtualDelivery): void {
    // Nothing more will come of it.
    if (delivery.delivery.state === 'dead') this.gone.push(delivery);
    if (delivery.eventId === null && this.counts(delivery.decidedAt)) this.digests += 1;
  }

  out(delivery: VirtualDelivery): void {
    this.gone.push(delivery);
  }

  concluded(now: number, evaluations: readonly BatchEvaluation[], admission: Admission | null): void {
    const counts = this.counts(now);
    for (const one of evaluations) this.evaluations.push(one);
    for (const { eventId, occasion, verdicts, inputs } of evaluations) {
      const unasked = unaskedIn(inputs.lookups);
      for (const one of verdicts) {
        if (unasked !== null) this.noteUndecidable(eventId, one, unasked);
        if (counts && one.verdict !== 'not matched') this.verdictsOf(one.rule)[one.verdict] += 1;
        // It was counted as unknown when its event was decided.
        if (counts && occasion.startsWith(SETTLE)) this.verdictsOf(one.rule).unknown -= 1;
      }
    }
    for (const one of admission?.suppressions ?? []) {
      this.suppressions.push(one);
      const { cause } = one.suppression;
      if (counts) this.suppressed.set(cause, (this.suppressed.get(cause) ?? 0) + 1);
    }
  }

  private counts(at: number): boolean {
    return at >= this.options.from;
  }

  private count(state: NewDelivery['state']): void {
    this.deliveries[state === 'pending' ? 'sent' : state] += 1;
  }

  private verdictsOf(rule: string): VerdictCounts {
    let counts = this.verdicts.get(rule);
    if (!counts) this.verdicts.set(rule, (counts = { matched: 0, unknown: 0, error: 0, skipped: 0 }));
    return counts;
  }

  private noteUnrecorded(lookup: string, eventId: string): void {
    const known = this.unrecorded.get(lookup);
    if (!known) this.unrecorded.set(lookup, { count: 1, events: [eventId] });
    else {
      known.count += 1;
      if (known.events.length < MOST_UNRECORDED) known.events.push(eventId);
    }
  }

  /** The rules whose verdict or message would be another, had the look-ups been asked. */
  private noteUndecidable(
    eventId: string,
    verdict: BatchEvaluation['verdicts'][number],
    unasked: readonly string[],
  ): void {
    const { verdict: outcome, rule } = verdict;
    const lookups = this.options.ruleSet.ruleOf(rule)?.lookups;
    if (!lookups || outcome === 'skipped' || outcome === 'error') return;
    const reads = outcome === 'matched' ? Object.values(lookups) : [lookups.conditions];
    const isRead = unasked.some((name) => reads.some((names: ReadonlySet<string>) => names.has(name)));
    if (isRead) this.undecidable.add(`${eventId} ${rule}`);
  }
}

/** Rules in shadow mode send nothing: they are left out. */
function sendingOf(ruleSet: RuleSet): RuleSet {
  const live = ruleSet.rules.filter(({ mode }) => mode === 'live');
  return live.length === ruleSet.rules.length ? ruleSet : ruleSet.withRules(live);
}

/** The look-ups that nobody was asked; null: none. */
function unaskedIn(lookups: LookupAnswers | undefined): readonly string[] | null {
  if (!lookups) return null;
  const names = Object.entries(lookups).flatMap(([name, answer]) =>
    'failed' in answer && answer.failed.code === 'LOOKUP_NOT_ASKED' ? name : [],
  );
  return names.length === 0 ? null : names;
}

function stepKey(eventId: string, rule: string, step: string): string {
  return `${eventId} ${rule} ${step}`;
}
