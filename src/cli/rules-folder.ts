import { type Catalogue, loadBuiltInCatalogue } from '../events/catalogue.js';
import { formatFinding } from '../rules/finding.js';
import { compileRuleSet } from '../rules/rule-compiler.js';
import { readRuleFolder } from '../rules/rule-files.js';
import type { RuleSet } from '../rules/rule-set.js';

/** The rules folder that a command means when none is given. */
export function rulesFolder(given: string | undefined): string {
  return given ?? process.env['RULES_DIR'] ?? 'rules';
}

/** The rule set of the files on disk; null, and the errors on standard error, when they have any. */
export async function loadRuleSet(
  folder: string,
  builtIn: Catalogue = loadBuiltInCatalogue(),
): Promise<RuleSet | null> {
  const { files, findings } = await readRuleFolder(folder);
  const { ruleSet, findings: found } = await compileRuleSet(files, builtIn);
  const errors = [...findings, ...found].filter(({ severity }) => severity === 'error');
  for (const finding of errors.slice(0, 20))
    process.stderr.write(`${formatFinding(finding, files.get(finding.file))}\n\n`);
  if (errors.length === 0) return ruleSet;
  process.stderr.write(
    `The rule files in ${folder} have ${errors.length} errors: see "aftersign rules check ${folder}".\n`,
  );
  return null;
}
