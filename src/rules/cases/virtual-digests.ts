import { digestEnd, gathersUntil } from '../digest-end.js';
import type { DigestItem } from '../digest-store.js';
import { gatheredOf } from '../digest-scope.js';
import type { DecisionInputs } from '../decide.js';
import { timeDefaults } from '../decide.js';
import type { RuleSet } from '../rule-set.js';

/** A message that gathers until it is due. */
export interface VirtualDigest {
  readonly rule: string;
  readonly action: string;
  readonly key: string;
  /** The order in which they were opened. */
  readonly number: number;
  readonly dueAt: number;
  readonly items: DigestItem[];
}

/** What becomes of a digest that is due: it gathers on, or it ends. */
export type DigestOutcome = { readonly until: number } | ReturnType<typeof digestEnd>;

/** Messages that gather items, in memory. */
export class VirtualDigests {
  private readonly open = new Map<string, VirtualDigest>();
  private opened = 0;

  /** Puts items into the open digests of their rule, action and key. Answers those that were opened for them. */
  add(items: readonly DigestItem[]): readonly VirtualDigest[] {
    const opened: VirtualDigest[] = [];
    for (const item of items) {
      const { rule, action, key, dueAt } = item;
      const group = JSON.stringify([rule, action, key]);
      const known = this.open.get(group);
      if (known) {
        known.items.push(item);
        continue;
      }
      const digest = { rule, action, key, number: (this.opened += 1), dueAt, items: [item] };
      this.open.set(group, digest);
      opened.push(digest);
    }
    return opened;
  }

  /** Closes a digest that is due, unless it gathers on. */
  end(
    digest: VirtualDigest,
    ruleSet: RuleSet,
    { now, ...defaults }: Pick<DecisionInputs, 'now' | 'timezone' | 'calendar'>,
  ): DigestOutcome {
    const rule = ruleSet.ruleOf(digest.rule);
    const until = gathersUntil(rule, ruleSet, now, timeDefaults({ now, ...defaults }));
    if (until !== null) return { until };
    this.open.delete(JSON.stringify([digest.rule, digest.action, digest.key]));
    const gathered = gatheredOf(digest.items.map(({ item }) => item));
    return digestEnd(rule, digest, ruleSet, gathered, { now, timezone: defaults.timezone });
  }
}
