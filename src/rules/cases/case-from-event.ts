import type { Catalogue } from '../../events/catalogue.js';
import { isObject } from '../../events/own-member.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type {
  CaseDocument,
  CaseFileDocument,
  ExpectedDelivery,
  ExpectedVerdict,
  StepDocument,
} from './case-document.js';
import { foundCase } from './case-files.js';
import { matchDeliveries } from './case-match.js';
import type { CaseFailure, CaseResult, FoundCase, JudgedRule } from './case-result.js';
import { durationText, momentText } from './case-time.js';
import { type ClockKind, type EventHistory, Timeline, type TimelineSteps } from './event-history.js';
import { keptBy } from './kept-values.js';
import { liveOf, recordedCauses, recordedDeliveries, recordedVerdict } from './recorded-event.js';
import type { Detail } from './recorded-step.js';
import { StandIns } from './stand-ins.js';

/** A case of what really happened. */
export interface EventCase {
  readonly document: CaseFileDocument;
  /** Where the case is not as it was recorded; empty: it is. Without personal values. */
  readonly failures: readonly CaseFailure[];
  /** What of the record a case cannot say, in sentences. */
  readonly notes: readonly string[];
}

/** Runs a case on a rule set. */
export type RunCase = (one: FoundCase) => Promise<CaseResult>;

/** Why no case can be made of an event. */
export class NoCaseError extends Error {
  constructor(
    readonly code: 'RULE_UNKNOWN' | 'CASE_OF_NO_RULE' | 'EVENT_UNDECIDED',
    message: string,
  ) {
    super(message);
  }
}

/** From what is said with the fewest words to what is said with all. The first that decides as it was decided is taken. */
const ATTEMPTS: readonly (readonly [ClockKind, Detail])[] = [
  ['seconds', 'fields'],
  ['created', 'fields'],
  ['created', 'header'],
  ['decided', 'fields'],
  ['decided', 'header'],
  ['decided', 'whole'],
];
/** Of an event that no rule said anything of, so many rules are watched. */
const MOST_SILENT = 10;

/**
 * A case of what happened at an event: the events of its root entity until then, the answers of look-ups, the event
 * itself, and what the rules said and sent. With what really stood there it must run as it was recorded; what is given
 * out has stand-ins for everything personal. `run`: on `ruleSet`, which is the one that decided the event.
 *
 * @throws NoCaseError
 */
export async function caseFromEvent(
  history: EventHistory,
  ruleSet: RuleSet,
  {
    rule,
    today,
    run,
  }: { readonly rule?: string | undefined; readonly today: Catalogue; readonly run: RunCase },
): Promise<EventCase> {
  const watched = watchedRules(history, ruleSet, rule);
  return await new CaseMaker(history, ruleSet, watched, today, run).make();
}

/** The case of a file with one, as it is run. */
export function onlyCase({ cases, ...file }: CaseFileDocument): FoundCase {
  const [one = { name: '', steps: [] }] = cases;
  return foundCase(one, file, { file: 'from-event.cases.json', line: 1, beside: [] });
}

function watchedRules(history: EventHistory, ruleSet: RuleSet, wanted: string | undefined): readonly Rule[] {
  const recorded = history.events.find(({ event }) => event.id === history.about);
  const live = recorded && liveOf(recorded);
  if (!live) throw new NoCaseError('EVENT_UNDECIDED', 'the event is not decided: there is nothing to tell');
  const { eventType } = recorded.event;
  const listening = ruleSet.rules.filter((one) => one.listensTo(eventType));
  if (wanted !== undefined) {
    const found = listening.find(({ name }) => name === wanted);
    if (found) return [found];
    const why = ruleSet.ruleOf(wanted) ? `did not listen to ${eventType}` : 'was not there';
    throw new NoCaseError('RULE_UNKNOWN', `in the rule set that decided, the rule "${wanted}" ${why}`);
  }
  const told = new Set(
    recorded.evaluations.flatMap(({ verdicts }) =>
      verdicts.flatMap((one) => ('action' in one || one.verdict !== 'skipped' ? one.rule : [])),
    ),
  );
  const speaking = listening.filter(({ name }) => told.has(name));
  const chosen = speaking.length > 0 ? speaking : listening.slice(0, MOST_SILENT);
  if (chosen.length === 0)
    throw new NoCaseError('CASE_OF_NO_RULE', `no rule listened to ${eventType}: there is nothing to test`);
  return chosen;
}

