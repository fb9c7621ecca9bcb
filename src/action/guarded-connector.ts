import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import type { AddressGuard } from './address-guard.js';
import { OutboundError } from './outbound-error.js';
import { CONNECT_TIMEOUT_MS, type ProxyTunnel } from './proxy-tunnel.js';

/** `dns.lookup` asked for all addresses. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardedConnection {
  readonly guard: Pick<AddressGuard, 'permits'>;
  readonly lookup: Lookup;
  readonly port: number;
  readonly secureContext: SecureContext;
  /** Ends connections, also those being made. */
  readonly signal: AbortSignal;
  /** Null: straight to the target. */
  readonly tunnel: ProxyTunnel | null;
}

/** Connects to what was checked: every name is looked up once for a connection, all its addresses must be permitted. */
export function guardedConnector(connection: GuardedConnection): buildConnector.connector {
  const { port, secureContext, signal, tunnel } = connection;
  const lookup: LookupFunction = (hostname, options, callback) => {
    lookUp(connection, hostname, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || first === undefined) callback(error, []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    // Node's 250 ms give up on every address of a far host.
    autoSelectFamilyAttemptTimeout: 1_000,
    lookup,
    secureContext,
    signal,
  });
  return (options, callback) => {
    // For an address in the URL the socket asks no lookup.
    if (isIP(options.hostname) !== 0 && !connection.guard.permits(options.hostname, options.hostname, port))
      queueMicrotask(() => {
        callback(new OutboundError('ADDRESS_FORBIDDEN'), null);
      });
    else if (tunnel === null) connect(options, callback);
    else
      throughTunnel(connection, tunnel, options.hostname).then(
        (socket) => {
          // The name in the certificate is the target's: the tunnel is only another way to it.
          if (options.protocol === 'https:') connect({ ...options, httpSocket: socket }, callback);
          else callback(null, socket);
        },
        (error: unknown) => {
          callback(error as Error, null);
        },
      );
  };
}

async function throughTunnel(connection: GuardedConnection, tunnel: ProxyTunnel, hostname: string) {
  return await tunnel.open(await permittedAddresses(connection, hostname), connection.port);
}

/**
 * The addresses of a name, or of an address as a URL holds it: at least one, and each of them permitted.
 *
 * @throws OutboundError `ADDRESS_FORBIDDEN`, or an error of the look-up
 */
export async function permittedAddresses(
  connection: Pick<GuardedConnection, 'guard' | 'lookup' | 'port'>,
  hostname: string,
): Promise<LookupAddress[]> {
  const family = isIP(hostname);
  if (family !== 0) {
    if (!connection.guard.permits(hostname, hostname, connection.port))
      throw new OutboundError('ADDRESS_FORBIDDEN');
    return [{ address: hostname, family }];
  }
  return await new Promise<LookupAddress[]>((resolve, reject) => {
    lookUp(connection, hostname, (error, found) => {
      if (error === null) resolve(found);
      else reject(error);
    });
  });
}

/** Answers at least one address, or an error. */
function lookUp(
  { guard, lookup, port }: Pick<GuardedConnection, 'guard' | 'lookup' | 'port'>,
  hostname: string,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
): void {
  lookup(hostname, { all: true }, (error, addresses) => {
    if (error !== null) callback(error, []);
    else if (addresses.length === 0)
      callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
    else if (!addresses.every(({ address }) => guard.permits(hostname, address, port)))
      callback(new OutboundError('ADDRESS_FORBIDDEN'), []);
    else callback(null, addresses);
  });
}
