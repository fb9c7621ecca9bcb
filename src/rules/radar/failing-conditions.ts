import type { CatalogueEntry } from '../../events/catalogue.js';
import type { Facts } from '../compiled-conditions.js';
import { readPlace, testLeaf } from '../compiled-conditions.js';
import type { LeafNode } from '../condition-tree.js';
import { nameOf } from '../condition-tree.js';
import { nearestName } from '../check/nearest-name.js';
import { type ExplainedLeaf, fieldAt } from '../explained-tree.js';
import { parseOperator } from '../operators.js';
import type { Rule, RuleSet } from '../rule-set.js';
import type { JudgedRule } from '../trial/judged-event.js';
import { shortValue } from '../trial/short-leaf.js';
import type { RadarFinding } from './finding.js';
import { leavesOf } from './unread-values.js';

/** A rule that one condition alone has kept from matching so often, and nothing else, is worth a look. */
export const LEAST_FAILED = 20;
const MOST_SEEN = 5;
const MOST_KEPT = 1000;
/** What compares with a text or a value that somebody has typed: a limit of a number may just not be reached. */
const TYPED = ['equal', 'in', 'startsWith', 'endsWith', 'containsText', 'contains', 'matches'];

/** An event as it is looked at. */
export interface LookedEvent {
  readonly id: string;
  readonly eventType: string;
  readonly receivedAt: Date;
}

interface Failed {
  readonly leaf: ExplainedLeaf;
  readonly eventType: string;
  count: number;
  /** As JSON. */
  readonly seen: Map<string, number>;
  readonly last: LookedEvent;
  first: LookedEvent;
}

/** A condition that a rule needs, and whether it ever held. */
interface Needed {
  readonly leaf: LeafNode;
  held: boolean;
}

interface Watched {
  readonly rule: Rule;
  looked: number;
  matched: number;
  readonly needed: ReadonlyMap<string, Needed>;
  readonly failed: Map<string, Failed>;
}

/** Counts by which single condition rules fail. */
export class FailingConditions {
  private readonly watched: ReadonlyMap<string, Watched>;

  constructor(private readonly ruleSet: RuleSet) {
    this.watched = new Map(
      ruleSet.rules.map((rule) => {
        const needed = leavesOf(rule.conditions.tree).filter(isTyped);
        return [
          rule.name,
          {
            rule,
            looked: 0,
            matched: 0,
            needed: new Map(needed.map((leaf) => [keyOf(leaf), { leaf, held: false }])),
            failed: new Map<string, Failed>(),
          },
        ];
      }),
    );
  }

  /** The latest event first. */
  add(event: LookedEvent, judged: readonly JudgedRule[], facts: Facts, now: number): void {
    for (const one of judged) {
      const watched = this.watched.get(one.rule);
      if (!watched) continue;
      watched.looked += 1;
      if (one.verdict.verdict === 'matched') watched.matched += 1;
      for (const needed of watched.needed.values()) {
        if (needed.held) continue;
        const { leaf } = needed;
        needed.held = testLeaf(leaf, readPlace(facts, leaf), undefined, true, { now }) === 'yes';
      }
      if (one.nearMiss) this.fail(watched, event, one.failing()[0]);
    }
  }

  /** Of rules that never matched: the condition that failed alone most often, if it never held and looks like a mistake. */
  findings(): RadarFinding[] {
    return [...this.watched.values()].flatMap((watched) => this.findingOf(watched) ?? []);
  }

  private fail({ needed, failed }: Watched, event: LookedEvent, leaf: ExplainedLeaf | undefined): void {
    if (!leaf?.mustHold) return;
    const key = keyOf({ ...leaf, value: leaf.expected });
    if (!needed.has(key)) return;
    let one = failed.get(key);
    if (!one)
      failed.set(
        key,
        (one = { leaf, eventType: event.eventType, count: 0, seen: new Map(), last: event, first: event }),
      );
    one.count += 1;
    one.first = event;
    const value = JSON.stringify(shortValue(leaf.actual ?? null));
    if (one.seen.size < MOST_KEPT || one.seen.has(value)) one.seen.set(value, (one.seen.get(value) ?? 0) + 1);
  }

  private findingOf({ rule, looked, matched, needed, failed }: Watched): RadarFinding | null {
    if (matched > 0) return null;
    const [[key, worst] = []] = [...failed].sort(([, a], [, b]) => b.count - a.count);
    if (key === undefined || !worst || worst.count < LEAST_FAILED || needed.get(key)?.held !== false)
      return null;
    const { leaf, eventType, seen, count, first, last } = worst;
    const entry = this.ruleSet.catalogue.find(eventType);
    const wanted = textsOf(leaf.expected);
    // A value that the catalogue knows is rare, not wrong.
    const known = fieldAt(this.ruleSet, eventType, leaf).definition?.enum ?? [];
    if (known.some(({ value }) => wanted.includes(String(value)))) return null;
    const values = [...seen]
      .sort(([, a], [, b]) => b - a)
      .map(([value, times]) => ({ value: JSON.parse(value) as unknown, count: times }));
    const nearest = leaf.personal
      ? null
      : nearestOf(
          wanted,
          values.map(({ value }) => String(value)),
        );
    // A business of which there was none is no mistake, unless it is nearly called like one that there is.
    if (nearest === null && isTopic(entry, leaf)) return null;
    return {
      kind: 'failing-condition',
      subject: `rule:${rule.name}`,
      rules: [rule.name],
      count,
      detail: {
        rule: rule.name,
        eventType,
        fact: nameOf(leaf),
        label: leaf.labels.field,
        operator: leaf.operator,
        wanted: shortValue(leaf.expected),
        seen: leaf.personal ? [] : values.slice(0, MOST_SEEN),
        nearest,
        looked,
        from: first.receivedAt.toISOString(),
        until: last.receivedAt.toISOString(),
        eventId: last.id,
      },
    };
  }
}

function isTyped({ operator, other }: LeafNode): boolean {
  const parsed = parseOperator(operator);
  return !other && parsed?.decorators.length === 0 && TYPED.includes(parsed.base.name);
}

function isTopic(
  entry: CatalogueEntry | null,
  { fact, path }: Pick<ExplainedLeaf, 'fact' | 'path'>,
): boolean {
  return path === null && entry?.topic === fact;
}

function keyOf({
  fact,
  path,
  operator,
  value,
}: Pick<LeafNode, 'fact' | 'path' | 'operator' | 'value'>): string {
  return JSON.stringify([fact, path, operator, value]);
}

function textsOf(expected: unknown): string[] {
  return (Array.isArray(expected) ? (expected as unknown[]) : [expected]).map(String);
}

function nearestOf(wanted: readonly string[], seen: readonly string[]): string | null {
  for (const one of wanted) {
    const nearest = nearestName(one, seen);
    if (nearest !== null) return nearest;
  }
  return null;
}
