import { compileAction, type ReportProblem } from '../action/action.js';
import { type ActionDocument, undoOf } from '../action/action-document.js';
import { type Catalogue, type FieldDefinition, matchesPattern } from '../events/catalogue.js';
import type { WorkCalendar } from './calendar/work-calendar.js';
import type { CheckedRule } from './check/check-files.js';
import { mayBeLast, rootOf } from './state/levels.js';
import { compileTiming } from './compile-timing.js';
import { CompiledConditions, type PlaceTable } from './compiled-conditions.js';
import { type CompiledLookup, lookupsIn, pathsIn } from './compiled-lookup.js';
import type { ConditionDocument } from './condition-document.js';
import { buildTree, type ConditionNode, type FactPlace, type TimeFormatOf } from './condition-tree.js';
import { Confirmation } from './confirmation.js';
import { fieldWithin } from './known-field.js';
import { lookupPlaceOf } from './lookup-name.js';
import { type RuleAction, whenOf } from './rule-action.js';
import type { Rule, RuleLookups } from './rule-set.js';
import { fieldOfFact } from './state/fact-fields.js';
import { STATE_FACTS, stateFieldOf } from './state/fact-fields.js';
import { isStateFact } from './state/fact-names.js';
import { SCHEDULE_TYPE } from './rule-timing.js';
import { RuleSetError } from './rules.errors.js';

/** What the rules of a set share. */
export interface RuleParts {
  /** The named conditions. */
  readonly named: ReadonlyMap<string, ConditionDocument>;
  readonly catalogue: Catalogue;
  readonly lookups: ReadonlyMap<string, CompiledLookup>;
  readonly places: PlaceTable;
  readonly calendars: ReadonlyMap<string, WorkCalendar>;
}

/**
 * Compiles one sound rule.
 *
 * @throws RuleSetError when something of it cannot be compiled: the check would have said so
 */
export function compileRule(document: CheckedRule, parts: RuleParts): Rule {
  const { named, catalogue, lookups, places, calendars } = parts;
  const timeFormatOf = timeFormats(typesRead(document, catalogue), catalogue, lookups);
  const tree = buildTree(document.conditions, named, timeFormatOf);
  const conditions = (own: ConditionDocument): CompiledConditions =>
    new CompiledConditions(buildTree(own, named, timeFormatOf), places);
  const actions = (documents: readonly ActionDocument[]): Rule['actions'] =>
    documents.map((action) => {
      const when = whenOf(action);
      const undo = undoOf(action);
      const broken: ReportProblem = (_at, code, message) => {
        throw new RuleSetError('RULE_SET_UNREADABLE', `rule "${document.name}": ${code}: ${message}`);
      };
      return {
        ...compileAction(action, broken),
        undo: undo && compileAction(undo, broken),
        when: when && {
          conditions: conditions(when),
          confirmation: new Confirmation(when, named, timeFormatOf),
        },
        order: action.order === 'task' || action.order === 'process' ? action.order : null,
      };
    });
  const timing = compileTiming(document, { actions, conditions, calendars });
  const own = actions(document.actions);
  const steps = timing.escalation?.steps.flatMap((step) => step.actions) ?? [];
  const trees = [
    tree,
    ...(timing.escalation?.cancelOn ? [timing.escalation.cancelOn.tree] : []),
    ...treesOf([...own, ...steps]),
  ];
  return {
    ...timing,
    readsClock: trees.some((one) => factsOf(one).some(({ fact }) => fact.startsWith('now.'))),
    stateReads: stateReads(document, trees.flatMap(factsOf)),
    name: document.name,
    description: document.description ?? null,
    owner: document.owner ?? null,
    labels: document.labels ?? {},
    enabled: document.enabled,
    mode: document.mode ?? 'live',
    shadowOf: document.shadowOf ?? null,
    effective: document.effective ?? null,
    priority: document.priority,
    trigger: document.trigger,
    file: document.file,
    line: document.line,
    document,
    conditions: new CompiledConditions(tree, places),
    confirmation: new Confirmation(document.conditions, named, timeFormatOf),
    actions: own,
    lookups:
      lookups.size === 0 ? null : lookupsOf(document, tree, { own: treesOf(own), steps: treesOf(steps) }),
    listensTo: (eventType) => listens(document, eventType),
  };
}

