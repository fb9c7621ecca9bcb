import { isIP } from 'node:net';
import { z } from 'zod';
import { listOf } from './comma-list.js';

/** One entry of `OUTBOUND_ALLOW`: a host name, or an address block; `port` null means any. */
export type OutboundAllowance =
  | { readonly kind: 'host'; readonly host: string; readonly port: number | null }
  | {
      readonly kind: 'cidr';
      readonly address: string;
      readonly prefix: number;
      readonly port: number | null;
    };

function parseAllowance(entry: string): OutboundAllowance | null {
  const match =
    /^(\[[0-9a-f:.]+\](?:\/\d{1,3})?|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(entry) ??
    /^([0-9a-f:.]+(?:\/\d{1,3})?)()$/i.exec(entry);
  if (!match) return null;
  const [, name = '', digits] = match;
  const portNumber = digits ? Number(digits) : null;
  if (portNumber !== null && portNumber > 65535) return null;
  const [address = '', prefix] = name.replace(/[[\]]/g, '').split('/');
  const family = isIP(address);
  if (family !== 0) {
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    return bits > (family === 4 ? 32 : 128)
      ? null
      : { kind: 'cidr', address, prefix: bits, port: portNumber };
  }
  if (prefix !== undefined || !/^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/i.test(name)) return null;
  return { kind: 'host', host: name.toLowerCase(), port: portNumber };
}

/** `OUTBOUND_ALLOW`: a comma list. */
export const allowances = z.string().transform((text, context): readonly OutboundAllowance[] => {
  const found: OutboundAllowance[] = [];
  for (const entry of listOf(text)) {
    const allowance = parseAllowance(entry);
    if (allowance === null)
      context.addIssue(`has "${entry}"; use host, host:port, or cidr[:port] like 10.0.0.0/8:443`);
    else found.push(allowance);
  }
  return found;
});
