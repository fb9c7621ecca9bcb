import { ownAt } from '../events/own-member.js';
import { OutboundError } from './outbound-error.js';
import type { AttemptResult, HttpSuccess } from './sender.js';

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

/** What a mail server said when it took a mail: nodemailer's result, as far as it matters here. */
export interface SmtpAcceptance {
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  readonly rejectedErrors?: readonly { readonly responseCode?: number | undefined }[] | undefined;
  readonly response: string;
}

type Failure = Pick<AttemptResult, 'code' | 'detail'> & Partial<AttemptResult>;

const NOTHING = { status: null, answer: '', retryAfterMs: null };

function delivered(detail: string, status: number, answer: string): AttemptResult {
  return { outcome: 'delivered', code: null, detail, status, answer, retryAfterMs: null };
}

function retry(failure: Failure): AttemptResult {
  return { ...NOTHING, ...failure, outcome: 'retry' };
}

function permanent(failure: Failure): AttemptResult {
  return { ...NOTHING, ...failure, outcome: 'permanent' };
}

/** The outcome of a request that was not sent because of what is in it. The code names what is wrong. */
export function refusedRequest(code: string, detail: string): AttemptResult {
  return permanent({ code, detail });
}

/**
 * The outcome of an HTTP answer. 2xx is delivered unless the rule says otherwise; 408, 425, 429 and 5xx are tried
 * again; other statuses are permanent.
 */
