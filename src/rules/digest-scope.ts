import { Listing, renderTemplate, type TemplateScope, textOf } from '../action/render-template.js';
import { ownAt } from '../events/own-member.js';
import type { DigestItemContent } from './firing.js';
import type { Rule, RuleSet } from './rule-set.js';
import { lookupScope, ruleScope } from './template-scope.js';

/** What a digest has gathered. */
export interface Gathered {
  /** The first of them, in the order in which they came. */
  readonly items: readonly DigestItemContent[];
  /** How many there are. */
  readonly total: number;
}

/** So many items are told of in one message; the others are counted. */
export const MOST_ITEMS = 1000;
/** What is read of them at once: an event may be a megabyte. */
export const MOST_BYTES = 8 * 1024 * 1024;
/** Characters of all items together, as JSON or as lines. */
const MAX_CHARACTERS = 200_000;

/**
 * What the templates of a digest's actions read: the items, the rule, the time of sending. `{{ items }}` is a list
 * where it is a whole value of JSON; within a text it is one line for each item. Of too many, those that have no room
 * are counted.
 */
export function digestScope(
  rule: Rule,
  ruleSet: RuleSet,
  { items, total }: Gathered,
  at: { readonly now: number; readonly timezone: string },
): TemplateScope {
  const timezone = rule.timezone ?? at.timezone;
  const common = ruleScope(rule, at.now);
  const listing = new Listing(fitting(items), () =>
    linesOf(rule, ruleSet, { items, total }, { ...at, timezone }),
  );
  return {
    timezone,
    read: ([root = '', ...rest]) => {
      if (root !== 'items') return isAppId(root, rest) ? commonApp(items) : common([root, ...rest]);
      if (rest.length === 0) return listing;
      return rest.length === 1 && rest[0] === 'length' ? total : ownAt(items, rest);
    },
    labelOf: () => null,
    absenceOf: ([root, ...rest]) =>
      root === 'items' ? `the digest of ${total} has no item "${rest.join('.')}"` : null,
  };
}

/** What a digest tells of everything that it was given: of too much, what comes first. */
export function gatheredOf(items: readonly DigestItemContent[]): Gathered {
  let left = MOST_BYTES;
  const end = items.findIndex((item) => (left -= Buffer.byteLength(JSON.stringify(item))) < 0);
  return { items: items.slice(0, Math.min(MOST_ITEMS, end < 0 ? items.length : end)), total: items.length };
}

/** The items whose JSON has room. */
function fitting(items: readonly DigestItemContent[]): readonly DigestItemContent[] {
  let left = MAX_CHARACTERS;
  const end = items.findIndex((item) => (left -= JSON.stringify(item).length + 1) < 0);
  return end < 0 ? items : items.slice(0, end);
}

/** @throws RenderError when an item lacks what the line of it reads: nothing half-rendered is ever sent */
function linesOf(
  rule: Rule,
  ruleSet: RuleSet,
  { items, total }: Gathered,
  at: { readonly now: number; readonly timezone: string },
): string {
  const lines: string[] = [];
  let left = MAX_CHARACTERS;
  for (const item of items) {
    const line = lineOf(rule, ruleSet, item, at);
    left -= line.length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  const more = total - lines.length;
  if (more > 0) lines.push(`… and ${more} more / 另有 ${more} 条`);
  return lines.join('\n');
}

function lineOf(
  rule: Rule,
  ruleSet: RuleSet,
  item: DigestItemContent,
  at: { readonly now: number; readonly timezone: string },
): string {
  const template = rule.digest?.item ?? null;
  if (template === null) return JSON.stringify(item);
  const rendered = renderTemplate(template, itemScope(rule, ruleSet, item, at));
  return 'value' in rendered ? textOf(rendered.value) : rendered.pieces.map(pieceText).join('');
}

/** A secret stands in no line: the check says so. */
const pieceText = (piece: string | { readonly secret: string }): string =>
  typeof piece === 'string' ? piece : '';

/** What the line of one item reads. */
function itemScope(
  rule: Rule,
  ruleSet: RuleSet,
  item: DigestItemContent,
  { now, timezone }: { readonly now: number; readonly timezone: string },
): TemplateScope {
  const common = ruleScope(rule, now);
  const { event_type: eventType } = item.event;
  const subject = { eventType: typeof eventType === 'string' ? eventType : '', facts: new Map() };
  return {
    ...lookupScope(ruleSet, subject, undefined, timezone),
    read: ([root = '', ...rest]) => (isPart(root) ? ownAt(item[root], rest) : common([root, ...rest])),
    absenceOf: () => null,
  };
}

const PARTS = ['event', 'task', 'node', 'process', 'lookup'] as const satisfies (keyof DigestItemContent)[];

function isPart(root: string): root is keyof DigestItemContent {
  return (PARTS as readonly string[]).includes(root);
}

const isAppId = (root: string, rest: readonly string[]): boolean =>
  root === 'event' && rest.length === 1 && rest[0] === 'app_id';

/** The app that sends is the one that all items came from. */
function commonApp(items: readonly DigestItemContent[]): unknown {
  const [first, ...others] = items.map(({ event }) => event['app_id']);
  return others.every((other) => other === first) ? first : undefined;
}
