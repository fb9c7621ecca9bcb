import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

interface Group {
  readonly packed: Buffer;
  /** Where each begins; one more says where the last ends. */
  readonly begins: readonly number[];
  /** So many of it are in use still. */
  left: number;
}

interface Place {
  readonly group: Group;
  readonly number: number;
}

/** So many groups that were unpacked last are kept so. */
const MOST_OPEN = 8;

/** Records by name, packed in groups: alone each would take several times the room. */
export class PackedRecords<Packed> {
  private readonly places = new Map<string, Place>();
  /** The one that was used last at the end. */
  private readonly open = new Map<Group, Buffer>();

  /** Packs some together. Answers those that cannot be packed. */
  put(records: readonly (readonly [string, Packed])[]): readonly (readonly [string, Packed])[] {
    const names: string[] = [];
    const parts: Buffer[] = [];
    const begins = [0];
    const refused: (readonly [string, Packed])[] = [];
    for (const one of records) {
      const bytes = bytesOf(one[1]);
      if (bytes === null) refused.push(one);
      else {
        names.push(one[0]);
        parts.push(bytes);
        begins.push((begins.at(-1) ?? 0) + bytes.length);
      }
    }
    if (names.length === 0) return refused;
    // A copy: what comes out is the beginning of a larger piece of memory.
    const packed = Buffer.from(deflateRawSync(Buffer.concat(parts), { level: 1 }));
    const group: Group = { packed, begins, left: names.length };
    for (const [number, name] of names.entries()) this.places.set(name, { group, number });
    return refused;
  }

  /** Null: there is none. */
  find(name: string): Packed | null {
    const place = this.places.get(name);
    if (!place) return null;
    const { group, number } = place;
    const bytes = this.bytesOf(group).subarray(group.begins[number], group.begins[number + 1]);
    return deserialize(bytes) as Packed;
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

  private bytesOf(group: Group): Buffer {
    const bytes = this.open.get(group) ?? inflateRawSync(group.packed);
    this.open.delete(group);
    this.open.set(group, bytes);
    if (this.open.size > MOST_OPEN) {
      const [oldest] = this.open.keys();
      if (oldest) this.open.delete(oldest);
    }
    return bytes;
  }
}

/** Null: it holds something of more levels than can be written, as an event may bring. */
function bytesOf(record: unknown): Buffer | null {
  try {
    return serialize(record);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
