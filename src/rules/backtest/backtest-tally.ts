import { explainRule, type RuleExplanation } from '../explain.js';
import { ruleChange } from '../rule-change.js';
import type { RuleSet } from '../rule-set.js';
import type { VirtualDelivery } from '../cases/virtual-outbox.js';
import {
  BACKTEST_CHANGES,
  type BacktestChange,
  type BacktestCounts,
  type BacktestDelivery,
  type BacktestExample,
  type BacktestRule,
  type BacktestVerdicts,
} from './backtest-report.js';
import type { BacktestSide, RoundInputs } from './backtest-side.js';
import { type Difference, requestOf, type SideName, stateOf } from './delivery-diff.js';
import { eventOf } from './event-ids.js';
import { fieldChanges } from './field-changes.js';

type Counts = { -readonly [change in keyof BacktestCounts]: number };

/** So many examples are told in all: each comes with two trees. */
const MOST_EXAMPLES = 300;
const NO_VERDICTS: BacktestVerdicts = { matched: 0, unknown: 0, error: 0, skipped: 0 };

const noCounts = (): Counts => ({ added: 0, removed: 0, changed: 0, moved: 0, same: 0, undecidable: 0 });

interface RuleTally {
  readonly counts: Counts;
  readonly targets: Map<string, Counts>;
  readonly examples: Difference[];
}

/** Counts what differs, by rule and by target, and keeps the first few of each. */
export class BacktestTally {
  readonly totals = noCounts();
  private readonly rules = new Map<string, RuleTally>();
  private readonly targets = new Map<string, Counts>();

  /** `examples`: so many of each rule and change. */
  constructor(
    private readonly sides: Readonly<Record<SideName, BacktestSide>>,
    private readonly examples: number,
  ) {}

  add(difference: Difference): void {
    const { change, rule, target, before, after } = difference;
    const tally = this.tallyOf(rule);
    for (const counts of [
      this.totals,
      tally.counts,
      countsOf(tally.targets, target),
      countsOf(this.targets, target),
    ])
      counts[change] += 1;
    if (change === 'same' || (before === null && after === null)) return;
    const isPair = change === 'changed' || change === 'moved';
    if (isPair && (before === null || after === null)) return;
    if (tally.examples.filter((one) => one.change === change).length < this.examples)
      tally.examples.push(difference);
  }

  get byTarget(): readonly { readonly target: string; readonly counts: BacktestCounts }[] {
    return sortedTargets(this.targets);
  }

  /** Explains the examples, which takes its time. */
  async byRule(): Promise<readonly BacktestRule[]> {
    const { before, after } = this.sides;
    const names = new Set([...this.rules.keys(), ...before.verdicts.keys(), ...after.verdicts.keys()]);
    const sorted = [...names]
      .filter((name) => this.rules.has(name) || this.verdictsDiffer(name))
      .map((name) => ({ name, differences: differencesIn(this.rules.get(name)?.counts ?? noCounts()) }))
      .sort((a, b) => b.differences - a.differences || (a.name < b.name ? -1 : 1));
    const told: BacktestRule[] = [];
    let left = MOST_EXAMPLES;
    for (const { name } of sorted) {
      const { counts, targets, examples } = this.tallyOf(name);
      const shown = [...examples].sort(byChange).slice(0, left);
      left -= shown.length;
      told.push({
        rule: name,
        change: ruleChange(after.ruleSet.ruleOf(name), before.ruleSet.ruleOf(name)),
        counts,
        verdicts: {
          before: before.verdicts.get(name) ?? NO_VERDICTS,
          after: after.verdicts.get(name) ?? NO_VERDICTS,
        },
        targets: sortedTargets(targets),
        examples: await Promise.all(shown.map((one) => this.example(one))),
      });
    }
    return told;
  }

  private verdictsDiffer(name: string): boolean {
    const { before, after } = this.sides;
    return JSON.stringify(before.verdicts.get(name)) !== JSON.stringify(after.verdicts.get(name));
  }

  private async example({ change, rule, before, after, about }: Difference): Promise<BacktestExample> {
    const one = (after ?? before) as VirtualDelivery;
    const [shownBefore, shownAfter] = [before && shown(before), after && shown(after)];
    return {
      change,
      action: one.delivery.action,
      kind: one.delivery.kind,
      step: one.step,
      entity: one.delivery.entity,
      cause: one.delivery.cause,
      event: about && eventOf(about.eventId, about.after.subject ?? about.before.subject),
      before: shownBefore,
      after: shownAfter,
      fields: shownBefore && shownAfter ? fieldChanges(comparable(shownBefore), comparable(shownAfter)) : [],
      why: {
        before: await explained(this.sides.before.ruleSet, rule, about && either(about.before, about.after)),
        after: await explained(this.sides.after.ruleSet, rule, about && either(about.after, about.before)),
      },
      suppressed: about?.causes ?? { before: null, after: null },
    };
  }

  private tallyOf(rule: string): RuleTally {
    let tally = this.rules.get(rule);
    if (!tally) this.rules.set(rule, (tally = { counts: noCounts(), targets: new Map(), examples: [] }));
    return tally;
  }
}

/** The facts of the state are the same in both; the answers of look-ups may not be. */
function either(own: RoundInputs, other: RoundInputs): RoundInputs {
  return { subject: own.subject ?? other.subject, inputs: own.inputs ?? other.inputs };
}

async function explained(
  ruleSet: RuleSet,
  name: string,
  read: RoundInputs | null,
): Promise<RuleExplanation | null> {
  const rule = ruleSet.ruleOf(name);
  // A rule with a schedule says nothing of one event.
  if (!rule || rule.schedule || !read?.subject || !read.inputs) return null;
  return await explainRule(ruleSet, rule, read.subject, read.inputs);
}

function shown(delivery: VirtualDelivery): BacktestDelivery {
  const { target, code, reason } = delivery.delivery;
  const { at } = delivery;
  return {
    target,
    state: stateOf(delivery),
    at: at === null ? null : new Date(at).toISOString(),
    code,
    reason,
    request: requestOf(delivery),
  };
}

/** What of a delivery is compared. A request stands at its own place, so that paths begin in it. */
function comparable({ target, state, at, code, request }: BacktestDelivery): object {
  return { target, state, at, code, ...(typeof request === 'object' ? request : { request }) };
}

function differencesIn({ added, removed, changed, moved, undecidable }: BacktestCounts): number {
  return added + removed + changed + moved + undecidable;
}

function byChange(a: Difference, b: Difference): number {
  return placeOf(a.change) - placeOf(b.change);
}

const placeOf = (change: BacktestChange): number => BACKTEST_CHANGES.indexOf(change);

function countsOf(all: Map<string, Counts>, target: string): Counts {
  let counts = all.get(target);
  if (!counts) all.set(target, (counts = noCounts()));
  return counts;
}

function sortedTargets(
  targets: ReadonlyMap<string, BacktestCounts>,
): readonly { readonly target: string; readonly counts: BacktestCounts }[] {
  return [...targets]
    .map(([target, counts]) => ({ target, counts }))
    .sort((a, b) => differencesIn(b.counts) - differencesIn(a.counts) || (a.target < b.target ? -1 : 1));
}
