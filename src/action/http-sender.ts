import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, buildConnector, Pool } from 'undici';
import type { Clock } from '../config/clock.js';
import type { AddressGuard } from './address-guard.js';
import { httpOutcome, keptText, networkOutcome, refusedRequest, type HttpAnswer } from './attempt-outcome.js';
import type { AttemptResult, HttpRequest, Sender } from './sender.js';

/** `dns.lookup` asked for all addresses. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface HttpSenderOptions {
  readonly guard: AddressGuard;
  /** PEM certificates trusted besides the usual ones. */
  readonly ca: string | undefined;
  readonly lookup?: Lookup;
}

const ANSWER_BYTES = 64 * 1024;
const HEADER_BYTES = 16 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const INTERIM_ANSWERS = 32;

const POOL = {
  connections: 16,
  pipelining: 1,
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 60_000,
  maxHeaderSize: HEADER_BYTES,
} as const satisfies Pool.Options;

/** Headers that decide where a message ends or what a proxy does with it. */
const FRAMING_HEADER =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*)$/i;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\x20-\x7e\xa0-\xff]*$/;

class AttemptError extends Error {
  constructor(readonly code: 'ADDRESS_FORBIDDEN' | 'DEADLINE_PASSED' | 'TOO_MANY_INTERIM_ANSWERS') {
    super(code);
  }
}

/**
 * Sends HTTP actions. Connects only to addresses that the guard permits, follows no redirect, uses no proxy of the
 * environment, and ends within the request's time, whatever the target does.
 */
export class HttpSender implements Sender<HttpRequest> {
  private readonly agent: Agent;
  /** Ends every connection, also those being made. */
  private readonly closing = new AbortController();
  private readonly underway = new Set<Promise<AttemptResult>>();

  constructor(
    { guard, ca, lookup = dnsLookup }: HttpSenderOptions,
    private readonly clock: Clock,
  ) {
    // Made once: parsing the root certificates again for each connection takes tens of milliseconds.
    const secureContext = createSecureContext(
      ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] },
    );
    this.agent = new Agent({
      factory: (origin) => {
        const port = portOf(new URL(origin));
        const connect = guardedConnector({ guard, lookup, port, secureContext, signal: this.closing.signal });
        return new Pool(origin, { ...POOL, connect });
      },
    });
  }

  async send(
    request: HttpRequest,
    actionKey: string,
    secrets: readonly string[] = [],
  ): Promise<AttemptResult> {
    const attempt = this.attempt(request, actionKey, secrets);
    this.underway.add(attempt);
    try {
      return await attempt;
    } finally {
      this.underway.delete(attempt);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.underway);
    // agent.close() would wait for connections being made that nobody waits for any more.
    this.closing.abort();
    await this.agent.destroy();
  }

  private async attempt(
    request: HttpRequest,
    actionKey: string,
    secrets: readonly string[],
  ): Promise<AttemptResult> {
    const url = URL.canParse(request.url) ? new URL(request.url) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      return refusedRequest('URL_INVALID', 'The URL is not http or https, or holds a user name or password.');
    const headers = headersOf(request.headers, actionKey);
    const problem = headerProblem(headers);
    if (problem !== null) return refusedRequest('HEADER_INVALID', problem);
    try {
      const answer = await this.exchange(url, request, headers, secrets);
      return httpOutcome(answer, request.success, url.host, this.clock.now());
    } catch (error) {
      return networkOutcome(error, url.host);
    }
  }

  private async exchange(
    url: URL,
    request: HttpRequest,
    headers: Record<string, string>,
    secrets: readonly string[],
  ): Promise<HttpAnswer> {
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new AttemptError('DEADLINE_PASSED'));
    }, request.timeoutMs);
    let interimAnswers = 0;
    try {
      const response = await beforeDeadline(
        deadline.signal,
        this.agent.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: request.method,
          headers,
          body: request.body,
          signal: deadline.signal,
          onInfo: () => {
            if (++interimAnswers > INTERIM_ANSWERS) throw new AttemptError('TOO_MANY_INTERIM_ANSWERS');
          },
        }),
      );
      const retryAfter = response.headers['retry-after'];
      const body = await readStart(response.body);
      return {
        status: response.statusCode,
        retryAfter: (Array.isArray(retryAfter) ? retryAfter[0] : retryAfter) ?? null,
        text: keptText(body.body, secrets),
        ...body,
      };
    } finally {
      clearTimeout(timer);
    }
  }
}

