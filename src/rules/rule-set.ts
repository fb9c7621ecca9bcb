import { type Action, compileAction } from '../action/action.js';
import { type Catalogue, type FieldDefinition, matchesPattern } from '../events/catalogue.js';
import type { CheckedFiles, CheckedRule } from './check/check-files.js';
import { CompiledConditions, PlaceTable } from './compiled-conditions.js';
import { type CompiledLookup, compileLookup, lookupsIn } from './compiled-lookup.js';
import type { ConditionDocument } from './condition-document.js';
import { buildTree, type ConditionNode, type TimeFormatOf } from './condition-tree.js';
import { Confirmation } from './confirmation.js';
import type { EffectiveDocument } from './effective.js';
import { fieldWithin } from './known-field.js';
import type { LookupDocument } from './lookup-document.js';
import { lookupPlaceOf } from './lookup-name.js';
import { RuleIndex } from './rule-index.js';
import { RuleSetError } from './rules.errors.js';
import type { RuleTiming } from './rule-timing.js';
import type { WorkCalendar } from './calendar/work-calendar.js';

export interface Rule extends RuleTiming {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
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
  readonly actions: readonly Action[];
  /** The look-ups that its conditions and the templates of its actions read; null: neither reads any. */
  readonly lookups: RuleLookups | null;
  /** Whether the rule listens to an event type. */
  listensTo(eventType: string): boolean;
}

/** Names of look-ups. */
export interface RuleLookups {
  readonly conditions: ReadonlySet<string>;
  readonly templates: ReadonlySet<string>;
}

/** How many rules listen to an event type, and which of them do not apply always. */
export interface Listeners {
  readonly count: number;
  readonly disabled: readonly Rule[];
  /** Those that apply for a time only. */
  readonly temporary: readonly Rule[];
  /** Whether one of them reads a look-up. */
  readonly asking: boolean;
}

