import { ListenedTypes } from '../analysis/listened-types.js';
import type { CalendarDocuments } from '../calendar/shipped-calendars.js';
import { checkFiles, type CheckedFiles, type CheckedRule } from '../check/check-files.js';
import { kindOf } from '../check/file-kind.js';
import { compileRule } from '../compile-rule.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { CaseRunner } from './case-runner.js';
import type { EventStep } from './case-document.js';
import type { FoundCase } from './case-result.js';
import { percentOf } from './coverage.js';
import { type Mutant, mutantsOf } from './mutants.js';
import { RuleSource } from './rule-source.js';
import { compareMeaning, type Meaning } from './same-meaning.js';
import { edited } from './source-edit.js';
import { tellingEvent } from './telling-event.js';

/**
 * `killed`: a case noticed; `survived`: none did; `equivalent`: none can, it is proved to mean the same; `not runnable`:
 * the check of the rule files refuses it.
 */
export type MutantFate = 'killed' | 'survived' | 'equivalent' | 'not runnable';

export interface JudgedMutant extends Mutant {
  readonly fate: MutantFate;
  /** The first case that noticed; null: none did. */
  readonly killedBy: { readonly file: string; readonly name: string } | null;
  /** Of one that survived: the step of a case that would notice, if a single event is enough. */
  readonly noticeableBy: EventStep | null;
}

/** How many of the small changes to the rules the cases notice. */
export interface MutationReport {
  /** Of the mutants that mean something else, 0 to 100. */
  readonly percent: number;
  readonly killed: number;
  readonly survived: number;
  readonly equivalent: number;
  readonly notRunnable: number;
  /** In the order of the rule set; a change to a named condition counts for each rule that uses it. */
  readonly rules: readonly RuleMutation[];
  /** By file and place. */
  readonly mutants: readonly JudgedMutant[];
}

export interface RuleMutation {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly percent: number;
  readonly killed: number;
  readonly survived: number;
  readonly equivalent: number;
  readonly notRunnable: number;
}

export interface MutationOptions {
  readonly timezone: string;
  readonly calendar: string | null;
  /** The work calendars that ship with the product. */
  readonly shipped: CalendarDocuments;
  /** The rules that are changed; null: all; absent: those that the cases are about. */
  readonly watched?: ReadonlySet<string> | null;
  readonly progress?: (done: number, of: number) => void;
}

/**
 * Runs the cases against every small change to the rules that they are about. `cases` are those that pass on the rule
 * set itself. A mutant is a change to a file, checked and compiled as any; only what can differ is made anew.
 */
export async function runMutants(
  ruleSet: RuleSet,
  files: RuleFiles,
  cases: readonly FoundCase[],
  options: MutationOptions,
): Promise<MutationReport> {
  return await new MutationRun(ruleSet, files, cases, options).run();
}

class MutationRun {
  private readonly source: RuleSource;
  private readonly types: ListenedTypes;
  /** What rules refer to, beside the named conditions. */
  private readonly referredTo: RuleFiles;
  private readonly conditions: RuleFiles;
  private readonly original: CaseRunner;

  constructor(
    private readonly ruleSet: RuleSet,
    files: RuleFiles,
    private readonly cases: readonly FoundCase[],
    private readonly options: MutationOptions,
  ) {
    this.source = new RuleSource(files);
    this.types = new ListenedTypes(ruleSet);
    const ofKinds = (...kinds: readonly string[]): RuleFiles =>
      new Map([...files].filter(([file]) => kinds.includes(kindOf(file))));
    // The catalogue is given as the rule set has it; of owners and targets no rule is refused.
    this.referredTo = ofKinds('lookups', 'calendar');
    this.conditions = ofKinds('conditions');
    const { timezone, calendar } = options;
    this.original = new CaseRunner(ruleSet, { timezone, calendar });
  }

  async run(): Promise<MutationReport> {
    const { ruleSet, cases, options } = this;
    const { watched = watchedBy(cases) } = options;
    const names = watched ?? new Set(ruleSet.rules.map(({ name }) => name));
    const mutants = mutantsOf(ruleSet, this.source, names);
    const judged: JudgedMutant[] = [];
    for (const mutant of mutants) {
      judged.push(await this.judge(mutant));
      options.progress?.(judged.length, mutants.length);
    }
    return reportOn(judged, ruleSet, names);
  }

  private async judge(mutant: Mutant): Promise<JudgedMutant> {
    const judged = { ...mutant, killedBy: null, noticeableBy: null };
    const changed = this.compile(mutant);
    if (!changed) return { ...judged, fate: 'not runnable' };
    const about = this.cases.filter(
      ({ watched }) => watched === null || mutant.rules.some((name) => watched.includes(name)),
    );
    const runner = this.runnerWith(changed, about);
    for (const one of about)
      if (!(await runner.run(one)).ok)
        return { ...judged, fate: 'killed', killedBy: { file: one.file, name: one.case.name } };
    const meanings = this.meaningsOf(mutant, changed);
    if (meanings.length > 0 && meanings.every(({ meaning }) => meaning.kind === 'same'))
      return { ...judged, fate: 'equivalent' };
    const runners = { before: this.original, after: runner };
    for (const { rule, meaning } of meanings) {
      const noticeableBy = await tellingEvent(rule, meaning, this.ruleSet, runners);
      if (noticeableBy) return { ...judged, fate: 'survived', noticeableBy };
    }
    return { ...judged, fate: 'survived' };
  }

