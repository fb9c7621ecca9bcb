import type { CheckedFiles } from '../check/check-files.js';
import { kindOf } from '../check/file-kind.js';
import type { Verdict } from '../decide.js';
import type { ExplainedLeaf } from '../explained-tree.js';
import type { Finding } from '../finding.js';
import { ruleChange } from '../rule-change.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { RuleSet } from '../rule-set.js';
import type { Change, ComparedDelivery } from './compared-deliveries.js';
import { judgeEvent } from './judged-event.js';
import type { Run } from './run.js';
import type { Standings } from './standings.js';
import { mayHoldRules, RuleFolderParts, type StoredRuleFiles } from './stored-rule-files.js';
import { TrialTally } from './trial-tally.js';
import { readTried, type TriedEvent } from './tried-event.js';

/** A rule file, edited, and the live rule set that it would change. Plain JSON. */
export interface TrialOrder {
  readonly kind: 'trial';
  readonly stored: StoredRuleFiles;
  /** Relative to the rules folder; of a file that is not there it is added. */
  readonly path: string;
  readonly text: string;
  /** Where the rules of the live set stand, by their names. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a rule file would do with stored events. Plain JSON; times as ISO 8601. */
export interface TrialAnswer {
  /** Hash that the set would have; empty: it has errors. */
  readonly ruleSet: string;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly rules: readonly TriedRule[];
  readonly deliveries: Readonly<Record<Change, number>>;
  readonly looked: number;
  readonly left: number;
  /** Events that are counted and not told, for want of room. */
  readonly untold: number;
  readonly from: string | null;
  readonly until: string | null;
  readonly events: readonly ToldEvent[];
}

export interface TriedRule {
  readonly name: string;
  readonly change: Change;
  readonly now: Standings;
  readonly before: Standings;
}

export type TriedVerdict = Verdict['verdict'] | 'not listening';

export interface ToldEvent {
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly receivedAt: string;
  readonly rootEntity: string | null;
  /** The most telling first. */
  readonly rules: readonly ToldRule[];
  /** So many rules more. */
  readonly moreRules: number;
  readonly deliveries: readonly ComparedDelivery[];
  /** As if no ladder stood. */
  readonly timers: readonly {
    readonly rule: string;
    readonly subject: string;
    readonly step: string;
    readonly dueAt: string;
  }[];
}

export interface ToldRule {
  readonly rule: string;
  readonly now: TriedVerdict;
  readonly before: TriedVerdict;
  readonly nearMiss: boolean;
  readonly failing: readonly ExplainedLeaf[];
  readonly missing: readonly string[];
  /** Of an error; null: it is none. */
  readonly error: string | null;
}

const MOST_FINDINGS = 200;

/**
 * Checks an edited file as a part of its rule set, and opens a trial of its rules. Of a file of another kind than rules all
 * rules are tried, for it may matter to each; of rule tests none.
 */
export async function openTrial(order: TrialOrder): Promise<Run<TrialAnswer>> {
  const { path, text, stored } = order;
  const folder = new RuleFolderParts(stored);
  const edited = new Map(folder.files).set(path, text);
  const checked = checkEdited(folder, edited, order);
  const findings = checked.findings
    .filter(({ file, severity }) => file === path || severity === 'error')
    .slice(0, MOST_FINDINGS);
  if (findings.some(({ severity }) => severity === 'error'))
    return new NothingTried({ ruleSet: '', ok: false, findings });
  const ruleSet = folder.hashOf(edited);
  const kind = kindOf(path);
  if (kind === 'cases' || kind === 'schema') return new NothingTried({ ruleSet, ok: true, findings });
  const meant = mayHoldRules(kind) ? new Set([path]) : null;
  const before = await folder.build(stored.hash, folder.check(folder.files, meant));
  const now = onlyOf(await folder.build(ruleSet, checked), meant);
  return new Trial({ ruleSet, ok: true, findings }, now, before);
}

/** The findings of rule tests are those of their file alone. */
function checkEdited(folder: RuleFolderParts, edited: RuleFiles, { path, files }: TrialOrder): CheckedFiles {
  const kind = kindOf(path);
  if (kind === 'cases') return folder.checkCases(edited, path);
  if (!mayHoldRules(kind)) return folder.check(edited, null);
  const elsewhere = (rule: string): boolean => Object.hasOwn(files, rule) && files[rule] !== path;
  const alone = folder.check(edited, new Set([path]), elsewhere);
  // A name that another file has already: only together can they say so.
  const others = alone.rules.flatMap(({ name }) => {
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    return file === undefined || file === path ? [] : [file];
  });
  return others.length === 0 ? alone : folder.check(edited, new Set([path, ...others]), elsewhere);
}

function onlyOf(ruleSet: RuleSet, files: ReadonlySet<string> | null): RuleSet {
  if (files === null || ruleSet.rules.every(({ file }) => files.has(file))) return ruleSet;
  return ruleSet.withRules(ruleSet.rules.filter(({ file }) => files.has(file)));
}

type Outcome = Pick<TrialAnswer, 'ruleSet' | 'ok' | 'findings'>;

/** The file has errors, or holds nothing that decides. */
class NothingTried implements Run<TrialAnswer> {
  readonly wants = null;

  constructor(private readonly outcome: Outcome) {}

  take(): Promise<void> {
    return Promise.resolve();
  }

  answer(): TrialAnswer {
    return new TrialTally([]).answer(this.outcome);
  }
}

class Trial implements Run<TrialAnswer> {
  private readonly tally: TrialTally;

  constructor(
    private readonly outcome: Outcome,
    private readonly now: RuleSet,
    private readonly before: RuleSet,
  ) {
    const names = new Set([...now.rules, ...before.rules].map(({ name }) => name));
    this.tally = new TrialTally(
      [...names].map((name) => ({ name, change: ruleChange(now.ruleOf(name), before.ruleOf(name)) })),
    );
  }

  get wants(): Run<TrialAnswer>['wants'] {
    const rules = [...this.now.rules, ...this.before.rules].filter(({ schedule }) => schedule === null);
    return {
      trigger: [...new Set(rules.flatMap(({ trigger }) => trigger))],
      stateReads: [...new Set(rules.flatMap(({ stateReads }) => [...stateReads]))],
    };
  }

  async take(events: readonly TriedEvent[], left: number): Promise<void> {
    this.tally.leave(left);
    for (const tried of events) {
      try {
        const now = await judgeEvent(this.now, readTried(tried, this.now.catalogue));
        const before = await judgeEvent(this.before, readTried(tried, this.before.catalogue));
        if (now && before) this.tally.add(tried.event, now, before);
        else this.tally.leave(1);
      } catch {
        // Whatever one event holds, the others are tried.
        this.tally.leave(1);
      }
    }
  }

  answer(): TrialAnswer {
    return this.tally.answer(this.outcome);
  }
}
