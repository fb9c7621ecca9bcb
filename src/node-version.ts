import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const LEAST = 24;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Starts `run` when this Node is new enough. An older one runs the same command again with the Node that is
 * installed beside the product's dependencies, or says what is missing.
 */
export async function withNewEnoughNode(run: () => Promise<unknown>): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) >= LEAST) {
    await run();
    return;
  }
  const packaged = findPackagedNode();
  if (packaged === null) {
    console.error(
      `Aftersign needs Node ${LEAST} or newer; this is ${process.versions.node}, and no packaged Node is installed for ${process.platform}-${process.arch}.\n` +
        `Run "npm ci" again without omitting optional dependencies, or install Node ${LEAST}.`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(packaged, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' });
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
