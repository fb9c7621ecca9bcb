import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Finding } from './finding.js';

const MAX_FILE_BYTES = 5 * 1024 * 1024;
const MAX_FOLDER_BYTES = 200 * 1024 * 1024;
/** Files and folders together, so that links which fan out, or a wrong RULES_DIR, come to an end. */
const MAX_ENTRIES = 20_000;
/** How often a folder that changes while it is read is read. */
const TRIES = 3;
const AT_ONCE = 16;

/** The files of a rules folder, and what cannot be read there. */
export interface RuleFolder {
  /** Text by path relative to the folder, with `/`; sorted by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
  /** False: the folder changed at each try while it was read, so the files may not belong together. */
  readonly stable: boolean;
  /** What `fingerprintFolder` said just before the files were read. */
  readonly fingerprint: string;
}

/**
 * Reads every `.json` under a folder, as it stands at one moment. Symbolic links are followed to files and folders
 * that lie within the folder itself (so a Kubernetes ConfigMap mounts its files); other links, pipes and devices are
 * not opened: a finding says so. Files and folders whose name begins with a dot are left alone. A folder with more than
 * 20 000 files and folders, or 200 MB, is not read at all.
 */
export async function readRuleFolder(folder: string): Promise<RuleFolder> {
  let before = await survey(folder);
  for (let tried = 1; ; tried++) {
    const { files, findings } = await readFiles(before);
    const after = await survey(folder);
    const stable = after.fingerprint === before.fingerprint;
    if (stable || tried === TRIES) return { files, findings, stable, fingerprint: before.fingerprint };
    before = after;
  }
}

/** A hash that changes when a file of the folder does, as far as names, sizes, times, inodes and modes tell. */
export async function fingerprintFolder(folder: string): Promise<string> {
  return (await survey(folder)).fingerprint;
}

/** A hash of the names and contents of the folder's files and of what cannot be read there. Reads every file. */
export async function fingerprintContents(folder: string): Promise<string> {
  const { files, findings } = await survey(folder);
  const lines = findings.map(({ code, file, message }) => [file, code, message]);
  await eachOf(files, async ({ name, path }) => {
    const read = await readBytes(path);
    lines.push([
      name,
      read instanceof Problem ? read.message : createHash('sha256').update(read).digest('hex'),
    ]);
  });
  return hashOf(lines);
}

async function readFiles({
  files,
  findings,
}: Survey): Promise<{ files: ReadonlyMap<string, string>; findings: readonly Finding[] }> {
  const texts = new Map<string, string | Problem>();
  // Entered first, so that the order is the survey's and not that in which the reads end.
  for (const { name } of files) texts.set(name, '');
  await eachOf(files, async ({ name, path }) => {
    const read = await readBytes(path);
    texts.set(name, read instanceof Problem ? read : decode(read));
  });
  const read = new Map<string, string>();
  const found = [...findings];
  for (const [name, text] of texts) {
    if (text instanceof Problem) found.push(text.at(name));
    else read.set(name, text);
  }
  return { files: read, findings: found.sort(byFile) };
}

/** Why a file is not taken. */
class Problem {
  constructor(
    readonly code: string,
    readonly message: string,
    readonly mend: string,
  ) {}

  at(file: string): Finding {
    const { code, message, mend } = this;
    return { code, severity: 'error', file, line: 1, column: 1, message, mend };
  }
}

interface SurveyedFile {
  readonly name: string;
  /** Where the file really lies: `name` with its links resolved. */
  readonly path: string;
  /** What changes when the file does. */
  readonly stamp: string;
}

interface Survey {
  readonly files: readonly SurveyedFile[];
  readonly findings: readonly Finding[];
  readonly fingerprint: string;
}

