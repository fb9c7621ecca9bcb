import { ownAt } from '../events/own-member.js';
import { type AttemptCode, delivered, resultOf } from './attempt-meaning.js';
import { OutboundError, SentError } from './outbound-error.js';
import type { AttemptResult, HttpSuccess } from './sender.js';

/** From this length on a part of a secret URL is taken for a key. */
const KEY_LENGTH = 16;
/** Bytes of an answer that are kept. */
const KEPT_BYTES = 4096;

/** What came back for an HTTP request. */
export interface HttpAnswer {
  readonly status: number;
  /** The header `Retry-After` as it came. */
  readonly retryAfter: string | null;
  /** The header `x-ogw-ratelimit-reset` of Feishu's platform as it came: seconds to wait. */
  readonly rateLimitReset: string | null;
  /** The body, or its start. */
  readonly body: Uint8Array;
  /** False when the body went on beyond what is read of it. */
  readonly complete: boolean;
  /** The error that broke the body off; null when nothing did. */
  readonly brokenBy: unknown;
  /** What is kept of the body, for people. */
  readonly text: string;
}

/** The outcome of an HTTP answer: 2xx is delivered unless the rule says otherwise. */
export function httpOutcome(
  answer: HttpAnswer,
  success: HttpSuccess | null,
  host: string,
  now: number,
): AttemptResult {
  const { status, text } = answer;
  const said = { status, answer: text, retryAfterMs: retryAfterMs(answer.retryAfter, now) };
  const statusIsRight =
    success !== null && 'status' in success ? success.status.includes(status) : isTwoHundred(status);

  if (statusIsRight && answer.brokenBy !== null)
    // Half an answer is not an answer: the target may not have done the work. The action key makes it safe to ask again.
    return { ...networkOutcome(new SentError(answer.brokenBy), host), status, answer: text };
  if (statusIsRight && bodyIsRight(answer, success))
    return delivered(`${host} answered ${status}.`, status, text);
  if (statusIsRight || isTwoHundred(status))
    return resultOf(
      'ANSWER_NOT_SUCCESS',
      `${host} answered ${status}, but not what the rule calls success.`,
      said,
    );
  if (status >= 300 && status < 400)
    return resultOf(
      'REDIRECT',
      `${host} answered ${status}: redirects are not followed, use the final URL.`,
      said,
    );
  return resultOf(`HTTP_${status}`, `${host} answered ${status}.`, said);
}

const isTwoHundred = (status: number): boolean => status >= 200 && status < 300;

function bodyIsRight(answer: HttpAnswer, success: HttpSuccess | null): boolean {
  if (success === null || 'status' in success) return true;
  if (!answer.complete) return false;
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
    return ownAt(json, success.path.split('.')) === success.equal;
  } catch {
    return false;
  }
}

const HTTP_DATE =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4}|[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2}) [\d:]{8} GMT$/;

/** Milliseconds from `now` that a `Retry-After` header asks for; null when it says nothing usable. */
export function retryAfterMs(header: string | null, now: number): number | null {
  const text = header?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : HTTP_DATE.test(text) ? Date.parse(text) - now : NaN;
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : null;
}

