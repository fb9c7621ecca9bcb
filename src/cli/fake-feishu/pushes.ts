import type { FakeApp } from './apps.js';
import type { ConnectionPush } from './connection-push.js';
import { bodyOf, eventIdOf } from './envelope.js';
import type { PushAttempt, PushOptions, PushRecord, Way } from './push-record.js';
import type { WebhookPush } from './webhook-push.js';

/** Every event that was pushed, and the retries of those that did not succeed (feishu-events 1.7). */
export class Pushes {
  readonly pushed = new Map<string, PushRecord>();
  /** The same, the oldest first; an event that was pushed twice stands there twice. */
  readonly inOrder: PushRecord[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  private pending = 0;
  private stopped = false;

  constructor(
    private readonly connectionPush: ConnectionPush,
    private readonly webhookPush: WebhookPush,
    private readonly retryDelaysMs: readonly number[],
    private readonly random: () => number,
  ) {}

  push(app: FakeApp, envelope: object | string, options: PushOptions): PushRecord {
    if (this.stopped) throw new Error('the fake Feishu is stopped');
    const via = options.via ?? (app.webhookUrl === undefined ? 'long-connection' : 'webhook');
    if (via !== 'long-connection' && app.webhookUrl === undefined)
      throw new Error(`${app.appId} has no webhookUrl: events of it go by the long connection only`);
    const record: PushRecord = {
      eventId: eventIdOf(envelope),
      appId: app.appId,
      attempts: [],
      state: 'pending',
    };
    this.pushed.set(record.eventId, record);
    this.inOrder.push(record);
    this.pending += 1;
    const ways: readonly Way[] = via === 'both' ? ['long-connection', 'webhook'] : [via];
    void Promise.all(
      ways.map((way) => this.deliver(record, this.senderOf(way, app, envelope, options), options)),
    ).then((succeeded) => {
      record.state = succeeded.every(Boolean) ? 'done' : 'given-up';
      this.ended();
    });
    return record;
  }

  /** Resolves when no push is pending. Rejects when the fake is stopped before. */
  async settled(): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    const error = new Error(`the fake Feishu was stopped while ${this.pending} pushes were pending`);
    for (const { reject } of this.waiting) reject(error);
    this.waiting = [];
  }

  private ended(): void {
    this.pending -= 1;
    if (this.pending > 0) return;
    for (const { resolve } of this.waiting) resolve();
    this.waiting = [];
  }

  /** The token is the app's in a webhook and empty on the long connection. */
  private senderOf(
    way: Way,
    app: FakeApp,
    envelope: object | string,
    options: PushOptions,
  ): () => Promise<PushAttempt> {
    if (way === 'webhook') {
      const body = bodyOf(envelope, app.verificationToken ?? '');
      return () => this.webhookPush.deliver(app, body);
    }
    const body = bodyOf(envelope, '');
    return () => this.connectionPush.deliver(app, body, options);
  }

  /** All deliveries on one way: whether one of them, other than a copy, succeeded. */
  private async deliver(
    record: PushRecord,
    send: () => Promise<PushAttempt>,
    { duplicates = 0 }: PushOptions,
  ): Promise<boolean> {
    const attempt = async (): Promise<boolean> => {
      const ended = await send();
      record.attempts.push(ended);
      return ended.outcome === 'success';
    };
    const copies = Array.from({ length: duplicates }, () => this.random() < 0.5);
    const first = attempt();
    const beside = copies.filter((atOnce) => atOnce).map(() => attempt());
    let succeeded = await first;
    for (const delay of this.retryDelaysMs) {
      if (succeeded) break;
      await this.pause(delay);
      succeeded = await attempt();
    }
    const after = succeeded ? copies.filter((atOnce) => !atOnce).map(() => attempt()) : [];
    await Promise.all([...beside, ...after]);
    return succeeded;
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, ms);
      this.timers.add(timer);
    });
  }
}
