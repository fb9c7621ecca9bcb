import type { RootState } from '../state/root-state.js';
import { PackedMap } from './packed-map.js';

/** The states of root entities, as a virtual room reads and writes them. */
export interface VirtualStates {
  /** Null: no event has told anything of it. */
  get(entity: string): RootState | null;
  set(entity: string, state: RootState): void;
}

/** So many are kept as they are. */
const MOST_UNPACKED = 12_000;

/** In memory, however many there are. */
export class PackedStates implements VirtualStates {
  private readonly states: PackedMap<RootState>;

  constructor(most = MOST_UNPACKED) {
    this.states = new PackedMap(most);
  }

  get(entity: string): RootState | null {
    return this.states.get(entity) ?? null;
  }

  set(entity: string, state: RootState): void {
    this.states.set(entity, state);
  }
}

/**
 * What several rooms share that see the same events, one after the other: each reads the states as they were before the
 * round, and its own changes.
 */
export class RoundStates implements VirtualStates {
  private readonly changed = new Map<string, RootState>();

  constructor(private readonly before: VirtualStates) {}

  get(entity: string): RootState | null {
    return this.changed.get(entity) ?? this.before.get(entity);
  }

  set(entity: string, state: RootState): void {
    this.changed.set(entity, state);
  }

  /** All have seen the events: what has changed is so for each. */
  endRound(): void {
    for (const [entity, state] of this.changed) this.before.set(entity, state);
    this.changed.clear();
  }
}
