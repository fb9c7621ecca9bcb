import { describe, expect, it } from '@jest/globals';
import {
  httpOutcome,
  keptText,
  networkOutcome,
  retryAfterMs,
  type HttpAnswer,
} from '../../src/action/attempt-outcome.js';
import { OutboundError, SentError } from '../../src/action/outbound-error.js';
import { ownAt } from '../../src/events/own-member.js';
import type { HttpSuccess } from '../../src/action/sender.js';

// Pure functions only: nothing here is faked.
const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const HOST = 'crm.example.com';

function answer(status: number, rest: Partial<HttpAnswer> & { json?: string } = {}): HttpAnswer {
  const text = rest.json ?? '';
  return {
    status,
    retryAfter: null,
    rateLimitReset: null,
    body: Buffer.from(text),
    complete: true,
    brokenBy: null,
    text,
    ...rest,
  };
}

const outcomeOf = (given: HttpAnswer, success: HttpSuccess | null = null) =>
  httpOutcome(given, success, HOST, NOW);

describe('an HTTP status', () => {
  it.each([
    ['delivered', [200, 201, 202, 204, 206, 299]],
    ['retry', [100, 199, 408, 425, 429, 500, 502, 503, 504, 507, 599, 999]],
    ['permanent', [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422, 451, 499]],
  ])('ends as %s for %p', (outcome, statuses) => {
    expect(statuses.map((status) => outcomeOf(answer(status)).outcome)).toEqual(statuses.map(() => outcome));
  });

  it('gives a stable code, a sentence with the host, the status and the start of the answer', () => {
    expect(outcomeOf(answer(503, { text: 'busy' }))).toEqual({
      outcome: 'retry',
      code: 'HTTP_503',
      detail: 'crm.example.com answered 503.',
      status: 503,
      answer: 'busy',
      retryAfterMs: null,
      target: 'down',
    });
    expect(outcomeOf(answer(307))).toMatchObject({ code: 'REDIRECT', status: 307 });
    expect(outcomeOf(answer(200))).toMatchObject({ code: null, status: 200 });
  });

  it('carries the wish to wait of what is tried again, and of nothing else', () => {
    const waits = (status: number) => outcomeOf(answer(status, { retryAfter: '120' })).retryAfterMs;
    expect([429, 503, 404, 302, 200].map(waits)).toEqual([120_000, 120_000, null, null, null]);
  });

  it('is no success when the answer broke off, and stays a failure when it was one', () => {
    const brokenBy = { code: 'ECONNRESET' };
    expect(outcomeOf(answer(200, { brokenBy }))).toMatchObject({
      outcome: 'retry',
      code: 'TARGET_RESET',
      status: 200,
      ambiguous: true,
    });
    expect(outcomeOf(answer(410, { brokenBy }))).toMatchObject({ outcome: 'permanent', code: 'HTTP_410' });
  });
});

