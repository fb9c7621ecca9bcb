import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { LinePosition } from './line-file.js';

/** What became of the lines so far. */
export interface ImportCounts {
  readonly lines: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/** How far an import is. */
export interface ImportState {
  readonly position: LinePosition;
  readonly counts: ImportCounts;
}

const count = z.number().int().nonnegative();
const SAVED = z.object({
  file: z.string(),
  position: z.object({ offset: count, line: count, digest: z.string() }),
  counts: z.object({ lines: count, stored: count, duplicates: count, rejected: count }),
});

/**
 * Keeps how far the import of a file is, in the installation's folder: the same command goes on there after an
 * interruption. `how`: whatever makes it another import of the same file.
 */
export class SavedImport {
  private readonly folder: string;
  private readonly path: string;
  private readonly file: string;

  constructor(dataDir: string, file: string, how: readonly unknown[]) {
    this.file = resolve(file);
    this.folder = join(dataDir, 'imports');
    const name = createHash('sha256')
      .update(JSON.stringify([this.file, ...how]))
      .digest('hex');
    this.path = join(this.folder, `${name.slice(0, 32)}.json`);
  }

  /** Null when there is nothing to go on from. */
  async read(): Promise<ImportState | null> {
    try {
      return SAVED.parse(JSON.parse(await readFile(this.path, 'utf8')));
    } catch {
      // None was interrupted, or its note is broken: to begin again stores nothing twice.
      return null;
    }
  }

  async write(state: ImportState): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(`${this.path}.new`, JSON.stringify({ file: this.file, ...state }), { mode: 0o600 });
    await rename(`${this.path}.new`, this.path);
  }

  async forget(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
