import {
  CompiledConditions,
  type Facts,
  FactView,
  type Moment,
  type Outcome,
  PlaceTable,
  readPlace,
} from './compiled-conditions.js';
import type { ConditionNode, FactPlace, LeafNode } from './condition-tree.js';
import {
  applyChanges,
  changeAt,
  type FactChange,
  isSame,
  isWithin,
  merged,
  overlap,
  type Place,
  setChanged,
} from './fact-change.js';
import { ConditionError, MAX_STEPS } from './operators.js';
import { type PlaceUse, valuesFor } from './repair-values.js';

/** What an evaluation may take until it counts as several: some 2 µs. */
const STEPS_OF_EVALUATION = 200;
/** An error that is thrown and caught takes so much longer. */
const COST_OF_ERROR = 20;
/** Seeing how far it still is takes as long as an evaluation with so many leaves. */
const LEAVES_OF_EVALUATION = 50;
/** Up to so many changes every part of them is tried. */
const MAX_EXHAUSTIVE = 12;

/** What has to come out. `sane`: anything but an error, which would be the verdict of the whole rule. */
type Goal =
  | {
      readonly kind: 'leaf';
      readonly at: number;
      readonly want: 'yes' | 'no' | 'sane';
      readonly facts: readonly string[];
    }
  | {
      readonly kind: 'every' | 'one';
      readonly parts: readonly Goal[];
      readonly facts: readonly string[];
      readonly size: number;
    };
type LeafGoal = Goal & { kind: 'leaf' };
type Names = ReadonlySet<string>;
type LeafOutcome = Outcome | 'error';

interface Leaf {
  readonly node: LeafNode;
  readonly conditions: CompiledConditions;
  readonly places: readonly FactPlace[];
}

/** Facts on the way from those of the event to some that fire. */
interface State {
  readonly facts: Facts;
  readonly outcomes: readonly LeafOutcome[];
  readonly changes: readonly FactChange[];
  /** The places that were meant to be changed, by their facts; each is changed once at most. */
  readonly touched: ReadonlyMap<string, readonly Place['path'][]>;
}

/** A change on the way. */
interface Step {
  readonly next: State;
  /** What is left from there. */
  readonly distance: number;
  /** Whether the leaf comes out as wanted; if not, the change prepares another one. */
  readonly helps: boolean;
  readonly isRemoval: boolean;
}

/** Looks for the facts that fire, from the conditions backwards. One for each question. */
export class RepairSearch {
  private readonly table = new PlaceTable();
  private readonly whole: CompiledConditions;
  private readonly leaves: Leaf[] = [];
  private readonly byFact = new Map<string, number[]>();
  /** The values for a leaf's place, while what stands there and on the other sides is the same. */
  private readonly values = new Map<
    FactPlace,
    { readonly given: readonly unknown[]; readonly values: readonly unknown[] }
  >();
  private readonly goal: Goal;
  private readonly start: State;
  private locked: Names = new Set();
  private isCut = false;

  constructor(
    tree: ConditionNode,
    facts: Facts,
    private readonly moment: Moment,
    private left: number,
    private readonly prefer: (place: Place) => readonly unknown[],
  ) {
    // A table of its own: that of a whole rule set is long, and is copied for each evaluation.
    this.whole = new CompiledConditions(tree, this.table);
    const wanted = this.goalOf(tree, 'yes');
    const sane = this.leaves.map((_, at) => this.leafGoal(at, 'sane'));
    this.goal = groupOf('every', [wanted, ...sane]);
    const view = new FactView(this.table.places, facts);
    const outcomes = this.leaves.map((_, at) => this.outcomeOf(at, view));
    this.start = { facts, outcomes, changes: [], touched: new Map() };
  }

  get isSpent(): boolean {
    return this.left <= 0;
  }

  reads(facts: Names): boolean {
    return [...facts].some((fact) => this.byFact.has(fact));
  }

