/**
 * SHA-256 goes on from a finished digest: whoever has the digest of a secret text of `length` bytes can compute that
 * of the text, its padding and `more`. Answers the padding and the digest.
 */
export function extendSha256(
  digest: string,
  length: number,
  more: Buffer,
): { readonly padding: Buffer; readonly digest: string } {
  const padding = paddingOf(length);
  const state = Uint32Array.from(digest.match(/.{8}/g) ?? [], (word) => parseInt(word, 16));
  const rest = Buffer.concat([more, paddingOf(length + padding.length + more.length)]);
  for (let at = 0; at < rest.length; at += 64) compress(state, rest.subarray(at, at + 64));
  return { padding, digest: Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('') };
}

function paddingOf(length: number): Buffer {
  const padding = Buffer.alloc(1 + ((119 - (length % 64)) % 64) + 8);
  padding[0] = 0x80;
  padding.writeBigUInt64BE(BigInt(length) * 8n, padding.length - 8);
  return padding;
}

/** The fractional parts of the cube roots of the first 64 primes. */
const K = Uint32Array.from(
  Array.from({ length: 312 }, (_, n) => n)
    .filter((n) => n > 1 && !Array.from({ length: 17 }, (_, d) => d + 2).some((d) => d < n && n % d === 0))
    .slice(0, 64),
  (prime) => Math.floor((Math.cbrt(prime) % 1) * 2 ** 32),
);

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function compress(state: Uint32Array, block: Buffer): void {
  const w = new Uint32Array(64);
  for (let i = 0; i < 16; i += 1) w[i] = block.readUInt32BE(i * 4);
  for (let i = 16; i < 64; i += 1) {
    const [x, y] = [w[i - 15]!, w[i - 2]!];
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = Array.from(state) as Eight;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = state[i]! + word;
}

type Eight = [number, number, number, number, number, number, number, number];
