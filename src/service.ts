import 'reflect-metadata';
import type { Socket } from 'node:net';
import { BadRequestException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppModule } from './app.module.js';
import { type Clock, SystemClock } from './config/clock.js';
import { type Config, loadConfig } from './config/config.js';
import { ConfigError } from './config/config.errors.js';
import { createLog, type Log, messageOf } from './config/log.js';
import { ProblemFilter } from './console/problem.filter.js';
import { Readiness } from './console/readiness.js';
import { DatabaseError } from './database/database.errors.js';

const BODY_LIMIT = 1024 * 1024;
/** A push is given up by its sender after 3 s: whoever takes longer to say it only holds the connection. */
const HEADER_WITHIN_MS = 5000;
const REQUEST_WITHIN_MS = 10_000;
const MAX_CONNECTIONS = 4000;
/** A push under way has its answer by then. */
const CONNECTIONS_CLOSE_WITHIN_MS = 3000;
/** After this the process ends whatever is still under way: the rows are the net. */
const STOP_WITHIN_MS = 9000;

/** Builds the service: database up and migrated, rooms of the role opened. It does not listen yet. */
export async function createService(
  settings: Config,
  clock: Clock,
  log: Log,
): Promise<NestFastifyApplication> {
  const problems = new ProblemFilter(log);
  const adapter = new FastifyAdapter({
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
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(settings, clock, log),
    adapter,
    {
      bodyParser: false,
      abortOnError: false,
      logger: {
        log: () => undefined,
        warn: (message: unknown) => {
          log.warn({ event: 'framework' }, messageOf(message));
        },
        error: (message: unknown) => {
          log.error({ event: 'framework' }, messageOf(message));
        },
      },
    },
  );
  // Bodies stay bytes, whatever type they claim to be: signatures are over bytes, and nothing is parsed unchecked.
  const fastify = adapter.getInstance();
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
  app.useGlobalFilters(problems);
  await app.init();
  return app;
}

/** Runs the service until a signal ends it. */
export async function runService(): Promise<void> {
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);

  const settings = readSettings();
  if (!settings) return;
  const log = createLog(settings);
  process.on('unhandledRejection', (error) => {
    log.error({ event: 'service.bug' }, `unhandled rejection: ${messageOf(error)}`);
    log.flush();
    process.exit(1);
  });
  let app: NestFastifyApplication;
  try {
    app = await createService(settings, new SystemClock(), log);
    await app.listen(settings.PORT, settings.HOST);
  } catch (error) {
    log.error({ event: 'service.not-started', ...codeOf(error) }, messageOf(error));
    log.flush();
    process.exit(1);
  }
  log.info(
    { event: 'service.started', url: await app.getUrl(), roles: settings.ROLE },
    'Aftersign takes events',
  );
  await stopped;
  await stopService(app, log);
  process.exit(0);
}

/** Readiness off, then no new work, then what is under way, then the connections, last the embedded database. */
async function stopService(app: NestFastifyApplication, log: Log): Promise<void> {
  log.info({ event: 'service.stopping' }, 'stopping');
  app.get(Readiness).stop();
  const late = setTimeout(() => {
    log.warn(
      { event: 'service.stopped-late' },
      `not everything ended within ${STOP_WITHIN_MS} ms; it is taken up at the next start`,
    );
    log.flush();
    process.exit(0);
  }, STOP_WITHIN_MS);
  try {
    await app.close();
  } catch (error) {
    log.error({ event: 'service.stop-failed' }, messageOf(error));
  }
  clearTimeout(late);
  log.info({ event: 'service.stopped' }, 'stopped');
  log.flush();
}

function readSettings(): Config | null {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = 1;
    return null;
  }
}

function codeOf(error: unknown): { code?: string } {
  if (error instanceof DatabaseError) return { code: error.code };
  return typeof error === 'object' && error !== null && 'code' in error ? { code: String(error.code) } : {};
}
