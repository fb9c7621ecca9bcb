import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../config/log.js';
import { Refusal } from '../config/problem.js';
import type { RecordedEvent, RecordedEvents } from '../rules/backtest/recorded-event.js';
import { linesOf } from './line-stream.js';
import { type FileReading, RecordedLineReader } from './recorded-line-reader.js';
import { SeenKeys } from './seen-keys.js';

/** What a file of events has come to, once it is read. */
export interface FileCounts {
  readonly lines: number;
  /** Lines that are no events. */
  readonly rejected: number;
  /** Events whose key an earlier line has. */
  readonly duplicates: number;
  /** Recorded events that were decided before the one above them: they count as decided with it. */
  readonly disordered: number;
}

/** Which events of the file are meant. */
export interface FileSelection {
  readonly isWanted?: ((eventType: string) => boolean) | undefined;
  /** Decided from here on, and before `until`; ms since 1970. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Told of the first lines that are no events. */
  readonly onRejected?: (line: number, reason: string) => void;
}

/** As large as a push may be, and what is recorded of it. */
const LONGEST_LINE = 4 * 1024 * 1024;
const CHUNK = 256 * 1024;
/** Events that are handed on together, at least. */
const AT_ONCE = 256;
/** Even of one time of decision, no more than these. */
const MOST_AT_ONCE = 20_000;
const MOST_TOLD = 10;

/**
 * Events of a file, one a line, as they are exported: plain, or with what is recorded of their decisions. Plain lines stand in the
 * order in which they were received; each counts as decided when it happened, or with the line above it when that is
 * later. One pass, whatever the file's size; `.gz` is unpacked on the way.
 */
export class FileRecordedEvents implements RecordedEvents {
  private readonly counted = { lines: 0, rejected: 0, duplicates: 0, disordered: 0 };
  private bytes: ReadStream | null = null;
  private size = 0;
  /** When the last event was decided; ms since 1970. */
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly file: string,
    private readonly reading: FileReading,
    private readonly selection: FileSelection = {},
  ) {}

  get counts(): FileCounts {
    return this.counted;
  }

  /** How much of the file is read, of 1. */
  get share(): number {
    return this.size === 0 ? 0 : Math.min(1, (this.bytes?.bytesRead ?? 0) / this.size);
  }

  count(): Promise<null> {
    return Promise.resolve(null);
  }

  /** @throws Refusal EVENT_UNREADABLE */
  async *read(): AsyncIterable<readonly RecordedEvent[]> {
    const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, isWanted } = this.selection;
    const reader = new RecordedLineReader(this.reading);
    const seen = new SeenKeys();
    let batch: RecordedEvent[] = [];
    try {
      for await (const lines of linesOf(await this.open(), LONGEST_LINE)) {
        for (const { number, bytes } of lines) {
          this.counted.lines += 1;
          const read =
            bytes === null ? `it is longer than ${LONGEST_LINE} bytes` : reader.read(bytes, number);
          if (typeof read === 'string') {
            this.reject(number, read);
            continue;
          }
          const { origin, eventId, eventType } = read.event;
          if (!seen.add(`${origin}/${eventId}`)) {
            this.counted.duplicates += 1;
            continue;
          }
          const at = timeOf(read);
          const time = Math.max(at, this.last);
          if (time >= until) continue;
          const last = this.last;
          this.last = time;
          if (time < from || isWanted?.(eventType) === false) continue;
          if ((batch.length >= AT_ONCE && time > last) || batch.length >= MOST_AT_ONCE) {
            yield batch;
            batch = [];
          }
          batch.push(this.placed(read, at, time));
        }
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw unreadable(this.file, messageOf(error));
    }
    if (batch.length > 0) yield batch;
  }

  private placed(read: RecordedEvent, at: number, time: number): RecordedEvent {
    if (read.decidedAt === null) return { ...read, event: { ...read.event, receivedAt: new Date(time) } };
    if (at === time) return read;
    this.counted.disordered += 1;
    return { ...read, decidedAt: time };
  }

  private reject(number: number, reason: string): void {
    this.counted.rejected += 1;
    if (this.counted.rejected <= MOST_TOLD) this.selection.onRejected?.(number, reason);
  }

  private async open(): Promise<Readable> {
    const found = await stat(this.file).catch((error: unknown) => messageOf(error));
    if (typeof found === 'string') throw unreadable(this.file, found);
    if (!found.isFile()) throw unreadable(this.file, 'it is no regular file');
    this.size = found.size;
    const bytes = createReadStream(this.file, { highWaterMark: CHUNK });
    this.bytes = bytes;
    if (!this.file.endsWith('.gz')) return bytes;
    // When one of them ends early, so does the other; whoever reads is told.
    return pipeline(bytes, createGunzip({ chunkSize: CHUNK }), () => undefined);
  }
}

/** Of one that is not recorded: when it happened, which is all that is known. */
function timeOf({ decidedAt, event }: RecordedEvent): number {
  return decidedAt ?? event.receivedAt.getTime();
}

function unreadable(file: string, why: string): Refusal {
  return new Refusal(409, 'EVENT_UNREADABLE', `${file} cannot be read: ${why}`);
}
