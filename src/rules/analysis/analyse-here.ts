import type { Catalogue } from '../../events/catalogue.js';
import type { CalendarDocuments } from '../calendar/shipped-calendars.js';
import { checkFiles } from '../check/check-files.js';
import type { RuleFiles } from '../rule-compiler.js';
import { buildRuleSet } from '../rule-set.js';
import { type Analysis, analyse, type AnalysisOptions } from './analyse.js';

/** Reads and analyses rule files in this thread. Of files with errors nothing is asked. */
export async function analyseHere(
  files: RuleFiles,
  builtIn: Catalogue,
  shipped: CalendarDocuments,
  progress: AnalysisOptions['progress'],
): Promise<Analysis> {
  const checked = checkFiles(files, builtIn, undefined, shipped);
  if (checked.findings.some(({ severity }) => severity === 'error')) return { findings: [], questions: {} };
  const ruleSet = await buildRuleSet('analysed', checked, builtIn, shipped);
  return analyse(ruleSet, files, progress ? { progress } : {});
}