/** What the record says, and of which rules it says all. */
interface Recorded {
  readonly expect: readonly ExpectedDelivery[];
  /** By the numbers of the steps of events. */
  readonly verdicts: ReadonlyMap<number, Readonly<Record<string, ExpectedVerdict>>>;
}

class CaseMaker {
  private readonly timeline: Timeline;
  private readonly standIns: StandIns;
  private readonly notes: string[] = [];
  /** The watched rules whose deliveries depend on nothing but the events of the case. */
  private readonly told: readonly Rule[];

  constructor(
    private readonly history: EventHistory,
    private readonly ruleSet: RuleSet,
    private readonly watched: readonly Rule[],
    today: Catalogue,
    private readonly run: RunCase,
  ) {
    this.timeline = new Timeline(history, ruleSet, watched, today);
    this.standIns = new StandIns(keptBy(ruleSet.rules));
    this.timeline.teach(this.standIns);
    const alike = this.isDecidedAlike();
    this.told = watched.filter((rule) => this.isTold(rule) && alike);
  }

  async make(): Promise<EventCase> {
    const { best, failures } = await this.bestAttempt();
    const [clock, detail] = best;
    const anonymous = this.timeline.steps(clock, detail, this.standIns);
    const result = await this.run(this.asFound(this.caseOf(anonymous, { verdicts: {} })));
    const isFaithful = failures.length === 0 && this.saysTheSame(result, anonymous);
    const document = this.documentOf(
      anonymous,
      isFaithful ? this.outcomeOf(result, anonymous) : this.recordedOutcome(anonymous),
    );
    const rerun = await this.run(onlyCase(document));
    return {
      document,
      failures:
        rerun.failures.length > 0 || isFaithful
          ? rerun.failures
          : (this.standIns.everywhere(failures) as readonly CaseFailure[]),
      notes: this.notes,
    };
  }

  /** The plainest way to tell it that runs as it was recorded; when none does, the one that comes nearest. */
  private async bestAttempt() {
    let nearest: { best: readonly [ClockKind, Detail]; failures: readonly CaseFailure[] } | null = null;
    for (const best of ATTEMPTS) {
      const told = this.timeline.steps(...best, null);
      const failures = await this.failuresOf(told);
      if (failures.length === 0) return { best, failures };
      if (nearest === null || failures.length < nearest.failures.length) nearest = { best, failures };
    }
    return nearest ?? { best: ['decided', 'whole'] as const, failures: [] };
  }

  private async failuresOf(told: TimelineSteps): Promise<readonly CaseFailure[]> {
    const recorded = this.recorded(told);
    const steps = told.steps.map((step, at): StepDocument => {
      const verdicts = recorded.verdicts.get(at);
      return verdicts && 'event' in step ? { ...step, verdicts } : step;
    });
    const { timezone } = this.timeline;
    const names = (rules: readonly Rule[]): string[] => rules.map(({ name }) => name);
    const one = { name: 'recorded', now: momentText(told.startedAt, timezone), steps };
    const failures = (await this.run(this.asFound({ ...one, rules: names(this.watched) }))).failures;
    if (this.told.length === 0) return failures;
    const sent = { name: 'recorded', now: one.now, steps: told.steps, expect: recorded.expect };
    const result = await this.run(this.asFound({ ...sent, rules: names(this.told) }));
    const late = this.sentLate();
    const isLate = (failure: CaseFailure): boolean => {
      if (failure.kind !== 'unexpected') return false;
      const { delivery } = failure;
      const at = late.findIndex((one) => matchDeliveries([one], [delivery], result.startedAt).length === 0);
      if (at >= 0) late.splice(at, 1);
      return at >= 0;
    };
    return [...failures, ...result.failures.filter((failure) => !isLate(failure))];
  }

  /**
   * Steps that went out only after the end of the case. Some were due before it, and waited until the platform could be
   * asked, or while no instance ran; a case sends them in time.
   */
  private sentLate(): ExpectedDelivery[] {
    const { events, end } = this.timeline;
    const told = new Set(this.told.map(({ name }) => name));
    return events
      .flatMap(({ recorded }) =>
        recordedDeliveries(recorded, told, (rule, at) => this.timeline.goesOut(rule, at) > end),
      )
      .filter(({ step }) => step !== undefined);
  }

