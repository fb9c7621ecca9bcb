import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Finding } from './finding.js';

export const MAX_FILE_BYTES = 5 * 1024 * 1024;
const MAX_FOLDER_BYTES = 200 * 1024 * 1024;
/** Files and folders together, so that links which fan out, or a wrong RULES_DIR, come to an end. */
const MAX_ENTRIES = 20_000;
const AT_ONCE = 16;

/** Why a file is not taken. */
export class Problem {
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

export interface SurveyedFile {
  readonly name: string;
  /** Where the file really lies: `name` with its links resolved. */
  readonly path: string;
  /** What changes when the file does. */
  readonly stamp: string;
  /** Milliseconds since 1970 of its last change, by the file system. */
  readonly changedAt: number;
}

export interface Survey {
  readonly files: readonly SurveyedFile[];
  readonly findings: readonly Finding[];
  readonly fingerprint: string;
}

/** Lists what there is to read, sorted by name, without opening a file. */
export async function survey(folder: string): Promise<Survey> {
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
    this.files.push({ name, path, stamp, changedAt: Math.max(stats.mtimeMs, stats.ctimeMs) });
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

export function problemOf(stats: Stats): Problem | null {
  if (!stats.isFile())
    return new Problem(
      'FILE_NOT_REGULAR',
      'this is a pipe, a device or a socket',
      'Put the file itself here.',
    );
  return stats.size > MAX_FILE_BYTES ? fileTooLarge(stats.size) : null;
}

function folderUnreadable(error: unknown): Problem {
  return new Problem(
    'RULES_UNREADABLE',
    `the folder cannot be read: ${codeOf(error)}`,
    'Check RULES_DIR and its permissions.',
  );
}

export function fileUnreadable(error: unknown): Problem {
  return new Problem(
    'FILE_UNREADABLE',
    `the file cannot be read: ${codeOf(error)}`,
    'Check its permissions.',
  );
}

export function fileTooLarge(bytes: number): Problem {
  return new Problem(
    'FILE_UNREADABLE',
    `the file has ${bytes} bytes`,
    `Keep it under ${MAX_FILE_BYTES} bytes.`,
  );
}

/** Works on the items, a few at once. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const one = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** The order counts. */
export function hashOf(lines: Iterable<readonly string[]>): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${JSON.stringify(line)}\n`);
  return hash.digest('hex');
}

export function byFile(a: Finding, b: Finding): number {
  return compare(a.file, b.file) || compare(a.code, b.code);
}

/** By code unit, the same on every machine and in every language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
