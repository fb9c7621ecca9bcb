import type { RecalledEvent } from '../decision-batch.js';
import type { HolderEvent } from '../due-step.js';
import { holderIdsOf } from '../holder-events.js';
import type { Ladder } from '../ladder.js';
import { hasEnded, phaseOf } from '../state/phases.js';
import type { DueLadder } from '../timer-store.js';
import type { Unsettled } from '../unsettled-store.js';
import { PackedMap } from './packed-map.js';
import type { VirtualStates } from './virtual-states.js';

/** A ladder in memory. */
export type LadderRow = Omit<DueLadder, 'state'> & {
  state: Ladder['state'] | 'cancelled';
  /** The order in which they were armed. */
  readonly number: number;
};

/** What is kept of one root entity beside its state. */
export interface EntityRecord {
  /** Those that stand, in the order of their arming. */
  readonly ladders: LadderRow[];
  /** By id, its events that a ladder, a schedule or an open verdict may still read. */
  readonly holders: Map<string, HolderEvent>;
  /** By id, what was read for events with an open verdict. */
  readonly recalled: Map<string, RecalledEvent>;
  /** By event and rule. */
  readonly unsettled: Map<string, Unsettled>;
  /** Action keys: what stands for a lost event asks for the same as that one, should it come all the same. */
  readonly sent: Set<string>;
  /** Subject and rule. */
  readonly once: Set<string>;
}

/** So many are kept as they are. */
const MOST_UNPACKED = 6000;
/** With more events than this, those that nobody reads any more go. */
const MOST_HOLDERS = 40;

const emptyRecord = (): EntityRecord => ({
  ladders: [],
  holders: new Map(),
  recalled: new Map(),
  unsettled: new Map(),
  sent: new Set(),
  once: new Set(),
});

/** What is kept of root entities beside their states, however many there are. */
export class VirtualEntities {
  private readonly records: PackedMap<EntityRecord>;

  /** `readsLatest`: the last events of what is open are read too, as schedules do. */
  constructor(
    private readonly states: VirtualStates,
    private readonly readsLatest: boolean,
    most = MOST_UNPACKED,
  ) {
    this.records = new PackedMap(most);
  }

  /** It is there from then on, until it is let go. */
  of(entity: string): EntityRecord {
    let record = this.records.get(entity);
    if (!record) this.records.set(entity, (record = emptyRecord()));
    return record;
  }

  /** Null: there is none. It must not be changed. */
  find(entity: string): EntityRecord | null {
    return this.records.peek(entity) ?? null;
  }

  /** Lets go what nobody reads any more. */
  thin(entity: string, record: EntityRecord): void {
    const { ladders, holders, recalled, unsettled, sent, once } = record;
    const rests = ladders.length === 0 && unsettled.size === 0;
    if ((rests && holders.size > 0) || holders.size > MOST_HOLDERS) this.letGo(entity, record);
    if (rests && holders.size + recalled.size + sent.size + once.size === 0) this.records.delete(entity);
  }

  private letGo(entity: string, { ladders, holders, recalled, unsettled }: EntityRecord): void {
    const wanted = new Set(ladders.flatMap(holderIdsOf));
    for (const { eventId } of unsettled.values()) wanted.add(eventId);
    for (const id of recalled.keys()) if (!wanted.has(id)) recalled.delete(id);
    if (this.readsLatest) for (const id of this.latestOf(entity)) wanted.add(id);
    for (const id of holders.keys()) if (!wanted.has(id)) holders.delete(id);
  }

  /** The events that a schedule may read of what is open. */
  private latestOf(entity: string): readonly string[] {
    const state = this.states.get(entity);
    if (!state || hasEnded(state)) return [];
    const open = [...Object.values(state.tasks), ...Object.values(state.nodes)].filter(
      (one) => phaseOf(one) === 'open',
    );
    return [...open, ...(state.process ? [state.process] : [])]
      .map(({ latest }) => latest)
      .concat(state.tally.last?.id ?? []);
  }
}
