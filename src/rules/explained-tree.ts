import { ENVELOPE_FIELDS, type FieldDefinition, type Label } from '../events/catalogue.js';
import { ownAt } from '../events/own-member.js';
import type { Outcome, TracedLeaf, TracedNode } from './compiled-conditions.js';
import type { Place } from './fact-change.js';
import { fieldWithin, type KnownField } from './known-field.js';
import { DECORATORS, parseOperator } from './operators.js';
import type { RuleSet } from './rule-set.js';
import { isStateFact } from './state/fact-names.js';

/** What is known of facts: a rule set, or the catalogue alone. */
type KnownFields = Pick<RuleSet, 'fieldOf'>;

/** What the catalogue calls a value; of a list, each element, when it knows one of them at least. */
export type ValueLabel = Label | readonly (Label | null)[] | null;

/** A leaf with what came out, in the words of the catalogue. Values are as they are in the event and the rule file. */
export interface ExplainedLeaf {
  readonly kind: 'leaf';
  /** Its own name, or that of the named condition which it is. */
  readonly name: string | null;
  readonly outcome: Outcome | 'error';
  /** Which child of which, from the root, counted from 0; the one child of `not` is 0. */
  readonly position: readonly number[];
  readonly fact: string;
  readonly path: readonly string[] | null;
  readonly operator: string;
  /** The fact that it is compared with. */
  readonly other: { readonly fact: string; readonly path: readonly string[] | null } | null;
  /** undefined, and absent from JSON: the fact is missing. */
  readonly actual: unknown;
  /** The literal, or the other fact's value; undefined, and absent from JSON: that is missing. */
  readonly expected: unknown;
  readonly error: string | null;
  /** What the rule needs here: false under `not`. */
  readonly mustHold: boolean;
  /** The outcome has a part in it that the rule did not fire. */
  readonly failing: boolean;
  /** The catalogue marks the field, or what it stands in, as personal: to be masked for viewers. */
  readonly personal: boolean;
  readonly labels: {
    readonly field: Label | null;
    readonly operator: Label;
    readonly other: Label | null;
    readonly actual: ValueLabel;
    readonly expected: ValueLabel;
  };
}

export type ExplainedNode =
  | {
      readonly kind: 'all' | 'any';
      readonly name: string | null;
      readonly outcome: Outcome | 'error';
      readonly children: readonly ExplainedNode[];
    }
  | {
      readonly kind: 'not';
      readonly name: string | null;
      readonly outcome: Outcome | 'error';
      readonly child: ExplainedNode;
    }
  | ExplainedLeaf;

/**
 * The leaves that have a part in the outcome not being yes, all at once: of `all` those of every child that does not
 * hold, of `any` those of all children, under `not` those that hold. Whatever else holds, the outcome is yes when
 * each of them comes out the other way; and an error anywhere is the rule's error.
 */
export function failingIn(tree: TracedNode): ReadonlyMap<TracedLeaf, boolean> {
  const found = new Map<TracedLeaf, boolean>();
  const visit = (node: TracedNode, want: 'yes' | 'no'): void => {
    if (node.outcome === want) return;
    if (node.kind === 'leaf') found.set(node, want === 'yes');
    else if (node.kind === 'not') visit(node.child, want === 'yes' ? 'no' : 'yes');
    else for (const child of node.children) visit(child, want);
  };
  visit(tree, 'yes');
  if (tree.outcome !== 'no') addErrors(tree, true, found);
  return found;
}

function addErrors(node: TracedNode, mustHold: boolean, found: Map<TracedLeaf, boolean>): void {
  if (node.kind === 'not') addErrors(node.child, !mustHold, found);
  else if (node.kind !== 'leaf') for (const child of node.children) addErrors(child, mustHold, found);
  else if (node.outcome === 'error') found.set(node, mustHold);
}

