import { parseLossless } from '../../events/lossless-json.js';
import { isObject } from '../../events/own-member.js';
import { kindOf } from '../check/file-kind.js';
import { FileReport } from '../check/file-report.js';
import { JsonText } from '../check/json-text.js';
import { byPlace, type Finding } from '../finding.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { CaseDocument, CaseFileDocument, ExpectedVerdict } from './case-document.js';
import { checkCases } from './case-form.js';
import type { FoundCase } from './case-result.js';

/** The rule tests of a folder, and what is wrong with their form. */
export interface FoundCases {
  /** By file, in the order in which they stand there; of a file with an error none. */
  readonly cases: readonly FoundCase[];
  readonly findings: readonly Finding[];
}

/** Finds the rule tests of a folder. Whether the rules that they name are there, is not looked at. Never throws. */
export function readCases(files: RuleFiles): FoundCases {
  const cases: FoundCase[] = [];
  const findings: Finding[] = [];
  for (const file of [...files.keys()].filter((name) => kindOf(name) === 'cases').sort()) {
    const text = files.get(file) ?? '';
    const report = openCases(file, text);
    const { root } = report.json;
    const nodes = root ? checkCases(root, report) : [];
    findings.push(...report.findings);
    if (!root || report.errorCount > 0) continue;
    // Read as events are: the digits of long ids stay.
    const document = parseLossless(text.replace(/^\ufeff/, '')) as CaseFileDocument;
    const beside = rulesBeside(file, files);
    document.cases.forEach((one, at) => {
      const { line } = report.json.positionOf(nodes[at]?.offset ?? 0);
      cases.push(foundCase(one, document, { file, line, beside }));
    });
  }
  return { cases, findings: findings.sort(byPlace) };
}

/** A file of rule tests with the mistakes of its JSON. They hold events as their senders write them, long ids too. */
export function openCases(file: string, text: string): FileReport {
  const report = new FileReport(file, JsonText.parse(text));
  for (const { code, message, mend, ...place } of report.json.mistakes)
    if (code !== 'JSON_NUMBER_UNSAFE') report.error(place, code, message, mend);
  return report;
}

/** A case of a file with what the file says for all of them. `beside`: the rules of the rule file of the same name. */
export function foundCase(
  one: CaseDocument,
  { rules, now, timezone, calendar }: Omit<CaseFileDocument, 'cases'>,
  { file, line, beside }: Pick<FoundCase, 'file' | 'line'> & { readonly beside: readonly string[] },
): FoundCase {
  const given = one.rules ?? rules ?? null;
  const start = one.now ?? now;
  return {
    file,
    line,
    case: { ...one, ...(given ? { rules: given } : {}), ...(start === undefined ? {} : { now: start }) },
    watched: given ?? (beside.length === 0 ? null : [...new Set([...beside, ...rulesNamed(one)])]),
    timezone: timezone ?? null,
    calendar: calendar ?? null,
  };
}

/** The rules that a case expects something of. */
export function rulesNamed({ steps, expect = [], verdicts = {} }: CaseDocument): readonly string[] {
  const told: readonly Readonly<Record<string, ExpectedVerdict>>[] = [
    verdicts,
    ...steps.map((step) => ('event' in step ? (step.verdicts ?? {}) : {})),
  ];
  return [...new Set([...expect.map(({ rule }) => rule), ...told.flatMap(Object.keys)])];
}

/** The names of the rules in `a/x.rule.json` beside `a/x.cases.json`. */
function rulesBeside(file: string, files: RuleFiles): readonly string[] {
  const text = files.get(file.replace(/\.cases\.json$/, '.rule.json'));
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    const rules: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    return rules.flatMap((rule) => (isObject(rule) && typeof rule['name'] === 'string' ? rule['name'] : []));
  } catch {
    // The check says what is wrong with it.
    return [];
  }
}
