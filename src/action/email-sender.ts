import { createHash } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { domainToASCII } from 'node:url';
import {
  createTransport,
  type SendMailOptions,
  type SMTPPoolOptions,
  type SMTPPoolSentMessageInfo,
  type Transporter,
} from 'nodemailer';
import { mailFailure, mailOutcome, refusedRequest } from './attempt-outcome.js';
import { isPlainAddress } from './mail-address.js';
import type { AttemptResult, EmailRequest, Sender } from './sender.js';

export interface EmailSenderOptions {
  readonly smtpUrl: string;
  /** An address, or a name with an address: `Aftersign <ops@example.com>`. */
  readonly from: string;
  /** PEM certificates trusted besides the usual ones. */
  readonly ca: string | undefined;
}

/** For the whole attempt: a server that answers a little every 29 s would otherwise hold it for ever. */
const ATTEMPT_TIMEOUT_MS = 60_000;

/**
 * Sends mail actions through the operator's mail server. Every attempt of one action has the same Message-ID, so
 * that a mail sent twice is one mail to servers and readers.
 */
export class EmailSender implements Sender<EmailRequest> {
  private readonly from: string;
  private readonly transport: Transporter<SMTPPoolSentMessageInfo, SMTPPoolOptions>;
  private readonly fromAddress: string;

  constructor({ smtpUrl, from, ca }: EmailSenderOptions) {
    this.from = from;
    this.fromAddress = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;
    this.transport = createTransport({
      url: smtpUrl,
      pool: true,
      // Only a mail of which no byte was sent is put on another connection; all else is a new attempt of the action.
      maxRequeues: 1,
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 30_000,
      disableFileAccess: true,
      disableUrlAccess: true,
      ...(ca === undefined ? {} : { tls: { ca: [...getCACertificates('default'), ca] } }),
    });
  }

  async send(
    request: EmailRequest,
    actionKey: string,
    secrets: readonly string[] = [],
  ): Promise<AttemptResult> {
    const problem = problemOf(request);
    if (problem !== null) return problem;
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort();
    }, ATTEMPT_TIMEOUT_MS);
    try {
      const mail = { ...this.mailOf(request, actionKey), signal: deadline.signal };
      return mailOutcome(await this.transport.sendMail(mail), secrets);
    } catch (error) {
      return mailFailure(error, secrets);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends idle connections. */
  close(): Promise<void> {
    this.transport.close();
    return Promise.resolve();
  }

  private mailOf(request: EmailRequest, actionKey: string): SendMailOptions {
    const { to, cc, bcc, replyTo, subject, text, html } = request;
    return {
      // Given apart from the header fields, so that nothing in them can add a recipient.
      envelope: { from: this.fromAddress, to: [...new Set([...to, ...cc, ...bcc])] },
      from: this.from,
      to: to.map(plain),
      cc: cc.map(plain),
      replyTo: replyTo.map(plain),
      subject: subject.replace(/\p{Cc}+/gu, ' '),
      ...(text === null ? {} : { text }),
      ...(html === null ? {} : { html }),
      messageId: messageId(actionKey, this.fromAddress),
      headers: { 'Idempotency-Key': actionKey },
    };
  }
}

const plain = (address: string): { name: string; address: string } => ({ name: '', address });

function messageId(actionKey: string, fromAddress: string): string {
  const domain = domainToASCII(fromAddress.slice(fromAddress.lastIndexOf('@') + 1));
  const isPlain = /^[\w+-]+(?:\.[\w+-]+)*$/.test(actionKey);
  const left = isPlain ? actionKey : createHash('sha256').update(actionKey).digest('hex');
  return `<${left}@${domain === '' ? 'aftersign.invalid' : domain}>`;
}

/** Why a mail cannot go out at all; null when it can. Its texts may come from events, its types are not trusted. */
function problemOf({ to, cc, bcc, replyTo, subject, text, html }: EmailRequest): AttemptResult | null {
  const addresses: readonly unknown[] = [...to, ...cc, ...bcc, ...replyTo];
  const wrong = addresses.filter((address) => typeof address !== 'string' || !isPlainAddress(address));
  if (wrong.length > 0)
    return refusedRequest(
      'ADDRESS_INVALID',
      `Not one plain mail address: ${wrong.map((address) => JSON.stringify(address).slice(0, 100)).join(' and ')}.`,
    );
  if (to.length + cc.length + bcc.length === 0)
    return refusedRequest('ADDRESS_INVALID', 'The mail has no recipient.');
  // nodemailer reads a file or fetches a URL for an object like { path }.
  const isText = [subject, text ?? '', html ?? ''].every((part: unknown) => typeof part === 'string');
  return isText ? null : refusedRequest('MAIL_INVALID', 'Subject, text and HTML of a mail must be text.');
}
