import { type Log, messageOf } from '../../config/log.js';
import type { Catalogue } from '../../events/catalogue.js';
import { type Finding, listed } from '../finding.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { Analysis } from './analyse.js';
import { analyseRuleFiles } from './analyse-rule-files.js';

/** What analyses, until the signal ends it. */
export type Analyses = (files: RuleFiles, signal: AbortSignal) => Promise<Analysis>;

/**
 * Has the rule files analysed beside everything else that the service does. One analysis at a time: a newer order ends
 * the older one. Whatever becomes of it, nothing else depends on it.
 */
export class RuleAnalyst {
  private current: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;
  private stopped = false;

  constructor(
    private readonly log: Log,
    private readonly analyses: Analyses,
  ) {}

  static over(catalogue: Catalogue, log: Log): RuleAnalyst {
    return new RuleAnalyst(log, (files, signal) =>
      analyseRuleFiles(files, catalogue, undefined, undefined, signal),
    );
  }

  /** Begins with these files, and tells what was found unless a newer order or the end came before. */
  start(files: RuleFiles, found: (findings: readonly Finding[]) => void): void {
    this.cancel();
    if (this.stopped) return;
    const abort = new AbortController();
    const before = this.current?.ended;
    const ended = Promise.all([before, this.run(files, abort.signal, found)]).then(() => undefined);
    this.current = { abort, ended };
  }

  /** Ends the analysis that is under way; what it would have found is never told. */
  cancel(): void {
    this.current?.abort.abort(new Error('a newer rule set is analysed instead'));
  }

  /** Resolves when the analysis under way has ended. */
  async settled(): Promise<void> {
    await this.current?.ended;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.settled();
  }

  private async run(
    files: RuleFiles,
    signal: AbortSignal,
    found: (findings: readonly Finding[]) => void,
  ): Promise<void> {
    try {
      const began = performance.now();
      const { findings } = await this.analyses(files, signal);
      if (signal.aborted) return;
      found(findings);
      const warnings = findings.filter(({ severity }) => severity === 'warning');
      const fields = {
        event: 'rules.analysed',
        findings: findings.length,
        warnings: warnings.length,
        ms: Math.round(performance.now() - began),
      };
      if (warnings.length === 0) this.log.info(fields, 'the rules are analysed');
      else this.log.warn(fields, `what the rules come to has warnings\n${listed(warnings, files)}`);
    } catch (error) {
      if (signal.aborted) return;
      this.log.warn(
        { event: 'rules.analysis-failed', error: messageOf(error) },
        'the rules could not be analysed; they are live all the same',
      );
    }
  }
}
