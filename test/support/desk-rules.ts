import { compileConditions } from '../../src/rules/compiled-conditions.js';
import type { ConditionNode } from '../../src/rules/condition-tree.js';
import type { Rule, RuleSet } from '../../src/rules/rule-set.js';
import { conditionsOn, DESK_NOTE, DESK_TASK, type Dimension, DIMENSIONS, eventsOf } from './desk-domain.js';
import { all, any, filesOf, type Json, type JsonObject, leaf, not, rule, tell } from './rule-parts.js';
import type { SeededRandom } from './seeded-random.js';

/** Rule files over a domain so small that every event can be tried. */
export interface DeskSet {
  readonly files: ReadonlyMap<string, string>;
  /** By event type. */
  readonly events: ReadonlyMap<string, readonly Event[]>;
}

type Event = ReadonlyMap<string, unknown>;

/** From one to five rules; some of them send the same. */
export function deskSet(random: SeededRandom): DeskSet {
  const dimensions = fewEvents(random.some(DIMENSIONS, 2 + random.below(3)));
  const common = dimensions.filter(({ types }) => types.includes(DESK_NOTE));
  const named: Record<string, Json> = {};
  const rules: JsonObject[] = [];
  for (let at = 0, count = 1 + random.below(5); at < count; at += 1) {
    const earlier = random.pick(rules.length > 0 ? rules : [null]);
    if (earlier && random.chance(0.15)) {
      rules.push(likeness(random, earlier, at, dimensions));
      continue;
    }
    const notes = common.length > 0 && random.chance(0.25);
    const both = notes && random.chance(0.5);
    const own = notes ? common : dimensions;
    const tree = conditionsOn(random, own);
    let conditions: JsonObject = tree;
    if (random.chance(0.15)) {
      named[`common-${at}`] = conditionsOn(random, own, 1);
      conditions = all({ condition: `common-${at}` }, tree);
    }
    rules.push(
      rule(`rule-${at}`, both ? [DESK_TASK, DESK_NOTE] : notes ? DESK_NOTE : DESK_TASK, conditions, {
        ...(random.chance(0.15) ? { oncePer: 'process' } : {}),
        ...(random.chance(0.1) ? { throttle: { max: 5, per: '1h' } } : {}),
        ...sendsOf(random, own, at, notes),
      }),
    );
  }
  const files = filesOf(rules, Object.keys(named).length > 0 ? { 'a.conditions.json': named } : {});
  return {
    files,
    events: new Map([DESK_TASK, DESK_NOTE].map((type) => [type, eventsOf(type, dimensions)])),
  };
}

/** So few facts that their values make some hundred events. */
function fewEvents(dimensions: readonly Dimension[]): readonly Dimension[] {
  let events = 1;
  return dimensions.filter(({ values }, at) => {
    if (at > 0 && events * values.length > 200) return false;
    events *= values.length;
    return true;
  });
}

/** A rule that says what an earlier one says: the same, the same in other words, or something more or less. */
function likeness(
  random: SeededRandom,
  earlier: JsonObject,
  at: number,
  dimensions: readonly Dimension[],
): JsonObject {
  const conditions = earlier['conditions'] as JsonObject;
  const common = dimensions.filter(({ types }) => types.includes(DESK_NOTE));
  const more = conditionsOn(random, common.length > 0 ? common : dimensions, 0);
  const shape = random.pick([
    conditions,
    all(conditions),
    not(not(conditions)),
    all(conditions, more),
    any(conditions, more),
  ]);
  const sends = random.chance(0.3) ? { actions: [tell(`own-${at}`)] } : {};
  const kept = Object.entries(earlier).filter(([key]) => key !== 'escalate' || !('actions' in sends));
  return { ...Object.fromEntries(kept), ...sends, name: `rule-${at}`, conditions: shape };
}

