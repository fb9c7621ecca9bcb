import type { NewDelivery } from '../action/delivery-store.js';
import { CalendarMissingError, clockFacts } from './calendar/work-calendar.js';
import { type Facts, FactView, missingIn, type Outcome } from './compiled-conditions.js';
import { outOfEffect, type OutOfEffect } from './effective.js';
import type { Match } from './firing.js';
import { armedBy, type Ladder, type LadderChange, laddersAfter, subjectAt } from './ladder.js';
import type { LookupAnswers } from './lookup-document.js';
import { withLookups } from './lookup-facts.js';
import { matchOf } from './match.js';
import { inOrder, type Rule, type RuleSet } from './rule-set.js';
import { isStateFact } from './state/fact-names.js';
import type { EventPlace, RootState } from './state/root-state.js';
import { unaskedLookups } from './shadow.js';
import { stateFacts } from './state/state-facts.js';
import type { TurnCounts } from './turn-findings.js';

/** What is decided about. */
export interface Subject {
  /** Origin and event id: why something is sent. */
  readonly key: string;
  readonly eventType: string;
  /** The root entity, or the event itself when it belongs to none. */
  readonly entity: string;
  /** The Feishu app that it came from; null: it is another system's. */
  readonly appId: string | null;
  /** Of the event alone, without those of look-ups. */
  readonly facts: Facts;
}

/** Everything else that a decision reads. Recorded with the evaluation, so that it can be recomputed later. */
export interface DecisionInputs {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** IANA name. */
  readonly timezone: string;
  /** Name of the work calendar of rules that name none; absent: there is none. */
  readonly calendar?: string;
  /** What the look-ups have answered; absent: none was needed. */
  readonly lookups?: LookupAnswers;
  /** The facts of the state, by name, as they were for this event; absent: the rule set reads none. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** Of a step: stored id of the event that was evaluated, when it is not the one that armed the ladder. */
  readonly about?: string;
  /**
   * Of a step: whom its ladder stands for (`task:123`), and, when the platform was asked, whether somebody was still waited
   * for; null: it did not say.
   */
  readonly step?: { readonly subject: string; readonly pending?: boolean | null };
  /** Of a turn of a schedule: what its verdict sums up. No entity's facts are kept, so it cannot be recomputed. */
  readonly turn?: TurnCounts;
  /** The key of the event that stands for the same as this one and was decided before it; absent: there is none. */
  readonly cause?: string;
  /** Of a replay: the one rule that was evaluated; absent: all. */
  readonly only?: string;
}

/** Where an event stands among those of its root entity, for what a decision does beyond its verdicts. */
export interface Situation {
  /** Stored id of the event. */
  readonly id: string;
  readonly place: EventPlace;
  /** Older than the state of its entity: it arms and cancels nothing. */
  readonly late: boolean;
  /** Create time, ms. */
  readonly orderTime: number;
  /** With the event in it. */
  readonly state: RootState;
  /** Those of the root entity that stand. */
  readonly ladders: readonly Ladder[];
}

export type Verdict =
  | { readonly rule: string; readonly verdict: 'matched' | 'not matched' }
  | { readonly rule: string; readonly verdict: 'unknown'; readonly missing: readonly string[] }
  | { readonly rule: string; readonly verdict: 'error'; readonly error: string }
  | { readonly rule: string; readonly verdict: 'skipped'; readonly cause: 'disabled' | OutOfEffect };

export interface Decision {
  /**
   * In the order of the rule set: matched, unknown, error and skipped. Every other rule that listens to the event
   * type is "not matched", which `judge` can tell again at any time.
   */
  readonly verdicts: readonly Verdict[];
  /** How many rules listen to the event type. */
  readonly listening: number;
  /** What the matched rules ask for, before the gates. */
  readonly matches: readonly Match[];
  /** All deliveries of the matches. */
  readonly deliveries: readonly NewDelivery[];
  readonly ladders: readonly LadderChange[];
}

/** After so many steps, some milliseconds, others get their turn. */
const STEPS_BETWEEN_PAUSES = 200_000;
/** What a run of json-rules-engine is counted as. */
const STEPS_OF_CONFIRMATION = 2000;

/**
 * From an event to a decision. Pure: no clock, no network, no database; the same arguments always give the same
 * answer. Without a situation no ladder is armed or cancelled.
 */
