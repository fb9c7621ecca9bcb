import { createHash, createHmac } from 'node:crypto';
import type { Clock } from '../config/clock.js';
import { deferred, resultOf } from './attempt-meaning.js';
import { attemptOf, networkRefusal, readAnswer } from './feishu-answer.js';
import type { FeishuPlatform } from './feishu-platform.js';
import type { OutboundHttp } from './outbound-http.js';
import { RateWindows } from './rate-window.js';
import type { AttemptResult, FeishuBotRequest, FeishuText, Sender } from './sender.js';

/** feishu-events 5.1; per bot, and counted for this process. */
const LIMITS = [
  { max: 100, perMs: 60_000 },
  { max: 5, perMs: 1_000 },
];
const MOST_BYTES = 20 * 1024;
const TIMEOUT_MS = 15_000;

/** Sends messages to custom bots. They have no key against repetition: a lost answer may make a message come twice. */
export class FeishuBotSender implements Sender<FeishuBotRequest> {
  private readonly windows = new RateWindows(LIMITS);

  constructor(
    private readonly http: OutboundHttp,
    private readonly platform: FeishuPlatform,
    private readonly clock: Clock,
  ) {}

  async send(
    request: FeishuBotRequest,
    actionKey: string,
    secrets: readonly string[] = [],
  ): Promise<AttemptResult> {
    const { url } = request;
    const host = URL.canParse(url) ? new URL(url).host : 'the bot';
    const now = this.clock.now();
    const body = JSON.stringify({ ...signature(request.signSecret, now), ...botMessage(request) });
    const size = Buffer.byteLength(body);
    if (size > MOST_BYTES)
      return resultOf(
        'FEISHU_MESSAGE_TOO_LARGE',
        `The message has ${size} bytes, a bot takes ${MOST_BYTES}: shorten it, for example with | truncate.`,
      );
    // The token in the URL is a secret: only its hash is kept.
    const window = this.windows.of(createHash('sha256').update(url).digest('base64'));
    if (window.wait(now) > 0) return deferred('the bot', window.placeInLine(now));
    window.begin(now);
    const door = this.platform.isAtPlatform(url) ? this.platform.http : this.http;
    const type = { 'content-type': 'application/json; charset=utf-8' };
    try {
      const answer = await door.exchange(
        { method: 'POST', url, headers: type, body, timeoutMs: TIMEOUT_MS, success: null },
        { 'idempotency-key': actionKey },
        secrets,
      );
      const read = readAnswer(answer, host, this.clock.now());
      if (!read.ok && read.kind === 'throttled') window.pause(this.clock.now(), read.retryAfterMs ?? 0);
      return attemptOf(read, host);
    } catch (error) {
      return attemptOf(networkRefusal(error, host), host);
    }
  }
}

/** The signature of a custom bot: the secret is part of the key, and what is signed is empty (feishu-events 5.1). */
export function botSign(timestamp: string, secret: string): string {
  return createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64');
}

function signature(secret: string | null, now: number): object {
  if (secret === null) return {};
  const timestamp = String(Math.floor(now / 1000));
  return { timestamp, sign: botSign(timestamp, secret) };
}

const botMessage = ({ text, card }: FeishuText): object =>
  card === null ? { msg_type: 'text', content: { text } } : { msg_type: 'interactive', card };
