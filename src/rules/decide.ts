import type { NewDelivery } from '../action/delivery-store.js';
import type { Action } from '../action/action.js';
import { RenderError } from '../action/render-template.js';
import { type Facts, FactView, missingIn } from './compiled-conditions.js';
import { outOfEffect, type OutOfEffect } from './effective.js';
import type { LookupAnswers } from './lookup-document.js';
import { withLookups } from './lookup-facts.js';
import { inOrder, type Rule, type RuleSet } from './rule-set.js';
import { actionScope } from './template-scope.js';

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
  /** What the look-ups have answered; absent: none was needed. */
  readonly lookups?: LookupAnswers;
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
  readonly deliveries: readonly NewDelivery[];
}

/** After so many steps, some milliseconds, others get their turn. */
const STEPS_BETWEEN_PAUSES = 200_000;
/** What a run of json-rules-engine is counted as. */
const STEPS_OF_CONFIRMATION = 2000;

/**
 * From an event to a decision. Pure: no clock, no network, no database; the same arguments always give the same
 * answer.
 */
export async function decide(ruleSet: RuleSet, subject: Subject, inputs: DecisionInputs): Promise<Decision> {
  const { count, disabled, temporary } = ruleSet.listenersOf(subject.eventType);
  const found: [Rule, Verdict][] = [];
  for (const rule of [...disabled, ...temporary]) {
    const verdict = skipped(rule, inputs);
    if (verdict) found.push([rule, verdict]);
  }
  const ordered = found.length === 0;
  const deliveries: NewDelivery[] = [];
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
    const verdict = await judgeView(rule, facts, view, inputs);
    if (verdict.verdict === 'not matched') continue;
    found.push([rule, verdict]);
    if (verdict.verdict !== 'matched') continue;
    const scope = actionScope(rule, ruleSet, subject, inputs);
    for (const action of rule.actions) deliveries.push(plan(rule, action, subject, scope));
  }
  if (!ordered) found.sort(([a], [b]) => inOrder(a, b));
  return { verdicts: found.map(([, verdict]) => verdict), listening: count, deliveries };
}

/** What conditions read: the facts of the event, and the answers of the look-ups. */
export function factsFor(ruleSet: RuleSet, facts: Facts, { lookups }: DecisionInputs): Facts {
  return ruleSet.lookups.size === 0 ? facts : withLookups(facts, ruleSet.lookups.keys(), lookups);
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
  return await judgeView(rule, facts, new FactView(ruleSet.places.places, facts), inputs);
}

/** The verdict of a rule that does not apply now; null: it does. */
export function skipped({ name, enabled, effective }: Rule, inputs: DecisionInputs): Verdict | null {
  const cause = enabled ? effective && outOfEffect(effective, inputs) : 'disabled';
  return cause && { rule: name, verdict: 'skipped', cause };
}

async function judgeView(rule: Rule, facts: Facts, view: FactView, inputs: DecisionInputs): Promise<Verdict> {
  try {
    const outcome = rule.conditions.evaluateView(view, inputs);
    if (outcome === 'unknown')
      return {
        rule: rule.name,
        verdict: 'unknown',
        missing: missingIn(rule.conditions.trace(facts, inputs)),
      };
    if (outcome === 'no') return { rule: rule.name, verdict: 'not matched' };
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

function plan(
  rule: Rule,
  action: Action,
  subject: Subject,
  scope: Parameters<Action['render']>[0],
): NewDelivery {
  const base = {
    rule: rule.name,
    action: action.name,
    kind: action.kind,
    entity: subject.entity,
    cause: subject.key,
    generation: 0,
  };
  try {
    return { ...base, ...action.render(scope), state: 'pending', code: null, reason: null };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    return {
      ...base,
      target: `${action.kind}:`,
      request: null,
      state: 'dead',
      code: error.code,
      reason: error.message,
    };
  }
}
