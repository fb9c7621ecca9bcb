import {
  ACTION_DOCUMENT,
  ACTION_KEYS,
  type ActionDocument,
  KINDS_SENTENCE,
  LATER_ACTION_KEYS,
  NOT_OF_AN_UNDO,
  TOGETHER,
  undoNameOf,
} from '../../action/action-document.js';
import { checkAction } from '../../action/check-action.js';
import type { OrderLevel } from '../rule-action.js';
import { type ConditionForm, ConditionReader, documentOf, type ReferenceForm } from './condition-form.js';
import type { FileReport } from './file-report.js';
import { type Member, membersOf, textOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { nearestName } from './nearest-name.js';
import { checkKeys } from './object-keys.js';
import { locate, reportIssues, type Source } from './schema-issues.js';

type Kind = ActionDocument['type'];

/** An action as far as it could be read. */
export interface ActionForm {
  /** But for `when` and `undo`: all of its own that may hold templates. */
  readonly node: JsonNode;
  /** Null: something is wrong with it. */
  readonly document: ActionDocument | null;
  readonly name: string | null;
  readonly nameAt: JsonNode;
  /** What its templates read without a default, and where the text stands. */
  readonly reads: readonly { readonly path: readonly string[]; readonly at: JsonNode }[];
  /** Its own conditions; null: it has none. */
  readonly when: WhenForm | null;
  /** Null: it has none, or something else. */
  readonly order: { readonly level: OrderLevel; readonly at: JsonNode } | null;
  /** What takes it back; null: it says nothing of that, or what is none. */
  readonly undo: ActionForm | null;
  /** The value of `undo`; null: there is none. */
  readonly undoAt: JsonNode | null;
}

/** Of which action one is the undo. */
interface Undone {
  /** Null: it has no name that is one. */
  readonly name: string | null;
}

/** Conditions of an action. */
export interface WhenForm {
  /** Null: too much is wrong with them. */
  readonly form: ConditionForm | null;
  readonly at: JsonNode;
  readonly references: readonly ReferenceForm[];
}

const CODES = {
  unknownKey: 'ACTION_KEY_UNKNOWN',
  invalidKey: 'ACTION_KEY_INVALID',
  missingKey: 'ACTION_KEY_MISSING',
  invalidValue: 'ACTION_VALUE_INVALID',
};
const KINDS = Object.keys(ACTION_KEYS) as Kind[];

/**
 * Reads one action. `kindAt` is given for json-rules-engine's own shape, where the kind stands beside the keys, and
 * then names the action too. `undone`: it is the undo of that.
 */
export function readAction(
  node: JsonNode,
  report: FileReport,
  kindAt?: Member,
  undone?: Undone,
): ActionForm | null {
  if (node.type !== 'object') {
    report.error(
      node,
      'ACTION_VALUE_INVALID',
      'an action must be an object',
      'Write {"type": "http", "name": "tell", "url": "https://…"}.',
    );
    return null;
  }
  const errorsBefore = report.errorCount;
  const { members, kind } = readKeys(node, report, kindAt, undone);
  const given = Object.fromEntries([...members].map(([key, { value }]) => [key, valueOf(value)]));
  if (kindAt && !members.has('name')) given['name'] = textOf(kindAt.value);
  if (undone && !members.has('name')) given['name'] = undoNameOf(undone.name ?? 'action');
  const source: Source = { node, members };
  const parsed = kind && ACTION_DOCUMENT.safeParse({ ...given, type: kind });
  // Missing keys have been reported with the others; what the keys say together is checked below.
  const issues = parsed?.error?.issues.filter(
    (issue) =>
      (issue.path.length === 0 || members.has(String(issue.path[0]))) &&
      // An undo is read like an action, below.
      issue.path[0] !== 'undo' &&
      !(issue.code === 'custom' && issue.params === TOGETHER),
  );
  reportIssues(issues ?? [], source, report, CODES);
  const when = readWhen(members.get('when')?.value, report);
  const name = typeof given['name'] === 'string' ? given['name'] : null;
  const undoAt = members.get('undo')?.value ?? null;
  const undo = undoAt && readAction(undoAt, report, undefined, { name });
  const reads = kind
    ? checkAction(kind, given, (at, code, message, mend) => {
        const { node: value, key } = locate(source, at);
        report.error(code === 'ACTION_KEY_INVALID' ? (key ?? value) : value, code, message, mend);
      })
    : [];
  const sound = parsed?.success && report.errorCount === errorsBefore;
  return {
    node: without(node, ['when', 'undo']),
    document: sound
      ? {
          ...parsed.data,
          ...(when?.form ? { when: documentOf(when.form) } : {}),
          ...(undo?.document ? { undo: undo.document } : {}),
        }
      : null,
    name,
    nameAt: members.get('name')?.value ?? node,
    reads: reads.map(({ path, at }) => ({ path, at: locate(source, at).node })),
    when,
    order: orderIn(members.get('order')?.value),
    undo,
    undoAt,
  };
}

function readWhen(at: JsonNode | undefined, report: FileReport): WhenForm | null {
  if (!at) return null;
  const reader = new ConditionReader(report);
  return { form: reader.readRoot(at, 'when'), at, references: reader.references };
}

function orderIn(at: JsonNode | undefined): ActionForm['order'] {
  const text = textOf(at);
  return at && (text === 'task' || text === 'process') ? { level: text, at } : null;
}

function without(node: JsonNode, keys: readonly string[]): JsonNode {
  const children = (node.children ?? []).filter(
    (property) => !keys.includes(String(property.children?.[0]?.value)),
  );
  return { ...node, children };
}

/** The keys by what kind of action it is, or looks like. */
function readKeys(
  node: JsonNode,
  report: FileReport,
  kindAt: Member | undefined,
  undone: Undone | undefined,
): { readonly members: ReadonlyMap<string, Member>; readonly kind: Kind | null } {
  const given = membersOf(node);
  const slip = [...given.keys()].find((key) => key !== 'type' && nearestName(key, ['type']) !== null);
  const typeAt = kindAt ?? given.get('type') ?? (slip === undefined ? undefined : given.get(slip));
  const written = textOf(typeAt?.value);
  const known = KINDS.find((one) => one === written);
  if (!known && typeAt) {
    const meant = nearestName(written ?? '', KINDS);
    report.error(
      typeAt.value,
      'ACTION_VALUE_INVALID',
      `"type" ${KINDS_SENTENCE}`,
      meant === null ? 'Change the value.' : `Did you mean "${meant}"?`,
    );
  }
  const kind = known ?? looksLike(given);
  const keys = kind
    ? ACTION_KEYS[kind]
    : { known: [...new Set(KINDS.flatMap((one) => ACTION_KEYS[one].known))], required: ['name'] };
  const refused = [...(kindAt ? ['type'] : []), ...(undone ? NOT_OF_AN_UNDO : [])];
  const required = kindAt ? keys.required : ['type', ...keys.required];
  const members = checkKeys(
    node,
    {
      prefix: 'ACTION',
      known: keys.known.filter((key) => !refused.includes(key)),
      required: kindAt || undone ? required.filter((key) => key !== 'name') : required,
      later: LATER_ACTION_KEYS,
    },
    report,
  );
  return { members, kind };
}

/** The kind that an action without one seems to be of. */
function looksLike(given: ReadonlyMap<string, Member>): Kind | null {
  const says = given.has('text') || given.has('card');
  if (given.has('url')) return says ? 'feishu-bot' : 'http';
  const to = given.get('to')?.value;
  if (to?.type === 'object') return 'feishu-message';
  return to !== undefined || given.has('subject') ? 'email' : null;
}
