import { randomBytes, randomUUID } from 'node:crypto';
import type { FakeApp } from './apps.js';
import { type Connections, serviceIdOf } from './connections.js';
import { cut, shuffled } from './fragments.js';
import { DATA } from './frame.js';
import type { PushAttempt, PushOptions } from './push-record.js';

interface Waiting {
  readonly appId: string;
  acknowledged(code: number | null): void;
}

/** Deliveries over the long connection. Their acknowledgements are found by `message_id`, on any connection of the app. */
export class ConnectionPush {
  private readonly waiting = new Map<string, Waiting>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly connections: Connections,
    private readonly ackWithinMs: number,
    private readonly now: () => number,
    private readonly random: () => number,
  ) {}

  /** One delivery to one connection, picked by chance. It never settles when the fake is stopped meanwhile. */
  async deliver(
    app: FakeApp,
    body: string,
    { fragments = 1, reorder = false }: PushOptions,
  ): Promise<PushAttempt> {
    const at = this.now();
    const started = performance.now();
    const ended = (outcome: PushAttempt['outcome'], code: number | null): PushAttempt => ({
      via: 'long-connection',
      connection: connection?.id ?? null,
      at,
      outcome,
      ms: performance.now() - started,
      code,
    });
    const connection = this.connections.pick(app.appId);
    if (!connection) return ended('failure', null);
    const messageId = randomUUID();
    const frames = cut(Buffer.from(body, 'utf8'), fragments, this.random).map((payload, seq, all) => ({
      seqId: connection.nextSeqId(),
      // As long as real ones may be: the SDK rounds it, nobody may rely on it.
      logId: randomBytes(8).readBigUInt64BE(),
      service: serviceIdOf(app),
      method: DATA,
      headers: [
        ['timestamp', String(at)],
        ['type', 'event'],
        ['message_id', messageId],
        ['sum', String(all.length)],
        ['seq', String(seq)],
        ['trace_id', randomBytes(16).toString('hex')],
      ] as const,
      payload,
    }));
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.waiting.delete(messageId);
        resolve(ended(connection.open ? 'timeout' : 'dropped', null));
      }, this.ackWithinMs);
      this.timers.add(timer);
      this.waiting.set(messageId, {
        appId: app.appId,
        acknowledged: (code) => {
          clearTimeout(timer);
          this.timers.delete(timer);
          this.waiting.delete(messageId);
          resolve(ended(code === 200 ? 'success' : 'failure', code));
        },
      });
      for (const frame of reorder ? shuffled(frames, this.random) : frames) connection.send(frame);
    });
  }

  /** Takes an acknowledgement from any connection. One that comes late or belongs to nobody is ignored. */
  acknowledge(appId: string, messageId: string, code: number | null): void {
    const waiting = this.waiting.get(messageId);
    if (waiting?.appId === appId) waiting.acknowledged(code);
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.waiting.clear();
  }
}