  /** The changed rules by name; null: they would be refused. */
  private compile(mutant: Mutant): ReadonlyMap<string, Rule> | null {
    const { ruleSet } = this;
    const checked = checkFiles(
      this.filesOf(mutant),
      ruleSet.catalogue,
      undefined,
      this.options.shipped,
      (name) => !mutant.rules.includes(name),
    );
    if (checked.findings.some(({ severity }) => severity === 'error')) return null;
    const parts = {
      named: mutant.condition === null ? ruleSet.conditions : namedIn(checked),
      catalogue: ruleSet.catalogue,
      lookups: ruleSet.lookups,
      places: ruleSet.places,
      calendars: ruleSet.calendars,
    };
    const rules = new Map<string, Rule>();
    for (const document of checked.rules) {
      const original = ruleSet.ruleOf(document.name);
      if (original) rules.set(document.name, compileRule(placedAs(document, original), parts));
    }
    return rules.size === mutant.rules.length ? rules : null;
  }

  /** As many files as say whether the changed rules are sound: each such rule in a file of its own, and what it refers to. */
  private filesOf({ edit, rules, condition }: Mutant): RuleFiles {
    const { source } = this;
    const files = new Map([...this.referredTo, ...this.conditions]);
    for (const [at, name] of rules.entries()) {
      const rule = this.ruleSet.ruleOf(name);
      const part = rule ? source.rule(name, rule.file) : null;
      if (!part) continue;
      const own = { ...edit, offset: edit.offset - part.node.offset };
      files.set(
        `${at}.rule.json`,
        condition === null ? edited(source.textOf(part), own) : source.textOf(part),
      );
    }
    const text = this.conditions.get(edit.file);
    if (condition !== null && text !== undefined) files.set(edit.file, edited(text, edit));
    return files;
  }

  /** The changed rules among as many others as some cases need. */
  private runnerWith(changed: ReadonlyMap<string, Rule>, about: readonly FoundCase[]): CaseRunner {
    const { ruleSet, options } = this;
    const needed = watchedBy(about);
    const rules = ruleSet.rules.flatMap((rule) =>
      needed === null || needed.has(rule.name) || changed.has(rule.name)
        ? [changed.get(rule.name) ?? rule]
        : [],
    );
    const { timezone, calendar } = options;
    return new CaseRunner(ruleSet.withRules(rules), { timezone, calendar });
  }

  /** How the meaning of each rule is changed; empty: nobody can tell by its conditions. */
  private meaningsOf(
    { kind, rules }: Mutant,
    changed: ReadonlyMap<string, Rule>,
  ): readonly { readonly rule: Rule; readonly meaning: Meaning }[] {
    if (!ABOUT_CONDITIONS.has(kind)) return [];
    return rules.flatMap((name) => {
      const [before, after] = [this.ruleSet.ruleOf(name), changed.get(name)];
      return before && after ? [{ rule: before, meaning: compareMeaning(before, after, this.types) }] : [];
    });
  }
}

/** What changes conditions alone. */
const ABOUT_CONDITIONS: ReadonlySet<Mutant['kind']> = new Set([
  'operator',
  'value',
  'element-dropped',
  'group',
  'condition-dropped',
  'not-dropped',
  'when-dropped',
  'cancel-on-dropped',
]);

/** The rules that cases are about; null: all. */
export function watchedBy(cases: readonly FoundCase[]): ReadonlySet<string> | null {
  if (cases.some(({ watched }) => watched === null)) return null;
  return new Set(cases.flatMap(({ watched }) => watched ?? []));
}

function namedIn({ conditions }: CheckedFiles): RuleSet['conditions'] {
  return new Map(Object.entries(conditions));
}

/** It stands where the original stands, however it was checked. */
function placedAs(document: CheckedRule, { file, line }: Rule): CheckedRule {
  return { ...document, file, line };
}

function reportOn(
  mutants: readonly JudgedMutant[],
  ruleSet: RuleSet,
  names: ReadonlySet<string>,
): MutationReport {
  const rules = ruleSet.rules.filter((rule) => rule.enabled && names.has(rule.name));
  return {
    ...countsOf(mutants),
    rules: rules.map(({ name, file, line }) => ({
      rule: name,
      file,
      line,
      ...countsOf(mutants.filter((mutant) => mutant.rules.includes(name))),
    })),
    mutants,
  };
}

function countsOf(mutants: readonly JudgedMutant[]): Omit<RuleMutation, 'rule' | 'file' | 'line'> {
  const count = (fate: MutantFate): number => mutants.filter((mutant) => mutant.fate === fate).length;
  const [killed, survived] = [count('killed'), count('survived')];
  return {
    percent: percentOf(killed, killed + survived),
    killed,
    survived,
    equivalent: count('equivalent'),
    notRunnable: count('not runnable'),
  };
}
