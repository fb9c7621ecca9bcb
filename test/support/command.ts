import { type ChildProcess, spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line as a process: `aftersign <parameters>`. */
export class CommandProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;

  /** `input`: what stands on its standard input. */
  constructor(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}, input = '') {
    const child = spawn(process.execPath, ['dist/cli.js', ...parameters], {
      env: { PATH: process.env['PATH'], ...environment },
    });
    this.child = child;
    child.stdin.end(input);
    child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')));
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** Runs a command to its end. */
export async function runCommand(
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  input = '',
): Promise<Ended> {
  return await new CommandProcess(parameters, environment, input).ended;
}
