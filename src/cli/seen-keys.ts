const FIRST_SIZE = 1 << 12;

/**
 * Which keys have been seen, of millions in little room: 64 bits of each are kept. That two keys have the same ones, and
 * the later is taken for the earlier, is less likely than one in ten million with a million keys.
 */
export class SeenKeys {
  private highs = new Uint32Array(FIRST_SIZE);
  private lows = new Uint32Array(FIRST_SIZE);
  private count = 0;

  /** Whether the key is a new one. */
  add(key: string): boolean {
    const [high, low] = hashOf(key);
    if (!this.put(high, low)) return false;
    this.count += 1;
    if (this.count * 2 > this.lows.length) this.grow();
    return true;
  }

  private put(high: number, low: number): boolean {
    const { highs, lows } = this;
    const mask = lows.length - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      if (lows[at] === 0 && highs[at] === 0) {
        highs[at] = high;
        lows[at] = low;
        return true;
      }
      if (lows[at] === low && highs[at] === high) return false;
    }
  }

  private grow(): void {
    const { highs, lows } = this;
    this.highs = new Uint32Array(lows.length * 2);
    this.lows = new Uint32Array(lows.length * 2);
    for (const [at, low] of lows.entries()) {
      const high = highs[at] ?? 0;
      if (low !== 0 || high !== 0) this.put(high, low);
    }
  }
}

/** Two 32-bit hashes (cyrb53's two lanes); never both 0, which means "none". */
function hashOf(key: string): readonly [number, number] {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return [high >>> 0, low >>> 0 || 1];
}
