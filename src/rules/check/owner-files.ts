import { ACTION_DOCUMENT, type ActionDocument, TOGETHER } from '../../action/action-document.js';
import { checkAction } from '../../action/check-action.js';
import { placeholdersIn } from '../compiled-lookup.js';
import { CHANNEL_TEXTS, type OwnerDocuments } from '../owners.js';
import type { FileReport } from './file-report.js';
import { elementsOf, type Member, membersOf, textOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { textsUnder } from './lookup-reads.js';
import { didYouMean, nearestName } from './nearest-name.js';
import { checkKeys } from './object-keys.js';
import { locate, reportIssues } from './schema-issues.js';

type Kind = ActionDocument['type'];

/** The keys of each kind of channel, and those it cannot do without: of an action, what is not the rule's business. */
const CHANNEL_KEYS = {
  http: {
    known: ['url', 'headers', 'timeout', 'success', 'auth', 'app', 'sign', 'retry'],
    required: ['url'],
  },
  email: { known: ['to', 'cc', 'bcc', 'replyTo', 'retry'], required: ['to'] },
  'feishu-bot': { known: ['url', 'sign', 'retry'], required: ['url'] },
  'feishu-message': { known: ['to', 'app', 'retry'], required: ['to'] },
} as const satisfies Record<Kind, { known: readonly string[]; required: readonly string[] }>;
const KINDS = Object.keys(CHANNEL_KEYS) as Kind[];
const CODES = {
  unknownKey: 'OWNER_KEY_UNKNOWN',
  invalidKey: 'OWNER_KEY_INVALID',
  missingKey: 'OWNER_KEY_MISSING',
  invalidValue: 'OWNER_VALUE_INVALID',
};
const EXAMPLE = 'Write {"people-ops": {"tell": [{"type": "email", "to": ["people-ops@example.com"]}]}}.';
const MOST_OWNERS = 1000;
const MOST_CHANNELS = 10;
const LONGEST_NAME = 200;

/** How owners of rules are told, of `owners.json`. */
export class OwnerFile {
  private readonly channels = new Map<string, readonly ActionDocument[]>();
  /** Of broken ones too: a rule that names one is not to blame. Null: there is no such file. */
  private named: Set<string> | null = null;

  read(root: JsonNode, report: FileReport): void {
    this.named = new Set();
    if (root.type !== 'object') {
      report.error(root, 'OWNER_VALUE_INVALID', 'the file of owners must be an object', EXAMPLE);
      return;
    }
    for (const [name, { key, value }] of membersOf(root)) {
      if (name === '$schema') continue;
      if (this.named.size === MOST_OWNERS) {
        report.error(
          key,
          'OWNER_VALUE_INVALID',
          `there are more than ${MOST_OWNERS} owners`,
          'Remove those that no rule names.',
        );
        return;
      }
      this.named.add(name);
      if (name.trim() !== name || name === '' || name.length > LONGEST_NAME)
        report.error(
          key,
          'OWNER_KEY_INVALID',
          `"${name.slice(0, 50)}" is no name of an owner: it must have 1 to ${LONGEST_NAME} characters, and no space around them`,
          'Change the name.',
        );
      const channels = readOwner(value, report);
      if (channels) this.channels.set(name, channels);
    }
  }

  /** Whether the owner that a rule names is listed; nothing is said when no file lists any. */
  checkRule(rule: JsonNode, report: FileReport): void {
    const at = membersOf(rule).get('owner')?.value;
    const owner = textOf(at);
    const { named } = this;
    if (!named || !at || owner === null || named.has(owner)) return;
    const names = [...named].filter((name) => name !== '*');
    report.warning(at, 'OWNER_UNKNOWN', `owners.json has no owner "${owner}"`, () => {
      const meant = nearestName(owner, names);
      if (meant !== null) return `Did you mean "${meant}"?`;
      return named.has('*')
        ? 'Add it there; until then those of "*" are told.'
        : 'Add it there; until then nobody is told.';
    });
  }

  /** The sound ones; null: there is no such file. */
  documents(): OwnerDocuments {
    return this.named && Object.fromEntries(this.channels);
  }
}

function readOwner(node: JsonNode, report: FileReport): readonly ActionDocument[] | null {
  const errorsBefore = report.errorCount;
  if (node.type !== 'object') {
    report.error(node, 'OWNER_VALUE_INVALID', 'an owner must be an object', EXAMPLE);
    return null;
  }
  const members = checkKeys(node, { prefix: 'OWNER', known: ['tell'], required: ['tell'] }, report);
  const list = members.get('tell')?.value;
  if (!list) return null;
  const channels = elementsOf(list);
  if (list.type !== 'array' || channels.length === 0 || channels.length > MOST_CHANNELS) {
    report.error(
      list,
      'OWNER_VALUE_INVALID',
      `"tell" must be a list of 1 to ${MOST_CHANNELS} ways to tell the owner`,
      'Write [{"type": "email", "to": ["people-ops@example.com"]}].',
    );
    return null;
  }
  const documents = channels.flatMap((channel, index) => readChannel(channel, index, report) ?? []);
  return report.errorCount === errorsBefore ? documents : null;
}

/** A channel is an action of which the texts are not written in the file. */
function readChannel(node: JsonNode, index: number, report: FileReport): ActionDocument | null {
  if (node.type !== 'object') {
    report.error(
      node,
      'OWNER_VALUE_INVALID',
      'a way to tell the owner must be an object',
      'Write {"type": "email", "to": ["people-ops@example.com"]}.',
    );
    return null;
  }
  const { members, kind } = readKeys(node, report);
  if (!kind) return null;
  const errorsBefore = report.errorCount;
  const given = Object.fromEntries([...members].map(([key, { value }]) => [key, valueOf(value)]));
  const whole = { ...given, type: kind, name: `${index + 1}`, ...CHANNEL_TEXTS[kind] };
  const source = { node, members };
  const parsed = ACTION_DOCUMENT.safeParse(whole);
  // Missing keys have been reported with the others; what keys say together is checked below.
  const issues = parsed.error?.issues.filter(
    (issue) =>
      (issue.path.length === 0 || members.has(String(issue.path[0]))) &&
      !(issue.code === 'custom' && issue.params === TOGETHER),
  );
  reportIssues(issues ?? [], source, report, CODES);
  checkAction(kind, whole, (at, code, message, mend) => {
    // Whatever is read of an event is told below.
    if (code === 'RECIPIENT_FROM_EVENT' || code === 'CHAT_FROM_EVENT') return;
    const found = locate(source, at);
    if (code === 'ACTION_KEY_INVALID') report.error(found.key ?? found.node, CODES.invalidKey, message, mend);
    else report.error(found.node, code === 'ACTION_VALUE_INVALID' ? CODES.invalidValue : code, message, mend);
  });
  for (const { node: at, text } of [...members.values()].flatMap(({ value }) => textsUnder(value))) {
    const read = placeholdersIn(text).find(({ path }) => path[0] !== 'secrets');
    if (read)
      report.error(
        at,
        'OWNER_VALUE_INVALID',
        `a notice is about no event: {{ ${read.path.join('.')} }} has no value here`,
        'Write what it is, or take it from a secret like {{ secrets.OPS_BOT }}.',
      );
  }
  return parsed.success && report.errorCount === errorsBefore ? parsed.data : null;
}

/** The keys by what kind of channel it is, or looks like. */
function readKeys(
  node: JsonNode,
  report: FileReport,
): { readonly members: ReadonlyMap<string, Member>; readonly kind: Kind | null } {
  const given = membersOf(node);
  const slip = [...given.keys()].find((key) => key !== 'type' && nearestName(key, ['type']) !== null);
  const typeAt = given.get('type') ?? (slip === undefined ? undefined : given.get(slip));
  const written = textOf(typeAt?.value);
  const known = KINDS.find((one) => one === written) ?? null;
  if (!known && typeAt)
    report.error(
      typeAt.value,
      'OWNER_VALUE_INVALID',
      '"type" must be "email", "feishu-bot", "feishu-message" or "http"',
      written === null ? 'Change the value.' : didYouMean(written, KINDS),
    );
  const texts = known ? Object.keys(CHANNEL_TEXTS[known]) : [];
  for (const text of texts) {
    const own = given.get(text);
    if (!own) continue;
    report.error(
      own.key,
      'OWNER_KEY_UNKNOWN',
      `"${text}" cannot stand here: Aftersign writes what a notice says`,
      'Remove it.',
    );
  }
  const keys = known
    ? CHANNEL_KEYS[known]
    : { known: [...new Set(KINDS.flatMap((one) => CHANNEL_KEYS[one].known))], required: [] };
  const rest = (node.children ?? []).filter(({ children }) => !texts.includes(String(children?.[0]?.value)));
  const members = checkKeys(
    { ...node, children: rest },
    { prefix: 'OWNER', known: ['type', ...keys.known], required: ['type', ...keys.required] },
    report,
  );
  return { members, kind: known };
}
