import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../config/problem.js';

/**
 * Refuses what a page of another origin makes the browser send. Programs send neither header, and are let through.
 *
 * @throws Refusal 403 CSRF
 */
export function refuseForeignOrigin({ headers }: FastifyRequest, publicUrl: string | undefined): void {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const isOurs =
    origin === undefined ||
    (URL.canParse(origin) &&
      (new URL(origin).host === headers.host ||
        (publicUrl !== undefined && new URL(origin).origin === new URL(publicUrl).origin)));
  if (!isOurs || (site !== undefined && site !== 'same-origin' && site !== 'none'))
    throw new Refusal(403, 'CSRF', 'The request comes from a page of another origin.');
}
