import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CHILD_ENVIRONMENT, postmasterPid } from './process.js';
import { until } from './door.js';

interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A real PostgreSQL server that can be stopped and started again, and is found at the same place afterwards. */
export class PostgresProcess {
  private child: ChildProcess | null = null;
  private place: Place | null = null;

  constructor(private readonly dataDir: string) {}

  /** As `DATABASE_URL` takes it. */
  get url(): string {
    if (!this.place) throw new Error('the server was never started');
    const { host, port, user, password, database } = this.place;
    return `postgres://${user}:${encodeURIComponent(password)}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['test/support/postgres-server.mjs', this.dataDir], {
      env: CHILD_ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    this.place = await new Promise<Place>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', (line) => {
        resolve(JSON.parse(line) as Place);
      });
      child.once('exit', () => {
        reject(new Error('PostgreSQL did not start'));
      });
    });
  }

  /** Ends every session and the server, as an operator's fast shutdown does. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child) return;
    this.child = null;
    const pid = postmasterPid(this.dataDir);
    // First the process that would start it again.
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    process.kill(pid, 'SIGINT');
    await until(() => !isAlive(pid), 20_000);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
