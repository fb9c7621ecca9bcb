// Rule sets over a domain so small that every event is tried: what the analysis says of them is compared with that.
// Nothing is faked; the events are tried with the compiled conditions, and each witness with `judge`.
import { describe, expect, it } from '@jest/globals';
import { printOf, sendsWithin } from '../../../src/rules/analysis/action-fingerprint.js';
import { analyse } from '../../../src/rules/analysis/analyse.js';
import { factsOfWitness, nowOfWitness } from '../../../src/rules/analysis/witness-event.js';
import { judge } from '../../../src/rules/decide.js';
import type { Finding } from '../../../src/rules/finding.js';
import type { Rule, RuleSet } from '../../../src/rules/rule-set.js';
import { builtWithoutFindings } from '../../support/analysed.js';
import { deskCatalogue } from '../../support/desk-domain.js';
import { type DeskSet, deskSet, DeskTruth } from '../../support/desk-rules.js';
import { shareOf } from '../../support/proof-share.js';
import { SeededRandom } from '../../support/seeded-random.js';

const SETS = 2000;
/** Of those whose every event is compared. */
const TOLD = shareOf(2000);
const catalogue = deskCatalogue();
const seed = Number(process.env['FC_SEED'] ?? Date.now());

/** The set, and what is true of its rules; null: the check has something against the files. */
async function soundSet(random: SeededRandom) {
  const set = deskSet(random);
  const ruleSet = await builtWithoutFindings(set.files, catalogue);
  return ruleSet && { set, ruleSet, truth: new DeskTruth(ruleSet, set.events) };
}

/** Whether nothing above info can be said of it, by trying every event. */
function isHealthy({ rules }: RuleSet, truth: DeskTruth): boolean {
  return rules.every((rule) => {
    const whens = rule.actions.flatMap(({ when }) =>
      when ? [truth.whenMatched(rule, when.conditions.tree)] : [],
    );
    return (
      truth.matchesSome(rule) &&
      !truth.matchesAll(rule) &&
      truth.matchesInOrder(rule) &&
      whens.every(({ some, every }) => some && !every) &&
      (!rule.escalation || rule.escalation.cancelOn !== null || truth.canChange(rule)) &&
      !rules.some((other) => other !== rule && isRedundant(rule, other, truth))
    );
  });
}

/** Whether the other rule sends all that this one does, as often, with every event that this one matches. */
function isRedundant(rule: Rule, other: Rule, truth: DeskTruth): boolean {
  const [one, two] = [printOf(rule), printOf(other)];
  if (one.gates !== two.gates || !sendsWithin(one, two) || !truth.within(rule, other)) return false;
  return !one.counts || (one.sends === two.sends && truth.within(other, rule));
}

describe(`rule sets of which every event can be tried (seed ${seed})`, () => {
  it(`say nothing above info when they are healthy: ${SETS} sets`, async () => {
    let healthy = 0;
    let tried = 0;
    while (healthy < SETS) {
      const random = new SeededRandom(seed, tried);
      tried += 1;
      const found = await soundSet(random);
      if (!found || !isHealthy(found.ruleSet, found.truth)) continue;
      healthy += 1;
      const { findings } = analyse(found.ruleSet, found.set.files);
      const worse = findings.filter(({ severity }) => severity !== 'info');
      expect({ set: worse.length > 0 ? shown(found.set) : '', worse }).toEqual({ set: '', worse: [] });
    }
    process.stdout.write(`healthy-sets: ${healthy} healthy of ${tried} made\n`);
    expect(tried).toBeLessThan(SETS * 20);
  }, 300_000);

  it(`are told the truth of: ${TOLD} sets`, async () => {
    const counts: Record<string, number> = {};
    for (let sets = 0, tried = 0; sets < TOLD; tried += 1) {
      const found = await soundSet(new SeededRandom(seed, 1_000_003 + tried));
      if (!found) continue;
      sets += 1;
      const { ruleSet, truth, set } = found;
      const { findings } = analyse(ruleSet, set.files);
      const wrong = [...(await wrongIn(ruleSet, findings, truth)), ...missedIn(ruleSet, findings, truth)];
      expect({ set: wrong.length > 0 ? shown(set) : '', wrong }).toEqual({ set: '', wrong: [] });
      for (const { code } of findings) counts[code] = (counts[code] ?? 0) + 1;
    }
    process.stdout.write(`healthy-sets, truth: ${JSON.stringify(counts)}\n`);
    for (const code of [
      'CONDITIONS_NEVER',
      'CONDITIONS_ALWAYS',
      'RULE_SAME',
      'RULE_SUBSUMED',
      'ACTION_TWICE',
      'CONDITIONS_SAME',
    ])
      expect(counts[code] ?? 0).toBeGreaterThan(TOLD / 500);
    expect(counts['ANALYSIS_UNDECIDED'] ?? 0).toBe(0);
  }, 300_000);
});

