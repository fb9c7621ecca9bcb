import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Catalogue, loadBuiltInCatalogue } from '../events/catalogue.js';
import { CatalogueFiles } from '../rules/check/catalogue-files.js';
import { FileReport } from '../rules/check/file-report.js';
import { JsonText } from '../rules/check/json-text.js';
import { LookupFile } from '../rules/check/lookup-files.js';
import { formatFinding } from '../rules/finding.js';
import type { AnswerShape } from '../rules/lookup-fields.js';
import { readRuleFolder } from '../rules/rule-files.js';
import { ruleSchema } from '../rules/rule-schema.js';

const LOOKUPS = 'lookups.json';

/**
 * `aftersign rules schema`: the JSON Schema of rule files on standard output, with the event types of
 * `<folder>/catalogue/*.event.json` and the look-ups of `<folder>/lookups.json` when there are any. A broken file is
 * reported on standard error; then nothing is printed and the exit code is 1.
 */
export async function printRuleSchema(folder?: string): Promise<number> {
  const builtIn = loadBuiltInCatalogue();
  const known = folder === undefined ? { catalogue: builtIn } : await knownIn(folder, builtIn);
  if (!known) return 1;
  process.stdout.write(`${JSON.stringify(ruleSchema(known.catalogue, known.lookups), null, 2)}\n`);
  return 0;
}

interface Known {
  readonly catalogue: Catalogue;
  /** Absent: the folder declares none. */
  readonly lookups?: ReadonlyMap<string, AnswerShape>;
}

/** What a rules folder adds; null, and the errors on standard error, when it has any. */
async function knownIn(folder: string, builtIn: Catalogue): Promise<Known | null> {
  const own = new CatalogueFiles(builtIn);
  const lookups = new LookupFile();
  const path = join(folder, 'catalogue');
  const { files, findings } = existsSync(path) ? await readRuleFolder(path) : { files: [], findings: [] };
  const errors = findings.map((finding) => ({ ...finding, file: `catalogue/${finding.file}` }));
  const texts = new Map<string, string>();
  for (const [file, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    texts.set(`catalogue/${file}`, text);
  const asked = join(folder, LOOKUPS);
  if (existsSync(asked)) texts.set(LOOKUPS, await readFile(asked, 'utf8'));
  for (const [file, text] of texts) {
    if (!file.endsWith('.event.json') && file !== LOOKUPS) continue;
    const report = new FileReport(file, JsonText.parse(text));
    const { root, mistakes } = report.json;
    for (const { code, message, mend, ...place } of mistakes) report.error(place, code, message, mend);
    if (root) (file === LOOKUPS ? lookups : own).read(root, report);
    errors.push(...report.findings.filter(({ severity }) => severity === 'error'));
  }
  for (const finding of errors) process.stderr.write(`${formatFinding(finding, texts.get(finding.file))}\n`);
  if (errors.length > 0) return null;
  const shapes = lookups.names.flatMap((name) => {
    const shape = lookups.find(name);
    return shape ? [[name, shape] as const] : [];
  });
  return {
    catalogue: builtIn.with(own.entries),
    ...(existsSync(asked) ? { lookups: new Map(shapes) } : {}),
  };
}
