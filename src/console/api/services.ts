import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { DeliveryStore } from '../../action/delivery-store.js';
import type { TargetDrill } from '../../action/target-drill.js';
import type { Clock } from '../../config/clock.js';
import { asksPlatform, type Config } from '../../config/config.js';
import type { Metrics } from '../../config/metrics.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { EventStore } from '../../events/event-store.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { ConnectionStatus } from '../../ingestion/feishu-connection.js';
import { BrakeStore } from '../../rules/brake-store.js';
import { DigestStore } from '../../rules/digest-store.js';
import type { EvaluationStore } from '../../rules/evaluation-store.js';
import { GateStore } from '../../rules/gate-store.js';
import type { Finding } from '../../rules/finding.js';
import type { LookupStore } from '../../rules/lookup-store.js';
import type { LoadedFiles } from '../../rules/rule-loader.js';
import { EventReplay } from '../../rules/replays/event-replay.js';
import { ReplayOrders } from '../../rules/replays/replay-orders.js';
import { Previews } from '../../rules/replays/replay-preview.js';
import { RadarRoom } from '../../rules/radar/radar-room.js';
import { ReconciledEvents } from '../../rules/radar/reconciled-events.js';
import type { Reconciler } from '../../rules/radar/reconciler.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { SilenceStore } from '../../rules/silence-store.js';
import { StateStore } from '../../rules/state-store.js';
import type { AuditLog } from '../access/audit-log.js';
import { EditedRedrive } from '../edited-redrive.js';
import { Erasures } from '../erasure.js';
import { Balance } from '../read/balance.js';
import { DeliveryList } from '../read/delivery-list.js';
import { DeliverySelection } from '../read/delivery-selection.js';
import { EvaluationList } from '../read/evaluation-list.js';
import { EventList } from '../read/event-list.js';
import { NoticeList } from '../read/notice-list.js';
import { ReplayList } from '../read/replay-list.js';
import { ShadowComparison } from '../read/shadow-comparison.js';
import { TargetList } from '../read/target-list.js';
import { TimerList } from '../read/timer-list.js';
import { UnsettledList } from '../read/unsettled-list.js';
import { BacktestRows } from './backtest-rows.js';
import { BacktestRunner } from './backtest-runner.js';
import { BacktestsService } from './backtests.service.js';
import { CatalogueService } from './catalogue.service.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveryActs } from './delivery-acts.js';
import { DrillsService } from './drills.service.js';
import { ErasuresService } from './erasures.service.js';
import { EntitiesService } from './entities.service.js';
import { EvaluationsService } from './evaluations.service.js';
import { EventCases } from './event-cases.js';
import { EventExport } from './event-export.js';
import { EventReplays } from './event-replays.js';
import { EventImport } from './event-import.js';
import { EventsService } from './events.service.js';
import { Explanations } from './explanations.js';
import { Turnstile } from './live-rules.js';
import { RecallsService } from './recalls.service.js';
import { ReplaysService } from './replays.service.js';
import { ReportService } from './report.service.js';
import { NoticesService } from './notices.service.js';
import { RadarService } from './radar.service.js';
import { RuleCasesService } from './rule-cases.service.js';
import { RuleHistoryService } from './rule-history.service.js';
import { RuleSetsService } from './rule-sets.service.js';
import { ShadowService } from './shadow.service.js';
import { SilencesService } from './silences.service.js';
import { SourcesService } from './sources.service.js';
import { TargetsService } from './targets.service.js';
import { TimersService } from './timers.service.js';
import { TrialEvents } from './trial-events.js';
import { TrialsService } from './trials.service.js';
import { TrialTurns } from './trial-turns.js';
import { UnsettledService } from './unsettled.service.js';

/** What the services are built of. */
export interface ServiceParts {
  readonly dataSource: DataSource;
  readonly settings: Config;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** The product's own event types. */
  readonly builtIn: Catalogue;
  readonly catalogue: LiveCatalogue;
  readonly events: EventStore;
  readonly evaluations: EvaluationStore;
  readonly ruleSets: RuleSetStore;
  readonly lookups: LookupStore;
  readonly deliveries: DeliveryStore;
  readonly here: ThisProcess;
}

/** What only the process that answers knows; null: it has no such room. */
export interface ThisProcess {
  readonly findings: () => readonly Finding[] | null;
  /** The rules folder as it was read last; null, too: it has errors. */
  readonly loaded: () => LoadedFiles | null;
  readonly connections: () => readonly ConnectionStatus[] | null;
  /** Of the room that sends. */
  readonly drill: () => TargetDrill | null;
  /** Of the room that decides. */
  readonly reconciler: () => Reconciler | null;
  /** Of the room that takes events. */
  readonly metrics: Metrics | null;
}

/** Of a command on this machine. */
export const NO_ROOMS: ThisProcess = {
  findings: () => null,
  loaded: () => null,
  connections: () => null,
  drill: () => null,
  reconciler: () => null,
  metrics: null,
};

