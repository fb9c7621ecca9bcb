import type { RuleSet } from '../rule-set.js';
import { dateTimeOf } from './case-moment.js';
import { mistakeIn } from './case-names.js';
import type { CaseResult, FoundCase } from './case-result.js';
import { CaseRun, type CaseRunnerOptions } from './case-run.js';
import { WatchedRules } from './watched-rules.js';

export type { CaseRunnerOptions };

/** Where the virtual clock starts when nobody says so: a Monday morning in Shanghai. */
export const CASE_START = '2026-01-05T09:00:00+08:00';

/**
 * Runs rule tests over one rule set, each on a virtual clock of its own and through the same pure core as what happens
 * in earnest. Nothing is stored, sent or asked.
 */
export class CaseRunner {
  private readonly watched: WatchedRules;

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly options: CaseRunnerOptions,
  ) {
    this.watched = new WatchedRules(ruleSet, options.observer);
  }

  /** Never throws: a case that cannot be run is broken, and says why. */
  async run(one: FoundCase): Promise<CaseResult> {
    const began = performance.now();
    const startedAt = dateTimeOf(one.case.now ?? CASE_START) ?? 0;
    const mistake = mistakeIn(one, this.ruleSet);
    const run = mistake ? null : new CaseRun(one, this.watched.of(one.watched), this.options, startedAt);
    const failures = run ? await run.run() : mistake ? [mistake] : [];
    return {
      file: one.file,
      line: one.line,
      name: one.case.name,
      ok: failures.length === 0,
      failures,
      deliveries: run?.deliveries ?? [],
      judged: run?.judged ?? [],
      startedAt,
      ms: performance.now() - began,
    };
  }
}
