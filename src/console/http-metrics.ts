import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Metrics } from '../config/metrics.js';

/** How long answers take. By the pattern of the route: paths are without end, and hold ids. */
export function measureRequests(adapter: FastifyAdapter, { requestSeconds }: Metrics): void {
  adapter.getInstance().addHook('onResponse', (request, reply, done) => {
    const route = routeOf(request);
    const type = reply.getHeader('content-type');
    // How long somebody listens to a stream says nothing of how fast we are.
    const isStream = typeof type === 'string' && type.startsWith('text/event-stream');
    if (route !== null && !isStream) {
      const status = `${Math.floor(reply.statusCode / 100)}xx`;
      requestSeconds.observe({ method: request.method, route, status }, reply.elapsedTime / 1000);
    }
    done();
  });
}

/** Null: a sender's request, which is counted where it is taken, or one for health or metrics themselves. */
function routeOf({ routeOptions }: FastifyRequest): string | null {
  const { url } = routeOptions;
  if (url === undefined) return 'none';
  return url.startsWith('/webhook/') || url.startsWith('/health/') || url === '/metrics' ? null : url;
}
