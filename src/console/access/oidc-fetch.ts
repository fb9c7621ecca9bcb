import { lookup } from 'node:dns';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { CustomFetch } from 'openid-client';
import { Agent, fetch, Pool } from 'undici';
import { guardedConnector } from '../../action/guarded-connector.js';
import { ProxyTunnel } from '../../action/proxy-tunnel.js';

/** The operator has named the issuer: it may be anywhere, also within the own network. */
const ANYWHERE = { permits: () => true };

/** Asks the provider through the proxy and with the certificates of the settings, and heeds none of the environment. */
export class OidcFetch {
  private readonly agent: Agent;
  private readonly closing = new AbortController();

  constructor(ca: string | undefined, proxy: string | undefined) {
    const secureContext = createSecureContext(
      ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] },
    );
    const { signal } = this.closing;
    const tunnel = proxy === undefined ? null : new ProxyTunnel(proxy, { secureContext, signal });
    this.agent = new Agent({
      factory: (origin) => {
        const { port, protocol } = new URL(origin);
        const connect = guardedConnector({
          guard: ANYWHERE,
          lookup,
          port: port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80,
          secureContext,
          signal,
          tunnel,
        });
        return new Pool(origin, { connections: 4, connect });
      },
    });
  }

  readonly fetch: CustomFetch = async (url, { method, headers, body, redirect, signal }) => {
    return await fetch(url, {
      method,
      headers,
      redirect,
      dispatcher: this.agent,
      ...(body === undefined ? {} : { body: body as string | URLSearchParams }),
      ...(signal === undefined ? {} : { signal }),
    });
  };

  async close(): Promise<void> {
    this.closing.abort();
    await this.agent.destroy();
  }
}
