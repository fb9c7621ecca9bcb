import { request as httpRequest } from 'node:http';
import type { LookupAddress } from 'node:dns';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { OutboundError } from './outbound-error.js';

/** Milliseconds for a connection to be made, by each of those who take part in it. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Of a name with many addresses only so many are asked for. */
const ADDRESSES = 4;

/**
 * Connections through the operator's HTTP proxy, by CONNECT. The proxy is asked for an address, never for a name: what
 * the guard has checked is what it connects to.
 */
export class ProxyTunnel {
  private readonly url: URL;
  private readonly authorization: string | null;
  private readonly toProxy: buildConnector.connector;

  /** @param proxy `http://` or `https://`, with user and password when the proxy wants them; both stay in here */
  constructor(
    proxy: string,
    options: { readonly secureContext: SecureContext; readonly signal: AbortSignal },
  ) {
    this.url = new URL(proxy);
    const { username, password } = this.url;
    const login = `${decoded(username)}:${decoded(password)}`;
    this.authorization = login === ':' ? null : `Basic ${Buffer.from(login).toString('base64')}`;
    this.toProxy = buildConnector({
      allowH2: false,
      timeout: CONNECT_TIMEOUT_MS,
      autoSelectFamilyAttemptTimeout: 1_000,
      ...options,
    });
  }

  /**
   * A connection to the first of the addresses that the proxy reaches.
   *
   * @throws OutboundError `PROXY_FAILED`
   */
  async open(addresses: readonly LookupAddress[], port: number): Promise<Socket> {
    let failure: unknown = new OutboundError('PROXY_FAILED', 'has no address to ask the proxy for');
    for (const { address, family } of addresses.slice(0, ADDRESSES)) {
      try {
        return await this.connect(family === 6 ? `[${address}]:${port}` : `${address}:${port}`);
      } catch (error) {
        failure = error;
        // Only what a proxy says of the target may be otherwise for another address of it.
        if (!(error instanceof TargetUnreached)) break;
      }
    }
    throw failure;
  }

  private async connect(authority: string): Promise<Socket> {
    const connection = await this.reachProxy();
    return await new Promise((resolve, reject) => {
      // With a connection of its own the request asks no agent, and so no proxy of the environment.
      const request = httpRequest({
        createConnection: () => connection,
        method: 'CONNECT',
        path: authority,
        setHost: false,
        headers: {
          host: authority,
          ...(this.authorization === null ? {} : { 'proxy-authorization': this.authorization }),
        },
      });
      const timer = setTimeout(() => {
        request.destroy(proxyFailure('no answer in time'));
      }, CONNECT_TIMEOUT_MS);
      request.on('connect', ({ statusCode: status = 0 }, socket, head) => {
        clearTimeout(timer);
        if (status >= 200 && status < 300) {
          if (head.length > 0) socket.unshift(head);
          resolve(socket);
          return;
        }
        socket.destroy();
        reject(refusalOf(status));
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        connection.destroy();
        reject(error instanceof OutboundError ? error : proxyFailure(error.code));
      });
      request.end();
    });
  }

  private async reachProxy(): Promise<Socket> {
    const { hostname, host, protocol, port } = this.url;
    return await new Promise((resolve, reject) => {
      this.toProxy({ hostname: hostname.replace(/^\[|\]$/g, ''), host, protocol, port }, (error, socket) => {
        if (error === null) resolve(socket);
        else reject(proxyFailure((error as NodeJS.ErrnoException).code));
      });
    });
  }
}

/** User or password as a URL holds it. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A "%" that encodes nothing stands for itself.
    return text;
  }
}

/** The proxy answered that it could not reach the address. */
class TargetUnreached extends OutboundError {}

function refusalOf(status: number): OutboundError {
  const answered = `was not reached: the proxy of OUTBOUND_PROXY answered ${status}`;
  if (status >= 500) return new TargetUnreached('PROXY_FAILED', answered);
  return new OutboundError(
    'PROXY_FAILED',
    status === 407 ? `${answered}, it wants another user or password` : answered,
  );
}

function proxyFailure(cause = 'unknown'): OutboundError {
  return new OutboundError('PROXY_FAILED', `was not asked: the proxy of OUTBOUND_PROXY failed (${cause})`);
}
