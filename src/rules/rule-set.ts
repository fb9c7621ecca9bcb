import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { type Action, compileAction, type ReportProblem } from '../action/action.js';
import { ACTION_DOCUMENT } from '../action/action-document.js';
import type { Catalogue } from '../events/catalogue.js';
import { ENVELOPE_FACTS } from '../events/event-facts.js';
import { Conditions } from './conditions.js';
import type { Finding } from './finding.js';
import { JsonText } from './json-text.js';
import { RULE_DOCUMENT, type RuleDocument } from './rule-document.js';

type Path = readonly (string | number)[];

export interface Rule {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly priority: number;
  readonly conditions: Conditions;
  readonly actions: readonly Action[];
  /** Whether the rule listens to an event type. */
  listensTo(eventType: string): boolean;
}

/** All rules of one folder, checked as a whole. */
export interface RuleSet {
  /** Content hash over the files and the catalogue: the version that evaluations name. */
  readonly hash: string;
  /** Highest priority first, then by name. */
  readonly rules: readonly Rule[];
  readonly catalogue: Catalogue;
}

/** What a folder of rule files holds: file (relative, with `/`) → text. */
export type RuleFiles = ReadonlyMap<string, string>;

export interface CompiledFiles {
  readonly findings: readonly Finding[];
  /** Null when a finding is an error: a rule set is live as a whole or not at all. */
  readonly ruleSet: RuleSet | null;
}

/** Kinds of files that the rule language knows and this version does not act upon. */
const LATER_FILES =
  /(?:\.(?:conditions|cases|calendar)\.json|(?:^|\/)(?:lookups|owners)\.json|\.event\.json)$/;

/** Checks and compiles rule files. Pure: the same files always give the same rule set. */
export function compileRuleSet(files: RuleFiles, catalogue: Catalogue): CompiledFiles {
  const findings: Finding[] = [];
  const rules: Rule[] = [];
  const places = new Map<string, string>();
  for (const [file, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const reporter = new FileReporter(file, JsonText.parse(text), findings);
    for (const [at, value] of documentsIn(reporter)) {
      const rule = compileRule(value, at, reporter, catalogue);
      if (!rule) continue;
      const other = places.get(rule.name);
      if (other === undefined) {
        places.set(rule.name, file);
        rules.push(rule);
      } else {
        reporter.error(
          [...at, 'name'],
          'RULE_NAME_TWICE',
          `a rule named "${rule.name}" stands in ${other} already`,
          'Give one of them another name.',
        );
      }
    }
  }
  const sound = !findings.some(({ severity }) => severity === 'error');
  rules.sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
  return { findings, ruleSet: sound ? { hash: hashOf(files, catalogue), rules, catalogue } : null };
}

function hashOf(files: RuleFiles, catalogue: Catalogue): string {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([sorted, catalogue.version]))
    .digest('hex');
}

/** Reports findings of one file at the place of a value or of a key. */
class FileReporter {
  constructor(
    readonly file: string,
    readonly json: JsonText,
    private readonly findings: Finding[],
  ) {}

  error(at: Path, code: string, message: string, mend: string): void {
    this.errorAt(this.json.offsetOf(at), code, message, mend);
  }

  errorAtKey(at: Path, code: string, message: string, mend: string): void {
    this.errorAt(this.json.offsetOfKey(at), code, message, mend);
  }

  errorAt(offset: number, code: string, message: string, mend: string): void {
    this.findings.push({
      code,
      severity: 'error',
      file: this.file,
      ...this.json.positionOf(offset),
      message,
      mend,
    });
  }
}