  /** Changes of facts that are not locked; null: none were found. */
  find(locked: Names): readonly FactChange[] | null {
    this.locked = locked;
    const least = this.distance(this.goal, this.start);
    if (!Number.isFinite(least)) return null;
    // First with as few changes as there can be; one more when that was too few.
    for (let most = least; !this.isSpent; most += 1) {
      this.isCut = false;
      const found = this.reach(this.start, most);
      if (found) return this.smallestOf(merged(found.changes));
      if (!this.wasCut()) return null;
    }
    return null;
  }

  /** Whether the last search left a way untried because it takes more changes. */
  private wasCut(): boolean {
    return this.isCut;
  }

  private reach(state: State, left: number): State | null {
    const distance = this.distance(this.goal, state);
    if (distance === 0) return this.fires(state.facts) ? state : null;
    if (distance > left) {
      this.isCut ||= Number.isFinite(distance);
      return null;
    }
    for (const leaf of this.openLeaves(this.goal, state)) {
      for (const next of this.steps(leaf, state, left, distance)) {
        if (this.isSpent) return null;
        const found = this.reach(next, left - 1);
        if (found) return found;
      }
    }
    return null;
  }

  /** Leaves of which one has to come out otherwise, whatever else changes. */
  private openLeaves(goal: Goal, state: State): readonly LeafGoal[] {
    if (goal.kind === 'leaf') return [goal];
    const open = goal.parts
      .map((part) => ({ part, distance: this.distance(part, state) }))
      .filter(({ distance }) => distance > 0 && Number.isFinite(distance));
    if (goal.kind === 'one')
      return open.sort((a, b) => a.distance - b.distance).flatMap(({ part }) => this.openLeaves(part, state));
    const [first, ...rest] = open.map(({ part }) => part);
    if (!first) return [];
    const simplest = rest.reduce((least, part) => (sizeOf(part) < sizeOf(least) ? part : least), first);
    return this.openLeaves(simplest, state);
  }

  /** How many facts have to change at least; Infinity: those that may still change cannot help. */
  private distance(goal: Goal, state: State): number {
    if (goal.kind === 'leaf') {
      if (meets(state.outcomes[goal.at], goal.want)) return 0;
      return this.leaves[goal.at]?.places.every((place) => this.isFixed(place, state)) ? Infinity : 1;
    }
    if (goal.kind === 'one') {
      let least = Infinity;
      for (const part of goal.parts) least = Math.min(least, this.distance(part, state));
      return least;
    }
    let sum = 0;
    const counted = new Set<string>();
    for (const part of goal.parts) {
      const distance = this.distance(part, state);
      if (distance === Infinity) return Infinity;
      // One change may help several parts that read the same fact.
      if (distance === 0 || part.facts.some((fact) => counted.has(fact))) continue;
      sum += distance;
      for (const fact of part.facts) counted.add(fact);
    }
    return sum;
  }

  private isFixed({ fact, path }: Place, { touched }: State): boolean {
    return this.locked.has(fact) || (touched.get(fact)?.some((one) => isWithin(one, path)) ?? false);
  }

  /** The states that one change of a place which the leaf reads leads to, the most promising first. */
  private *steps(goal: LeafGoal, state: State, left: number, distance: number): Generator<State> {
    const leaf = this.leaves[goal.at];
    const open = leaf?.places.filter((place) => !this.isFixed(place, state)) ?? [];
    // Two facts that are compared may both have to change, and neither change alone looks useful.
    const mayPrepare = open.length === 2 && left > 1;
    this.isCut ||= open.length === 2 && !mayPrepare;
    const later: Step[] = [];
    for (const place of open) {
      for (const step of this.stepsAt(place, goal, state, mayPrepare)) {
        // A change that brings the goal nearer by one is as good as any; the others wait until it led to nothing.
        if (step.helps && !step.isRemoval && step.distance < distance) yield step.next;
        else later.push(step);
      }
    }
    later.sort(
      (a, b) =>
        Number(b.helps) - Number(a.helps) ||
        a.distance - b.distance ||
        Number(a.isRemoval) - Number(b.isRemoval),
    );
    for (const { next } of later) yield next;
  }

