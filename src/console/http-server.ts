import type { Socket } from 'node:net';
import { BadRequestException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemFilter } from './problem.filter.js';

const BODY_LIMIT = 1024 * 1024;
/** A push is given up by its sender after 3 s: whoever takes longer to say it only holds the connection. */
const HEADER_WITHIN_MS = 5000;
const REQUEST_WITHIN_MS = 10_000;
const MAX_CONNECTIONS = 4000;
/** A push under way has its answer by then. */
const CONNECTIONS_CLOSE_WITHIN_MS = 3000;

/** The HTTP server with its limits. What it cannot even read is answered as a problem and logged, like all else. */
export function createHttpAdapter(problems: ProblemFilter): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_WITHIN_MS,
    connectionTimeout: 60_000,
    http: {
      headersTimeout: HEADER_WITHIN_MS,
      // Node looks for late requests only this often.
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16 * 1024,
      // Refused below instead: Node's own refusal leaves no line in the log.
      requireHostHeader: false,
    },
    trustProxy: false,
    clientErrorHandler: (error, socket) => {
      problems.unreadable(error, socket);
    },
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      void problems.answer(error, request, reply);
    },
  });
}

/** What can be set only once the server is there, and before it takes its routes. */
export function hardenHttpServer(adapter: FastifyAdapter, problems: ProblemFilter): void {
  const fastify = adapter.getInstance();
  // Bodies stay bytes, whatever type they claim to be: signatures are over bytes, and nothing is parsed unchecked.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { httpVersion, headers } = request.raw;
    done(httpVersion === '1.1' && headers.host === undefined ? new BadRequestException() : undefined);
  });
  const { server } = fastify;
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connect', (_request, socket: Socket) => {
    problems.refuse(socket, 405);
  });
  // An expectation that nobody can meet may be ignored (RFC 9110, 10.1.1), and then the request is checked like any.
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response);
  });
  // A connection on which no request ever ends would hold up the stop until the embedded database is left behind.
  fastify.addHook('preClose', (done) => {
    setTimeout(() => {
      server.closeAllConnections();
    }, CONNECTIONS_CLOSE_WITHIN_MS).unref();
    done();
  });
}
