import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Catalogue, loadBuiltInCatalogue } from '../events/catalogue.js';
import { CatalogueFiles } from '../rules/check/catalogue-files.js';
import { FileReport } from '../rules/check/file-report.js';
import { JsonText } from '../rules/check/json-text.js';
import { formatFinding } from '../rules/finding.js';
import { readRuleFolder } from '../rules/rule-files.js';
import { ruleSchema } from '../rules/rule-schema.js';

/**
 * `aftersign rules schema`: the JSON Schema of rule files on standard output, with the event types of
 * `<folder>/catalogue/*.event.json` when there are any. A broken one is reported on standard error; then nothing is
 * printed and the exit code is 1.
 */
export async function printRuleSchema(folder?: string): Promise<number> {
  const builtIn = loadBuiltInCatalogue();
  const catalogue = folder === undefined ? builtIn : await catalogueOf(folder, builtIn);
  if (!catalogue) return 1;
  process.stdout.write(`${JSON.stringify(ruleSchema(catalogue), null, 2)}\n`);
  return 0;
}

/** The catalogue with a rules folder's own event types; null, and the errors on standard error, when they have any. */
async function catalogueOf(folder: string, builtIn: Catalogue): Promise<Catalogue | null> {
  const path = join(folder, 'catalogue');
  if (!existsSync(path)) return builtIn;
  const own = new CatalogueFiles(builtIn);
  const { files, findings } = await readRuleFolder(path);
  const found = [...findings];
  for (const [file, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!file.endsWith('.event.json')) continue;
    const report = new FileReport(file, JsonText.parse(text));
    const { root, mistakes } = report.json;
    for (const { code, message, mend, ...place } of mistakes) report.error(place, code, message, mend);
    if (root) own.read(root, report);
    found.push(...report.findings);
  }
  const errors = found.filter(({ severity }) => severity === 'error');
  for (const finding of errors) {
    const shown = { ...finding, file: `catalogue/${finding.file}` };
    process.stderr.write(`${formatFinding(shown, files.get(finding.file))}\n`);
  }
  return errors.length === 0 ? builtIn.with(own.entries) : null;
}
