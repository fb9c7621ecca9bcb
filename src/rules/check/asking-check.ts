import type { ActionForm, WhenForm } from './action-check.js';
import type { FileReport } from './file-report.js';
import { checkLevel, type TriggerForm } from './trigger-check.js';

/** The conditions of an action, and how messages name them. */
export type NamedWhen = WhenForm & { readonly what: string };

/**
 * Checks what actions say of the order in which they go out. Answers the conditions that they have of their own; those
 * are still to be checked.
 */
export function checkAsking(
  own: readonly ActionForm[],
  steps: readonly ActionForm[],
  { gathers, trigger }: { readonly gathers: boolean; readonly trigger: TriggerForm },
  report: FileReport,
): readonly NamedWhen[] {
  for (const { order } of own) {
    if (!order) continue;
    if (gathers)
      report.error(
        order.at,
        'ACTION_VALUE_INVALID',
        '"order" cannot stand beside "digest": what is gathered is one message',
        'Remove one of the two.',
      );
    else checkLevel('order', order.level, order.at, trigger, report);
  }
  for (const { undoAt } of own) {
    if (!undoAt || !(gathers || trigger.scheduled)) continue;
    const [beside, why] = gathers
      ? ['"digest"', 'what a digest told of is not kept']
      : ['a schedule', 'what was open at its turn is not kept'];
    report.error(
      undoAt,
      'ACTION_VALUE_INVALID',
      `"undo" cannot stand beside ${beside}: ${why}`,
      'Remove one of the two.',
    );
  }
  for (const { order } of steps)
    if (order && !trigger.scheduled) checkLevel('order', order.level, order.at, trigger, report);
  return [...own, ...steps].flatMap(({ name, when }) =>
    when ? [{ ...when, what: name === null ? '"when"' : `"when" of the action "${name}"` }] : [],
  );
}
