import type { Log } from '../config/log.js';
import type { Catalogue } from '../events/catalogue.js';
import type { RuleAnalyst } from './analysis/rule-analyst.js';
import { byPlace, type Finding, listed } from './finding.js';
import { RuleChecker } from './rule-checker.js';
import type { RuleFiles } from './rule-compiler.js';
import type { RuleFolder, RuleFolderReader } from './rule-files.js';
import { buildRuleSet, type RuleSet } from './rule-set.js';
import { RuleSetError } from './rules.errors.js';
import type { Occasion, RuleSetStore } from './rule-set-store.js';

/** The sound files of a rules folder, and the hash of the rule set that they make. */
export interface LoadedFiles {
  readonly hash: string;
  readonly files: RuleFiles;
}

/** Brings the rule files of this installation into the database. A broken folder never replaces a good rule set. */
export class RuleLoader {
  /** What was wrong with the files at the last look; once they are analysed, with what that has found. */
  findings: readonly Finding[] = [];
  /** What was found sound at the last look, rule tests too; null: nothing was, or it has errors. */
  loaded: LoadedFiles | null = null;
  /** Of the folder as it was read last: what is different now is a change. */
  fingerprint = '';
  private seen: string | null = null;
  private begun = false;
  private readonly checker: RuleChecker;

  constructor(
    private readonly reader: RuleFolderReader,
    private readonly secrets: ReadonlyMap<string, string>,
    private readonly store: RuleSetStore,
    private readonly catalogue: Catalogue,
    private readonly log: Log,
    /** Null: the rules are not analysed. */
    private readonly analyst: RuleAnalyst | null = null,
  ) {
    this.checker = new RuleChecker(catalogue);
  }

  /**
   * Checks the folder as a whole, and offers what is sound for activation. At a change, only what differs from what
   * this instance saw before is offered. Reads the folder unless somebody has just done so.
   *
   * @throws RuleSetError while the files change, and what the database throws: then it is to be called again
   */
  async load(occasion: Occasion, read?: RuleFolder): Promise<void> {
    const { files, findings, fingerprint, stable } = read ?? (await this.reader.read());
    this.fingerprint = fingerprint;
    if (!stable) {
      throw new RuleSetError(
        'RULES_CHANGING',
        `The files in ${this.reader.folder} changed while they were read.`,
      );
    }
    // What could not be read at the start is a start still: an old checkout must not take the place of a later set.
    const how = this.begun ? occasion : 'start';
    this.begun = true;
    const folder = await this.checker.check(files);
    const sound = ![...findings, ...folder.checked.findings].some(({ severity }) => severity === 'error');
    this.loaded = sound ? { hash: folder.hash, files } : null;
    const seen = `${folder.hash} ${JSON.stringify(findings)}`;
    if (how === 'change' && seen === this.seen) return;
    // What is analysed still is the set before.
    this.analyst?.cancel();
    const checked = [...findings, ...folder.checked.findings];
    this.findings = checked;
    const errors = this.findings.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) {
      this.log.error(
        { event: 'rules.refused', folder: this.reader.folder, errors: errors.length },
        `the rule files have errors; the rule set that was live stays live\n${listed(errors, files)}`,
      );
      this.seen = seen;
      return;
    }
    const warnings = this.findings.filter(({ severity }) => severity === 'warning');
    if (warnings.length > 0) {
      this.log.warn(
        { event: 'rules.warnings', warnings: warnings.length },
        `the rule files have warnings\n${listed(warnings, files)}`,
      );
    }
    const ruleSet = await buildRuleSet(folder.hash, folder.checked, this.catalogue);
    this.warnOfSecrets(ruleSet);
    const activation = await this.store.offer(ruleSet, files, how);
    // Not before: what could not be offered is tried again.
    this.seen = seen;
    const cancelled =
      activation.outcome === 'activated' ? activation.cancelledTimers : new Map<string, number>();
    const fields = {
      event: `rules.${activation.outcome}`,
      hash: ruleSet.hash,
      rules: ruleSet.rules.length,
      ...activation,
      ...(activation.outcome === 'activated' ? { cancelledTimers: Object.fromEntries(cancelled) } : {}),
    };
    for (const [rule, count] of cancelled)
      this.log.warn(
        { event: 'timer.rule-gone', rule, timers: count },
        `the rule "${rule}" is gone or off, and its ${count} escalations that stood are cancelled`,
      );
    if (activation.outcome === 'superseded') {
      this.log.warn(
        fields,
        `the rule files are those of an earlier rule set, and ${activation.active.slice(0, 12)} is live: to make them live, run "aftersign rules activate ${ruleSet.hash.slice(0, 12)}"`,
      );
    } else this.log.info(fields, `${ruleSet.rules.length} rules are live (activation ${activation.number})`);
    // Not before: no set ever waits for it.
    this.analyst?.start(files, (found) => {
      this.findings = [...checked, ...found].sort(byPlace);
    });
  }

  /** Resolves when nothing is analysed any more. */
  async stop(): Promise<void> {
    await this.analyst?.stop();
  }

  private warnOfSecrets({ rules, lookups, owners }: RuleSet): void {
    const missing = new Set<string>();
    const actions = rules.flatMap((rule) => [
      ...rule.actions,
      ...(rule.escalation?.steps ?? []).flatMap((step) => step.actions),
    ]);
    const undos = actions.flatMap(({ undo }) => undo ?? []);
    for (const { secretNames } of [
      ...actions,
      ...undos,
      ...lookups.values(),
      ...[...owners.values()].flat(),
    ]) {
      for (const name of secretNames) if (!this.secrets.has(name)) missing.add(name);
    }
    for (const name of missing) {
      this.log.warn(
        { event: 'rules.secret-missing', secret: name },
        `rules use the secret ${name}, and SECRET_${name} is not set`,
      );
    }
  }
}
