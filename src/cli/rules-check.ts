import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadBuiltInCatalogue } from '../events/catalogue.js';
import { checkFiles } from '../rules/check/check-files.js';
import { ruleSetHash } from '../rules/check/rule-set-hash.js';
import { byPlace, type Finding, toSarif } from '../rules/finding.js';
import { readRuleFolder } from '../rules/rule-files.js';
import { findingText } from './finding-text.js';
import { progressOn } from './progress.js';
import { rulesFolder } from './rules-folder.js';

/** With fewer files the check is over before anybody wonders. */
const FILES_WITH_PROGRESS = 500;

/**
 * `aftersign rules check`: whether the files of a folder would be taken as they are. Needs no settings, no database
 * and no running service. Exit code 0: they would; 1: there are errors (with `strict`, warnings too); 2: there is no
 * such folder.
 */
export async function checkRules(
  folder: string | undefined,
  options: { readonly json: boolean; readonly sarif: boolean; readonly strict: boolean },
): Promise<number> {
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
  const findings = [...unreadable, ...checked.findings].sort(byPlace);
  const count = (severity: Finding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const errors = count('error');
  const hash = errors === 0 ? ruleSetHash(files, catalogue) : null;
  const ok = errors === 0 && !(options.strict && count('warning') > 0);
  if (options.sarif) writeJson(toSarif(findings, ownVersion()));
  else if (options.json) writeJson({ ok, ruleSet: hash, rules: checked.ruleCount, findings });
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
