import { createHash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import {
  createTransport,
  type SendMailOptions,
  type SMTPPoolOptions,
  type SMTPPoolSentMessageInfo,
  type Transporter,
} from 'nodemailer';
import { resultOf } from './attempt-meaning.js';
import { isPlainAddress } from './mail-address.js';
import { mailFailure, mailOutcome } from './mail-outcome.js';
import { type MailServer, mailServerOptions } from './mail-server.js';
import { decoded } from './proxy-tunnel.js';
import type { AttemptResult, EmailRequest, Sender } from './sender.js';

export interface EmailSenderOptions extends MailServer {
  /** An address, or a name with an address: `Aftersign <ops@example.com>`. */
  readonly from: string;
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
  /** The password, as a server may repeat it. */
  private readonly hidden: readonly string[];
  /** Of mails that have gone out to their last byte. */
  private readonly sent = new WeakSet<AbortSignal>();

  constructor({ from, ...server }: EmailSenderOptions) {
    this.from = from;
    this.fromAddress = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;
    this.hidden = passwordForms(server.smtpUrl);
    this.transport = createTransport({
      ...mailServerOptions(server),
      // Only a mail of which no byte was sent is put on another connection; all else is a new attempt of the action.
      maxRequeues: 1,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    this.transport.use('stream', ({ data: { signal }, message }, done) => {
      message.processFunc((bytes) =>
        bytes.once('end', () => {
          if (signal instanceof AbortSignal) this.sent.add(signal);
        }),
      );
      done();
    });
  }

  async send(
    request: EmailRequest,
    actionKey: string,
    secrets: readonly string[] = [],
  ): Promise<AttemptResult> {
    const problem = problemOf(request);
    if (problem !== null) return problem;
    const hidden = [...secrets, ...this.hidden];
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort();
    }, ATTEMPT_TIMEOUT_MS);
    try {
      const mail = { ...this.mailOf(request, actionKey), signal: deadline.signal };
      return mailOutcome(await this.transport.sendMail(mail), recipientsOf(request), hidden);
    } catch (error) {
      return mailFailure(error, hidden, this.sent.has(deadline.signal));
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
    const { to, cc, replyTo, subject, text, html } = request;
    const recipients = recipientsOf(request).filter((one) => one !== null);
    return {
      // Given apart from the header fields, so that nothing in them can add a recipient.
      envelope: { from: this.fromAddress, to: [...new Set(recipients)] },
      from: this.from,
      to: to.map(plain),
      cc: cc.map(plain),
      replyTo: replyTo.map(plain),
      subject: subject.replace(/\p{Cc}+/gu, ' '),
      ...(text === null ? {} : { text }),
      ...(html === null ? {} : { html }),
      messageId: messageId(actionKey, this.fromAddress),
      // RFC 3834: nobody's holiday notice answers it.
      headers: { 'Idempotency-Key': actionKey, 'Auto-Submitted': 'auto-generated' },
    };
  }
}

/** All whom a mail is for, in the order in which `left` counts them; null for those who have it already. */
function recipientsOf({ to, cc, bcc, left }: EmailRequest): (string | null)[] {
  return [...to, ...cc, ...bcc].map((one, at) => (left === undefined || left.includes(at) ? one : null));
}

/** A password as it is and as the commands of a login carry it. */
function passwordForms(smtpUrl: string): readonly string[] {
  const { username, password } = new URL(smtpUrl);
  if (password === '') return [];
  const [user, clear] = [decoded(username), decoded(password)];
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return [clear, base64(clear), base64(`\0${user}\0${clear}`)];
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
    return resultOf(
      'ADDRESS_INVALID',
      `Not one plain mail address: ${wrong.map((address) => JSON.stringify(address).slice(0, 100)).join(' and ')}.`,
    );
  if (to.length + cc.length + bcc.length === 0)
    return resultOf('ADDRESS_INVALID', 'The mail has no recipient.');
  // nodemailer reads a file or fetches a URL for an object like { path }.
  const isText = [subject, text ?? '', html ?? ''].every((part: unknown) => typeof part === 'string');
  return isText ? null : resultOf('MAIL_INVALID', 'Subject, text and HTML of a mail must be text.');
}
