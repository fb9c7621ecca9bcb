import type { FastifyAdapter } from '@nestjs/platform-fastify';

/** No page, no script, no frame: a browser does nothing with these answers but show them. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Headers of every answer of the admin API, also of refusals. A route may set others in their place. */
export function secureAnswers(adapter: FastifyAdapter): void {
  adapter.getInstance().addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url;
    if (route === undefined ? request.url.startsWith('/api') : route.startsWith('/api/'))
      reply.headers(HEADERS);
    done();
  });
}
