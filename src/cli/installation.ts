import type { DataSource } from 'typeorm';
import { DeliveryStore } from '../action/delivery-store.js';
import { type Clock, SystemClock } from '../config/clock.js';
import { type Config, loadConfig } from '../config/config.js';
import { createDataSource, migrate } from '../database/data-source.js';
import { startEmbeddedPostgres } from '../database/embedded-postgres.js';
import { Partitions } from '../database/partitions.js';
import { type Catalogue, loadBuiltInCatalogue } from '../events/catalogue.js';
import { EventStore } from '../events/event-store.js';
import { LiveCatalogue } from '../events/live-catalogue.js';
import { Wakeup } from '../queue/wakeup.js';
import type { EvaluationStore } from '../rules/evaluation-store.js';
import type { LookupStore } from '../rules/lookup-store.js';
import type { RuleSetStore } from '../rules/rule-set-store.js';
import { RuleStores } from '../rules/rule-stores.js';
import { inGoodOrder } from './output.js';

/** The stores of this installation, for one command. */
export interface Installation {
  readonly settings: Config;
  readonly clock: Clock;
  readonly dataSource: DataSource;
  readonly builtIn: Catalogue;
  readonly catalogue: LiveCatalogue;
  readonly events: EventStore;
  readonly rules: RuleStores;
  readonly ruleSets: RuleSetStore;
  readonly evaluations: EvaluationStore;
  readonly deliveries: DeliveryStore;
  readonly lookups: LookupStore;
}

/** Does one piece of work on the database of this installation, whether the service runs or not. */
export async function withInstallation<T>(work: (installation: Installation) => Promise<T>): Promise<T> {
  return await inGoodOrder(async () => await onDatabase(work));
}

async function onDatabase<T>(work: (installation: Installation) => Promise<T>): Promise<T> {
  const settings = loadConfig(process.env);
  const server =
    settings.DATABASE_URL === undefined
      ? await startEmbeddedPostgres({
          dataDir: settings.DATA_DIR,
          log: (line) => process.stderr.write(`${line}\n`),
        })
      : null;
  const dataSource = createDataSource(server?.url ?? { url: settings.DATABASE_URL ?? '' }, 4);
  let events: EventStore | undefined;
  try {
    await dataSource.initialize();
    await migrate(dataSource);
    const clock = new SystemClock();
    const wakeup = new Wakeup(dataSource);
    const builtIn = loadBuiltInCatalogue();
    const catalogue = new LiveCatalogue(dataSource, builtIn);
    events = new EventStore(dataSource, new Partitions(dataSource), wakeup, clock);
    const deliveries = new DeliveryStore(dataSource, wakeup);
    const timezone = settings.DEFAULT_TIMEZONE;
    const { STORM_BRAKE: stormBrake } = settings;
    const rules = new RuleStores(dataSource, {
      builtIn,
      live: catalogue,
      clock,
      deliveries,
      timezone,
      stormBrake,
    });
    return await work({
      settings,
      clock,
      dataSource,
      builtIn,
      catalogue,
      events,
      rules,
      ruleSets: rules.ruleSets,
      evaluations: rules.evaluations,
      lookups: rules.lookups,
      deliveries,
    });
  } finally {
    await events?.onApplicationShutdown();
    if (dataSource.isInitialized) await dataSource.destroy();
    await server?.stop();
  }
}
