import type { TargetLimit } from '../action/target-limits.js';
import type { Catalogue, FieldDefinition } from '../events/catalogue.js';
import type { CheckedFiles, CheckedRule } from './check/check-files.js';
import { compileRule } from './compile-rule.js';
import { type CompiledConditions, PlaceTable } from './compiled-conditions.js';
import { type CompiledLookup, compileLookup } from './compiled-lookup.js';
import type { ConditionDocument } from './condition-document.js';
import type { FactPlace } from './condition-tree.js';
import type { Confirmation } from './confirmation.js';
import type { EffectiveDocument } from './effective.js';
import { fieldWithin } from './known-field.js';
import type { LookupDocument } from './lookup-document.js';
import { lookupPlaceOf } from './lookup-name.js';
import { compileOwners, type Owners } from './owners.js';
import type { RuleAction } from './rule-action.js';
import { RuleIndex } from './rule-index.js';
import { fieldOfFact } from './state/fact-fields.js';
import { RuleSetError } from './rules.errors.js';
import type { RuleTiming } from './rule-timing.js';
import type { RuleMode } from './shadow.js';
import { type CalendarDocuments, loadShippedCalendars } from './calendar/shipped-calendars.js';
import { WorkCalendar } from './calendar/work-calendar.js';

export interface Rule extends RuleTiming {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly mode: RuleMode;
  /** The rule that one in shadow mode is compared with; null: none. */
  readonly shadowOf: string | null;
  /** When it applies; null: always. */
  readonly effective: EffectiveDocument | null;
  readonly priority: number;
  /** Event types and patterns. */
  readonly trigger: readonly string[];
  /** Where it stands in the rules folder. */
  readonly file: string;
  readonly line: number;
  /** As the loader has read it. */
  readonly document: CheckedRule;
  /** The first key: compiled predicates. */
  readonly conditions: CompiledConditions;
  /** The second key: json-rules-engine. */
  readonly confirmation: Confirmation;
  readonly actions: readonly RuleAction[];
  /** The look-ups that its conditions and templates read; null: none. */
  readonly lookups: RuleLookups | null;
  /** Whether the rule listens to an event type. */
  listensTo(eventType: string): boolean;
}

/** Names of look-ups. */
export interface RuleLookups {
  readonly conditions: ReadonlySet<string>;
  /** Of its actions, and what the keys and the items of a throttle or digest read: needed when it matches. */
  readonly templates: ReadonlySet<string>;
  /** Of the actions of its steps: needed when one is due. */
  readonly steps: ReadonlySet<string>;
}

/** How many rules listen to an event type, and which of them do not apply always. */
export interface Listeners {
  readonly count: number;
  readonly disabled: readonly Rule[];
  /** Those that apply for a time only. */
  readonly temporary: readonly Rule[];
  /** Whether one of them that is live reads a look-up. */
  readonly asking: boolean;
}

/** All rules of one folder, checked and compiled as a whole. */
export class RuleSet {
  private readonly listeners = new Map<string, Listeners>();
  private readonly byName: ReadonlyMap<string, Rule>;
  /** Names of the facts of the state that rules read: only those are recorded. */
  readonly stateReads: ReadonlySet<string>;

  constructor(
    /** Content hash over the files and the catalogue: the version that evaluations name. */
    readonly hash: string,
    /** Highest priority first, then by name. */
    readonly rules: readonly Rule[],
    /** With the event types of the rules folder. */
    readonly catalogue: Catalogue,
    /** The named conditions. */
    readonly conditions: ReadonlyMap<string, ConditionDocument>,
    readonly index: RuleIndex,
    readonly places: PlaceTable,
    /** By name. Empty: no event ever waits for an answer. */
    readonly lookups: ReadonlyMap<string, CompiledLookup>,
    /** By name: the product's own and those of the rules folder. */
    readonly calendars: ReadonlyMap<string, WorkCalendar> = new Map(),
    /** Whom notices go to. */
    readonly owners: Owners = new Map(),
    /** What targets are spared. */
    readonly targetLimits: readonly TargetLimit[] = [],
  ) {
    this.byName = new Map(rules.map((rule) => [rule.name, rule]));
    this.stateReads = new Set(rules.flatMap(({ stateReads }) => [...stateReads]));
  }

  ruleOf(name: string): Rule | undefined {
    return this.byName.get(name);
  }

  /** The same set under the hash that it was activated with, when an older version made that otherwise. */
  named(hash: string): RuleSet {
    return this.withOther({ hash });
  }

  /** A set of these rules alone, which are of this set or made of its own; everything else is shared with it. */
  withRules(rules: readonly Rule[]): RuleSet {
    const index = new RuleIndex(this.places);
    const eventType = this.places.numberOf(EVENT_TYPE);
    for (const [number, rule] of rules.entries()) addToIndex(index, number, rule, eventType);
    return this.withOther({ rules, index });
  }

