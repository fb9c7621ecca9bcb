import { type BeforeApplicationShutdown, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DeliveryModule } from '../action/action.module.js';
import { DeliveryStore } from '../action/delivery-store.js';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.module.js';
import { Log } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { Partitions } from '../database/partitions.js';
import { Catalogue } from '../events/catalogue.js';
import { EventStore } from '../events/event-store.js';
import { EventsModule } from '../events/events.module.js';
import { LiveCatalogue } from '../events/live-catalogue.js';
import { Wakeup } from '../queue/wakeup.js';
import { DecisionWorker } from './decision-worker.js';
import { EvaluationStore } from './evaluation-store.js';
import { RuleFolderReader } from './rule-files.js';
import { RuleLoader } from './rule-loader.js';
import { RuleSetError } from './rules.errors.js';
import { RuleSetStore } from './rule-set-store.js';
import { RuleWatcher } from './rule-watcher.js';

/**
 * ROOM 2: from an event to a decision. An event is decided once, by the rule set that is live at that moment; the
 * evaluation and the deliveries are written in one transaction. With no sound rule set, events wait; nothing is lost.
 */
@Module({
  imports: [EventsModule, DeliveryModule],
  providers: [
    {
      provide: RuleSetStore,
      inject: [DataSource, Catalogue, LiveCatalogue, Clock],
      useFactory: (dataSource: DataSource, builtIn: Catalogue, live: LiveCatalogue, clock: Clock) =>
        new RuleSetStore(dataSource, builtIn, live, clock),
    },
    {
      provide: EvaluationStore,
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => new EvaluationStore(dataSource),
    },
    {
      provide: RuleFolderReader,
      inject: [Config],
      useFactory: ({ settings }: Config) => new RuleFolderReader(settings.RULES_DIR),
    },
    {
      provide: RuleLoader,
      inject: [RuleFolderReader, Config, RuleSetStore, Catalogue, Log],
      useFactory: (
        reader: RuleFolderReader,
        { settings }: Config,
        store: RuleSetStore,
        catalogue: Catalogue,
        log: Log,
      ) => new RuleLoader(reader, settings.secrets, store, catalogue, log),
    },
    {
      provide: RuleWatcher,
      inject: [RuleFolderReader, RuleLoader, Log],
      useFactory: (reader: RuleFolderReader, loader: RuleLoader, log: Log) =>
        new RuleWatcher(reader.folder, { reader, settled: (folder) => loader.load('change', folder), log }),
    },
    {
      provide: DecisionWorker,
      inject: [
        DataSource,
        EventStore,
        RuleSetStore,
        EvaluationStore,
        DeliveryStore,
        Partitions,
        Config,
        Wakeup,
        Clock,
        Log,
        Metrics,
      ],
      useFactory: (
        dataSource: DataSource,
        events: EventStore,
        ruleSets: RuleSetStore,
        evaluations: EvaluationStore,
        deliveries: DeliveryStore,
        partitions: Partitions,
        { settings }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
        metrics: Metrics,
      ) =>
        new DecisionWorker(
          dataSource,
          { events, ruleSets, evaluations, deliveries, partitions },
          { timezone: settings.DEFAULT_TIMEZONE, wakeup, clock, log, metrics },
        ),
    },
  ],
  exports: [DecisionWorker, EvaluationStore, RuleSetStore, RuleLoader],
})
export class RulesModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly loader: RuleLoader,
    private readonly watcher: RuleWatcher,
    private readonly worker: DecisionWorker,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.loader.load('start').catch((error: unknown) => {
      if (!(error instanceof RuleSetError)) throw error;
      this.log.warn({ event: 'rules.not-loaded', code: error.code }, error.message);
    });
    await this.watcher.start(this.loader.fingerprint);
    this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.watcher.stop();
    await this.worker.stop();
  }
}