/** Everything that people and programs can see and do, whichever way they ask: over HTTP, or by command. */
export interface Services {
  readonly events: EventsService;
  readonly evaluations: EvaluationsService;
  readonly deliveries: DeliveriesService;
  readonly ruleSets: RuleSetsService;
  readonly trials: TrialsService;
  readonly backtests: BacktestsService;
  readonly ruleHistory: RuleHistoryService;
  readonly ruleCases: RuleCasesService;
  readonly shadow: ShadowService;
  readonly targets: TargetsService;
  readonly drills: DrillsService;
  readonly notices: NoticesService;
  readonly report: ReportService;
  readonly sources: SourcesService;
  readonly catalogue: CatalogueService;
  readonly erasures: ErasuresService;
  readonly silences: SilencesService;
  readonly timers: TimersService;
  readonly unsettled: UnsettledService;
  readonly entities: EntitiesService;
  readonly replays: ReplaysService;
  readonly recalls: RecallsService;
  readonly radar: RadarService;
}

function radarService(parts: ServiceParts): RadarService {
  const { dataSource, settings, clock, builtIn, here } = parts;
  const asks = asksPlatform(settings);
  const timezone = settings.DEFAULT_TIMEZONE;
  const stores = { ...parts, reconciled: new ReconciledEvents() };
  const room = new RadarRoom(dataSource, stores, builtIn, { clock, timezone, asks, way: null });
  return new RadarService(dataSource, room, here.reconciler, { ...parts, asks });
}

/** Of replays and recalls: each evaluates up to thousands of events. */
const PREVIEWS_AT_ONCE = 2;

export function createServices(parts: ServiceParts): Services {
  const { dataSource, settings, clock, audit, builtIn, catalogue, events, here } = parts;
  const eventList = new EventList(dataSource, catalogue);
  const deliveryList = new DeliveryList(dataSource);
  const timerList = new TimerList(dataSource);
  const unsettledList = new UnsettledList(dataSource);
  const explanations = new Explanations(parts);
  const trialEvents = new TrialEvents(dataSource, eventList, parts);
  const turns = new TrialTurns();
  const backtestRows = new BacktestRows(dataSource, randomUUID());
  const silences = new SilenceStore(dataSource, catalogue);
  const gates = new GateStore({
    deliveries: parts.deliveries,
    digests: new DigestStore(),
    silences,
    brakes: new BrakeStore(dataSource, settings.STORM_BRAKE),
  });
  const replayList = new ReplayList(dataSource);
  const desk = {
    previews: new Previews(dataSource, { ...parts, gates }),
    orders: new ReplayOrders(dataSource, clock),
    turnstile: new Turnstile(PREVIEWS_AT_ONCE),
  };
  const replays = new ReplaysService(dataSource, replayList, eventList, desk, parts);
  return {
    replays,
    recalls: new RecallsService(replayList, replays, desk, parts),
    events: new EventsService(
      eventList,
      deliveryList,
      explanations,
      new EventCases(eventList, parts),
      parts,
      {
        export: new EventExport(dataSource, eventList, events, settings.webhookSources, audit),
        import: new EventImport(dataSource, settings, events, catalogue, builtIn, audit),
      },
      new EventReplays(new EventReplay(dataSource, { ...parts, gates }), parts),
    ),
    evaluations: new EvaluationsService(new EvaluationList(dataSource)),
    deliveries: new DeliveriesService(
      deliveryList,
      new DeliveryActs(
        dataSource,
        new DeliverySelection(dataSource),
        new EditedRedrive(dataSource, parts),
        parts,
      ),
      parts,
    ),
    ruleSets: new RuleSetsService(parts.ruleSets, here, audit),
    trials: new TrialsService(dataSource, eventList, trialEvents, turns, parts),
    backtests: new BacktestsService(
      dataSource,
      backtestRows,
      new BacktestRunner(dataSource, backtestRows, eventList, {
        clock,
        builtIn,
        timezone: settings.DEFAULT_TIMEZONE,
        calendar: settings.DEFAULT_CALENDAR ?? null,
      }),
      parts,
    ),
    ruleHistory: new RuleHistoryService(dataSource, trialEvents, turns, parts),
    ruleCases: new RuleCasesService(dataSource, turns, parts, {
      loaded: here.loaded,
      timezone: settings.DEFAULT_TIMEZONE,
      calendar: settings.DEFAULT_CALENDAR ?? null,
    }),
    shadow: new ShadowService(new ShadowComparison(dataSource), parts),
    targets: new TargetsService(new TargetList(dataSource), clock),
    drills: new DrillsService(dataSource, here.drill, { ...parts, timezone: settings.DEFAULT_TIMEZONE }),
    report: new ReportService(new Balance(dataSource), clock),
    radar: radarService(parts),
    notices: new NoticesService(new NoticeList(dataSource)),
    sources: new SourcesService(settings, eventList, here),
    catalogue: new CatalogueService(catalogue),
    erasures: new ErasuresService(dataSource, new Erasures(dataSource), audit, clock),
    silences: new SilencesService(dataSource, silences, parts),
    timers: new TimersService(dataSource, timerList, parts),
    unsettled: new UnsettledService(unsettledList, parts),
    entities: new EntitiesService(
      new StateStore(dataSource),
      { events: eventList, deliveries: deliveryList, timers: timerList, unsettled: unsettledList },
      parts,
    ),
  };
}