/** The tree with the catalogue's words. */
export function explainTree(
  tree: TracedNode,
  failing: ReadonlyMap<TracedLeaf, boolean>,
  known: KnownFields,
  eventType: string,
): ExplainedNode {
  const describe = (node: TracedNode, position: readonly number[], mustHold: boolean): ExplainedNode => {
    const { kind, name, outcome } = node;
    if (kind === 'not')
      return { kind, name, outcome, child: describe(node.child, [...position, 0], !mustHold) };
    if (kind !== 'leaf')
      return {
        kind,
        name,
        outcome,
        children: node.children.map((child, at) => describe(child, [...position, at], mustHold)),
      };
    const field = fieldAt(known, eventType, node);
    const otherField = node.other ? fieldAt(known, eventType, node.other) : field;
    return {
      kind,
      name,
      outcome,
      position,
      fact: node.fact,
      path: node.path,
      operator: node.operator,
      other: node.other && { fact: node.other.fact, path: node.other.path },
      actual: node.actual,
      expected: node.expected,
      error: node.error,
      mustHold,
      failing: failing.has(node),
      personal: field.personal || otherField.personal,
      labels: {
        field: field.definition?.label ?? null,
        operator: operatorLabel(node.operator),
        other: node.other ? (otherField.definition?.label ?? null) : null,
        actual: labelOf(field.definition, node.actual),
        expected: labelOf(otherField.definition, node.expected),
      },
    };
  };
  return describe(tree, [], true);
}

/** The leaves of a tree that are failing, from left to right. */
export function failingLeaves(node: ExplainedNode): readonly ExplainedLeaf[] {
  if (node.kind === 'leaf') return node.failing ? [node] : [];
  return node.kind === 'not' ? failingLeaves(node.child) : node.children.flatMap(failingLeaves);
}

/** What is known of a place, and whether that or what it stands in is personal. */
export function fieldAt(known: KnownFields, eventType: string, { fact, path }: Place): KnownField {
  return fieldWithin(known.fieldOf(eventType, fact), path ?? []);
}

/** What the catalogue calls a value of a field. */
export function labelOf(field: FieldDefinition | null, value: unknown): ValueLabel {
  const one = (element: unknown): Label | null =>
    (field?.items ?? field)?.enum?.find((known) => known.value === element)?.label ?? null;
  if (!Array.isArray(value)) return one(value);
  const labels = (field?.items ?? field)?.enum ? value.map(one) : [];
  return labels.some((label) => label !== null) ? labels : null;
}

/** Natural values of a place: those that the catalogue has labels for, newer ones last, and that of its sample. */
export function preferredAt(ruleSet: RuleSet, eventType: string, place: Place): readonly unknown[] {
  const { definition } = fieldAt(ruleSet, eventType, place);
  const known = (definition?.items ?? definition)?.enum ?? [];
  const ordered = [...known].sort((a, b) => Number(a.newer ?? false) - Number(b.newer ?? false));
  const values: unknown[] = ordered.map(({ value }) => value);
  if (Object.hasOwn(ENVELOPE_FIELDS, place.fact) || isStateFact(place.fact)) return values;
  const field = place.fact.startsWith('event.') ? place.fact.slice('event.'.length) : place.fact;
  const sample = ownAt(ruleSet.catalogue.find(eventType)?.sample, [field, ...(place.path ?? [])]);
  return sample === undefined ? values : [...values, sample];
}

/** `every element: not: is`; an operator that does not exist stands for itself. */
function operatorLabel(operator: string): Label {
  const parsed = parseOperator(operator);
  if (!parsed) return { zh: operator, en: operator };
  const decorators = parsed.decorators.map((name) => DECORATORS.find((one) => one.name === name)?.label);
  const labels = [...decorators.filter((label) => label !== undefined), parsed.base.label];
  return {
    zh: labels.map(({ zh }) => zh).join('：'),
    en: labels.map(({ en }) => en).join(': '),
  };
}
