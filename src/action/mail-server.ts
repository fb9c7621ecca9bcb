import { getCACertificates } from 'node:tls';
import type { SMTPPoolOptions } from 'nodemailer';

/** How the operator's mail server is reached. */
export interface MailServer {
  readonly smtpUrl: string;
  /** PEM certificates trusted besides the usual ones. */
  readonly ca: string | undefined;
}

/**
 * nodemailer's options for it. A login goes over TLS alone, unless the URL says `?requireTLS=false`: otherwise whoever
 * stands in between only has to leave STARTTLS out of the server's answer to read the password.
 */
export function mailServerOptions({ smtpUrl, ca }: MailServer): SMTPPoolOptions & { pool: true } {
  const { username, searchParams } = new URL(smtpUrl);
  return {
    url: smtpUrl,
    pool: true,
    // As many as are under way: the lane of all mail has the limit.
    maxConnections: 1000,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    ...(username === '' || searchParams.has('requireTLS') ? {} : { requireTLS: true }),
    ...(ca === undefined ? {} : { tls: { ca: [...getCACertificates('default'), ca] } }),
  };
}
