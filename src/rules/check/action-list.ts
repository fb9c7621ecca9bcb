import { type ActionForm, readAction } from './action-check.js';
import type { FileReport } from './file-report.js';
import { elementsOf } from './json-node.js';
import type { JsonNode } from './json-text.js';

/** Reads the actions of a rule, or of a step of it: each name stands once. */
export function readActions(list: JsonNode, of: 'rule' | 'step', report: FileReport): readonly ActionForm[] {
  const invalid = (message: string, mend: string): void => {
    report.error(list, 'RULE_VALUE_INVALID', message, mend);
  };
  if (list.type !== 'array') invalid('"actions" must be a list of actions', 'Write [ … ] around it.');
  else if (elementsOf(list).length === 0) invalid('"actions" must not be empty', 'Write an action into it.');
  const nodes = list.type === 'array' ? elementsOf(list) : list.type === 'object' ? [list] : [];
  const names = new Set<string>();
  return nodes.flatMap((node) => {
    const action = readAction(node, report);
    if (!action) return [];
    if (action.name !== null && names.has(action.name)) {
      report.error(
        action.nameAt,
        'ACTION_NAME_TWICE',
        `the ${of} has another action named "${action.name}"`,
        'Give one of them another name.',
      );
    }
    names.add(action.name ?? '');
    return action;
  });
}