/** Lists what there is to read, sorted by name, without opening a file. */
async function survey(folder: string): Promise<Survey> {
  const walk = new Walk();
  const tooLarge = await walk.run(folder);
  const findings = (tooLarge ? [tooLarge.at('.')] : walk.findings).sort(byFile);
  const files = tooLarge ? [] : walk.files.sort((a, b) => compare(a.name, b.name));
  return {
    files,
    findings,
    fingerprint: hashOf([
      ...findings.map(({ code, file, message }) => [file, code, message]),
      ...files.map(({ name, path, stamp }) => [name, path, stamp]),
    ]),
  };
}

interface WalkedFolder {
  readonly name: string;
  readonly path: string;
  /** The real paths of the folders that it lies in, as the walk came, and its own. */
  readonly within: readonly string[];
}

class Walk {
  readonly files: SurveyedFile[] = [];
  readonly findings: Finding[] = [];
  private root = '';
  private entries = 0;
  private bytes = 0;

  /** Answers what is too large, if anything is. */
  async run(folder: string): Promise<Problem | null> {
    try {
      this.root = await realpath(folder);
    } catch (error) {
      this.findings.push(folderUnreadable(error).at('.'));
      return null;
    }
    // Level by level, so that neither a deep nor a broad folder holds many open at once.
    let level: readonly WalkedFolder[] = [{ name: '', path: this.root, within: [this.root] }];
    while (level.length > 0) {
      const next: WalkedFolder[] = [];
      await eachOf(level, (one) => this.visit(one, next));
      level = next;
      if (this.entries > MAX_ENTRIES)
        return new Problem(
          'RULES_TOO_LARGE',
          `there are more than ${MAX_ENTRIES} files and folders`,
          'Check RULES_DIR: it should hold nothing but rules.',
        );
    }
    if (this.bytes <= MAX_FOLDER_BYTES) return null;
    return new Problem(
      'RULES_TOO_LARGE',
      `the files have ${this.bytes} bytes together`,
      `Keep them under ${MAX_FOLDER_BYTES} bytes; check RULES_DIR: it should hold nothing but rules.`,
    );
  }

  private async visit(folder: WalkedFolder, next: WalkedFolder[]): Promise<void> {
    if (this.entries > MAX_ENTRIES) return;
    let entries;
    try {
      entries = await readdir(folder.path, { withFileTypes: true });
    } catch (error) {
      this.findings.push(folderUnreadable(error).at(folder.name || '.'));
      return;
    }
    await eachOf(entries, async (entry) => {
      // A ConfigMap's own folder `..data` is read through the links to it.
      if (entry.name.startsWith('.') || this.entries > MAX_ENTRIES) return;
      const isRule = entry.name.endsWith('.json');
      if (!isRule && !entry.isDirectory() && !entry.isSymbolicLink()) return;
      this.entries += 1;
      const name = folder.name === '' ? entry.name : `${folder.name}/${entry.name}`;
      const path = join(folder.path, entry.name);
      if (entry.isSymbolicLink()) await this.follow(name, path, folder, next);
      else if (entry.isDirectory()) next.push({ name, path, within: [...folder.within, path] });
      else this.take(name, path, await statOf(path));
    });
  }

  private async follow(
    name: string,
    link: string,
    folder: WalkedFolder,
    next: WalkedFolder[],
  ): Promise<void> {
    const refuse = (message: string): void => {
      this.findings.push(
        new Problem('FILE_NOT_REGULAR', message, 'Put the file or folder itself here.').at(name),
      );
    };
    let path;
    try {
      path = await realpath(link);
    } catch (error) {
      // Refused whatever its name is: nobody can tell whether it stood for a folder of rules.
      const code = codeOf(error);
      if (code === 'ENOENT') refuse('this link leads nowhere');
      else refuse(code === 'ELOOP' ? 'this link leads to itself' : `this link cannot be followed: ${code}`);
      return;
    }
    const stats = await statOf(path);
    const isFolder = !(stats instanceof Problem) && stats.isDirectory();
    if (!isFolder && !name.endsWith('.json')) return;
    if (!isWithin(this.root, path)) refuse('this link leads out of the rules folder');
    else if (!isFolder) this.take(name, path, stats);
    else if (folder.within.includes(path)) refuse('this link leads to a folder that it lies in');
    else next.push({ name, path, within: [...folder.within, path] });
  }

