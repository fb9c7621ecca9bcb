import type { FieldDefinition } from '../../events/catalogue.js';
import type { ActionForm } from './action-check.js';
import { listOf, walk } from './fact-check.js';
import type { FileReport } from './file-report.js';
import { didYouMean } from './nearest-name.js';
import { isEnvelopeFact, type RuleEvents } from './rule-events.js';
import { missingInState } from './state-reads.js';

/** What templates can read of the rule itself. */
export interface RuleMembers {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly owner?: string | undefined;
  readonly labels?: Readonly<Record<string, unknown>> | undefined;
}

/** A template that reads what surely is not there would make every delivery dead. */
export function checkReads(
  { reads }: Pick<ActionForm, 'reads'>,
  rule: RuleMembers,
  events: RuleEvents,
  report: FileReport,
): void {
  const seen = new Set<string>();
  for (const { path, at } of reads) {
    const key = `${at.offset} ${path.join('\u0000')}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const problem = path[0] === 'rule' ? missingInRule(path.slice(1), rule) : missingInSubject(path, events);
    if (problem?.severity === 'error')
      report.error(at, 'TEMPLATE_VALUE_MISSING', problem.message, problem.mend);
    else if (problem) report.warning(at, 'TEMPLATE_VALUE_MISSING', problem.message, problem.mend);
  }
}

/** Why a template would find nothing in what is known of one event; null: nothing speaks against it. */
export function missingInSubject(
  [root = '', ...rest]: readonly string[],
  events: RuleEvents,
): Problem | null {
  if (root === 'event') return missingInEvent(rest, events);
  return ['task', 'node', 'process'].includes(root) ? missingInState([root, ...rest], events) : null;
}

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly mend: string;
}

function missingInRule(path: readonly string[], rule: RuleMembers): Problem | null {
  const [key = '', label = ''] = path;
  const members: Readonly<Record<string, unknown>> = { ...rule };
  const { labels } = rule;
  const known =
    key === 'labels'
      ? path.length === 1
        ? labels
        : labels && Object.hasOwn(labels, label) && path.length === 2
          ? labels[label]
          : undefined
      : path.length === 1 && Object.hasOwn(members, key)
        ? members[key]
        : undefined;
  if (known !== undefined) return null;
  return {
    severity: 'error',
    message: `the rule has no "${path.join('.')}"`,
    mend: 'Add it to the rule, or write | default: "…".',
  };
}

/** Why a template would find nothing at a path into the event; null: nothing speaks against it. */
export function missingInEvent(path: readonly string[], events: RuleEvents): Problem | null {
  const [fact = '', ...keys] = path;
  if (events.open || (isEnvelopeFact(fact) && keys.length === 0)) return null;
  const fields = events.fieldsOf(fact);
  const without = isEnvelopeFact(fact) ? [] : events.without(fact);
  const written = path.join('.');
  if (without.length > 0) {
    // More may come than is known: only what none of them has is a mistake.
    if (events.more && fields.length > 0) return null;
    const names = events.factNames();
    return {
      severity: events.more ? 'warning' : 'error',
      message: `${listOf(without)} has no field "${fact}"`,
      mend: `${didYouMean(fact, names)} Or write | default: "…" behind it.`,
    };
  }
  const [worst] = fields.flatMap((field) => along(field, keys) ?? []);
  if (worst === undefined || events.more) return null;
  return worst === 'optional'
    ? {
        severity: 'error',
        message: `"${written}" may be missing from ${listOf(events.entries.map(({ eventType }) => eventType))}`,
        mend: 'Write | default: "…" behind it.',
      }
    : {
        severity: 'error',
        message: `"${fact}" has nothing at "${keys.join('.')}"`,
        mend: 'Mend the path, or write | default: "…" behind it.',
      };
}

/** Whether something on the way may be missing, or surely is. */
function along(start: FieldDefinition, keys: readonly string[]): 'optional' | 'missing' | null {
  for (let length = 0; length <= keys.length; length += 1) {
    const walked = walk(start, keys.slice(0, length));
    if (!walked.ok) return 'missing';
    if (walked.fields.some(({ optional }) => optional)) return 'optional';
  }
  return null;
}
