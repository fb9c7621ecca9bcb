import { readableRequest, shownRequest } from '../../action/readable-request.js';
import { messageOf } from '../../config/log.js';
import { nameOf } from '../condition-tree.js';
import { factsFor, factsOfRule, type Verdict } from '../decide.js';
import { LIVE, SETTLE } from '../decision-batch.js';
import type { Suppression } from '../evaluation-store.js';
import { failingIn } from '../explained-tree.js';
import type { Rule } from '../rule-set.js';
import { CaseAnswers } from './case-answers.js';
import type { EventStep, ExpectedVerdict, StepDocument } from './case-document.js';
import { caseEvent } from './case-event.js';
import { matchDeliveries, verdictDifferences } from './case-match.js';
import { momentOf } from './case-moment.js';
import type {
  CaseFailure,
  CaseObserver,
  FoundCase,
  JudgedEvent,
  JudgedRule,
  SentDelivery,
  SuppressedAction,
} from './case-result.js';
import type { VirtualDelivery } from './virtual-outbox.js';
import { type DecidedEvent, type VirtualEvaluation, VirtualRoom } from './virtual-room.js';
import type { Watched } from './watched-rules.js';

/** So many things may come due in one case. */
const MOST_HAPPENINGS = 10_000;

export interface CaseRunnerOptions {
  /** IANA name, of cases and rules that name none. */
  readonly timezone: string;
  /** Name of the work calendar, likewise; null: none. */
  readonly calendar: string | null;
  readonly observer?: CaseObserver;
}

/** One case on its way. Times in ms since 1970. */
export class CaseRun {
  readonly judged: (JudgedEvent & { settled?: JudgedRule[] })[] = [];
  private readonly room: VirtualRoom;
  private readonly answers: CaseAnswers;
  private readonly failures: CaseFailure[] = [];
  private readonly observer: CaseObserver | undefined;
  private readonly keys = new Set<string>();
  /** By the id of the event in the room. */
  private readonly events = new Map<
    string,
    DecidedEvent & { readonly judged: JudgedEvent & { settled?: JudgedRule[] } }
  >();
  private sent: readonly SentDelivery[] | null = null;
  private now: number;
  private count = 0;
  private read = 0;

  constructor(
    private readonly one: FoundCase,
    private readonly watched: Watched,
    { timezone, calendar, observer }: CaseRunnerOptions,
    private readonly startedAt: number,
  ) {
    this.now = startedAt;
    this.observer = observer;
    const named = one.calendar ?? calendar;
    this.answers = new CaseAnswers(watched.ruleSet.lookups);
    this.room = new VirtualRoom(watched.ruleSet, {
      timezone: one.timezone ?? timezone,
      ...(named === null ? {} : { calendar: named }),
      answers: this.answers,
      most: MOST_HAPPENINGS,
      out: ({ delivery, step }) => {
        const rule = watched.rules.get(delivery.rule);
        if (rule) observer?.sent(rule, delivery.action, step);
      },
    });
  }

  /** Does all its steps, and answers what is not as it was expected. Never throws. */
  async run(): Promise<readonly CaseFailure[]> {
    let at: number | null = null;
    try {
      this.room.begin(this.startedAt);
      for (const [index, step] of this.one.case.steps.entries()) {
        at = index;
        await this.step(step, index);
      }
    } catch (error) {
      return [{ kind: 'broken', step: at, message: messageOf(error) }];
    }
    const { verdicts = {}, expect } = this.one.case;
    for (const [rule, expected] of Object.entries(verdicts))
      this.compareVerdict(rule, expected, null, this.lastOf(rule));
    if (expect) this.failures.push(...matchDeliveries(expect, this.deliveries, this.startedAt));
    return this.failures;
  }

  /** All that went out until its end, or is held or dead, by time. */
  get deliveries(): readonly SentDelivery[] {
    return (this.sent ??= this.room.deliveries
      .flatMap((one) => (one.at === null ? [] : sentOf(one, one.at)))
      .sort((a, b) => a.at - b.at));
  }

  private async step(step: StepDocument, at: number): Promise<void> {
    if ('lookup' in step) this.answers.give(step);
    else if ('advance' in step) {
      const until = this.momentAfter(step.advance);
      await this.room.advance(this.now, until);
      this.now = until;
      this.readLedger(at);
    } else await this.event(step, at);
  }

  private momentAfter(advance: string): number {
    const until = momentOf(advance, this.now);
    if (until === null) throw new Error(`"${advance}" is neither a duration nor a date-time`);
    if (until >= this.now) return until;
    throw new Error(
      `the clock goes only forward: ${advance} is past, it is ${new Date(this.now).toISOString()}`,
    );
  }

  private async event(step: EventStep, at: number): Promise<void> {
    const { now, watched } = this;
    this.count += 1;
    const { catalogue } = watched.ruleSet;
    const event = caseEvent(step, { catalogue, number: this.count, now, eventTypes: watched.eventTypes });
    const { key, eventType } = event.subject;
    // A key that is there already is a duplicate, and nothing is decided once more.
    const [decided] = this.keys.has(key) ? [] : await this.room.receive(now, [event]);
    this.keys.add(key);
    const rules: JudgedRule[] = [];
    const judged = { step: at, eventType, at: now, rules };
    this.judged.push(judged);
    if (decided) {
      this.events.set(event.id, { ...decided, judged });
      await this.room.advance(now, now);
      rules.push(...this.rulesOf(decided));
    }
    this.readLedger(at);
    for (const [rule, expected] of Object.entries(step.verdicts ?? {}))
      this.compareVerdict(rule, expected, at, rules.find((one) => one.rule === rule) ?? null);
  }

