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
  const note = ({ name, nameAt }: ActionForm): void => {
    if (name === null) return;
    if (names.has(name)) {
      report.error(
        nameAt,
        'ACTION_NAME_TWICE',
        `the ${of} has another action named "${name}"`,
        'Give one of them another name.',
      );
    }
    names.add(name);
  };
  const actions = nodes.flatMap((node) => readAction(node, report) ?? []);
  actions.forEach(note);
  for (const { undo } of actions) if (undo) note(undo);
  return actions;
}
