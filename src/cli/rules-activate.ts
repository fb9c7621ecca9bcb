import { SystemClock } from '../config/clock.js';
import { loadConfig } from '../config/config.js';
import { createDataSource, migrate } from '../database/data-source.js';
import { startEmbeddedPostgres } from '../database/embedded-postgres.js';
import { loadBuiltInCatalogue } from '../events/catalogue.js';
import { RuleSetError } from '../rules/rules.errors.js';
import { RuleSetStore } from '../rules/rule-set-store.js';

/** `aftersign rules activate`: works whether the service runs or not; a running one takes the set with its next event. */
export async function activateRuleSet(hash: string, json: boolean): Promise<number> {
  const settings = loadConfig(process.env);
  const server =
    settings.DATABASE_URL === undefined
      ? await startEmbeddedPostgres({
          dataDir: settings.DATA_DIR,
          log: (line) => process.stderr.write(`${line}\n`),
        })
      : null;
  const dataSource = createDataSource(server?.url ?? { url: settings.DATABASE_URL ?? '' }, 2);
  try {
    await dataSource.initialize();
    await migrate(dataSource);
    const activated = await new RuleSetStore(dataSource, loadBuiltInCatalogue(), new SystemClock()).activate(
      hash,
    );
    process.stdout.write(
      json
        ? `${JSON.stringify(activated)}\n`
        : `Rule set ${activated.hash.slice(0, 12)} is live (activation ${activated.number}).\n`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof RuleSetError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return 1;
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await server?.stop();
  }
}