  private *stepsAt(place: FactPlace, goal: LeafGoal, state: State, mayPrepare: boolean): Generator<Step> {
    const affected = this.byFact.get(place.fact) ?? [];
    const linked = affected.some((at) => (this.leaves[at]?.places.length ?? 0) > 1);
    const tried = new Map<string, number>();
    const facts = new Map(state.facts);
    for (const value of this.valuesAt(place, goal, state)) {
      if (this.isSpent) return;
      const change = changeAt(state.facts, place, value);
      if (!change) continue;
      facts.set(place.fact, state.facts.get(place.fact));
      setChanged(facts, change);
      const view = new FactView(this.table.places, facts);
      const outcomes = [...state.outcomes];
      outcomes[goal.at] = this.outcomeOf(goal.at, view);
      const helps = meets(outcomes[goal.at], goal.want);
      if (!helps && !mayPrepare) continue;
      for (const at of affected) if (at !== goal.at) outcomes[at] = this.outcomeOf(at, view);
      // Of values that all leaves take alike, the most natural is enough; less so when they are compared with others.
      const likeness = `${affected.map((at) => outcomes[at]).join()} ${helps ? '' : kindOf(value)}`;
      const alike = tried.get(likeness) ?? 0;
      if (alike >= (linked ? 3 : 1)) continue;
      tried.set(likeness, alike + 1);
      const paths = [...(state.touched.get(place.fact) ?? []), place.path];
      const next = {
        facts: new Map(facts),
        outcomes,
        changes: [...state.changes, change],
        touched: new Map(state.touched).set(place.fact, paths),
      };
      const distance = this.distance(this.goal, next);
      this.left -= this.leaves.length / LEAVES_OF_EVALUATION;
      if (Number.isFinite(distance)) yield { next, distance, helps, isRemoval: value === undefined };
    }
  }

  private valuesAt(place: FactPlace, goal: LeafGoal, { facts }: State): readonly unknown[] {
    const uses: PlaceUse[] = [];
    for (const at of new Set([goal.at, ...(this.byFact.get(place.fact) ?? [])])) {
      const node = this.leaves[at]?.node;
      if (!node) continue;
      const { operator, other } = node;
      if (isSame(node, place))
        uses.push({
          operator,
          opposite: other ? readPlace(facts, other) : node.value,
          oppositeFormat: other?.timeFormat ?? 'date-time',
          isFact: true,
        });
      if (other && isSame(other, place))
        uses.push({
          operator,
          opposite: readPlace(facts, node),
          oppositeFormat: node.timeFormat,
          isFact: false,
        });
    }
    const current = readPlace(facts, place);
    const given = [current, ...uses.map(({ opposite }) => opposite)];
    const known = this.values.get(place);
    if (known?.given.every((one, at) => one === given[at])) return known.values;
    const values = valuesFor(current, uses, this.prefer(place), place.timeFormat, this.moment.now);
    this.values.set(place, { given, values });
    return values;
  }

  /** The smallest part of the changes that fires; null: too many to tell. */
  private smallestOf(changes: readonly FactChange[]): readonly FactChange[] | null {
    const known = changes.map((one) => ({ ...one, from: readPlace(this.start.facts, one) }));
    if (known.length > MAX_EXHAUSTIVE) return this.smallestOfMany(known);
    const masks = Array.from({ length: 2 ** known.length - 1 }, (_, mask) => mask);
    const sizeOfMask = (mask: number): number => known.filter((_, at) => mask & (1 << at)).length;
    for (const mask of masks.sort((a, b) => sizeOfMask(a) - sizeOfMask(b))) {
      const part = known.filter((_, at) => mask & (1 << at));
      if (this.fires(applyChanges(this.start.facts, part))) return part;
    }
    return known;
  }

