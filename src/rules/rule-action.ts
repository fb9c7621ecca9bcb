import { createHash } from 'node:crypto';
import type { Action } from '../action/action.js';
import type { ActionDocument } from '../action/action-document.js';
import { messageOf } from '../config/log.js';
import { type CompiledConditions, type Facts, missingIn, type Moment } from './compiled-conditions.js';
import type { ConditionDocument } from './condition-document.js';
import type { Confirmation } from './confirmation.js';

/** An action of a rule or of a step, with what it says of when it is asked for and in which order it goes out. */
export interface RuleAction extends Action {
  /** Conditions of its own; null: whenever its rule matches. */
  readonly when: ActionConditions | null;
  /** Its deliveries about the same task or process go out one after the other; null: in no order. */
  readonly order: OrderLevel | null;
  /** What takes back what it did, when a person recalls it; null: nothing does. */
  readonly undo: Action | null;
}

export type OrderLevel = 'task' | 'process';

/** Both keys, as a rule has them. */
export interface ActionConditions {
  readonly conditions: CompiledConditions;
  readonly confirmation: Confirmation;
}

/** An action that is left out although its rule matched, and why: null, its conditions say no. */
export interface WithheldAction {
  readonly action: string;
  readonly by: string | null;
}

const LONGEST_BY = 500;

/** The conditions of a sound action; null: it has none. */
export function whenOf({ when }: ActionDocument): ConditionDocument | null {
  // The check of the rule files has read them.
  return (when as ConditionDocument | undefined) ?? null;
}

/** Why an action is left out; null: it is asked for. Whatever its conditions do, the other actions are asked for. */
export async function withheld(
  { name, when }: RuleAction,
  facts: Facts,
  moment: Moment,
): Promise<WithheldAction | null> {
  if (!when) return null;
  const { conditions, confirmation } = when;
  const left = (by: string | null): WithheldAction => ({
    action: name,
    by: by?.slice(0, LONGEST_BY) ?? null,
  });
  try {
    const outcome = conditions.evaluate(facts, moment);
    if (outcome === 'no') return left(null);
    if (outcome === 'unknown')
      return left(`unknown: ${missingIn(conditions.trace(facts, moment)).join(', ')}`);
    // What is about to be sent needs both keys.
    if (await confirmation.holds(facts, moment)) return null;
    return left('error: the compiled conditions match and json-rules-engine does not');
  } catch (error) {
    return left(`error: ${messageOf(error)}`);
  }
}

/** The key that deliveries in one order share. `about`: the task or process, or the entity when it names none. */
export function orderKeyOf(rule: string, action: string, entity: string, about: string): string {
  return createHash('sha256')
    .update(JSON.stringify([rule, action, entity, about]))
    .digest('hex')
    .slice(0, 40);
}
