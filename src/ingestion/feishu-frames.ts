import type { Clock } from '../config/clock.js';

/** A frame's part of an event, as the SDK hands it over (feishu-events 2.3). */
export interface Fragment {
  /** Shared by the fragments of one push. */
  readonly message_id: string | undefined;
  /** How many fragments there are; NaN when the frame does not say. */
  readonly sum: number;
  /** From 0. */
  readonly seq: number;
  readonly data: Uint8Array;
}

/** The bytes of one event, as they came. */
export interface MergedEvent {
  readonly raw: Buffer;
}

/** As many as a webhook's body may have. */
const EVENT_BYTES = 1024 * 1024;
const MOST_FRAGMENTS = 4096;
/** Sets that wait for their missing fragments, and their bytes together. */
const MOST_SETS = 200;
const MOST_BYTES = 16 * 1024 * 1024;
/** What is not complete by then is pushed again, under another message id. */
const COMPLETE_WITHIN_MS = 10_000;
const SWEEP_MS = 5000;

interface FragmentSet {
  readonly since: number;
  readonly sum: number;
  readonly parts: Map<number, Uint8Array>;
  bytes: number;
}

/**
 * Joins the fragments of events. It takes the place of the SDK's `dataCache`, and so has that one's methods. The SDK's
 * own parses what it has joined and drops the bytes: long numbers would be rounded, and nothing exact could be stored.
 * This one also has limits: the SDK makes a list as long as `sum` says.
 */
export class FragmentMerger {
  /** By message id, oldest first. */
  private readonly sets = new Map<string, FragmentSet>();
  private bytes = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly clock: Clock) {}

  /**
   * The event when this was its last missing fragment, else null.
   *
   * @throws Error for a fragment that fits nowhere. It is not acknowledged then, and the event is pushed again.
   */
  mergeData({ message_id: id, sum, seq, data }: Fragment): MergedEvent | null {
    const place = `${String(seq)} of ${String(sum)}`;
    if (!Number.isInteger(sum) || sum < 1 || sum > MOST_FRAGMENTS)
      throw new Error(`fragment ${place}: "sum" is not a number from 1 to ${MOST_FRAGMENTS}`);
    if (!Number.isInteger(seq) || seq < 0 || seq >= sum)
      throw new Error(`fragment ${place}: "seq" is not a number from 0 to ${sum - 1}`);
    if (sum === 1) {
      checkSize(data.length);
      return { raw: Buffer.from(data.buffer, data.byteOffset, data.length) };
    }
    if (id === undefined || id === '') throw new Error(`fragment ${place} has no message id`);
    const set = this.setOf(id, sum);
    const bytes = data.length - (set.parts.get(seq)?.length ?? 0);
    try {
      checkSize(set.bytes + bytes);
    } catch (error) {
      this.deleteCache(id);
      throw error;
    }
    set.parts.set(seq, data);
    set.bytes += bytes;
    this.bytes += bytes;
    if (set.parts.size < sum) {
      this.makeRoom(id);
      return null;
    }
    this.deleteCache(id);
    return {
      raw: Buffer.concat(Array.from({ length: sum }, (_, at) => set.parts.get(at) ?? new Uint8Array())),
    };
  }

  deleteCache(id: string): void {
    this.bytes -= this.sets.get(id)?.bytes ?? 0;
    this.sets.delete(id);
  }

  /** Starts to drop sets that stay incomplete. */
  clearAtInterval(): void {
    this.timer ??= setInterval(() => {
      this.dropLate();
    }, SWEEP_MS).unref();
  }

  destroy(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.sets.clear();
    this.bytes = 0;
  }

  /** Sets that are not complete. */
  get waiting(): number {
    return this.sets.size;
  }

  private setOf(id: string, sum: number): FragmentSet {
    this.dropLate();
    const known = this.sets.get(id);
    if (known?.sum === sum) return known;
    if (known) {
      // One of the two is wrong, and nobody knows which: neither may be joined to the other.
      this.deleteCache(id);
      throw new Error(`a fragment says "sum" ${sum}, an earlier one of the same message ${known.sum}`);
    }
    const created = { since: this.clock.now(), sum, parts: new Map<number, Uint8Array>(), bytes: 0 };
    this.sets.set(id, created);
    return created;
  }

  private dropLate(): void {
    const limit = this.clock.now() - COMPLETE_WITHIN_MS;
    for (const [id, { since }] of this.sets) {
      if (since > limit) break;
      this.deleteCache(id);
    }
  }

  /** The oldest go first: they are the least likely to be completed. */
  private makeRoom(current: string): void {
    for (const id of this.sets.keys()) {
      if (this.sets.size <= MOST_SETS && this.bytes <= MOST_BYTES) break;
      if (id !== current) this.deleteCache(id);
    }
  }
}

function checkSize(bytes: number): void {
  if (bytes > EVENT_BYTES) throw new Error(`the event is larger than ${EVENT_BYTES} bytes`);
}
