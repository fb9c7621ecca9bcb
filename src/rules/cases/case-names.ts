import { didYouMean } from '../check/nearest-name.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { CONFIRM } from './case-answers.js';
import type { ExpectedDelivery, ExpectedVerdict } from './case-document.js';
import type { CaseFailure, FoundCase } from './case-result.js';

type Broken = Extract<CaseFailure, { kind: 'broken' }>;
type Verdicts = Readonly<Record<string, ExpectedVerdict>>;

/** The first thing that a case names and that is not there: a rule, an action, a step, a look-up, a calendar. Null: none. */
export function mistakeIn(one: FoundCase, ruleSet: RuleSet): Broken | null {
  return new CaseNames(one, ruleSet).mistake();
}

class CaseNames {
  private readonly watched: ReadonlySet<string> | null;

  constructor(
    private readonly one: FoundCase,
    private readonly ruleSet: RuleSet,
  ) {
    this.watched = one.watched && new Set(one.watched);
  }

  mistake(): Broken | null {
    const { steps, expect = [], verdicts = {} } = this.one.case;
    return (
      this.ofFile() ??
      first(expect, (delivery) => this.ofDelivery(delivery)) ??
      this.ofVerdicts(verdicts, null) ??
      first(steps.entries(), ([at, step]) => {
        if ('event' in step) return this.ofVerdicts(step.verdicts ?? {}, at);
        return 'lookup' in step ? this.ofLookups(Object.keys(step.lookup), at) : null;
      })
    );
  }

  private ofFile(): Broken | null {
    const { watched, calendar } = this.one;
    const { calendars } = this.ruleSet;
    if (calendar !== null && !calendars.has(calendar))
      return broken(`there is no work calendar "${calendar}". ${didYouMean(calendar, calendars.keys())}`);
    return first(watched ?? [], (name) => (this.ruleSet.ruleOf(name) ? null : this.noRule(name, null)));
  }

  private ofDelivery({ rule: name, action, step }: ExpectedDelivery): Broken | null {
    const rule = this.ruleOf(name, null);
    if ('kind' in rule) return rule;
    const steps = rule.escalation?.steps ?? [];
    if (step !== undefined && !steps.some((one) => one.name === step))
      return broken(
        steps.length === 0
          ? `the rule "${name}" does not escalate: it has no step "${step}"`
          : `the rule "${name}" has no step "${step}". ${didYouMean(
              step,
              steps.map((one) => one.name),
            )}`,
      );
    const actions = [
      ...(step === undefined ? rule.actions : []),
      ...steps.filter((one) => step === undefined || one.name === step).flatMap((one) => one.actions),
    ].map((one) => one.name);
    if (actions.includes(action)) return null;
    const whose = step === undefined ? `the rule "${name}"` : `the step "${step}" of the rule "${name}"`;
    return broken(`${whose} has no action "${action}". ${didYouMean(action, new Set(actions))}`);
  }

  private ofVerdicts(verdicts: Verdicts, step: number | null): Broken | null {
    return first(Object.entries(verdicts), ([name, expected]) => {
      const rule = this.ruleOf(name, step);
      if ('kind' in rule) return rule;
      const names = rule.actions.map((action) => action.name);
      const suppressed = typeof expected === 'string' ? {} : (expected.suppressed ?? {});
      const action = Object.keys(suppressed).find((one) => !names.includes(one));
      if (action === undefined) return null;
      return broken(`the rule "${name}" has no action "${action}". ${didYouMean(action, names)}`, step);
    });
  }

  private ofLookups(names: readonly string[], step: number): Broken | null {
    const known = [...this.ruleSet.lookups.keys(), CONFIRM];
    const name = names.find((one) => !known.includes(one));
    if (name === undefined) return null;
    return broken(`there is no look-up "${name}". ${didYouMean(name, known)}`, step);
  }

  private ruleOf(name: string, step: number | null): Rule | Broken {
    const rule = this.ruleSet.ruleOf(name);
    if (!rule) return this.noRule(name, step);
    if (this.watched?.has(name) !== false) return rule;
    return broken(`the case expects something of "${name}" and does not watch it: add it to "rules"`, step);
  }

  private noRule(name: string, step: number | null): Broken {
    return broken(
      `there is no rule "${name}". ${didYouMean(
        name,
        this.ruleSet.rules.map((rule) => rule.name),
      )}`,
      step,
    );
  }
}

function broken(message: string, step: number | null = null): Broken {
  return { kind: 'broken', step, message };
}

function first<T>(all: Iterable<T>, mistakeOf: (one: T) => Broken | null): Broken | null {
  for (const one of all) {
    const mistake = mistakeOf(one);
    if (mistake) return mistake;
  }
  return null;
}
