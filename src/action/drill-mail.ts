import { lookup } from 'node:dns/promises';
import { TLSSocket } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import SMTPPool from 'nodemailer/lib/smtp-pool';
import { networkOutcome } from './attempt-outcome.js';
import { certificateOf } from './drill-connection.js';
import { DrillFailure, type DrillRecord } from './drill-steps.js';
import { mailFailure } from './mail-outcome.js';
import { type MailServer, mailServerOptions } from './mail-server.js';
import type { AttemptResult } from './sender.js';

/** Goes the way of a mail up to where it would be handed over: name, connection, TLS, login. `now` in ms. */
export async function drillMailServer(record: DrillRecord, server: MailServer, now: number): Promise<void> {
  const { hostname } = new URL(server.smtpUrl);
  await record.step('name', async () => {
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch((error: unknown) => {
      throw DrillFailure.of(networkOutcome(error, hostname));
    });
    return [null, `${hostname} is at ${found.map(({ address }) => address).join(', ')}.`];
  });
  // The pool of the sender reads the URL in the same way; this one never connects.
  const { options } = new SMTPPool(mailServerOptions(server));
  const connection = new SMTPConnection(options);
  // What comes after the last step is of no interest, and must not end the process.
  connection.on('error', () => undefined);
  try {
    const problem = await problemOf((done) => {
      // A connection that fails tells its listeners; only one that closes in silence tells who connects.
      connection.once('error', done);
      connection.connect(done);
    });
    const isTls = problem?.code === 'SMTP_TLS_FAILED';
    await record.step('connection', () => {
      if (problem !== null && !isTls) throw DrillFailure.of(problem);
      return Promise.resolve([null, 'The mail server answers.']);
    });
    await record.step('tls', () => {
      if (problem !== null) throw DrillFailure.of(problem);
      const socket = connection._socket;
      const detail =
        socket instanceof TLSSocket ? certificateOf(socket, now) : 'No TLS: the mail server offers none.';
      return Promise.resolve([null, detail]);
    });
    const { auth } = options;
    if (auth === undefined) return;
    await record.step('login', async () => {
      const refused = await problemOf((done) => {
        connection.login(auth, done);
      });
      if (refused !== null) throw DrillFailure.of(refused);
      return [null, 'The mail server takes user and password.'];
    });
  } finally {
    connection.close();
  }
}

/** How a mail would have ended for the first thing that `done` is told; null when that is nothing. */
async function problemOf(work: (done: (error?: unknown) => void) => void): Promise<AttemptResult | null> {
  const error = await new Promise<unknown>((resolve) => {
    work((first) => {
      resolve(first ?? null);
    });
  });
  return error === null ? null : mailFailure(error);
}
