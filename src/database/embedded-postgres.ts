import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { messageOf } from '../config/log.js';
import type { DatabaseAddress } from './data-source.js';
import { DatabaseError, sqlState } from './database.errors.js';
import {
  ANOTHER_SERVER,
  environment,
  giveToOwner,
  isRunning,
  NO_FOLLOW,
  type PostgresFiles,
  preparePostgresFiles,
  readySocketFolder,
  SUPERUSER,
  usableFolder,
  WINDOWS,
} from './postgres-files.js';
import {
  findPostmaster,
  isPostmaster,
  mendLockFile,
  pidIn,
  portIn,
  takeTurn,
  TURN_MS,
} from './postmaster.js';

/** The database server on the files of this installation. */
export interface EmbeddedPostgres {
  /** Where it is. Never changes while this runs, also when the server is started again. */
  readonly url: DatabaseAddress;
  /** Stops the server unless another process still uses it. */
  stop(): Promise<void>;
}

interface Launch {
  readonly pid: number | undefined;
  /** What the server wrote before it ended; null while it runs. */
  failure: string | null;
}

type Session = Client & { ref(): void; unref(): void };

const READY_MS = 60_000;
/** How long a server that was killed may keep its shared memory: its last backends have to notice. */
const LOCKED_MS = 15_000;
const LOCKED = /pre-existing shared memory block|lock file "[^"]*" (?:already exists|is empty)/;
/** SQLSTATE classes of a server that is starting, ending or full: asking again later can help. */
const PASSING = /^(?:08|53|55|57)/;
const POLL_MS = 30;
const LOG_LIMIT = 5 * 1024 * 1024;
const DATABASE = 'aftersign';
const LEAVING = 'aftersign-leaving';

