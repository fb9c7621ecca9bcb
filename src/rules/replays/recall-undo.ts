import type { Action } from '../../action/action.js';
import { actionKeyOf, type NewDelivery } from '../../action/delivery-store.js';
import { RenderError } from '../../action/render-template.js';
import type { DecisionInputs, Subject } from '../decide.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { RuleAction } from '../rule-action.js';
import { actionScope } from '../template-scope.js';
import { STEP } from '../timer-store.js';
import { isSameRequest, type StandingDelivery } from './recall-plan.js';

/** Says to the receiver which request is taken back: what that had as its `Idempotency-Key`. */
export const UNDOES_HEADER = 'aftersign-undoes';

/** Why nothing takes a delivery back. */
export interface NotUndone {
  readonly code: 'RECALL_NO_UNDO' | 'RECALL_FACTS_GONE' | 'RECALL_UNDO_NOT_RENDERED';
}

/** What was recorded when a delivery was decided. */
export interface DeliveryFacts {
  readonly subject: Subject;
  readonly inputs: DecisionInputs;
}

interface Declared {
  readonly ruleSet: RuleSet;
  readonly rule: Rule;
  readonly action: RuleAction;
}

/** The step of a ladder that made a delivery; null: the rule's own actions did. */
export function stepIn({ occasion, rule }: Pick<StandingDelivery, 'occasion' | 'rule'>): string | null {
  const prefix = `${STEP}${rule}:`;
  return occasion.startsWith(prefix) ? occasion.slice(prefix.length) : null;
}

/**
 * The delivery that takes another back, rendered from what was recorded of that. The undo is that of today's action when
 * today's action sends the very same; when the action itself was mended, the undo that was declared with what was sent
 * comes first, for it leads to where the effect is. `decided`: the rule set that decided; null: it cannot be read. Pure.
 */
export function undoOfDelivery(
  undone: StandingDelivery,
  today: RuleSet,
  decided: RuleSet | null,
  facts: DeliveryFacts | null,
): NewDelivery | NotUndone {
  if (!facts) return { code: 'RECALL_FACTS_GONE' };
  const now = declaredIn(today, undone);
  const then = decided && declaredIn(decided, undone);
  const same = now && isSameAction(now, undone, facts);
  const found = (same ? [now, then] : [then, now]).find((one) => one?.action.undo);
  if (!found?.action.undo) return { code: 'RECALL_NO_UNDO' };
  return rendered(found, found.action.undo, undone, facts);
}

/** What today's action of a delivery makes of the same facts; null: there is none, or it cannot be rendered. */
export function todaysDelivery(
  today: RuleSet,
  delivery: StandingDelivery,
  facts: DeliveryFacts | null,
): NewDelivery | null {
  const found = facts && declaredIn(today, delivery);
  if (!found) return null;
  try {
    const { rule, action, entity, cause, generation } = delivery;
    const { target, request } = found.action.render(scopeOf(found, facts));
    const { kind } = found.action;
    return {
      rule,
      action,
      kind,
      entity,
      cause,
      generation,
      target,
      request,
      state: 'pending',
      code: null,
      reason: null,
    };
  } catch (error) {
    if (error instanceof RenderError) return null;
    throw error;
  }
}

function declaredIn(ruleSet: RuleSet, delivery: StandingDelivery): Declared | null {
  const rule = ruleSet.ruleOf(delivery.rule);
  const step = stepIn(delivery);
  const actions =
    step === null ? rule?.actions : rule?.escalation?.steps.find(({ name }) => name === step)?.actions;
  const action = actions?.find(({ name }) => name === delivery.action);
  return rule && action ? { ruleSet, rule, action } : null;
}

function isSameAction({ ruleSet }: Declared, delivery: StandingDelivery, facts: DeliveryFacts): boolean {
  const made = todaysDelivery(ruleSet, delivery, facts);
  return made !== null && isSameRequest(made, delivery);
}

function rendered(
  declared: Declared,
  undo: Action,
  undone: StandingDelivery,
  facts: DeliveryFacts,
): NewDelivery | NotUndone {
  try {
    const { rule, entity, cause, generation, orderKey } = undone;
    const { target, request } = undo.render(scopeOf(declared, facts));
    const told =
      request.kind === 'http'
        ? {
            ...request,
            content: {
              ...request.content,
              headers: { ...request.content.headers, [UNDOES_HEADER]: actionKeyOf(undone) },
            },
          }
        : request;
    return {
      rule,
      action: undo.name,
      kind: undo.kind,
      target,
      entity,
      cause,
      generation,
      state: 'pending',
      orderKey,
      code: null,
      reason: null,
      request: told,
    };
  } catch (error) {
    if (error instanceof RenderError) return { code: 'RECALL_UNDO_NOT_RENDERED' };
    throw error;
  }
}

function scopeOf({ ruleSet, rule }: Declared, { subject, inputs }: DeliveryFacts) {
  return actionScope(rule, ruleSet, subject, inputs);
}