  /** The verdicts of all watched rules that listen to an event. */
  private rulesOf(decided: DecidedEvent): JudgedRule[] {
    const { event, decision } = decided;
    const told = new Map(decision.verdicts.map((one) => [one.rule, one]));
    const live = this.room.ledger
      .slice(this.read)
      .find(({ eventId, occasion }) => eventId === event.id && occasion === LIVE);
    return this.watched.ruleSet.rules
      .filter((rule) => rule.listensTo(event.subject.eventType))
      .map((rule) => {
        const verdict = told.get(rule.name) ?? ({ rule: rule.name, verdict: 'not matched' } as const);
        if (verdict.verdict === 'not matched') this.tellAsked(rule, decided);
        return this.judgedRule(rule, verdict, live, decided);
      });
  }

  /** The index passes rules by, whose conditions would have said no: they count as asked. */
  private tellAsked({ name }: Rule, { event, inputs }: DecidedEvent): void {
    const rule = this.watched.rules.get(name);
    if (!this.observer || !rule) return;
    const { ruleSet } = this.watched;
    const facts = factsOfRule(ruleSet, rule, factsFor(ruleSet, event.subject.facts, inputs), inputs);
    this.observer.asked(rule, { part: 'conditions' }, facts, inputs);
  }

  private judgedRule(
    rule: Rule,
    verdict: Verdict,
    evaluation: VirtualEvaluation | undefined,
    decided: DecidedEvent | null,
  ): JudgedRule {
    const { ruleSet } = this.watched;
    let because: readonly string[] | null = verdict.verdict === 'not matched' && decided ? null : [];
    return {
      rule: rule.name,
      verdict,
      suppressed: suppressedIn(evaluation, rule.name),
      // Seldom asked for, and dear with many rules.
      get because() {
        return (because ??= decided ? reasonsOf(rule, decided) : []);
      },
    };

    function reasonsOf({ conditions }: Rule, { event, inputs }: DecidedEvent): readonly string[] {
      const facts = factsOfRule(ruleSet, rule, factsFor(ruleSet, event.subject.facts, inputs), inputs);
      const failing = [...failingIn(conditions.trace(facts, inputs)).keys()];
      return [
        ...new Set(failing.flatMap((leaf) => [nameOf(leaf), ...(leaf.other ? [nameOf(leaf.other)] : [])])),
      ];
    }
  }

  /** Takes up what else was evaluated since it was looked at last: turns, and verdicts that were settled. */
  private readLedger(step: number): void {
    const { ruleSet } = this.watched;
    for (const one of this.room.ledger.slice(this.read)) {
      const { turnOf, occasion, eventType, at, verdicts } = one;
      if (turnOf !== null) {
        const rule = ruleSet.ruleOf(turnOf);
        const verdict = verdicts.find(isVerdict) ?? { rule: turnOf, verdict: 'not matched' };
        if (rule)
          this.judged.push({ step, eventType, at, rules: [this.judgedRule(rule, verdict, one, null)] });
      } else if (occasion === SETTLE || occasion.startsWith(`${SETTLE}:`)) this.noteSettled(one);
    }
    this.read = this.room.ledger.length;
  }

  private noteSettled(evaluation: VirtualEvaluation): void {
    const event = this.events.get(evaluation.eventId);
    if (!event) return;
    const { judged, ...decided } = event;
    for (const verdict of evaluation.verdicts.filter(isVerdict)) {
      const rule = this.watched.ruleSet.ruleOf(verdict.rule);
      if (!rule) continue;
      const read = { ...decided, inputs: evaluation.inputs };
      (judged.settled ??= []).push(this.judgedRule(rule, verdict, evaluation, read));
    }
  }

  /** How the last event came out that a rule listens to. */
  private lastOf(name: string): JudgedRule | null {
    const isOf = ({ rule }: JudgedRule): boolean => rule === name;
    const last = this.judged.findLast(({ rules }) => rules.some(isOf));
    return last?.settled?.find(isOf) ?? last?.rules.find(isOf) ?? null;
  }

  private compareVerdict(
    rule: string,
    expected: ExpectedVerdict,
    step: number | null,
    actual: JudgedRule | null,
  ): void {
    const differences = actual ? verdictDifferences(expected, actual) : [];
    if (actual === null || differences.length > 0)
      this.failures.push({ kind: 'verdict', rule, step, expected, actual, differences });
  }
}

function isVerdict(one: Verdict | Suppression): one is Verdict {
  return 'verdict' in one;
}

function suppressedIn(evaluation: VirtualEvaluation | undefined, rule: string): readonly SuppressedAction[] {
  return (evaluation?.verdicts ?? []).flatMap((one) =>
    isVerdict(one) || one.rule !== rule ? [] : { action: one.action, cause: one.cause },
  );
}

function sentOf({ delivery, step }: VirtualDelivery, at: number): SentDelivery {
  const { rule, action, state, code, target, request } = delivery;
  return {
    rule,
    action,
    step,
    at,
    state: state === 'pending' ? 'sent' : state,
    code,
    target,
    request: readableRequest(shownRequest(request)),
  };
}
