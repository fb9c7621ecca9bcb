import type { Dispatcher, Pool } from 'undici';
import { NO_TRACING, type Tracing } from '../config/tracing.js';
import type { AddressGuard } from './address-guard.js';
import { type HttpAnswer, keptText } from './attempt-outcome.js';
import type { Lookup } from './guarded-connector.js';
import { HttpExchange } from './http-exchange.js';
import { outboundAgent, type OutboundWay, outboundWay } from './outbound-agent.js';
import { OutboundError } from './outbound-error.js';
import type { HttpRequest } from './sender.js';

export interface OutboundHttpOptions {
  readonly guard: AddressGuard;
  /** PEM certificates trusted besides the usual ones. */
  readonly ca: string | undefined;
  /** `OUTBOUND_PROXY`: all connections go through it. Its own address is the operator's and is not checked. */
  readonly proxy?: string | undefined;
  readonly lookup?: Lookup;
  /** Requests take the trace along that they are made for. */
  readonly tracing?: Tracing;
}

/** Bytes of an answer that are read when nobody asks for more. */
const ANSWER_BYTES = 64 * 1024;
const HEADER_BYTES = 16 * 1024;

const POOL = {
  // As many as one target may have under way here: half of an instance's places.
  connections: 256,
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

/**
 * The one door for HTTP that goes out. Connects only to addresses that the guard permits, follows no redirect, uses no
 * proxy of the environment, and ends within the request's time, whatever the target does.
 */
export class OutboundHttp {
  /** For those who look at each part of a connection. */
  readonly way: OutboundWay;
  private readonly agent: Dispatcher;
  private readonly tracing: Tracing;
  /** Ends every connection, also those being made. */
  private readonly closing = new AbortController();
  private readonly underway = new Set<Promise<HttpAnswer>>();

  constructor({ guard, ca, proxy, lookup, tracing = NO_TRACING }: OutboundHttpOptions) {
    this.tracing = tracing;
    const { signal } = this.closing;
    this.way = outboundWay({ guard, ca, proxy, lookup, signal });
    this.agent = outboundAgent(this.way, POOL);
  }

  /**
   * Sends a request and reads its answer, whatever its status. `headers` win over the request's own; `secrets` are
   * the secret values within the request, which the kept text of the answer must not hold; of the answer's body
   * `maxBytes` are read.
   *
   * @throws OutboundError, or an error of the network; either as the cause of a SentError when the request had been
   * sent. `networkOutcome` understands them
   */
  async exchange(
    request: HttpRequest,
    headers: Readonly<Record<string, string>> = {},
    secrets: readonly string[] = [],
    maxBytes = ANSWER_BYTES,
  ): Promise<HttpAnswer> {
    const url = URL.parse(request.url);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      throw new OutboundError(
        'URL_INVALID',
        'The URL is not http or https, or holds a user name or password.',
      );
    const all = headersOf(request.headers, headers, this.tracing.outgoing(request.method, url));
    const problem = headerProblem(all);
    if (problem !== null) throw new OutboundError('HEADER_INVALID', problem);
    const exchange = this.ask(url, { ...request, headers: all }, secrets, maxBytes);
    this.underway.add(exchange);
    try {
      return await exchange;
    } finally {
      this.underway.delete(exchange);
    }
  }

  /** Waits for what is underway; after that nothing is sent any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.underway);
    // agent.close() would wait for connections being made that nobody waits for any more.
    this.closing.abort();
    await this.agent.destroy();
  }

  private async ask(
    url: URL,
    { method, headers, body, timeoutMs }: HttpRequest,
    secrets: readonly string[],
    maxBytes: number,
  ): Promise<HttpAnswer> {
    const { origin, pathname, search } = url;
    const request = { origin, path: pathname + search, method, headers, body };
    const {
      status,
      headers: answered,
      ...read
    } = await HttpExchange.begin(this.agent, request, { timeoutMs, maxBytes });
    const header = (name: string): string | null => {
      const value = answered[name];
      return (Array.isArray(value) ? value[0] : value) ?? null;
    };
    return {
      status,
      retryAfter: header('retry-after'),
      rateLimitReset: header('x-ogw-ratelimit-reset'),
      text: keptText(read.body, secrets),
      ...read,
    };
  }
}

/** Our own headers win over the same names of a request, but for the user agent and what says whose trace it is. */
function headersOf(
  given: Readonly<Record<string, string>>,
  winning: Readonly<Record<string, string>>,
  traced: Readonly<Record<string, string>>,
): Record<string, string> {
  const ours = { ...winning, 'accept-encoding': 'identity' };
  const names = new Set(Object.keys(ours).map((name) => name.toLowerCase()));
  const kept = Object.entries(given).filter(([name]) => !names.has(name.toLowerCase()));
  for (const [name] of kept) names.add(name.toLowerCase());
  const defaults = Object.entries({ 'user-agent': 'Aftersign', ...traced });
  return {
    ...Object.fromEntries(defaults.filter(([name]) => !names.has(name))),
    ...Object.fromEntries(kept),
    ...ours,
  };
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
