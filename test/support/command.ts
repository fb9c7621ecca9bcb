import { type ChildProcess, spawn } from 'node:child_process';
import { RUNTIME_FLAGS } from '../../src/runtime.js';
import { CHILD_ENVIRONMENT } from './process.js';

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
    // With the flags, that it need not begin again with them.
    const child = spawn(process.execPath, [...RUNTIME_FLAGS, 'dist/cli.js', ...parameters], {
      env: { ...CHILD_ENVIRONMENT, ...environment },
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
