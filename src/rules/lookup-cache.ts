import type { LookupDocument } from './lookup-document.js';

/** Whose answer is wanted: of the stored event that is to be decided. */
export interface AskedFor {
  readonly createTime: Date | null;
  readonly receivedAt: Date;
}

/** What a service said, before it is read for one event. */
export interface RawAnswer {
  readonly value: unknown;
  /** When the request began, ms since 1970. */
  readonly fetchedAt: number;
}

interface Entry {
  readonly answer: RawAnswer;
  readonly size: number;
}

const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Answers that serve more events than the one they were fetched for; one per process. The state of a process serves
 * an event only if it was fetched after the event had happened and had come in; other answers serve for the time
 * that the look-up's `cache` allows. Failures serve nobody else.
 */
export class LookupCache {
  /** The least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private bytes = 0;

  /** `key`: which app or service was asked what. */
  find(key: string, document: LookupDocument, event: AskedFor, now: number): RawAnswer | null {
    const entry = this.entries.get(key);
    if (!entry || !serves(entry.answer.fetchedAt, document, event, now)) return null;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.answer;
  }

  put(key: string, answer: RawAnswer): void {
    const size = key.length + JSON.stringify(answer).length;
    this.drop(key);
    if (size > MAX_BYTES / 100) return;
    this.entries.set(key, { answer, size });
    this.bytes += size;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= MAX_BYTES) break;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    this.bytes -= this.entries.get(key)?.size ?? 0;
    this.entries.delete(key);
  }
}

/** Whether an answer whose fetch began at `fetchedAt` may be used for an event. */
export function serves(
  fetchedAt: number,
  document: LookupDocument,
  { createTime, receivedAt }: AskedFor,
  now: number,
): boolean {
  if (document.type === 'feishu-process') {
    // The clock of the platform is not ours: that the event had come in is certain by our own.
    return fetchedAt >= Math.max(createTime?.getTime() ?? 0, receivedAt.getTime());
  }
  return now - fetchedAt < document.cache;
}
