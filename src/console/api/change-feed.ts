import { randomBytes } from 'node:crypto';
import { type Log, messageOf } from '../../config/log.js';
import { matchesPattern } from '../../events/catalogue.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { ChangeReader } from './change-reader.js';
import type { ChangeMessage } from './change-source.js';
import type { Topic } from './stream.schema.js';

const POLL_MS = 500;
const HEARTBEAT_MS = 15_000;
/** Messages that one who comes again can still be given. */
const KEPT = 1000;
/** After so long without listeners, what happened meanwhile is not looked for any more. */
const RESUMES_WITHIN_MS = 60_000;
const COMMENT = Buffer.from(':\n\n');

/** What somebody wants to hear of. */
export interface Wants {
  readonly topics: readonly Topic[];
  readonly rule?: string | undefined;
  /** An event type, or a pattern. */
  readonly type?: string | undefined;
  readonly personal: boolean;
}

/** Somebody who listens. */
export interface Listener {
  readonly wants: Wants;
  write(frames: Buffer): void;
  /** Whether whoever listens still may. */
  mayStay(): Promise<boolean>;
  end(): void;
}

interface Kept {
  readonly number: number;
  readonly topic: Topic;
  readonly about: Pick<ChangeMessage, 'eventType' | 'rules'> | null;
  readonly frame: Buffer;
  readonly maskedFrame: Buffer;
}

/**
 * What happens in the database, told to all listeners of this process: it looks only while somebody listens, and makes
 * and writes out each message once, however many there are.
 */
export class ChangeFeed {
  private readonly listeners = new Set<Listener>();
  private kept: Kept[] = [];
  private next = 1;
  /** Names the numbers of this feed: those of another process, or of before a pause, mean nothing here. */
  private epoch = '';
  private begun: Promise<void> | null = null;
  private quietSince: number | null = null;
  private polling: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private heartbeat: NodeJS.Timeout | null = null;
  private isBroken = false;

  constructor(
    private readonly readers: readonly ChangeReader[],
    private readonly catalogue: { readonly current: Catalogue },
    private readonly log: Log,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.listeners.size;
  }

  /** From now on `listener` hears of what happens; first, when it can be told, of what came after `lastId`. */
  async join(listener: Listener, lastId: string | undefined): Promise<void> {
    await this.begin();
    this.listeners.add(listener);
    this.quietSince = null;
    const since = this.numberOf(lastId);
    const missed = since === null ? [] : this.kept.filter(({ number }) => number > since);
    const lost = lastId !== undefined && since === null;
    listener.write(
      Buffer.concat([
        Buffer.from(`retry: 2000\n${this.frame('ready', { topics: listener.wants.topics }, this.next - 1)}`),
        Buffer.from(lost ? this.frame('reset', {}, this.next - 1) : ''),
        ...framesFor(missed, listener.wants),
      ]),
    );
    this.run();
  }

  leave(listener: Listener): void {
    if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
    this.quietSince = this.now();
    this.pause();
  }

  /** Looks once, and tells what it found. */
  poll(): Promise<void> {
    this.polling ??= this.look().finally(() => {
      this.polling = null;
    });
    return this.polling;
  }

  /** Shows listeners and what is in between that the connection is alive; ends those who may not listen any more. */
  async beat(): Promise<void> {
    await Promise.all(
      [...this.listeners].map(async (listener) => {
        if (await listener.mayStay()) listener.write(COMMENT);
        else listener.end();
      }),
    );
  }

  async stop(): Promise<void> {
    for (const listener of [...this.listeners]) listener.end();
    this.listeners.clear();
    this.pause();
    await this.polling;
  }

  private async begin(): Promise<void> {
    const isStale = this.quietSince !== null && this.now() - this.quietSince > RESUMES_WITHIN_MS;
    if (isStale && this.listeners.size === 0) {
      this.begun = null;
      this.quietSince = null;
    }
    this.begun ??= this.beginAnew().catch((error: unknown) => {
      this.begun = null;
      throw error;
    });
    await this.begun;
  }

  private async beginAnew(): Promise<void> {
    this.epoch = randomBytes(6).toString('hex');
    this.kept = [];
    this.next = 1;
    for (const reader of this.readers) await reader.begin();
  }

  private run(): void {
    this.timer ??= setInterval(() => {
      void this.poll();
    }, POLL_MS).unref();
    this.heartbeat ??= setInterval(() => {
      void this.beat();
    }, HEARTBEAT_MS).unref();
  }

  private pause(): void {
    if (this.timer) clearInterval(this.timer);
    if (this.heartbeat) clearInterval(this.heartbeat);
    this.timer = null;
    this.heartbeat = null;
  }

  private async look(): Promise<void> {
    try {
      const found: Kept[] = [];
      for (const reader of this.readers) {
        const { topic } = reader.source;
        const { messages, left } = await reader.poll(this.catalogue.current);
        if (left > 0) found.push(this.make(topic, null, 'gap', { topic, count: left }));
        for (const message of messages)
          found.push(this.make(topic, message, topic, message.data, message.masked));
      }
      this.isBroken = false;
      this.tell(found);
    } catch (error) {
      if (!this.isBroken) this.log.warn({ event: 'stream.not-read' }, messageOf(error));
      this.isBroken = true;
    }
  }

  private tell(found: readonly Kept[]): void {
    if (found.length === 0) return;
    this.kept = [...this.kept, ...found].slice(-KEPT);
    // Those who want the same get the same bytes.
    const frames = new Map<string, Buffer>();
    for (const listener of [...this.listeners]) {
      const key = JSON.stringify(listener.wants);
      let wanted = frames.get(key);
      if (!wanted) frames.set(key, (wanted = Buffer.concat(framesFor(found, listener.wants))));
      if (wanted.length > 0) listener.write(wanted);
    }
  }

  private make(topic: Topic, about: Kept['about'], event: string, data: object, masked = data): Kept {
    const number = this.next;
    this.next += 1;
    const frame = Buffer.from(this.frame(event, data, number));
    const maskedFrame = masked === data ? frame : Buffer.from(this.frame(event, masked, number));
    return { number, topic, about, frame, maskedFrame };
  }

  private frame(event: string, data: object, number: number): string {
    return `id: ${this.epoch}-${number}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** The number that `lastId` means, when all that came after it is kept; else null. */
  private numberOf(lastId: string | undefined): number | null {
    const [epoch, digits = ''] = lastId?.split('-') ?? [];
    if (epoch !== this.epoch || !/^\d{1,15}$/.test(digits)) return null;
    const number = Number(digits);
    const first = this.kept[0]?.number ?? this.next;
    return number >= first - 1 && number < this.next ? number : null;
  }
}

function framesFor(kept: readonly Kept[], wants: Wants): Buffer[] {
  return kept
    .filter(({ topic, about }) => wants.topics.includes(topic) && (about === null || concerns(about, wants)))
    .map(({ frame, maskedFrame }) => (wants.personal ? frame : maskedFrame));
}

function concerns(
  { eventType, rules }: Pick<ChangeMessage, 'eventType' | 'rules'>,
  { rule, type }: Wants,
): boolean {
  if (rule !== undefined && rules?.includes(rule) !== true) return false;
  return type === undefined || matchesPattern(type, eventType);
}