/**
 * Starts the PostgreSQL server on the files under `dataDir`, making them at the first time, or adopts the one that
 * an earlier run left or another process started; from then on starts it again whenever it dies.
 *
 * @throws DatabaseError with the mend in its message.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  log: (line: string) => void;
}): Promise<EmbeddedPostgres> {
  try {
    const files = await preparePostgresFiles(options);
    const server = new Server(files, options.log, await addressOf(files));
    await server.start();
    return server;
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    throw new DatabaseError(
      'DATABASE_NOT_STARTED',
      `PostgreSQL could not be started: ${messageOf(error)}. ${ANOTHER_SERVER}`,
    );
  }
}

class Server implements EmbeddedPostgres {
  private pid = 0;
  /**
   * A connection that stays open: by it other processes see that the server is in use even when this one is idle,
   * and its end tells at once that something happened to the server.
   */
  private session: Session | null = null;
  private timer: NodeJS.Timeout | undefined;
  private work: Promise<void> | null = null;
  private stopping: Promise<void> | null = null;
  private failures = 0;
  private retryAt = 0;

  constructor(
    private readonly files: PostgresFiles,
    private readonly log: (line: string) => void,
    public url: Exclude<DatabaseAddress, { url: string }>,
  ) {}

  async start(): Promise<void> {
    const how = await this.run();
    this.logRuns(how === 'started' && this.files.created ? 'created' : how);
    this.timer = setInterval(() => {
      this.check();
    }, 1000);
    this.timer.unref();
  }

  stop(): Promise<void> {
    this.stopping ??= this.leave();
    return this.stopping;
  }

  /** Returns when a server runs on the files and answers; there is no other way to start one. */
  private async run(): Promise<string> {
    const { home, data } = this.files;
    const lockedUntil = Date.now() + LOCKED_MS;
    while (this.stopping === null) {
      const launch = findPostmaster(data) === null ? await this.launchInTurn() : null;
      if (await this.answers(launch)) {
        const started = launch !== null && (WINDOWS || launch.pid === this.pid);
        return started ? 'started' : 'adopted the server that another run started';
      }
      if (launch?.failure && (!LOCKED.test(launch.failure) || Date.now() > lockedUntil)) {
        throw new DatabaseError(
          'DATABASE_NOT_STARTED',
          `PostgreSQL does not start on ${home}:\n${launch.failure}\nIts log is ${join(home, 'postgres.log')}.`,
        );
      }
      await sleep(POLL_MS);
    }
    return 'stopped';
  }

  /**
   * Launches the server while no other process does. PostgreSQL's own protection against two at once is not enough:
   * both may find the same stale lock file, and the second then removes the fresh one of the first.
   */
  private async launchInTurn(): Promise<Launch | null> {
    const { home, data } = this.files;
    const turn = join(home, 'starting');
    if (!takeTurn(turn)) return null;
    try {
      if (findPostmaster(data) !== null) return null;
      giveToOwner(this.files);
      const socket = WINDOWS ? null : readySocketFolder(this.files);
      mendLockFile(join(data, 'postmaster.pid'), data);
      if (socket !== null) mendLockFile(join(socket, '.s.PGSQL.5432.lock'), data);
      const launch = this.launch(socket);
      const until = Date.now() + TURN_MS / 2;
      while (launch.failure === null && Date.now() < until) {
        const pid = pidIn(join(data, 'postmaster.pid'));
        if (WINDOWS ? pid !== null && isPostmaster(pid, data) : pid === launch.pid) break;
        await sleep(POLL_MS / 3);
      }
      return launch;
    } finally {
      rmSync(turn, { force: true });
    }
  }

  private launch(socket: string | null): Launch {
    const { home, data, owner, binaries } = this.files;
    const settings = [
      `listen_addresses=${socket === null ? '127.0.0.1' : ''}`,
      `unix_socket_directories=${socket === null ? '' : `"${socket.replaceAll('"', '""')}"`}`,
      'unix_socket_permissions=0700',
      `port=${this.url.port}`,
      'max_connections=200',
      'fsync=on',
      'logging_collector=off',
      'timezone=UTC',
      'log_timezone=UTC',
      'cluster_name=aftersign',
    ].flatMap((setting) => ['-c', setting]);
    const logFile = join(home, 'postgres.log');
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | NO_FOLLOW;
    const output = openSync(logFile, flags, 0o600);
    if (fstatSync(output).size > LOG_LIMIT) ftruncateSync(output);
    const from = fstatSync(output).size;
    const programs = join(usableFolder(home, owner, binaries), 'bin');
    // On Windows pg_ctl first drops the administrator's rights, with which PostgreSQL refuses to run.
    const [program, args] = WINDOWS
      ? ['pg_ctl', ['start', '-W', '-D', data, '-l', logFile, '-o', settings.join(' ')]]
      : ['postgres', ['-D', data, ...settings]];
    const child = spawn(join(programs, program), args, {
      cwd: home,
      // A session of its own, so that ^C in the terminal does not stop the database before the application.
      detached: true,
      env: environment(),
      stdio: ['ignore', output, output],
      ...owner,
    });
    closeSync(output);
    child.unref();
    const launch: Launch = { pid: child.pid, failure: null };
    child.once('error', (error) => {
      launch.failure = `${program}: ${messageOf(error)}. ${ANOTHER_SERVER}`;
    });
    child.once('exit', (code, signal) => {
      if (WINDOWS && code === 0) return;
      launch.failure ??= `${endOf(logFile, from)}\n(${program} ended with ${signal ?? `code ${code ?? 0}`})`;
      this.check();
    });
    return launch;
  }

  /** Waits until the server answers; false when there is none any more. */
  private async answers(launch: Launch | null): Promise<boolean> {
    const { home, data } = this.files;
    const until = Date.now() + READY_MS;
    let said = '';
    while (Date.now() < until && this.stopping === null) {
      const gone = launch === null ? findPostmaster(data) === null : launch.failure !== null;
      if (gone) return false;
      try {
        await this.connect();
        return true;
      } catch (error) {
        said = messageOf(error);
        const refusal = sqlState(error) ?? '';
        if (refusal !== '' && !PASSING.test(refusal)) {
          if (launch !== null) await this.shutDown();
          throw refusal.startsWith('28')
            ? new DatabaseError(
                'DATABASE_FILES',
                `The database refuses the password in ${join(home, 'password')} (${said}): restore that file from a backup.`,
              )
            : new DatabaseError('DATABASE_NOT_STARTED', `PostgreSQL on ${home} refuses connections: ${said}`);
        }
      }
      await sleep(POLL_MS);
    }
    if (this.stopping !== null) return false;
    throw new DatabaseError(
      'DATABASE_NOT_STARTED',
      `PostgreSQL (process ${findPostmaster(data) ?? 'unknown'}) runs on ${home} but does not answer after ${READY_MS / 1000} s (${said}). It was left running, as it may be recovering: start Aftersign again later; see ${join(home, 'postgres.log')}.`,
    );
  }

  private async connect(): Promise<void> {
    const { data } = this.files;
    if (WINDOWS) this.url = { ...this.url, port: portIn(data) ?? this.url.port };
    const session = new Client({
      ...this.url,
      database: 'postgres',
      ssl: false,
      application_name: 'aftersign-server',
      connectionTimeoutMillis: 2000,
      query_timeout: 20_000,
    }) as Session;
    session.on('error', () => undefined);
    session.once('end', () => {
      if (this.session !== session) return;
      this.session = null;
      this.check();
    });
    try {
      await session.connect();
      await makeDatabase(session);
      const pid = findPostmaster(data);
      if (pid === null) throw new Error('the server that answers is another one');
      this.pid = pid;
    } catch (error) {
      void session.end().catch(() => undefined);
      throw error;
    }
    session.unref();
    this.session = session;
  }

  /** Looks whether the server still runs, and sees to it that it does. */
  private check(): void {
    const idle = this.timer !== undefined && this.stopping === null && this.work === null;
    if (!idle || Date.now() < this.retryAt || (this.session !== null && isRunning(this.pid))) return;
    this.work = this.recover().finally(() => {
      this.work = null;
    });
  }

  private async recover(): Promise<void> {
    const before = this.pid;
    void this.session?.end().catch(() => undefined);
    this.session = null;
    if (!isRunning(before)) this.log(`PostgreSQL (process ${before}) ended unexpectedly: starting it again`);
    try {
      const how = await this.run();
      this.failures = 0;
      if (this.pid !== before && this.stopping === null) this.logRuns(how);
    } catch (error) {
      this.log(messageOf(error));
      this.failures += 1;
      this.retryAt = Date.now() + Math.min(30_000, 500 * 2 ** this.failures);
    }
  }

  private async leave(): Promise<void> {
    clearInterval(this.timer);
    await this.work;
    const session = this.session;
    this.session = null;
    session?.ref();
    const others =
      session === null ? 0 : await Promise.race([countOthers(session), sleep(3000, 0, { ref: false })]);
    void session?.end().catch(() => undefined);
    if (others > 0) {
      this.log(`PostgreSQL keeps running on ${this.files.home}: ${others} connections of others use it`);
      return;
    }
    await this.shutDown();
    this.log(`PostgreSQL stopped on ${this.files.home}`);
  }

  private async shutDown(): Promise<void> {
    const { home, data, owner, binaries } = this.files;
    const pid = findPostmaster(data);
    if (pid === null) return;
    if (WINDOWS) {
      const program = join(usableFolder(home, owner, binaries), 'bin', 'pg_ctl');
      spawnSync(program, ['stop', '-D', data, '-m', 'fast', '-w', '-t', '8'], { env: environment() });
      return;
    }
    for (const [signal, patience] of [
      ['SIGINT', 8000],
      ['SIGQUIT', 6000],
    ] as const) {
      if (!isPostmaster(pid, data)) return;
      process.kill(pid, signal);
      const until = Date.now() + patience;
      while (isRunning(pid) && Date.now() < until) await sleep(POLL_MS);
    }
    if (isRunning(pid)) this.log(`PostgreSQL (process ${pid}) does not stop`);
  }

  private logRuns(how: string): void {
    this.log(
      `PostgreSQL ${this.files.binaries.major} runs on the files in ${this.files.home} (${how}, process ${this.pid})`,
    );
  }
}