describe('the success of a rule', () => {
  it('by status takes the statuses it lists and no other', () => {
    const success = { status: [201, 404] };
    expect([200, 201, 404, 409, 500].map((status) => outcomeOf(answer(status), success))).toMatchObject([
      { outcome: 'retry', code: 'ANSWER_NOT_SUCCESS' },
      { outcome: 'delivered' },
      { outcome: 'delivered' },
      { outcome: 'permanent', code: 'HTTP_409' },
      { outcome: 'retry', code: 'HTTP_500' },
    ]);
  });

  it.each<[string, string, string | number | boolean | null, boolean]>([
    ['{"code":0,"msg":"success"}', 'code', 0, true],
    ['\ufeff{"code":0}', 'code', 0, true],
    ['{"code":19001}', 'code', 0, false],
    ['{"code":"0"}', 'code', 0, false],
    ['{"a":{"b":[{"ok":true}]}}', 'a.b.0.ok', true, true],
    ['{"a":null}', 'a', null, true],
    ['{}', 'a', null, false],
    ['{"a":null}', 'a.b', null, false],
    ['"text"', 'length', 4, false],
    ['{}', 'constructor.name', 'Object', false],
    ['{"__proto__":{"x":1}}', '__proto__.x', 1, true],
    ['{}', '__proto__', null, false],
    ['<html>', 'code', 0, false],
    ['', 'code', 0, false],
  ])('in %s: %s equal to %p is %p', (json, path, equal, isSuccess) => {
    const result = outcomeOf(answer(200, { json }), { path, equal });
    expect(result).toMatchObject(
      isSuccess
        ? { outcome: 'delivered', code: null }
        : { outcome: 'retry', code: 'ANSWER_NOT_SUCCESS', status: 200 },
    );
  });

  it('in a JSON answer is looked for only in a 2xx and in a whole answer', () => {
    const success = { path: 'code', equal: 0 };
    expect(outcomeOf(answer(400, { json: '{"code":0}' }), success)).toMatchObject({ code: 'HTTP_400' });
    expect(outcomeOf(answer(200, { json: '{"code":0}', complete: false }), success)).toMatchObject({
      code: 'ANSWER_NOT_SUCCESS',
    });
  });

  it('reads own properties only', () => {
    expect(ownAt({ a: 1 }, ['toString'])).toBeUndefined();
    expect(ownAt([], ['0'])).toBeUndefined();
    expect(ownAt({ '': { x: 2 } }, ['', 'x'])).toBe(2);
  });
});

describe('Retry-After', () => {
  it.each<[string | null, number | null]>([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['1000000000', 1e12],
    ['Mon, 23 Nov 2026 12:01:30 GMT', 90_000],
    ['Monday, 23-Nov-26 12:01:30 GMT', 90_000],
    ['Mon, 23 Nov 2026 12:00:00 GMT', 0],
    ['Mon, 23 Nov 2026 11:59:59 GMT', null],
    ['Mon, 99 Nov 2026 12:01:30 GMT', null],
    ['Mon, 23 Nov 2026 12:01:30 +0800', null],
    ['-5', null],
    ['+5', null],
    ['1.5', null],
    ['1e3', null],
    ['0x10', null],
    ['9'.repeat(400), null],
    ['soon', null],
    ['2026-11-23', null],
    ['', null],
    [null, null],
  ])('%p is %p ms', (header, ms) => {
    expect(retryAfterMs(header, NOW)).toBe(ms);
  });
});

