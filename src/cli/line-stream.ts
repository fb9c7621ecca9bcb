import type { Readable } from 'node:stream';

const NEWLINE = 10;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** A line of a stream. */
export interface StreamedLine {
  /** From 1. */
  readonly number: number;
  /** Without its end; null: it is longer than the reader takes. */
  readonly bytes: Buffer | null;
}

/** The lines of a stream that are not blank, many at a time, in one pass. `longest`: of a line, in bytes. */
export async function* linesOf(
  stream: Readable | AsyncIterable<Buffer>,
  longest: number,
): AsyncGenerator<readonly StreamedLine[]> {
  let parts: Buffer[] = [];
  let length = 0;
  let number = 0;
  const hold = (part: Buffer): void => {
    length += part.length;
    if (length <= longest + 2) parts.push(part);
    else parts = [];
  };
  const take = (last: Buffer): StreamedLine => {
    hold(last);
    number += 1;
    const bytes =
      length > longest + 2 ? null : lineOf(parts.length === 1 ? last : Buffer.concat(parts), number);
    parts = [];
    length = 0;
    return { number, bytes: bytes && bytes.length > longest ? null : bytes };
  };
  for await (const given of stream) {
    const chunk = given as Buffer;
    const lines: StreamedLine[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = take(chunk.subarray(from, end));
      if (line.bytes === null || !isBlank(line.bytes)) lines.push(line);
      from = end + 1;
    }
    if (from < chunk.length) hold(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (length === 0) return;
  const last = take(Buffer.alloc(0));
  if (last.bytes === null || !isBlank(last.bytes)) yield [last];
}

function lineOf(line: Buffer, number: number): Buffer {
  const end = line[line.length - 1] === 13 ? line.length - 1 : line.length;
  const start = number === 1 && line.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  return line.subarray(start, Math.max(start, end));
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 32) return false;
  return true;
}
