import type { Catalogue } from '../events/catalogue.js';
import type { CheckedFiles, CheckedRule } from './check/check-files.js';
import { kindOf } from './check/file-kind.js';
import { ruleSetHashInSlices } from './check/rule-set-hash.js';
import type { ConditionDocument } from './condition-document.js';
import { byPlace } from './finding.js';
import { type CheckedFolder, checkRuleFiles, type RuleFiles } from './rule-compiler.js';
import { whenOf } from './rule-action.js';
import { lanesOfRules } from './target-limit-use.js';

/** Of fewer files all are checked anew: that takes less than a second. */
const WORTH_IT = 500;
/** With more changes than this, too. */
const MOST_CHANGES = 200;

/**
 * Checks the files of a folder that is checked again and again. Of a great sound folder with few changes only what
 * changed is looked at, as long as that cannot matter to the other files; the result is that of checking everything.
 */
export class RuleChecker {
  private known: { readonly files: RuleFiles; readonly checked: CheckedFiles } | null = null;

  constructor(
    private readonly builtIn: Catalogue,
    private readonly worthIt = WORTH_IT,
  ) {}

  async check(files: RuleFiles): Promise<CheckedFolder> {
    const checked = await this.checkChanges(files);
    const folder = checked
      ? { hash: await ruleSetHashInSlices(files, this.builtIn), checked }
      : await checkRuleFiles(files, this.builtIn);
    const sound = !folder.checked.findings.some(({ severity }) => severity === 'error');
    this.known = sound ? { files, checked: folder.checked } : null;
    return folder;
  }

  /** Null: everything has to be checked. */
  private async checkChanges(files: RuleFiles): Promise<CheckedFiles | null> {
    const { known } = this;
    if (!known || files.size < this.worthIt) return null;
    const changed = new Map([...files].filter(([file, text]) => known.files.get(file) !== text));
    const touched = new Set<string>([
      ...changed.keys(),
      ...[...known.files.keys()].filter((file) => !files.has(file)),
    ]);
    // What other files depend on has changed, or so much that nothing is saved.
    if (touched.size > MOST_CHANGES || [...touched].some((file) => kindOf(file) !== 'rule')) return null;
    const before = known.checked.rules.filter(({ file }) => touched.has(file));
    const rest = known.checked.rules.filter(({ file }) => !touched.has(file));
    // What is in the files of look-ups, owners and calendars does not matter here, but for what rules may read or name of it.
    const named = [...files].filter(([file]) => ['lookups', 'owners', 'calendar'].includes(kindOf(file)));
    const { checked } = await checkRuleFiles(
      new Map([...changed, ...named]),
      this.builtIn.with(known.checked.catalogue),
    );
    const names = new Set(rest.map(({ name }) => name));
    const apart =
      !checked.findings.some(({ severity }) => severity === 'error') &&
      ![...before, ...checked.rules].some(usesNamedCondition) &&
      !checked.rules.some(({ name }) => names.has(name)) &&
      // Of a target it is told when no rule leads to it.
      (!files.has('targets.json') || sameLanes(before, checked.rules));
    if (!apart) return null;
    const rules = [...rest, ...checked.rules];
    return {
      ...known.checked,
      findings: [
        ...known.checked.findings.filter(({ file }) => !touched.has(file)),
        ...checked.findings.filter(({ file }) => touched.has(file)),
      ].sort(byPlace),
      rules,
      ruleCount: rules.length,
    };
  }
}

function sameLanes(before: readonly CheckedRule[], after: readonly CheckedRule[]): boolean {
  const [one, other] = [lanesOfRules(before), lanesOfRules(after)];
  return one.size === other.size && [...one].every((lane) => other.has(lane));
}

function usesNamedCondition({ conditions, actions, escalate }: CheckedRule): boolean {
  const uses = (one: ConditionDocument): boolean => {
    if ('condition' in one) return true;
    if ('not' in one) return uses(one.not);
    if ('all' in one) return one.all.some(uses);
    return 'any' in one && one.any.some(uses);
  };
  const whens = [...actions, ...(escalate?.steps ?? []).flatMap((step) => step.actions)].flatMap(
    (action) => whenOf(action) ?? [],
  );
  return [conditions, ...(escalate?.cancelOn ? [escalate.cancelOn] : []), ...whens].some(uses);
}
