import { failureLines } from '../cases/case-failure-text.js';
import { readCases, rulesNamed } from '../cases/case-files.js';
import type { FoundCase } from '../cases/case-result.js';
import { CaseRunner } from '../cases/case-runner.js';
import { Coverage, type RuleCoverage } from '../cases/coverage.js';
import { unseenText } from '../cases/unseen-text.js';
import { PLAIN } from '../cases/value-diff.js';
import { kindOf } from '../check/file-kind.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { Run } from './run.js';
import { RuleFolderParts, type StoredRuleFiles } from './stored-rule-files.js';

/** The rule tests of a rule. Plain JSON. */
export interface CasesOrder {
  readonly kind: 'cases';
  readonly stored: StoredRuleFiles;
  readonly rule: string;
  /** Where the rules of the set stand, by their names. */
  readonly files: Readonly<Record<string, string>>;
  /** Files of rule tests that are newer than the stored ones; null: there are none. */
  readonly caseFiles: Readonly<Record<string, string>> | null;
  /** Of cases and rules that name none. */
  readonly timezone: string;
  readonly calendar: string | null;
}

/** What came of the rule tests of a rule. Plain JSON. */
export interface CasesAnswer {
  /** The file with the first of them; null: there are none. */
  readonly file: string | null;
  readonly cases: readonly RanCase[];
  readonly coverage: {
    readonly percent: number;
    readonly points: { readonly seen: number; readonly all: number };
    readonly unseen: readonly { readonly line: number | null; readonly text: string }[];
  } | null;
}

export interface RanCase {
  readonly file: string;
  readonly name: string;
  readonly line: number;
  readonly ok: boolean;
  readonly failures: readonly string[];
  readonly ms: number;
}

const MOST_FAILURES = 20;

/** Runs the cases that are about a rule, whichever file they stand in. Answered at once: no events are needed. */
export async function runRuleCases(order: CasesOrder): Promise<Run<CasesAnswer>> {
  const answer = await answerOf(order);
  return { wants: null, take: () => Promise.resolve(), answer: () => answer };
}

async function answerOf(order: CasesOrder): Promise<CasesAnswer> {
  const { stored, rule, timezone, calendar } = order;
  const folder = new RuleFolderParts(stored);
  const files = withCases(folder.files, order.caseFiles);
  const found = readCases(files).cases.filter((one) => watchedBy(one).includes(rule));
  const [first] = found;
  if (!first) return { file: null, cases: [], coverage: null };
  const names = new Set([rule, ...found.flatMap(watchedBy)]);
  const meant = new Set(
    [...names].flatMap((name) => (Object.hasOwn(order.files, name) ? (order.files[name] ?? []) : [])),
  );
  const ruleSet = await folder.build(stored.hash, folder.check(files, meant));
  const coverage = new Coverage(ruleSet);
  const runner = new CaseRunner(ruleSet, { timezone, calendar, observer: coverage });
  const cases: RanCase[] = [];
  for (const one of found) {
    const result = await runner.run(one);
    const style = { colours: PLAIN, timezone: one.timezone ?? timezone, reasonOf: () => [] };
    cases.push({
      file: result.file,
      name: result.name,
      line: result.line,
      ok: result.ok,
      failures: result.failures
        .slice(0, MOST_FAILURES)
        .map((failure) => failureLines(failure, result, style).join('\n')),
      ms: Math.round(result.ms * 10) / 10,
    });
  }
  const only = new Set([rule]);
  const [covered] = coverage.report(only, files, only).rules;
  return { file: first.file, cases, coverage: covered ? coverageOf(covered) : null };
}

/** The rules that a case is about: those that it says, else those that it expects something of. */
function watchedBy(one: FoundCase): readonly string[] {
  return one.watched ?? rulesNamed(one.case);
}

function withCases(files: RuleFiles, newer: CasesOrder['caseFiles']): RuleFiles {
  if (newer === null) return files;
  const rest = [...files].filter(([file]) => kindOf(file) !== 'cases');
  return new Map([...rest, ...Object.entries(newer)]);
}

function coverageOf({ percent, conditions, actions, steps, unseen, file }: RuleCoverage) {
  return {
    percent,
    points: {
      seen: conditions.seen + actions.seen + steps.seen,
      all: conditions.of + actions.of + steps.of,
    },
    unseen: unseen.map((point) =>
      point.file === file
        ? { line: point.line, text: unseenText(point) }
        : // Of a named condition.
          { line: null, text: `${unseenText(point)} (${point.file}:${point.line})` },
    ),
  };
}
