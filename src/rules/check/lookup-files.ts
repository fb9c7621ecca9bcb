import { checkAction } from '../../action/check-action.js';
import { compileLookup, placeholdersIn } from '../compiled-lookup.js';
import { LOOKUP_DOCUMENT, LOOKUP_KEYS, type LookupDocument } from '../lookup-document.js';
import { type AnswerShape, shapeOf } from '../lookup-fields.js';
import { LOOKUP_NAME } from '../lookup-name.js';
import type { FileReport } from './file-report.js';
import { type Member, membersOf, textOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { checkLookupReads, textsUnder } from './lookup-reads.js';
import { didYouMean, nearestName } from './nearest-name.js';
import { checkKeys } from './object-keys.js';
import type { RuleEvents } from './rule-events.js';
import { locate, reportIssues } from './schema-issues.js';
import { missingInEvent } from './template-reads.js';

type Kind = LookupDocument['type'];

/** What rules may know of the look-ups of a folder. */
export interface KnownLookups {
  readonly names: readonly string[];
  /** What its answer holds; null: there is no such look-up. */
  find(name: string): AnswerShape | null;
  /** What it cannot be asked without of the event, those included that it needs answers of. */
  inputsOf(name: string): readonly (readonly string[])[];
}

interface LookupForm {
  readonly node: JsonNode;
  /** Null: there is an error in it. */
  readonly document: LookupDocument | null;
  /** The look-ups that its templates read, and where. */
  readonly needs: readonly { readonly name: string; readonly at: JsonNode }[];
  broken: boolean;
}

const KINDS = Object.keys(LOOKUP_KEYS) as Kind[];
const CODES = {
  unknownKey: 'LOOKUP_KEY_UNKNOWN',
  invalidKey: 'LOOKUP_KEY_INVALID',
  missingKey: 'LOOKUP_KEY_MISSING',
  invalidValue: 'LOOKUP_VALUE_INVALID',
};
/** Each may wait for others; nobody writes so many by hand. */
const MOST_LOOKUPS = 100;
const EXAMPLE = 'Write {"process": {"type": "feishu-process", "id": "{{ event.process_id }}"}}.';

/** The look-ups of `lookups.json`. */
export class LookupFile implements KnownLookups {
  private readonly forms = new Map<string, LookupForm>();
  private readonly inputs = new Map<string, readonly (readonly string[])[]>();
  private report: FileReport | null = null;

  get names(): readonly string[] {
    return [...this.forms.keys()];
  }

  read(root: JsonNode, report: FileReport): void {
    this.report = report;
    if (root.type !== 'object') {
      report.error(root, 'LOOKUP_VALUE_INVALID', 'the file of look-ups must be an object', EXAMPLE);
      return;
    }
    for (const [name, member] of membersOf(root)) {
      if (name === '$schema') continue;
      if (this.forms.size === MOST_LOOKUPS) {
        report.error(
          member.key,
          'LOOKUP_VALUE_INVALID',
          `there are more than ${MOST_LOOKUPS} look-ups`,
          'Remove those that no rule reads.',
        );
        return;
      }
      const errorsBefore = report.errorCount;
      if (!LOOKUP_NAME.test(name)) {
        report.error(
          member.key,
          'LOOKUP_KEY_INVALID',
          `"${name}" is no name for a look-up: it must be 1 to 40 letters, digits and _, and start with a small letter`,
          'Change the name.',
        );
      }
      const form = readLookup(name, member.value, report);
      if (form) this.forms.set(name, { ...form, broken: report.errorCount > errorsBefore });
    }
  }

  /** Checks what the look-ups read of each other and of events, when all event types are known. */
  check(events: RuleEvents): void {
    const { report } = this;
    if (!report) return;
    for (const form of this.forms.values()) {
      const errorsBefore = report.errorCount;
      checkLookupReads(form.node, events, report, false);
      for (const { node, text } of textsUnder(form.node)) {
        for (const { path, filters } of placeholdersIn(text)) {
          if (path[0] !== 'event' || filters.some(({ name }) => name === 'default')) continue;
          const [, fact = ''] = path;
          if (!missingInEvent([fact], events)) continue;
          report.warning(
            node,
            'TEMPLATE_VALUE_MISSING',
            `no known event type has a field "${fact}"`,
            () => `${didYouMean(fact, events.factNames())} Or write | default: "…" behind it.`,
          );
        }
      }
      if (report.errorCount > errorsBefore) form.broken = true;
    }
    this.reportCircles(report);
  }

  find(name: string): AnswerShape | null {
    const form = this.forms.get(name);
    if (!form) return null;
    // Of a broken one nothing is known, so that its mistake is told once.
    return form.document ? shapeOf(name, form.document) : { field: null, more: true };
  }

  inputsOf(name: string): readonly (readonly string[])[] {
    // Thousands of rules may ask.
    let inputs = this.inputs.get(name);
    if (!inputs) this.inputs.set(name, (inputs = this.collectInputs(name, new Set())));
    return inputs;
  }

  private collectInputs(name: string, seen: Set<string>): readonly (readonly string[])[] {
    const form = this.forms.get(name);
    if (!form?.document || seen.has(name)) return [];
    seen.add(name);
    // Without a task the process is found all the same.
    const asked = Object.entries(form.document).filter(([key]) => key !== 'task');
    const own = textsOf(asked).flatMap((text) =>
      placeholdersIn(text)
        .filter(({ path, filters }) => path[0] === 'event' && !filters.some((one) => one.name === 'default'))
        .map(({ path }) => path.slice(1)),
    );
    return [...own, ...form.needs.flatMap((need) => this.collectInputs(need.name, seen))];
  }

  /** The sound ones, by name. */
  documents(): Readonly<Record<string, LookupDocument>> {
    return Object.fromEntries(
      [...this.forms].flatMap(([name, { document, broken }]) =>
        document && !broken ? [[name, document] as const] : [],
      ),
    );
  }

  private reportCircles(report: FileReport): void {
    const done = new Set<string>();
    const visit = (name: string, path: readonly string[]): void => {
      const form = this.forms.get(name);
      if (!form || done.has(name)) return;
      for (const need of form.needs) {
        const start = [...path, name].indexOf(need.name);
        if (start < 0) {
          visit(need.name, [...path, name]);
          continue;
        }
        const circle = [...path, name].slice(start);
        for (const one of circle) {
          const within = this.forms.get(one);
          if (within) within.broken = true;
        }
        report.error(
          need.at,
          'LOOKUPS_CIRCULAR',
          `the look-up needs its own answer: ${[...circle, need.name].join(' → ')}`,
          'Break the circle.',
        );
      }
      done.add(name);
    };
    for (const name of this.forms.keys()) visit(name, []);
  }
}

function readLookup(name: string, node: JsonNode, report: FileReport): Omit<LookupForm, 'broken'> | null {
  if (node.type !== 'object') {
    report.error(node, 'LOOKUP_VALUE_INVALID', 'a look-up must be an object', EXAMPLE);
    return null;
  }
  const errorsBefore = report.errorCount;
  const { members, kind } = readKeys(node, report);
  const given = Object.fromEntries([...members].map(([key, { value }]) => [key, valueOf(value)]));
  const source = { node, members };
  const parsed = kind && LOOKUP_DOCUMENT.safeParse({ ...given, type: kind });
  // Missing keys have been reported with the others.
  const issues = parsed?.error?.issues.filter(
    ({ path }) => path.length === 0 || members.has(String(path[0])),
  );
  reportIssues(issues ?? [], source, report, CODES);
  if (kind) {
    const sound = parsed?.success ? parsed.data : standIn(kind, given);
    compileLookup(name, sound, (at, code, message, mend) => {
      report.error(locate(source, at).node, code, message, mend);
    });
    // Header names that differ in case only.
    if (kind === 'http')
      checkAction(
        'http',
        { url: 'https://stand-in.invalid/', headers: given['headers'] },
        (at, code, message, mend) => {
          if (code !== 'ACTION_KEY_INVALID') return;
          const found = locate(source, at);
          report.error(found.key ?? found.node, CODES.invalidKey, message, mend);
        },
      );
  }
  const needs = textsUnder(node).flatMap(({ node: at, text }) =>
    placeholdersIn(text).flatMap(({ path: [root, needed] }) =>
      root === 'lookup' && needed !== undefined ? [{ name: needed, at }] : [],
    ),
  );
  return {
    node,
    document: parsed?.success && report.errorCount === errorsBefore ? parsed.data : null,
    needs,
  };
}

/** The keys by what kind of look-up it is, or looks like. */
function readKeys(
  node: JsonNode,
  report: FileReport,
): { readonly members: ReadonlyMap<string, Member>; readonly kind: Kind | null } {
  const given = membersOf(node);
  const slip = [...given.keys()].find((key) => key !== 'type' && nearestName(key, ['type']) !== null);
  const typeAt = given.get('type') ?? (slip === undefined ? undefined : given.get(slip));
  const written = textOf(typeAt?.value);
  const known = KINDS.find((one) => one === written);
  if (!known && typeAt) {
    report.error(
      typeAt.value,
      'LOOKUP_VALUE_INVALID',
      '"type" must be "feishu-process", "feishu-user" or "http"',
      written === null ? 'Change the value.' : didYouMean(written, KINDS),
    );
  }
  const kind = known ?? (given.has('url') ? 'http' : given.has('idType') ? 'feishu-user' : null);
  const keys = kind
    ? LOOKUP_KEYS[kind]
    : { known: [...new Set(KINDS.flatMap((one) => LOOKUP_KEYS[one].known))], required: [] };
  const members = checkKeys(
    node,
    { prefix: 'LOOKUP', known: keys.known, required: ['type', ...keys.required] },
    report,
  );
  return { members, kind };
}

/** A sound look-up with the templates of one that is not. */
function standIn(kind: Kind, given: Readonly<Record<string, unknown>>): LookupDocument {
  const text = (key: string, otherwise: string): string => {
    const value = given[key];
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
  const sound = { timeout: 1000, within: 1000 };
  const task = typeof given['task'] === 'string' ? { task: given['task'] } : {};
  switch (kind) {
    case 'feishu-process':
      return { type: kind, id: text('id', 'a'), ...task, userIdType: 'open_id', ...sound };
    case 'feishu-user':
      return { type: kind, id: text('id', 'a'), idType: 'open_id', cache: 0, ...sound };
    case 'http': {
      const { headers } = given;
      const texts = Object.entries(typeof headers === 'object' && headers !== null ? headers : {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      );
      return {
        type: kind,
        url: text('url', 'https://stand-in.invalid/'),
        headers: Object.fromEntries(texts),
        cache: 0,
        ...sound,
      };
    }
  }
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
