import { placeholdersIn } from '../compiled-lookup.js';
import type { ConditionNode, FactPlace, LeafNode } from '../condition-tree.js';
import { isObject } from '../../events/own-member.js';
import { lookupFact, lookupPlaceOf } from '../lookup-name.js';
import type { Goal } from './answer.js';
import { holdsIn, type Inquiry } from './inquiry.js';
import type { ListenedType } from './listened-types.js';
import { actionsOf } from './placed-action.js';
import { type KnownRule, reportUndecided, toldOf } from './rule-questions.js';
import { type Search, searchTypes, witnessFor } from './type-search.js';
import type { Spot } from './finding-place.js';

/** Whether what the templates of a rule read can be there when they are rendered. */
export function askOfTemplates(inquiry: Inquiry, known: KnownRule): void {
  const { rule, match } = known;
  if (!match) return;
  const { digest } = rule;
  for (const { action, document, path, step } of actionsOf(rule)) {
    // What a digest has gathered is read as a list; when a step is due, the state has gone on.
    if (step !== null || digest !== null) continue;
    const when = action.when?.conditions ?? null;
    askOfText(inquiry, known, { text: document, path, what: `the action "${action.name}"`, when });
  }
  const item = rule.document.digest?.item;
  if (item !== undefined)
    askOfText(inquiry, known, {
      text: item,
      path: ['digest', 'item'],
      what: 'the item of the digest',
      when: null,
    });
}

interface Text {
  readonly text: unknown;
  readonly path: readonly PropertyKey[];
  readonly what: string;
  readonly when: KnownRule['rule']['conditions'] | null;
}

function askOfText(inquiry: Inquiry, known: KnownRule, { text, path, what, when }: Text): void {
  const { rule, match } = known;
  const trees = [rule.conditions.tree, ...(when ? [when.tree] : [])];
  for (const reads of requiredIn(text)) {
    const place = placeOf(reads);
    if (!place || !match) continue;
    // What the conditions say nothing of may be there whatever they say.
    const said = trees.some((tree) => mentions(tree, place.fact));
    const types = known.types.filter((type) => canBeThere(inquiry, type, place));
    if (!said && types.some(({ key }) => key === match.type.key) && !when) continue;
    const goals: readonly Goal[] = [
      ...trees.map((tree): Goal => ({ tree, want: 'yes' })),
      ...(said ? [{ tree: existence(place), want: 'yes' } as const] : []),
    ];
    const confirms: Parameters<typeof searchTypes>[3] = (model) =>
      holdsIn(rule.conditions, model) && (!when || holdsIn(when, model));
    const there: Search =
      types.length === 0 ? { told: 'none', core: [] } : searchTypes(inquiry, types, goals, confirms);
    inquiry.count('TEMPLATE_NEVER_THERE', toldOf(there));
    const spot: Spot = { kind: 'placeholder', path, reads };
    const written = reads.join('.');
    if (there.told === 'undecided')
      reportUndecided(
        inquiry,
        rule,
        spot,
        `whether {{ ${written} }} is there when ${what} of "${rule.name}" is sent`,
        there.reason,
      );
    if (there.told !== 'none') continue;
    const sent = when
      ? searchTypes(inquiry, known.types, goals.slice(0, trees.length), confirms)
      : { told: 'found' as const, ...match };
    // An action that is never sent has been told of already.
    if (sent.told !== 'found') continue;
    const witness = witnessFor(inquiry, rule, sent);
    inquiry.report({
      code: 'TEMPLATE_NEVER_THERE',
      severity: 'warning',
      rule,
      spot,
      ...(witness ? { witness } : {}),
      message: `{{ ${written} }} is never there when ${what} of "${rule.name}" is sent: each of its deliveries would be dead`,
      mend: 'Read another value, or write | default: "…" behind it.',
    });
  }
}

/** The paths that a text cannot be rendered without, each once. */
function requiredIn(text: unknown): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  const visit = (one: unknown): void => {
    if (typeof one === 'string') {
      for (const { path, filters } of placeholdersIn(one))
        if (!filters.some(({ name }) => name === 'default')) found.set(path.join('\u0000'), path);
    } else if (Array.isArray(one)) one.forEach(visit);
    else if (isObject(one)) Object.values(one).forEach(visit);
  };
  // Conditions are no texts of an action.
  visit(isObject(text) ? { ...text, when: undefined } : text);
  return [...found.values()];
}

/** The place among the facts that a template reads; null: it reads nothing that conditions could read too. */
function placeOf([root = '', name = '', ...rest]: readonly string[]): Pick<
  FactPlace,
  'fact' | 'path'
> | null {
  switch (root) {
    case 'event':
      return { fact: name, path: rest.length > 0 ? rest : null };
    case 'task':
    case 'node':
    case 'process':
      return rest.length > 0 ? null : { fact: `${root}.${name}`, path: null };
    case 'lookup':
      return { fact: lookupFact(name), path: rest.length > 0 ? rest : null };
    default:
      return null;
  }
}

function existence({ fact, path }: Pick<FactPlace, 'fact' | 'path'>): LeafNode {
  return {
    kind: 'leaf',
    name: null,
    fact,
    path,
    timeFormat: 'date-time',
    operator: 'exists',
    value: true,
    other: null,
  };
}

/** Whether events of a type may have the place at all, by the catalogue. */
function canBeThere(
  { ruleSet }: Inquiry,
  { eventType, entry }: ListenedType,
  { fact, path }: Pick<FactPlace, 'fact' | 'path'>,
): boolean {
  if (!entry || eventType === null || entry.more || lookupPlaceOf(fact)) return true;
  const field = ruleSet.fieldOf(eventType, fact);
  if (!field) return false;
  return path === null || field.type === 'object' || field.type === 'array';
}

function mentions(node: ConditionNode, fact: string): boolean {
  if (node.kind === 'not') return mentions(node.child, fact);
  if (node.kind !== 'leaf') return node.children.some((child) => mentions(child, fact));
  return node.fact === fact || node.other?.fact === fact;
}
