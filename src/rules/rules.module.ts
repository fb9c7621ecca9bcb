import { type BeforeApplicationShutdown, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DeliveryModule } from '../action/action.module.js';
import { DeliveryStore } from '../action/delivery-store.js';
import { FeishuPlatform } from '../action/feishu-platform.js';
import { OutboundHttp } from '../action/outbound-http.js';
import { OutboundModule } from '../action/outbound.module.js';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.module.js';
import { Log } from '../config/log.js';
import { Metrics } from '../config/metrics.js';
import { Tracing } from '../config/tracing.js';
import { Partitions } from '../database/partitions.js';
import { Catalogue } from '../events/catalogue.js';
import { EventIndexer } from '../events/event-indexer.js';
import { EventStore } from '../events/event-store.js';
import { EventsModule } from '../events/events.module.js';
import { LiveCatalogue } from '../events/live-catalogue.js';
import { LeasedRows } from '../queue/leased-rows.js';
import { Wakeup } from '../queue/wakeup.js';
import { asksPlatform } from '../config/config.js';
import { RuleAnalyst } from './analysis/rule-analyst.js';
import { CalendarWatch } from './calendar-watch.js';
import { DecisionWorker } from './decision-worker.js';
import { EvaluationStore } from './evaluation-store.js';
import { LookupCache } from './lookup-cache.js';
import { LookupFetcher } from './lookup-fetcher.js';
import { LookupStore } from './lookup-store.js';
import { LOOKUP_LEASE_SECONDS, LookupWorker } from './lookup-worker.js';
import { RadarRoom } from './radar/radar-room.js';
import { RadarWorker } from './radar/radar-worker.js';
import { ReplayWorker } from './replays/replay-worker.js';
import { RuleFolderReader } from './rule-files.js';
import { RuleLoader } from './rule-loader.js';
import { RuleSetError } from './rules.errors.js';
import { RuleSetStore } from './rule-set-store.js';
import { RuleStores, storesOf } from './rule-stores.js';
import { RuleWatcher } from './rule-watcher.js';
import { shadowWatch } from './shadow-gates.js';
import { TimeWorkers } from './time-workers.js';

/** Milliseconds that look-ups under way get to end when the service stops. */
const GRACE_MS = 4000;

/** The stores of the rules room, for those who only read them or act by them. */
@Module({
  imports: [EventsModule, DeliveryModule],
  providers: [
    {
      provide: RuleStores,
      inject: [DataSource, Catalogue, LiveCatalogue, Clock, DeliveryStore, Config, Log, Metrics],
      useFactory: (
        dataSource: DataSource,
        builtIn: Catalogue,
        live: LiveCatalogue,
        clock: Clock,
        deliveries: DeliveryStore,
        { settings }: Config,
        log: Log,
        metrics: Metrics,
      ) =>
        new RuleStores(dataSource, {
          builtIn,
          live,
          clock,
          deliveries,
          timezone: settings.DEFAULT_TIMEZONE,
          stormBrake: settings.STORM_BRAKE,
          shadows: shadowWatch(log, metrics),
        }),
    },
    { provide: RuleSetStore, inject: [RuleStores], useFactory: ({ ruleSets }: RuleStores) => ruleSets },
    {
      provide: EvaluationStore,
      inject: [RuleStores],
      useFactory: ({ evaluations }: RuleStores) => evaluations,
    },
    { provide: LookupStore, inject: [RuleStores], useFactory: ({ lookups }: RuleStores) => lookups },
  ],
  exports: [RuleStores, RuleSetStore, EvaluationStore, LookupStore],
})
export class RuleStoresModule {}

/**
 * ROOM 2: from an event to a decision. An event is decided once, by the rule set that is live at that moment; the
 * evaluation and the deliveries are written in one transaction. With no sound rule set, events wait; nothing is lost.
 */
