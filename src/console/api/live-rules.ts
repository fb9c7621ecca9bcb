import { Refusal } from '../../config/problem.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { noneLive } from './live-rule.js';
import { refusalOf } from './rule-set-refusal.js';

/**
 * The live rule set. `expected`: the first digits of the hash that it must have; absent: any will do.
 *
 * @throws Refusal 404 RULE_SET_UNKNOWN; 409 RULE_SET_UNREADABLE, RULE_SET_CHANGED
 */
export async function liveRules(ruleSets: RuleSetStore, expected?: string): Promise<RuleSet> {
  let live: RuleSet | null;
  try {
    live = await ruleSets.current();
  } catch (error) {
    throw refusalOf(error);
  }
  if (!live) throw noneLive();
  if (expected !== undefined && !live.hash.startsWith(expected))
    throw new Refusal(
      409,
      'RULE_SET_CHANGED',
      `The rule set ${live.hash.slice(0, 12)} is live by now, and the preview was of ${expected.slice(0, 12)}: look at another preview first.`,
    );
  return live;
}

/** Work that many at once would be too much of: the others are told to come again. */
export class Turnstile {
  private underWay = 0;

  constructor(private readonly most: number) {}

  /** @throws Refusal 429 BUSY */
  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.underWay >= this.most)
      throw new Refusal(429, 'BUSY', 'Others are looked at just now: ask again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    this.underWay += 1;
    try {
      return await work();
    } finally {
      this.underWay -= 1;
    }
  }
}
