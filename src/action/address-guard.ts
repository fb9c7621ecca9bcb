import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { OutboundAllowance } from '../config/outbound-allowance.js';

// A public address by its number, yet inside Azure it is the host's own metadata and DNS service.
const AZURE_HOST = '168.63.129.16';

/**
 * Whether an address is anything but plain global unicast: loopback, private, link-local, metadata, carrier NAT,
 * multicast, reserved, documentation, and every IPv6 form that carries an IPv4 address. What is no address is forbidden.
 */
export function isForbidden(address: string): boolean {
  // ipaddr.js reads 0x7f.1 and 2130706433 as addresses; a socket never gets them, so they are refused here.
  if (isIP(address) === 0 || address.includes('%') || !ipaddr.isValid(address)) return true;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return true;
  if (parsed instanceof ipaddr.IPv4) return address === AZURE_HOST;
  // ipaddr.js calls unicast whatever it has no name for; only 2000::/3 is given out as global unicast.
  return (parsed.parts[0] ?? 0) >> 13 !== 1;
}

function contains(block: { address: string; prefix: number }, address: string): boolean {
  const base = ipaddr.parse(block.address);
  const parsed = ipaddr.parse(address);
  return base.kind() === parsed.kind() && parsed.match(base, block.prefix);
}

const plainName = (host: string): string => host.toLowerCase().replace(/\.$/, '');

/** Decides which addresses actions may connect to: public ones, and those that `OUTBOUND_ALLOW` names. */
export class AddressGuard {
  constructor(private readonly allow: readonly OutboundAllowance[]) {}

  /** `host` is what the URL says, `address` what the socket is about to connect to. */
  permits(host: string, address: string, port: number): boolean {
    if (isIP(address) === 0) return false;
    if (!isForbidden(address)) return true;
    const name = plainName(host);
    return this.allow.some(
      (allowance) =>
        (allowance.port === null || allowance.port === port) &&
        (allowance.kind === 'host' ? plainName(allowance.host) === name : contains(allowance, address)),
    );
  }
}
