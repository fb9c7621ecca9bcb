import type { Finding } from '../finding.js';
import { byPlace } from '../finding.js';
import type { RuleFiles } from '../rule-compiler.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { FindingPlaces } from './finding-place.js';
import { askOfGaps } from './gap-question.js';
import { type AnalysisCounts, Inquiry } from './inquiry.js';
import { askOfLadder } from './ladder-question.js';
import { askOfPairs } from './pair-questions.js';
import { askOfRule, type KnownRule } from './rule-questions.js';
import { rulePhrases } from './rule-phrases.js';
import { reportShadowLookups } from './shadow-lookups.js';
import { askOfTemplates } from './template-question.js';
import { askOfTransitions } from './transition-question.js';

export type { AnalysisCounts };

/** What the questions about a rule set have brought. Plain JSON. */
export interface Analysis {
  /** By file and place. */
  readonly findings: readonly Finding[];
  /** How often each was answered how, by the code of its finding. */
  readonly questions: Readonly<Record<string, AnalysisCounts>>;
}

export interface AnalysisOptions {
  /** Steps of some microsecond; absent: enough for ten thousand rules within a minute. */
  readonly budget?: number;
  /** Called after each piece of work; `of` is the number of rules that are asked about. */
  readonly progress?: (done: number, of: number) => void;
}

/** As many findings of one kind are listed; behind them stands the same mistake over and over. */
const MOST_OF_A_KIND = 1000;
const BUDGET = 20_000_000;
/** So much of the budget is for what is asked of each rule by itself; then of what is left, for pairs. */
const FOR_RULES = 0.6;
const FOR_PAIRS = 0.85;

/**
 * Asks of the enabled rules what no look at a file alone can tell: whether they can match at all, or do anything else,
 * whether one says what another has said, whether an escalation can end. Pure and synchronous; the same arguments give
 * the same answer. What it finds is shown by an event, which the conditions themselves have confirmed.
 */
export function analyse(
  ruleSet: RuleSet,
  files: RuleFiles,
  { budget = BUDGET, progress }: AnalysisOptions = {},
): Analysis {
  const inquiry = new Inquiry(ruleSet, budget);
  const rules = ruleSet.rules.filter(({ enabled }) => enabled).sort(inPlace);
  // Each rule is asked about twice: by itself, and beside the others.
  const step = (done: number): void => {
    progress?.(Math.floor(done / 2), rules.length);
  };
  inquiry.begin(FOR_RULES);
  const known = rules.map((rule, number): KnownRule => {
    inquiry.expect((rules.length - number) * 8);
    const one = askOfRule(inquiry, rule, number);
    askOfLadder(inquiry, one);
    askOfTemplates(inquiry, one);
    askOfTransitions(inquiry, one);
    step(number + 1);
    return one;
  });
  inquiry.begin(FOR_PAIRS);
  // What is never sent doubles nothing that another sends, and handles nothing.
  const live = known.filter(({ rule }) => rule.mode === 'live');
  askOfPairs(inquiry, live, (done) => {
    step(rules.length + done);
  });
  inquiry.begin(1);
  inquiry.expect(1);
  askOfGaps(inquiry, live);
  reportShadowLookups(inquiry);
  step(2 * rules.length);
  return { findings: placed(inquiry, files, rules), questions: inquiry.questions };
}

function inPlace(a: Rule, b: Rule): number {
  return a.file === b.file ? a.line - b.line || (a.name < b.name ? -1 : 1) : a.file < b.file ? -1 : 1;
}

function placed(inquiry: Inquiry, files: RuleFiles, rules: readonly Rule[]): readonly Finding[] {
  const places = new FindingPlaces(files);
  const phrases = rulePhrases(inquiry.ruleSet);
  const listed = new Map<string, number>();
  const drafts = inquiry.drafts.filter(({ code }) => {
    const count = (listed.get(code) ?? 0) + 1;
    listed.set(code, count);
    return count <= MOST_OF_A_KIND;
  });
  const findings = drafts.map(({ rule, spot, witness, ...said }): Finding => ({
    ...said,
    ...places.of(rule, spot),
    rule: rule.name,
    ...(witness ? { witness } : {}),
    // What no rule handles is not what the rule means.
    ...(said.code === 'ENUM_UNHANDLED' ? {} : { sentence: phrases(rule) }),
  }));
  for (const [code, count] of listed) {
    const one = findings.find((finding) => finding.code === code);
    if (!one || count <= MOST_OF_A_KIND) continue;
    findings.push({
      code: 'FINDINGS_CUT',
      severity: one.severity,
      ...startOf(rules),
      message: `only ${MOST_OF_A_KIND} of ${count} findings ${code} are listed`,
      mend: 'Mend those first.',
    });
  }
  if (inquiry.unasked > 0)
    findings.push({
      code: 'ANALYSIS_CUT',
      severity: 'info',
      ...startOf(rules),
      message: `the analysis has ended before its end: ${inquiry.unasked} questions were not asked`,
      mend: 'Nothing is to be done; fewer rules that send the same, or simpler conditions, leave fewer questions.',
    });
  return findings.sort(byPlace);
}

function startOf([first]: readonly Rule[]): Pick<Finding, 'file' | 'line' | 'column'> {
  return { file: first?.file ?? '.', line: first?.line ?? 1, column: 1 };
}
