import type { CatalogueEntry } from '../../events/catalogue.js';
import type { ConditionNode, LeafNode } from '../condition-tree.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { mayBeLast, rootOf } from '../state/levels.js';
import type { Goal } from './answer.js';
import { FactSpace } from './fact-space.js';

/** One event type of those that a rule listens to, or all of which the catalogue knows nothing, and what its facts may be. */
export interface ListenedType {
  /** Null: the event types that the catalogue does not know. */
  readonly eventType: string | null;
  readonly entry: CatalogueEntry | null;
  readonly space: FactSpace;
  /** What holds of every such event besides. */
  readonly given: readonly Goal[];
  /** The same for the same events. */
  readonly key: string;
}

/** The events that the rules of a set listen to. Most rules listen to the same few types: what was found is kept. */
export class ListenedTypes {
  private readonly byTrigger = new Map<string, readonly ListenedType[]>();
  private readonly byType = new Map<string, ListenedType>();

  constructor(private readonly ruleSet: Pick<RuleSet, 'catalogue' | 'fieldOf' | 'lookups'>) {}

  /** Of a rule with a schedule: the events that an entity may have had last. */
  of({ trigger, schedule }: Pick<Rule, 'trigger' | 'schedule'>): readonly ListenedType[] {
    const key = schedule ? `over ${schedule.over}` : trigger.join(' ');
    const known = this.byTrigger.get(key);
    if (known) return known;
    const found = schedule
      ? this.ruleSet.catalogue.entries
          .filter((entry) => mayBeLast(entry, schedule.over))
          .map((entry) => this.ofEntry(entry, true))
      : this.ofTrigger(trigger);
    this.byTrigger.set(key, found);
    return found;
  }

  /** The events that may come of the root entities to which some events belong; null: nobody knows which. */
  around(types: readonly ListenedType[]): readonly ListenedType[] | null {
    const entries = types.map(({ entry }) => entry);
    if (entries.length === 0 || entries.includes(null)) return null;
    const roots = new Set(entries.map((entry) => (entry ? rootOf(entry) : undefined)));
    return this.ruleSet.catalogue.entries
      .filter((entry) => roots.has(rootOf(entry)))
      .map((entry) => this.ofEntry(entry, false));
  }

  private ofTrigger(trigger: readonly string[]): readonly ListenedType[] {
    const { catalogue } = this.ruleSet;
    const entries = new Set(trigger.flatMap((one) => catalogue.matching(one)));
    // Whatever a pattern means, it does not mean the turns of schedules.
    const known = [...entries].filter(({ eventType }) => eventType !== SCHEDULE_TYPE);
    const open = trigger.filter((one) => one.includes('*') || !catalogue.find(one));
    return [
      ...known.map((entry) => this.ofEntry(entry, false)),
      ...(open.length > 0 ? [this.unknown(open)] : []),
    ];
  }

  private ofEntry(entry: CatalogueEntry, optional: boolean): ListenedType {
    const { eventType } = entry;
    const key = optional ? `last ${eventType}` : eventType;
    let found = this.byType.get(key);
    if (!found) {
      const space = new FactSpace(this.ruleSet, eventType, { optional });
      this.byType.set(key, (found = { eventType, entry, space, given: [], key }));
    }
    return found;
  }

  /** What patterns and types that are in no catalogue may bring: anything, but for the types that are known. */
  private unknown(open: readonly string[]): ListenedType {
    const key = `unknown ${open.join(' ')}`;
    let found = this.byType.get(key);
    if (!found) {
      const known = this.ruleSet.catalogue.entries.map(({ eventType }) => eventType);
      const tree: ConditionNode = {
        kind: 'all',
        name: null,
        children: [eventTypeLeaf('notIn', known), meantBy(open)],
      };
      const space = new FactSpace(this.ruleSet, null);
      this.byType.set(
        key,
        (found = { eventType: null, entry: null, space, given: [{ tree, want: 'yes' }], key }),
      );
    }
    return found;
  }
}

/** The event types that patterns mean, as far as an operator can say it: what stands in front of the first `*`. */
function meantBy(open: readonly string[]): ConditionNode {
  const exact = open.filter((one) => !one.includes('*'));
  const starts = open.filter((one) => one.includes('*')).map((one) => one.slice(0, one.indexOf('*')));
  return {
    kind: 'any',
    name: null,
    children: [
      ...(exact.length > 0 ? [eventTypeLeaf('in', exact)] : []),
      ...starts.map((start) => eventTypeLeaf('startsWith', start)),
    ],
  };
}

function eventTypeLeaf(operator: string, value: unknown): LeafNode {
  return {
    kind: 'leaf',
    name: null,
    fact: 'event_type',
    path: null,
    timeFormat: 'date-time',
    operator,
    value,
    other: null,
  };
}
