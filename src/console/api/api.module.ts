import { Module, type Type } from '@nestjs/common';
import { APP_PIPE, ModuleRef } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { DeliveryModule } from '../../action/action.module.js';
import { DeliveryStore } from '../../action/delivery-store.js';
import { TargetDrill } from '../../action/target-drill.js';
import { Clock } from '../../config/clock.js';
import { Log } from '../../config/log.js';
import { Config } from '../../config/config.module.js';
import { Metrics } from '../../config/metrics.js';
import { Catalogue } from '../../events/catalogue.js';
import { EventStore } from '../../events/event-store.js';
import { EventsModule } from '../../events/events.module.js';
import { LiveCatalogue } from '../../events/live-catalogue.js';
import { FeishuConnections } from '../../ingestion/feishu-connections.js';
import { EvaluationStore } from '../../rules/evaluation-store.js';
import { LookupStore } from '../../rules/lookup-store.js';
import { RadarRoom } from '../../rules/radar/radar-room.js';
import { RuleLoader } from '../../rules/rule-loader.js';
import { RuleSetStore } from '../../rules/rule-set-store.js';
import { RuleStoresModule } from '../../rules/rules.module.js';
import { AuditLog } from '../access/audit-log.js';
import { DepthGauge } from '../health/depths.js';
import { StoredRules } from '../read/stored-rule.js';
import { BacktestsController } from './backtests.controller.js';
import { BacktestsService } from './backtests.service.js';
import { CatalogueService } from './catalogue.service.js';
import { DeliveriesController } from './deliveries.controller.js';
import { DeliveriesService } from './deliveries.service.js';
import { DrillsService } from './drills.service.js';
import { EntitiesController } from './entities.controller.js';
import { EntitiesService } from './entities.service.js';
import { ErasuresController } from './erasures.controller.js';
import { ErasuresService } from './erasures.service.js';
import { EvaluationsController } from './evaluations.controller.js';
import { EvaluationsService } from './evaluations.service.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';
import { NoticesController } from './notices.controller.js';
import { NoticesService } from './notices.service.js';
import { OpenApiController } from './openapi.controller.js';
import { OpenApi } from './openapi.js';
import { OverviewController } from './overview.controller.js';
import { OverviewService } from './overview.service.js';
import { PlacesController } from './places.controller.js';
import { ChangeFeed } from './change-feed.js';
import { ChangeReader } from './change-reader.js';
import { DeliveryChanges } from './delivery-changes.js';
import { EventChanges } from './event-changes.js';
import { VerdictChanges } from './verdict-changes.js';
import { DocsController } from './docs.controller.js';
import { RadarController } from './radar.controller.js';
import { RadarService } from './radar.service.js';
import { RecallsController } from './recalls.controller.js';
import { RecallsService } from './recalls.service.js';
import { ReplaysController } from './replays.controller.js';
import { ReplaysService } from './replays.service.js';
import { ReportController } from './report.controller.js';
import { ReportService } from './report.service.js';
import { REQUEST_PIPE } from './request-pipe.js';
import { RuleCasesController } from './rule-cases.controller.js';
import { RuleCasesService } from './rule-cases.service.js';
import { RuleFilesController } from './rule-files.controller.js';
import { RuleFilesService } from './rule-files.service.js';
import { RuleHistoryController } from './rule-history.controller.js';
import { RuleHistoryService } from './rule-history.service.js';
import { RuleSetsController } from './rule-sets.controller.js';
import { RuleSetsService } from './rule-sets.service.js';
import { RuleVersionsController } from './rule-versions.controller.js';
import { RuleVersionsService } from './rule-versions.service.js';
import { createServices, type Services, type ThisProcess } from './services.js';
import { ShadowController } from './shadow.controller.js';
import { ShadowService } from './shadow.service.js';
import { SilenceChanges } from './silence-changes.js';
import { SilencesController } from './silences.controller.js';
import { SilencesService } from './silences.service.js';
import { SourcesService } from './sources.service.js';
import { StreamCallers } from './stream-callers.js';
import { StreamController } from './stream.controller.js';
import { TargetsService } from './targets.service.js';
import { TimersController } from './timers.controller.js';
import { TimersService } from './timers.service.js';
import { TrialsController } from './trials.controller.js';
import { TrialsService } from './trials.service.js';
import { UnsettledController } from './unsettled.controller.js';
import { UnsettledService } from './unsettled.service.js';

const SERVICES = Symbol('services');

