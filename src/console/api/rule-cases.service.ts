import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Catalogue } from '../../events/catalogue.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { LoadedFiles } from '../../rules/rule-loader.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { CasesAnswer } from '../../rules/trial/rule-cases.js';
import { runOrder } from '../../rules/trial/run-order.js';
import { liveRule } from './live-rule.js';
import type { RuleCases } from './rule-pages.schema.js';
import { refusalOf } from './rule-set-refusal.js';
import { SharedAnswers } from './shared-answers.js';
import { filesByRule, storedRuleFiles } from '../../rules/trial/read-rule-files.js';
import type { TrialTurns } from './trial-turns.js';

/** The same files give the same answer, but for the time that it takes. */
const KEPT_MS = 600_000;

/** Runs the rule tests of live rules. */
export class RuleCasesService {
  private readonly recent = new SharedAnswers<CasesAnswer>(KEPT_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly turns: TrialTurns,
    private readonly stores: { readonly ruleSets: RuleSetStore; readonly builtIn: Catalogue },
    private readonly options: {
      /** The files of the rules folder as this process has read them; null: it does not. */
      readonly loaded: () => LoadedFiles | null;
      /** IANA name, and name of the work calendar, of cases and rules that name none. */
      readonly timezone: string;
      readonly calendar: string | null;
    },
  ) {}

  /** @throws Refusal 404 RULE_SET_UNKNOWN, RULE_UNKNOWN; 429 BUSY; 409 TRIAL_TOO_LONG, TRIAL_TOO_LARGE */
  async tell(name: string): Promise<RuleCases> {
    const { live } = liveRule(await this.live(), name);
    const { loaded, timezone, calendar } = this.options;
    // Rule tests decide nothing, so that those of the stored set may be older than those on disk.
    const files = loaded();
    const caseFiles = files?.hash === live.hash ? casesIn(files) : null;
    const key = JSON.stringify([live.hash, name, caseFiles && digestOf(caseFiles)]);
    const answer = await this.recent.of(key, () =>
      this.turns.run(async () => {
        const stored = await storedRuleFiles(this.dataSource, live.hash, this.stores.builtIn);
        const order = {
          kind: 'cases',
          stored,
          rule: name,
          files: filesByRule(live),
          caseFiles,
          timezone,
          calendar,
        } as const;
        return await runOrder(order, null);
      }),
    );
    const { file, cases, coverage } = answer;
    return {
      rule: name,
      ruleSet: live.hash,
      file,
      cases: cases.map((one) => ({ ...one, failures: [...one.failures] })),
      coverage: coverage && { ...coverage, unseen: [...coverage.unseen] },
    };
  }

  private async live(): Promise<RuleSet | null> {
    try {
      return await this.stores.ruleSets.current();
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

function casesIn({ files }: LoadedFiles): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].filter(([file]) => file.endsWith('.cases.json')));
}

function digestOf(files: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const entry of Object.entries(files)) hash.update(JSON.stringify(entry));
  return hash.digest('hex');
}
