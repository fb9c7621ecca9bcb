import type { NewDelivery } from '../action/delivery-store.js';
import { RenderError } from '../action/render-template.js';
import type { DecisionInputs, Subject } from './decide.js';
import type { RuleSet } from './rule-set.js';
import { actionScope } from './template-scope.js';

/** Why a delivery cannot be rendered again. `detail` ends a sentence. */
export interface NotEdited {
  readonly code: 'REDRIVE_RULE_GONE' | 'REDRIVE_NOT_RENDERED';
  readonly detail: string;
}

/** What stays of a delivery when it is edited. */
export type EditedFrom = Pick<
  NewDelivery,
  'rule' | 'action' | 'entity' | 'cause' | 'generation' | 'orderKey'
> & {
  /** The step of a ladder that sent it; null: the rule's own actions. */
  readonly step: string | null;
};

/**
 * The delivery of the next generation that today's action makes of what was recorded: nothing is evaluated again, for a
 * person has decided. Pure.
 */
export function editedDelivery(
  ruleSet: RuleSet,
  from: EditedFrom,
  subject: Subject,
  inputs: DecisionInputs,
): NewDelivery | NotEdited {
  const { step, ...kept } = from;
  const rule = ruleSet.ruleOf(kept.rule);
  const actions = step === null ? rule?.actions : stepOf(rule?.escalation?.steps ?? [], step);
  const action = actions?.find(({ name }) => name === kept.action);
  if (!rule || !action)
    return {
      code: 'REDRIVE_RULE_GONE',
      detail: `the live rule set has no action "${kept.action}" of a rule "${kept.rule}"${step === null ? '' : ` in a step "${step}"`}`,
    };
  if (rule.mode === 'shadow')
    return {
      code: 'REDRIVE_RULE_GONE',
      detail: `the rule "${rule.name}" is in shadow mode now, and sends nothing`,
    };
  // Its templates read a list of items, which this is none of.
  if (rule.digest !== null && step === null)
    return {
      code: 'REDRIVE_NOT_RENDERED',
      detail: `the rule "${rule.name}" gathers its deliveries into digests now`,
    };
  try {
    const { target, request } = action.render(actionScope(rule, ruleSet, subject, inputs));
    return {
      ...kept,
      kind: action.kind,
      generation: kept.generation + 1,
      target,
      request,
      state: 'pending',
      code: null,
      reason: null,
    };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    return { code: 'REDRIVE_NOT_RENDERED', detail: `${error.code}: ${error.message}` };
  }
}

function stepOf<T>(
  steps: readonly { readonly name: string; readonly actions: readonly T[] }[],
  name: string,
): readonly T[] | undefined {
  return steps.find((one) => one.name === name)?.actions;
}