@Module({
  imports: [EventsModule, RuleStoresModule, DeliveryModule, OutboundModule],
  providers: [
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
      ) => {
        const analyst = RuleAnalyst.over(catalogue, log);
        return new RuleLoader(reader, settings.secrets, store, catalogue, log, analyst);
      },
    },
    {
      provide: RuleWatcher,
      inject: [RuleFolderReader, RuleLoader, Log],
      useFactory: (reader: RuleFolderReader, loader: RuleLoader, log: Log) =>
        new RuleWatcher(reader.folder, { reader, settled: (folder) => loader.load('change', folder), log }),
    },
    { provide: LookupCache, useFactory: () => new LookupCache() },
    {
      provide: LookupFetcher,
      inject: [FeishuPlatform, OutboundHttp, Config, Clock],
      useFactory: (platform: FeishuPlatform, http: OutboundHttp, { settings }: Config, clock: Clock) =>
        new LookupFetcher(platform, http, settings.secrets, clock),
    },
    {
      provide: LookupWorker,
      inject: [
        DataSource,
        LookupStore,
        EventStore,
        RuleSetStore,
        LookupCache,
        LookupFetcher,
        Config,
        Wakeup,
        Clock,
        Log,
        Metrics,
        Tracing,
      ],
      useFactory: (
        dataSource: DataSource,
        lookups: LookupStore,
        events: EventStore,
        ruleSets: RuleSetStore,
        cache: LookupCache,
        fetcher: LookupFetcher,
        { instance, settings }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
        metrics: Metrics,
        tracing: Tracing,
      ) =>
        new LookupWorker(
          dataSource,
          new LeasedRows(
            dataSource,
            { table: 'lookups', ready: 'pending', taken: 'fetching', group: 'service' },
            instance,
            LOOKUP_LEASE_SECONDS,
          ),
          { lookups, events, ruleSets },
          { cache, fetcher },
          {
            timezone: settings.DEFAULT_TIMEZONE,
            calendar: settings.DEFAULT_CALENDAR,
            wakeup,
            clock,
            log,
            metrics,
            tracing,
          },
        ),
    },
    {
      provide: DecisionWorker,
      inject: [
        DataSource,
        EventStore,
        RuleStores,
        DeliveryStore,
        Partitions,
        LookupCache,
        LookupFetcher,
        Config,
        Wakeup,
        Clock,
        Log,
        Metrics,
        Tracing,
      ],
      useFactory: (
        dataSource: DataSource,
        events: EventStore,
        rules: RuleStores,
        deliveries: DeliveryStore,
        partitions: Partitions,
        cache: LookupCache,
        fetcher: LookupFetcher,
        { settings }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
        metrics: Metrics,
        tracing: Tracing,
      ) =>
        new DecisionWorker(
          dataSource,
          { ...storesOf(rules), events, deliveries, partitions },
          { cache, fetcher },
          {
            timezone: settings.DEFAULT_TIMEZONE,
            calendar: settings.DEFAULT_CALENDAR,
            wakeup,
            clock,
            log,
            metrics,
            tracing,
          },
        ),
    },
    {
      provide: TimeWorkers,
      inject: [
        DataSource,
        EventStore,
        RuleStores,
        DeliveryStore,
        Partitions,
        LookupFetcher,
        Config,
        Wakeup,
        Clock,
        Log,
        Metrics,
      ],
      useFactory: (
        dataSource: DataSource,
        events: EventStore,
        rules: RuleStores,
        deliveries: DeliveryStore,
        partitions: Partitions,
        fetcher: LookupFetcher,
        { instance, settings }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
        metrics: Metrics,
      ) =>
        new TimeWorkers(dataSource, { ...storesOf(rules), events, deliveries, partitions }, fetcher, {
          instance,
          timezone: settings.DEFAULT_TIMEZONE,
          calendar: settings.DEFAULT_CALENDAR,
          retention: settings.STATE_RETENTION,
          publicUrl: settings.PUBLIC_URL,
          wakeup,
          clock,
          log,
          metrics,
        }),
    },
    {
      provide: RadarRoom,
      inject: [DataSource, EventStore, RuleStores, Catalogue, LookupFetcher, Config, Clock, Log, Metrics],
      useFactory: (
        dataSource: DataSource,
        events: EventStore,
        rules: RuleStores,
        builtIn: Catalogue,
        fetcher: LookupFetcher,
        { settings }: Config,
        clock: Clock,
        log: Log,
        metrics: Metrics,
      ) =>
        new RadarRoom(dataSource, { ...storesOf(rules), events }, builtIn, {
          clock,
          timezone: settings.DEFAULT_TIMEZONE,
          asks: asksPlatform(settings),
          way: { fetcher, log, metrics },
        }),
    },
    {
      provide: RadarWorker,
      inject: [DataSource, RadarRoom, RuleStores, Wakeup, Clock, Log],
      useFactory: (
        dataSource: DataSource,
        { radar, findings, scan, reconciler }: RadarRoom,
        { ruleSets }: RuleStores,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
      ) =>
        new RadarWorker(dataSource, radar, { ruleSets, findings, scan }, reconciler, { wakeup, clock, log }),
    },
    {
      provide: ReplayWorker,
      inject: [DataSource, EventStore, RuleStores, DeliveryStore, Partitions, Config, Wakeup, Clock, Log],
      useFactory: (
        dataSource: DataSource,
        events: EventStore,
        rules: RuleStores,
        deliveries: DeliveryStore,
        partitions: Partitions,
        { instance }: Config,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
      ) =>
        new ReplayWorker(
          dataSource,
          { ...storesOf(rules), events, deliveries, partitions },
          { instance, wakeup, clock, log },
        ),
    },
    {
      provide: CalendarWatch,
      inject: [RuleSetStore, Config, Wakeup, Clock, Log],
      useFactory: (ruleSets: RuleSetStore, { settings }: Config, wakeup: Wakeup, clock: Clock, log: Log) =>
        new CalendarWatch(ruleSets, {
          timezone: settings.DEFAULT_TIMEZONE,
          calendar: settings.DEFAULT_CALENDAR,
          wakeup,
          clock,
          log,
        }),
    },
    {
      provide: EventIndexer,
      inject: [DataSource, EventStore, LiveCatalogue, Wakeup, Clock, Log],
      useFactory: (
        dataSource: DataSource,
        events: EventStore,
        catalogue: LiveCatalogue,
        wakeup: Wakeup,
        clock: Clock,
        log: Log,
      ) => new EventIndexer(dataSource, events, catalogue, { wakeup, clock, log }),
    },
  ],
  exports: [DecisionWorker, LookupWorker, TimeWorkers, RuleLoader, CalendarWatch, EventIndexer, RadarRoom],
})
export class RulesModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly loader: RuleLoader,
    private readonly watcher: RuleWatcher,
    private readonly worker: DecisionWorker,
    private readonly lookups: LookupWorker,
    private readonly time: TimeWorkers,
    private readonly calendars: CalendarWatch,
    private readonly replays: ReplayWorker,
    private readonly indexer: EventIndexer,
    private readonly radar: RadarWorker,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.loader.load('start').catch((error: unknown) => {
      if (!(error instanceof RuleSetError)) throw error;
      this.log.warn({ event: 'rules.not-loaded', code: error.code }, error.message);
    });
    await this.watcher.start(this.loader.fingerprint);
    this.worker.start();
    this.lookups.start();
    this.time.start();
    this.calendars.start();
    this.replays.start();
    this.indexer.start();
    this.radar.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.watcher.stop();
    await Promise.all([
      this.loader.stop(),
      this.worker.stop(),
      this.lookups.stop(GRACE_MS),
      this.time.stop(GRACE_MS),
      this.calendars.stop(),
      this.replays.stop(GRACE_MS),
      this.indexer.stop(),
      this.radar.stop(),
    ]);
  }
}
