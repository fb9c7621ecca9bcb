import { isObject } from '../../events/own-member.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';
import type { Rule } from '../rule-set.js';

/** What rules name of the values of events: a stand-in for it would make them decide otherwise. */
export interface KeptValues {
  /** Texts and numbers. */
  readonly values: ReadonlySet<unknown>;
  /** Of texts. */
  readonly starts: readonly string[];
  readonly ends: readonly string[];
  readonly within: readonly string[];
}

/** What of one text must stay. Empty: nothing. */
export interface KeptParts {
  readonly start: string;
  readonly end: string;
  readonly within: string;
}

/** Everything that the literals of some rules name: of their conditions, and the domains that mail may go to. */
export function keptBy(rules: Iterable<Rule>): KeptValues {
  const values = new Set<unknown>();
  const starts: string[] = [];
  const ends: string[] = [];
  const within: string[] = [];
  const take = ({ operator, value, other }: LeafNode): void => {
    if (other !== null) return;
    const name = operator.split(':').at(-1) ?? '';
    if (typeof value === 'string' && name === 'startsWith') starts.push(value);
    else if (typeof value === 'string' && name === 'endsWith') ends.push(value);
    else if (typeof value === 'string' && name === 'containsText') within.push(value);
    else leavesIn(value, values);
  };
  for (const rule of rules) {
    const actions = [...rule.actions, ...(rule.escalation?.steps ?? []).flatMap((step) => step.actions)];
    const conditions = [
      rule.conditions,
      rule.escalation?.cancelOn ?? null,
      ...actions.map(({ when }) => when?.conditions ?? null),
    ];
    for (const one of conditions) if (one) eachLeaf(one.tree, take);
    ends.push(...domainsIn(rule.document).map((domain) => `@${domain}`));
  }
  return { values, starts, ends, within };
}

/** What of a text a literal names: the longest that fits of each kind. */
export function keptPartsOf({ starts, ends, within }: KeptValues, text: string): KeptParts {
  const longest = (parts: readonly string[], fits: (part: string) => boolean): string =>
    parts.filter((part) => part !== '' && fits(part)).sort((a, b) => b.length - a.length)[0] ?? '';
  return {
    start: longest(starts, (part) => text.startsWith(part)),
    end: longest(ends, (part) => text.toLowerCase().endsWith(part.toLowerCase())),
    within: longest(within, (part) => text.includes(part)),
  };
}

function eachLeaf(node: ConditionNode, take: (leaf: LeafNode) => void): void {
  if (node.kind === 'leaf') take(node);
  else if (node.kind === 'not') eachLeaf(node.child, take);
  else for (const child of node.children) eachLeaf(child, take);
}

function leavesIn(value: unknown, into: Set<unknown>): void {
  if (typeof value === 'string' || typeof value === 'number') into.add(value);
  else if (Array.isArray(value)) for (const one of value) leavesIn(one, into);
  else if (isObject(value)) for (const one of Object.values(value)) leavesIn(one, into);
}

/** The lists under `allowRecipientFromEvent`, wherever actions stand. */
function domainsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(domainsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    key === 'allowRecipientFromEvent' && Array.isArray(one)
      ? one.filter((domain): domain is string => typeof domain === 'string')
      : domainsIn(one),
  );
}
