import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** A line of a file. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end; null: it is longer than the reader takes. */
  readonly bytes: Buffer | null;
}

/** How far a reader is: so many bytes and lines are behind it. */
export interface LinePosition {
  readonly offset: number;
  readonly line: number;
  /** SHA-256 of those bytes, in hex. */
  readonly digest: string;
}

const NEWLINE = 10;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');
const CHUNK = 1024 * 1024;

/** Reads a file line by line, however large it is, and knows what it has read. Lines that are blank are not given out. */
export class LineFile {
  private hash = createHash('sha256');
  private offset = 0;
  private line = 0;

  /** `longest`: of a line, in bytes. */
  constructor(
    private readonly path: string,
    private readonly longest: number,
  ) {}

  /** Behind the line that was given out last. */
  get position(): LinePosition {
    return { offset: this.offset, line: this.line, digest: this.hash.copy().digest('hex') };
  }

  /** The number of lines that are not blank. */
  async count(): Promise<number> {
    let [count, blank] = [0, true];
    for await (const chunk of this.chunks(0)) {
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(NEWLINE, from);
        blank &&= isBlank(chunk.subarray(from, end < 0 ? undefined : end));
        if (end < 0) break;
        if (!blank) count += 1;
        blank = true;
        from = end + 1;
      }
    }
    return blank ? count : count + 1;
  }

  /** Goes on from a position, unless what stands before it is not what stood there. */
  async goTo({ offset, line, digest }: LinePosition): Promise<boolean> {
    const hash = createHash('sha256');
    let seen = 0;
    for await (const chunk of offset > 0 ? this.chunks(0, offset - 1) : []) {
      hash.update(chunk);
      seen += chunk.length;
    }
    if (seen !== offset || hash.copy().digest('hex') !== digest) return false;
    this.hash = hash;
    this.offset = offset;
    this.line = line;
    return true;
  }

  async *lines(): AsyncGenerator<Line> {
    let parts: Buffer[] = [];
    let length = 0;
    const hold = (part: Buffer): void => {
      parts.push(part);
      length += part.length;
      if (length <= this.longest + 2) return;
      // Too long to be kept. It counts for the hash all the same.
      for (const one of parts.splice(0)) this.hash.update(one);
    };
    const take = (): Line => {
      for (const part of parts) this.hash.update(part);
      this.offset += length;
      this.line += 1;
      const bytes = withoutEnd(Buffer.concat(parts), this.line);
      const isWhole = parts.length > 0 && bytes.length <= this.longest;
      parts = [];
      length = 0;
      return { number: this.line, bytes: isWhole ? bytes : null };
    };
    for await (const chunk of this.chunks(this.offset)) {
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(NEWLINE, from);
        hold(chunk.subarray(from, end < 0 ? undefined : end + 1));
        if (end < 0) break;
        const line = take();
        if (line.bytes === null || !isBlank(line.bytes)) yield line;
        from = end + 1;
      }
    }
    if (length === 0) return;
    const last = take();
    if (last.bytes === null || !isBlank(last.bytes)) yield last;
  }

  private async *chunks(start: number, end?: number): AsyncGenerator<Buffer> {
    const options = { start, highWaterMark: CHUNK, ...(end === undefined ? {} : { end }) };
    for await (const chunk of createReadStream(this.path, options)) yield chunk as Buffer;
  }
}

function withoutEnd(line: Buffer, number: number): Buffer {
  let end = line.length;
  if (line[end - 1] === NEWLINE) end -= 1;
  if (line[end - 1] === 13) end -= 1;
  const start = number === 1 && line.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  return line.subarray(start, Math.max(start, end));
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 32) return false;
  return true;
}
