import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Finding } from './finding.js';
import {
  byFile,
  eachOf,
  fileTooLarge,
  fileUnreadable,
  hashOf,
  MAX_FILE_BYTES,
  Problem,
  problemOf,
  type Survey,
  survey,
  type SurveyedFile,
} from './rule-folder-survey.js';

/** How often a folder that changes while it is read is read. */
const TRIES = 3;
/**
 * A file that changed so shortly before it was read may change again without its time telling: some file systems count
 * in whole seconds or two.
 */
const SETTLED_MS = 3000;

/** The files of a rules folder, and what cannot be read there. */
export interface RuleFolder {
  /** Text by path relative to the folder, with `/`; sorted by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
  /** False: the folder changed at each try while it was read, so the files may not belong together. */
  readonly stable: boolean;
  /** What `fingerprintFolder` said just before the files were read. */
  readonly fingerprint: string;
  /** A hash of what the files hold and of what cannot be read. */
  readonly contents: string;
}

interface KnownFile {
  readonly file: SurveyedFile;
  /** Milliseconds since 1970 of when it was read. */
  readonly readAt: number;
  readonly text: string | Problem;
  readonly hash: string;
}

/**
 * Reads every `.json` under a folder, as it stands at one moment. Symbolic links are followed to files and folders
 * that lie within the folder itself (so a Kubernetes ConfigMap mounts its files); other links, pipes and devices are
 * not opened: a finding says so. Files and folders whose name begins with a dot are left alone. A folder with more than
 * 20 000 files and folders, or 200 MB, is not read at all.
 */
export class RuleFolderReader {
  private known = new Map<string, KnownFile>();

  constructor(
    readonly folder: string,
    private readonly settledMs = SETTLED_MS,
  ) {}

  /** Reads what changed since it was read last; everything when `fresh`, for file systems that lie about times. */
  async read({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<RuleFolder> {
    if (fresh) this.known = new Map();
    let before = await survey(this.folder);
    for (let tried = 1; ; tried++) {
      await this.readFiles(before);
      const after = await survey(this.folder);
      const stable = after.fingerprint === before.fingerprint;
      if (stable || tried === TRIES) return this.folderOf(before, stable);
      before = after;
    }
  }

  private async readFiles({ files }: Survey): Promise<void> {
    const known = new Map<string, KnownFile>();
    // Entered first, so that the order is the survey's and not that in which the reads end.
    const changed = files.filter((file) => {
      const before = this.known.get(file.name);
      const same = before && this.isSame(before, file) ? before : null;
      known.set(file.name, same ?? { file, readAt: 0, text: '', hash: '' });
      return same === null;
    });
    await eachOf(changed, async (file) => {
      // Noted before, so that a change during the read counts as one after it.
      const readAt = Date.now();
      const read = await readBytes(file.path);
      const text = read instanceof Problem ? read : decode(read);
      const hash = read instanceof Problem ? read.message : createHash('sha256').update(read).digest('hex');
      known.set(file.name, { file, readAt, text, hash });
    });
    this.known = known;
  }

  /** Whether a file surely holds what it held when it was read. */
  private isSame({ file, readAt }: KnownFile, now: SurveyedFile): boolean {
    return file.stamp === now.stamp && file.path === now.path && now.changedAt < readAt - this.settledMs;
  }

  private folderOf({ findings, fingerprint }: Survey, stable: boolean): RuleFolder {
    const files = new Map<string, string>();
    const found = [...findings];
    const lines = findings.map(({ code, file, message }) => [file, code, message]);
    for (const [name, { text, hash }] of this.known) {
      if (text instanceof Problem) found.push(text.at(name));
      else files.set(name, text);
      lines.push([name, hash]);
    }
    return { files, findings: found.sort(byFile), stable, fingerprint, contents: hashOf(lines) };
  }
}

/** Reads a folder once. */
export async function readRuleFolder(folder: string): Promise<RuleFolder> {
  return await new RuleFolderReader(folder).read();
}

/** A hash that changes when a file of the folder does, as far as names, sizes, times, inodes and modes tell. */
export async function fingerprintFolder(folder: string): Promise<string> {
  return (await survey(folder)).fingerprint;
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