/** The conditions that actions have of their own. */
function treesOf(actions: readonly RuleAction[]): readonly ConditionNode[] {
  return actions.flatMap(({ when }) => when?.conditions.tree ?? []);
}

/** The facts of the state that conditions, keys and templates read; of what a digest gathers, all may be read. */
function stateReads(
  { actions, escalate, digest, throttle }: CheckedRule,
  places: readonly FactPlace[],
): ReadonlySet<string> {
  if (digest !== undefined) return new Set(STATE_FACTS);
  const written = pathsIn([actions, escalate?.steps]).map(([root = '', name = '']) => `${root}.${name}`);
  const read = [
    ...places.map(({ fact }) => fact),
    ...written,
    ...(throttle?.key === undefined ? [] : [throttle.key]),
  ];
  return new Set(read.filter(isStateFact));
}

/** A turn of a schedule is the business of its rule alone, whatever patterns others have. */
function listens({ schedule, trigger }: CheckedRule, eventType: string): boolean {
  if (eventType === SCHEDULE_TYPE) return schedule !== undefined;
  return trigger.some((pattern) => matchesPattern(pattern, eventType));
}

function lookupsOf(
  { actions, digest, throttle, escalate }: CheckedRule,
  tree: ConditionNode,
  /** What actions ask before they are asked for. */
  whens: { readonly own: readonly ConditionNode[]; readonly steps: readonly ConditionNode[] },
): RuleLookups | null {
  const templates = new Set([...lookupsIn([actions, digest?.item]), ...whens.own.flatMap(lookupsRead)]);
  for (const key of [digest?.key, throttle?.key]) {
    const name = key === undefined ? undefined : lookupPlaceOf(key)?.name;
    if (name !== undefined) templates.add(name);
  }
  const all: RuleLookups = {
    conditions: new Set(lookupsRead(tree)),
    templates,
    steps: new Set([...lookupsIn(escalate?.steps), ...whens.steps.flatMap(lookupsRead)]),
  };
  return Object.values(all).some(({ size }: ReadonlySet<string>) => size > 0) ? all : null;
}

function lookupsRead(tree: ConditionNode): readonly string[] {
  return factsOf(tree).flatMap(({ fact }) => lookupPlaceOf(fact)?.name ?? []);
}

/** Every fact that conditions read. */
function factsOf(tree: ConditionNode): FactPlace[] {
  const found: FactPlace[] = [];
  const visit = (node: ConditionNode): void => {
    if (node.kind === 'not') visit(node.child);
    else if (node.kind !== 'leaf') node.children.forEach(visit);
    else found.push(node, ...(node.other ? [node.other] : []));
  };
  visit(tree);
  return found;
}

/** The event types whose fields a rule reads: those it listens to first, then what else cancels its escalation. */
function typesRead({ trigger, schedule, escalate }: CheckedRule, catalogue: Catalogue): readonly string[] {
  const entries = schedule
    ? catalogue.entries.filter((entry) => mayBeLast(entry, schedule.over))
    : trigger.flatMap((pattern) => catalogue.matching(pattern));
  const roots = new Set(escalate?.cancelOn ? entries.map(rootOf) : []);
  const others = roots.size === 0 ? [] : catalogue.entries.filter((entry) => roots.has(rootOf(entry)));
  return [...entries, ...others].map(({ eventType }) => eventType);
}

/** How event types write the times of a place: the first that says so; ISO 8601 when none does. */
function timeFormats(
  types: readonly string[],
  catalogue: Catalogue,
  lookups: ReadonlyMap<string, CompiledLookup>,
): TimeFormatOf {
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
    if (isStateFact(fact)) return stateFieldOf(catalogue, null, fact)?.format ?? 'date-time';
    for (const eventType of types.length > 0 ? types : ['']) {
      const format = formatIn(fieldOfFact(catalogue, eventType, fact), path ?? []);
      if (format) return format;
    }
    return 'date-time';
  };
}
