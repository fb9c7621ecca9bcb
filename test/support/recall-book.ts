import { createHash } from 'node:crypto';
import { type Received, type Receiver, startReceiver } from './receiver.js';

/** A request that is in effect. */
export interface Entry {
  readonly path: string;
  readonly body: string;
}

/** What a target does with a request: takes it, refuses it for good, or takes it and breaks off before the answer. */
export type Manner = 'takes' | 'refuses' | 'takes and breaks off';

/**
 * A real receiver that keeps book: each request is in effect once by its `Idempotency-Key`, until one comes that undoes
 * it, which names that key.
 */
export class RecallBook {
  readonly effects = new Map<string, Entry>();
  /** Keys that came again although they had been answered. */
  readonly again: string[] = [];
  private readonly answered = new Set<string>();
  /** By key; calm: it takes everything. */
  manner: (key: string) => Manner = () => 'takes';
  private receiver!: Receiver;

  static async open(): Promise<RecallBook> {
    const book = new RecallBook();
    book.receiver = await startReceiver((request, response) => {
      const key = String(request.headers['idempotency-key']);
      const manner = book.manner(key);
      if (manner === 'refuses') {
        response.statusCode = 400;
        response.end();
        return;
      }
      book.take(key, request);
      if (manner === 'takes') {
        book.answered.add(key);
        response.end('{"code":0}');
      } else response.destroy();
    });
    return book;
  }

  get url(): string {
    return this.receiver.url;
  }

  get port(): number {
    return this.receiver.port;
  }

  get requests(): number {
    return this.receiver.received.length;
  }

  /** What is in effect, in no order. */
  get net(): readonly string[] {
    return [...this.effects.values()].map(({ path, body }) => `${path} ${body}`).sort();
  }

  clear(): void {
    this.effects.clear();
    this.answered.clear();
    this.again.length = 0;
    this.receiver.received.length = 0;
    this.manner = () => 'takes';
  }

  async close(): Promise<void> {
    await this.receiver.close();
  }

  private take(key: string, { path, body, headers }: Received): void {
    if (this.answered.has(key)) this.again.push(key);
    const undone = headers['aftersign-undoes'];
    if (undone === undefined) this.effects.set(key, { path, body });
    else this.effects.delete(String(undone));
  }
}

/** A number from 0 to 1 that a key always has. */
export function shareOf(key: string, salt: string): number {
  return createHash('sha256').update(`${salt} ${key}`).digest().readUInt32BE(0) / 2 ** 32;
}
