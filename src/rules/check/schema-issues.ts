import type { z } from 'zod';
import type { FileReport } from './file-report.js';
import { type Member, nodeAt } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { didYouMean } from './nearest-name.js';

/** Where the value that a schema looked at stands in its file. */
export interface Source {
  readonly node: JsonNode;
  /** Its members by the keys that were meant, when those may differ from what is written. */
  readonly members?: ReadonlyMap<string, Member>;
}

/** Which code to report what as. */
export interface IssueCodes {
  readonly unknownKey: string;
  readonly invalidKey: string;
  readonly missingKey: string;
  readonly invalidValue: string;
}

/** Reports what a schema found, at the places of the values. */
export function reportIssues(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  report: FileReport,
  codes: IssueCodes,
): void {
  for (const issue of issues) {
    const { node, key, found } = locate(source, issue.path);
    const name = String(issue.path.at(-1) ?? '');
    if (report.json.unsafe.has(node)) continue;
    if (issue.code === 'unrecognized_keys') {
      for (const unknown of issue.keys) {
        const at = nodeAt(node, [unknown]);
        report.error(
          at.key ?? node,
          codes.unknownKey,
          `there is no key "${unknown}" here`,
          'Remove it, or look for a slip of the pen.',
        );
      }
    } else if (issue.code === 'invalid_key') {
      for (const inner of issue.issues)
        report.error(key ?? node, codes.invalidKey, `"${name}" ${inner.message}`, 'Change the key.');
    } else if (!found) {
      report.error(node, codes.missingKey, `"${name}" is missing`, `Add "${name}".`);
    } else {
      const values = issue.code === 'invalid_value' ? issue.values.map(String) : [];
      report.error(
        node,
        codes.invalidValue,
        `${name === '' ? '' : `"${name}" `}${issue.message}`,
        values.length > 0 && node.type === 'string'
          ? didYouMean(String(node.value), values)
          : 'Change the value.',
      );
    }
  }
}

/** Where a path leads; where it breaks off, the object that lacks its next key. */
export function locate(
  { node, members }: Source,
  path: readonly PropertyKey[],
): { readonly node: JsonNode; readonly key: JsonNode | null; readonly found: boolean } {
  const [first, ...rest] = path;
  if (first === undefined || !members) return nodeAt(node, path);
  const member = members.get(String(first));
  if (!member) return { node, key: null, found: false };
  return rest.length === 0
    ? { node: member.value, key: member.key, found: true }
    : nodeAt(member.value, rest);
}
