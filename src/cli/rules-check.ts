import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalogue, loadBuiltInCatalogue } from '../events/catalogue.js';
import { type Analysis, analyse } from '../rules/analysis/analyse.js';
import { type CheckedFiles, checkFiles } from '../rules/check/check-files.js';
import { ruleSetHash } from '../rules/check/rule-set-hash.js';
import { byPlace, type Finding, toSarif } from '../rules/finding.js';
import type { RuleFiles } from '../rules/rule-compiler.js';
import { readRuleFolder } from '../rules/rule-files.js';
import { buildRuleSet } from '../rules/rule-set.js';
import { findingText } from './finding-text.js';
import { progressOn } from './progress.js';
import { rulesFolder } from './rules-folder.js';

/** With fewer files the check is over before anybody wonders. */
const FILES_WITH_PROGRESS = 500;
const RULES_WITH_PROGRESS = 200;

interface CheckOptions {
  readonly json: boolean;
  readonly sarif: boolean;
  readonly strict: boolean;
  /** Absent: sound files are analysed too. */
  readonly analysis?: boolean;
}

/**
 * `aftersign rules check`: whether the files of a folder would be taken as they are, and, when they would, what their
 * rules say that they can hardly mean. Needs no settings, no database and no running service. Exit code 0: they would;
 * 1: there are errors (with `strict`, warnings too); 2: there is no such folder.
 */
export async function checkRules(folder: string | undefined, options: CheckOptions): Promise<number> {
  const path = rulesFolder(folder);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    process.stderr.write(`There is no folder ${path}: name one, or set RULES_DIR.\n`);
    return 2;
  }
  const catalogue = loadBuiltInCatalogue();
  const { files, findings: unreadable } = await readRuleFolder(path);
  const words = { doing: 'checking', done: 'checked', what: 'files' };
  const progress = files.size > FILES_WITH_PROGRESS ? progressOn(process.stderr, words) : null;
  const checked = checkFiles(files, catalogue, progress?.step);
  progress?.end();
  const said = [...unreadable, ...checked.findings];
  const errors = said.filter(({ severity }) => severity === 'error').length;
  const hash = errors === 0 ? ruleSetHash(files, catalogue) : null;
  const analysis =
    hash === null || options.analysis === false ? null : await analysed(hash, files, checked, catalogue);
  const findings = [...said, ...(analysis?.findings ?? [])].sort(byPlace);
  const count = (severity: Finding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const ok = errors === 0 && !(options.strict && count('warning') > 0);
  if (options.sarif) writeJson(toSarif(findings, ownVersion()));
  else if (options.json)
    writeJson({
      ok,
      ruleSet: hash,
      rules: checked.ruleCount,
      findings,
      ...(analysis ? { analysis: { questions: analysis.questions } } : {}),
    });
  else {
    writeFindings(findings, files);
    const counts = [
      amount(errors, 'error'),
      amount(count('warning'), 'warning'),
      ...(count('info') > 0 ? [amount(count('info'), 'info')] : []),
    ];
    process.stdout.write(
      `${counts.join(', ')} in ${amount(checked.ruleCount, 'rule')} of ${amount(files.size, 'file')}; ${hash === null ? 'no rule set' : `rule set ${hash.slice(0, 12)}`}\n`,
    );
  }
  return ok ? 0 : 1;
}

async function analysed(
  hash: string,
  files: RuleFiles,
  checked: CheckedFiles,
  catalogue: Catalogue,
): Promise<Analysis> {
  const words = { doing: 'analysing', done: 'analysed', what: 'rules' };
  const progress = checked.rules.length > RULES_WITH_PROGRESS ? progressOn(process.stderr, words) : null;
  const ruleSet = await buildRuleSet(hash, checked, catalogue);
  const found = analyse(ruleSet, files, progress ? { progress: progress.step } : {});
  progress?.end();
  return found;
}

function writeJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

function writeFindings(findings: readonly Finding[], files: ReadonlyMap<string, string>): void {
  for (const finding of findings)
    process.stdout.write(`${findingText(finding, files.get(finding.file))}\n\n`);
}

function amount(number: number, what: string): string {
  return `${number} ${what}${number === 1 || what === 'info' ? '' : 's'}`;
}

function ownVersion(): string {
  const file = join(import.meta.dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
