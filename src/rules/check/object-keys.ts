import type { FileReport } from './file-report.js';
import { type Member, membersOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { nearestName } from './nearest-name.js';

/** Which keys an object may have. */
export interface KeyRules {
  /** Begins the codes: `RULE_KEY_UNKNOWN` or `ACTION_KEY_UNKNOWN`. */
  readonly prefix: 'RULE' | 'ACTION' | 'LOOKUP' | 'CALENDAR' | 'OWNER' | 'TARGET';
  readonly known: readonly string[];
  readonly required: readonly string[];
  /** Known to the rule language, and not to this version. */
  readonly later?: readonly string[];
}

/**
 * The members of an object, by the keys that were meant: a slip of the pen is reported, and its value then stands for
 * the key it was meant for, so that one mistake neither hides others nor counts twice.
 */
export function checkKeys(node: JsonNode, rules: KeyRules, report: FileReport): Map<string, Member> {
  const { prefix, known, required, later = [] } = rules;
  const given = membersOf(node);
  const members = new Map<string, Member>();
  for (const [key, member] of given) {
    if (known.includes(key)) members.set(key, member);
    else if (later.includes(key)) {
      report.error(
        member.key,
        `${prefix}_KEY_NOT_AVAILABLE`,
        `"${key}" is not available in this version`,
        'Remove it.',
      );
    } else {
      const meant = report.isFull ? null : nearestName(key, [...known, ...later]);
      report.error(
        member.key,
        `${prefix}_KEY_UNKNOWN`,
        `there is no key "${key}" here`,
        meant === null ? `Remove it; the keys are ${known.join(', ')}.` : `Did you mean "${meant}"?`,
      );
      if (meant !== null && known.includes(meant) && !given.has(meant) && !members.has(meant))
        members.set(meant, member);
    }
  }
  for (const key of required) {
    if (!members.has(key))
      report.error(node, `${prefix}_KEY_MISSING`, `"${key}" is missing`, `Add "${key}".`);
  }
  return members;
}
