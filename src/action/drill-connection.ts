import type { LookupAddress } from 'node:dns';
import { connect as tcpConnect, isIP, type Socket } from 'node:net';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { networkOutcome } from './attempt-outcome.js';
import { DrillFailure, type DrillRecord } from './drill-steps.js';
import { permittedAddresses } from './guarded-connector.js';
import { type OutboundWay, portOf } from './outbound-agent.js';
import { CONNECT_TIMEOUT_MS } from './proxy-tunnel.js';

/** Of a name with many addresses only so many are tried. */
const ADDRESSES = 4;
const DAY_MS = 86_400_000;

/** Goes the way of an HTTP request up to where it would be sent: name, connection, TLS. `now` in ms. */
export async function drillConnection(
  record: DrillRecord,
  way: OutboundWay,
  url: URL,
  now: number,
): Promise<void> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const port = portOf(url);
  const addresses = await record.step('name', async () => {
    const found = await asAttempt(permittedAddresses({ ...way, port }, hostname), url.host);
    const list = found.map(({ address }) => address).join(', ');
    return [found, `${hostname} is at ${list}: permitted.`];
  });
  const socket = await record.step('connection', async () => {
    const { tunnel } = way;
    const made = tunnel === null ? connectToOne(addresses, port) : tunnel.open(addresses, port);
    const through = tunnel === null ? '' : ' through the proxy of OUTBOUND_PROXY';
    return [await asAttempt(made, url.host), `Port ${port} is open${through}.`];
  });
  try {
    await record.step('tls', async () => {
      if (url.protocol !== 'https:') return [null, 'No TLS: the URL is http.'];
      const secured = await asAttempt(secure(socket, hostname, way), url.host);
      return [null, certificateOf(secured, now)];
    });
  } finally {
    socket.destroy();
  }
}

/** What went wrong is said as an attempt says it. */
async function asAttempt<T>(work: Promise<T>, host: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw DrillFailure.of(networkOutcome(error, host));
  }
}

async function connectToOne(addresses: readonly LookupAddress[], port: number): Promise<Socket> {
  let failure: unknown;
  for (const { address } of addresses.slice(0, ADDRESSES)) {
    try {
      return await established(tcpConnect({ host: address, port }), 'connect');
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function secure(socket: Socket, hostname: string, { secureContext }: OutboundWay): Promise<TLSSocket> {
  const secured = tlsConnect({
    socket,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    // An address has no name to ask for; its certificate is checked against `host`.
    host: hostname,
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
  });
  return await established(secured, 'secureConnect');
}

/** The socket when it is ready, within the time that a connection may take. */
async function established<T extends Socket>(socket: T, ready: string): Promise<T> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    }, CONNECT_TIMEOUT_MS);
    socket.once(ready, () => {
      clearTimeout(timer);
      // What comes after that is of no interest, and must not end the process.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    });
  });
}

/** Protocol, subject and days to the end of the certificate, as a sentence. */
export function certificateOf(socket: TLSSocket, now: number): string {
  const { subject, valid_to: until } = socket.getPeerCertificate();
  const name = [subject.CN].flat()[0] ?? 'without a name';
  const days = Math.floor((Date.parse(until) - now) / DAY_MS);
  return `${socket.getProtocol() ?? 'TLS'}, certificate ${name}, valid for ${days} days.`;
}
