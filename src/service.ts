import 'reflect-metadata';
import cookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { type Clock, SystemClock } from './config/clock.js';
import { type Config, loadConfig } from './config/config.js';
import { ConfigError } from './config/config.errors.js';
import { createLog, type Log, messageOf } from './config/log.js';
import { Metrics } from './config/metrics.js';
import { OpenApi } from './console/api/openapi.js';
import { measureRequests } from './console/http-metrics.js';
import { secureAnswers } from './console/access/security-headers.js';
import { AdminServer, createHttpAdapter, hardenHttpServer } from './console/http-server.js';
import { ProblemFilter } from './console/problem.filter.js';
import { Readiness } from './console/health/readiness.js';
import { DatabaseError } from './database/database.errors.js';

/** After this the process ends whatever is still under way: the rows are the net. */
const STOP_WITHIN_MS = 9000;

export interface Service {
  readonly app: NestFastifyApplication;
  /** Opens the ports of the settings; answers where they are. `adminUrl` is null when there is one for all. */
  readonly listen: () => Promise<{ readonly url: string; readonly adminUrl: string | null }>;
}

/** Builds the service: database up and migrated, rooms of the role opened. It does not listen yet. */
export async function createService(settings: Config, clock: Clock, log: Log): Promise<Service> {
  const problems = new ProblemFilter(log);
  const adapter = createHttpAdapter(problems);
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
  hardenHttpServer(adapter, problems);
  secureAnswers(adapter);
  await app.register(cookie);
  const admin = settings.ADMIN_PORT === undefined ? null : new AdminServer(adapter, problems);
  measureRequests(adapter, app.get(Metrics));
  app.useGlobalFilters(problems);
  if (settings.ROLE.includes('console')) app.get(OpenApi, { strict: false }).of(app);
  try {
    await app.init();
  } catch (error) {
    await app.close();
    throw error;
  }
  return {
    app,
    listen: async () => {
      const adminUrl = (await admin?.listen(settings.ADMIN_PORT ?? 0, settings.HOST)) ?? null;
      await app.listen(settings.PORT, settings.HOST);
      return { url: await app.getUrl(), adminUrl };
    },
  };
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
  let app: NestFastifyApplication | undefined;
  let listening: Awaited<ReturnType<Service['listen']>>;
  try {
    const service = await createService(settings, new SystemClock(), log);
    app = service.app;
    listening = await service.listen();
  } catch (error) {
    log.error({ event: 'service.not-started', ...codeOf(error) }, messageOf(error));
    await app?.close();
    log.flush();
    process.exit(1);
  }
  log.info({ event: 'service.started', ...listening, roles: settings.ROLE }, 'Aftersign takes events');
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
