import { domainToASCII } from 'node:url';
import { delivered, resultOf } from './attempt-meaning.js';
import { codeOf, keptText, TLS_FAILURE } from './attempt-outcome.js';
import type { AttemptResult } from './sender.js';

/** What a mail server said when it took a mail: nodemailer's result, as far as it matters here. */
export interface SmtpAcceptance {
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  readonly rejectedErrors?:
    | readonly {
        readonly responseCode?: number | undefined;
        readonly response?: string | undefined;
        readonly recipient?: string | undefined;
      }[]
    | undefined;
  readonly response: string;
}

/**
 * The outcome of a mail that the server took, for all or for some of its recipients. Those who have it must not get it
 * again: `left` says by their place in `recipients` who has not.
 *
 * @param recipients all that the mail was to go to in this attempt or, with null for who already had it, before
 */
export function mailOutcome(
  acceptance: SmtpAcceptance,
  recipients: readonly (string | null)[],
  secrets: readonly string[] = [],
): AttemptResult {
  const { response, rejected, rejectedErrors = [] } = acceptance;
  const answer = keptText(Buffer.from(response), secrets);
  const status = replyCode(response);
  if (rejected.length === 0) return delivered(`The mail server took the mail (${status}).`, status, answer);
  const refused = new Set(rejected.map(comparable));
  const left = recipients.flatMap((one, at) => (one !== null && refused.has(comparable(one)) ? [at] : []));
  const later = rejectedErrors.find(({ responseCode = 0 }) => responseCode < 500);
  const first = later ?? rejectedErrors[0];
  const said = {
    status: first?.responseCode ?? status,
    answer: first?.response === undefined ? answer : keptText(Buffer.from(first.response), secrets),
  };
  const who = keptText(Buffer.from(rejected.join(', ')), secrets);
  // A refusal for good is told when those who are only put off have their mail, or when it is the only one.
  const result =
    later === undefined
      ? resultOf(
          'RECIPIENT_REFUSED',
          `The mail server refused ${who}; the other recipients got the mail.`,
          said,
        )
      : resultOf(
          'SMTP_DEFERRED',
          `The mail server did not take the mail for ${who} yet; the other recipients got it.`,
          said,
        );
  return { ...result, left };
}

/** nodemailer writes a domain in ASCII where it was not. */
function comparable(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return `${address.slice(0, at)}@${domainToASCII(domain) || domain}`;
}

/** Commands before there is a mail: what goes wrong here says nothing about the mail. */
const SESSION_COMMAND = /^(?:CONN|EHLO|LHLO|HELO|STARTTLS)$/;

/**
 * The outcome of a mail that nobody got: nodemailer's error.
 *
 * @param sent whether the whole mail had been sent: then the server may have taken it
 */
export function mailFailure(error: unknown, secrets: readonly string[] = [], sent = false): AttemptResult {
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
    return resultOf(
      'SMTP_AUTH_FAILED',
      'The mail server wants another login: check user and password in SMTP_URL.',
      said,
    );
  if (status === null) return unansweredMail(code, failure.originalCode ?? code, sent);
  const detail = `The mail server answered ${status}${command === '' ? '' : ` to ${command}`}.`;
  const isSession = SESSION_COMMAND.test(command);
  if (status === 421 || (isSession && status < 500)) return resultOf('SMTP_BUSY', detail, said);
  // 503 says that the session was in the wrong state, not that the mail is refused.
  if (status < 500 || status === 503) return resultOf('SMTP_DEFERRED', detail, said);
  if (command === 'STARTTLS')
    return resultOf(
      'SMTP_TLS_FAILED',
      `${detail} Without TLS no login is sent: mend the server, or end SMTP_URL with ?requireTLS=false.`,
      said,
    );
  if (isSession) return resultOf('SMTP_UNREACHABLE', detail, said);
  if (failure.rejected === undefined) return resultOf('SMTP_REFUSED', detail, said);
  const who = keptText(Buffer.from(failure.rejected.join(', ')), secrets);
  return resultOf('RECIPIENT_REFUSED', `The mail server refused ${who} (${status}).`, said);
}

function unansweredMail(code: string, cause: string, sent: boolean): AttemptResult {
  if (/^(?:ETIMEDOUT|EABORT)$/.test(code))
    return resultOf('SMTP_TIMEOUT', 'The mail server did not answer in time.', { sent });
  if (/^(?:ETLS|EREQUIRETLS)$/.test(code) || TLS_FAILURE.test(cause))
    return resultOf(
      'SMTP_TLS_FAILED',
      `The mail server could not prove who it is (${cause}): see SMTP_URL and OUTBOUND_CA.`,
    );
  if (/^(?:EENVELOPE|EMESSAGE|EMAXRECIPIENTS|EFILEACCESS|EURLACCESS)$/.test(code))
    return resultOf('MAIL_INVALID', `The mail cannot be sent as it is (${code}).`);
  return resultOf('SMTP_UNREACHABLE', `The mail server cannot be reached (${cause}).`, { sent });
}

const replyCode = (response: string): number => Number(/^\d{3}/.exec(response)?.[0] ?? 250);
