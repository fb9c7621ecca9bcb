import { PackedRecords } from './packed-records.js';

/** So many at once. */
const PACKED_AT_ONCE = 64;

/**
 * A map of which only what came or came back last is kept as it is; the rest is packed. What is taken out may be changed in
 * place.
 */
export class PackedMap<Value> {
  /** The one that came last at the end. */
  private readonly unpacked = new Map<string, Value>();
  private readonly packed = new PackedRecords<Value>();

  /** `most`: so many are kept as they are. `beforePacking`: lets go of what is not needed any more. */
  constructor(
    private readonly most: number,
    private readonly beforePacking: (value: Value) => void = () => undefined,
  ) {}

  /** Undefined: there is none. */
  get(key: string): Value | undefined {
    const known = this.unpacked.get(key);
    if (known !== undefined) return known;
    const value = this.packed.take(key);
    if (value === null) return undefined;
    this.set(key, value);
    return value;
  }

  /** The same without unpacking it for good. It must not be changed. */
  peek(key: string): Value | undefined {
    return this.unpacked.get(key) ?? this.packed.find(key) ?? undefined;
  }

  set(key: string, value: Value): void {
    if (!this.unpacked.has(key)) {
      this.packed.drop(key);
      if (this.unpacked.size >= this.most) this.makeRoom();
    }
    this.unpacked.set(key, value);
  }

  delete(key: string): void {
    if (!this.unpacked.delete(key)) this.packed.drop(key);
  }

  private makeRoom(): void {
    const oldest: [string, Value][] = [];
    for (const one of this.unpacked) {
      if (oldest.length >= Math.min(PACKED_AT_ONCE, this.most)) break;
      oldest.push(one);
    }
    for (const [key, value] of oldest) {
      this.beforePacking(value);
      this.unpacked.delete(key);
    }
    // What cannot be packed is as new.
    for (const [key, value] of this.packed.put(oldest)) this.unpacked.set(key, value);
  }
}
