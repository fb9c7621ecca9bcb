import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  openSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { codeOf, isRunning, NO_FOLLOW, WINDOWS } from './postgres-files.js';

/** How long one process may be about to start the server before another takes its turn. */
export const TURN_MS = 20_000;
/** Tells this process from an earlier one that had the same pid, as in a container that was started again. */
const TOKEN = randomBytes(8).toString('hex');

/** The live server on a data folder. On Linux also one that its lock file does not, or does not yet, name. */
export function findPostmaster(data: string): number | null {
  const recorded = pidIn(join(data, 'postmaster.pid'));
  if (recorded !== null && isPostmaster(recorded, data)) return recorded;
  if (process.platform !== 'linux') return null;
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isPostmaster(Number(name), data));
  return found === undefined ? null : Number(found);
}

/** Whether a process is the server on a data folder. */
export function isPostmaster(pid: number, data: string): boolean {
  if (!isRunning(pid)) return false;
  if (process.platform === 'linux') {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      // Its other processes are named "postgres: …". It works in its data folder, however -D was written.
      if (basename(args[0] ?? '') !== 'postgres') return false;
      return args[args.indexOf('-D') + 1] === data || readlinkSync(`/proc/${pid}/cwd`) === data;
    } catch {
      return false;
    }
  }
  const [program, args] = WINDOWS
    ? ['tasklist', ['/FI', `PID eq ${pid}`, '/NH']]
    : ['ps', ['-ww', '-p', `${pid}`, '-o', 'command=']];
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return WINDOWS ? stdout.includes('postgres.exe') : /\bpostgres -D /.test(stdout) && stdout.includes(data);
}

/** The pid in the first line of a lock file. */
export function pidIn(path: string): number | null {
  try {
    return parsePid(readFileSync(path, 'latin1'));
  } catch {
    return null;
  }
}

function parsePid(text: string): number | null {
  // A server in single-user mode writes its pid with a minus.
  const pid = Math.abs(Number.parseInt(text, 10));
  return pid > 0 ? pid : null;
}

/** The TCP port in the lock file of a data folder. */
export function portIn(data: string): number | null {
  try {
    return Number(readFileSync(join(data, 'postmaster.pid'), 'latin1').split('\n')[3]) || null;
  } catch {
    return null;
  }
}

/**
 * Makes a lock file that no live server holds acceptable to PostgreSQL, which removes one that names a dead process
 * but refuses an empty or damaged one, and one whose pid now belongs to another program or to a zombie. Only the
 * first line changes: by another one PostgreSQL looks for backends that still use the shared memory. And it changes
 * through a handle on this very file: a server that starts at this moment makes a new file, which stays as it is.
 */
export function mendLockFile(path: string, data: string): void {
  let file;
  try {
    file = openSync(path, constants.O_RDWR | NO_FOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    const text = readFileSync(file, 'latin1');
    const pid = parsePid(text);
    if (pid !== null && !canSignal(pid)) return;
    if (findPostmaster(data) !== null) return;
    const end = text.indexOf('\n');
    const mended = Buffer.from(`2147483647\n${end < 0 ? '' : text.slice(end + 1)}`, 'latin1');
    writeSync(file, mended, 0, mended.length, 0);
    ftruncateSync(file, mended.length);
  } finally {
    closeSync(file);
  }
}

/** What PostgreSQL takes for "alive", which includes zombies. */
function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Takes the right to start the server, which is a file, unless a live process has it. */
export function takeTurn(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid} ${TOKEN}`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  try {
    const holder = readFileSync(path, 'utf8');
    const pid = parsePid(holder);
    const dead = pid === process.pid ? !holder.endsWith(TOKEN) : pid !== null && !isRunning(pid);
    if (!dead && Date.now() - statSync(path).mtimeMs < TURN_MS) return false;
    // Moved first, so that of several that see this only one removes it.
    const aside = `${path}.${TOKEN}`;
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') === holder) rmSync(aside);
    else renameSync(aside, path);
  } catch {
    // It was given back meanwhile.
  }
  return false;
}
