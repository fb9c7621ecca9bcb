import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { readCases } from '../../src/rules/cases/case-files.js';
import type { CaseDocument, CaseFileDocument } from '../../src/rules/cases/case-document.js';
import type { CaseObserver, CaseResult } from '../../src/rules/cases/case-result.js';
import { CaseRunner } from '../../src/rules/cases/case-runner.js';
import { compileRuleSet, type RuleFiles } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';

/** Some rules, and cases that are run over them as if they stood in files. */
export interface CaseRoom {
  readonly ruleSet: RuleSet;
  readonly files: RuleFiles;
  /** One case of a file that says `file` for all its cases. */
  run(
    one: Omit<CaseDocument, 'name'> & { readonly name?: string },
    file?: Omit<CaseFileDocument, 'cases'>,
  ): Promise<CaseResult>;
}

/** Compiles rules and other files of a rules folder; the clock is that of Shanghai. */
export async function caseRoom(
  rules: readonly object[],
  others: Readonly<Record<string, object>> = {},
  options: { readonly observer?: CaseObserver; readonly calendar?: string } = {},
): Promise<CaseRoom> {
  const files = new Map([
    ['all.rule.json', JSON.stringify(rules)],
    ...Object.entries(others).map(([name, content]) => [name, JSON.stringify(content)] as const),
  ]);
  const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  const { observer, calendar = null } = options;
  const runner = new CaseRunner(ruleSet, {
    timezone: 'Asia/Shanghai',
    calendar,
    ...(observer ? { observer } : {}),
  });
  return {
    ruleSet,
    files,
    run: async (one, file = {}) => {
      const text = JSON.stringify({ ...file, cases: [{ name: 'a', ...one }] });
      const { cases, findings: mistakes } = readCases(new Map([...files, ['a.cases.json', text]]));
      const [found] = cases;
      if (!found) throw new Error(JSON.stringify(mistakes));
      return await runner.run(found);
    },
  };
}
