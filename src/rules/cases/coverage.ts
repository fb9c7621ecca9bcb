import { ListenedTypes } from '../analysis/listened-types.js';
import type { CompiledConditions, Facts, TracedNode } from '../compiled-conditions.js';
import type { LeafNode } from '../condition-tree.js';
import type { DecisionInputs } from '../decide.js';
import type { RuleAction } from '../rule-action.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { AskedPart, CaseObserver } from './case-result.js';
import { eventTypesOf, fieldFor, leafWords } from './leaf-words.js';
import { canComeOut, typesAsked } from './possible-outcome.js';
import { actionsOf, partOf, RuleSource, type SourcePart } from './rule-source.js';
import type { RuleFiles } from '../rule-compiler.js';

/** How much of what can be seen of rules the cases have seen. */
export interface CoverageReport {
  /** Of all rules together, 0 to 100. */
  readonly percent: number;
  readonly seen: number;
  readonly points: number;
  /** In the order of the rule set. */
  readonly rules: readonly RuleCoverage[];
  /** Enabled rules that no case is about. */
  readonly unwatched: readonly string[];
}

export interface RuleCoverage {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly percent: number;
  /** Each condition counts twice: seen true and seen false. Those that can come out one way only count once. */
  readonly conditions: Count;
  readonly actions: Count;
  /** Actions of the steps of its escalation. */
  readonly steps: Count;
  readonly unseen: readonly UnseenPoint[];
}

export interface Count {
  readonly seen: number;
  readonly of: number;
}

/** What no case has shown. */
export interface UnseenPoint {
  readonly kind: 'true' | 'false' | 'sent';
  readonly part: 'conditions' | 'cancelOn' | 'when' | 'action';
  /** Of an action or of its conditions. */
  readonly action: string | null;
  readonly step: string | null;
  /** The condition with the catalogue's labels, or the action's name. */
  readonly words: string;
  readonly file: string;
  readonly line: number;
}

/** Some conditions of a rule, and what was seen of their leaves, in order. */
interface WatchedPart {
  readonly part: AskedPart;
  readonly leaves: readonly LeafNode[];
  readonly seenTrue: boolean[];
  readonly seenFalse: boolean[];
  left: number;
}

interface WatchedRule {
  readonly parts: ReadonlyMap<string, WatchedPart>;
  readonly sent: Set<string>;
}

/**
 * Counts what the cases see of the conditions and the actions of rules. Given to the runner as its observer; all
 * conditions are looked at without short cuts, so that each has its outcome whatever the others say.
 */
export class Coverage implements CaseObserver {
  private readonly rules = new Map<string, WatchedRule>();
  private readonly types: ListenedTypes;

  constructor(private readonly ruleSet: RuleSet) {
    this.types = new ListenedTypes(ruleSet);
  }

  asked(rule: Rule, part: AskedPart, facts: Facts, inputs: DecisionInputs): void {
    const watched = this.watch(rule).parts.get(keyOf(part));
    const conditions = watched && watched.left > 0 ? conditionsOf(rule, part) : null;
    if (!watched || !conditions) return;
    let at = 0;
    const visit = (node: TracedNode): void => {
      if (node.kind === 'not') visit(node.child);
      else if (node.kind !== 'leaf') node.children.forEach(visit);
      else {
        if (node.outcome === 'yes') mark(watched, watched.seenTrue, at);
        else if (node.outcome === 'no') mark(watched, watched.seenFalse, at);
        at += 1;
      }
    };
    visit(conditions.trace(facts, inputs));
  }

  sent(rule: Rule, action: string, step: string | null): void {
    this.watch(rule).sent.add(JSON.stringify([step, action]));
  }

  /**
   * `watched`: the rules that the cases are about; null: all. `counted`: those whose conditions and actions are to be
   * seen, `watched` or all (null), so that a rule without a case does not pass for tested. `files` tell where things stand.
   */
  report(
    watched: ReadonlySet<string> | null,
    files: RuleFiles,
    counted: ReadonlySet<string> | null = watched,
  ): CoverageReport {
    const source = new RuleSource(files);
    const enabled = this.ruleSet.rules.filter((rule) => rule.enabled);
    const rules = enabled
      .filter(({ name }) => counted === null || counted.has(name))
      .map((rule) => this.ofRule(rule, source));
    const counts = rules.flatMap(({ conditions, actions, steps }) => [conditions, actions, steps]);
    const seen = counts.reduce((sum, one) => sum + one.seen, 0);
    const points = counts.reduce((sum, one) => sum + one.of, 0);
    const unwatched = enabled.filter(({ name }) => watched?.has(name) === false).map(({ name }) => name);
    return { percent: percentOf(seen, points), seen, points, rules, unwatched };
  }

