import type { Log } from '../config/log.js';
import type { Catalogue } from '../events/catalogue.js';
import { type Finding, formatFinding } from './finding.js';
import { readRuleFolder } from './rule-files.js';
import { compileRuleSet, type RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';

/** Brings the rule files of this installation into the database. A broken folder never replaces a good rule set. */
export class RuleLoader {
  /** What was wrong with the files at the last look. */
  findings: readonly Finding[] = [];

  constructor(
    private readonly folder: string,
    private readonly secrets: ReadonlyMap<string, string>,
    private readonly store: RuleSetStore,
    private readonly catalogue: Catalogue,
    private readonly log: Log,
  ) {}

  /** Reads and checks the folder, and offers what is sound for activation. */
  async load(): Promise<void> {
    const { files, findings } = await readRuleFolder(this.folder);
    const compiled = compileRuleSet(files, this.catalogue);
    this.findings = [...findings, ...compiled.findings];
    if (findings.length > 0 || !compiled.ruleSet) {
      this.log.error(
        { event: 'rules.refused', folder: this.folder, findings: this.findings.length },
        `the rule files have errors; the rule set that was live stays live\n${this.findings.map(formatFinding).join('\n')}`,
      );
      return;
    }
    this.warnOfSecrets(compiled.ruleSet);
    const activation = await this.store.offer(compiled.ruleSet, files);
    const fields = {
      event: `rules.${activation.outcome}`,
      hash: compiled.ruleSet.hash,
      rules: compiled.ruleSet.rules.length,
      ...activation,
    };
    if (activation.outcome === 'superseded') {
      this.log.warn(
        fields,
        `the rule files are those of an earlier rule set, and ${activation.active.slice(0, 12)} is live: to make them live, run "aftersign rules activate ${compiled.ruleSet.hash.slice(0, 12)}"`,
      );
    } else
      this.log.info(
        fields,
        `${compiled.ruleSet.rules.length} rules are live (activation ${activation.number})`,
      );
  }

  private warnOfSecrets({ rules }: RuleSet): void {
    const missing = new Set(
      rules
        .flatMap((rule) => rule.actions.flatMap((action) => action.secretNames))
        .filter((name) => !this.secrets.has(name)),
    );
    for (const name of missing) {
      this.log.warn(
        { event: 'rules.secret-missing', secret: name },
        `rules use the secret ${name}, and SECRET_${name} is not set`,
      );
    }
  }
}