describe('an error of the network', () => {
  it.each([
    ['TARGET_REFUSED', ['ECONNREFUSED']],
    ['TARGET_RESET', ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']],
    [
      'TARGET_TIMEOUT',
      [
        'ETIMEDOUT',
        'UND_ERR_CONNECT_TIMEOUT',
        'UND_ERR_HEADERS_TIMEOUT',
        'UND_ERR_BODY_TIMEOUT',
        'DEADLINE_PASSED',
      ],
    ],
    ['NAME_NOT_FOUND', ['ENOTFOUND', 'ENODATA']],
    ['NAME_LOOKUP_FAILED', ['EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'ETIMEOUT']],
    ['TARGET_UNREACHABLE', ['EHOSTUNREACH', 'ENETUNREACH']],
    [
      'TLS_FAILED',
      [
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'CERT_HAS_EXPIRED',
        'ERR_TLS_CERT_ALTNAME_INVALID',
        'ERR_SSL_WRONG_VERSION_NUMBER',
        'EPROTO',
      ],
    ],
    ['ANSWER_HEADERS_TOO_LARGE', ['UND_ERR_HEADERS_OVERFLOW']],
    [
      'ANSWER_BROKEN',
      ['HPE_INVALID_CONSTANT', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'TOO_MANY_INTERIM_ANSWERS'],
    ],
    ['SENDER_CLOSED', ['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']],
    ['TARGET_FAILED', ['EMFILE', 'ESOMETHING']],
  ])('is tried again as %s for %p', (code, causes) => {
    for (const cause of causes)
      expect(networkOutcome({ code: cause }, HOST)).toMatchObject({ outcome: 'retry', code, status: null });
  });

  it('leaves it open whether the work was done only when the request had been sent', () => {
    const ambiguous = (error: unknown) => networkOutcome(error, HOST).ambiguous ?? false;
    const causes = ['ECONNRESET', 'DEADLINE_PASSED', 'HPE_INVALID_CONSTANT', 'UND_ERR_DESTROYED'];
    expect(causes.map((code) => ambiguous(new SentError({ code })))).toEqual([true, true, true, true]);
    expect(causes.map((code) => ambiguous({ code }))).toEqual([false, false, false, false]);
    expect(ambiguous(new SentError(new OutboundError('ADDRESS_FORBIDDEN')))).toBe(false);
  });

  it('is permanent for a forbidden address, and names the host and the mend', () => {
    const result = networkOutcome({ code: 'ADDRESS_FORBIDDEN' }, 'intranet:8080');
    expect(result).toMatchObject({ outcome: 'permanent', code: 'ADDRESS_FORBIDDEN' });
    expect(result.detail).toContain('intranet:8080');
    expect(result.detail).toContain('OUTBOUND_ALLOW');
  });

  it('is permanent for a request that is not HTTP', () => {
    expect(networkOutcome({ code: 'UND_ERR_INVALID_ARG' }, HOST)).toMatchObject({
      outcome: 'permanent',
      code: 'REQUEST_INVALID',
    });
  });

  it('is found in a cause or in the first of several errors, without repeating a message', () => {
    expect(networkOutcome({ errors: [{ code: 'ECONNREFUSED' }] }, HOST).code).toBe('TARGET_REFUSED');
    expect(networkOutcome({ cause: { code: 'ECONNRESET' } }, HOST).code).toBe('TARGET_RESET');
    for (const odd of [null, undefined, 'text', new Error('secret-token'), { code: 'secret token' }]) {
      const result = networkOutcome(odd, HOST);
      expect(result.code).toBe('TARGET_FAILED');
      expect(result.detail).not.toContain('secret');
    }
  });
});

describe('the kept text of an answer', () => {
  it('is UTF-8 as far as it is, without control characters but line feeds and tabs', () => {
    expect(keptText(Buffer.from('a\0b\u001b[31m\r\n\tc\u0085中'), [])).toBe('ab[31m\n\tc中');
    expect(keptText(Buffer.from([0x61, 0xff, 0x62]), [])).toBe('a\ufffdb');
  });

  it('is at most 4 kB and never ends in half a character', () => {
    expect(keptText(Buffer.from('中'.repeat(3000)), [])).toBe('中'.repeat(1365));
    expect(Buffer.byteLength(keptText(Buffer.alloc(65_536, 0xff), []))).toBeLessThanOrEqual(4096);
  });

  it('holds no secret in any form that an answer may give it', () => {
    const secrets = ['pass', 'pass-phrase', 'say "hi"\\', 'key\r\nline 2', '中 文/秘密'];
    const body = secrets
      .flatMap((secret) => [secret, JSON.stringify({ secret }), encodeURIComponent(secret)])
      .flatMap((said) => [said, JSON.stringify({ said })])
      .join(' ');
    const kept = keptText(Buffer.from(body), secrets);
    for (const part of ['phrase', 'say', 'key', 'line', '秘密', encodeURIComponent('秘密')])
      expect(kept).not.toContain(part);
  });

  it('holds nothing of a URL that is a secret but its host', () => {
    const url = 'https://hooks.example/services/T0/b7e0c2e1-8d3b-4c6a?token=0123456789abcdef';
    const body =
      'hooks.example: Cannot POST /services/T0/b7e0c2e1-8d3b-4c6a, b7e0c2e1-8d3b-4c6a, 0123456789abcdef';
    expect(keptText(Buffer.from(body), [url])).toBe(
      'hooks.example: Cannot POST [redacted], [redacted], [redacted]',
    );
    expect(keptText(Buffer.from('a / b'), ['https://hooks.example/'])).toBe('a / b');
  });

  it('has secrets blacked out before it is cut', () => {
    const body = `${'x'.repeat(4090)}top-secret`;
    expect(keptText(Buffer.from(body), ['top-secret'])).toBe(`${'x'.repeat(4090)}[redac`);
  });
});
