import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const LEAST = 24;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/** Flags of Node that the product runs with. */
export const RUNTIME_FLAGS = [
  // Without a limit, what is young and soon dead grows to 100 MB before anybody looks.
  '--max-semi-space-size=32',
  // No event field can reach a prototype.
  '--disable-proto=delete',
];

/**
 * Calls `run` in a Node that is new enough and has the product's flags. Otherwise the same command is run again in
 * one that is: this one's place is taken where the system can do that, else it waits for the other to end.
 */
export async function inOwnRuntime(run: () => Promise<unknown>): Promise<void> {
  const isNewEnough = Number(process.versions.node.split('.')[0]) >= LEAST;
  if (isNewEnough && RUNTIME_FLAGS.every((flag) => process.execArgv.includes(flag))) {
    // Not those of packages: reading theirs costs every start a tenth of a second.
    module.setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
    await run();
    return;
  }
  const program = isNewEnough ? process.execPath : findPackagedNode();
  if (program === null) {
    console.error(
      `Aftersign needs Node ${LEAST} or newer; this is ${process.versions.node}, and no packaged Node is installed for ${process.platform}-${process.arch}.\n` +
        `Run "npm ci" again without omitting optional dependencies, or install Node ${LEAST}.`,
    );
    process.exitCode = 1;
    return;
  }
  const others = process.execArgv.filter((flag) => !RUNTIME_FLAGS.includes(flag));
  const parameters = [...RUNTIME_FLAGS, ...others, ...process.argv.slice(1)];
  if (isNewEnough && process.platform !== 'win32') {
    process.execve?.(program, [program, ...parameters], process.env);
  }
  const child = spawn(program, parameters, { stdio: 'inherit' });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

function findPackagedNode(): string | null {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', `node-${platform}-${process.arch}`, 'bin', file);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return null;
  }
}