const portOf = ({ port, protocol }: URL): number =>
  port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80;

interface GuardedConnection {
  readonly guard: AddressGuard;
  readonly lookup: Lookup;
  readonly port: number;
  readonly secureContext: ReturnType<typeof createSecureContext>;
  readonly signal: AbortSignal;
}

/** Connects to what was checked: every name is looked up once for a connection, all its addresses must be permitted. */
function guardedConnector({
  guard,
  lookup,
  port,
  secureContext,
  signal,
}: GuardedConnection): buildConnector.connector {
  const checkedLookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      const [first] = (addresses as LookupAddress[] | undefined) ?? [];
      if (error !== null) callback(error, []);
      else if (first === undefined)
        callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
      else if (!addresses.every(({ address }) => guard.permits(hostname, address, port)))
        callback(new AttemptError('ADDRESS_FORBIDDEN'), []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    // Node's 250 ms give up on every address of a far host.
    autoSelectFamilyAttemptTimeout: 1_000,
    lookup: checkedLookup,
    secureContext,
    signal,
  });
  return (options, callback) => {
    // For an address in the URL the socket asks no lookup.
    if (isIP(options.hostname) !== 0 && !guard.permits(options.hostname, options.hostname, port))
      queueMicrotask(() => {
        callback(new AttemptError('ADDRESS_FORBIDDEN'), null);
      });
    else connect(options, callback);
  };
}

/** undici notices an abort only once it has a connection; the look-up and the connecting count too. */
async function beforeDeadline<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const passed = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as AttemptError);
    });
  });
  return Promise.race([work, passed]);
}

async function readStart(
  stream: AsyncIterable<Buffer>,
): Promise<Pick<HttpAnswer, 'body' | 'complete' | 'brokenBy'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  let brokenBy: unknown = null;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      // Leaving the loop destroys the stream and its connection.
      if (size > ANSWER_BYTES) break;
    }
  } catch (error) {
    brokenBy = error;
  }
  const body = Buffer.concat(chunks).subarray(0, ANSWER_BYTES);
  return { body, complete: size <= ANSWER_BYTES, brokenBy };
}

/** Our own headers win over the same names of a rule, but for the user agent. */
function headersOf(given: Readonly<Record<string, string>>, actionKey: string): Record<string, string> {
  const ours = { 'idempotency-key': actionKey, 'accept-encoding': 'identity' };
  const kept = Object.entries(given).filter(([name]) => !Object.hasOwn(ours, name.toLowerCase()));
  const named = kept.some(([name]) => name.toLowerCase() === 'user-agent');
  return { ...(named ? {} : { 'user-agent': 'Aftersign' }), ...Object.fromEntries(kept), ...ours };
}

/** Says what is wrong with the headers without repeating a value; null when nothing is. */
function headerProblem(headers: Record<string, string>): string | null {
  let size = 0;
  for (const [name, value] of Object.entries(headers)) {
    size += name.length + value.length;
    if (!HEADER_NAME.test(name)) return 'A header has a name that HTTP does not allow.';
    if (FRAMING_HEADER.test(name)) return `The header ${name} cannot be set by a rule.`;
    if (!HEADER_VALUE.test(value)) return `The header ${name} holds characters that a header cannot hold.`;
  }
  return size > HEADER_BYTES ? 'The headers are larger than 16 kB.' : null;
}
