import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

/** An empty folder, gone when the test run ends. Also the database's user can get to it when the tests run as root. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(process.env['AFTERSIGN_TEST_FOLDER'] ?? '', `${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}
