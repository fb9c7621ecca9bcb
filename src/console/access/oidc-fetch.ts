import type { CustomFetch } from 'openid-client';
import { type Agent, fetch } from 'undici';
import { outboundAgent, outboundWay } from '../../action/outbound-agent.js';

/** The operator has named the issuer: it may be anywhere, also within the own network. */
const ANYWHERE = { permits: () => true };

/** Asks the provider through the proxy and with the certificates of the settings, and heeds none of the environment. */
export class OidcFetch {
  private readonly agent: Agent;
  private readonly closing = new AbortController();

  constructor(ca: string | undefined, proxy: string | undefined) {
    const { signal } = this.closing;
    this.agent = outboundAgent(outboundWay({ guard: ANYWHERE, ca, proxy, signal }), { connections: 4 });
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
