const OIDS = { bytea: 17, text: 25 } as const;

/**
 * PostgreSQL's binary form of a `text[]` or `bytea[]` parameter. The driver would write an array as text, quoting each
 * element, and every byte of a bytea as two hex digits: on the ack path that is most of the CPU.
 */
export function binaryArray(type: keyof typeof OIDS, values: readonly (string | Buffer | null)[]): Buffer {
  const lengths = values.map((value) =>
    value === null ? -1 : typeof value === 'string' ? Buffer.byteLength(value) : value.length,
  );
  const size = lengths.reduce((sum, length) => sum + 4 + Math.max(length, 0), 20);
  const out = Buffer.allocUnsafe(size);
  out.writeInt32BE(values.length === 0 ? 0 : 1, 0); // dimensions
  out.writeInt32BE(values.includes(null) ? 1 : 0, 4); // has nulls
  out.writeInt32BE(OIDS[type], 8);
  if (values.length === 0) return out.subarray(0, 12);
  out.writeInt32BE(values.length, 12);
  out.writeInt32BE(1, 16); // lower bound
  let at = 20;
  for (const [index, value] of values.entries()) {
    at = out.writeInt32BE(lengths[index] ?? -1, at);
    if (typeof value === 'string') at += out.write(value, at, 'utf8');
    else if (value !== null) at += value.copy(out, at);
  }
  return out;
}

/** An array parameter of numbers, uuids or other values that need no quoting, in PostgreSQL's text form. */
export function plainArray(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => value ?? 'null').join(',')}}`;
}
