import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AddressGuard } from '../../src/action/address-guard.js';
import { type Ended, stateAfter } from '../../src/action/delivery-end.js';
import type { AttemptResult } from '../../src/action/sender.js';
import { TestClock } from '../support/clock.js';
import { ClosableHttpSender } from '../support/senders.js';

// Real: the sender, a TCP server that answers as the path says, what a result makes of its delivery. Fake: the clock.
const clock = new TestClock(Date.UTC(2026, 10, 23, 12));
const DAY = 86_400_000;
const head = (status: string, ...headers: string[]): string =>
  `HTTP/1.1 ${[status, 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;
const plain = (status: string, ...headers: string[]) => head(status, 'Content-Length: 0', ...headers);
const wait = (status: string, after: string) => plain(status, `Retry-After: ${after}`);

type Answer = string | Buffer | ((socket: Socket) => void);
/** What it is; how the target answers; code, state, what of the target, open; at most how long till the next attempt. */
const CASES: readonly (readonly [string, Answer, string | null, string, string, boolean, number?])[] = [
  ['200', plain('200 OK'), null, 'delivered', 'up', false],
  ['204', head('204 No Content'), null, 'delivered', 'up', false],
  ['301 in a circle', plain('301 Moved', 'Location: /301'), 'REDIRECT', 'dead', 'up', false],
  [
    '307 into the network',
    plain('307 X', 'Location: http://169.254.169.254/'),
    'REDIRECT',
    'dead',
    'up',
    false,
  ],
  ['400', plain('400 Bad'), 'HTTP_400', 'dead', 'up', false],
  ['401', plain('401 No'), 'HTTP_401', 'dead', 'up', false],
  ['404', plain('404 No'), 'HTTP_404', 'dead', 'up', false],
  ['410', plain('410 Gone'), 'HTTP_410', 'dead', 'up', false],
  ['422', plain('422 No'), 'HTTP_422', 'dead', 'up', false],
  ['408', plain('408 Late'), 'HTTP_408', 'pending', 'up', false, 6_000],
  ['425', plain('425 Early'), 'HTTP_425', 'pending', 'up', false, 6_000],
  ['429 alone', plain('429 Slow'), 'HTTP_429', 'pending', 'up', false, 6_000],
  ['500', plain('500 No'), 'HTTP_500', 'pending', 'down', false, 6_000],
  ['502', plain('502 No'), 'HTTP_502', 'pending', 'down', false, 6_000],
  ['503', plain('503 No'), 'HTTP_503', 'pending', 'down', false, 6_000],
  ['429 for 120 s', wait('429 Slow', '120'), 'HTTP_429', 'pending', 'down', false, 120_000],
  [
    '503 until a date',
    wait('503 No', 'Mon, 23 Nov 2026 12:02:00 GMT'),
    'HTTP_503',
    'pending',
    'down',
    false,
    120_000,
  ],
  ['503 for 31 years', wait('503 No', '1000000000'), 'HTTP_503', 'pending', 'down', false, DAY],
  ['503 for less than nothing', wait('503 No', '-5'), 'HTTP_503', 'pending', 'down', false, 6_000],
  ['503 for nobody knows', wait('503 No', 'soon'), 'HTTP_503', 'pending', 'down', false, 6_000],
  ['404 for 120 s', wait('404 No', '120'), 'HTTP_404', 'dead', 'up', false],
  ['silence', () => undefined, 'TARGET_TIMEOUT', 'pending', 'down', true, 6_000],
  ['a head that drips', drip('HTTP/1.1 200 OK\r\nX: '), 'TARGET_TIMEOUT', 'pending', 'down', true, 6_000],
  [
    'a body that drips',
    drip(head('200 OK', 'Content-Length: 99999')),
    'TARGET_TIMEOUT',
    'pending',
    'down',
    true,
    6_000,
  ],
  ['a reset', (socket) => socket.resetAndDestroy(), 'TARGET_RESET', 'pending', 'down', true, 6_000],
  ['an end after the work', (socket) => socket.end(), 'TARGET_RESET', 'pending', 'down', true, 6_000],
  [
    'half a body',
    head('200 OK', 'Content-Length: 9') + 'half',
    'ANSWER_BROKEN',
    'pending',
    'down',
    true,
    6_000,
  ],
  ['no HTTP', '\0\0garbage\r\n\r\n', 'ANSWER_BROKEN', 'pending', 'down', true, 6_000],
  [
    '1 MB of headers',
    head('200 OK', `X: ${'x'.repeat(1_000_000)}`),
    'ANSWER_HEADERS_TOO_LARGE',
    'pending',
    'down',
    true,
    6_000,
  ],
  [
    'interim answers without end',
    'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100),
    'ANSWER_BROKEN',
    'pending',
    'down',
    true,
    6_000,
  ],
  [
    'a bomb',
    Buffer.concat([
      Buffer.from(head('200 OK', 'Content-Encoding: gzip')),
      gzipSync(Buffer.alloc(50_000_000)),
    ]),
    null,
    'delivered',
    'up',
    false,
  ],
];

/** Begins, and then says a byte now and then for ever. */
function drip(begin: string): Answer {
  return (socket) => {
    socket.write(begin);
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => {
      clearInterval(timer);
    });
  };
}

/** A busy machine makes good answers late; those that never come are waited for no longer than it takes. */
const patience = (at: number): number => (CASES[at]?.[2] === 'TARGET_TIMEOUT' ? 2000 : 20_000);

describe('a target that', () => {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', (bytes) => {
      const request = bytes.toString('latin1');
      const at = Number(/^POST \/(\d+) /.exec(request)?.[1]);
      asked.push(`${at} ${/^idempotency-key: (.*)\r$/im.exec(request)?.[1] ?? ''}`);
      const answer = CASES[at]?.[1] ?? '';
      if (typeof answer === 'function') answer(socket);
      else socket.end(answer);
    });
  });
  const results: AttemptResult[] = [];

  // All at once: those that never end cost their time but once.
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const guard = new AddressGuard([{ kind: 'host', host: '127.0.0.1', port: null }]);
    const sender = new ClosableHttpSender({ guard, ca: undefined }, clock);
    const send = (at: number) =>
      sender.send(
        {
          method: 'POST',
          url: `${origin}/${at}`,
          headers: {},
          body: '{}',
          timeoutMs: patience(at),
          success: null,
        },
        `key-${at}`,
      );
    results.push(...(await Promise.all(CASES.map((_, at) => send(at)))));
    await sender.close();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const stateOf = (result: AttemptResult) => {
    const delivery = {
      attemptsBefore: 0,
      giveUpAt: null,
      redrivenAt: null,
      createdAt: new Date(clock.now()),
      request: { retry: null },
    };
    return stateAfter({ row: { id: 'd', attempt: 1 }, delivery, result } as unknown as Ended, clock.now());
  };

  it.each(CASES.map(([name, , ...expected], at) => [name, at, ...expected] as const))(
    'answers with %s',
    (_name, at, code, state, target, isOpen, withinMs = 0) => {
      const result = results[at]!;
      const next = stateOf(result);
      expect([result.code, next.state, result.target, result.ambiguous ?? false]).toEqual([
        code,
        state,
        target,
        isOpen,
      ]);
      const until = next.dueAt.getTime() - clock.now();
      // 5 s ± 20 % by the schedule, or what the target asked for, to the millisecond.
      expect(until).toBeLessThanOrEqual(withinMs);
      expect(until).toBeGreaterThanOrEqual(withinMs === 6_000 ? 4_000 : withinMs);
      expect(Buffer.byteLength(result.answer)).toBeLessThanOrEqual(4096);
    },
  );

  it('was asked once by each attempt, with the key, and nothing that it pointed to was', () => {
    expect(asked.sort()).toEqual(CASES.map((_, at) => `${at} key-${at}`).sort());
  });
});
