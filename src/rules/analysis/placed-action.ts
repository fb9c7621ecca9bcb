import type { ActionDocument } from '../../action/action-document.js';
import type { RuleAction } from '../rule-action.js';
import type { Rule } from '../rule-set.js';
import type { EscalationStep } from '../rule-timing.js';

/** An action of a rule, and where in the rule it stands. */
export interface PlacedAction {
  readonly action: RuleAction;
  readonly document: ActionDocument;
  readonly path: readonly PropertyKey[];
  /** Null: it is sent when the rule matches. */
  readonly step: EscalationStep | null;
}

/** All actions: those of the rule itself, then those of the steps of its escalation. */
export function actionsOf({ actions, escalation, document }: Rule): readonly PlacedAction[] {
  const placed = (
    compiled: readonly RuleAction[],
    documents: readonly ActionDocument[],
    path: readonly PropertyKey[],
    step: EscalationStep | null,
  ): readonly PlacedAction[] =>
    compiled.flatMap((action, index) => {
      const own = documents[index];
      return own ? [{ action, document: own, path: [...path, index], step }] : [];
    });
  return [
    ...placed(actions, document.actions, ['actions'], null),
    ...(escalation?.steps ?? []).flatMap((step, index) =>
      placed(
        step.actions,
        document.escalate?.steps[index]?.actions ?? [],
        ['escalate', 'steps', index, 'actions'],
        step,
      ),
    ),
  ];
}
