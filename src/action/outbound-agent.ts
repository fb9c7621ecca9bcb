import { lookup as dnsLookup } from 'node:dns';
import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, Pool } from 'undici';
import { type GuardedConnection, guardedConnector, type Lookup } from './guarded-connector.js';
import { ProxyTunnel } from './proxy-tunnel.js';

/** The way out of this installation: through its proxy, with its certificates, to permitted addresses alone. */
export type OutboundWay = Omit<GuardedConnection, 'port'>;

export function outboundWay({
  guard,
  ca,
  proxy,
  lookup = dnsLookup,
  signal,
}: {
  readonly guard: GuardedConnection['guard'];
  /** PEM certificates trusted besides the usual ones. */
  readonly ca: string | undefined;
  readonly proxy: string | undefined;
  readonly lookup?: Lookup | undefined;
  /** Ends every connection, also those being made. */
  readonly signal: AbortSignal;
}): OutboundWay {
  // Made once: parsing the root certificates again for each connection takes tens of milliseconds.
  const secureContext = createSecureContext(
    ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] },
  );
  const tunnel = proxy === undefined ? null : new ProxyTunnel(proxy, { secureContext, signal });
  return { guard, lookup, secureContext, signal, tunnel };
}

/** Pools of connections that go this way. */
export function outboundAgent(way: OutboundWay, pool: Pool.Options): Agent {
  return new Agent({
    factory: (origin) => {
      const connect = guardedConnector({ ...way, port: portOf(new URL(origin)) });
      return new Pool(origin, { ...pool, connect });
    },
  });
}

/** The port that a URL leads to. */
export const portOf = ({ port, protocol }: URL): number =>
  port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80;
