import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

interface Group {
  readonly packed: Buffer;
  /** So many of it are in use still. */
  left: number;
}

interface Place {
  readonly group: Group;
  readonly number: number;
}

/** So many groups that were unpacked last are kept so. */
const MOST_OPEN = 4;
/** A small window: what repeats is near, and each packing takes its memory anew, which goes late. */
const PACKING = { level: 1, windowBits: 13, memLevel: 5 };

/** Records by name, packed in groups: alone each would take several times the room. */
export class PackedRecords<Packed> {
  private readonly places = new Map<string, Place>();
  /** The one that was used last at the end. */
  private readonly open = new Map<Group, readonly Packed[]>();

  /** Packs some together. Answers those that cannot be packed. */
  put(records: readonly (readonly [string, Packed])[]): readonly (readonly [string, Packed])[] {
    const bytes = bytesOf(records.map(([, value]) => value));
    if (bytes === null) {
      if (records.length === 1) return records;
      const middle = records.length >> 1;
      return [...this.put(records.slice(0, middle)), ...this.put(records.slice(middle))];
    }
    const group: Group = { packed: ofItsOwn(deflateRawSync(bytes, PACKING)), left: records.length };
    for (const [number, [name]] of records.entries()) this.places.set(name, { group, number });
    return [];
  }

  /** Null: there is none. It must not be changed. */
  find(name: string): Packed | null {
    const place = this.places.get(name);
    return place ? (this.valuesOf(place.group)[place.number] ?? null) : null;
  }

  /** It is not here any more then. */
  take(name: string): Packed | null {
    const found = this.find(name);
    this.drop(name);
    return found;
  }

  drop(name: string): void {
    const group = this.places.get(name)?.group;
    if (!group) return;
    this.places.delete(name);
    group.left -= 1;
    if (group.left === 0) this.open.delete(group);
  }

  private valuesOf(group: Group): readonly Packed[] {
    const values = this.open.get(group) ?? (deserialize(inflateRawSync(group.packed)) as readonly Packed[]);
    this.open.delete(group);
    this.open.set(group, values);
    if (this.open.size > MOST_OPEN) {
      const [oldest] = this.open.keys();
      if (oldest) this.open.delete(oldest);
    }
    return values;
  }
}

/** Null: one of them holds something of more levels than can be written, as an event may bring. */
function bytesOf(records: readonly unknown[]): Buffer | null {
  try {
    return serialize(records);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** In memory of its own: what comes out of packing, and any small buffer, is a part of a larger piece that would be kept whole. */
function ofItsOwn(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
