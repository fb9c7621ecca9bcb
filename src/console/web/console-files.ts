import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the built console. */
export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** With gzip; null: it would not be smaller. */
  readonly packed: Buffer | null;
  readonly etag: string;
  /** Its name has a hash of what it holds: it never changes. */
  readonly immutable: boolean;
}

/** Where the build puts it, seen from the compiled file and from its source alike. */
const BUILT = join(import.meta.dirname, '..', '..', '..', 'dist', 'web');
const PAGE = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const pack = promisify(gzip);

/** The built console, read once, when it is asked for the first time: no name that somebody asks for becomes a path. */
export class ConsoleFiles {
  private read: Promise<ReadonlyMap<string, ConsoleFile>> | null = null;

  constructor(private readonly folder = BUILT) {}

  /** `name` is relative to the console, like `assets/index-4f3a.js`. Null: there is no such file. */
  async find(name: string): Promise<ConsoleFile | null> {
    return name === PAGE ? null : ((await this.all()).get(name) ?? null);
  }

  /** The text of the page, in which the service still has to write; null: the console is not built. */
  async page(): Promise<string | null> {
    return (await this.all()).get(PAGE)?.bytes.toString('utf8') ?? null;
  }

  private async all(): Promise<ReadonlyMap<string, ConsoleFile>> {
    this.read ??= readAll(this.folder);
    const files = await this.read;
    // It may be built while the service runs.
    if (files.size === 0) this.read = null;
    return files;
  }
}

async function readAll(folder: string): Promise<ReadonlyMap<string, ConsoleFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, ConsoleFile>();
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1).replaceAll('\\', '/');
    const bytes = await readFile(path);
    const packed = await pack(bytes, { level: 9 });
    files.set(name, {
      type,
      bytes,
      packed: packed.length < bytes.length ? packed : null,
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`,
      immutable: name.startsWith('assets/'),
    });
  }
  return files;
}