/** The rules in a file: one or a list. A file that is of no known kind is an error, never silence. */
function documentsIn(reporter: FileReporter): [Path, Record<string, unknown>][] {
  if (LATER_FILES.test(reporter.file)) {
    reporter.errorAt(
      0,
      'FILE_KIND_NOT_AVAILABLE',
      'files of this kind are not available in this version',
      'Move it out of the rules folder.',
    );
    return [];
  }
  for (const { offset, code, message, mend } of reporter.json.mistakes)
    reporter.errorAt(offset, code, message, mend);
  const { value } = reporter.json;
  if (value === undefined) return [];
  const list = Array.isArray(value)
    ? value.map((one, index): [Path, unknown] => [[index], one])
    : [[[], value] as [Path, unknown]];
  return list.filter((entry): entry is [Path, Record<string, unknown>] => {
    const [at, one] = entry;
    const isRule = typeof one === 'object' && one !== null && !Array.isArray(one);
    if (
      !isRule ||
      (!reporter.file.endsWith('.rule.json') &&
        !('conditions' in one && ('actions' in one || 'event' in one)))
    ) {
      reporter.error(
        at,
        'FILE_KIND_UNKNOWN',
        'this is no rule: a rule is an object with "conditions" and "actions"',
        'Mend it, or move the file out of the rules folder.',
      );
      return false;
    }
    return true;
  });
}

function compileRule(
  value: Record<string, unknown>,
  at: Path,
  reporter: FileReporter,
  catalogue: Catalogue,
): Rule | null {
  const native = ownShape(value, at, reporter);
  if (!native) return null;
  const { document: given, actionPath } = native;
  const parsed = RULE_DOCUMENT.safeParse(given);
  if (!parsed.success) reportIssues(parsed.error.issues, at, reporter, 'RULE');
  const actions = compileActions(
    Array.isArray(given['actions']) ? given['actions'] : [],
    (index) => [...at, ...actionPath(index)],
    reporter,
  );
  if (!parsed.success || actions.includes(null)) return null;
  const document = parsed.data;
  const sound = actions.filter((action) => action !== null);
  checkReads(document, sound, (index) => [...at, ...actionPath(index)], reporter, catalogue);
  const patterns = document.trigger.map(globToExpression);
  return {
    name: document.name,
    description: document.description ?? null,
    owner: document.owner ?? null,
    labels: document.labels ?? {},
    enabled: document.enabled,
    priority: document.priority,
    conditions: new Conditions(document.conditions),
    actions: sound,
    listensTo: (eventType) => patterns.some((pattern) => pattern.test(eventType)),
  };
}

/** A rule of json-rules-engine's own shape becomes one of ours: `event.type` is the kind, `event.params` the keys. */
function ownShape(
  value: Record<string, unknown>,
  at: Path,
  reporter: FileReporter,
): { document: Record<string, unknown>; actionPath: (index: number) => Path } | null {
  if (!Object.hasOwn(value, 'event')) return { document: value, actionPath: (index) => ['actions', index] };
  if (Object.hasOwn(value, 'actions')) {
    reporter.errorAtKey(
      [...at, 'event'],
      'RULE_EVENT_BESIDE_ACTIONS',
      '"event" and "actions" stand side by side',
      'Keep "actions".',
    );
    return null;
  }
  const { event, ...rest } = value;
  const { type, params } = (typeof event === 'object' && event !== null ? event : {}) as {
    type?: unknown;
    params?: unknown;
  };
  if (typeof type !== 'string' || (params !== undefined && (typeof params !== 'object' || params === null))) {
    reporter.error(
      [...at, 'event'],
      'RULE_EVENT_INVALID',
      '"event" needs a "type" (http or email) and "params" (the keys of the action)',
      'Write {"type": "http", "params": {"url": "https://…"}}.',
    );
    return null;
  }
  return {
    document: { trigger: '*', ...rest, actions: [{ name: type, ...params, type }] },
    actionPath: () => ['event', 'params'],
  };
}

function compileActions(
  list: readonly unknown[],
  place: (index: number) => Path,
  reporter: FileReporter,
): (Action | null)[] {
  const names = new Set<string>();
  return list.map((one, index) => {
    const at = place(index);
    const parsed = ACTION_DOCUMENT.safeParse(one);
    if (!parsed.success) {
      reportIssues(parsed.error.issues, at, reporter, 'ACTION');
      return null;
    }
    if (names.has(parsed.data.name)) {
      reporter.error(
        [...at, 'name'],
        'ACTION_NAME_TWICE',
        `the rule has another action named "${parsed.data.name}"`,
        'Give one of them another name.',
      );
    }
    names.add(parsed.data.name);
    const problems: Parameters<ReportProblem>[] = [];
    const action = compileAction(parsed.data, (...problem) => problems.push(problem));
    for (const [below, code, message, mend] of problems)
      reporter.error([...at, ...below], code, message, mend);
    return problems.length === 0 ? action : null;
  });
}