/** Error codes of a TLS connection that did not come about. */
export const TLS_FAILURE =
  /^(?:EPROTO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$|^(?:ERR_(?:TLS|SSL|OSSL)|CERT|CRL|UNABLE_TO|ERROR_IN|DEPTH_ZERO|SELF_SIGNED)_/;

/** What an error code of the network means: which code of ours, and how the sentence about the host goes on. */
const NETWORK: readonly (readonly [RegExp, AttemptCode, string])[] = [
  [/^ECONNREFUSED$/, 'TARGET_REFUSED', 'refused the connection'],
  [
    /^(?:ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_ABORTED)$/,
    'TARGET_RESET',
    'closed the connection before its answer was complete',
  ],
  [
    /^(?:DEADLINE_PASSED|ETIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/,
    'TARGET_TIMEOUT',
    'did not answer in time',
  ],
  [/^(?:ENOTFOUND|ENODATA|EAI_NODATA|EAI_NONAME)$/, 'NAME_NOT_FOUND', 'is not a name that can be found'],
  [/^(?:EAI_\w+|ESERVFAIL|EREFUSED|ETIMEOUT)$/, 'NAME_LOOKUP_FAILED', 'could not be looked up'],
  [
    /^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/,
    'TARGET_UNREACHABLE',
    'cannot be reached from here',
  ],
  [
    TLS_FAILURE,
    'TLS_FAILED',
    'could not prove who it is; a certificate of your own authority belongs in OUTBOUND_CA',
  ],
  [/^(?:UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/, 'ANSWER_HEADERS_TOO_LARGE', 'sent too many headers'],
  [
    /^(?:HPE_\w+|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|TOO_MANY_INTERIM_ANSWERS)$/,
    'ANSWER_BROKEN',
    'did not speak proper HTTP',
  ],
  [/^UND_ERR_(?:DESTROYED|CLOSED)$/, 'SENDER_CLOSED', 'was not asked: the service is stopping'],
];

/** The outcome when no whole answer came: what `OutboundHttp.exchange` threw. */
export function networkOutcome(error: unknown, host: string): AttemptResult {
  const sent = error instanceof SentError;
  const failure = sent ? error.cause : error;
  const code = codeOf(failure);
  if (failure instanceof OutboundError) {
    if (failure.code === 'PROXY_FAILED') return resultOf('PROXY_FAILED', `${host} ${failure.message}.`);
    if (failure.code === 'URL_INVALID' || failure.code === 'HEADER_INVALID')
      return resultOf(failure.code, failure.message);
  }
  if (code === 'ADDRESS_FORBIDDEN')
    return resultOf(
      code,
      `${host} is at an address that is not public. If actions may reach it, name it in OUTBOUND_ALLOW.`,
    );
  if (/^(?:UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_\w+)$/.test(code))
    return resultOf('REQUEST_INVALID', `The request to ${host} is not proper HTTP.`);
  const known = NETWORK.find(([pattern]) => pattern.test(code));
  const [, ours, sentence] = known ?? [null, 'TARGET_FAILED' as const, 'could not be asked'];
  return resultOf(ours, `${host} ${sentence} (${code}).`, { sent });
}

/** The code of an error, or of what caused it. Errors of Node's core may come from another realm: no instanceof. */
export function codeOf(error: unknown): string {
  const { code, name, cause, errors } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly code?: unknown;
    readonly name?: unknown;
    readonly cause?: unknown;
    readonly errors?: unknown;
  };
  if (typeof code === 'string' && /^\w+$/.test(code)) return code;
  // undici leaves the code of some of these out.
  if (name === 'HTTPParserError') return 'HPE_INVALID';
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return cause === undefined ? 'UNKNOWN' : codeOf(cause);
}

/**
 * The start of an answer as text for people: UTF-8 as far as it is, no control characters but line feeds and tabs,
 * `secrets` blacked out, at most 4 kB.
 */
export function keptText(body: Uint8Array, secrets: readonly string[]): string {
  let text = withoutControls(UTF8.decode(body));
  for (const form of formsOf(secrets)) text = text.replaceAll(form, '[redacted]');
  if (Buffer.byteLength(text) <= KEPT_BYTES) return text;
  // A character cut in half at the end is left out, not replaced.
  return new TextDecoder().decode(Buffer.from(text).subarray(0, KEPT_BYTES), { stream: true });
}

const UTF8 = new TextDecoder();

const withoutControls = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '');

/** Of a URL that is itself a secret: what a server says that it was asked for, and what may be its key. */
function partsOfUrl(secret: string): readonly string[] {
  if (!/^https?:/i.test(secret) || !URL.canParse(secret)) return [];
  const { pathname, search } = new URL(secret);
  const keys = `${pathname}${search}`.split(/[/?&=]/).filter(({ length }) => length >= KEY_LENGTH);
  return [pathname + search, pathname, ...keys];
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/** What an answer may hold of secrets: as they are, in JSON, in a text of JSON that holds JSON, in a URL. The longest first: it may hold a shorter one. */
function formsOf(secrets: readonly string[]): readonly string[] {
  const forms = secrets
    .flatMap((secret) => [secret, ...partsOfUrl(secret)])
    .flatMap((secret) => [
      withoutControls(secret),
      inJson(secret),
      inJson(inJson(secret)),
      encodeURIComponent(secret.toWellFormed()),
    ]);
  // A very short one would black out half of any text, and protect nothing.
  return [...new Set(forms)].filter(({ length }) => length >= 4).sort((a, b) => b.length - a.length);
}