/** All rules of one folder, checked and compiled as a whole. */
export class RuleSet {
  private readonly listeners = new Map<string, Listeners>();

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
  ) {}

  /** The same set under the hash that it was activated with, when an older version made that otherwise. */
  named(hash: string): RuleSet {
    const { rules, catalogue, conditions, index, places, lookups, calendars } = this;
    return new RuleSet(hash, rules, catalogue, conditions, index, places, lookups, calendars);
  }

  /** What is known of a fact of an event: by the catalogue, or of a look-up's answer. */
  fieldOf(eventType: string, fact: string): FieldDefinition | null {
    const place = lookupPlaceOf(fact);
    if (!place) return this.catalogue.fieldOf(eventType, fact);
    return fieldWithin(this.lookups.get(place.name)?.shape.field ?? null, place.members).definition;
  }

  listenersOf(eventType: string): Listeners {
    const known = this.listeners.get(eventType);
    if (known) return known;
    const listening = this.rules.filter((rule) => rule.listensTo(eventType));
    const found = {
      count: listening.length,
      disabled: listening.filter(({ enabled }) => !enabled),
      asking: listening.some(({ lookups }) => lookups !== null),
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
): Promise<RuleSet> {
  const catalogue = builtIn.with(checked.catalogue);
  const named = new Map<string, ConditionDocument>(Object.entries(checked.conditions));
  const documents = [...checked.rules].sort(inOrder);
  const lookups = compileLookups(checked.lookups);
  const places = new PlaceTable();
  const index = new RuleIndex(places);
  const eventType = places.numberOf({ fact: 'event_type', path: null, timeFormat: 'date-time' });
  const rules: Rule[] = [];
  let sliceBegan = performance.now();
  for (const document of documents) {
    const rule = compileRule(document, named, catalogue, lookups, places);
    if (rule.enabled) {
      const exact = rule.trigger.every((one) => !one.includes('*'));
      index.add(
        rules.length,
        rule.conditions.tree,
        new Map(exact ? [[eventType, new Set(rule.trigger)]] : []),
      );
    }
    rules.push(rule);
    if (performance.now() - sliceBegan > SLICE_MS) {
      await new Promise(setImmediate);
      sliceBegan = performance.now();
    }
  }
  return new RuleSet(hash, rules, catalogue, named, index, places, lookups);
}

function compileLookups(documents: CheckedFiles['lookups']): ReadonlyMap<string, CompiledLookup> {
  const compiled = Object.entries(documents).map(([name, document]: [string, LookupDocument]) =>
    compileLookup(name, document, (_at, code, message) => {
      throw new RuleSetError('RULE_SET_UNREADABLE', `look-up "${name}": ${code}: ${message}`);
    }),
  );
  return new Map(compiled.map((one) => [one.name, one]));
}

function compileRule(
  document: CheckedRule,
  named: ReadonlyMap<string, ConditionDocument>,
  catalogue: Catalogue,
  lookups: ReadonlyMap<string, CompiledLookup>,
  places: PlaceTable,
): Rule {
  const timeFormatOf = timeFormats(document.trigger, catalogue, lookups);
  const tree = buildTree(document.conditions, named, timeFormatOf);
  return {
    ...timingOf(),
    name: document.name,
    description: document.description ?? null,
    owner: document.owner ?? null,
    labels: document.labels ?? {},
    enabled: document.enabled,
    effective: document.effective ?? null,
    priority: document.priority,
    trigger: document.trigger,
    file: document.file,
    line: document.line,
    document,
    conditions: new CompiledConditions(tree, places),
    confirmation: new Confirmation(document.conditions, named, timeFormatOf),
    actions: document.actions.map((action) =>
      compileAction(action, (_at, code, message) => {
        throw new RuleSetError('RULE_SET_UNREADABLE', `rule "${document.name}": ${code}: ${message}`);
      }),
    ),
    lookups: lookups.size === 0 ? null : lookupsOf(tree, document),
    listensTo: (eventType) => document.trigger.some((pattern) => matchesPattern(pattern, eventType)),
  };
}

function lookupsOf(tree: ConditionNode, { actions }: CheckedRule): RuleLookups | null {
  const conditions = new Set<string>();
  const visit = (node: ConditionNode): void => {
    if (node.kind === 'not') visit(node.child);
    else if (node.kind !== 'leaf') node.children.forEach(visit);
    else {
      for (const place of [node, node.other]) {
        const name = place && lookupPlaceOf(place.fact)?.name;
        if (name) conditions.add(name);
      }
    }
  };
  visit(tree);
  const templates = lookupsIn(actions);
  return conditions.size + templates.size === 0 ? null : { conditions, templates };
}

/** How the event types of a rule write the times of a place: the first that says so; ISO 8601 when none does. */
function timeFormats(
  trigger: readonly string[],
  catalogue: Catalogue,
  lookups: ReadonlyMap<string, CompiledLookup>,
): TimeFormatOf {
  const types = trigger.flatMap((pattern) => catalogue.matching(pattern).map(({ eventType }) => eventType));
  const formatIn = (field: FieldDefinition | null, path: readonly string[]): FieldDefinition['format'] => {
    const { definition } = fieldWithin(field, path);
    return (definition?.items ?? definition)?.format;
  };
  return (fact, path) => {
    const lookup = lookupPlaceOf(fact);
    if (lookup) {
      const field = lookups.get(lookup.name)?.shape.field ?? null;
      return formatIn(field, [...lookup.members, ...(path ?? [])]) ?? 'date-time';
    }
    for (const eventType of types.length > 0 ? types : ['']) {
      const format = formatIn(catalogue.fieldOf(eventType, fact), path ?? []);
      if (format) return format;
    }
    return 'date-time';
  };
}

function timingOf(): RuleTiming {
  return {
    oncePer: 'event',
    settleMs: 86_400_000,
    throttle: null,
    digest: null,
    quietHours: null,
    schedule: null,
    escalation: null,
    calendar: null,
    timezone: null,
    readsClock: false,
  };
}
