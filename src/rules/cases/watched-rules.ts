import type { CompiledConditions } from '../compiled-conditions.js';
import type { DecisionInputs } from '../decide.js';
import type { RuleAction } from '../rule-action.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { AskedPart, CaseObserver } from './case-result.js';

/** The rules that a case is about, as a rule set of their own. */
export interface Watched {
  readonly ruleSet: RuleSet;
  /** The event types that they listen to; of patterns, those of the catalogue. */
  readonly eventTypes: readonly string[];
  /** As the whole rule set has them, by name. */
  readonly rules: ReadonlyMap<string, Rule>;
}

/** Gives cases the rules that they watch; the same names are the same rule set. */
export class WatchedRules {
  private readonly known = new Map<string, Watched>();
  private readonly observed = new Map<string, Rule>();

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly observer: CaseObserver | undefined,
  ) {}

  /** Null: all rules. Names of no rule are passed over. */
  of(names: readonly string[] | null): Watched {
    const key = names === null ? '' : JSON.stringify([...names].sort());
    const known = this.known.get(key);
    if (known) return known;
    const made = this.make(names === null ? null : new Set(names));
    this.known.set(key, made);
    return made;
  }

  private make(names: ReadonlySet<string> | null): Watched {
    const { ruleSet, observer } = this;
    const rules = ruleSet.rules.filter(({ name }) => names === null || names.has(name));
    const eventTypes = new Set(
      rules
        .filter(({ schedule }) => schedule === null)
        .flatMap(({ trigger }) =>
          trigger.flatMap((one) =>
            one.includes('*') ? ruleSet.catalogue.matching(one).map(({ eventType }) => eventType) : one,
          ),
        ),
    );
    return {
      ruleSet:
        observer || names !== null
          ? ruleSet.withRules(observer ? rules.map((rule) => this.observedRule(rule, observer)) : rules)
          : ruleSet,
      eventTypes: [...eventTypes],
      rules: new Map(rules.map((rule) => [rule.name, rule])),
    };
  }

  private observedRule(rule: Rule, observer: CaseObserver): Rule {
    const known = this.observed.get(rule.name);
    if (known) return known;
    const made = observedRule(rule, observer);
    this.observed.set(rule.name, made);
    return made;
  }
}

/** The same rule; the observer is told whenever its conditions are asked. */
function observedRule(rule: Rule, observer: CaseObserver): Rule {
  const conditions = (own: CompiledConditions, part: AskedPart): CompiledConditions =>
    Object.assign(Object.create(own) as CompiledConditions, {
      evaluateView: (...[view, moment]: Parameters<CompiledConditions['evaluateView']>) => {
        // Whoever asks conditions of a rule, gives all that the decision reads.
        observer.asked(rule, part, view.facts, moment as DecisionInputs);
        return own.evaluateView(view, moment);
      },
    });
  const actions = (own: readonly RuleAction[], step: string | null): readonly RuleAction[] =>
    own.map((action) => {
      const { name, when } = action;
      if (!when) return action;
      const part = { part: 'when', action: name, step } as const;
      return { ...action, when: { ...when, conditions: conditions(when.conditions, part) } };
    });
  const { escalation } = rule;
  return {
    ...rule,
    conditions: conditions(rule.conditions, { part: 'conditions' }),
    actions: actions(rule.actions, null),
    escalation: escalation && {
      ...escalation,
      cancelOn: escalation.cancelOn && conditions(escalation.cancelOn, { part: 'cancelOn' }),
      steps: escalation.steps.map((step) => ({ ...step, actions: actions(step.actions, step.name) })),
    },
  };
}