  /**
   * Of many changes the parts are too many to try. When no leaf is touched by two of them and none gets worse, more
   * changes never fire less; then it is enough that none can be left out.
   */
  private smallestOfMany(changes: readonly FactChange[]): readonly FactChange[] | null {
    const facts = applyChanges(this.start.facts, changes);
    const view = new FactView(this.table.places, facts);
    const wants = new Map(wantsOf(this.goal).map(({ at, want }) => [at, want]));
    const simple = this.leaves.every(({ places, conditions }, at) => {
      const touching = changes.filter((one) => places.some((place) => overlap(place, one)));
      const [before, after] = [this.start.outcomes[at], this.evaluate(conditions, view)];
      const better = worth(after, wants.get(at)) >= worth(before, wants.get(at));
      return touching.length === 0 || (touching.length === 1 && after !== 'error' && better);
    });
    if (!simple) {
      this.left = 0;
      return null;
    }
    let kept = changes;
    for (const one of changes) {
      const fewer = kept.filter((other) => other !== one);
      if (this.fires(applyChanges(this.start.facts, fewer))) kept = fewer;
    }
    return kept;
  }

  private fires(facts: Facts): boolean {
    return this.evaluate(this.whole, new FactView(this.table.places, facts)) === 'yes';
  }

  private outcomeOf(at: number, view: FactView): LeafOutcome {
    const conditions = this.leaves[at]?.conditions;
    return conditions ? this.evaluate(conditions, view) : 'unknown';
  }

  private evaluate(conditions: CompiledConditions, view: FactView): LeafOutcome {
    const before = view.steps;
    let cost = 1;
    try {
      return conditions.evaluateView(view, this.moment);
    } catch (error) {
      if (!(error instanceof ConditionError)) throw error;
      cost = COST_OF_ERROR;
      return 'error';
    } finally {
      // What would have taken more was refused before it began.
      const steps = Math.min(view.steps - before, MAX_STEPS);
      this.left -= Math.max(cost, steps / STEPS_OF_EVALUATION);
    }
  }

  private goalOf(node: ConditionNode, want: 'yes' | 'no'): Goal {
    if (node.kind === 'not') return this.goalOf(node.child, want === 'yes' ? 'no' : 'yes');
    if (node.kind === 'leaf') {
      const places = node.other ? [node, node.other] : [node];
      this.leaves.push({ node, places, conditions: new CompiledConditions(node, this.table) });
      const at = this.leaves.length - 1;
      for (const fact of new Set(places.map((place) => place.fact))) {
        const known = this.byFact.get(fact);
        if (known) known.push(at);
        else this.byFact.set(fact, [at]);
      }
      return this.leafGoal(at, want);
    }
    const parts = node.children.map((child) => this.goalOf(child, want));
    return groupOf((node.kind === 'all') === (want === 'yes') ? 'every' : 'one', parts);
  }

  private leafGoal(at: number, want: LeafGoal['want']): Goal {
    return { kind: 'leaf', at, want, facts: this.leaves[at]?.places.map(({ fact }) => fact) ?? [] };
  }
}

function groupOf(kind: 'every' | 'one', parts: readonly Goal[]): Goal {
  const facts = [...new Set(parts.flatMap((part) => part.facts))];
  return { kind, parts, facts, size: parts.reduce((sum, part) => sum + sizeOf(part), 0) };
}

function sizeOf(goal: Goal): number {
  return goal.kind === 'leaf' ? 1 : goal.size;
}

function wantsOf(goal: Goal): readonly LeafGoal[] {
  if (goal.kind === 'leaf') return goal.want === 'sane' ? [] : [goal];
  return goal.parts.flatMap(wantsOf);
}

function meets(outcome: LeafOutcome | undefined, want: LeafGoal['want']): boolean {
  return want === 'sane' ? outcome !== 'error' : outcome === want;
}

function worth(outcome: LeafOutcome | undefined, want: LeafGoal['want'] | undefined): number {
  return outcome === 'error' ? 0 : outcome === want ? 3 : outcome === 'unknown' ? 2 : 1;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
}
