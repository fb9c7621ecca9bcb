import { RenderError } from '../action/render-template.js';
import { FactView, type TracedNode } from './compiled-conditions.js';
import { type CompiledLookup, requestText } from './compiled-lookup.js';
import { type DecisionInputs, factsFor, factsOfRule, skipped, type Subject } from './decide.js';
import type { LookupAnswer, LookupDocument, LookupRequest } from './lookup-document.js';
import { answerOf } from './lookup-facts.js';
import { lookupPlaceOf } from './lookup-name.js';
import { ConditionError } from './operators.js';
import type { Rule, RuleSet } from './rule-set.js';
import { lookupScope } from './template-scope.js';

/** A look-up that has to be made for an event. */
export interface PlannedLookup {
  readonly name: string;
  readonly document: LookupDocument;
  readonly request: LookupRequest;
  /** What is asked, as a text that holds no secret: equal requests share answers, and an answer names it. */
  readonly key: string;
}

export interface LookupPlan {
  /** What has to be asked now; what depends on an answer comes with a later plan. */
  readonly fetch: readonly PlannedLookup[];
  /** Look-ups that fail without being asked: a value is missing that says what to ask for. */
  readonly failed: Readonly<Record<string, LookupAnswer>>;
  /** Of the answers that were given, those to what would be asked now, and the failures. */
  readonly answers: Readonly<Record<string, LookupAnswer>>;
}

const NOTHING: LookupPlan = { fetch: [], failed: {}, answers: {} };

/** The same for look-ups that are needed in any case, as those of a step that is about to be sent. */
export function planNamedLookups(
  ruleSet: RuleSet,
  names: ReadonlySet<string>,
  subject: Subject,
  inputs: DecisionInputs,
): LookupPlan {
  return names.size === 0 ? NOTHING : new LookupPlanner(ruleSet, subject, inputs).plan(names);
}

/**
 * What has still to be asked before an event can be decided by a rule set. With nothing to fetch it can be decided
 * now. Only what is needed: a rule whose conditions say no needs nothing; one that matches needs what its templates
 * read; one that is unknown needs the look-ups whose facts make it so, each after those that its own templates read.
 * Pure, as `decide`.
 */
export function planLookups(ruleSet: RuleSet, subject: Subject, inputs: DecisionInputs): LookupPlan {
  if (ruleSet.lookups.size === 0 || !ruleSet.listenersOf(subject.eventType).asking) return NOTHING;
  return new LookupPlanner(ruleSet, subject, inputs).plan();
}

class LookupPlanner {
  private readonly known: Record<string, LookupAnswer> = {};
  private readonly failed: Record<string, LookupAnswer> = {};
  private readonly fetch = new Map<string, PlannedLookup>();

  constructor(
    private readonly ruleSet: RuleSet,
    private readonly subject: Subject,
    private readonly inputs: DecisionInputs,
  ) {}

  plan(names?: ReadonlySet<string>): LookupPlan {
    for (const lookup of this.ruleSet.lookups.values()) this.takeOver(lookup);
    for (const name of names ?? this.needed()) this.settle(name);
    return {
      fetch: [...this.fetch.values()],
      failed: this.failed,
      answers: { ...this.known, ...this.failed },
    };
  }

  /** Keeps the answer that was given if it is to what would be asked now. */
  private takeOver(lookup: CompiledLookup): boolean {
    const { name } = lookup;
    if (Object.hasOwn(this.known, name)) return true;
    const answer = answerOf(this.inputs.lookups, name);
    if (!answer) return false;
    for (const needed of lookup.needs) {
      const other = this.ruleSet.lookups.get(needed);
      if (!other || !this.takeOver(other)) return false;
    }
    const asked = this.requestOf(lookup);
    if (answer.request !== ('failed' in asked ? '' : requestText(asked))) return false;
    this.known[name] = answer;
    return true;
  }

