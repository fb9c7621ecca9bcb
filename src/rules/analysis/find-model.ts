import {
  type CompiledConditions,
  compileConditions,
  type Facts,
  type Outcome,
} from '../compiled-conditions.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';
import { changeAt, setChanged } from '../fact-change.js';
import { ConditionError } from '../operators.js';
import type { Answer, Budget, Goal, Model } from './answer.js';
import { BudgetSpent } from './budget-spent.js';
import { countedFrom } from './counted-from.js';
import type { FactSpace } from './fact-space.js';
import { OptionSearch } from './option-search.js';
import { looseVariables } from './loose-variables.js';
import type { AskedLeaf } from './partition-places.js';
import { type Option, type Variable, variablesOf } from './partition-variables.js';
import { type Requirements, requirementsOf } from './requirement.js';

/**
 * Looks for facts of events of a type under which all goals are met: those that differ from the usual ones in as few
 * places as it can find. The same question has the same answer; the steps that it took are taken off the budget.
 *
 * Values of a place that the leaves cannot tell apart are tried once. A "no" says that there is no event by the
 * catalogue, whatever its values. What is left out of account: texts and lists so long that a rule gives up on them.
 */
export function findModel(goals: readonly Goal[], space: FactSpace, budget: Budget): Answer {
  const search = new ModelSearch(goals, space, budget);
  budget.steps -= STEPS_OF_QUESTION;
  try {
    return search.run();
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
    return { answer: 'undecided', reason: 'budget' };
  }
}

const STEPS_OF_QUESTION = 10;

class ModelSearch {
  private readonly required: Requirements;
  /** Those that found nothing, where that says something. */
  private readonly failed: OptionSearch[] = [];

  constructor(
    private readonly goals: readonly Goal[],
    private readonly space: FactSpace,
    private readonly budget: Budget,
  ) {
    this.required = requirementsOf(goals);
  }

  run(): Answer {
    const { asked } = this.required;
    const { moments, complete } = countedFrom(asked, this.space);
    let inexact = !complete;
    for (const now of moments) {
      const model = this.searchAt(now);
      if (model === 'inexact') inexact = true;
      else if (model) return { answer: 'yes', model };
    }
    if (inexact) return { answer: 'undecided', reason: 'inexact' };
    return this.impossible();
  }

  /** Null: there is none while this is the time that is counted from. */
  private searchAt(now: number): Model | 'inexact' | null {
    const { asked, needs } = this.required;
    const context = { space: this.space, now, budget: this.budget };
    const variables = variablesOf(asked, context);
    const search = new OptionSearch(variables, needs, this.budget);
    const found = search.find();
    const model = found && this.modelOf(variables, found, now);
    if (model && this.goals.every((goal) => isMet(goal, model))) return model;
    // Values that are told by several places at once may be other than they were put together.
    if (variables.every(({ exact }) => exact)) {
      if (model) return 'inexact';
      this.failed.push(search);
      return null;
    }
    const loose = new OptionSearch(looseVariables(variables, asked, context), needs, this.budget);
    if (loose.find()) return 'inexact';
    this.failed.push(loose);
    return null;
  }

  private modelOf(variables: readonly Variable[], found: readonly Option[], now: number): Model {
    const facts = new Map(this.space.sample);
    const places = found.flatMap(({ values }, at) =>
      (variables[at]?.places ?? []).map((node, index) => ({ node, value: values[index] })),
    );
    // What a place is in before the place itself.
    places.sort((a, b) => (a.node.path?.length ?? 0) - (b.node.path?.length ?? 0));
    for (const { node, value } of places) if (node.moment === 'then') put(facts, node, value);
    if (!this.goals.some(({ moment }) => moment === 'later')) return { facts, later: facts, now };
    // What is not asked of the later moment is as it was.
    const later = new Map(facts);
    for (const { node, value } of places) if (node.moment === 'later') put(later, node, value);
    return { facts, later, now };
  }

  private impossible(): Answer {
    const { failed } = this;
    const { asked } = this.required;
    let core: readonly LeafNode[] | null = null;
    return {
      answer: 'no',
      get core() {
        return (core ??= coreOf(failed, asked));
      },
    };
  }
}

function put(facts: Map<string, unknown>, { fact, path }: AskedPlace, value: unknown): void {
  const change = changeAt(facts, { fact, path }, value);
  if (change) setChanged(facts, change);
}
type AskedPlace = Pick<Variable['places'][number], 'fact' | 'path'>;

/** Leaves one after the other are taken out as long as it stays impossible. */
function coreOf(failed: readonly OptionSearch[], asked: readonly AskedLeaf[]): readonly LeafNode[] {
  const nodes = [...new Set(asked.map(({ leaf }) => leaf.node))];
  const freed = new Set<number>();
  const core: LeafNode[] = [];
  for (const [at, node] of nodes.entries()) {
    const own = asked.flatMap(({ leaf }, number) => (leaf.node === node ? [number] : []));
    const tried = new Set([...freed, ...own]);
    try {
      if (failed.every((search) => search.find(tried) === null)) own.forEach((one) => freed.add(one));
      else core.push(node);
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      // No leaf more can be left out than those that were tried.
      return [...core, ...nodes.slice(at)];
    }
  }
  return core;
}

const compiled = new WeakMap<ConditionNode, CompiledConditions>();

/** Whether the facts do what they were found for, by the conditions themselves. */
function isMet({ tree, want, moment = 'then' }: Goal, { facts, later, now }: Model): boolean {
  let conditions = compiled.get(tree);
  if (!conditions) compiled.set(tree, (conditions = compileConditions(tree)));
  const outcome = outcomeOf(conditions, moment === 'then' ? facts : later, now);
  return want === 'not yes' ? outcome !== 'yes' : outcome === want;
}

function outcomeOf(conditions: CompiledConditions, facts: Facts, now: number): Outcome | 'error' {
  try {
    return conditions.evaluate(facts, { now });
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return 'error';
  }
}
