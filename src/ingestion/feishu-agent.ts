import http, { type Agent, type ClientRequest } from 'node:http';
import https from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { messageOf } from '../config/log.js';

/** How connections to the platform leave this host. */
export class WayOut {
  // Made once: parsing the root certificates again for each connection takes tens of milliseconds.
  private readonly secureContext: SecureContext;

  /** `ca`: PEM certificates trusted besides the usual ones. `proxy`: the URL of an HTTP proxy. */
  constructor(
    ca: string | undefined,
    private readonly proxy: string | undefined,
  ) {
    this.secureContext = createSecureContext(
      ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] },
    );
  }

  /**
   * The agent for requests to a URL of this protocol (`http:`, `ws:`, `https:` or `wss:`). It heeds no proxy variable of
   * the environment. When `signal` aborts, connections that are being made end, and so do tunnels through the proxy.
   */
  agentFor(protocol: string, signal: AbortSignal): Agent {
    const agent = this.proxy === undefined ? this.direct(protocol) : this.throughProxy(this.proxy, signal);
    signal.addEventListener('abort', () => {
      agent.destroy();
    });
    return agent;
  }

  private direct(protocol: string): Agent {
    return /^(?:https|wss):$/.test(protocol)
      ? new https.Agent({ secureContext: this.secureContext })
      : new http.Agent();
  }

  private throughProxy(proxy: string, signal: AbortSignal): Agent {
    const { secureContext } = this;
    const agent = new HttpsProxyAgent(proxy, { secureContext, signal });
    // These are for the target; those above are for the proxy itself.
    return Object.assign(agent, { options: { path: undefined, secureContext } });
  }
}

/** Calls `tell` with the reason, once for each request through the agent that does not end in an upgrade. */
export function tellFailures(agent: Agent, tell: (reason: string) => void): void {
  const inside = agent as unknown as { addRequest(request: ClientRequest, options: unknown): void };
  const addRequest = inside.addRequest.bind(agent);
  inside.addRequest = (request, options) => {
    let told = false;
    const once = (reason: string): void => {
      if (!told) tell(reason);
      told = true;
    };
    request.once('response', ({ statusCode, headers }) => {
      // What the platform has to say stands in headers that the SDK does not read.
      const said = ['handshake-status', 'handshake-msg', 'handshake-autherrcode'].flatMap((name) =>
        headers[name] === undefined ? [] : [`${name} ${messageOf(headers[name]).slice(0, 200)}`],
      );
      once([`answered HTTP ${statusCode ?? 0}`, ...said].join(', '));
    });
    request.once('error', (error) => {
      once(reasonOf(error));
    });
    addRequest(request, options);
  };
}

/** What an error of a connection says; those of several addresses at once say nothing but a code. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return message === '' ? ((error as NodeJS.ErrnoException).code ?? 'no reason given') : message;
}
