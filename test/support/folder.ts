import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An empty folder, gone when the test run ends. Also the database's user can get to it when the tests run as root. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(process.env['AFTERSIGN_TEST_FOLDER'] ?? '', `${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** A new rules folder with files: name → text. */
export function folderWith(files: Record<string, string>): string {
  const folder = join(temporaryFolder('folder'), 'rules');
  mkdirSync(folder);
  put(folder, files);
  return folder;
}

/** Writes files into a folder: name, with `/`, → text. */
export function put(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