  private ofRule(rule: Rule, source: RuleSource): RuleCoverage {
    const { parts, sent } = this.watch(rule);
    const root = source.rule(rule.name, rule.file);
    const conditions = { seen: 0, of: 0 };
    const unseen: UnseenPoint[] = [];
    for (const one of parts.values()) {
      const missing = this.unseenIn(rule, one, root, source);
      const seen = countTrue(one.seenTrue) + countTrue(one.seenFalse);
      conditions.seen += seen;
      conditions.of += seen + missing.length;
      unseen.push(...missing);
    }
    const places = root ? actionsOf(root) : [];
    const count = (list: readonly RuleAction[], step: string | null): Count => {
      let seen = 0;
      for (const { name } of list) {
        if (sent.has(JSON.stringify([step, name]))) {
          seen += 1;
          continue;
        }
        const place = places.find((one) => one.name === name && one.step === step);
        const line = place ? source.positionOf(place).line : rule.line;
        unseen.push({ kind: 'sent', part: 'action', action: name, step, words: name, file: rule.file, line });
      }
      return { seen, of: list.length };
    };
    const actions = count(rule.actions, null);
    const ofSteps = (rule.escalation?.steps ?? []).map((step) => count(step.actions, step.name));
    const steps = ofSteps.reduce((sum, one) => ({ seen: sum.seen + one.seen, of: sum.of + one.of }), {
      seen: 0,
      of: 0,
    });
    const percent = percentOf(
      conditions.seen + actions.seen + steps.seen,
      conditions.of + actions.of + steps.of,
    );
    return { rule: rule.name, file: rule.file, line: rule.line, percent, conditions, actions, steps, unseen };
  }

  private unseenIn(
    rule: Rule,
    { part, leaves, seenTrue, seenFalse }: WatchedPart,
    root: SourcePart | null,
    source: RuleSource,
  ): readonly UnseenPoint[] {
    const { ruleSet } = this;
    const types = typesAsked(rule, part, this.types);
    const written = root && writtenPart(root, part);
    const places = written ? source.leavesOf(written) : [];
    const eventTypes = eventTypesOf(rule, ruleSet.catalogue);
    return leaves.flatMap((leaf, at) => {
      const missing = [
        ...(seenTrue[at] === true ? [] : (['true'] as const)),
        ...(seenFalse[at] === true ? [] : (['false'] as const)),
      ].filter((kind) => canComeOut(leaf, kind === 'true' ? 'yes' : 'no', types));
      const place = places[at];
      const field = fieldFor(ruleSet, eventTypes, leaf);
      return missing.map((kind) => ({
        kind,
        part: part.part,
        action: part.part === 'when' ? part.action : null,
        step: part.part === 'when' ? part.step : null,
        words: leafWords(leaf, field?.items ?? field),
        file: place?.file ?? rule.file,
        line: place ? source.positionOf(place).line : rule.line,
      }));
    });
  }

  private watch(rule: Rule): WatchedRule {
    const known = this.rules.get(rule.name);
    if (known) return known;
    const parts = askedParts(rule).map((part): readonly [string, WatchedPart] => {
      const leaves = leavesOf(conditionsOf(rule, part));
      const none = leaves.map(() => false);
      return [keyOf(part), { part, leaves, seenTrue: none, seenFalse: [...none], left: leaves.length * 2 }];
    });
    const watched = { parts: new Map(parts), sent: new Set<string>() };
    this.rules.set(rule.name, watched);
    return watched;
  }
}

/** All conditions that a rule has. */
export function askedParts(rule: Rule): readonly AskedPart[] {
  const asking = (actions: readonly RuleAction[], step: string | null): readonly AskedPart[] =>
    actions.flatMap(({ name, when }) => (when ? [{ part: 'when', action: name, step }] : []));
  return [
    { part: 'conditions' },
    ...(rule.escalation?.cancelOn ? [{ part: 'cancelOn' } as const] : []),
    ...asking(rule.actions, null),
    ...(rule.escalation?.steps ?? []).flatMap((step) => asking(step.actions, step.name)),
  ];
}

/** The conditions of a part of a rule; null: it has no such part. */
export function conditionsOf(rule: Rule, part: AskedPart): CompiledConditions | null {
  switch (part.part) {
    case 'conditions':
      return rule.conditions;
    case 'cancelOn':
      return rule.escalation?.cancelOn ?? null;
    case 'when': {
      const actions =
        part.step === null
          ? rule.actions
          : rule.escalation?.steps.find(({ name }) => name === part.step)?.actions;
      return actions?.find(({ name }) => name === part.action)?.when?.conditions ?? null;
    }
  }
}

/** Rounded down to a tenth; of nothing everything was seen. */
export function percentOf(some: number, all: number): number {
  return all === 0 ? 100 : Math.floor((some * 1000) / all) / 10;
}

function writtenPart(rule: SourcePart, part: AskedPart): SourcePart | null {
  switch (part.part) {
    case 'conditions':
      return partOf(rule, 'conditions');
    case 'cancelOn':
      return partOf(rule, 'escalate', 'cancelOn');
    case 'when': {
      const action = actionsOf(rule).find(({ name, step }) => name === part.action && step === part.step);
      return action ? partOf(action, 'when') : null;
    }
  }
}

function keyOf(part: AskedPart): string {
  return part.part === 'when' ? JSON.stringify([part.step, part.action]) : part.part;
}

function leavesOf(conditions: CompiledConditions | null): readonly LeafNode[] {
  const leaves: LeafNode[] = [];
  const visit = (node: CompiledConditions['tree']): void => {
    if (node.kind === 'leaf') leaves.push(node);
    else if (node.kind === 'not') visit(node.child);
    else node.children.forEach(visit);
  };
  if (conditions) visit(conditions.tree);
  return leaves;
}

function mark(watched: WatchedPart, seen: boolean[], at: number): void {
  if (seen[at] === true) return;
  seen[at] = true;
  watched.left -= 1;
}

function countTrue(list: readonly boolean[]): number {
  return list.filter((one) => one).length;
}