  /** Names of look-ups, in the order in which rules need them. */
  private needed(): ReadonlySet<string> {
    const { ruleSet, subject, inputs } = this;
    const names = new Set<string>();
    const shared = factsFor(ruleSet, subject.facts, { ...inputs, lookups: this.known });
    const sharedView = new FactView(ruleSet.places.places, shared);
    for (const number of ruleSet.index.candidates(sharedView)) {
      const rule = ruleSet.rules[number];
      // No event waits for what only rules in shadow mode would read.
      if (!rule?.lookups || rule.mode === 'shadow') continue;
      const { conditions, templates } = rule.lookups;
      // Many rules read the same look-ups: what others need already is not found out once more.
      if (!this.isOpen(conditions, names) && !this.isOpen(templates, names)) continue;
      if (!rule.listensTo(subject.eventType) || skipped(rule, inputs)) continue;
      const facts = factsOfRule(ruleSet, rule, shared, inputs);
      const view = facts === shared ? sharedView : new FactView(ruleSet.places.places, facts);
      const outcome = this.outcomeOf(rule, view);
      if (outcome === 'no') continue;
      if (outcome === 'yes') for (const name of templates) names.add(name);
      else if (this.isOpen(conditions, names)) addUndecided(rule.conditions.trace(facts, inputs), names);
    }
    return names;
  }

  /** Whether one of the look-ups is neither answered nor needed so far. */
  private isOpen(lookups: ReadonlySet<string>, needed: ReadonlySet<string>): boolean {
    for (const name of lookups) if (!Object.hasOwn(this.known, name) && !needed.has(name)) return true;
    return false;
  }

  private outcomeOf(rule: Rule, view: FactView): 'yes' | 'no' | 'unknown' {
    try {
      return rule.conditions.evaluateView(view, this.inputs);
    } catch (error) {
      // The answers may say no before the leaf that fails has a part in it.
      if (error instanceof ConditionError) return 'unknown';
      throw error;
    }
  }

  /** Whether it is known what comes of a look-up; else what has to be asked first is noted. */
  private settle(name: string): boolean {
    if (Object.hasOwn(this.known, name) || Object.hasOwn(this.failed, name)) return true;
    const lookup = this.ruleSet.lookups.get(name);
    if (!lookup) return true;
    if (this.fetch.has(name)) return false;
    // All that is needed first is asked at once.
    const waits = lookup.needs.filter((needed) => !this.settle(needed));
    if (waits.length > 0) return false;
    const asked = this.requestOf(lookup);
    if ('failed' in asked) {
      this.failed[name] = { request: '', failed: asked.failed, fetchedAt: this.inputs.now };
      return true;
    }
    this.fetch.set(name, { name, document: lookup.document, request: asked, key: requestText(asked) });
    return false;
  }

  private requestOf(
    lookup: CompiledLookup,
  ): LookupRequest | { readonly failed: { readonly code: string; readonly detail: string } } {
    const { ruleSet, subject, inputs } = this;
    const scope = lookupScope(ruleSet, subject, { ...this.known, ...this.failed }, inputs.timezone);
    try {
      return lookup.render(scope);
    } catch (error) {
      if (!(error instanceof RenderError)) throw error;
      return { failed: { code: error.code, detail: error.message } };
    }
  }
}

/** The look-ups of the facts that leave conditions undecided. */
function addUndecided(node: TracedNode, names: Set<string>): void {
  if (node.outcome === 'yes' || node.outcome === 'no') return;
  if (node.kind === 'not') addUndecided(node.child, names);
  else if (node.kind !== 'leaf') for (const child of node.children) addUndecided(child, names);
  else {
    const missing = [
      ...(node.actual === undefined ? [node] : []),
      ...(node.other && node.expected === undefined ? [node.other] : []),
    ];
    for (const { fact } of missing) {
      const name = lookupPlaceOf(fact)?.name;
      if (name !== undefined) names.add(name);
    }
  }
}
