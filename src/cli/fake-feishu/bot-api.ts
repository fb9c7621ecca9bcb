import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpAnswer } from './http-answer.js';

/** What a custom bot demands of its messages. */
export interface FakeBot {
  /** Every message must be signed with it. */
  readonly secret?: string;
  /** Every message must contain it. */
  readonly keyword?: string;
}

const LARGEST = 20 * 1024;
const SIGNATURE_AGE_MS = 3_600_000;

/** The `sign` of a message to a custom bot: an HMAC of nothing, whose key is the time and the secret (feishu-events 5.1). */
export function botSign(timestamp: string, secret: string): string {
  return createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64');
}

/** `POST /open-apis/bot/v2/hook/{token}`: answers 200 also to most of what it refuses. Null: taken. */
export function refusalOf(
  bot: FakeBot | undefined,
  body: Readonly<Record<string, unknown>> | null,
  size: number,
  now: number,
): HttpAnswer | null {
  if (!bot) return refused(200, 19001, 'param invalid: incoming webhook access token invalid');
  if (size > LARGEST) return refused(400, 9499, `Bad Request: ${size} bytes are too many`);
  if (body === null || !hasContent(body)) return refused(400, 9499, 'Bad Request');
  if (bot.secret !== undefined && !isSigned(body, bot.secret, now))
    return refused(200, 19021, 'sign match fail or timestamp is not within one hour from current time');
  if (bot.keyword !== undefined && !JSON.stringify(body['content'] ?? body['card']).includes(bot.keyword))
    return refused(200, 19024, 'Key Words Not Found');
  return null;
}

export const TAKEN: HttpAnswer = {
  status: 200,
  body: { StatusCode: 0, StatusMessage: 'success', code: 0, data: {}, msg: 'success' },
};

function refused(status: number, code: number, msg: string): HttpAnswer {
  return { status, body: { code, msg, data: {} } };
}

function hasContent({ msg_type: type, content, card }: Readonly<Record<string, unknown>>): boolean {
  const part = type === 'interactive' ? card : content;
  return typeof type === 'string' && typeof part === 'object' && part !== null;
}

function isSigned(body: Readonly<Record<string, unknown>>, secret: string, now: number): boolean {
  const { timestamp, sign } = body;
  if (typeof timestamp !== 'string' || typeof sign !== 'string' || !/^\d{1,12}$/.test(timestamp))
    return false;
  if (Math.abs(now - Number(timestamp) * 1000) > SIGNATURE_AGE_MS) return false;
  const [given, right] = [Buffer.from(sign), Buffer.from(botSign(timestamp, secret))];
  return given.length === right.length && timingSafeEqual(given, right);
}
