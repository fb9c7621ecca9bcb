import type { ExplainedLeaf } from '../explained-tree.js';
import type { RuleSet } from '../rule-set.js';
import { judgeEvent } from './judged-event.js';
import type { Run } from './run.js';
import { shortLeaf } from './short-leaf.js';
import { noStandings, standingOf, type Standings } from './standings.js';
import { RuleFolderParts, type StoredRuleFiles } from './stored-rule-files.js';
import { readTried, type TriedEvent } from './tried-event.js';

/** A rule of a stored set. Plain JSON. */
export interface HistoryOrder {
  readonly kind: 'history';
  readonly stored: StoredRuleFiles;
  readonly rule: string;
  /** Where it stands. */
  readonly file: string;
}

/** How a rule stands to stored events. Plain JSON; times as ISO 8601. */
export interface HistoryAnswer {
  readonly looked: number;
  readonly left: number;
  readonly from: string | null;
  readonly until: string | null;
  readonly counts: Standings;
  readonly slices: readonly (Standings & { readonly from: string })[];
  readonly nearMisses: readonly NearMisses[];
  readonly lastMatched: { readonly eventId: string; readonly receivedAt: string } | null;
}

/** Events that one and the same condition kept from matching. */
export interface NearMisses {
  /** As of the last such event, whose type is named. */
  readonly leaf: ExplainedLeaf;
  readonly eventType: string;
  readonly count: number;
  readonly eventIds: readonly string[];
}

const MOST_SLICES = 48;
const MOST_NEAR_MISSES = 20;
const EVENTS_TOLD = 5;

/** @throws Error when the set has no such rule */
export async function openHistory({ stored, rule, file }: HistoryOrder): Promise<Run<HistoryAnswer>> {
  const folder = new RuleFolderParts(stored);
  const all = await folder.build(stored.hash, folder.check(folder.files, new Set([file])));
  const own = all.ruleOf(rule);
  if (!own) throw new Error(`there is no rule "${rule}" in ${file}`);
  return new RuleHistory(all.withRules([own]));
}

interface Looked {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly standing: keyof Standings;
}

class RuleHistory implements Run<HistoryAnswer> {
  /** The latest first. */
  private readonly looked: Looked[] = [];
  private readonly near = new Map<string, { -readonly [key in keyof NearMisses]: NearMisses[key] }>();
  private left = 0;

  constructor(private readonly ruleSet: RuleSet) {}

  get wants(): Run<HistoryAnswer>['wants'] {
    const { rules, stateReads } = this.ruleSet;
    // The turns of a schedule are about what was open then, and that is not kept.
    return {
      trigger: rules.flatMap(({ schedule, trigger }) => (schedule ? [] : trigger)),
      stateReads: [...stateReads],
    };
  }

  async take(events: readonly TriedEvent[], left: number): Promise<void> {
    this.left += left;
    for (const tried of events) {
      try {
        const judged = await judgeEvent(this.ruleSet, readTried(tried, this.ruleSet.catalogue));
        const [own] = judged?.rules ?? [];
        if (!own) {
          this.left += 1;
          continue;
        }
        const { id, receivedAt, eventType } = tried.event;
        this.looked.push({ id, receivedAt: receivedAt.getTime(), standing: standingOf(own) });
        const [leaf] = own.nearMiss ? own.failing() : [];
        if (leaf) this.note(leaf, eventType, id);
      } catch {
        // Whatever one event holds, the others are told.
        this.left += 1;
      }
    }
  }

  answer(): HistoryAnswer {
    const { looked, left } = this;
    const [latest, earliest] = [looked[0], looked.at(-1)];
    const matched = looked.find(({ standing }) => standing === 'matched');
    const counts = noStandings();
    for (const { standing } of looked) counts[standing] += 1;
    return {
      looked: looked.length,
      left,
      from: earliest ? isoOf(earliest.receivedAt) : null,
      until: latest ? isoOf(latest.receivedAt) : null,
      counts,
      slices: slicesOf(looked),
      nearMisses: [...this.near.values()].sort((a, b) => b.count - a.count).slice(0, MOST_NEAR_MISSES),
      lastMatched: matched ? { eventId: matched.id, receivedAt: isoOf(matched.receivedAt) } : null,
    };
  }

  private note(leaf: ExplainedLeaf, eventType: string, id: string): void {
    const key = leaf.position.join();
    const known = this.near.get(key);
    if (!known) this.near.set(key, { leaf: shortLeaf(leaf), eventType, count: 1, eventIds: [id] });
    else {
      known.count += 1;
      if (known.eventIds.length < EVENTS_TOLD) known.eventIds = [...known.eventIds, id];
    }
  }
}

/** Equal slices of the time from the earliest event to the latest; one for events of one moment. */
function slicesOf(looked: readonly Looked[]): HistoryAnswer['slices'] {
  const [latest, earliest] = [looked[0], looked.at(-1)];
  if (!latest || !earliest) return [];
  const from = earliest.receivedAt;
  // The latest is within the last slice.
  const span = latest.receivedAt - from + 1;
  const number = Math.min(MOST_SLICES, looked.length, span);
  const slices = Array.from({ length: number }, (_, at) => ({
    from: isoOf(from + Math.ceil((span * at) / number)),
    ...noStandings(),
  }));
  for (const { receivedAt, standing } of looked) {
    const slice = slices[Math.floor(((receivedAt - from) * number) / span)];
    if (slice) slice[standing] += 1;
  }
  return slices;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