async function addressOf(files: PostgresFiles): Promise<Server['url']> {
  return {
    host: WINDOWS ? '127.0.0.1' : readySocketFolder(files),
    port: WINDOWS ? await freePort() : 5432,
    user: SUPERUSER,
    password: files.password,
    database: DATABASE,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await promisify(server.close.bind(server))();
  return typeof address === 'object' && address !== null ? address.port : 5432;
}

async function makeDatabase(session: Client): Promise<void> {
  const found = await session.query('select 1 from pg_database where datname = $1', [DATABASE]);
  if (found.rowCount !== 0) return;
  try {
    await session.query(`create database ${DATABASE}`);
  } catch (error) {
    // Another process made it at the same moment.
    if (!['42P04', '23505'].includes(sqlState(error) ?? '')) throw error;
  }
}

/** The connections of others. A pool that was just closed gets a moment, because its backends end a little later. */
async function countOthers(session: Client): Promise<number> {
  const until = Date.now() + 1000;
  try {
    // Two processes that leave at the same time must not each stay for the other.
    await session.query(`set application_name = '${LEAVING}'`);
    for (;;) {
      const { rows } = await session.query<{ others: number }>(
        `select count(*)::int as others from pg_stat_activity
          where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> '${LEAVING}'`,
      );
      const others = rows[0]?.others ?? 0;
      if (others === 0 || Date.now() > until) return others;
      await sleep(POLL_MS);
    }
  } catch {
    return 0; // It is being shut down already.
  }
}

/** The last lines of a log, at most 4 KB of what was written after `from`; why it cannot be read otherwise. */
function endOf(path: string, from: number): string {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | NO_FOLLOW);
  } catch (error) {
    // The folder may be gone as soon as the server is. Nobody would catch it in the listener.
    return messageOf(error);
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(Math.min(from, size), size - 4096);
    const bytes = Buffer.alloc(size - start);
    readSync(file, bytes, 0, bytes.length, start);
    return bytes.toString('utf8').trim();
  } finally {
    closeSync(file);
  }
}
