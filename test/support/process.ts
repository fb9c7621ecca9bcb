import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** What every process that a test starts has in its environment: of this one's, nothing else. */
export const CHILD_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  // Compiled code is kept for the next process of the run.
  NODE_COMPILE_CACHE: process.env['AFTERSIGN_TEST_COMPILED'],
};

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** The built service as a process of its own: `node dist/main.js`. */
export class ServiceProcess {
  readonly url: string;
  private child: ChildProcess | null = null;
  private output = '';

  constructor(
    private readonly environment: Readonly<Record<string, string>>,
    port: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts it and waits until it takes events. Throws when the process ends instead. */
  async start(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { ...CHILD_ENVIRONMENT, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString('utf8')).slice(-100_000);
      });
    }
    while (!(await this.isReady())) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(
          `the service ended while starting (${child.exitCode ?? child.signalCode})\n${this.output}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends the process alone, or first its database server, without any warning. */
  async kill(databaseIn: string | null = null): Promise<void> {
    if (databaseIn !== null) process.kill(postmasterPid(databaseIn), 'SIGKILL');
    await this.end('SIGKILL');
  }

  /** Asks it to stop; answers the exit code. */
  async stop(): Promise<number | null> {
    return await this.end('SIGTERM');
  }

  get log(): string {
    return this.output;
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this;
    if (!child) return null;
    const ended = new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
      child.once('exit', (code) => {
        resolve(code);
      });
    });
    child.kill(signal);
    return await ended;
  }

  private async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/health/ready`);
      await answer.text();
      return answer.status === 200;
    } catch {
      return false;
    }
  }
}

/** The process id of the embedded server in a data folder. */
export function postmasterPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
}
