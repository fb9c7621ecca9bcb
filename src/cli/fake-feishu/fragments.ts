/**
 * Cuts a payload into `count` pieces, none of them empty, at random places. When the text has a character of several
 * bytes, one cut goes through such a character: a receiver has to join bytes, not texts.
 */
export function cut(payload: Buffer, count: number, random: () => number): Buffer[] {
  const wanted = Math.min(count, payload.length) - 1;
  const cuts = new Set<number>();
  const inside = wanted > 0 ? placeInsideCharacter(payload, random) : null;
  if (inside !== null) cuts.add(inside);
  while (cuts.size < wanted) cuts.add(1 + Math.floor(random() * (payload.length - 1)));
  const ends = [...cuts].sort((a, b) => a - b).concat(payload.length);
  return ends.map((end, index) => payload.subarray(ends[index - 1] ?? 0, end));
}

/** The same things in another order. */
export function shuffled<T>(things: readonly T[], random: () => number): T[] {
  const result = things
    .map((thing) => ({ thing, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ thing }) => thing);
  return result.every((thing, index) => thing === things[index]) ? result.reverse() : result;
}

/** Where a byte that continues a character stands, from a random place on; null: all characters have one byte. */
function placeInsideCharacter(payload: Buffer, random: () => number): number | null {
  const from = Math.floor(random() * payload.length);
  const continues = (byte: number): boolean => (byte & 0xc0) === 0x80;
  const after = payload.subarray(from).findIndex(continues);
  if (after !== -1) return from + after;
  const before = payload.findIndex(continues);
  return before === -1 ? null : before;
}
