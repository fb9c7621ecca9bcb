import type { Budget } from './answer.js';
import { BudgetSpent } from './budget-spent.js';
import { goTogether, type PlaceNode } from './partition-places.js';
import type { Option, Variable } from './partition-variables.js';
import type { Requirement } from './requirement.js';

/** What is left to choose from, for each variable: numbers of options, the cheapest first. */
type Choices = readonly (readonly number[])[];

/** A place, and the place that it is in, by their variables. */
interface Nesting {
  readonly outer: { readonly variable: number; readonly place: number };
  readonly inner: { readonly variable: number; readonly place: number };
  readonly node: PlaceNode;
}

/** After the first answer a nearer one is looked for so many times. */
const MOST_IMPROVEMENTS = 40;
const STEPS_OF_CHECK = 0.2;

/** Chooses an option of each variable so that what is required comes out, with as little cost as it can find. */
export class OptionSearch {
  private readonly places = new Map<number, { readonly variable: number; readonly position: number }>();
  private readonly nestings: readonly Nesting[];
  private freed: ReadonlySet<number> = new Set();
  private best: readonly Option[] | null = null;
  private bestCost = Infinity;
  private improvements = 0;

  constructor(
    private readonly variables: readonly Variable[],
    private readonly needs: readonly Requirement[],
    private readonly budget: Budget,
  ) {
    variables.forEach(({ leaves }, variable) => {
      leaves.forEach((leaf, position) => this.places.set(leaf, { variable, position }));
    });
    this.nestings = nestingsOf(variables);
  }

  /**
   * The options, one for each variable; null: there are none. `freed`: leaves that may come out as they like.
   *
   * @throws BudgetSpent
   */
  find(freed: ReadonlySet<number> = new Set()): readonly Option[] | null {
    this.freed = freed;
    this.best = null;
    this.bestCost = Infinity;
    this.improvements = 0;
    const all = this.variables.map(({ options }) => options.map((_, at) => at));
    this.solve(this.needs, all);
    return this.best;
  }

  private solve(needs: readonly Requirement[], given: Choices): void {
    if (this.best && (this.improvements += 1) > MOST_IMPROVEMENTS) return;
    const choices = [...given];
    const open = this.propagate(needs, choices);
    if (!open) return;
    const least = this.leastCost(choices);
    if (least >= this.bestCost) return;
    if (open.length === 0) {
      this.take(choices);
      return;
    }
    const [next, rest] = narrowest(open);
    const ways = next.parts
      .map((part) => ({ part, cost: this.costOf(part, choices) }))
      .sort((a, b) => a.cost - b.cost);
    for (const { part } of ways) this.solve([part, ...rest], choices);
  }

  /** Leaves out what the needs exclude, until nothing changes. What is left to be decided; null: it cannot be. */
  private propagate(needs: readonly Requirement[], choices: (readonly number[])[]): OneOf[] | null {
    let pending = [...needs];
    for (;;) {
      const open: OneOf[] = [];
      let changed = false;
      for (let at = 0; at < pending.length; at += 1) {
        const need = pending[at];
        if (!need) continue;
        if (need.kind === 'every') {
          pending.push(...need.parts);
        } else if (need.kind === 'leaf') {
          const kept = this.keep(need, choices);
          if (kept === null) return null;
          changed ||= kept;
        } else {
          const parts = this.possible(need.parts, choices);
          if (parts === true) continue;
          const [only] = parts;
          if (!only) return null;
          if (parts.length === 1) pending.push(only);
          else open.push({ kind: 'one', parts });
        }
      }
      if (this.nestings.length > 0) {
        const nested = this.keepNested(choices);
        if (nested === null) return null;
        changed ||= nested;
      }
      if (!changed) return open;
      pending = open;
    }
  }

  /** Leaves the options with which a leaf comes out so; null: there are none. Otherwise: whether some were left out. */
  private keep({ at, mask }: LeafNeed, choices: (readonly number[])[]): boolean | null {
    const place = this.freed.has(at) ? undefined : this.places.get(at);
    if (!place) return false;
    const before = choices[place.variable] ?? [];
    const kept = before.filter((option) => this.comesOut(place.variable, place.position, option, mask));
    this.spend(before.length);
    if (kept.length === 0) return null;
    choices[place.variable] = kept;
    return kept.length < before.length;
  }

  private comesOut(variable: number, position: number, option: number, mask: number): boolean {
    const outcome = this.variables[variable]?.options[option]?.outcomes[position] ?? 0;
    return (outcome & mask) !== 0;
  }

  /** The parts that can still be; true: one of them is already. */
  private possible(parts: readonly Requirement[], choices: Choices): readonly Requirement[] | true {
    const found: Requirement[] = [];
    for (const part of parts) {
      const told = this.tell(part, choices);
      if (told === 'is') return true;
      if (told === 'may be') found.push(part);
    }
    return found;
  }

