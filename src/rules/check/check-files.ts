import type { TargetLimit } from '../../action/target-limits.js';
import type { Catalogue, CatalogueEntry } from '../../events/catalogue.js';
import { type CalendarDocuments, loadShippedCalendars } from '../calendar/shipped-calendars.js';
import { checkCases } from '../cases/case-form.js';
import { openCases } from '../cases/case-files.js';
import type { ConditionDocument } from '../condition-document.js';
import { byPlace, type Finding } from '../finding.js';
import type { LookupDocument } from '../lookup-document.js';
import type { OwnerDocuments } from '../owners.js';
import type { RuleDocument } from '../rule-document.js';
import { laneOfAction, lanesOfRules } from '../target-limit-use.js';
import { CalendarFiles } from './calendar-files.js';
import { CatalogueFiles } from './catalogue-files.js';
import type { ConditionForm } from './condition-form.js';
import type { Reporter } from './fact-check.js';
import { kindOf, looksLikeRule, mendOfUnknown } from './file-kind.js';
import { FileReport } from './file-report.js';
import { elementsOf } from './json-node.js';
import { type JsonNode, JsonText } from './json-text.js';
import { checkLeaf } from './leaf-check.js';
import { LookupFile } from './lookup-files.js';
import { isTooLarge, type NamedCondition, NamedConditions, tooLarge } from './named-conditions.js';
import { OwnerFile } from './owner-files.js';
import { KnownEvents, type RuleEvents } from './rule-events.js';
import { type ConditionsForm, readRule, type RuleForm } from './rule-check.js';
import { ShadowTwins } from './shadow-check.js';
import { TargetFile } from './target-files.js';

/** One sound rule, and where it stands. */
export interface CheckedRule extends RuleDocument {
  /** Relative to the rules folder. */
  readonly file: string;
  readonly line: number;
}

/** What a rules folder holds, and what is wrong with it. Plain JSON. */
export interface CheckedFiles {
  /** By file and place. */
  readonly findings: readonly Finding[];
  /** Those in which there is no error. */
  readonly rules: readonly CheckedRule[];
  /** The named conditions in which there is no error. */
  readonly conditions: Readonly<Record<string, ConditionDocument>>;
  /** The event types that the folder adds to the catalogue. */
  readonly catalogue: readonly CatalogueEntry[];
  /** The look-ups in which there is no error, by name. */
  readonly lookups: Readonly<Record<string, LookupDocument>>;
  /** The folder's own work calendars in which there is no error, by name. */
  readonly calendars: CalendarDocuments;
  /** How owners of rules are told. */
  readonly owners: OwnerDocuments;
  /** What targets are spared. */
  readonly targetLimits: readonly TargetLimit[];
  /** How many rules the files hold, broken ones too. */
  readonly ruleCount: number;
}

/**
 * Checks rule files as a whole: everything that is wrong, each mistake once, at its token. Pure and synchronous; it
 * never throws, and takes time in proportion to the files. `progress` is called after each file. `elsewhere`: whether a rule
 * of a name stands in a file that is not among these; where all are, none does.
 */
export function checkFiles(
  files: ReadonlyMap<string, string>,
  builtIn: Catalogue,
  progress?: (done: number, of: number) => void,
  shipped: CalendarDocuments = loadShippedCalendars(),
  elsewhere: (rule: string) => boolean = () => false,
): CheckedFiles {
  return new FolderCheck(builtIn, shipped, elsewhere).check(files, progress);
}

class FolderCheck {
  /** Of the files that are still to be reported on; what is done with is let go, or ten thousand trees would stay. */
  private readonly reports: FileReport[] = [];
  private readonly findings: Finding[] = [];
  private readonly named = new NamedConditions();
  private readonly catalogueFiles: CatalogueFiles;
  private readonly lookups = new LookupFile();
  private readonly calendars: CalendarFiles;
  private readonly owners = new OwnerFile();
  private readonly targets = new TargetFile();
  private readonly shadows = new ShadowTwins();
  private readonly rules: CheckedRule[] = [];
  private readonly filesOfNames = new Map<string, string>();
  private readonly used: { readonly rule: CheckedRule; readonly names: readonly string[] }[] = [];
  private ruleCount = 0;

