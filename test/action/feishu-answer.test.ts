import { describe, expect, it } from '@jest/globals';
import { attemptOf, readAnswer } from '../../src/action/feishu-answer.js';
import type { HttpAnswer } from '../../src/action/attempt-outcome.js';

// Pure functions only: nothing here is faked.
const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const HOST = 'open.feishu.cn';

function answer(status: number, json: unknown, rest: Partial<HttpAnswer> = {}): HttpAnswer {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const body = Buffer.from(text);
  return {
    status,
    retryAfter: null,
    rateLimitReset: null,
    body,
    complete: true,
    brokenBy: null,
    text,
    ...rest,
  };
}
const read = (status: number, json: unknown, rest: Partial<HttpAnswer> = {}) =>
  readAnswer(answer(status, json, rest), HOST, NOW);

describe('an answer of the platform', () => {
  it('is a success by code 0 of a 2xx, with its data', () => {
    expect(read(200, { code: 0, msg: 'success', data: { a: 1 } })).toEqual({
      ok: true,
      data: { a: 1 },
      status: 200,
      text: '{"code":0,"msg":"success","data":{"a":1}}',
    });
    // As old bots say it.
    expect(read(200, { StatusCode: 0, StatusMessage: 'success' })).toMatchObject({ ok: true });
  });

  it('keeps the digits of long numbers', () => {
    expect(read(200, '{"code":0,"data":{"node_id":6991230000000000001}}')).toMatchObject({
      data: { node_id: '6991230000000000001' },
    });
  });

  it.each<[string, number, unknown, string, string]>([
    ['an unknown code inside a 200', 200, { code: 7777, msg: 'odd' }, 'transient', 'FEISHU_FAILED'],
    ['a wrong hook token', 200, { code: 19001 }, 'permanent', 'FEISHU_BOT_UNKNOWN'],
    ['a wrong signature', 200, { code: 19021 }, 'permanent', 'FEISHU_SIGN_REFUSED'],
    ['another address', 200, { code: 19022 }, 'permanent', 'FEISHU_IP_REFUSED'],
    ['a keyword that is missing', 200, { code: 19024 }, 'permanent', 'FEISHU_KEYWORD_MISSING'],
    ['a bad request in a 200', 200, { code: 9499 }, 'permanent', 'FEISHU_REQUEST_REFUSED'],
    ['a bad request', 400, { code: 9499 }, 'permanent', 'FEISHU_REQUEST_REFUSED'],
    ['a throttled bot', 200, { code: 11232 }, 'throttled', 'FEISHU_THROTTLED'],
    ['a throttled API', 429, { code: 99991400 }, 'throttled', 'FEISHU_THROTTLED'],
    ['a throttled API of the old kind', 400, { code: 99991400 }, 'throttled', 'FEISHU_THROTTLED'],
    ['a 429 of somebody on the way', 429, '<html>', 'throttled', 'FEISHU_THROTTLED'],
    ['a refused token', 401, { code: 5 }, 'transient', 'FEISHU_TOKEN_REFUSED'],
    ['a refused token without a body', 401, '', 'transient', 'FEISHU_TOKEN_REFUSED'],
    ['another 4xx with a code', 400, { code: 230001, msg: 'no' }, 'permanent', 'FEISHU_REFUSED'],
    ['another 4xx', 404, '404 page not found', 'permanent', 'HTTP_404'],
    ['a request that took too long', 408, '', 'transient', 'HTTP_408'],
    ['a 5xx', 503, { code: 1 }, 'transient', 'HTTP_503'],
    ['a redirect', 302, '', 'permanent', 'REDIRECT'],
    ['no JSON', 200, '<html>', 'transient', 'ANSWER_BROKEN'],
    ['JSON without a code', 200, { data: {} }, 'transient', 'ANSWER_BROKEN'],
    ['a code that is a text', 200, { code: '0' }, 'transient', 'ANSWER_BROKEN'],
    ['code 0 with a status that says no', 400, { code: 0 }, 'permanent', 'FEISHU_REFUSED'],
    ['a list', 200, [], 'transient', 'ANSWER_BROKEN'],
  ])('that is %s: %p %j is %s, %s', (_what, status, json, kind, code) => {
    expect(read(status, json)).toMatchObject({ ok: false, kind, code, status });
  });

  it('that broke off or was too long is no answer', () => {
    expect(read(200, { code: 0 }, { brokenBy: { code: 'ECONNRESET' } })).toMatchObject({
      ok: false,
      kind: 'transient',
      code: 'TARGET_RESET',
      status: 200,
    });
    expect(read(200, { code: 0 }, { complete: false })).toMatchObject({ ok: false, code: 'ANSWER_BROKEN' });
  });

  it("says the platform's code and words, and what to mend", () => {
    const refused = read(200, { code: 19024, msg: 'Key Words\n Not Found' });
    expect(refused).toMatchObject({
      detail:
        'open.feishu.cn answered 200, code 19024 (Key Words Not Found): the settings of the bot ask for a keyword that the message does not hold.',
    });
    // The words are those of the kept text, in which secrets are blacked out.
    const echoing = read(
      400,
      { code: 5, msg: 'bad t-123456' },
      { text: '{"code":5,"msg":"bad [redacted]"}' },
    );
    expect(JSON.stringify(echoing)).not.toContain('t-123456');
    expect(echoing).toMatchObject({ detail: 'open.feishu.cn answered 400, code 5 (bad [redacted]).' });
  });

  it.each<[Partial<HttpAnswer>, number]>([
    [{ rateLimitReset: '17' }, 17_000],
    [{ rateLimitReset: ' 17 ' }, 17_000],
    [{ rateLimitReset: '99999999' }, 3_600_000],
    [{ rateLimitReset: '-1' }, 1_000],
    [{ rateLimitReset: 'soon', retryAfter: '5' }, 5_000],
    [{ rateLimitReset: '0' }, 0],
    [{}, 1_000],
  ])('that throttles with %j asks for %p ms', (headers, ms) => {
    expect(read(429, { code: 99991400 }, headers)).toMatchObject({ kind: 'throttled', retryAfterMs: ms });
  });
});

describe('a delivery', () => {
  it.each<[number, unknown, string, string | null]>([
    [200, { code: 0 }, 'delivered', null],
    [429, {}, 'retry', 'FEISHU_THROTTLED'],
    [200, { code: 1 }, 'retry', 'FEISHU_FAILED'],
    [200, { code: 19001 }, 'permanent', 'FEISHU_BOT_UNKNOWN'],
  ])('answered with %p %j ends as %s', (status, json, outcome, code) => {
    expect(attemptOf(read(status, json), HOST)).toMatchObject({
      outcome,
      code,
      status,
      answer: JSON.stringify(json),
    });
  });
});
