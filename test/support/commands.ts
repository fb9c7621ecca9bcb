import { type ChildProcess, spawn } from 'node:child_process';
import { RUNTIME_FLAGS } from '../../src/runtime.js';
import { type Ended, runCommand } from './command.js';
import { CHILD_ENVIRONMENT } from './process.js';

/** Commands of one word; the others have two, like `events list`. */
const ONE_WORD = ['explain', 'report', 'backtest', 'replay', 'recall'];

interface Asked {
  readonly resolve: (ended: Ended) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The built command line, many times. Each command, here and with `--server`, and with a standard input, is a process of
 * its own the first time, so that it is seen to end; further ones run one after another in one process, without its start.
 */
export class Commands {
  private readonly seen = new Set<string>();
  private room: ChildProcess | null = null;
  private asked: Asked | null = null;
  private before: Promise<unknown> = Promise.resolve();

  /** Runs a command to its end. `input`: what stands on its standard input. */
  async run(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}, input = ''): Promise<Ended> {
    const [group = '', command = ''] = parameters;
    const name = ONE_WORD.includes(group) ? group : `${group} ${command}`;
    const kind = [name, parameters.includes('--server') ? 'there' : 'here', input === '' ? '' : 'reads'].join(
      ' ',
    );
    if (!this.seen.has(kind)) {
      this.seen.add(kind);
      return await runCommand(parameters, environment, input);
    }
    const ended = this.before.then(() => this.ask(parameters, environment, input));
    this.before = ended.catch(() => undefined);
    return await ended;
  }

  close(): void {
    this.room?.kill();
  }

  private async ask(
    parameters: readonly string[],
    environment: NodeJS.ProcessEnv,
    input: string,
  ): Promise<Ended> {
    const room = (this.room ??= this.open());
    return await new Promise((resolve, reject) => {
      this.asked = { resolve, reject };
      room.send({ parameters, environment: { PATH: process.env['PATH'], ...environment }, input });
    });
  }

  private open(): ChildProcess {
    const room = spawn(process.execPath, [...RUNTIME_FLAGS, 'test/support/command-room.mjs'], {
      env: CHILD_ENVIRONMENT,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    room.on('message', (ended) => this.asked?.resolve(ended as Ended));
    room.on('exit', (code) => this.asked?.reject(new Error(`the process of the commands ended: ${code}`)));
    return room;
  }
}
