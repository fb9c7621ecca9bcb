import { describe, expect, it } from '@jest/globals';
import { mailFailure, mailOutcome } from '../../src/action/mail-outcome.js';

// Pure functions only: nothing here is faked.
describe('a reply of the mail server', () => {
  const reply = (responseCode: number, command: string, rest: object = {}) => ({
    code: 'EENVELOPE',
    responseCode,
    response: `${responseCode} said so`,
    command,
    ...rest,
  });

  it.each<[object, string, string]>([
    [reply(421, 'MAIL FROM'), 'retry', 'SMTP_BUSY'],
    [reply(450, 'CONN'), 'retry', 'SMTP_BUSY'],
    [reply(450, 'RCPT TO', { rejected: ['a@x.test'] }), 'retry', 'SMTP_DEFERRED'],
    [reply(451, 'DATA'), 'retry', 'SMTP_DEFERRED'],
    [reply(452, 'RCPT TO'), 'retry', 'SMTP_DEFERRED'],
    [reply(503, 'DATA'), 'retry', 'SMTP_DEFERRED'],
    [reply(550, 'DATA'), 'permanent', 'SMTP_REFUSED'],
    [reply(552, 'DATA', { code: 'EMESSAGE' }), 'permanent', 'SMTP_REFUSED'],
    [reply(550, 'MAIL FROM'), 'permanent', 'SMTP_REFUSED'],
    [reply(550, 'RCPT TO', { rejected: ['a@x.test'] }), 'permanent', 'RECIPIENT_REFUSED'],
    [reply(535, 'AUTH PLAIN', { code: 'EAUTH' }), 'retry', 'SMTP_AUTH_FAILED'],
    [reply(454, 'AUTH PLAIN', { code: 'EAUTH' }), 'retry', 'SMTP_AUTH_FAILED'],
    [reply(530, 'MAIL FROM'), 'retry', 'SMTP_AUTH_FAILED'],
    [reply(554, 'CONN', { code: 'EPROTOCOL' }), 'retry', 'SMTP_UNREACHABLE'],
    [reply(454, 'STARTTLS', { code: 'ETLS' }), 'retry', 'SMTP_BUSY'],
    [reply(502, 'STARTTLS', { code: 'ETLS' }), 'retry', 'SMTP_TLS_FAILED'],
    [{ code: 'EAUTH' }, 'retry', 'SMTP_AUTH_FAILED'],
    [{ code: 'ESOCKET', originalCode: 'ECONNREFUSED' }, 'retry', 'SMTP_UNREACHABLE'],
    [{ code: 'ESOCKET', originalCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'retry', 'SMTP_TLS_FAILED'],
    [{ code: 'ETLS' }, 'retry', 'SMTP_TLS_FAILED'],
    [{ code: 'EDNS' }, 'retry', 'SMTP_UNREACHABLE'],
    [{ code: 'ECONNECTION' }, 'retry', 'SMTP_UNREACHABLE'],
    [{ code: 'ETIMEDOUT' }, 'retry', 'SMTP_TIMEOUT'],
    [{ code: 'EABORT' }, 'retry', 'SMTP_TIMEOUT'],
    [{ code: 'EENVELOPE' }, 'permanent', 'MAIL_INVALID'],
    [{ code: 'EFILEACCESS' }, 'permanent', 'MAIL_INVALID'],
    [new Error('Connection pool was closed'), 'retry', 'SMTP_UNREACHABLE'],
  ])('%p ends as %s, %s', (error, outcome, code) => {
    expect(mailFailure(error)).toMatchObject({ outcome, code });
  });

  it('is kept with its code', () => {
    expect(mailFailure(reply(451, 'DATA'))).toEqual({
      outcome: 'retry',
      code: 'SMTP_DEFERRED',
      detail: 'The mail server answered 451 to DATA.',
      status: 451,
      answer: '451 said so',
      retryAfterMs: null,
      target: 'up',
    });
  });

  it('is open when it was lost after the whole mail had gone out, and not before', () => {
    for (const code of ['ECONNECTION', 'ETIMEDOUT', 'EABORT', 'ESOCKET']) {
      expect(mailFailure({ code }, [], true)).toMatchObject({ outcome: 'retry', ambiguous: true });
      expect(mailFailure({ code })).not.toHaveProperty('ambiguous');
    }
    expect(mailFailure(reply(451, 'DATA'), [], true)).not.toHaveProperty('ambiguous');
  });

  it('is a delivery when all recipients were taken', () => {
    const taken = { accepted: ['a@x.test'], rejected: [], response: '250 OK queued' };
    expect(mailOutcome(taken, ['a@x.test'])).toEqual({
      outcome: 'delivered',
      code: null,
      detail: 'The mail server took the mail (250).',
      status: 250,
      answer: '250 OK queued',
      retryAfterMs: null,
      target: 'up',
    });
  });

  it.each([
    ['put off', [450, 452], 'retry', 'SMTP_DEFERRED'],
    ['refused for good', [550, 553], 'permanent', 'RECIPIENT_REFUSED'],
    ['partly the one and partly the other', [550, 450], 'retry', 'SMTP_DEFERRED'],
  ])('names those who were %s, and them alone are left', (_, [first, second], outcome, code) => {
    const some = mailOutcome(
      {
        accepted: ['a@x.test'],
        rejected: ['b@x.test', 'c@xn--fiq228c.test'],
        rejectedErrors: [{ responseCode: first }, { responseCode: second }],
        response: '250 OK',
      },
      ['b@x.test', 'a@x.test', null, 'c@中文.test'],
    );
    expect(some).toMatchObject({ outcome, code, left: [0, 3] });
    expect(some.detail).toContain('b@x.test, c@');
  });
});
