import { isObject, own } from '../events/own-member.js';
import { parseLossless } from '../events/lossless-json.js';
import { type AttemptCode, delivered, isPermanent, resultOf, type Said } from './attempt-meaning.js';
import { type HttpAnswer, networkOutcome, retryAfterMs } from './attempt-outcome.js';
import { SentError } from './outbound-error.js';
import type { AttemptResult } from './sender.js';

/** What the platform answered: `data`, or why there is none. */
export type PlatformAnswer =
  | {
      readonly ok: true;
      /** The member `data` of the answer. */
      readonly data: unknown;
      readonly status: number;
      /** What is kept of the answer, for people; holds no secret. */
      readonly text: string;
    }
  | PlatformRefusal;

export interface PlatformRefusal {
  readonly ok: false;
  /** `throttled` and `transient` may pass; what is `permanent` needs a person. */
  readonly kind: 'throttled' | 'transient' | 'permanent';
  /** A stable code of ours; the platform's own stands in `detail`. */
  readonly code: AttemptCode;
  /** A sentence for people. Holds no secret. */
  readonly detail: string;
  /** Null: no answer came, or nothing was asked. */
  readonly status: number | null;
  /** Milliseconds to wait, when that is known. */
  readonly retryAfterMs: number | null;
  readonly text: string;
  /** No answer came after the request was sent. */
  readonly sent?: true;
}

type Meaning = readonly [code: AttemptCode, means: string];

/** Said by a 401, and by a code of its own. */
const TOKEN_REFUSED: Meaning = ['FEISHU_TOKEN_REFUSED', 'it does not take the tenant token of the app'];

/** What a code of the platform's answers means to us (feishu-events 4.4, 5.1). */
const CODES: Readonly<Record<number, Meaning>> = {
  99991400: ['FEISHU_THROTTLED', 'it wants fewer requests'],
  11232: ['FEISHU_THROTTLED', 'it wants fewer requests, above all at full and half hours'],
  99991663: TOKEN_REFUSED,
  19001: [
    'FEISHU_BOT_UNKNOWN',
    'there is no such bot: copy the webhook address again from the settings of the bot in its group',
  ],
  19021: [
    'FEISHU_SIGN_REFUSED',
    'the signature is wrong or more than an hour old: "sign" must name the secret that the settings of the bot show, and the clock of this machine must be right',
  ],
  19022: [
    'FEISHU_IP_REFUSED',
    'the settings of the bot do not allow the address that this machine sends from',
  ],
  19024: [
    'FEISHU_KEYWORD_MISSING',
    'the settings of the bot ask for a keyword that the message does not hold',
  ],
  9499: ['FEISHU_REQUEST_REFUSED', 'it does not understand what was sent'],
};

/** No pause that an answer asks for is longer. */
const LONGEST_PAUSE_MS = 3_600_000;
/** What is throttled without a word of how long. */
const SHORT_PAUSE_MS = 1_000;

/**
 * Reads an answer of the platform: failure is told by the member `code`, also inside a 200; code 0 of a 2xx alone is
 * success. `who` begins the sentence, like `open.feishu.cn`.
 */
export function readAnswer(answer: HttpAnswer, who: string, now: number): PlatformAnswer {
  const { status, text } = answer;
  const json = jsonOf(answer);
  const code = own(json, 'code') ?? own(json, 'StatusCode');
  const isTwoHundred = status >= 200 && status < 300;
  const refuse = (ours: AttemptCode, means = '', retryAfter: number | null = null): PlatformRefusal => {
    const platforms = typeof code === 'number' ? `, code ${code}${wordsIn(text)}` : '';
    const detail = `${who} answered ${status}${platforms}${means === '' ? '' : `: ${means}`}.`;
    return refusal(ours, detail, { status, answer: text, retryAfterMs: retryAfter });
  };
  if (answer.brokenBy !== null)
    return { ...networkRefusal(new SentError(answer.brokenBy), who), status, text };
  if (isTwoHundred && code === 0) return { ok: true, data: own(json, 'data'), status, text };
  const [ours, means] = (typeof code === 'number' ? CODES[code] : undefined) ?? [];
  if (status === 429 || ours === 'FEISHU_THROTTLED')
    return refuse('FEISHU_THROTTLED', means ?? 'it wants fewer requests', pauseOf(answer, now));
  if (ours !== undefined) return refuse(ours, means);
  if (status === 401) return refuse(...TOKEN_REFUSED);
  if (isTwoHundred)
    return typeof code === 'number'
      ? refuse('FEISHU_FAILED')
      : refuse('ANSWER_BROKEN', 'no JSON with a code');
  if (status >= 300 && status < 400)
    return refuse('REDIRECT', 'redirects are not followed, check FEISHU_DOMAIN');
  return isPermanent(`HTTP_${status}`) && typeof code === 'number'
    ? refuse('FEISHU_REFUSED')
    : refuse(`HTTP_${status}`);
}

/** The refusal when no answer came: what `OutboundHttp.exchange` threw. */
export function networkRefusal(error: unknown, who: string): PlatformRefusal {
  const { code, detail, ambiguous = false } = networkOutcome(error, who);
  // What the network did has a code, and it is one of those that mean something.
  return refusal((code ?? 'TARGET_FAILED') as AttemptCode, detail, { sent: ambiguous });
}

/** Why the platform gave no answer that is one, or was not asked. `detail` is for people and holds no secret. */
export function refusal(code: AttemptCode, detail: string, said: Said = {}): PlatformRefusal {
  const result = resultOf(code, detail, said);
  return {
    ok: false,
    kind:
      code === 'FEISHU_THROTTLED' ? 'throttled' : result.outcome === 'permanent' ? 'permanent' : 'transient',
    code,
    detail,
    status: result.status,
    retryAfterMs: result.retryAfterMs,
    text: result.answer,
    ...(result.ambiguous === undefined ? {} : { sent: true }),
  };
}

/** How long the platform wants no requests of the kind that it throttled. */
function pauseOf({ rateLimitReset, retryAfter }: HttpAnswer, now: number): number {
  const reset = rateLimitReset?.trim() ?? '';
  const asked = /^\d{1,9}$/.test(reset) ? Number(reset) * 1000 : retryAfterMs(retryAfter, now);
  return Math.min(asked ?? SHORT_PAUSE_MS, LONGEST_PAUSE_MS);
}

/** The members of a JSON answer; none of what is no JSON object. Long numbers keep their digits. */
export function jsonOf({ body, complete }: HttpAnswer): Record<string, unknown> {
  if (!complete) return {};
  try {
    const json = parseLossless(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}

/** The platform's own words, as far as they are fit for a line. Taken from the kept text, which holds no secret. */
function wordsIn(text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    const words = isObject(json) ? (own(json, 'msg') ?? own(json, 'StatusMessage')) : undefined;
    if (typeof words !== 'string' || words.trim() === '') return '';
    return ` (${words.trim().replace(/\s+/g, ' ').slice(0, 200)})`;
  } catch {
    return '';
  }
}

/** What an answer means for a delivery. `who` as for `readAnswer`. */
export function attemptOf(answer: PlatformAnswer, who: string): AttemptResult {
  const { status, text } = answer;
  if (answer.ok) return delivered(`${who} took it (${answer.status}, code 0).`, answer.status, text);
  const { code, detail, retryAfterMs: wait, sent = false } = answer;
  return resultOf(code, detail, { status, answer: text, retryAfterMs: wait, sent });
}
