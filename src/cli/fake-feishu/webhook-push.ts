import { type KeyObject, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { Agent, type Dispatcher, request } from 'undici';
import { encryptFeishu, feishuAesKey, feishuSignature } from '../../ingestion/feishu-crypto.js';
import type { FakeApp } from './apps.js';
import type { PushAttempt } from './push-record.js';

const CHALLENGE_WITHIN_MS = 1000;
/** Requests at a time; the time of the others begins when it is their turn. */
const AT_ONCE = 64;

/** Deliveries to the webhooks of apps, encrypted and signed as the platform does (feishu-events 1). */
export class WebhookPush {
  private readonly agent: Agent;
  private readonly queue: (() => void)[] = [];
  private next = 0;
  private readonly keys = new Map<string, KeyObject>();
  private running = 0;

  constructor(
    private readonly answerWithinMs: number,
    private readonly now: () => number,
  ) {
    // Two seconds of the three.
    this.agent = new Agent({ connect: { timeout: (answerWithinMs * 2) / 3 }, connections: AT_ONCE });
  }

  /** One delivery: only status 200 within the time is success. */
  async deliver(app: FakeApp, body: string): Promise<PushAttempt> {
    await this.turn();
    const at = this.now();
    const started = performance.now();
    const sealed = this.sealed(app, body);
    const headers = this.signedHeaders(app, sealed);
    const ended = (outcome: PushAttempt['outcome'], code: number | null): PushAttempt => ({
      via: 'webhook',
      connection: null,
      at,
      outcome,
      ms: performance.now() - started,
      code,
    });
    try {
      const answer = await this.post(urlOf(app), sealed, headers, this.answerWithinMs);
      await answer.body.dump();
      return ended(answer.statusCode === 200 ? 'success' : 'failure', answer.statusCode);
    } catch (error) {
      return ended(isTimeout(error) ? 'timeout' : 'dropped', null);
    } finally {
      this.running -= 1;
      this.callNext();
    }
  }

  /** Whether the webhook answers the check of its address, as the console does it when the address is saved. */
  async verify(app: FakeApp): Promise<boolean> {
    const challenge = randomUUID();
    const asked = { challenge, token: app.verificationToken ?? '', type: 'url_verification' };
    try {
      const answer = await this.post(
        urlOf(app),
        this.sealed(app, JSON.stringify(asked)),
        { 'Content-Type': 'application/json;charset=utf-8' },
        CHALLENGE_WITHIN_MS,
      );
      const told: unknown = await answer.body.json();
      return (
        answer.statusCode === 200 &&
        typeof told === 'object' &&
        told !== null &&
        'challenge' in told &&
        told.challenge === challenge
      );
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    await this.agent.destroy();
  }

  private async turn(): Promise<void> {
    if (this.running >= AT_ONCE) {
      await new Promise<void>((resolve) => this.queue.push(resolve));
      return;
    }
    this.running += 1;
  }

  private callNext(): void {
    const waiting = this.queue[this.next];
    if (!waiting) {
      this.queue.length = 0;
      this.next = 0;
      return;
    }
    this.next += 1;
    this.running += 1;
    waiting();
  }

  private async post(
    url: string,
    body: string,
    headers: Record<string, string>,
    withinMs: number,
  ): Promise<Dispatcher.ResponseData> {
    return await request(url, {
      method: 'POST',
      headers,
      body,
      dispatcher: this.agent,
      signal: AbortSignal.timeout(withinMs),
    });
  }

  /** Encrypted anew for each delivery when the app has a key. */
  private sealed({ encryptKey }: FakeApp, body: string): string {
    if (encryptKey === undefined) return body;
    const key = this.keys.get(encryptKey) ?? feishuAesKey(encryptKey);
    this.keys.set(encryptKey, key);
    return JSON.stringify({ encrypt: encryptFeishu(key, body) });
  }

  /** Without an Encrypt Key the platform signs all the same, with an empty one. */
  private signedHeaders(app: FakeApp, body: string): Record<string, string> {
    const timestamp = String(Math.floor(this.now() / 1000));
    const nonce = String(randomInt(100_000_000, 1_000_000_000));
    return {
      'Content-Type': 'application/json;charset=utf-8',
      'User-Agent': 'Go-http-client/1.1',
      'Accept-Encoding': 'gzip',
      'X-Request-Id': randomUUID(),
      'X-Tt-Logid': randomBytes(16).toString('hex'),
      'X-Lark-Request-Timestamp': timestamp,
      'X-Lark-Request-Nonce': nonce,
      'X-Lark-Signature': feishuSignature(timestamp, nonce, app.encryptKey ?? '', Buffer.from(body, 'utf8')),
    };
  }
}

function urlOf({ appId, webhookUrl }: FakeApp): string {
  if (webhookUrl === undefined) throw new Error(`${appId} has no webhookUrl`);
  return webhookUrl;
}

function isTimeout(error: unknown): boolean {
  const { name } = error as { name?: unknown };
  return name === 'TimeoutError' || name === 'ConnectTimeoutError';
}