  /** The same set in which rules in shadow mode are live ones: for tests of rules, which send nothing anyway. */
  withShadowsLive(): RuleSet {
    if (this.rules.every(({ mode }) => mode === 'live')) return this;
    return this.withRules(this.rules.map((rule): Rule => ({ ...rule, mode: 'live' })));
  }

  private withOther({
    hash = this.hash,
    rules = this.rules,
    index = this.index,
  }: Partial<Pick<RuleSet, 'hash' | 'rules' | 'index'>>): RuleSet {
    const { catalogue, conditions, places, lookups, calendars, owners, targetLimits } = this;
    return new RuleSet(
      hash,
      rules,
      catalogue,
      conditions,
      index,
      places,
      lookups,
      calendars,
      owners,
      targetLimits,
    );
  }

  /** What is known of a fact of an event: by the catalogue, of the state, or of a look-up's answer. */
  fieldOf(eventType: string, fact: string): FieldDefinition | null {
    const place = lookupPlaceOf(fact);
    if (!place) return fieldOfFact(this.catalogue, eventType, fact);
    return fieldWithin(this.lookups.get(place.name)?.shape.field ?? null, place.members).definition;
  }

  listenersOf(eventType: string): Listeners {
    const known = this.listeners.get(eventType);
    if (known) return known;
    const listening = this.rules.filter((rule) => rule.listensTo(eventType));
    const found = {
      count: listening.length,
      disabled: listening.filter(({ enabled }) => !enabled),
      asking: listening.some(({ lookups, mode }) => lookups !== null && mode === 'live'),
      temporary: listening.filter(({ enabled, effective }) => enabled && effective !== null),
    };
    // Event types come from outside: their number has a bound here too.
    if (this.listeners.size >= 1000) this.listeners.clear();
    this.listeners.set(eventType, found);
    return found;
  }
}

/** Highest priority first, then by name: the order of verdicts and deliveries. */
export function inOrder(
  a: { readonly name: string; readonly priority: number },
  b: { readonly name: string; readonly priority: number },
): number {
  return b.priority - a.priority || (a.name < b.name ? -1 : 1);
}

const SLICE_MS = 4;

/**
 * Compiles sound documents. The work is done in slices, so that a service with ten thousand rules goes on answering
 * meanwhile.
 *
 * @throws RuleSetError when an action cannot be compiled: the check would have said so
 */
export async function buildRuleSet(
  hash: string,
  checked: CheckedFiles,
  builtIn: Catalogue,
  shipped: CalendarDocuments = loadShippedCalendars(),
): Promise<RuleSet> {
  const catalogue = builtIn.with(checked.catalogue);
  const named = new Map<string, ConditionDocument>(Object.entries(checked.conditions));
  const documents = [...checked.rules].sort(inOrder);
  const lookups = compileLookups(checked.lookups);
  const places = new PlaceTable();
  const index = new RuleIndex(places);
  const eventType = places.numberOf(EVENT_TYPE);
  const calendars = compileCalendars({ ...shipped, ...checked.calendars });
  const parts = { named, catalogue, lookups, places, calendars };
  const rules: Rule[] = [];
  let sliceBegan = performance.now();
  for (const document of documents) {
    const rule = compileRule(document, parts);
    addToIndex(index, rules.length, rule, eventType);
    rules.push(rule);
    if (performance.now() - sliceBegan > SLICE_MS) {
      await new Promise(setImmediate);
      sliceBegan = performance.now();
    }
  }
  return new RuleSet(
    hash,
    rules,
    catalogue,
    named,
    index,
    places,
    lookups,
    calendars,
    compileOwners(checked.owners),
    checked.targetLimits,
  );
}

const EVENT_TYPE: FactPlace = { fact: 'event_type', path: null, timeFormat: 'date-time' };

function addToIndex(index: RuleIndex, number: number, rule: Rule, eventType: number): void {
  // The turns of a schedule are no events that a rule is picked for.
  if (!rule.enabled || rule.schedule) return;
  const exact = rule.trigger.every((one) => !one.includes('*'));
  index.add(number, rule.conditions.tree, new Map(exact ? [[eventType, new Set(rule.trigger)]] : []));
}

function compileCalendars(documents: CalendarDocuments): ReadonlyMap<string, WorkCalendar> {
  return new Map(Object.entries(documents).map(([name, document]) => [name, new WorkCalendar(document)]));
}

function compileLookups(documents: CheckedFiles['lookups']): ReadonlyMap<string, CompiledLookup> {
  const compiled = Object.entries(documents).map(([name, document]: [string, LookupDocument]) =>
    compileLookup(name, document, (_at, code, message) => {
      throw new RuleSetError('RULE_SET_UNREADABLE', `look-up "${name}": ${code}: ${message}`);
    }),
  );
  return new Map(compiled.map((one) => [one.name, one]));
}
