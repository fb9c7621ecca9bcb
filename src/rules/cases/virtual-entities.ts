import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
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
const MOST_UNPACKED = 10_000;
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
  private readonly packed = new Map<string, Buffer>();

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
      record = this.unpack(entity) ?? emptyRecord();
      this.packed.delete(entity);
      this.makeRoom();
    }
    this.unpacked.set(entity, record);
    return record;
  }

  /** Null: there is none. It must not be changed. */
  find(entity: string): EntityRecord | null {
    return this.unpacked.get(entity) ?? this.unpack(entity);
  }

  /** Of a record with many events, lets go those that nobody reads any more. */
  thin(record: EntityRecord): void {
    if (record.holders.size > MOST_HOLDERS) this.letGo(record);
  }

  private makeRoom(): void {
    if (this.unpacked.size < this.most) return;
    const [oldest] = this.unpacked;
    if (!oldest) return;
    const [entity, record] = oldest;
    this.letGo(record);
    this.unpacked.delete(entity);
    try {
      this.packed.set(entity, deflateRawSync(serialize(record), { level: 1 }));
    } catch (error) {
      // What an event brought may have more levels than can be written.
      if (!(error instanceof RangeError)) throw error;
      this.unpacked.set(entity, record);
    }
  }

  private unpack(entity: string): EntityRecord | null {
    const bytes = this.packed.get(entity);
    return bytes ? (deserialize(inflateRawSync(bytes)) as EntityRecord) : null;
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