export async function decide(
  ruleSet: RuleSet,
  subject: Subject,
  inputs: DecisionInputs,
  situation?: Situation,
): Promise<Decision> {
  const { count, disabled, temporary } = ruleSet.listenersOf(subject.eventType);
  const found: [Rule, Verdict][] = [];
  for (const rule of [...disabled, ...temporary]) {
    const verdict = skipped(rule, inputs);
    if (verdict) found.push([rule, verdict]);
  }
  const ordered = found.length === 0;
  const matches: Match[] = [];
  const armed: LadderChange[] = [];
  const facts = factsFor(ruleSet, subject.facts, inputs);
  const view = new FactView(ruleSet.places.places, facts);
  let pauseAt = STEPS_BETWEEN_PAUSES;
  for (const number of ruleSet.index.candidates(view)) {
    const rule = ruleSet.rules[number];
    if (!rule?.listensTo(subject.eventType)) continue;
    if (rule.effective && skipped(rule, inputs)) continue;
    if (view.steps > pauseAt) {
      await new Promise(setImmediate);
      pauseAt = view.steps + STEPS_BETWEEN_PAUSES;
    }
    let verdict = await judgeView(ruleSet, rule, facts, view, inputs);
    if (verdict.verdict === 'not matched') continue;
    if (verdict.verdict === 'matched' && situation) {
      const arming = arm(ruleSet, rule, inputs, situation);
      if (typeof arming === 'string') verdict = { rule: rule.name, verdict: 'error', error: arming };
      else if (arming) armed.push(arming);
    }
    found.push([rule, verdict]);
    if (verdict.verdict === 'matched' && rule.actions.length > 0)
      matches.push(
        await matchOf(
          ruleSet,
          rule,
          subject,
          inputs,
          situation?.place ?? null,
          factsOfRule(ruleSet, rule, facts, inputs),
        ),
      );
  }
  if (!ordered) found.sort(([a], [b]) => inOrder(a, b));
  const verdicts = found.map(([, verdict]) => verdict);
  return {
    verdicts,
    listening: count,
    matches,
    deliveries: matches.flatMap(({ deliveries }) => deliveries),
    ladders: situation ? [...laddersOf(ruleSet, subject, inputs, situation, facts, verdicts), ...armed] : [],
  };
}

/** What comes of one rule whose verdict was not known when its event was decided. Pure, as `decide`. */
export async function settle(
  ruleSet: RuleSet,
  rule: Rule,
  subject: Subject,
  inputs: DecisionInputs,
  situation: Situation,
): Promise<{
  readonly verdict: Verdict;
  readonly match: Match | null;
  readonly ladders: readonly LadderChange[];
}> {
  const facts = factsFor(ruleSet, subject.facts, inputs);
  const verdict = await judgeFacts(ruleSet, rule, facts, inputs);
  if (verdict.verdict !== 'matched') return { verdict, match: null, ladders: [] };
  const arming = arm(ruleSet, rule, inputs, situation);
  if (typeof arming === 'string')
    return {
      verdict: { rule: rule.name, verdict: 'error', error: arming },
      match: null,
      ladders: [],
    };
  const known = factsOfRule(ruleSet, rule, facts, inputs);
  return {
    verdict,
    match:
      rule.actions.length > 0 ? await matchOf(ruleSet, rule, subject, inputs, situation.place, known) : null,
    ladders: arming ? [arming] : [],
  };
}

/** The ladder that a matched rule arms; null: none; a text: why it cannot be told when its steps are due. */
function arm(
  ruleSet: RuleSet,
  rule: Rule,
  inputs: DecisionInputs,
  situation: Situation,
): LadderChange | string | null {
  const { escalation } = rule;
  if (!escalation || situation.late) return null;
  const subject = subjectAt(escalation.per, situation.place);
  const stands = situation.ladders.some((one) => one.rule === rule.name && one.subject === subject);
  if (stands) return null;
  try {
    return armedBy(rule, escalation, situation, ruleSet, timeDefaults(inputs));
  } catch (error) {
    if (error instanceof CalendarMissingError) return error.message;
    throw error;
  }
}

/** What the event does to the ladders that stood before it. */
function laddersOf(
  ruleSet: RuleSet,
  subject: Subject,
  inputs: DecisionInputs,
  situation: Situation,
  facts: Facts,
  verdicts: readonly Verdict[],
): LadderChange[] {
  const { ladders, late, state, orderTime, place, id } = situation;
  if (late || ladders.length === 0) return [];
  const told = new Map(verdicts.map((one) => [one.rule, one.verdict]));
  const outcomeOf = (rule: Rule): Outcome | null => {
    if (!rule.listensTo(subject.eventType)) return null;
    const verdict = told.get(rule.name) ?? 'not matched';
    if (verdict === 'skipped' || verdict === 'error') return null;
    return verdict === 'matched' ? 'yes' : verdict === 'unknown' ? 'unknown' : 'no';
  };
  return laddersAfter(ladders, (name) => ruleSet.ruleOf(name), {
    id,
    place,
    state,
    orderTime,
    outcomeOf,
    cancels: ({ cancelOn }, rule, from) => {
      // From where the ladder stands: the event of a node says something of each of its tasks.
      const seen = new Map(facts);
      for (const name of facts.keys()) if (isStateFact(name)) seen.delete(name);
      for (const [name, value] of Object.entries(stateFacts(state, from, null, orderTime, false)))
        seen.set(name, value);
      try {
        return cancelOn?.evaluate(factsOfRule(ruleSet, rule, seen, inputs), inputs) === 'yes';
      } catch {
        // What cannot be evaluated cancels nothing.
        return false;
      }
    },
  });
}

