import type { Catalogue } from '../../src/events/catalogue.js';
import { type Analysis, analyse } from '../../src/rules/analysis/analyse.js';
import { loadShippedCalendars } from '../../src/rules/calendar/shipped-calendars.js';
import { checkFiles } from '../../src/rules/check/check-files.js';
import type { Finding } from '../../src/rules/finding.js';
import { buildRuleSet, type RuleSet } from '../../src/rules/rule-set.js';

export interface Analysed {
  /** Of the check and of the analysis. */
  readonly findings: readonly Finding[];
  /** Null: the check has found errors. */
  readonly ruleSet: RuleSet | null;
  readonly questions: Analysis['questions'];
}

const shipped = loadShippedCalendars();

/** Checks rule files, and analyses them when they are sound. */
export async function analysed(
  files: ReadonlyMap<string, string>,
  catalogue: Catalogue,
  budget?: number,
): Promise<Analysed> {
  const checked = checkFiles(files, catalogue, undefined, shipped);
  if (checked.findings.some(({ severity }) => severity === 'error'))
    return { findings: checked.findings, ruleSet: null, questions: {} };
  const ruleSet = await buildRuleSet('analysed', checked, catalogue, shipped);
  const { findings, questions } = analyse(ruleSet, files, budget === undefined ? {} : { budget });
  return { findings: [...checked.findings, ...findings], ruleSet, questions };
}

/** The rule set of files that the check has nothing to say of; null: it has. */
export async function builtWithoutFindings(
  files: ReadonlyMap<string, string>,
  catalogue: Catalogue,
): Promise<RuleSet | null> {
  const checked = checkFiles(files, catalogue, undefined, shipped);
  return checked.findings.length > 0 ? null : await buildRuleSet('built', checked, catalogue, shipped);
}
