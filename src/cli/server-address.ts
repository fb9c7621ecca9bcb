import { InvalidArgumentError } from 'commander';

/** Where a running service is: an origin, and the path in front of `/api` when a proxy puts one there. */
export interface ServerAddress {
  readonly origin: string;
  readonly path: string;
  /** What is sent there can be read on the way. */
  readonly exposed: boolean;
}

/** Reads what `--server` says. */
export function serverAddress(text: string): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw new InvalidArgumentError('It must be an address like https://aftersign.example.com.');
  if (url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('It must hold no user name and no password: see AFTERSIGN_TOKEN.');
  return {
    origin: url.origin,
    path: url.pathname.replace(/\/+$/, ''),
    exposed: url.protocol === 'http:' && !isLoopback(url.hostname),
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\./.test(host);
}
