import type { AttemptResult } from './sender.js';

/** What a code says of one attempt. */
interface Meaning {
  /** `permanent`: trying again cannot help, a person must look. */
  readonly outcome: 'retry' | 'permanent';
  /** What it says of the target: it answers, or it is down. `wait`: down when it says how long to wait, else up. */
  readonly target: 'up' | 'down' | 'wait' | 'nothing';
  /** Whether the work may have been done when the request had been sent before it went wrong. */
  readonly ambiguous?: true;
}

/** It answered, and the answer will be the same again. */
const REFUSED: Meaning = { outcome: 'permanent', target: 'up' };
/** It answered, and may answer otherwise later. */
const LATER: Meaning = { outcome: 'retry', target: 'up' };
/** It wants fewer requests: that alone is no failure, but a time that it names is kept. */
const SLOWER: Meaning = { outcome: 'retry', target: 'wait' };
const DOWN: Meaning = { outcome: 'retry', target: 'down' };
/** No whole answer came. */
const NO_ANSWER: Meaning = { outcome: 'retry', target: 'down', ambiguous: true };
/** Nothing was sent, because of what was to be sent or of a setting. */
const NOT_SENDABLE: Meaning = { outcome: 'permanent', target: 'nothing' };

/**
 * What is permanent, for every kind of action: each code that an attempt ends with, but those of HTTP statuses.
 * docs/deliveries.md has the same table.
 */
export const ATTEMPT_CODES = {
  REDIRECT: REFUSED,
  ANSWER_NOT_SUCCESS: LATER,
  ANSWER_BROKEN: NO_ANSWER,
  ANSWER_HEADERS_TOO_LARGE: NO_ANSWER,
  TARGET_REFUSED: DOWN,
  TARGET_RESET: NO_ANSWER,
  TARGET_TIMEOUT: NO_ANSWER,
  TARGET_UNREACHABLE: NO_ANSWER,
  TARGET_FAILED: NO_ANSWER,
  TLS_FAILED: NO_ANSWER,
  NAME_NOT_FOUND: DOWN,
  NAME_LOOKUP_FAILED: DOWN,
  PROXY_FAILED: DOWN,
  SENDER_CLOSED: { outcome: 'retry', target: 'nothing', ambiguous: true },
  SENDER_FAILED: { outcome: 'retry', target: 'nothing', ambiguous: true },
  ADDRESS_FORBIDDEN: NOT_SENDABLE,
  URL_INVALID: NOT_SENDABLE,
  HEADER_INVALID: NOT_SENDABLE,
  REQUEST_INVALID: NOT_SENDABLE,
  REQUEST_MISSING: NOT_SENDABLE,
  SECRET_MISSING: NOT_SENDABLE,
  SIGNING_KEY_INVALID: NOT_SENDABLE,
  FEISHU_THROTTLED: LATER,
  FEISHU_TOKEN_REFUSED: LATER,
  FEISHU_APP_REFUSED: LATER,
  FEISHU_FAILED: LATER,
  FEISHU_REFUSED: REFUSED,
  FEISHU_REQUEST_REFUSED: REFUSED,
  FEISHU_BOT_UNKNOWN: REFUSED,
  FEISHU_SIGN_REFUSED: REFUSED,
  FEISHU_IP_REFUSED: REFUSED,
  FEISHU_KEYWORD_MISSING: REFUSED,
  FEISHU_APP_UNKNOWN: NOT_SENDABLE,
  FEISHU_APP_SECRET_MISSING: NOT_SENDABLE,
  FEISHU_HOST_MISMATCH: NOT_SENDABLE,
  FEISHU_MESSAGE_TOO_LARGE: NOT_SENDABLE,
  SMTP_DEFERRED: LATER,
  SMTP_REFUSED: REFUSED,
  RECIPIENT_REFUSED: REFUSED,
  SMTP_BUSY: DOWN,
  SMTP_AUTH_FAILED: DOWN,
  SMTP_TLS_FAILED: DOWN,
  SMTP_TIMEOUT: NO_ANSWER,
  SMTP_UNREACHABLE: NO_ANSWER,
  SMTP_NOT_CONFIGURED: NOT_SENDABLE,
  ADDRESS_INVALID: NOT_SENDABLE,
  MAIL_INVALID: NOT_SENDABLE,
} as const satisfies Record<string, Meaning>;

/** HTTP statuses that are no success, the first that fits. docs/deliveries.md has the same table. */
export const ATTEMPT_STATUSES: readonly (readonly [name: string, from: number, to: number, Meaning])[] = [
  ['HTTP_408', 408, 408, LATER],
  ['HTTP_425', 425, 425, LATER],
  ['HTTP_429', 429, 429, SLOWER],
  ['HTTP_4xx', 400, 499, REFUSED],
  ['HTTP_xxx', 0, 999, DOWN],
];

export type AttemptCode = keyof typeof ATTEMPT_CODES | `HTTP_${number}`;

/** What came back, and how far the request got. */
export interface Said {
  readonly status?: number | null;
  /** What is kept of the answer; holds no secret. */
  readonly answer?: string;
  readonly retryAfterMs?: number | null;
  /** Whether the request, or a part of it, was sent. Absent: not. */
  readonly sent?: boolean;
}

/**
 * The one place that decides what the end of an attempt means, for HTTP, mail and Feishu alike: the readers of answers
 * and errors only name a code.
 *
 * @param detail one sentence for people; holds no secret
 */
export function resultOf(code: AttemptCode, detail: string, said: Said = {}): AttemptResult {
  const { status = null, answer = '', retryAfterMs = null, sent = false } = said;
  const { outcome, target, ambiguous = false } = meaningOf(code);
  const shown = target === 'wait' ? (retryAfterMs === null ? 'up' : 'down') : target;
  return {
    outcome,
    code,
    detail,
    status,
    answer,
    // Nobody waits for what is not tried again.
    retryAfterMs: outcome === 'retry' ? retryAfterMs : null,
    ...(ambiguous && sent ? { ambiguous } : {}),
    ...(shown === 'nothing' ? {} : { target: shown }),
  };
}

/** Whether trying again cannot help. */
export const isPermanent = (code: AttemptCode): boolean => meaningOf(code).outcome === 'permanent';

function meaningOf(code: AttemptCode): Meaning {
  if (code in ATTEMPT_CODES) return ATTEMPT_CODES[code as keyof typeof ATTEMPT_CODES];
  const status = Number(code.slice('HTTP_'.length));
  return ATTEMPT_STATUSES.find(([, from, to]) => status >= from && status <= to)?.[3] ?? DOWN;
}

/** The target has taken it. */
export function delivered(detail: string, status: number, answer: string): AttemptResult {
  return { outcome: 'delivered', code: null, detail, status, answer, retryAfterMs: null, target: 'up' };
}

/** Nothing was sent, and it was no attempt: a limit is used up. It may come again after `ms`. */
export function deferred(whose: string, ms: number): AttemptResult {
  return {
    outcome: 'deferred',
    code: 'FEISHU_THROTTLED',
    detail: `Nothing was sent: the limit of ${whose} is used up, its turn comes in ${ms} ms.`,
    status: null,
    answer: '',
    retryAfterMs: ms,
  };
}
