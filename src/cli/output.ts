import { once } from 'node:events';

/** Whoever reads our output has had enough, as `head` has: the command ends, and nothing is wrong. */
export class NobodyReads extends Error {}

let closed = false;
let inOrder = 0;

/** From now on a reader that leaves ends the process quietly; work under way `inGoodOrder` is told instead. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
    if (inOrder === 0) process.exit();
  });
}

/** Work that has something to put away, like a database server, and must not be cut off because nobody reads. */
export async function inGoodOrder<T>(work: () => Promise<T>): Promise<T> {
  inOrder += 1;
  try {
    return await work();
  } finally {
    inOrder -= 1;
  }
}

/**
 * Writes to standard output, no faster than it is read.
 *
 * @throws NobodyReads
 */
export async function print(text: string | Buffer): Promise<void> {
  if (closed) throw new NobodyReads();
  if (process.stdout.write(text)) return;
  try {
    await once(process.stdout, 'drain');
  } catch {
    throw new NobodyReads();
  }
}
