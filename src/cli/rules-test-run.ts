import type { Catalogue } from '../events/catalogue.js';
import { loadShippedCalendars } from '../rules/calendar/shipped-calendars.js';
import { readCases } from '../rules/cases/case-files.js';
import type {
  AskedPart,
  CaseFailure,
  CaseObserver,
  CaseResult,
  FoundCase,
} from '../rules/cases/case-result.js';
import { CaseRunner } from '../rules/cases/case-runner.js';
import { Coverage, type CoverageReport } from '../rules/cases/coverage.js';
import { type MutationReport, runMutants, watchedBy } from '../rules/cases/mutation.js';
import { checkFiles } from '../rules/check/check-files.js';
import { ruleSetHash } from '../rules/check/rule-set-hash.js';
import type { Facts } from '../rules/compiled-conditions.js';
import type { DecisionInputs } from '../rules/decide.js';
import { explainRule } from '../rules/explain.js';
import { byPlace, type Finding } from '../rules/finding.js';
import type { RuleFiles } from '../rules/rule-compiler.js';
import { buildRuleSet, type Rule, type RuleSet } from '../rules/rule-set.js';
import { inColour } from './colours.js';
import { formatExplanation } from './explanation-text.js';
import { terminalWidth } from './list-table.js';

/** What stands before a line of a failure. */
const INDENT = 8;

export interface TestRunOptions {
  /** Only cases in whose file, name or rules this stands, in capitals or not. */
  readonly filter?: string | undefined;
  readonly coverage: boolean;
  readonly mutate: boolean;
  readonly timezone: string;
  readonly calendar: string | null;
  /** Called after each mutant. */
  readonly progress?: (done: number, of: number) => void;
}

/** What came of running the cases of a folder. */
export interface TestRun {
  readonly ruleSet: RuleSet;
  readonly cases: readonly FoundCase[];
  readonly results: readonly CaseResult[];
  readonly coverage: CoverageReport | null;
  readonly mutation: MutationReport | null;
  /** Why rules came to the verdicts that were not expected, in lines. */
  readonly reasons: ReadonlyMap<CaseFailure, readonly string[]>;
}

/** Checks the files and runs their cases. Answers the errors when the files have any. */
export async function runCases(
  files: RuleFiles,
  unreadable: readonly Finding[],
  builtIn: Catalogue,
  options: TestRunOptions,
): Promise<TestRun | readonly Finding[]> {
  const shipped = loadShippedCalendars();
  const checked = checkFiles(files, builtIn, undefined, shipped);
  const errors = [...unreadable, ...checked.findings].filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return errors.sort(byPlace);
  const ruleSet = await buildRuleSet(ruleSetHash(files, builtIn, shipped), checked, builtIn, shipped);
  const cases = readCases(files).cases.filter((one) => isMeant(one, options.filter));
  const coverage = options.coverage ? new Coverage(ruleSet) : null;
  const asked = new AskedConditions(coverage);
  const { timezone, calendar } = options;
  const runner = new CaseRunner(ruleSet, { timezone, calendar, observer: asked });
  const results: CaseResult[] = [];
  const reasons = new Map<CaseFailure, readonly string[]>();
  for (const one of cases) {
    asked.forget();
    const result = await runner.run(one);
    results.push(result);
    for (const [failure, about] of unexplained(result.failures))
      reasons.set(failure, await reasonOf(ruleSet, about, result, asked));
  }
  const watched = watchedBy(cases);
  const mutation = options.mutate
    ? await runMutants(
        ruleSet,
        files,
        cases.filter((_, at) => results[at]?.ok === true),
        { timezone, calendar, shipped, watched, ...(options.progress ? { progress: options.progress } : {}) },
      )
    : null;
  return {
    ruleSet,
    cases,
    results,
    coverage: coverage?.report(watched, files, options.filter === undefined ? null : watched) ?? null,
    mutation,
    reasons,
  };
}

function isMeant({ file, watched, case: { name } }: FoundCase, filter: string | undefined): boolean {
  if (filter === undefined) return true;
  return [file, name, ...(watched ?? [])].some((text) => text.toLowerCase().includes(filter.toLowerCase()));
}

interface Asked {
  readonly rule: string;
  readonly facts: Facts;
  readonly inputs: DecisionInputs;
}

/** Keeps what the conditions of rules were asked with in one case, and passes everything on. */
class AskedConditions implements CaseObserver {
  private all: Asked[] = [];

  constructor(private readonly next: CaseObserver | null) {}

  forget(): void {
    this.all = [];
  }

  /** The last of each event: one and the same may be asked about more than once. */
  of(rule: string, now: number): readonly Asked[] {
    const found = this.all.filter((one) => one.rule === rule && one.inputs.now === now);
    return [...new Map(found.map((one) => [one.facts.get('event_id'), one])).values()];
  }

  asked(rule: Rule, part: AskedPart, facts: Facts, inputs: DecisionInputs): void {
    if (part.part === 'conditions') this.all.push({ rule: rule.name, facts, inputs });
    this.next?.asked(rule, part, facts, inputs);
  }

  sent(rule: Rule, action: string, step: string | null): void {
    this.next?.sent(rule, action, step);
  }
}

interface About {
  readonly rule: string;
  /** Of the event, from 0; null: the last one. */
  readonly step: number | null;
}

/** The failures that a look at the rule's conditions explains; several that nothing was sent, once for each rule. */
function unexplained(failures: readonly CaseFailure[]): ReadonlyMap<CaseFailure, About> {
  const found = new Map<CaseFailure, About>();
  const rules = new Set<string>();
  for (const failure of failures) {
    if (failure.kind === 'verdict') found.set(failure, failure);
    else if (failure.kind === 'missing' && failure.closest === null) {
      const { rule } = failure.expected;
      if (!rules.has(rule)) found.set(failure, { rule, step: null });
      rules.add(rule);
    }
  }
  return found;
}

/** The conditions of a rule and what came out of them, as `explain` shows them. */
async function reasonOf(
  ruleSet: RuleSet,
  { rule: name, step }: About,
  { judged }: CaseResult,
  asked: AskedConditions,
): Promise<readonly string[]> {
  const rule = ruleSet.ruleOf(name);
  const events = judged.filter(({ rules }) => rules.some((one) => one.rule === name));
  const event = events.findLast((one) => step === null || one.step === step);
  if (!rule || !event) return [];
  const sameMoment = events.filter(({ at }) => at === event.at);
  const found = asked.of(name, event.at)[sameMoment.indexOf(event)];
  if (!found) return [];
  const subject = { eventType: event.eventType, facts: found.facts };
  const explanation = await explainRule(ruleSet, rule, subject, found.inputs);
  const width = terminalWidth() - INDENT;
  return formatExplanation(explanation, { colour: inColour, width }).split('\n');
}
