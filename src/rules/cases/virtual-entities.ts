import { PackedRecords } from './packed-records.js';
import type { RecalledEvent } from '../decision-batch.js';
import type { HolderEvent } from '../due-step.js';
import { holderIdsOf } from '../holder-events.js';
import type { Ladder } from '../ladder.js';
import type { RootState } from '../state/root-state.js';
import type { DueLadder } from '../timer-store.js';
import type { Unsettled } from '../unsettled-store.js';

/** A ladder in memory. */
export type LadderRow = Omit<DueLadder, 'state'> & {
  state: Ladder['state'] | 'cancelled';
  /** The order in which they were armed. */
  readonly number: number;
};

/** All that is kept of one root entity. */
export interface EntityRecord {
  /** Null: no event has told anything. */
  state: RootState | null;
  /** Those that stand, in the order of their arming. */
  readonly ladders: LadderRow[];
  /** By id, its events that a ladder, a schedule or an open verdict may still read. */
  readonly holders: Map<string, HolderEvent>;
  /** By id, what was read for events with an open verdict. */
  readonly recalled: Map<string, RecalledEvent>;
  /** By event and rule. */
  readonly unsettled: Map<string, Unsettled>;
  /** Action keys. */
  readonly sent: Set<string>;
  /** Subject and rule. */
  readonly once: Set<string>;
}

/** So many are kept as they are; of more, those that nothing has happened to for the longest time are packed. */
const MOST_UNPACKED = 20_000;
/** So many at once. */
const PACKED_AT_ONCE = 64;
/** With more events than this, those that nobody reads any more go. */
const MOST_HOLDERS = 40;

const emptyRecord = (): EntityRecord => ({
  state: null,
  ladders: [],
  holders: new Map(),
  recalled: new Map(),
  unsettled: new Map(),
  sent: new Set(),
  once: new Set(),
});

/** What is kept of root entities, however many there are: what is not in use is packed. */
export class VirtualEntities {
  /** The one that was used last at the end. */
  private readonly unpacked = new Map<string, EntityRecord>();
  private readonly packed = new PackedRecords<EntityRecord>();

  /** `readsLatest`: the last events of open entities are read too, as schedules do. */
  constructor(
    private readonly readsLatest: boolean,
    private readonly most = MOST_UNPACKED,
  ) {}

  /** It is there from then on. */
  of(entity: string): EntityRecord {
    let record = this.unpacked.get(entity);
    if (record) this.unpacked.delete(entity);
    else {
      record = this.packed.take(entity) ?? emptyRecord();
      if (this.unpacked.size >= this.most) this.makeRoom();
    }
    this.unpacked.set(entity, record);
    return record;
  }

  /** Null: there is none. It must not be changed. */
  find(entity: string): EntityRecord | null {
    return this.unpacked.get(entity) ?? this.packed.find(entity);
  }

  /** Lets go the events that nobody reads any more. */
  thin(record: EntityRecord): void {
    const { ladders, holders, unsettled } = record;
    if (ladders.length === 0 && unsettled.size === 0 && !this.readsLatest) holders.clear();
    else if (holders.size > MOST_HOLDERS) this.letGo(record);
  }

  private makeRoom(): void {
    const oldest: [string, EntityRecord][] = [];
    for (const one of this.unpacked) {
      if (oldest.length >= Math.min(PACKED_AT_ONCE, this.most)) break;
      oldest.push(one);
    }
    for (const [entity, record] of oldest) {
      this.letGo(record);
      this.unpacked.delete(entity);
    }
    // What cannot be packed is as new.
    for (const [entity, record] of this.packed.put(oldest)) this.unpacked.set(entity, record);
  }

  private letGo({ state, ladders, holders, recalled, unsettled }: EntityRecord): void {
    const wanted = new Set(ladders.flatMap(holderIdsOf));
    const open = new Set([...unsettled.values()].map(({ eventId }) => eventId));
    if (this.readsLatest && state) {
      for (const one of [state.process, ...Object.values(state.tasks), ...Object.values(state.nodes)])
        if (one) wanted.add(one.latest);
      if (state.tally.last) wanted.add(state.tally.last.id);
    }
    for (const id of holders.keys()) if (!wanted.has(id) && !open.has(id)) holders.delete(id);
    for (const id of recalled.keys()) if (!open.has(id)) recalled.delete(id);
  }
}
