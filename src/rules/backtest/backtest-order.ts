import type { Finding } from '../finding.js';
import type { RuleSet } from '../rule-set.js';
import { RuleFolderParts, type StoredRuleFiles } from '../trial/stored-rule-files.js';

/** Two rule sets, to be read where nobody waits. Plain JSON. */
export interface BacktestOrder {
  readonly before: StoredRuleFiles;
  readonly after: StoredRuleFiles;
  /** A file of the later set that is another there; its text null: it is gone. Null: the set is as it is stored. */
  readonly edit: { readonly path: string; readonly text: string | null } | null;
  readonly timezone: string;
  readonly calendar: string | null;
  readonly examples: number;
}

/** The later rule set has errors. */
export class RulesRefusedError extends Error {
  constructor(readonly findings: readonly Finding[]) {
    const [first] = findings;
    super(first ? `${first.file}:${first.line}: ${first.message}` : 'the rule files have errors');
  }
}

/** @throws RulesRefusedError */
export async function ruleSetsOf({ before, after, edit }: BacktestOrder): Promise<{
  readonly before: RuleSet;
  readonly after: RuleSet;
}> {
  const earlier = new RuleFolderParts(before);
  const later = new RuleFolderParts(after);
  const files = new Map(later.files);
  if (edit?.text === null) files.delete(edit.path);
  else if (edit) files.set(edit.path, edit.text);
  const checked = later.check(files, null);
  const errors = checked.findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new RulesRefusedError(errors);
  return {
    before: await earlier.build(before.hash, earlier.check(earlier.files, null)),
    after: await later.build(edit ? later.hashOf(files) : after.hash, checked),
  };
}