function reportIssues(
  issues: readonly z.core.$ZodIssue[],
  at: Path,
  reporter: FileReporter,
  prefix: 'RULE' | 'ACTION',
): void {
  for (const issue of issues) {
    const path = [...at, ...(issue.path as (string | number)[])];
    const key = String(path.at(-1) ?? '');
    if (issue.code === 'unrecognized_keys') {
      for (const unknown of issue.keys) {
        reporter.errorAtKey(
          [...path, unknown],
          `${prefix}_KEY_UNKNOWN`,
          `there is no key "${unknown}" here`,
          'Remove it, or look for a slip of the pen.',
        );
      }
    } else if (issue.message.endsWith('is not available in this version')) {
      reporter.errorAtKey(path, `${prefix}_KEY_NOT_AVAILABLE`, issue.message, 'Remove it.');
    } else if (issue.code === 'invalid_key') {
      for (const inner of issue.issues)
        reporter.errorAtKey(path, `${prefix}_KEY_INVALID`, `"${key}" ${inner.message}`, 'Change the key.');
    } else if (issue.code === 'invalid_type' && issue.input === undefined && isMissing(reporter, path)) {
      reporter.error(path, `${prefix}_KEY_MISSING`, `"${key}" is missing`, `Add "${key}".`);
    } else {
      reporter.error(
        path,
        `${prefix}_VALUE_INVALID`,
        `${path.length > at.length ? `"${key}" ` : ''}${issue.message}`,
        'Change the value.',
      );
    }
  }
}

function isMissing(reporter: FileReporter, path: Path): boolean {
  return reporter.json.offsetOf(path) === reporter.json.offsetOf(path.slice(0, -1));
}

/** A template that reads a field which the event type surely has not got would never be sent. */
function checkReads(
  document: RuleDocument,
  actions: readonly Action[],
  place: (index: number) => Path,
  reporter: FileReporter,
  catalogue: Catalogue,
): void {
  const entries = document.trigger.map((type) => catalogue.find(type));
  actions.forEach((action, index) => {
    for (const { path, at } of action.reads) {
      const [root, field = ''] = path;
      const where = [...place(index), ...at];
      if (
        root === 'rule' &&
        !(
          ['name', 'description', 'owner', 'labels'].includes(field) &&
          ruleMember(document, path.slice(1)) !== undefined
        )
      ) {
        reporter.error(
          where,
          'TEMPLATE_VALUE_MISSING',
          `the rule has no "${path.slice(1).join('.')}"`,
          'Add it to the rule, or write | default: "…".',
        );
      }
      if (root !== 'event' || (ENVELOPE_FACTS as readonly string[]).includes(field)) continue;
      for (const entry of entries) {
        if (!entry) continue;
        const known = Object.hasOwn(entry.fields, field) ? entry.fields[field] : undefined;
        if (known && !known.optional) continue;
        reporter.error(
          where,
          'TEMPLATE_VALUE_MISSING',
          known
            ? `"${field}" may be missing from ${entry.eventType}`
            : `${entry.eventType} has no field "${field}"`,
          known
            ? 'Write | default: "…" behind it.'
            : `Use one of ${Object.keys(entry.fields).join(', ')}, or write | default: "…".`,
        );
      }
    }
  });
}

function ruleMember(
  { name, description, owner, labels }: RuleDocument,
  [key = '', label = '']: readonly string[],
): unknown {
  if (key === 'labels') return labels && Object.hasOwn(labels, label) ? labels[label] : undefined;
  return { name, description, owner }[key];
}

function globToExpression(glob: string): RegExp {
  return new RegExp(
    `^${glob
      .split(/\*+/)
      .map((part) => part.replace(/[.]/g, '\\.'))
      .join('.*')}$`,
  );
}