  private recorded({ steps, about }: TimelineSteps): Recorded {
    const { events, end } = this.timeline;
    const told = new Set(this.told.map(({ name }) => name));
    const numbers = steps.flatMap((step, at) => ('event' in step ? at : []));
    const verdicts = new Map<number, Record<string, ExpectedVerdict>>();
    events.forEach(({ recorded, live, content }, index) => {
      const at = numbers[index] ?? -1;
      if (live.ruleSet !== this.ruleSet.hash && at !== about) return;
      const found = this.watched
        .filter((rule) => rule.listensTo(content.eventType))
        .flatMap((rule) => {
          const verdict = recordedVerdict(recorded, rule.name);
          if (verdict === null) return [];
          const isWhole = typeof verdict === 'string' || told.has(rule.name) || verdict.verdict !== 'matched';
          return [[rule.name, isWhole ? verdict : verdict.verdict] as const];
        });
      if (found.length > 0) verdicts.set(at, Object.fromEntries(found));
    });
    const expect = events.flatMap(({ recorded }) =>
      recordedDeliveries(recorded, told, (rule, at) => this.timeline.goesOut(rule, at) <= end),
    );
    return { expect, verdicts };
  }

  private documentOf(told: TimelineSteps, outcome: Outcome): CaseFileDocument {
    const { inputs } = this.timeline.about.live;
    const { eventId } = this.timeline.about.recorded.event;
    const isLast = !told.steps.slice(told.about + 1).some((step) => 'event' in step);
    const { expect, verdicts } = outcome;
    const steps = told.steps.map((step, at): StepDocument =>
      at === told.about && !isLast && 'event' in step ? { ...step, verdicts } : step,
    );
    const one: CaseDocument = {
      name: String(this.standIns.everywhere(`event ${eventId} 真实事件`)),
      steps,
      ...(expect ? { expect } : {}),
      ...(isLast || !('event' in (told.steps[told.about] ?? {})) ? { verdicts } : {}),
    };
    return {
      rules: this.watched.map(({ name }) => name),
      now: told.now,
      timezone: inputs.timezone,
      ...(inputs.calendar === undefined ? {} : { calendar: inputs.calendar }),
      cases: [one],
    };
  }

  private caseOf(told: TimelineSteps, rest: Pick<CaseDocument, 'expect' | 'verdicts'>): CaseDocument {
    const rules = this.watched.map(({ name }) => name);
    return { name: 'recorded', rules, now: told.now, steps: told.steps, ...rest };
  }

  private asFound(one: CaseDocument): FoundCase {
    const { timezone, calendar = null } = this.timeline.about.live.inputs;
    const { rules = null } = one;
    return { file: 'from-event.cases.json', line: 1, case: one, watched: rules, timezone, calendar };
  }

  /** Whether all events were decided by the rule set that decided the one in question, and can be told. */
  private isDecidedAlike(): boolean {
    const { events } = this.timeline;
    const others = events.filter(({ live }) => live.ruleSet !== this.ruleSet.hash).length;
    if (others > 0)
      this.notes.push(
        `${others} of its events ${others === 1 ? 'was' : 'were'} decided by another rule set: what was sent is told as this one would have sent it`,
      );
    const { gone } = this.history;
    if (gone > 0)
      this.notes.push(
        `${gone === 1 ? '1 event of the same process is' : `${gone} events of the same process are`} not there any more: the case goes without`,
      );
    return others === 0 && gone === 0;
  }

  /** Whether what a rule sent depends on nothing but the events of the case. */
  private isTold(rule: Rule): boolean {
    const { name } = rule;
    const { events } = this.timeline;
    const note = (what: string): false => {
      this.notes.push(`${what}: what "${name}" sends is told as it sends it alone`);
      return false;
    };
    if (rule.digest) return note(`the digests of "${name}" gather from other processes too`);
    const causes = new Set(events.flatMap(({ recorded }) => recordedCauses(recorded, name)));
    if (causes.has('silence')) return note(`"${name}" was silenced`);
    if (causes.has('already-sent')) return note(`"${name}" had sent some of it before`);
    if (causes.has('throttle')) return note(`the throttle of "${name}" counts other processes too`);
    const isHeld = events.some(({ recorded }) =>
      recorded.deliveries.some((one) => one.rule === name && one.state === 'held'),
    );
    return isHeld ? note(`a brake holds deliveries of "${name}"`) : true;
  }