  private take(name: string, path: string, stats: Stats | Problem): void {
    const problem = stats instanceof Problem ? stats : problemOf(stats);
    if (problem) this.findings.push(problem.at(name));
    if (problem || stats instanceof Problem) return;
    this.bytes += stats.size;
    // The mode too: a file that becomes readable is one that changes.
    const stamp = [stats.size, stats.mtimeMs, stats.ino, stats.mode].join(' ');
    this.files.push({ name, path, stamp });
  }
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

async function statOf(path: string): Promise<Stats | Problem> {
  try {
    return await lstat(path);
  } catch (error) {
    return fileUnreadable(error);
  }
}

function problemOf(stats: Stats): Problem | null {
  if (!stats.isFile())
    return new Problem(
      'FILE_NOT_REGULAR',
      'this is a pipe, a device or a socket',
      'Put the file itself here.',
    );
  return stats.size > MAX_FILE_BYTES ? fileTooLarge(stats.size) : null;
}

async function readBytes(path: string): Promise<Buffer | Problem> {
  try {
    // Should the file have become a link or a pipe since it was listed, opening it fails or does not wait.
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      const problem = problemOf(stats);
      if (problem) return problem;
      // One byte more than there should be: a file that grows under our hands is not read for ever.
      const chunks: Buffer[] = [];
      for (let total = 0; ;) {
        const chunk = Buffer.allocUnsafe(total === 0 ? stats.size + 1 : 65_536);
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
        total += bytesRead;
        if (total > MAX_FILE_BYTES) return fileTooLarge(total);
        chunks.push(chunk.subarray(0, bytesRead));
        // A network file system may hand out less than was asked for before the end.
        if (bytesRead === 0 || (bytesRead < chunk.length && total >= stats.size))
          return Buffer.concat(chunks);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fileUnreadable(error);
  }
}

function decode(bytes: Buffer): string | Problem {
  const encoding = foreignEncoding(bytes);
  if (encoding)
    return new Problem('FILE_UNREADABLE', `the file is ${encoding}, not UTF-8`, 'Save it as UTF-8.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new Problem('FILE_UNREADABLE', 'the file is not UTF-8 (perhaps GBK)', 'Save it as UTF-8.');
  }
}

function foreignEncoding(bytes: Buffer): string | null {
  const start = bytes.subarray(0, 4).toString('hex');
  if (start.startsWith('fffe') || /^[0-9a-f]{2}00[0-9a-f]{2}00$/.test(start)) return 'UTF-16 (little endian)';
  if (start.startsWith('feff') || /^00[0-9a-f]{2}00[0-9a-f]{2}$/.test(start)) return 'UTF-16 (big endian)';
  return null;
}

function folderUnreadable(error: unknown): Problem {
  return new Problem(
    'RULES_UNREADABLE',
    `the folder cannot be read: ${codeOf(error)}`,
    'Check RULES_DIR and its permissions.',
  );
}

function fileUnreadable(error: unknown): Problem {
  return new Problem(
    'FILE_UNREADABLE',
    `the file cannot be read: ${codeOf(error)}`,
    'Check its permissions.',
  );
}

function fileTooLarge(bytes: number): Problem {
  return new Problem(
    'FILE_UNREADABLE',
    `the file has ${bytes} bytes`,
    `Keep it under ${MAX_FILE_BYTES} bytes.`,
  );
}

/** Works on the items, a few at once. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const one = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

function hashOf(lines: readonly (readonly string[])[]): string {
  const sorted = lines.map((line) => JSON.stringify(line)).sort(compare);
  return createHash('sha256').update(sorted.join('\n')).digest('hex');
}

function byFile(a: Finding, b: Finding): number {
  return compare(a.file, b.file) || compare(a.code, b.code);
}

/** By code unit, the same on every machine and in every language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
