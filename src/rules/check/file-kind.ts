import { elementsOf, membersOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { nearestName } from './nearest-name.js';

/** What a file of the rules folder holds, by its name. */
export type FileKind =
  | 'rule'
  | 'conditions'
  | 'cases'
  | 'catalogue'
  | 'lookups'
  | 'owners'
  | 'targets'
  | 'calendar'
  | 'schema'
  | 'unknown';

/** Files that stand at the top of the rules folder, each once. */
const AT_THE_TOP = ['lookups', 'owners', 'targets', 'schema'] as const;

export function kindOf(file: string): FileKind {
  const name = nameOf(file);
  const single = AT_THE_TOP.find((kind) => file === `${kind}.json`);
  if (single) return single;
  if (name.endsWith('.rule.json')) return 'rule';
  if (name.endsWith('.conditions.json')) return 'conditions';
  if (name.endsWith('.cases.json')) return 'cases';
  if (/^catalogue\/(?:.*\/)?[^/]+\.event\.json$/.test(file)) return 'catalogue';
  if (name.endsWith('.calendar.json')) return 'calendar';
  return 'unknown';
}

/** Whether a value is a rule by its keys, whatever its file is called. */
export function looksLikeRule(node: JsonNode): boolean {
  if (node.type !== 'object') return false;
  const members = membersOf(node);
  return members.has('conditions') && ['actions', 'event', 'escalate'].some((key) => members.has(key));
}

/** What to do about a file that is of no known kind. */
export function mendOfUnknown(file: string, root: JsonNode): string {
  const name = nameOf(file);
  if (['lookups.json', 'owners.json', 'targets.json'].includes(name))
    return 'Move it to the top of the rules folder.';
  const parts = name.split('.');
  const kind = parts.at(-2) ?? '';
  if (parts.length > 2) {
    if (kind === 'event') return 'Move it into the folder catalogue/ of the rules folder.';
    const meant = nearestName(kind, ['rule', 'conditions', 'cases', 'event', 'calendar']);
    if (meant !== null) return `Did you mean "${[...parts.slice(0, -2), meant, 'json'].join('.')}"?`;
  } else {
    const meant = nearestName(kind, AT_THE_TOP);
    if (meant !== null) return `Did you mean "${meant}.json"?`;
  }
  const first = root.type === 'array' ? elementsOf(root)[0] : root;
  const keys = first?.type === 'object' ? membersOf(first) : new Map<string, unknown>();
  if (keys.has('cases'))
    return 'Call it <name>.cases.json if it holds rule tests, or move it out of the rules folder.';
  if (keys.has('holidays') || keys.has('makeUpWorkdays') || keys.has('workdays'))
    return 'Call it <name>.calendar.json if it is a work calendar, or move it out of the rules folder.';
  if (keys.has('conditions') || keys.has('trigger') || keys.has('actions'))
    return 'Call it <name>.rule.json if it is a rule, or move it out of the rules folder.';
  return 'A rule stands in <name>.rule.json; move everything else out of the rules folder.';
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}