  constructor(
    private readonly builtIn: Catalogue,
    shipped: CalendarDocuments,
    private readonly elsewhere: (rule: string) => boolean,
  ) {
    this.catalogueFiles = new CatalogueFiles(builtIn);
    this.calendars = new CalendarFiles(shipped);
  }

  check(
    files: ReadonlyMap<string, string>,
    progress: ((done: number, of: number) => void) | undefined,
  ): CheckedFiles {
    const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
    const later: [string, string][] = [];
    let done = 0;
    const count = (): void => {
      done += 1;
      progress?.(done, sorted.length);
    };
    // What rules refer to comes first.
    for (const [file, text] of sorted) {
      if (this.readBeforeRules(file, text)) count();
      else later.push([file, text]);
    }
    this.named.check();
    const known = new KnownEvents(
      this.builtIn.with(this.catalogueFiles.entries),
      this.lookups,
      this.calendars.names(),
    );
    this.lookups.check(known.of(['*']));
    for (const [file, text] of later) {
      const report = open(file, text);
      if (this.readRules(report, known)) this.reports.push(report);
      else for (const finding of report.findings) this.findings.push(finding);
      count();
    }
    this.named.reportUnused();
    for (const condition of this.named.unchecked()) this.checkNamed(condition, known.of([]));
    const unsound = this.named.unsound();
    const broken = new Set(
      this.used.filter(({ names }) => names.some((name) => unsound.has(name))).map(({ rule }) => rule),
    );
    this.checkTargets();
    const twinless = this.shadows.check(this.elsewhere);
    return {
      findings: [...this.findings, ...this.reports.flatMap(({ findings }) => findings)].sort(byPlace),
      rules: this.rules.filter((rule) => !broken.has(rule) && !twinless.has(rule.name)),
      conditions: this.named.documents(),
      catalogue: this.catalogueFiles.entries,
      lookups: this.lookups.documents(),
      calendars: this.calendars.documents(),
      owners: this.owners.documents(),
      targetLimits: this.targets.documents(),
      ruleCount: this.ruleCount,
    };
  }

  /** Files of kinds other than rules. False: rules may stand in it. */
  private readBeforeRules(file: string, text: string): boolean {
    const kind = kindOf(file);
    switch (kind) {
      case 'rule':
      case 'unknown':
        return false;
      case 'schema':
        return true;
      case 'conditions':
      case 'catalogue':
      case 'lookups':
      case 'owners':
      case 'targets':
      case 'calendar':
      case 'cases': {
        const report = kind === 'cases' ? openCases(file, text) : open(file, text);
        this.reports.push(report);
        const { root } = report.json;
        if (!root) return true;
        if (kind === 'conditions') this.named.read(root, report);
        else if (kind === 'catalogue') this.catalogueFiles.read(root, report);
        else if (kind === 'lookups') this.lookups.read(root, report);
        else if (kind === 'owners') this.owners.read(root, report);
        else if (kind === 'targets') this.targets.read(root, report);
        else if (kind === 'calendar') this.calendars.read(root, report);
        else checkCases(root, report);
        return true;
      }
    }
  }

  /** True: something in it is still to be reported. */
  private readRules(report: FileReport, known: KnownEvents): boolean {
    const { file } = report;
    const { root } = report.json;
    if (!root) return false;
    const isRuleFile = kindOf(file) === 'rule';
    const nodes = root.type === 'array' ? elementsOf(root) : [root];
    if (!isRuleFile && !nodes.some(looksLikeRule)) {
      report.error(
        root,
        'FILE_KIND_UNKNOWN',
        'this is none of the files that belong into a rules folder',
        mendOfUnknown(file, root),
      );
      return false;
    }
    if (nodes.length === 0)
      report.warning(root, 'FILE_WITHOUT_RULES', 'the list holds no rule', 'Write one, or remove the file.');
    let isOpen = false;
    for (const node of nodes) {
      if (isRuleFile ? node.type === 'object' : looksLikeRule(node))
        isOpen = this.readOne(node, known, report) || isOpen;
      else {
        report.error(
          node,
          'FILE_KIND_UNKNOWN',
          'this is no rule: a rule is an object with "conditions" and "actions"',
          'Mend it, or remove it.',
        );
      }
    }
    return isOpen;
  }

