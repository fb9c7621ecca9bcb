// One PostgreSQL for the whole run, with a migrated template that each test file clones. Uses the built dist/.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataSource, migrate } from '../../dist/database/data-source.js';
import { startEmbeddedPostgres } from '../../dist/database/embedded-postgres.js';

export default async function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'aftersign-test-'));
  // The database runs as another user when the tests run as root: it has to get to its files.
  chmodSync(folder, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'database'), log: () => undefined });
  const template = createDataSource(server.url, 2);
  await template.initialize();
  await migrate(template);
  await template.destroy();
  process.env.AFTERSIGN_TEST_FOLDER = folder;
  process.env.AFTERSIGN_TEST_COMPILED = join(folder, 'compiled');
  process.env.AFTERSIGN_TEST_DATABASE = JSON.stringify(server.url);
  globalThis.aftersignTearDown = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