  private tell(need: Requirement, choices: Choices): 'is' | 'may be' | 'is not' {
    if (need.kind === 'leaf') {
      const place = this.freed.has(need.at) ? undefined : this.places.get(need.at);
      if (!place) return 'is';
      const options = choices[place.variable] ?? [];
      this.spend(options.length);
      let some = false;
      let every = true;
      for (const option of options) {
        if (this.comesOut(place.variable, place.position, option, need.mask)) some = true;
        else every = false;
        if (some && !every) return 'may be';
      }
      return every ? 'is' : 'is not';
    }
    const decisive = need.kind === 'every' ? 'is not' : 'is';
    let open = false;
    for (const part of need.parts) {
      const told = this.tell(part, choices);
      if (told === decisive) return decisive;
      open ||= told === 'may be';
    }
    if (open) return 'may be';
    return need.kind === 'every' ? 'is' : 'is not';
  }

  /** What it costs more at least. */
  private costOf(need: Requirement, choices: Choices): number {
    if (need.kind === 'leaf') {
      const place = this.freed.has(need.at) ? undefined : this.places.get(need.at);
      if (!place) return 0;
      const options = choices[place.variable] ?? [];
      const first = options.find((one) => this.comesOut(place.variable, place.position, one, need.mask));
      if (first === undefined) return Infinity;
      return this.optionCost(place.variable, first) - this.optionCost(place.variable, options[0] ?? 0);
    }
    const costs = need.parts.map((part) => this.costOf(part, choices));
    return need.kind === 'one' ? Math.min(...costs) : costs.reduce((sum, cost) => sum + cost, 0);
  }

  private optionCost(variable: number, option: number): number {
    return this.variables[variable]?.options[option]?.cost ?? 0;
  }

  private leastCost(choices: Choices): number {
    return choices.reduce((sum, [first], variable) => sum + this.optionCost(variable, first ?? 0), 0);
  }

  /** Takes the cheapest of what is left, as far as places and what they are in go together. */
  private take(choices: Choices): void {
    const chosen = this.chosen(choices, 0, []);
    if (!chosen) return;
    const options = chosen.flatMap((option, variable) => this.variables[variable]?.options[option] ?? []);
    const cost = options.reduce((sum, one) => sum + one.cost, 0);
    if (cost >= this.bestCost) return;
    this.best = options;
    this.bestCost = cost;
  }

  private chosen(choices: Choices, variable: number, before: readonly number[]): readonly number[] | null {
    if (variable === choices.length) return before;
    if (this.nestings.length === 0) return choices.map(([first]) => first ?? 0);
    for (const option of choices[variable] ?? []) {
      this.spend(1);
      const tried = [...before, option];
      if (!this.nestings.every((one) => this.fits(one, tried))) continue;
      const found = this.chosen(choices, variable + 1, tried);
      if (found) return found;
    }
    return null;
  }

  private fits({ outer, inner, node }: Nesting, chosen: readonly number[]): boolean {
    const [outerOption, innerOption] = [chosen[outer.variable], chosen[inner.variable]];
    if (outerOption === undefined || innerOption === undefined) return true;
    return this.pairFits({ outer, inner, node }, outerOption, innerOption);
  }

  private pairFits({ outer, inner, node }: Nesting, outerOption: number, innerOption: number): boolean {
    const outerState = this.variables[outer.variable]?.options[outerOption]?.states[outer.place];
    const innerState = this.variables[inner.variable]?.options[innerOption]?.states[inner.place];
    return outerState === undefined || innerState === undefined || goTogether(outerState, innerState, node);
  }

  /** Leaves out what does not go with anything that is left of the other place; null: nothing is left. */
  private keepNested(choices: (readonly number[])[]): boolean | null {
    let changed = false;
    for (const nesting of this.nestings) {
      const { outer, inner } = nesting;
      const [outers, inners] = [choices[outer.variable] ?? [], choices[inner.variable] ?? []];
      this.spend(outers.length * inners.length);
      const keptOuter = outers.filter((one) => inners.some((other) => this.pairFits(nesting, one, other)));
      const keptInner = inners.filter((one) => keptOuter.some((other) => this.pairFits(nesting, other, one)));
      if (keptOuter.length === 0 || keptInner.length === 0) return null;
      changed ||= keptOuter.length < outers.length || keptInner.length < inners.length;
      choices[outer.variable] = keptOuter;
      choices[inner.variable] = keptInner;
    }
    return changed;
  }

  private spend(checks: number): void {
    this.budget.steps -= STEPS_OF_CHECK + checks / 20;
    if (this.budget.steps < 0) throw new BudgetSpent();
  }
}

type LeafNeed = Requirement & { readonly kind: 'leaf' };
interface OneOf {
  readonly kind: 'one';
  readonly parts: readonly Requirement[];
}

/** The one with the fewest ways, and the others. */
function narrowest(open: readonly OneOf[]): [OneOf, readonly OneOf[]] {
  const next = open.reduce((least, one) => (one.parts.length < least.parts.length ? one : least));
  return [next, open.filter((one) => one !== next)];
}

function nestingsOf(variables: readonly Variable[]): readonly Nesting[] {
  const found = new Map<PlaceNode, { readonly variable: number; readonly place: number }>();
  variables.forEach(({ places }, variable) => {
    places.forEach((node, place) => found.set(node, { variable, place }));
  });
  return [...found].flatMap(([node, inner]) => {
    const outer = node.parent && found.get(node.parent);
    return outer && outer.variable !== inner.variable ? [{ outer, inner, node }] : [];
  });
}