  /** True: what it is compared with is still to be looked for. */
  private readOne(node: JsonNode, known: KnownEvents, report: FileReport): boolean {
    const errorsBefore = report.errorCount;
    this.ruleCount += 1;
    const form = readRule(node, known, report);
    this.checkName(form);
    const isOpen = this.shadows.note(form);
    this.owners.checkRule(node, report);
    for (const conditions of form.conditions) this.checkConditions(conditions, report);
    report.rule = null;
    if (form.broken || report.errorCount > errorsBefore) return isOpen;
    const rule = { ...form.document(), file: report.file, line: report.json.positionOf(node.offset).line };
    this.rules.push(rule);
    const references = form.conditions.flatMap((conditions) => conditions.references);
    if (references.length > 0) this.used.push({ rule, names: references.map(({ condition }) => condition) });
    return isOpen;
  }

  /** What a broken rule leads to is not known: then nothing is said. */
  private checkTargets(): void {
    if (!this.targets.hasNames || this.rules.length < this.ruleCount) return;
    const channels = Object.values(this.owners.documents() ?? {}).flat();
    this.targets.check(
      new Set([...lanesOfRules(this.rules), ...channels.flatMap((channel) => laneOfAction(channel) ?? [])]),
    );
  }

  private checkName({ name, nameAt, report }: RuleForm): void {
    if (name === null) return;
    const other = this.filesOfNames.get(name);
    if (other === undefined) this.filesOfNames.set(name, report.file);
    else {
      report.error(
        nameAt,
        'RULE_NAME_TWICE',
        `a rule named "${name}" stands in ${other} already`,
        'Give one of them another name.',
      );
    }
  }

  private checkConditions({ what, form, at, references, events }: ConditionsForm, report: FileReport): void {
    for (const reference of references) this.named.resolve(reference, report);
    if (!form) return;
    const size = this.named.sizeOf(form);
    const endless = this.named.leadsToEndless(references);
    const large = !endless && isTooLarge(size);
    if (large) {
      report.error(
        at,
        'CONDITIONS_TOO_LARGE',
        tooLarge(what, size),
        'Write it smaller; the same condition need not be asked several times.',
      );
    }
    this.checkFacts(form, events, report.json.unsafe, report, !large && !endless);
  }

  /** Checks the leaves against what is listened to; through the named conditions too, unless they have no end. */
  private checkFacts(
    form: ConditionForm,
    events: RuleEvents,
    unsafe: ReadonlySet<JsonNode>,
    reporter: Reporter,
    expand: boolean,
  ): void {
    if (form.kind === 'leaf') checkLeaf(form, events, unsafe, reporter);
    else if (form.kind !== 'condition') {
      for (const child of form.children) this.checkFacts(child, events, unsafe, reporter, expand);
    } else if (expand) {
      const condition = this.named.find(form.condition);
      if (condition) this.checkNamed(condition, events);
    }
  }

  private checkNamed(condition: NamedCondition, events: RuleEvents): void {
    const { form, report, reported, checkedWith } = condition;
    if (!form || checkedWith.has(events.key)) return;
    checkedWith.add(events.key);
    const errorsBefore = report.errorCount;
    // The same mistake shows again with each set of event types.
    const isNew = (offset: number, code: string): boolean => {
      const key = `${offset} ${code}`;
      if (reported.has(key)) return false;
      reported.add(key);
      return true;
    };
    const reporter: Reporter = {
      error: (at, code, message, mend) => {
        if (isNew(at.offset, code)) report.error(at, code, message, mend);
      },
      warning: (at, code, message, mend) => {
        if (isNew(at.offset, code)) report.warning(at, code, message, mend);
      },
      info: (at, code, message, mend) => {
        if (isNew(at.offset, code)) report.info(at, code, message, mend);
      },
    };
    this.checkFacts(form, events, report.json.unsafe, reporter, !condition.endless);
    if (report.errorCount > errorsBefore) condition.broken = true;
  }
}

function open(file: string, text: string): FileReport {
  const report = new FileReport(file, JsonText.parse(text));
  for (const { code, message, mend, ...place } of report.json.mistakes)
    report.error(place, code, message, mend);
  return report;
}