/** The admin API over events, evaluations, deliveries, rule sets, targets, sources, silences, timers and what is known. */
@Module({
  imports: [EventsModule, RuleStoresModule, DeliveryModule],
  controllers: [
    OverviewController,
    EventsController,
    EvaluationsController,
    DeliveriesController,
    RuleSetsController,
    RuleFilesController,
    RuleVersionsController,
    RuleHistoryController,
    RuleCasesController,
    ShadowController,
    TrialsController,
    BacktestsController,
    PlacesController,
    ReportController,
    ErasuresController,
    NoticesController,
    SilencesController,
    TimersController,
    UnsettledController,
    RadarController,
    EntitiesController,
    ReplaysController,
    RecallsController,
    OpenApiController,
    DocsController,
    StreamController,
  ],
  providers: [
    {
      provide: SERVICES,
      inject: [
        DataSource,
        Config,
        Clock,
        Catalogue,
        LiveCatalogue,
        EventStore,
        EvaluationStore,
        RuleSetStore,
        LookupStore,
        DeliveryStore,
        ModuleRef,
        Metrics,
      ],
      useFactory: (
        dataSource: DataSource,
        { settings }: Config,
        clock: Clock,
        builtIn: Catalogue,
        catalogue: LiveCatalogue,
        events: EventStore,
        evaluations: EvaluationStore,
        ruleSets: RuleSetStore,
        lookups: LookupStore,
        deliveries: DeliveryStore,
        modules: ModuleRef,
        metrics: Metrics,
      ): Services => {
        const takesEvents = settings.ROLE.includes('ingest');
        const audit = new AuditLog(dataSource, clock);
        const here = roomsOf(modules, takesEvents ? metrics : null);
        const stores = { builtIn, catalogue, events, evaluations, ruleSets, lookups, deliveries };
        return createServices({ dataSource, settings, clock, audit, here, ...stores });
      },
    },
    { provide: APP_PIPE, useValue: REQUEST_PIPE },
    {
      provide: ChangeFeed,
      inject: [DataSource, LiveCatalogue, Clock, Log],
      useFactory: (dataSource: DataSource, catalogue: LiveCatalogue, clock: Clock, log: Log) => {
        const now = (): number => clock.now();
        const sources = [
          new EventChanges(dataSource),
          new VerdictChanges(dataSource, now),
          new DeliveryChanges(dataSource),
          new SilenceChanges(dataSource, now),
        ];
        return new ChangeFeed(
          sources.map((source) => new ChangeReader(source, now)),
          catalogue,
          log,
          now,
        );
      },
    },
    {
      provide: StreamCallers,
      inject: [DataSource, Clock, Config],
      useFactory: (dataSource: DataSource, clock: Clock, { settings }: Config) =>
        new StreamCallers(dataSource, clock, settings.PUBLIC_URL),
    },
    {
      provide: OverviewService,
      inject: [DataSource, Clock, LiveCatalogue, RuleSetStore, ModuleRef],
      useFactory: (
        dataSource: DataSource,
        clock: Clock,
        catalogue: LiveCatalogue,
        ruleSets: RuleSetStore,
        modules: ModuleRef,
      ) => {
        const { findings } = roomsOf(modules, null);
        // Of the room of health, which is there whatever the role: what the metrics have just counted is counted.
        const gauge = (): DepthGauge => modules.get(DepthGauge, { strict: false });
        const depths = { now: () => gauge().now(), known: () => gauge().known() };
        return new OverviewService(dataSource, { clock, catalogue, ruleSets, depths, findings });
      },
    },
    {
      provide: RuleFilesService,
      inject: [RuleSetStore],
      useFactory: (ruleSets: RuleSetStore) => new RuleFilesService(ruleSets),
    },
    {
      provide: RuleVersionsService,
      inject: [DataSource, Catalogue, RuleSetStore, Clock],
      useFactory: (dataSource: DataSource, builtIn: Catalogue, ruleSets: RuleSetStore, clock: Clock) =>
        new RuleVersionsService(ruleSets, new StoredRules(dataSource, builtIn), clock),
    },
    { provide: OpenApi, useFactory: () => new OpenApi() },
    part(EventsService, (all) => all.events),
    part(EvaluationsService, (all) => all.evaluations),
    part(DeliveriesService, (all) => all.deliveries),
    part(RuleSetsService, (all) => all.ruleSets),
    part(TrialsService, (all) => all.trials),
    part(BacktestsService, (all) => all.backtests),
    part(RuleHistoryService, (all) => all.ruleHistory),
    part(RuleCasesService, (all) => all.ruleCases),
    part(ShadowService, (all) => all.shadow),
    part(TargetsService, (all) => all.targets),
    part(DrillsService, (all) => all.drills),
    part(ReportService, (all) => all.report),
    part(SourcesService, (all) => all.sources),
    part(CatalogueService, (all) => all.catalogue),
    part(ErasuresService, (all) => all.erasures),
    part(SilencesService, (all) => all.silences),
    part(TimersService, (all) => all.timers),
    part(NoticesService, (all) => all.notices),
    part(UnsettledService, (all) => all.unsettled),
    part(EntitiesService, (all) => all.entities),
    part(ReplaysService, (all) => all.replays),
    part(RecallsService, (all) => all.recalls),
    part(RadarService, (all) => all.radar),
  ],
})
export class ApiModule {}

function part<T>(provide: Type<T>, pick: (all: Services) => T) {
  return { provide, inject: [SERVICES], useFactory: pick };
}

/** Rooms that the role of this process does not open are not there, and are looked for only when they are asked. */
function roomsOf(modules: ModuleRef, metrics: Metrics | null): ThisProcess {
  const find = <T>(type: Type<T>): T | null => {
    try {
      return modules.get(type, { strict: false });
    } catch {
      return null;
    }
  };
  return {
    findings: () => find(RuleLoader)?.findings ?? null,
    loaded: () => find(RuleLoader)?.loaded ?? null,
    drill: () => find(TargetDrill),
    reconciler: () => find(RadarRoom)?.reconciler ?? null,
    connections: () => find(FeishuConnections)?.statuses ?? null,
    metrics,
  };
}