export function timeDefaults({ timezone, calendar }: DecisionInputs): {
  readonly timezone: string;
  readonly calendar: string | null;
} {
  return { timezone, calendar: calendar ?? null };
}

/** What conditions read: the facts of the event, those of the state, and the answers of the look-ups. */
export function factsFor(ruleSet: RuleSet, facts: Facts, { lookups, state }: DecisionInputs): Facts {
  const known = state ? withState(facts, state) : facts;
  return ruleSet.lookups.size === 0 ? known : withLookups(known, ruleSet.lookups.keys(), lookups);
}

/** The facts of an event with those of the state beside them. What the event itself brings under such a name is never one. */
function withState(facts: Facts, state: Readonly<Record<string, unknown>>): Facts {
  const all = new Map<string, unknown>();
  for (const [name, value] of facts) if (!name.includes('.') || !isStateFact(name)) all.set(name, value);
  for (const name of Object.keys(state)) all.set(name, state[name]);
  return all;
}

/** The same with the clock's facts, by the rule's own calendar and time zone. */
export function factsOfRule(ruleSet: RuleSet, rule: Rule, facts: Facts, inputs: DecisionInputs): Facts {
  if (!rule.readsClock) return facts;
  const name = rule.calendar ?? inputs.calendar;
  const calendar = name === undefined ? null : (ruleSet.calendars.get(name) ?? null);
  const timezone = rule.timezone ?? inputs.timezone;
  return new Map([...facts, ...clockFacts(inputs.now, { calendar, timezone })]);
}

/** The verdict of one rule that listens to the event, also "not matched". Pure, as `decide`. */
export async function judge(
  ruleSet: RuleSet,
  rule: Rule,
  facts: Facts,
  inputs: DecisionInputs,
): Promise<Verdict> {
  return await judgeFacts(ruleSet, rule, factsFor(ruleSet, facts, inputs), inputs);
}

/** The same over what `factsFor` gave. */
export async function judgeFacts(
  ruleSet: RuleSet,
  rule: Rule,
  facts: Facts,
  inputs: DecisionInputs,
): Promise<Verdict> {
  const notNow = skipped(rule, inputs);
  if (notNow) return notNow;
  return await judgeView(ruleSet, rule, facts, new FactView(ruleSet.places.places, facts), inputs);
}

/** The verdict of a rule that does not apply now; null: it does. */
export function skipped(
  { name, enabled, effective, timezone }: Rule,
  inputs: DecisionInputs,
): Extract<Verdict, { verdict: 'skipped' }> | null {
  const at = { now: inputs.now, timezone: timezone ?? inputs.timezone };
  const cause = enabled ? effective && outOfEffect(effective, at) : 'disabled';
  return cause && { rule: name, verdict: 'skipped', cause };
}

async function judgeView(
  ruleSet: RuleSet,
  rule: Rule,
  shared: Facts,
  sharedView: FactView,
  inputs: DecisionInputs,
): Promise<Verdict> {
  const facts = factsOfRule(ruleSet, rule, shared, inputs);
  const view = facts === shared ? sharedView : new FactView(ruleSet.places.places, facts);
  try {
    const outcome = rule.conditions.evaluateView(view, inputs);
    if (outcome === 'unknown')
      return {
        rule: rule.name,
        verdict: 'unknown',
        missing: missingIn(rule.conditions.trace(facts, inputs)),
      };
    if (outcome === 'no') return { rule: rule.name, verdict: 'not matched' };
    const unasked = unaskedLookups(rule, inputs);
    if (unasked.length > 0) return { rule: rule.name, verdict: 'unknown', missing: unasked };
    // What is about to fire needs both keys.
    view.steps += STEPS_OF_CONFIRMATION;
    if (await rule.confirmation.holds(facts, inputs)) return { rule: rule.name, verdict: 'matched' };
    return {
      rule: rule.name,
      verdict: 'error',
      error: 'the compiled conditions match and json-rules-engine does not: nothing is sent',
    };
  } catch (error) {
    // Whatever one rule does, the others are judged.
    const message =
      typeof error === 'object' && error !== null && 'message' in error
        ? String(error.message)
        : String(error);
    return { rule: rule.name, verdict: 'error', error: message.slice(0, 500) };
  }
}