/** Findings that trying every event, or the witness, does not bear out. */
async function wrongIn(
  ruleSet: RuleSet,
  findings: readonly Finding[],
  truth: DeskTruth,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const finding of findings) {
    const [first, second] = [...finding.message.matchAll(/"(rule-\d+)"/g)].map(([, name = '']) =>
      ruleSet.ruleOf(name),
    );
    const { code, message, witness } = finding;
    if (code === 'ENUM_UNHANDLED') {
      // The event that shows it is one that no rule matches.
      const type = witness && factsOfWitness(witness).get('event_type');
      const listening = ruleSet.rules.filter((rule) => typeof type === 'string' && rule.listensTo(type));
      const verdicts: string[] = [];
      for (const rule of listening) if (witness) verdicts.push(await verdictOf(ruleSet, rule, witness));
      expect(verdicts.length).toBeGreaterThan(0);
      if (verdicts.includes('matched')) wrong.push(`${code}: ${message}`);
      continue;
    }
    const holds = await isTrue(
      finding,
      { first, second },
      truth,
      async (rule) =>
        witness !== undefined &&
        rule !== undefined &&
        (await verdictOf(ruleSet, rule, witness)) === 'matched',
    );
    if (!holds) wrong.push(`${code}: ${message}`);
  }
  return wrong;
}

type Matches = (rule: Rule | undefined) => Promise<boolean>;

async function isTrue(
  { code, message }: Finding,
  { first, second }: { readonly first: Rule | undefined; readonly second: Rule | undefined },
  truth: DeskTruth,
  matches: Matches,
): Promise<boolean> {
  switch (code) {
    case 'CONDITIONS_NEVER':
      if (!first) return false;
      if (message.includes('cancelOn')) return true;
      if (!message.startsWith('the action')) return !truth.matchesSome(first) && !(await matches(first));
      return whensOf(first).some((tree) => !truth.whenMatched(first, tree).some) && (await matches(first));
    case 'CONDITIONS_ALWAYS':
      if (!first) return false;
      if (!message.startsWith('"when"')) return truth.matchesAll(first) && (await matches(first));
      return whensOf(first).some((tree) => truth.whenMatched(first, tree).every) && (await matches(first));
    case 'RULE_SAME':
    case 'CONDITIONS_SAME':
      if (!first || !second) return false;
      return (
        truth.within(first, second) &&
        truth.within(second, first) &&
        (await matches(first)) &&
        (await matches(second))
      );
    case 'RULE_SUBSUMED':
      if (!first || !second) return false;
      return truth.within(first, second) && (await matches(first)) && (await matches(second));
    case 'ACTION_TWICE':
      if (!first || !second) return false;
      return truth.overlap(first, second) && (await matches(first)) && (await matches(second));
    case 'LADDER_ENDLESS':
      return first !== undefined && !truth.canChange(first) && (await matches(first));
    case 'TRANSITION_FORBIDDEN':
    case 'TRANSITION_REOPENS':
      return first !== undefined && !truth.matchesInOrder(first);
    default:
      return true;
  }
}

function whensOf({ actions }: Rule) {
  return actions.flatMap(({ when }) => (when ? [when.conditions.tree] : []));
}

async function verdictOf(
  ruleSet: RuleSet,
  rule: Rule,
  witness: NonNullable<Finding['witness']>,
): Promise<string> {
  const inputs = { now: nowOfWitness(witness), timezone: 'Asia/Shanghai' };
  return (
    await judge(ruleSet, rule, factsOfWitness(JSON.parse(JSON.stringify(witness)) as typeof witness), inputs)
  ).verdict;
}

/** What trying every event shows and the analysis has not said. */
function missedIn({ rules }: RuleSet, findings: readonly Finding[], truth: DeskTruth): readonly string[] {
  const said = (code: string, rule: Rule): boolean =>
    findings.some((one) => one.code === code && one.message.includes(`"${rule.name}"`));
  return rules.flatMap((rule) => {
    if (!truth.matchesSome(rule)) return said('CONDITIONS_NEVER', rule) ? [] : [`${rule.name} never matches`];
    if (truth.matchesAll(rule) && !said('CONDITIONS_ALWAYS', rule)) return [`${rule.name} always matches`];
    const redundant =
      !rule.escalation &&
      rules.some((other) => other !== rule && truth.matchesSome(other) && isRedundant(rule, other, truth));
    return redundant && !said('RULE_SAME', rule) && !said('RULE_SUBSUMED', rule)
      ? [`${rule.name} is redundant`]
      : [];
  });
}

function shown({ files }: DeskSet): string {
  return [...files].map(([file, text]) => `${file}: ${JSON.stringify(JSON.parse(text))}`).join('\n');
}
