import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { BadRequestException, NotFoundException, UnsupportedMediaTypeException } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemFilter } from './problem.filter.js';

const BODY_LIMIT = 1024 * 1024;
/** A push is given up by its sender after 3 s: whoever takes longer to say it only holds the connection. */
const HEADER_WITHIN_MS = 5000;
const REQUEST_WITHIN_MS = 10_000;
const CONNECTION_IDLE_MS = 60_000;
const HTTP_LIMITS: ServerOptions = {
  headersTimeout: HEADER_WITHIN_MS,
  // Node looks for late requests only this often.
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16 * 1024,
  // Refused below instead: Node's own refusal leaves no line in the log.
  requireHostHeader: false,
};
/** Of a path: ids of senders and entities are up to 200 characters long. */
const LONGEST_PARAMETER = 500;
const MAX_CONNECTIONS = 4000;
const MAX_ADMIN_CONNECTIONS = 500;
/** A push under way has its answer by then. */
const CONNECTIONS_CLOSE_WITHIN_MS = 3000;

/** The HTTP server with its limits. What it cannot even read is answered as a problem and logged, like all else. */
export function createHttpAdapter(problems: ProblemFilter): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_WITHIN_MS,
    connectionTimeout: CONNECTION_IDLE_MS,
    http: HTTP_LIMITS,
    trustProxy: false,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
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
  fastify.removeAllContentTypeParsers();
  const json = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // The bodies of senders stay bytes, whatever type they claim to be: signatures are over bytes.
    if (!isAdmin(request)) done(null, body);
    else if (isOfType(request, NDJSON)) done(null, body);
    else if (isOfType(request, JSON_TYPE)) return json(request, body.toString('utf8'), done);
    else done(new UnsupportedMediaTypeException());
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { httpVersion, headers } = request.raw;
    done(httpVersion === '1.1' && headers.host === undefined ? new BadRequestException() : undefined);
  });
  harden(fastify.server, problems, MAX_CONNECTIONS);
  // A connection on which no request ever ends would hold up the stop until the embedded database is left behind.
  fastify.addHook('preClose', (done) => {
    closeSoon(fastify.server);
    done();
  });
}

const adminSockets = new WeakSet<Socket>();

/** Whether a request came in by ADMIN_PORT. */
export function isOfAdminPort(request: FastifyRequest): boolean {
  return adminSockets.has(request.raw.socket);
}

/**
 * A second port for the admin API, the console and the metrics: there, and there only. Senders' requests are not
 * taken on it; health is on both.
 */
export class AdminServer {
  private server: Server | null = null;

  constructor(
    private readonly adapter: FastifyAdapter,
    private readonly problems: ProblemFilter,
  ) {
    const fastify = adapter.getInstance();
    fastify.addHook('onRequest', (request, _reply, done) => {
      const cameIn = isOfAdminPort(request) ? 'admin' : 'public';
      const belongs = portOf(request.routeOptions.url);
      done(belongs === 'both' || belongs === cameIn ? undefined : new NotFoundException());
    });
    fastify.addHook('preClose', (done) => {
      this.server?.close();
      if (this.server) closeSoon(this.server);
      done();
    });
  }

  /** Answers the address it listens on. */
  async listen(port: number, host: string): Promise<string> {
    const fastify = this.adapter.getInstance();
    await fastify.ready();
    const server = createServer(
      { ...HTTP_LIMITS, requestTimeout: REQUEST_WITHIN_MS },
      (request, response) => {
        fastify.routing(request, response);
      },
    );
    this.server = server;
    server.timeout = CONNECTION_IDLE_MS;
    server.on('connection', (socket) => adminSockets.add(socket));
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      this.problems.unreadable(error, socket);
    });
    harden(server, this.problems, MAX_ADMIN_CONNECTIONS);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address !== null
      ? `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
      : '';
  }
}

const JSON_TYPE = 'application/json';
export const NDJSON = 'application/x-ndjson';

function isAdmin(request: FastifyRequest): boolean {
  return request.routeOptions.url?.startsWith('/api/') === true;
}

function isOfType({ headers }: FastifyRequest, type: string): boolean {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() === type;
}

function portOf(route: string | undefined): 'public' | 'admin' | 'both' {
  if (route === undefined || route.startsWith('/health/')) return 'both';
  return route.startsWith('/webhook/') ? 'public' : 'admin';
}

function harden(server: Server, problems: ProblemFilter, maxConnections: number): void {
  server.maxConnections = maxConnections;
  server.on('connect', (_request, socket: Socket) => {
    problems.refuse(socket, 405);
  });
  // An expectation that nobody can meet may be ignored (RFC 9110, 10.1.1), and then the request is checked like any.
  server.on('checkExpectation', (request: IncomingMessage, response) => {
    server.emit('request', request, response);
  });
}

function closeSoon(server: Server): void {
  setTimeout(() => {
    server.closeAllConnections();
  }, CONNECTIONS_CLOSE_WITHIN_MS).unref();
}