  /** Whether stand-ins change nothing of what is decided. */
  private saysTheSame(result: CaseResult, told: TimelineSteps): boolean {
    if (result.failures.length > 0) return false;
    const verdicts = this.judgedOf(result, told);
    const recorded = this.recorded(told);
    const expected = recorded.verdicts.get(told.about) ?? {};
    const words = Object.entries(expected).map(([rule, verdict]) => {
      const word = typeof verdict === 'string' ? verdict : verdict.verdict;
      return verdicts.find((one) => one.rule === rule)?.verdict.verdict === word;
    });
    const nameOf = (one: { rule: string; action: string; step?: string | null; state?: string }): string =>
      JSON.stringify([one.rule, one.action, one.step ?? null, one.state ?? 'sent']);
    const names = new Set(this.told.map(({ name }) => name));
    const sent = result.deliveries.filter(({ rule }) => names.has(rule)).map(nameOf);
    const missing = without(recorded.expect.map(nameOf), sent);
    const unexpected = without(without(sent, recorded.expect.map(nameOf)), this.sentLate().map(nameOf));
    return words.every(Boolean) && missing.length === 0 && unexpected.length === 0;
  }

  private judgedOf({ judged }: CaseResult, { about }: TimelineSteps): readonly JudgedRule[] {
    const { eventType } = this.timeline.about.content;
    return judged.find((one) => one.step === about && one.eventType === eventType)?.rules ?? [];
  }

  /** What a case expects that is to come out as it has. */
  private outcomeOf(result: CaseResult, told: TimelineSteps): Outcome {
    const verdicts = this.judgedOf(result, told).map((one) => [one.rule, verdictOf(one)] as const);
    const { timezone } = this.timeline;
    const expect = result.deliveries.map(
      ({ rule, action, step, at, state, code, request }): ExpectedDelivery => ({
        rule,
        action,
        ...(step === null ? {} : { step }),
        ...(at === told.startedAt
          ? {}
          : { at: durationText(at - told.startedAt) ?? momentText(at, timezone) }),
        ...(request === null ? {} : { with: tellingPart(request) }),
        ...(state === 'sent' ? {} : { state }),
        ...(code === null ? {} : { code }),
      }),
    );
    return { expect, verdicts: Object.fromEntries(verdicts) };
  }

  /** What a case expects that shows where it is not as it was recorded. */
  private recordedOutcome(told: TimelineSteps): Outcome {
    const { expect, verdicts } = this.recorded(told);
    const all = { verdicts: verdicts.get(told.about) ?? {}, ...(this.told.length > 0 ? { expect } : {}) };
    return this.standIns.everywhere(all) as Outcome;
  }
}

interface Outcome {
  /** Absent: it is not looked at. */
  readonly expect?: readonly ExpectedDelivery[];
  readonly verdicts: Readonly<Record<string, ExpectedVerdict>>;
}

/** What is left of a list when each of the others has taken one away that is the same. */
function without(list: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...list];
  for (const one of others) {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}

/** What an action says and where it goes, without what is empty and how long is waited for it. */
function tellingPart(request: unknown): unknown {
  if (!isObject(request)) return request;
  const isEmpty = (value: unknown): boolean =>
    value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(
    Object.entries(request).filter(([name, value]) => name !== 'timeoutMs' && !isEmpty(value)),
  );
}

function verdictOf({ verdict, suppressed, because }: JudgedRule): ExpectedVerdict {
  switch (verdict.verdict) {
    case 'matched': {
      const causes = suppressed.map(({ action, cause }) => [action, cause] as const);
      return causes.length === 0 ? 'matched' : { verdict: 'matched', suppressed: Object.fromEntries(causes) };
    }
    case 'not matched':
      return because.length === 0 ? 'not matched' : { verdict: 'not matched', because };
    case 'unknown':
      return { verdict: 'unknown', missing: verdict.missing };
    case 'error':
      return { verdict: 'error', error: verdict.error };
    case 'skipped':
      return { verdict: 'skipped', cause: verdict.cause };
  }
}
