import type { FastifyRequest } from 'fastify';

/** Where the connection comes from: behind a reverse proxy that proxy, for headers can say anything. */
export function addressOf(request: FastifyRequest): string {
  const { remoteAddress = '' } = request.raw.socket;
  return remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.')
    ? remoteAddress.slice('::ffff:'.length)
    : remoteAddress;
}