function sendsOf(
  random: SeededRandom,
  dimensions: readonly Dimension[],
  at: number,
  notes: boolean,
): JsonObject {
  const to = random.pick(['one', 'two', `own-${at}`]);
  const body = { desk: '{{ event.desk_id }}', days: '{{ event.days }}' };
  const when = random.chance(0.1) ? { when: conditionsOn(random, dimensions, 0) } : {};
  const action = { ...tell(to, { body }), ...when };
  const more = random.chance(0.2) ? [tell(`more-${at}`, { name: 'more' })] : [];
  if (!notes && random.chance(0.12)) {
    const cancelOn = random.chance(0.4)
      ? { cancelOn: all(leaf('status', 'equal', random.pick([2, 3]))) }
      : {};
    return { escalate: { per: 'task', steps: [{ after: '8h', actions: [tell(to)] }], ...cancelOn } };
  }
  return { actions: [action, ...more] };
}

/** How the rules of a set come out with every event, as far as they listen to it. */
export class DeskTruth {
  private readonly outcomes = new Map<Rule, ReadonlyMap<string, readonly boolean[]>>();

  constructor(
    ruleSet: RuleSet,
    private readonly events: DeskSet['events'],
  ) {
    for (const one of ruleSet.rules)
      this.outcomes.set(
        one,
        new Map(this.typesOf(one).map((type) => [type, this.holds(one.conditions.tree, type)])),
      );
  }

  matchesSome(one: Rule): boolean {
    return this.all(one).some(Boolean);
  }

  matchesAll(one: Rule): boolean {
    return this.all(one).every(Boolean);
  }

  /** Whether the other matches whatever the one does. */
  within(one: Rule, other: Rule): boolean {
    const others = this.outcomes.get(other);
    return [...(this.outcomes.get(one) ?? [])].every(([type, outcomes]) => {
      const same = others?.get(type);
      return same !== undefined && outcomes.every((matched, at) => !matched || same[at] === true);
    });
  }

  overlap(one: Rule, other: Rule): boolean {
    const others = this.outcomes.get(other);
    return [...(this.outcomes.get(one) ?? [])].some(([type, outcomes]) =>
      outcomes.some((matched, at) => matched && others?.get(type)?.[at] === true),
    );
  }

  /** How conditions come out when a rule matches: both ways, or one. */
  whenMatched(one: Rule, tree: ConditionNode): { readonly some: boolean; readonly every: boolean } {
    const found = [...(this.outcomes.get(one) ?? [])].flatMap(([type, outcomes]) =>
      this.holds(tree, type).filter((_, at) => outcomes[at]),
    );
    return { some: found.some(Boolean), every: found.every(Boolean) };
  }

  /** Whether a task may come from an event that a rule matches to one that it surely does not, its status alone changing. */
  canChange(one: Rule): boolean {
    const conditions = compileConditions(one.conditions.tree);
    const sides = new Map<string, Set<string>>();
    for (const event of this.events.get(DESK_TASK) ?? []) {
      const rest = [...event].filter(
        ([fact]) => fact !== 'status' && !fact.startsWith('task.') && fact !== 'city',
      );
      const key = JSON.stringify(rest);
      const seen = sides.get(key) ?? new Set();
      sides.set(key, seen.add(conditions.evaluate(event, { now: 0 })));
    }
    return [...sides.values()].some((seen) => seen.has('yes') && seen.has('no'));
  }

  /** Whether a rule matches an event whose change of status is one that happens in order. */
  matchesInOrder(one: Rule): boolean {
    const forward = [undefined, '>1', '1>1', '1>2', '1>3', '2>2', '3>3'];
    return this.typesOf(one).some((type) =>
      (this.events.get(type) ?? []).some(
        (event, at) =>
          forward.includes(event.get('task.transition') as string | undefined) &&
          this.outcomes.get(one)?.get(type)?.[at] === true,
      ),
    );
  }

  private all(one: Rule): readonly boolean[] {
    return [...(this.outcomes.get(one)?.values() ?? [])].flat();
  }

  private typesOf(one: Rule): readonly string[] {
    return [...this.events.keys()].filter((type) => one.listensTo(type));
  }

  private holds(tree: ConditionNode, type: string): readonly boolean[] {
    const conditions = compileConditions(tree);
    return (this.events.get(type) ?? []).map((event) => conditions.evaluate(event, { now: 0 }) === 'yes');
  }
}