export function httpOutcome(
  answer: HttpAnswer,
  success: HttpSuccess | null,
  host: string,
  now: number,
): AttemptResult {
  const { status, text } = answer;
  const said = { status, answer: text };
  const retryAfter = retryAfterMs(answer.retryAfter, now);
  const statusIsRight =
    success !== null && 'status' in success ? success.status.includes(status) : isTwoHundred(status);

  if (statusIsRight && answer.brokenBy !== null)
    // Half an answer is not an answer: the target may not have done the work. The action key makes it safe to ask again.
    return { ...networkOutcome(answer.brokenBy, host), ...said };
  if (statusIsRight && bodyIsRight(answer, success))
    return delivered(`${host} answered ${status}.`, status, text);
  if (statusIsRight || isTwoHundred(status))
    return retry({
      ...said,
      code: 'ANSWER_NOT_SUCCESS',
      detail: `${host} answered ${status}, but not what the rule calls success.`,
      retryAfterMs: retryAfter,
    });
  if (status >= 300 && status < 400)
    return permanent({
      ...said,
      code: 'REDIRECT',
      detail: `${host} answered ${status}: redirects are not followed, use the final URL.`,
    });
  const failure = { ...said, code: `HTTP_${status}`, detail: `${host} answered ${status}.` };
  const mayPass = status < 200 || status >= 500 || [408, 425, 429].includes(status);
  return mayPass ? retry({ ...failure, retryAfterMs: retryAfter }) : permanent(failure);
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

const TLS_FAILURE =
  /^(?:EPROTO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$|^(?:ERR_(?:TLS|SSL|OSSL)|CERT|CRL|UNABLE_TO|ERROR_IN|DEPTH_ZERO|SELF_SIGNED)_/;

/** What an error code of the network means: which code of ours, and how the sentence about the host goes on. */
const NETWORK: readonly (readonly [RegExp, string, string])[] = [
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

/** The outcome when no whole answer came. Everything may pass, but a request that must not go out as it is. */
export function networkOutcome(error: unknown, host: string): AttemptResult {
  const code = codeOf(error);
  if (error instanceof OutboundError) {
    if (error.code === 'PROXY_FAILED') return retry({ code, detail: `${host} ${error.message}.` });
    if (error.code === 'URL_INVALID' || error.code === 'HEADER_INVALID')
      return permanent({ code, detail: error.message });
  }
  if (code === 'ADDRESS_FORBIDDEN')
    return permanent({
      code,
      detail: `${host} is at an address that is not public. If actions may reach it, name it in OUTBOUND_ALLOW.`,
    });
  if (/^(?:UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_\w+)$/.test(code))
    return permanent({ code: 'REQUEST_INVALID', detail: `The request to ${host} is not proper HTTP.` });
  const known = NETWORK.find(([pattern]) => pattern.test(code));
  const [, ours, sentence] = known ?? [null, 'TARGET_FAILED', 'could not be asked'];
  return retry({ code: ours, detail: `${host} ${sentence} (${code}).` });
}

/** The outcome of a mail that the server took, for all or for some of its recipients. */
export function mailOutcome(acceptance: SmtpAcceptance, secrets: readonly string[] = []): AttemptResult {
  const answer = keptText(Buffer.from(acceptance.response), secrets);
  const status = replyCode(acceptance.response);
  if (acceptance.rejected.length === 0)
    return delivered(`The mail server took the mail (${status}).`, status, answer);
  // Not tried again: the recipients who were taken would get the mail twice.
  return permanent({
    code: 'RECIPIENT_REFUSED',
    detail: `The mail server refused ${acceptance.rejected.join(', ')}; the other recipients got the mail.`,
    status: acceptance.rejectedErrors?.[0]?.responseCode ?? status,
    answer,
  });
}

/** Commands before there is a mail: what goes wrong here says nothing about the mail. */
const SESSION_COMMAND = /^(?:CONN|EHLO|LHLO|HELO|STARTTLS)$/;

/** The outcome of a mail that nobody got: nodemailer's error. */
export function mailFailure(error: unknown, secrets: readonly string[] = []): AttemptResult {
  const failure = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly responseCode?: number;
    readonly response?: string;
    readonly command?: string;
    readonly rejected?: readonly string[];
    readonly originalCode?: string;
  };
  const code = codeOf(error);
  const { responseCode: status = null, command = '' } = failure;
  const said = { status, answer: keptText(Buffer.from(failure.response ?? ''), secrets) };
  if (/^(?:EAUTH|ENOAUTH|EOAUTH2)$/.test(code) || status === 530)
    return retry({
      ...said,
      code: 'SMTP_AUTH_FAILED',
      detail: 'The mail server wants another login: check user and password in SMTP_URL.',
    });
  if (status === null) return unansweredMail(code, failure.originalCode ?? code);
  const detail = `The mail server answered ${status}${command === '' ? '' : ` to ${command}`}.`;
  // 503 says that the session was in the wrong state, not that the mail is refused.
  if (status < 500 || status === 503) return retry({ ...said, code: 'SMTP_DEFERRED', detail });
  if (SESSION_COMMAND.test(command)) return retry({ ...said, code: 'SMTP_UNREACHABLE', detail });
  return failure.rejected === undefined
    ? permanent({ ...said, code: 'SMTP_REFUSED', detail })
    : permanent({
        ...said,
        code: 'RECIPIENT_REFUSED',
        detail: `The mail server refused ${failure.rejected.join(', ')} (${status}).`,
      });
}

function unansweredMail(code: string, cause: string): AttemptResult {
  if (/^(?:ETIMEDOUT|EABORT)$/.test(code))
    return retry({ code: 'SMTP_TIMEOUT', detail: 'The mail server did not answer in time.' });
  if (/^(?:ETLS|EREQUIRETLS)$/.test(code) || TLS_FAILURE.test(cause))
    return retry({
      code: 'SMTP_TLS_FAILED',
      detail: `The mail server could not prove who it is (${cause}): see SMTP_URL and OUTBOUND_CA.`,
    });
  if (/^(?:EENVELOPE|EMESSAGE|EMAXRECIPIENTS|EFILEACCESS|EURLACCESS)$/.test(code))
    return permanent({ code: 'MAIL_INVALID', detail: `The mail cannot be sent as it is (${code}).` });
  return retry({ code: 'SMTP_UNREACHABLE', detail: `The mail server cannot be reached (${cause}).` });
}

const replyCode = (response: string): number => Number(/^\d{3}/.exec(response)?.[0] ?? 250);

/** The code of an error, or of what caused it. Errors of Node's core may come from another realm: no instanceof. */
function codeOf(error: unknown): string {
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
  let text = new TextDecoder().decode(body).replace(/[^\P{Cc}\n\t]/gu, '');
  // A very short one would black out half of any text, and protect nothing.
  for (const secret of secrets) if (secret.length >= 4) text = text.replaceAll(secret, '[redacted]');
  const bytes = Buffer.from(text);
  // A character cut in half at the end is left out, not replaced.
  return bytes.length <= KEPT_BYTES
    ? text
    : new TextDecoder().decode(bytes.subarray(0, KEPT_BYTES), { stream: true });
}
