import type { NewDelivery } from '../action/delivery-store.js';
import type { Action } from '../action/action.js';
import { RenderError, type TemplateScope } from '../action/render-template.js';
import { ownAt } from '../events/own-member.js';
import type { Rule, RuleSet } from './rule-set.js';

/** What is decided about. */
export interface Subject {
  /** Origin and event id: why something is sent. */
  readonly key: string;
  readonly eventType: string;
  /** The root entity, or the event itself when it belongs to none. */
  readonly entity: string;
  readonly facts: ReadonlyMap<string, unknown>;
}

/** Everything else that a decision reads. Recorded with the evaluation, so that it can be recomputed later. */
export interface DecisionInputs {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** IANA name. */
  readonly timezone: string;
}

export type Verdict =
  | { readonly rule: string; readonly verdict: 'matched' | 'not matched' }
  | { readonly rule: string; readonly verdict: 'unknown'; readonly missing: readonly string[] }
  | { readonly rule: string; readonly verdict: 'error'; readonly error: string }
  | { readonly rule: string; readonly verdict: 'skipped'; readonly cause: 'disabled' };

export interface Decision {
  /** One for each rule that listens to the event type, in the order of the rule set. */
  readonly verdicts: readonly Verdict[];
  readonly deliveries: readonly NewDelivery[];
}

/**
 * From an event to a decision. Pure: no clock, no network, no database; the same arguments always give the same
 * answer.
 */
export async function decide(ruleSet: RuleSet, subject: Subject, inputs: DecisionInputs): Promise<Decision> {
  const verdicts: Verdict[] = [];
  const deliveries: NewDelivery[] = [];
  for (const rule of ruleSet.rules) {
    if (!rule.listensTo(subject.eventType)) continue;
    const verdict = await judge(rule, subject);
    verdicts.push(verdict);
    if (verdict.verdict !== 'matched') continue;
    const scope = scopeOf(rule, ruleSet, subject, inputs);
    for (const action of rule.actions) deliveries.push(plan(rule, action, subject, scope));
  }
  return { verdicts, deliveries };
}

async function judge(rule: Rule, { facts }: Subject): Promise<Verdict> {
  if (!rule.enabled) return { rule: rule.name, verdict: 'skipped', cause: 'disabled' };
  try {
    const { outcome, missing } = await rule.conditions.evaluate(facts);
    if (outcome === 'unknown') return { rule: rule.name, verdict: 'unknown', missing };
    return { rule: rule.name, verdict: outcome === 'yes' ? 'matched' : 'not matched' };
  } catch (error) {
    // Whatever one rule does, the others are judged.
    const message =
      typeof error === 'object' && error !== null && 'message' in error
        ? String(error.message)
        : String(error);
    return { rule: rule.name, verdict: 'error', error: message.slice(0, 500) };
  }
}

function plan(rule: Rule, action: Action, subject: Subject, scope: TemplateScope): NewDelivery {
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

function scopeOf(
  rule: Rule,
  { catalogue }: RuleSet,
  subject: Subject,
  { now, timezone }: DecisionInputs,
): TemplateScope {
  const { name, description, owner, labels } = rule;
  const about = { name, description: description ?? undefined, owner: owner ?? undefined, labels };
  return {
    timezone,
    read: ([root, ...path]) => {
      if (root === 'now') return new Date(now).toISOString();
      if (root === 'rule') return ownAt(about, path);
      const [field = '', ...rest] = path;
      return ownAt(subject.facts.get(field), rest);
    },
    labelOf: (field, value, language) => catalogue.labelOf(subject.eventType, field, value, language),
  };
}
